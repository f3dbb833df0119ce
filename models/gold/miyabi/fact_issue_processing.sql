{%- set inputs = ['_issue_batch_id', '_state_change_batch_id'] -%}

{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='issue_id',
        on_schema_change='fail',
        indexes=batch_indexes(inputs),
        post_hook="{{ delete_gone_rows(ref('stg_miyabi__issues'), ['issue_id']) }}",
    )
}}

-- All of them: a change of state may turn out to be another issue's. Their times are computed as a
-- whole in any case, and the merge writes what differs.
with issues as (

    select * from {{ ref('int_issues_timed') }}

),

final as (

    select
        issue_id,
        created_date,
        started_date,
        closed_date,
        created_at,
        started_at,
        closed_at,
        lead_time_hours,
        cycle_time_hours,
        wait_time_hours,
        times_reopened,
        _issue_batch_id,
        _state_change_batch_id
    from issues

)

select * from final

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

with issues as (

    {{ rows_to_build(ref('int_issues_timed'), 'created_at', inputs, at_once=true) }}

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

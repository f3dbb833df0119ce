{%- set inputs = ['_deployment_batch_id', '_incident_batch_id'] -%}

{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='deployment_id',
        on_schema_change='fail',
        indexes=batch_indexes(inputs),
        post_hook="{{ delete_gone_rows(ref('stg_miyabi__deployments'), ['deployment_id']) }}",
    )
}}

with deployments as (

    {{ rows_to_build(ref('int_deployments_assessed'), 'started_at', inputs) }}
    {%- if is_incremental() %}
    -- An incident may turn out to be another deployment's: those that have any are few.
    union
    select * from {{ ref('int_deployments_assessed') }}
    where
        deployment_id in (
            select earlier.deployment_id
            from {{ this }} as earlier
            where earlier.incidents > 0
        )
    {%- endif %}

),

final as (

    select
        deployment_id,
        service_name,
        environment,
        commit_sha,
        status,
        incidents,
        is_production,
        is_change,
        is_failed_change,
        lead_time_hours,
        hours_to_restore,
        started_date,
        finished_date,
        committed_at,
        started_at,
        finished_at,
        failed_at,
        restored_at,
        _deployment_batch_id,
        _incident_batch_id
    from deployments

)

select * from final

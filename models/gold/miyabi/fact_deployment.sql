{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='deployment_id',
        on_schema_change='fail',
        post_hook="{{ delete_gone_rows(ref('stg_miyabi__deployments'), ['deployment_id']) }}",
    )
}}

with deployments as (

    select * from {{ ref('int_deployments_assessed') }}

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
    {%- if is_incremental() %}
    where
        {{ rows_to_build('started_at', ['_deployment_batch_id', '_incident_batch_id']) }}
        -- An incident may turn out to be another deployment's: those that have any are few.
        or deployment_id in (
            select earlier.deployment_id
            from {{ this }} as earlier
            where earlier.incidents > 0
        )
    {%- endif %}

)

select * from final

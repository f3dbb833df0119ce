with deployments as (

    select * from {{ ref('stg_miyabi__deployments') }}
    where deleted_at is null

),

incidents as (

    select * from {{ ref('stg_miyabi__incidents') }}
    where deployment_id is not null

),

statuses as (

    select * from {{ ref('deployment_statuses') }}

),

-- Deleted incidents don't count, but that one is gone is a reason to build the deployment again.
incidents_per_deployment as (

    select
        deployment_id,
        sum(case when deleted_at is null then 1 else 0 end) as incidents,
        sum(case when deleted_at is null and resolved_at is null then 1 else 0 end)
            as open_incidents,
        min(case when deleted_at is null then opened_at end) as first_opened_at,
        max(case when deleted_at is null then resolved_at end) as last_resolved_at,
        max(_batch_id) as _incident_batch_id
    from incidents
    group by deployment_id

),

joined as (

    select
        deployments.deployment_id,
        deployments.service_name,
        deployments.environment,
        deployments.commit_sha,
        deployments.status,
        coalesce(incidents_per_deployment.incidents, 0) as incidents,
        {{ to_boolean("deployments.environment = 'production'") }} as is_production,
        {{ to_boolean(is_true('statuses.is_change')) }} as is_change,
        {{ to_boolean(
            is_true('statuses.is_change') ~ ' and ('
            ~ is_true('statuses.is_failure') ~ ' or incidents_per_deployment.incidents > 0)'
        ) }} as is_failed_change,
        deployments.committed_at,
        deployments.started_at,
        deployments.finished_at,
        case
            when {{ is_true('statuses.is_failure') }} then deployments.finished_at
            when {{ is_true('statuses.is_change') }} then incidents_per_deployment.first_opened_at
        end as failed_at,
        case
            when deployments.restored_at is not null then deployments.restored_at
            when incidents_per_deployment.open_incidents = 0
                then incidents_per_deployment.last_resolved_at
        end as restored_at,
        deployments._batch_id as _deployment_batch_id,
        incidents_per_deployment._incident_batch_id,
        statuses.is_failure
    from deployments
    left join statuses on deployments.status = statuses.status
    left join incidents_per_deployment
        on deployments.deployment_id = incidents_per_deployment.deployment_id

),

final as (

    select
        deployment_id,
        service_name,
        environment,
        commit_sha,
        status,
        cast(incidents as integer) as incidents,
        is_production,
        is_change,
        is_failed_change,
        cast(
            case
                when
                    {{ is_true('is_production') }}
                    and {{ is_true('is_change') }}
                    and not {{ is_true('is_failure') }}
                    and finished_at >= committed_at
                    then {{ seconds_between('committed_at', 'finished_at') }} / 3600
            end as numeric(18, 2)
        ) as lead_time_hours,
        cast(
            case
                when restored_at >= failed_at
                    then {{ seconds_between('failed_at', 'restored_at') }} / 3600
            end as numeric(18, 2)
        ) as hours_to_restore,
        {{ business_date('started_at') }} as started_date,
        {{ business_date('finished_at') }} as finished_date,
        committed_at,
        started_at,
        finished_at,
        failed_at,
        restored_at,
        _deployment_batch_id,
        _incident_batch_id
    from joined

)

select * from final

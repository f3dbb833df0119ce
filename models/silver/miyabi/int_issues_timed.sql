with issues as (

    select * from {{ ref('stg_miyabi__issues') }}
    where deleted_at is null

),

stays as (

    select * from {{ ref('int_issue_states_timed') }}

),

-- Deleted changes too: that one is gone is a reason to build the issue again.
changes as (

    select * from {{ ref('stg_miyabi__issue_state_changes') }}

),

histories as (

    select
        issue_id,
        min(case when {{ is_true('is_active') }} then entered_at end) as started_at,
        sum(case when {{ is_true('is_waiting') }} then seconds_in_state end) as seconds_waiting,
        sum(case when {{ is_true('is_reopening') }} then 1 else 0 end) as times_reopened
    from stays
    group by issue_id

),

batches as (

    select
        issue_id,
        max(_batch_id) as _state_change_batch_id
    from changes
    group by issue_id

),

final as (

    select
        issues.issue_id,
        {{ business_date('issues.created_at') }} as created_date,
        {{ business_date('histories.started_at') }} as started_date,
        {{ business_date('issues.closed_at') }} as closed_date,
        issues.created_at,
        histories.started_at,
        issues.closed_at,
        cast(
            case
                when issues.closed_at >= issues.created_at
                    then {{ seconds_between('issues.created_at', 'issues.closed_at') }} / 3600
            end as numeric(18, 2)
        ) as lead_time_hours,
        cast(
            case
                when issues.closed_at >= histories.started_at
                    then {{ seconds_between('histories.started_at', 'issues.closed_at') }} / 3600
            end as numeric(18, 2)
        ) as cycle_time_hours,
        cast(
            coalesce(histories.seconds_waiting, 0) / 3600 as numeric(18, 2)
        ) as wait_time_hours,
        cast(coalesce(histories.times_reopened, 0) as integer) as times_reopened,
        issues._batch_id as _issue_batch_id,
        batches._state_change_batch_id
    from issues
    left join histories on issues.issue_id = histories.issue_id
    left join batches on issues.issue_id = batches.issue_id

)

select * from final

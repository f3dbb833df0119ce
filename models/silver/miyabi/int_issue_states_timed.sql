with changes as (

    select * from {{ ref('stg_miyabi__issue_state_changes') }}
    where deleted_at is null

),

states as (

    select * from {{ ref('issue_states') }}

),

-- By the moments and not by from_state: what was logged twice is then a stay of no length.
stays as (

    select
        change_id,
        issue_id,
        to_state_code as state_code,
        changed_at as entered_at,
        lag(to_state_code) over (
            partition by issue_id order by changed_at, change_id
        ) as previous_state_code,
        lead(changed_at) over (
            partition by issue_id order by changed_at, change_id
        ) as left_at
    from changes

),

final as (

    select
        stays.change_id,
        stays.issue_id,
        stays.state_code,
        states.is_active,
        states.is_waiting,
        states.is_closed,
        {{ to_boolean(
            is_true('previous_states.is_closed') ~ ' and not ' ~ is_true('states.is_closed')
        ) }} as is_reopening,
        {{ seconds_between('stays.entered_at', 'stays.left_at') }} as seconds_in_state,
        stays.entered_at,
        stays.left_at
    from stays
    left join states on stays.state_code = states.state_code
    left join states as previous_states on stays.previous_state_code = previous_states.state_code

)

select * from final

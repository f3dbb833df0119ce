with issues as (

    select * from {{ ref('stg_miyabi__issues') }}

),

states as (

    select * from {{ ref('issue_states') }}

),

final as (

    select
        issues.issue_id,
        issues.title,
        issues.priority,
        cast(issues.labels as {{ dbt.type_string() }}) as labels,
        issues.state_code,
        states.state_name,
        issues.reporter_email,
        issues.created_at,
        issues.closed_at,
        {{ to_boolean(is_true('states.is_closed')) }} as is_closed,
        {{ to_boolean('issues.deleted_at is not null') }} as is_deleted
    from issues
    left join states on issues.state_code = states.state_code

)

select * from final

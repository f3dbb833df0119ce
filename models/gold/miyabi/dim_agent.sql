with agents as (

    select * from {{ ref('stg_miyabi__agents') }}

),

final as (

    select
        agent_id,
        agent_name,
        agent_type,
        maintainer_email,
        created_at,
        is_enabled,
        {{ to_boolean('deleted_at is not null') }} as is_deleted
    from agents

)

select * from final

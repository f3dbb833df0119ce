with stories as (

    select * from {{ ref('stg_hacker_news__stories') }}

),

final as (

    select
        story_id,
        cast(story_kind as {{ dbt.type_string() }}) as story_kind,
        cast(title as {{ dbt.type_string() }}) as title,
        cast(url as {{ dbt.type_string() }}) as url,
        cast(domain as {{ dbt.type_string() }}) as domain,
        cast(author as {{ dbt.type_string() }}) as author,
        posted_at,
        points,
        comments_reported,
        is_dead,
        {{ to_boolean('deleted_at is not null') }} as is_deleted
    from stories

)

select * from final

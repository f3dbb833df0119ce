with stories as (

    select
        *,
        cast({{ dbt.date_trunc('month', 'posted_at') }} as date) as month_start_date
    from {{ ref('dim_story') }}
    where
        domain is not null
        and not {{ is_true('is_dead') }}
        and not {{ is_true('is_deleted') }}

),

threads as (

    select * from {{ ref('mart_threads') }}

),

summed as (

    select
        stories.month_start_date,
        stories.domain,
        count(*) as stories,
        sum(coalesce(stories.points, 0)) as points,
        sum(coalesce(threads.comments, 0)) as comments
    from stories
    left join threads on stories.story_id = threads.story_id
    group by stories.month_start_date, stories.domain

),

final as (

    select
        month_start_date,
        domain,
        cast(
            row_number() over (
                partition by month_start_date order by points desc, stories desc, domain asc
            ) as integer
        ) as place,
        cast(stories as integer) as stories,
        cast(points as integer) as points,
        cast(comments as integer) as comments
    from summed

)

select * from final

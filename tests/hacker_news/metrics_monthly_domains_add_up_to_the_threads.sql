with metrics as (

    select
        coalesce(sum(stories), 0) as stories,
        coalesce(sum(points), 0) as points,
        coalesce(sum(comments), 0) as comments
    from {{ ref('metrics_monthly_domains') }}

),

threads as (

    select
        count(*) as stories,
        coalesce(sum(threads.points), 0) as points,
        coalesce(sum(threads.comments), 0) as comments
    from {{ ref('mart_threads') }} as threads
    inner join {{ ref('dim_story') }} as stories on threads.story_id = stories.story_id
    where stories.domain is not null

)

select
    metrics.stories as metrics_stories,
    threads.stories,
    metrics.points as metrics_points,
    threads.points,
    metrics.comments as metrics_comments,
    threads.comments
from metrics
cross join threads
where
    metrics.stories <> threads.stories
    or metrics.points <> threads.points
    or metrics.comments <> threads.comments

with metrics as (

    select
        coalesce(sum(stories), 0) as stories,
        coalesce(sum(jobs), 0) as jobs,
        coalesce(sum(comments), 0) as comments,
        coalesce(sum(points), 0) as points
    from {{ ref('metrics_daily_hacker_news') }}

),

stories as (

    select
        coalesce(sum(case when story_kind <> 'job' then 1 else 0 end), 0) as stories,
        coalesce(sum(case when story_kind = 'job' then 1 else 0 end), 0) as jobs,
        coalesce(sum(points), 0) as points
    from {{ ref('dim_story') }}
    where not {{ is_true('is_dead') }} and not {{ is_true('is_deleted') }}

),

comments as (

    select count(*) as comments
    from {{ ref('fact_comment') }}
    where not {{ is_true('is_dead') }}

)

select
    metrics.stories as metrics_stories,
    stories.stories,
    metrics.jobs as metrics_jobs,
    stories.jobs,
    metrics.comments as metrics_comments,
    comments.comments,
    metrics.points as metrics_points,
    stories.points
from metrics
cross join stories
cross join comments
where
    metrics.stories <> stories.stories
    or metrics.jobs <> stories.jobs
    or metrics.comments <> comments.comments
    or metrics.points <> stories.points

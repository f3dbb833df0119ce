with stories as (

    select
        *,
        cast(posted_at as date) as date_day
    from {{ ref('dim_story') }}
    where not {{ is_true('is_dead') }} and not {{ is_true('is_deleted') }}

),

comments as (

    select
        *,
        cast(posted_at as date) as date_day
    from {{ ref('fact_comment') }}
    where not {{ is_true('is_dead') }}

),

posts as (

    select
        date_day,
        author,
        story_kind,
        points
    from stories
    union all
    select
        date_day,
        author,
        'comment' as story_kind,
        0 as points
    from comments

),

final as (

    select
        date_day,
        cast(sum(case when story_kind = 'comment' then 1 else 0 end) as integer) as comments,
        cast(
            sum(case when story_kind not in ('comment', 'job') then 1 else 0 end) as integer
        ) as stories,
        cast(sum(case when story_kind = 'ask' then 1 else 0 end) as integer) as ask_stories,
        cast(sum(case when story_kind = 'show' then 1 else 0 end) as integer) as show_stories,
        cast(sum(case when story_kind = 'job' then 1 else 0 end) as integer) as jobs,
        cast(count(distinct author) as integer) as authors,
        cast(sum(coalesce(points, 0)) as integer) as points
    from posts
    group by date_day

)

select * from final

with stories as (

    select * from {{ ref('dim_story') }}

),

comments as (

    select * from {{ ref('fact_comment') }}

),

discussed as (

    select
        story_id,
        count(*) as comments,
        sum(case when depth = 1 then 1 else 0 end) as top_level_comments,
        count(distinct author) as commenters,
        max(depth) as deepest,
        avg(cast(depth as numeric(18, 2))) as average_depth,
        min(posted_at) as first_comment_at,
        max(posted_at) as last_comment_at
    from comments
    where story_id is not null and not {{ is_true('is_dead') }}
    group by story_id

),

final as (

    select
        stories.story_id,
        stories.posted_at,
        stories.points,
        cast(coalesce(discussed.comments, 0) as integer) as comments,
        cast(coalesce(discussed.top_level_comments, 0) as integer) as top_level_comments,
        cast(coalesce(discussed.commenters, 0) as integer) as commenters,
        coalesce(discussed.deepest, 0) as deepest,
        cast(discussed.average_depth as numeric(18, 2)) as average_depth,
        discussed.first_comment_at,
        discussed.last_comment_at
    from stories
    left join discussed on stories.story_id = discussed.story_id
    where not {{ is_true('stories.is_dead') }} and not {{ is_true('stories.is_deleted') }}

)

select * from final

with source_comments as (

    select id
    from {{ ref('br_hacker_news__item') }}
    where type = 'comment' and _deleted_at is null and deleted is null

),

placed as (

    select * from {{ ref('stg_hacker_news__comments') }}

),

facts as (

    select * from {{ ref('fact_comment') }}

)

select
    source_comments.id as source_comment_id,
    facts.comment_id as fact_comment_id,
    placed.story_id as silver_story_id,
    facts.story_id as fact_story_id
from source_comments
left join placed on source_comments.id = placed.comment_id
full join facts on source_comments.id = facts.comment_id
where
    source_comments.id is null
    or facts.comment_id is null
    or coalesce(placed.story_id, 0) <> coalesce(facts.story_id, 0)
    or coalesce(placed.depth, 0) <> coalesce(facts.depth, 0)

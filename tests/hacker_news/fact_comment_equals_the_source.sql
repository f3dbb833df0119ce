with source_comments as (

    select id
    from {{ ref('br_hacker_news__item') }}
    where type = 'comment' and _deleted_at is null and deleted is null

),

facts as (

    select comment_id from {{ ref('fact_comment') }}

)

select
    source_comments.id as source_comment_id,
    facts.comment_id as fact_comment_id
from source_comments
full join facts on source_comments.id = facts.comment_id
where source_comments.id is null or facts.comment_id is null

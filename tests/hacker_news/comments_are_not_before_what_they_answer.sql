with items as (

    select * from {{ ref('stg_hacker_news__items') }}

)

select
    answers.item_id,
    answers.posted_at,
    items.posted_at as answered_posted_at
from items as answers
inner join items on answers.parent_id = items.item_id
where answers.posted_at < items.posted_at

select
    -- ids
    items.item_id as comment_id,
    items.parent_id,
    placed.story_id,

    -- text
    items.author,
    {{ html_to_text('items.body_html') }} as body_text,

    -- numerics
    placed.depth,

    -- booleans
    items.is_dead,

    -- timestamps
    items.posted_at,
    items.deleted_at,

    -- batch
    items._batch_id as _comment_batch_id,
    placed._story_batch_id

from {{ ref('stg_hacker_news__items') }} as items
left join {{ ref('int_comments_placed') }} as placed
    on items.item_id = placed.comment_id
where items.item_type = 'comment'

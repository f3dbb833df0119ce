{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='comment_id',
        on_schema_change='fail',
        indexes=[{'columns': ['comment_id'], 'unique': true}],
    )
}}

{#- SQL Server stops at 100 by itself; a test says when a thread is deeper. -#}
{%- set deepest = 100 -%}

{{ with_recursive() }} items as (

    select * from {{ ref('stg_hacker_news__items') }}

),

stories as (

    select
        item_id as story_id,
        _batch_id as _story_batch_id
    from items
    where item_type in ('story', 'job', 'poll')

),

{%- if is_incremental() %}

placed as (

    select
        comment_id,
        story_id,
        depth,
        _story_batch_id
    from {{ this }}

),
{%- endif %}

-- Once placed under a story is placed for ever: an item never changes its parent.
comments as (

    select
        item_id as comment_id,
        parent_id,
        _batch_id
    from items
    {%- if is_incremental() %}
    where
        item_type = 'comment'
        and not exists (
            select 1
            from placed
            where placed.comment_id = items.item_id and placed.story_id is not null
        )
    {%- else %}
    where item_type = 'comment'
    {%- endif %}

),

-- What answers a story, a comment that has its place already, or nothing that is known.
beginnings as (

    select
        comments.comment_id,
        {%- if is_incremental() %}
        coalesce(stories.story_id, placed.story_id) as story_id,
        case when stories.story_id is not null then 1 else placed.depth + 1 end as depth,
        coalesce(stories._story_batch_id, placed._story_batch_id) as _story_batch_id,
        {%- else %}
        stories.story_id,
        case when stories.story_id is not null then 1 end as depth,
        stories._story_batch_id,
        {%- endif %}
        comments._batch_id
    from comments
    left join comments as parents on comments.parent_id = parents.comment_id
    left join stories on comments.parent_id = stories.story_id
    {%- if is_incremental() %}
    left join placed on comments.parent_id = placed.comment_id
    {%- endif %}
    where parents.comment_id is null

),

-- Of the batches from the story down, the last one: by it, facts learn of the place.
walked as (

    select
        comment_id,
        story_id,
        depth,
        1 as steps,
        case
            when _batch_id > _story_batch_id then _batch_id else _story_batch_id
        end as _story_batch_id
    from beginnings
    union all
    select
        comments.comment_id,
        walked.story_id,
        walked.depth + 1 as depth,
        walked.steps + 1 as steps,
        case
            when comments._batch_id > walked._story_batch_id then comments._batch_id
            else walked._story_batch_id
        end as _story_batch_id
    from walked
    inner join comments on walked.comment_id = comments.parent_id
    where walked.steps < {{ deepest }}

),

final as (

    select
        comment_id,
        story_id,
        depth,
        _story_batch_id
    from walked

)

select * from final

{%- set inputs = ['_comment_batch_id', '_story_batch_id'] -%}

{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='comment_id',
        on_schema_change='fail',
        indexes=batch_indexes(inputs),
        post_hook="{{ delete_gone_rows(
            ref('stg_hacker_news__comments'), ['comment_id'], '_comment_batch_id'
        ) }}",
    )
}}

with comments as (

    {{ rows_to_build(ref('stg_hacker_news__comments'), 'posted_at', inputs) }}

),

final as (

    select
        comment_id,
        story_id,
        parent_id,
        cast(author as {{ dbt.type_string() }}) as author,
        posted_at,
        depth,
        is_dead,
        _comment_batch_id,
        _story_batch_id
    from comments
    where deleted_at is null

)

select * from final

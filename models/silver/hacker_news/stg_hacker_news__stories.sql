with items as (

    select * from {{ ref('stg_hacker_news__items') }}

),

stories as (

    select
        *,
        {{ html_to_text('title_html') }} as title,
        -- from here to the domain: //user@host:port/path?query#fragment
        case when url like '%://%' then {{ text_after('url', '://') }} end as without_scheme
    from items
    where item_type in ('story', 'job', 'poll')

),

hosts as (

    select
        *,
        {{ text_before("replace(replace(without_scheme, '?', '/'), '#', '/')", '/') }} as authority
    from stories

),

domains as (

    select
        *,
        lower({{ text_before(text_after('authority', '@'), ':') }}) as host
    from hosts

),

final as (

    select
        -- ids
        item_id as story_id,

        -- text
        case
            when item_type in ('job', 'poll') then item_type
            when title like 'Ask HN:%' then 'ask'
            when title like 'Show HN:%' then 'show'
            when title like 'Launch HN:%' then 'launch'
            when url is not null then 'link'
            else 'text'
        end as story_kind,
        author,
        title,
        {{ html_to_text('body_html') }} as body_text,
        url,
        nullif(case when host like 'www.%' then {{ text_after('host', 'www.') }} else host end, '')
            as domain,

        -- numerics
        points,
        comments_reported,

        -- booleans
        is_dead,

        -- timestamps
        posted_at,
        deleted_at,

        -- batch
        _batch_id

    from domains

)

select * from final

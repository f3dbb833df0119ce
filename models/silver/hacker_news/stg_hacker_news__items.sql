select
    -- ids
    id as item_id,
    parent as parent_id,
    poll as poll_id,

    -- text
    type as item_type,
    {{ adapter.quote('by') }} as author,
    title as title_html,
    text as body_html,
    nullif(trim(url), '') as url,

    -- numerics
    cast(score as integer) as points,
    cast(descendants as integer) as comments_reported,

    -- booleans
    {{ to_boolean(is_true('dead')) }} as is_dead,

    -- timestamps
    {{ dbt.dateadd('second', 'time', "cast('1970-01-01' as " ~ dbt.type_timestamp() ~ ')') }}
        as posted_at,
    case
        when _deleted_at is not null then {{ utc_timestamp('_deleted_at') }}
        when {{ is_true('deleted') }} then {{ utc_timestamp('_loaded_at') }}
    end as deleted_at,

    -- batch
    _batch_id

from {{ ref('br_hacker_news__item') }}

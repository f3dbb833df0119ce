{{ config(error_if='> 50') }}

select
    customer_id,
    has_bad_created_date,
    has_bad_modified_date
from {{ ref('stg_storefront__customers') }}
where
    deleted_at is null
    and (
        {{ is_true('has_bad_created_date') }}
        or {{ is_true('has_bad_modified_date') }}
    )

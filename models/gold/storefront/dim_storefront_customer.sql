{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='customer_key',
        on_schema_change='fail',
        meta={'whole_once_a_day': true},
        post_hook="{{ delete_unknown_customers(ref('stg_storefront__transactions')) }}",
    )
}}

with customers as (

    select *
    from {{ ref('stg_storefront__customers') }}
    {%- if is_incremental() %}
    where _batch_id > {{ tested_batch() }}
    {%- endif %}

),

registered as (

    select customer_id
    from {{ ref('stg_storefront__customers') }}

),

transactions as (

    select * from {{ ref('stg_storefront__transactions') }}

),

-- Null is one of them: the guest.
buyers as (

    select distinct customer_id
    from transactions
    where deleted_at is null
    {%- if is_incremental() %}
        and _batch_id > {{ tested_batch() }}
    {%- endif %}

),

unregistered as (

    select buyers.customer_id
    from buyers
    left join registered on buyers.customer_id = registered.customer_id
    where registered.customer_id is null

),

final as (

    select
        cast({{ surrogate_key(['customer_id']) }} as varchar(32)) as customer_key,
        customer_id,
        customer_code,
        customer_name,
        email,
        phone,
        customer_status,
        created_date,
        modified_date,
        has_email,
        has_bad_created_date,
        has_bad_modified_date,
        {{ bool_literal(true) }} as is_registered,
        {{ to_boolean('deleted_at is not null') }} as is_deleted
    from customers
    union all
    select
        cast({{ surrogate_key(['customer_id']) }} as varchar(32)) as customer_key,
        customer_id,
        null as customer_code,
        null as customer_name,
        null as email,
        null as phone,
        cast('Unknown' as {{ dbt.type_string() }}) as customer_status,
        null as created_date,
        null as modified_date,
        {{ bool_literal(false) }} as has_email,
        {{ bool_literal(false) }} as has_bad_created_date,
        {{ bool_literal(false) }} as has_bad_modified_date,
        {{ bool_literal(false) }} as is_registered,
        {{ bool_literal(false) }} as is_deleted
    from unregistered

)

select * from final

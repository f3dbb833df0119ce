with products as (

    select
        product_id,
        list_price
    from {{ ref('stg_adventureworks__products') }}

),

current_prices as (

    select
        product_id,
        list_price
    from {{ ref('dim_product') }}
    where {{ is_true('is_current') }}

)

select
    products.product_id,
    products.list_price as source_price,
    current_prices.list_price as current_price
from products
left join current_prices on products.product_id = current_prices.product_id
where
    current_prices.product_id is null
    or products.list_price <> current_prices.list_price

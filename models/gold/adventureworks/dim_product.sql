with prices as (

    select * from {{ ref('int_product_prices_versioned') }}

),

products as (

    select * from {{ ref('stg_adventureworks__products') }}

),

subcategories as (

    select * from {{ ref('stg_adventureworks__product_subcategories') }}

),

categories as (

    select * from {{ ref('stg_adventureworks__product_categories') }}

),

final as (

    select
        prices.product_key,
        prices.product_id,
        products.product_name,
        products.product_number,
        categories.product_category_name,
        subcategories.product_subcategory_name,
        products.product_line,
        products.color,
        products.product_size,
        products.standard_cost,
        prices.list_price,
        prices.valid_from,
        prices.valid_to,
        prices.is_current,
        products.is_for_sale,
        products.is_discontinued,
        {{ to_boolean('products.deleted_at is not null') }} as is_deleted
    from prices
    inner join products on prices.product_id = products.product_id
    left join subcategories
        on products.product_subcategory_id = subcategories.product_subcategory_id
    left join categories on subcategories.product_category_id = categories.product_category_id

)

select * from final

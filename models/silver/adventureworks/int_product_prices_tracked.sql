with products as (

    select * from {{ ref('stg_adventureworks__products') }}

),

final as (

    select
        product_id,
        list_price,
        updated_at,
        _batch_id
    from products

)

select * from final

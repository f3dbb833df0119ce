with prices as (

    select * from {{ ref('snap_product_prices') }}

),

numbered as (

    select
        product_id,
        list_price,
        dbt_valid_from,
        dbt_valid_to,
        _batch_id,
        cast(
            row_number() over (
                partition by product_id
                order by dbt_valid_from
            ) as integer
        ) as price_version
    from prices

),

final as (

    select
        {{ surrogate_key(['product_id', 'price_version']) }} as product_key,
        product_id,
        price_version,
        list_price,
        -- The first price that was seen counts from the beginning, so that an order that is older
        -- than this warehouse finds one.
        case
            when price_version = 1 then cast('1900-01-01' as {{ dbt.type_timestamp() }})
            else dbt_valid_from
        end as valid_from,
        dbt_valid_to as valid_to,
        {{ to_boolean('dbt_valid_to is null') }} as is_current,
        _batch_id
    from numbered

)

select * from final

with offers as (

    select * from {{ ref('stg_adventureworks__special_offers') }}

),

final as (

    select
        special_offer_id,
        special_offer_name,
        offer_type,
        offer_category,
        discount_rate,
        minimum_quantity,
        maximum_quantity,
        start_date,
        end_date,
        {{ to_boolean('deleted_at is not null') }} as is_deleted
    from offers

)

select * from final

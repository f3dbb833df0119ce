with source as (

    select * from {{ ref('br_adventureworks__business_entity_address') }}

),

final as (

    select
        -- ids
        business_entity_id,
        address_id,
        address_type_id,

        -- timestamps
        cast(modified_date as {{ dbt.type_timestamp() }}) as updated_at

    from source
    where _deleted_at is null

)

select * from final

with territories as (

    select * from {{ ref('stg_adventureworks__territories') }}

),

countries as (

    select * from {{ ref('stg_adventureworks__countries') }}

),

final as (

    select
        territories.territory_id,
        territories.territory_name,
        territories.territory_group,
        territories.country_code,
        countries.country_name,
        {{ to_boolean('territories.deleted_at is not null') }} as is_deleted
    from territories
    left join countries on territories.country_code = countries.country_code

)

select * from final

with sales_people as (

    select * from {{ ref('stg_adventureworks__sales_people') }}

),

people as (

    select * from {{ ref('stg_adventureworks__people') }}

),

final as (

    select
        sales_people.sales_person_id,
        -- T-SQL's concat() takes null for an empty text
        case
            when people.person_id is not null
                then {{ dbt.concat(['people.first_name', "' '", 'people.last_name']) }}
        end as sales_person_name,
        sales_people.territory_id,
        sales_people.sales_quota,
        sales_people.bonus,
        sales_people.commission_rate,
        {{ to_boolean('sales_people.deleted_at is not null') }} as is_deleted
    from sales_people
    left join people on sales_people.sales_person_id = people.person_id

)

select * from final

with customers as (

    select * from {{ ref('stg_adventureworks__customers') }}

),

people as (

    select * from {{ ref('stg_adventureworks__people') }}

),

stores as (

    select * from {{ ref('stg_adventureworks__stores') }}

),

email_addresses as (

    select * from {{ ref('stg_adventureworks__email_addresses') }}

),

located as (

    select * from {{ ref('int_business_entities_located') }}

),

-- Of several e-mail addresses the first that a person gave, as long as it is one.
ranked_emails as (

    select
        person_id,
        email,
        row_number() over (
            partition by person_id
            order by email_address_id
        ) as email_rank
    from email_addresses
    where email is not null

),

final as (

    select
        customers.customer_id,
        customers.account_number,
        customers.customer_type,
        -- T-SQL's concat() takes null for an empty text
        case
            when customers.store_id is not null then stores.store_name
            when people.person_id is not null
                then {{ dbt.concat(['people.first_name', "' '", 'people.last_name']) }}
        end as customer_name,
        people.first_name,
        people.last_name,
        ranked_emails.email,
        located.city_name,
        located.postal_code,
        located.state_province_name,
        located.country_code,
        located.country_name,
        customers.territory_id,
        stores.sales_person_id,
        customers.deleted_at
    from customers
    left join people on customers.person_id = people.person_id
    left join stores on customers.store_id = stores.store_id
    left join ranked_emails
        on customers.person_id = ranked_emails.person_id and ranked_emails.email_rank = 1
    left join located
        on coalesce(customers.store_id, customers.person_id) = located.business_entity_id

)

select * from final

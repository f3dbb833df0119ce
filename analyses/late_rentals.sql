with rentals as (

    select * from {{ ref('fact_rental') }}

),

films as (

    select * from {{ ref('dim_film') }}

),

customers as (

    select * from {{ ref('dim_rental_customer') }}

),

final as (

    select
        rentals.rental_id,
        rentals.due_at,
        films.title,
        customers.customer_id,
        customers.first_name,
        customers.last_name,
        rentals.store_id
    from rentals
    inner join films on rentals.film_id = films.film_id
    inner join customers on rentals.customer_id = customers.customer_id
    where
        rentals.returned_at is null
        and rentals.due_at < {{ current_utc_timestamp() }}

)

select * from final

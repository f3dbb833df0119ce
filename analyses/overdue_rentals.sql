-- What is overdue now, and who has it. Depends on the moment of asking, so it is no model.
select
    rentals.rental_id,
    rentals.due_at,
    films.title,
    customers.customer_id,
    rentals.store_id
from {{ ref('fact_rental') }} as rentals
inner join {{ ref('dim_film') }} as films on rentals.film_id = films.film_id
inner join {{ ref('dim_rental_customer') }} as customers
    on rentals.customer_id = customers.customer_id
where
    rentals.returned_at is null
    and rentals.due_at < {{ current_utc_timestamp() }}

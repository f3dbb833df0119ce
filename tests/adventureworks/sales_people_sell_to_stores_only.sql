-- Whoever orders online has no sales person, and whoever has one is a store.
with orders as (

    select * from {{ ref('stg_adventureworks__orders') }}
    where deleted_at is null

),

customers as (

    select * from {{ ref('stg_adventureworks__customers') }}

)

select
    orders.sales_order_id,
    orders.sales_person_id,
    orders.is_online,
    customers.customer_type
from orders
inner join customers on orders.customer_id = customers.customer_id
where
    (orders.sales_person_id is not null and customers.customer_type <> 'Store')
    or (orders.sales_person_id is not null and {{ is_true('orders.is_online') }})

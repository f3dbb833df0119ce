{{ config(group='storefront') }}

with silver as (

    select * from {{ ref('int_transactions_sized') }}

),

facts as (

    select * from {{ ref('fact_customer_transaction') }}

)

select
    silver.transaction_id as silver_transaction_id,
    facts.transaction_id as fact_transaction_id
from silver
full join facts on silver.transaction_id = facts.transaction_id
where
    silver.transaction_id is null
    or facts.transaction_id is null
    or silver.total_amount <> facts.total_amount
    or silver.transacted_at <> facts.transacted_at
    or silver.transaction_type <> facts.transaction_type
    or silver.transaction_status <> facts.transaction_status
    or silver.transaction_size <> facts.transaction_size
    or silver.is_completed <> facts.is_completed
    or silver.is_refund <> facts.is_refund

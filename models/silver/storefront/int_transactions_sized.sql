with transactions as (

    select * from {{ ref('stg_storefront__transactions') }}

),

sizes as (

    select
        transaction_size,
        over_amount,
        lead(over_amount) over (
            -- null, the smallest, is last on Postgres and first on SQL Server
            order by case when over_amount is null then 0 else 1 end, over_amount
        ) as up_to_amount
    from {{ ref('storefront_transaction_sizes') }}

),

final as (

    select
        transactions.transaction_id,
        transactions.customer_id,
        transactions.transaction_type,
        transactions.payment_method,
        transactions.channel,
        transactions.transaction_status,
        cast(sizes.transaction_size as {{ dbt.type_string() }}) as transaction_size,
        transactions.amount,
        transactions.fee,
        transactions.tax,
        cast(
            transactions.amount + transactions.fee + transactions.tax as numeric(18, 2)
        ) as total_amount,
        transactions.is_completed,
        transactions.is_refund,
        transactions.transacted_at,
        transactions._batch_id as _transaction_batch_id
    from transactions
    left join sizes
        on
            (sizes.over_amount is null or transactions.amount > sizes.over_amount)
            and (sizes.up_to_amount is null or transactions.amount <= sizes.up_to_amount)
    where transactions.deleted_at is null

)

select * from final

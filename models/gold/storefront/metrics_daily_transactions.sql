with transactions as (

    select
        *,
        case
            when not {{ is_true('is_completed') }} then 'none'
            when {{ is_true('is_refund') }} then 'refund'
            else 'sale'
        end as money_moved
    from {{ ref('fact_customer_transaction') }}

),

per_day_and_channel as (

    select
        date_key as date_day,
        channel,
        count(*) as transactions,
        sum(case when money_moved <> 'none' then 1 else 0 end) as completed_transactions,
        sum(case when money_moved = 'sale' then 1 else 0 end) as sales,
        sum(case when money_moved = 'refund' then 1 else 0 end) as refunds,
        sum(case when money_moved = 'sale' then total_amount else 0 end) as sales_amount,
        sum(case when money_moved = 'refund' then total_amount else 0 end) as refund_amount
    from transactions
    group by date_key, channel

),

final as (

    select
        date_day,
        channel,
        cast(transactions as integer) as transactions,
        cast(completed_transactions as integer) as completed_transactions,
        cast(sales as integer) as sales,
        cast(refunds as integer) as refunds,
        cast(sales_amount as numeric(18, 2)) as sales_amount,
        cast(refund_amount as numeric(18, 2)) as refund_amount,
        cast(sales_amount - refund_amount as numeric(18, 2)) as net_amount,
        cast(completed_transactions * 1.0 / transactions as numeric(18, 4)) as completion_rate,
        cast(sales_amount / nullif(sales, 0) as numeric(18, 2)) as average_ticket
    from per_day_and_channel

)

select * from final

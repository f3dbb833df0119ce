with metrics as (

    select
        coalesce(sum(transactions), 0) as transactions,
        coalesce(sum(completed_transactions), 0) as completed_transactions,
        coalesce(sum(refunds), 0) as refunds,
        coalesce(sum(net_amount), 0) as net_amount
    from {{ ref('metrics_daily_transactions') }}

),

facts as (

    select
        count(*) as transactions,
        coalesce(sum(case when {{ is_true('is_completed') }} then 1 else 0 end), 0)
            as completed_transactions,
        coalesce(sum(
            case
                when {{ is_true('is_completed') }} and {{ is_true('is_refund') }} then 1
                else 0
            end
        ), 0) as refunds,
        coalesce(sum(
            case
                when not {{ is_true('is_completed') }} then 0
                when {{ is_true('is_refund') }} then -total_amount
                else total_amount
            end
        ), 0) as net_amount
    from {{ ref('fact_customer_transaction') }}

)

select
    metrics.transactions as metrics_transactions,
    facts.transactions as fact_transactions,
    metrics.completed_transactions as metrics_completed_transactions,
    facts.completed_transactions as fact_completed_transactions,
    metrics.refunds as metrics_refunds,
    facts.refunds as fact_refunds,
    metrics.net_amount as metrics_net_amount,
    facts.net_amount as fact_net_amount
from metrics
cross join facts
where
    metrics.transactions <> facts.transactions
    or metrics.completed_transactions <> facts.completed_transactions
    or metrics.refunds <> facts.refunds
    or metrics.net_amount <> facts.net_amount

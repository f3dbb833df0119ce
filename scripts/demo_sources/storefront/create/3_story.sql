-- How `storefront` does business: what a day brings, for the history and for each tick alike.

-- How far the story has come: one row, that each tick moves on by a day. All moments are in UTC.
create table demo.clock (
    scale numeric not null,
    tick integer not null,
    day_start timestamp(3) not null,        -- the last day simulated: from here …
    story_at timestamp(3) not null,         -- … to here
    written_at timestamp(3) not null,       -- the updated_at of what the last tick wrote
    first_transaction_id integer not null,  -- of the last day
    customers integer not null,
    transactions_per_day integer not null
);

-- How a payment ends, once it is no longer pending.
create function demo.final_status(transaction_id integer) returns text
language sql immutable parallel safe
return (array['failed', 'cancelled', 'completed'])[
    case
        when demo.below(100, transaction_id, 21) < 5 then 1
        when demo.below(100, transaction_id, 21) < 8 then 2
        else 3
    end
];

create function demo.make_customers(
    first_id integer, last_id integer, created_at timestamp, spread_days integer
)
returns void
language sql
begin atomic
    insert into dbo.customers (
        customer_id,
        customer_code,
        customer_name,
        email,
        phone,
        created_date,
        modified_date,
        status
    )
    select
        i,
        'C-' || lpad(i::text, 6, '0'),
        name,
        lower(regexp_replace(name, '[^A-Za-z]', '', 'g')) || '.' || i || '@example.com',
        demo.phone(i),
        demo.date_text(moment, i),
        demo.date_text(moment + (created_at - moment) * demo.uniform(i, 11), i + 1),
        (array['I', 'P', 'A'])[
            case
                when demo.below(20, i, 12) < 3 then 1
                when demo.below(20, i, 12) < 4 then 2
                else 3
            end
        ]
    from generate_series(first_id, last_id) as series (i)
    cross join lateral (
        select
            demo.customer_name(i) as name,
            created_at - interval '1 day' * spread_days * demo.uniform(i, 13) as moment
    ) as drawn;
    select setval('dbo.customers_customer_id_seq', last_id);
end;

-- Payments between two moments, in their order, written when they happen or, as a tick does, at
-- told_at. What was paid in the last day may be pending; the last customer never buys, and one in
-- fifty buyers is a guest.
create function demo.make_transactions(
    first_id integer, last_id integer, from_at timestamp, to_at timestamp, told_at timestamp
)
returns void
language sql
begin atomic
    insert into dbo.transactions (
        transaction_id,
        customer_id,
        transaction_type,
        payment_method,
        channel,
        amount,
        fee,
        tax,
        status,
        transaction_date,
        updated_at
    )
    select
        i,
        case
            when i % 50 <> 49
                then 1 + floor((customers - 1) * power(demo.uniform(i, 31), 1.5))::integer
        end,
        demo.pick(array['purchase', 'purchase', 'purchase', 'purchase', 'subscription'], i, 32),
        demo.pick(array['card', 'card', 'card', 'paypal', 'bank_transfer', 'gift_card'], i, 33),
        demo.pick(array['web', 'web', 'mobile', 'mobile', 'store', 'phone'], i, 34),
        amount,
        -- A gift card costs the shop nothing: nobody fills in a fee.
        case
            when demo.pick(
                array['card', 'card', 'card', 'paypal', 'bank_transfer', 'gift_card'], i, 33
            ) <> 'gift_card'
                then round(amount * 0.029 + 0.30, 2)
        end,
        round(amount * 0.08, 2),
        case
            when moment > story_at - interval '1 day' and demo.below(5, i, 35) = 0 then 'pending'
            else demo.final_status(i)
        end,
        moment,
        coalesce(
            told_at, least(moment + interval '1 minute' * demo.below(90, i, 36), story_at)
        )
    from generate_series(first_id, last_id) as series (i)
    cross join demo.clock
    cross join lateral (
        select
            round(exp(1.6 + 6 * power(demo.uniform(i, 37), 2))::numeric, 2) as amount,
            from_at + (to_at - from_at) * ((i - first_id + demo.uniform(i, 38))
                / (last_id - first_id + 1)) as moment
    ) as drawn;
    -- Money goes back now and then: at the customer's wish, or at the bank's.
    update dbo.transactions
    set transaction_type = case when transaction_id % 85 = 0 then 'chargeback' else 'refund' end
    where transaction_id between first_id and last_id and transaction_id % 17 = 0;
    select setval('dbo.transactions_transaction_id_seq', last_id);
end;

-- Payments that a tick took away and a later tick brings back.
create table demo.withdrawn_transactions (like dbo.transactions, returns_at integer);

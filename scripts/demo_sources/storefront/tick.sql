-- The next day at the demo source `storefront`. Its cost grows with a day's rows, not with the
-- tables.
--
-- What happens on each day:
--   3 customers register (the first one buys at once) and 1 who never bought is deleted
--   0.2 % of the customers (at least 3) change their e-mail or their status
--   a day's payments; those that were pending on the day before end
--   2 payments arrive late: of 12 days ago, written now
--   1 amount of ten days ago is corrected: a cent more
--   2 payments of the day before are deleted; 1 of them is back a day later
--
-- All that is written has one updated_at, later than any before: `demo.clock.written_at`. Event
-- times lie in the day; when the story has caught up with the clock on the wall, the day ends now.

update demo.clock
set
    tick = tick + 1,
    day_start = story_at,
    story_at = demo.day_after(story_at at time zone 'UTC') at time zone 'UTC',
    written_at = greatest(demo.now_at() at time zone 'UTC', written_at + interval '1 second');

-- Brought back.
with back as (
    delete from demo.withdrawn_transactions
    where returns_at <= (select tick from demo.clock)
    returning *
)

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
    written_at
from back
cross join demo.clock;

-- Taken away: the third payment of the day before until tomorrow, the fourth for good.
with gone as (
    delete from dbo.transactions
    using demo.clock
    where transaction_id in (first_transaction_id + 2, first_transaction_id + 3)
    returning
        transactions.*,
        tick + 1 as returns_at,
        transaction_id = first_transaction_id + 2 as returns
)

insert into demo.withdrawn_transactions
select
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
    updated_at,
    returns_at
from gone
where returns;

-- What was pending ends. The index on transaction_date finds it: nothing is pending for long.
update dbo.transactions
set status = demo.final_status(transactions.transaction_id), updated_at = clock.written_at
from demo.clock
where transactions.status = 'pending'
    and transactions.transaction_date > clock.day_start - interval '3 days'
    and transactions.transaction_date <= clock.day_start;

-- A correction: the first payment of ten days ago.
update dbo.transactions
set amount = transactions.amount + 0.01, updated_at = clock.written_at
from demo.clock
where transactions.transaction_id = (
    select min(old.transaction_id)
    from dbo.transactions as old
    where old.transaction_id > 100
        and old.transaction_date >= clock.day_start - interval '10 days'
        and old.transaction_date < clock.day_start - interval '9 days'
);

-- The last customer never bought, whether from the beginning or from the last tick.
delete from dbo.customers
where customer_id = (select max(customer_id) from dbo.customers);

-- A number is used once: the sequences remember what was deleted.
select demo.make_customers(last_value::integer + 1, last_value::integer + 3, story_at, 0)
from demo.clock
cross join dbo.customers_customer_id_seq;

-- The seeded defects stay as they are: only customers from 81 on change.
update dbo.customers
set
    email = case
        when customers.customer_id % 2 = 0
            then 'moved.' || customers.customer_id || '.' || clock.tick || '@example.net'
        else customers.email
    end,
    status = case
        when customers.customer_id % 2 = 0 then customers.status
        when customers.status = 'A' then 'I'
        else 'A'
    end,
    modified_date = demo.date_text(clock.story_at, customers.customer_id)
from demo.clock
cross join lateral generate_series(1, greatest(3, clock.customers / 500)) as series (i)
where customers.customer_id
    = 81 + ((clock.tick * 1009 + series.i * 13)::bigint % (clock.customers - 81));

-- Today's payments; the first is the new customer's.
update demo.clock
set first_transaction_id = (
    select last_value::integer + 1 from dbo.transactions_transaction_id_seq
);

select
    demo.make_transactions(
        first_transaction_id,
        first_transaction_id + transactions_per_day - 1,
        day_start,
        story_at,
        written_at
    )
from demo.clock;

update dbo.transactions
set customer_id = (select max(customer_id) - 2 from dbo.customers)
from demo.clock
where transaction_id = first_transaction_id;

-- Late: paid long ago, told only now.
select
    demo.make_transactions(
        last_value::integer + 1,
        last_value::integer + 2,
        day_start - interval '12 days',
        day_start - interval '11 days',
        written_at
    )
from demo.clock
cross join dbo.transactions_transaction_id_seq;

-- The demo source `storefront`: the customers of a shop and what they pay.
--
-- Everything here is invented and depends on two settings only: `demo.scale` and `demo.as_of`. The
-- same settings give the same rows. History is a year long and ends 7 days before `demo.as_of`, so
-- that seven ticks in a row are seven whole days; `demo.clock` knows how far the story has come.
--
-- Scale 1 is about 8 000 rows: 1 500 customers and 6 500 transactions; both grow with it.
-- Customers say in text only when they were created and changed: ISO with or without a time,
-- DD.MM.YYYY or MM/DD/YYYY.
--
-- Defects, on purpose, the same at every scale and on every day:
--   customers     8 created_date that is no date, 1 empty, 1 null      (customer_id 11 to 20)
--                 4 modified_date that is no date                      (21 to 24)
--                 2 e-mails null, 2 empty, 2 that are none, 3 untidy   (31 to 39)
--                 2 phones null, 2 without a digit                     (41 to 44)
--                 status: 3 unknown, 1 null, 2 untidy                  (51 to 56)
--                 2 registered twice: the customer_code of 61 and 62   (63, 64)
--                 3 names in capitals, 3 in small letters              (71 to 76)
--                 4 names that break careless code                     (77 to 80)
--   transactions  3 by customers that do not exist                     (transaction_id 11 to 13)
--                 3 statuses and 2 types that nobody knows             (21 to 25)
--                 channel: 2 null, 1 empty                             (26 to 28)
--                 4 with untidy text                                   (31 to 34)
--                 2 amounts below zero                                 (41, 42)
--                 3 entered twice: what 51 to 53 are                   (61 to 63)
--                 1 in 50 by a guest, without a customer; no fee on gift cards
--   and, no defects, 4 amounts at the bounds of the sizes              (71 to 74)

insert into demo.clock
select
    scale,
    0,
    story_at - interval '1 day',
    story_at,
    story_at,
    0,
    greatest(100, round(1500 * scale)),
    greatest(5, round(6500 * scale / 365))
from (
    select
        current_setting('demo.scale')::numeric as scale,
        (date_trunc('day', demo.now_at(), 'UTC') at time zone 'UTC') - interval '7 days' as story_at
) as settings;

select
    demo.make_customers(1, customers, story_at - interval '1 hour', 1800),
    demo.make_transactions(
        1,
        greatest(100, round(6500 * scale)::integer),
        story_at - interval '365 days',
        story_at,
        null
    )
from demo.clock;

update demo.clock
set first_transaction_id = (
    select max(transaction_id) + 1 - transactions_per_day from dbo.transactions
);

update dbo.customers
set
    created_date = case
        when customer_id between 11 and 19 then (array[
            '2025-02-30', '31.04.2024', '02/29/2023', '2024-13-01', '00.00.0000', '1/2/24', 'n/a',
            'last summer', '  '
        ])[customer_id - 10]
        when customer_id <> 20 then created_date
    end,
    modified_date = case
        when customer_id between 21 and 24
            then (array['0000-00-00', '13/13/2024', '29.02.2100', 'never'])[customer_id - 20]
        else modified_date
    end,
    email = case
        when customer_id between 31 and 32 then null
        when customer_id between 33 and 34 then ''
        when customer_id between 35 and 36 then (array['n/a', 'none'])[customer_id - 34]
        when customer_id between 37 and 39 then '  ' || initcap(email) || ' '
        else email
    end,
    phone = case
        when customer_id between 41 and 42 then null
        when customer_id between 43 and 44 then (array['-', 'ask mother'])[customer_id - 42]
        else phone
    end,
    status = case
        when customer_id between 51 and 53 then (array['X', '?', 'ACTIVE'])[customer_id - 50]
        when customer_id between 55 and 56 then (array['a', ' I '])[customer_id - 54]
        when customer_id <> 54 then status
    end,
    customer_name = case
        when customer_id between 71 and 73 then upper(customer_name)
        when customer_id between 74 and 76 then lower(customer_name)
        when customer_id between 77 and 80 then (array[
            '  Émile  O''Neil "Jr" ', 'نورة الحربي', '佐藤 愛', U&'Zoe\0308; drop table --'
        ])[customer_id - 76]
        else customer_name
    end
where customer_id <= 80;

update dbo.customers
set customer_code = original.customer_code
from dbo.customers as original
where customers.customer_id between 63 and 64
    and original.customer_id = customers.customer_id - 2;

update dbo.transactions
set
    customer_id = case
        when transaction_id between 11 and 13 then 900000000 + transaction_id
        else customer_id
    end,
    status = case transaction_id
        when 21 then 'c0mpleted'
        when 22 then ''
        when 23 then '99'
        when 31 then 'COMPLETED'
        when 32 then ' Completed '
        else status
    end,
    transaction_type = case transaction_id
        when 24 then 'prchase'
        when 25 then '?'
        when 33 then 'Refund  '
        else transaction_type
    end,
    channel = case
        when transaction_id in (26, 27) then null
        when transaction_id = 28 then ''
        when transaction_id = 34 then ' WEB'
        else channel
    end,
    amount = case transaction_id
        when 41 then -25.00
        when 42 then -0.01
        when 71 then 100.00
        when 72 then 100.01
        when 73 then 1000.00
        when 74 then 1000.01
        else amount
    end
where transaction_id <= 74;

update dbo.transactions
set
    customer_id = original.customer_id,
    transaction_type = original.transaction_type,
    amount = original.amount,
    transaction_date = original.transaction_date
from dbo.transactions as original
where transactions.transaction_id between 61 and 63
    and original.transaction_id = transactions.transaction_id - 10;

-- After the rows: faster, and the statistics are of finished tables.
create index on dbo.transactions (transaction_date);
create index on dbo.transactions (updated_at);
create index on dbo.transactions (customer_id);

analyze;

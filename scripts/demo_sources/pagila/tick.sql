-- The next day at the demo source `pagila`. Its cost grows with a day's rows, not with the tables.
--
-- What happens on each day:
--   3 customers register (the first one rents at once) and 1 who never rented is deleted
--   a day's rentals and payments; what comes back is returned, late fees included
--   0.2 % of the customers (at least 3) change their e-mail, shop or whether they are active
--   0.2 % of the films (at least 2) change their price
--   2 rentals arrive late: rented 12 days ago, written now; nobody pays for them
--   1 return is corrected: 10 minutes earlier than first written
--   2 rentals of the day before are deleted, with their payments; 1 of them is back a day later
--
-- All that is written has one last_update, later than any before: `demo.clock.written_at`. Event
-- times lie in the day; when the story has caught up with the clock on the wall, the day ends now.

set local demo.ticking = 'on';

update demo.clock
set
    tick = tick + 1,
    day_start = story_at,
    story_at = demo.day_after(story_at),
    written_at = greatest(demo.now_at(), written_at + interval '1 second');

select demo.make_partition(story_at) from demo.clock;

-- Brought back.
with back as (
    delete from demo.withdrawn_rental
    where returns_at <= (select tick from demo.clock)
    returning *
)

insert into public.rental (
    rental_id, rental_date, inventory_id, customer_id, return_date, staff_id, last_update
)
select rental_id, rental_date, inventory_id, customer_id, return_date, staff_id, written_at
from back
cross join demo.clock;

with back as (
    delete from demo.withdrawn_payment
    where rental_id in (select rental_id from public.rental)
    returning *
)

insert into public.payment
select * from back;

-- Taken away: the third rental of the day before until tomorrow, the seventh for good.
with gone as (
    delete from public.payment
    using demo.clock
    where payment.rental_id in (first_rental_id + 2, first_rental_id + 6)
    returning payment.*, payment.rental_id = first_rental_id + 2 as returns
)

insert into demo.withdrawn_payment
select payment_id, customer_id, staff_id, rental_id, amount, payment_date
from gone
where returns;

with gone as (
    delete from public.rental
    using demo.clock
    where rental.rental_id in (first_rental_id + 2, first_rental_id + 6)
    returning rental.*, rental.rental_id = first_rental_id + 2 as returns, tick
)

insert into demo.withdrawn_rental
select
    rental_id,
    rental_date,
    inventory_id,
    customer_id,
    return_date,
    staff_id,
    last_update,
    tick + 1
from gone
where returns;

-- The last customer never rented, whether from the beginning or from the last tick.
delete from public.customer
where customer_id = (select max(customer_id) from public.customer);

-- A number is used once: the sequences remember what was deleted.
select
    demo.make_addresses(last_address + 1, last_address + 3, 1, written_at),
    demo.make_customers(
        last_customer + 1,
        last_customer + 3,
        last_address + 1,
        (day_start at time zone 'UTC')::date,
        1,
        written_at
    )
from demo.clock
cross join (
    select
        customers.last_value::integer as last_customer,
        addresses.last_value::integer as last_address
    from public.customer_customer_id_seq as customers
    cross join public.address_address_id_seq as addresses
) as sequences;

update public.customer
set
    email = case
        when customer.customer_id % 3 = 0
            then 'moved.' || customer.customer_id || '.' || clock.tick || '@example.net'
        else customer.email
    end,
    store_id = case
        when customer.customer_id % 3 = 1 then (customer.store_id + 1) % clock.stores
        else customer.store_id
    end,
    activebool = case
        when customer.customer_id % 3 = 2 then not customer.activebool
        else customer.activebool
    end,
    active = case
        when customer.customer_id % 3 = 2 then (not customer.activebool)::integer
        else customer.active
    end,
    last_update = clock.written_at
from demo.clock
cross join lateral generate_series(1, greatest(3, clock.customers / 500)) as series (i)
-- The seeded defects stay as they are: only customers from 61 on change.
where customer.customer_id
    = 61 + ((clock.tick * 1009 + series.i * 13)::bigint % (clock.customers - 61));

update public.film
set
    rental_rate = case when film.rental_rate >= 4.99 then 0.99 else film.rental_rate + 1 end,
    last_update = clock.written_at
from demo.clock
cross join lateral generate_series(1, greatest(2, clock.films / 500)) as series (i)
where film.film_id = 7 + ((clock.tick * 101 + series.i * 17)::bigint % (clock.films - 7));

-- Returned today. The paid late fees follow below.
update public.rental
set
    return_date = rental.rental_date + demo.return_after(rental.rental_id),
    last_update = clock.written_at
from demo.clock
where rental.return_date is null
    and rental.rental_date > clock.day_start - interval '10 days'
    and rental.rental_date < clock.day_start
    and rental.rental_date + demo.return_after(rental.rental_id) < clock.story_at;

-- A correction: the first rental of three weeks ago came back ten minutes earlier.
update public.rental
set
    return_date = rental.return_date - interval '10 minutes',
    last_update = clock.written_at
from demo.clock
where rental.rental_id = (
    select min(old.rental_id)
    from public.rental as old
    where old.rental_date >= clock.day_start - interval '21 days'
        and old.rental_date < clock.day_start - interval '20 days'
        and old.return_date > old.rental_date + interval '10 minutes'
);

-- Today's rentals; the first is the new customer's.
with today as (
    update demo.clock
    set first_rental_id = (select last_value::integer + 1 from public.rental_rental_id_seq)
    returning *
)

insert into public.rental (rental_id, rental_date, inventory_id, customer_id, staff_id, last_update)
select
    rental.rental_id,
    rental.rental_date,
    rental.inventory_id,
    case
        when rental.rental_id = today.first_rental_id
            then (select max(customer_id) - 2 from public.customer)
        else rental.customer_id
    end,
    rental.staff_id,
    today.written_at
from today
cross join lateral demo.rentals_between(
    today.day_start,
    today.story_at,
    today.first_rental_id,
    demo.rentals_on(date_trunc('day', today.day_start, 'UTC'), today.scale)
) as rental
order by rental.rental_id;

-- Late: rented and returned long ago, told only now.
insert into public.rental (
    rental_id, rental_date, inventory_id, customer_id, return_date, staff_id, last_update
)
select
    late.rental_id,
    late.rental_date - interval '12 days',
    late.inventory_id,
    late.customer_id,
    late.rental_date - interval '10 days',
    late.staff_id,
    clock.written_at
from demo.clock
cross join lateral demo.rentals_between(
    clock.day_start, clock.story_at, (select max(rental_id) + 1 from public.rental), 2
) as late
order by late.rental_id;

insert into public.payment (customer_id, staff_id, rental_id, amount, payment_date)
select customer_id, staff_id, rental_id, amount, payment_date
from demo.clock
cross join lateral demo.payments_for(day_start, story_at) as payment
order by payment_date, rental_id;

call demo.move_sequences();

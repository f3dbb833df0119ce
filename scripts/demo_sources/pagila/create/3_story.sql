-- How `pagila` does business: what a day brings, for the history and for each tick alike.

-- How far the story has come: one row, that each tick moves on by a day.
create table demo.clock (
    scale numeric not null,
    tick integer not null,
    day_start timestamptz not null,   -- the last day simulated: from here …
    story_at timestamptz not null,    -- … to here
    written_at timestamptz not null,  -- the last_update of what the last tick wrote
    first_rental_id integer not null, -- of the last day
    stores integer not null,
    films integer not null,
    items integer not null,
    customers integer not null
);

-- When a rental comes back; null: never.
create function demo.return_after(rental_id integer) returns interval
language sql immutable parallel safe
return case
    when rental_id % 211 <> 0
        then interval '1 second'
            * floor(86400 * (0.5 + 8 * power(demo.uniform(rental_id, 21), 1.3)))
end;

-- Rentals of an ordinary day: more on weekends, and a business that grows.
create function demo.rentals_on(day timestamptz, scale numeric) returns integer
language sql immutable parallel safe
return greatest(
    4,
    round(
        156 * scale
        * (array[1.3, 0.7, 0.75, 0.8, 0.9, 1.35, 1.5])[
            1 + extract(dow from day at time zone 'UTC')::integer
        ]
        * (0.9 + 0.2 * demo.uniform(extract(epoch from day)::bigint / 86400, 22))
    )
)::integer;

-- One partition a month. Every tick makes sure that its own month has one.
create function demo.make_partition(day timestamptz) returns void
language plpgsql as $$
declare
    month_start timestamp := date_trunc('month', day at time zone 'UTC');
begin
    if to_regclass(format('public.payment_p%s', to_char(month_start, 'YYYY_MM'))) is null then
        execute format(
            'create table public.payment_p%s partition of public.payment '
            'for values from (%L) to (%L)',
            to_char(month_start, 'YYYY_MM'),
            month_start at time zone 'UTC',
            (month_start + interval '1 month') at time zone 'UTC'
        );
    end if;
end
$$;

-- The rentals that start between two moments, numbered from first_id. An item comes round again
-- after about 30 days, so no item is out twice at a time. The last customer never rents.
create function demo.rentals_between(
    from_at timestamptz, to_at timestamptz, first_id integer, rentals integer
)
returns table (
    rental_id integer,
    rental_date timestamptz,
    inventory_id integer,
    customer_id integer,
    staff_id integer
)
language sql stable
begin atomic
    select
        drawn.rental_id,
        drawn.rental_date,
        drawn.inventory_id,
        drawn.customer_id,
        inventory.store_id + drawn.stores * demo.below(2, drawn.rental_id, 31)
    from (
        select
            first_id + i as rental_id,
            -- From 9 to 22 o'clock, when the day is a whole one.
            from_at
            + (to_at - from_at) * (0.375 + 0.54 * (i + demo.uniform(first_id + i, 32)) / rentals)
                as rental_date,
            1 + ((first_id + i) * 7919::bigint % clock.items)::integer as inventory_id,
            1 + floor((clock.customers - 1) * power(demo.uniform(first_id + i, 33), 1.5))::integer
                as customer_id,
            clock.stores
        from generate_series(0, rentals - 1) as series (i)
        cross join demo.clock
    ) as drawn
    inner join public.inventory on inventory.inventory_id = drawn.inventory_id;
end;

-- What is paid for a rental: its price at once and, when it came back late, one for each day begun.
create function demo.payments_for(from_at timestamptz, to_at timestamptz)
returns table (
    customer_id integer,
    staff_id integer,
    rental_id integer,
    amount numeric,
    payment_date timestamptz
)
language sql stable
begin atomic
    select rental.customer_id, rental.staff_id, rental.rental_id, charge.amount, charge.payment_date
    from public.rental
    inner join public.inventory on inventory.inventory_id = rental.inventory_id
    inner join public.film on film.film_id = inventory.film_id
    cross join lateral (
        values
            (
                case when rental.rental_id between 11 and 15 then 0 else film.rental_rate end,
                rental.rental_date
            ),
            (
                ceil(
                    extract(epoch from rental.return_date - rental.rental_date) / 86400
                    - film.rental_duration
                ),
                rental.return_date
            )
    ) as charge (amount, payment_date)
    where rental.rental_date > from_at - interval '10 days'
        and rental.rental_id % 89 <> 0
        and charge.payment_date >= from_at
        and charge.payment_date < to_at
        and (charge.payment_date = rental.rental_date or charge.amount > 0);
end;

-- Addresses of the stores come first, then those of the staff, then those of the customers.
create function demo.make_addresses(
    first_id integer, last_id integer, spread_days integer, written_at timestamptz
)
returns void
language sql
begin atomic
    insert into public.address (
        address_id, address, address2, district, city_id, postal_code, phone, last_update
    )
    select
        i,
        1 + demo.below(400, i, 51) || ' ' || demo.pick(
            array[
                'Orchard Road', 'Mill Lane', 'Harbour Street', 'Station Square', 'Rue du Pont',
                'Gartenweg', 'Calle Mayor', 'Canal Side', 'Old Market', 'Łąkowa'
            ],
            i, 52
        ),
        case
            when i % 7 = 0 then null
            when i % 11 = 0 then ''
            else 'Flat ' || 1 + demo.below(60, i, 53)
        end,
        demo.pick(array['North', 'South', 'East', 'West', 'Centre', 'Île'], i, 54),
        1 + demo.below(240, i, 55),
        case when i % 13 <> 0 then lpad(demo.below(100000, i, 56)::text, 5, '0') end,
        case
            when i % 17 = 0 then ''
            else '+00' || lpad(demo.below(1000000000, i, 57)::text, 9, '0')
        end,
        written_at - interval '1 day' * demo.below(spread_days, i, 58)
    from generate_series(first_id, last_id) as series (i);
end;

create function demo.make_customers(
    first_id integer,
    last_id integer,
    first_address_id integer,
    created date,
    spread_days integer,
    written_at timestamptz
)
returns void
language sql
begin atomic
    insert into public.customer (
        customer_id,
        store_id,
        first_name,
        last_name,
        email,
        address_id,
        activebool,
        create_date,
        last_update,
        active
    )
    select
        i,
        demo.below(stores, i, 61),
        upper(first_name),
        upper(last_name),
        upper(regexp_replace(first_name || '.' || last_name, '[^A-Za-z.]', '', 'g')) || '.' || i
        || '@example.org',
        first_address_id + i - first_id,
        i % 29 <> 0,
        created - demo.below(spread_days, i, 62),
        written_at - interval '1 day' * demo.below(spread_days, i, 62),
        (i % 29 <> 0)::integer
    from (
        select i, stores, demo.first_name(i) as first_name, demo.last_name(i) as last_name
        from generate_series(first_id, last_id) as series (i)
        cross join demo.clock
    ) as people;
end;

-- Rentals that a tick took away and a later tick brings back, with what was paid for them.
create table demo.withdrawn_rental (like public.rental, returns_at integer);
create table demo.withdrawn_payment (like public.payment);

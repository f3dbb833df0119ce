-- The demo source `pagila`: a chain of film rental shops, in the schema of the sample database of
-- that name.
--
-- Everything here is invented and depends on two settings only: `demo.scale` and `demo.as_of`. The
-- same settings give the same rows. History is 180 days long and ends 7 days before `demo.as_of`,
-- so that seven ticks in a row are seven whole days; `demo.clock` knows how far the story has come.
--
-- Scale 1 is about 83 000 rows; the numbers of rentals, customers and films grow with it.
--
-- Defects, on purpose, the same at every scale:
--   rental      3  returned before they were rented                   (rental_id 101, 202, 303)
--               1 in 211 never returned; 1 in 89 never paid
--               1 in 997 corrected long after the event               (last_update 20 days late)
--   payment     5  of zero                                            (of rental_id 11 to 15)
--   customer    4  registered twice: the e-mail of 11 to 14, capitals (customer_id 21 to 24)
--               8  names that break careless code                     (customer_id 31 to 38)
--               2  e-mail null, 2 empty, 2 with blanks around         (customer_id 41 to 46)
--               3  activebool and active disagree, 2 active is null   (customer_id 51 to 55)
--   address     1 in 7 address2 null, 1 in 11 empty; 1 in 13 postal_code null; 1 in 17 phone empty
--   film        1 each: description, length, rating, special_features null; special_features
--                  empty; a title with trailing blanks                (film_id 1 to 6)

insert into demo.clock
select
    scale,
    0,
    story_at - interval '1 day',
    story_at,
    story_at,
    0,
    greatest(4, least(200, round(6 * sqrt(scale)))),
    greatest(60, round(1000 * scale)),
    greatest(250, round(5000 * scale)),
    greatest(100, round(1000 * scale))
from (
    select
        current_setting('demo.scale')::numeric as scale,
        date_trunc('day', demo.now_at(), 'UTC') - interval '7 days' as story_at
) as settings;

insert into public.category (name, last_update)
select name, story_at - interval '400 days'
from demo.clock
cross join unnest(array[
    'Adventure', 'Animation', 'Comedy', 'Coming of Age', 'Crime', 'Documentary', 'Drama',
    'Family', 'Fantasy', 'Heist', 'History', 'Music', 'Mystery', 'Romance', 'Science Fiction',
    'Western'
]) as names (name);

insert into public.language (name, last_update)
select name, story_at - interval '400 days'
from demo.clock
cross join unnest(array[
    'English', 'Français', 'Deutsch', 'Español', '日本語', 'العربية'
]) as names (name);

insert into public.country (country, last_update)
select name, story_at - interval '400 days'
from demo.clock
cross join unnest(array[
    'Argentina', 'Austria', 'Brasil', 'Canada', 'Chile', 'Côte d''Ivoire', 'Denmark', 'España',
    'Finland', 'France', 'Ghana', 'Greece', 'Iceland', 'India', 'Ireland', 'Italia', 'Kenya',
    'México', 'Norway', 'Österreich', 'Peru', 'Poland', 'Portugal', 'Sénégal', 'Sweden',
    'Türkiye', 'Uruguay', 'Việt Nam', 'مصر', '日本'
]) as names (name);

insert into public.city (city, country_id, last_update)
select
    starts[1 + i % 20] || ends[1 + (i / 20) % 12],
    1 + demo.below(30, i, 41),
    story_at - interval '400 days'
from demo.clock
cross join generate_series(0, 239) as series (i)
cross join (
    select
        array[
            'Ald', 'Bren', 'Cald', 'Dorn', 'Elm', 'Fal', 'Gren', 'Hal', 'Ister', 'Kron', 'Lind',
            'Mor', 'Nor', 'Oster', 'Pell', 'Rav', 'Sel', 'Thal', 'Ulm', 'Wyn'
        ] as starts,
        array[
            'aby', 'berg', 'brück', 'dale', 'ford', 'havn', 'holm', 'mar', 'moor', 'stad',
            'ville', 'wick'
        ] as ends
) as syllables;

select demo.make_addresses(1, stores * 3 + customers, 700, story_at - interval '181 days')
from demo.clock;

insert into public.store (store_id, manager_staff_id, address_id, last_update)
select i, i, i + 1, story_at - interval '200 days'
from demo.clock
cross join generate_series(0, stores - 1) as series (i);

insert into public.staff (
    staff_id,
    first_name,
    last_name,
    address_id,
    email,
    store_id,
    active,
    username,
    password,
    last_update,
    picture
)
select
    i,
    first_name,
    last_name,
    stores + i + 1,
    lower(regexp_replace(first_name || '.' || last_name, '[^A-Za-z.]', '', 'g')) || '@example.org',
    i % stores,
    i % 9 <> 8,
    'staff' || i,
    encode(sha256(convert_to('demo ' || i, 'UTF8')), 'hex'),
    story_at - interval '200 days',
    case when i % 3 = 0 then '\x89504e470d0a1a0a00ff'::bytea || decode(md5(i::text), 'hex') end
from (
    select
        i,
        stores,
        story_at,
        demo.first_name(i + 5000) as first_name,
        demo.last_name(i + 5000) as last_name
    from demo.clock
    cross join generate_series(0, stores * 2 - 1) as series (i)
) as people;

select
    demo.make_customers(
        1,
        customers,
        stores * 3 + 1,
        ((story_at - interval '181 days') at time zone 'UTC')::date,
        700,
        story_at - interval '181 days'
    )
from demo.clock;

update public.customer
set email = upper(original.email)
from public.customer as original
where customer.customer_id between 21 and 24 and original.customer_id = customer.customer_id - 10;

update public.customer
set first_name = odd.first_name, last_name = odd.last_name
from (
    values
        (31, '🎬 Mona', 'Reel 👩‍👩‍👧'), -- outside the basic plane, joined
        (32, E'Zoe\u0308', E'N\u0303un\u0303ez'), -- combining characters, not composed
        (33, 'יעל', 'כהן'), -- right to left
        (34, '美咲', '佐藤'),
        (35, 'PADDED  ', 'TRAILING '),
        (36, E'NO\u00A0BREAK', E'ZERO\u200BWIDTH'),
        (37, 'SEÁN', 'O’NEILL; -- "quoted"'),
        (38, E'TAB\tBED', E'TWO\nLINES')
) as odd (customer_id, first_name, last_name)
where customer.customer_id = odd.customer_id;

update public.customer
set email = case
    when customer_id in (41, 42) then null
    when customer_id in (43, 44) then ''
    else '  ' || initcap(email) || ' '
end
where customer_id between 41 and 46;

update public.customer
set
    activebool = customer_id <= 53,
    active = case when customer_id <= 53 then 0 end
where customer_id between 51 and 55;

insert into public.actor (actor_id, first_name, last_name, last_update)
select
    i,
    upper(demo.first_name(i + 90000)),
    upper(demo.last_name(i + 90000)),
    story_at - interval '1 day' * (300 + demo.below(300, i, 65))
from demo.clock
cross join generate_series(1, films / 5) as series (i);

insert into public.film (
    film_id, title, description, release_year, language_id, original_language_id,
    rental_duration, rental_rate, length, replacement_cost, rating, last_update, special_features,
    fulltext
)
select
    film.*,
    to_tsvector('pg_catalog.english', film.title || ' ' || coalesce(film.description, ''))
from (
    select
        i,
        upper(demo.film_title(i)) || case when i = 6 then '  ' else '' end as title,
        case when i <> 1 then demo.film_description(i) end as description,
        extract(year from story_at)::integer - demo.below(30, i, 71),
        1 + demo.below(6, i, 72),
        case when i % 12 = 0 then 1 + demo.below(6, i, 73) end,
        3 + demo.below(5, i, 74),
        (array[0.99, 1.99, 2.99, 3.99, 4.99])[1 + demo.below(5, i, 75)],
        case when i <> 2 then 60 + demo.below(120, i, 76) end,
        9.99 + demo.below(20, i, 77),
        case when i <> 3 then (enum_range(null::public.mpaa_rating))[1 + demo.below(5, i, 78)] end,
        story_at - interval '1 day' * (250 + demo.below(300, i, 66)),
        case
            when i = 4 then null
            when i = 5 then '{}'
            else (array['Trailers', 'Commentaries', 'Deleted Scenes', 'Behind the Scenes'])
                [1 + demo.below(4, i, 79):4]
        end
    from demo.clock
    cross join generate_series(1, films) as series (i)
) as film (
    film_id, title, description, release_year, language_id, original_language_id,
    rental_duration, rental_rate, length, replacement_cost, rating, last_update, special_features
);

insert into public.film_actor (actor_id, film_id, last_update)
select distinct
    1 + demo.below(films / 5, film_id * 8::bigint + part, 81) as actor_id,
    film_id,
    story_at - interval '1 day' * (200 + demo.below(300, film_id, 67)) as last_update
from demo.clock
cross join generate_series(1, films) as series (film_id)
cross join generate_series(1, 5) as parts (part)
-- Rows left in the order of their hashes make a later `group by` of the key crawl.
order by actor_id, film_id;

insert into public.film_category (film_id, category_id, last_update)
select
    film_id,
    1 + demo.below(16, film_id, 82),
    story_at - interval '1 day' * (200 + demo.below(300, film_id, 67))
from demo.clock
cross join generate_series(1, films) as series (film_id);

-- Some films have many copies and some have none.
insert into public.inventory (inventory_id, film_id, store_id, last_update)
select
    i,
    1 + floor(films * power(demo.uniform(i, 91), 1.4)),
    demo.below(stores, i, 92),
    story_at - interval '1 day' * (185 + demo.below(300, i, 93))
from demo.clock
cross join generate_series(1, items) as series (i);

analyze public.inventory, public.film;

insert into public.rental (
    rental_id, rental_date, inventory_id, customer_id, return_date, staff_id, last_update
)
select
    rental.rental_id,
    rental.rental_date,
    rental.inventory_id,
    rental.customer_id,
    due.return_date,
    rental.staff_id,
    least(
        coalesce(due.return_date, rental.rental_date)
        + case when rental.rental_id % 997 = 0 then interval '20 days' else interval '0' end,
        days.story_at
    )
from (
    select
        day,
        story_at,
        rentals,
        (1 + sum(rentals) over (order by day) - rentals)::integer as first_id
    from (
        select day, story_at, demo.rentals_on(day, scale) as rentals
        from demo.clock
        cross join lateral generate_series(
            story_at - interval '180 days', story_at - interval '1 day', interval '1 day'
        ) as series (day)
    ) as counted
) as days
cross join lateral demo.rentals_between(
    days.day, days.day + interval '1 day', days.first_id, days.rentals
) as rental
cross join lateral (
    select
        case
            when rental.rental_id in (101, 202, 303) then rental.rental_date - interval '2 hours'
            when rental.rental_date + demo.return_after(rental.rental_id) < days.story_at
                then rental.rental_date + demo.return_after(rental.rental_id)
        end as return_date
) as due
order by rental.rental_id;

update demo.clock
set first_rental_id = (select min(rental_id) from public.rental where rental_date >= day_start);

select demo.make_partition(day)
from demo.clock
cross join lateral generate_series(
    story_at - interval '181 days', story_at + interval '1 month', interval '15 days'
) as series (day);

insert into public.payment (payment_id, customer_id, staff_id, rental_id, amount, payment_date)
select
    row_number() over (order by payment_date, rental_id),
    customer_id,
    staff_id,
    rental_id,
    amount,
    payment_date
from demo.clock
cross join lateral demo.payments_for(story_at - interval '181 days', story_at) as payment
order by payment_date, rental_id;

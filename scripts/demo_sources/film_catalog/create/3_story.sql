-- What a day brings to `film_catalog`, at its beginning and with each tick alike.

-- How far the story has come: one row, that each tick moves on by a day.
create table demo.clock (
    scale numeric not null,
    tick integer not null,
    story_at timestamptz not null,
    films integer not null,
    actors integer not null,
    users integer not null
);

create function demo.make_users(first_id integer, last_id integer) returns void
language sql
begin atomic
    insert into public.users (id, first_name, last_name, email, date_of_birth)
    select
        i,
        first_name,
        last_name,
        lower(regexp_replace(first_name || '.' || last_name, '[^A-Za-z.]', '', 'g')) || '.' || i
        || '@example.com',
        date '1950-01-01' + demo.below(365 * 55, i, 11)
    from (
        select
            i,
            demo.pick(demo.first_names(), i, 1) as first_name,
            demo.pick(demo.last_names(), i, 2) as last_name
        from generate_series(first_id, last_id) as series (i)
    ) as people;
    select setval('public.users_id_seq', last_id);
end;

create function demo.make_films(first_id integer, last_id integer) returns void
language sql
begin atomic
    insert into public.films (film_id, title, release_date, price, rating, user_rating)
    select
        i,
        'The ' || demo.film_title(i),
        (story_at at time zone 'UTC')::date - 1 - demo.below(365 * 40, i, 21),
        4.99 + demo.below(12, i, 22),
        demo.pick(array['G', 'PG', 'PG-13', 'R'], i, 23),
        -- Most films are liked: 1.0 to 5.0, with the middle at 4.
        5 - round((4 * power(demo.uniform(i, 24), 2))::numeric, 1)
    from generate_series(first_id, last_id) as series (i)
    cross join demo.clock;
    select setval('public.films_film_id_seq', last_id);

    insert into public.film_actors (film_id, actor_id)
    select distinct i as film_id, 1 + demo.below(actors, i * 8::bigint + part, 31) as actor_id
    from generate_series(first_id, last_id) as series (i)
    cross join generate_series(1, 3) as parts (part)
    cross join demo.clock
    where i % 50 <> 0
    -- Rows left in the order of their hashes make a later `group by` of the pair crawl.
    order by film_id, actor_id;

    insert into public.film_category (film_id, category_name)
    select distinct i as film_id, demo.category_name(i * 4::bigint + part) as category_name
    from generate_series(first_id, last_id) as series (i)
    cross join lateral generate_series(1, 1 + i % 2) as parts (part)
    where i % 60 <> 0
    order by film_id, category_name;
end;

-- Links that a tick took away and a later tick brings back.
create table demo.withdrawn_film_actors (like public.film_actors, returns_at integer);

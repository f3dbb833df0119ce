-- The demo source `film_catalog`: films, their actors and categories, the users of the catalogue.
--
-- Everything here is invented and depends on two settings only: `demo.scale` and `demo.as_of`. The
-- same settings give the same rows. No table says when a row changed, as in many applications.
--
-- Scale 1 is about 26 000 rows.
--
-- Defects, on purpose, the same at every scale:
--   films          3 prices null, 4 user_rating null,
--                  3 release_date null                         (film_id 1 to 3, 4 to 7, 8 to 10)
--                  rating: 2 null, 2 empty, 2 in lower case, 1 with blanks   (film_id 11 to 17)
--                  3 entered twice: the title and date of 21 to 23           (film_id 31 to 33)
--                  2 announced: release_date in the future                   (film_id 41, 42)
--                  4 titles that break careless code                         (film_id 51 to 54)
--                  1 in 50 has no actor, 1 in 60 no category
--   film_actors    5 orphans: 3 of films, 2 of actors that do not exist      (from 900000001)
--   actors         4 entered twice: the names of 1 to 4                      (actor_id 11 to 14)
--   film_category  3 said twice, 1 without a film, 2 names untidy      (the last 6 category_id)
--   users          2 e-mails null, 2 empty, 3 in mixed case with blanks      (id 11 to 17)
--                  2 born on 1900-01-01, 1 date_of_birth null                (id 21 to 23)
--                  4 names that break careless code                          (id 31 to 34)

insert into demo.clock
select
    scale,
    0,
    date_trunc('day', demo.now_at(), 'UTC') - interval '7 days',
    greatest(120, round(4000 * scale)),
    greatest(60, round(2500 * scale)),
    greatest(60, round(1500 * scale))
from (select current_setting('demo.scale')::numeric as scale) as settings;

-- 50 × 50 names, each different; after that come those with a middle name.
insert into public.actors (actor_id, actor_name)
select
    i,
    (demo.first_names())[1 + i % 50]
    || case when i >= 2500 then ' ' || (demo.last_names())[1 + i / 2500 % 50] else '' end
    || case when i >= 125000 then '-' || (demo.last_names())[1 + i / 125000 % 50] else '' end
    || ' '
    || (demo.last_names())[1 + (i / 50 + i) % 50]
from demo.clock
cross join generate_series(1, actors) as series (i);

select setval('public.actors_actor_id_seq', actors) from demo.clock;

update public.actors
set actor_name = original.actor_name
from public.actors as original
where actors.actor_id between 11 and 14 and original.actor_id = actors.actor_id - 10;

select demo.make_users(1, users), demo.make_films(1, films) from demo.clock;

update public.films
set
    price = case when film_id between 1 and 3 then null else price end,
    user_rating = case when film_id between 4 and 7 then null else user_rating end,
    release_date = case
        when film_id between 8 and 10 then null
        when film_id between 41 and 42 then (demo.now_at() at time zone 'UTC')::date + 200 + film_id
        else release_date
    end,
    rating = case
        when film_id between 11 and 12 then null
        when film_id between 13 and 14 then ''
        when film_id between 15 and 16 then 'pg-13'
        when film_id = 17 then ' R '
        else rating
    end,
    title = case film_id
        when 51 then '  The Padded Title '
        when 52 then 'Amélie’s Cafe' || U&'\0301' || ' 🎬'
        when 53 then 'ليلة طويلة'
        when 54 then '東京の灯台'
        else title
    end
where film_id <= 54;

update public.films
set title = original.title, release_date = original.release_date
from public.films as original
where films.film_id between 31 and 33 and original.film_id = films.film_id - 10;

insert into public.film_actors (film_id, actor_id)
values
    (900000001, 1), (900000002, 2), (900000003, 3),
    (1, 900000001), (2, 900000002);

insert into public.film_category (film_id, category_name)
select film_id, category_name
from public.film_category
where category_id in (1, 2, 3)
order by category_id;

insert into public.film_category (film_id, category_name)
values (null, 'Drama'), (2, 'sci-fi '), (4, 'SCI-FI');

update public.users
set
    email = case
        when id between 11 and 12 then null
        when id between 13 and 14 then ''
        when id between 15 and 17 then ' ' || initcap(email) || '  '
        else email
    end,
    date_of_birth = case
        when id between 21 and 22 then date '1900-01-01'
        when id <> 23 then date_of_birth
    end,
    first_name = case id
        when 31 then '🎞️ Fan'
        when 32 then 'דנה'
        when 33 then E'Rene\u0301'
        else first_name
    end,
    last_name = case id
        when 31 then ''
        when 32 then 'לוי'
        when 34 then E'O''Neil\t"Jr"'
        else last_name
    end
where id <= 34;

-- Foreign keys added to data that did not keep them: what was there before is not checked.
alter table public.film_category add foreign key (film_id) references public.films;
alter table public.film_actors add foreign key (film_id) references public.films not valid;
alter table public.film_actors add foreign key (actor_id) references public.actors not valid;

analyze;

-- The next day at the demo source `film_catalog`. Its cost grows with a day's changes, not with
-- the tables.
--
-- What happens on each day:
--   0.2 % of the films (at least 3) change their price, as many others their user_rating
--   2 films appear, with actors and categories; 3 users register
--   2 users change their e-mail, 1 user is deleted
--   4 links of actors to films are deleted; 2 of them come back on the next day

update demo.clock
set
    tick = tick + 1,
    story_at = demo.day_after(story_at);

-- Films from 61 on change, so that the seeded defects stay as they are.
update public.films
set price = 4.99 + (films.price::integer + clock.tick) % 12
from demo.clock
cross join lateral generate_series(1, greatest(3, clock.films / 500)) as series (i)
where films.film_id = 61 + ((clock.tick * 211 + series.i * 19)::bigint % (clock.films - 60));

update public.films
set user_rating = films.user_rating + case when films.user_rating > 4.9 then -0.1 else 0.1 end
from demo.clock
cross join lateral generate_series(1, greatest(3, clock.films / 500)) as series (i)
where films.film_id = 61 + ((clock.tick * 307 + series.i * 23)::bigint % (clock.films - 60));

with back as (
    delete from demo.withdrawn_film_actors
    where returns_at <= (select tick from demo.clock)
    returning *
)

insert into public.film_actors (film_id, actor_id)
select film_id, actor_id from back;

with gone as (
    delete from public.film_actors
    using (
        select
            links.film_id,
            links.actor_id,
            clock.tick,
            row_number() over (order by links.film_id, links.actor_id) as n
        from demo.clock
        cross join lateral generate_series(0, 5) as series (i)
        inner join public.film_actors as links
            on links.film_id = 61 + ((clock.tick * 6 + series.i)::bigint % (clock.films - 60))
    ) as chosen
    where chosen.n <= 4
        and film_actors.film_id = chosen.film_id
        and film_actors.actor_id = chosen.actor_id
    returning film_actors.*, chosen.n, chosen.tick
)

insert into demo.withdrawn_film_actors
select film_id, actor_id, tick + 1
from gone
where n <= 2;

select
    demo.make_films(last_film + 1, last_film + 2),
    demo.make_users(last_user + 1, last_user + 3)
from (
    select films.last_value::integer as last_film, users.last_value::integer as last_user
    from public.films_film_id_seq as films
    cross join public.users_id_seq as users
) as sequences;

update public.users
set email = 'moved.' || clock.tick || '.' || users.id || '@example.net'
from demo.clock
cross join lateral generate_series(1, 2) as series (i)
where users.id = 41 + ((clock.tick * 2 + series.i)::bigint % 10);

-- The last one who registered before today.
delete from public.users
where id = (select last_value - 3 from public.users_id_seq);

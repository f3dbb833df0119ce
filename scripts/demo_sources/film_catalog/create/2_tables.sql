-- The tables of `film_catalog`. Foreign keys come last.

create table public.users (
    id serial primary key,
    first_name varchar(50),
    last_name varchar(50),
    email varchar(100),
    date_of_birth date
);

create table public.films (
    film_id serial primary key,
    title varchar(255) not null,
    release_date date,
    price decimal(5, 2),
    rating varchar(10),
    user_rating decimal(2, 1) check (user_rating between 1 and 5)
);

create table public.film_category (
    category_id serial primary key,
    film_id integer,
    category_name varchar(50) not null
);

create table public.actors (
    actor_id serial primary key,
    actor_name varchar(255) not null
);

create table public.film_actors (
    film_id integer,
    actor_id integer,
    primary key (film_id, actor_id)
);

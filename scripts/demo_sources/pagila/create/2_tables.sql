-- The tables of `pagila`, with the columns and types of the sample database. Keys come last.

create type public.mpaa_rating as enum ('G', 'PG', 'PG-13', 'R', 'NC-17');
create domain public.year as integer check (value between 1901 and 2155);

create table public.actor (
    actor_id serial primary key,
    first_name text not null,
    last_name text not null,
    last_update timestamptz not null default now()
);

create table public.category (
    category_id serial primary key,
    name text not null,
    last_update timestamptz not null default now()
);

create table public.country (
    country_id serial primary key,
    country text not null,
    last_update timestamptz not null default now()
);

create table public.city (
    city_id serial primary key,
    city text not null,
    country_id integer not null,
    last_update timestamptz not null default now()
);

create table public.address (
    address_id serial primary key,
    address text not null,
    address2 text,
    district text not null,
    city_id integer not null,
    postal_code text,
    phone text not null,
    last_update timestamptz not null default now()
);

create table public.language (
    language_id serial primary key,
    name character(20) not null,
    last_update timestamptz not null default now()
);

create table public.film (
    film_id serial primary key,
    title text not null,
    description text,
    release_year public.year,
    language_id integer not null,
    original_language_id integer,
    rental_duration smallint not null default 3,
    rental_rate numeric(4, 2) not null default 4.99,
    length smallint,
    replacement_cost numeric(5, 2) not null default 19.99,
    rating public.mpaa_rating default 'G',
    last_update timestamptz not null default now(),
    special_features text[],
    fulltext tsvector not null
);

create table public.film_actor (
    actor_id integer not null,
    film_id integer not null,
    last_update timestamptz not null default now(),
    primary key (actor_id, film_id)
);

create table public.film_category (
    film_id integer not null,
    category_id integer not null,
    last_update timestamptz not null default now(),
    primary key (film_id, category_id)
);

create table public.store (
    store_id serial primary key,
    manager_staff_id integer not null,
    address_id integer not null,
    last_update timestamptz not null default now()
);

create table public.staff (
    staff_id serial primary key,
    first_name text not null,
    last_name text not null,
    address_id integer not null,
    email text,
    store_id integer not null,
    active boolean not null default true,
    username text not null,
    password text,
    last_update timestamptz not null default now(),
    picture bytea
);

create table public.customer (
    customer_id serial primary key,
    store_id integer not null,
    first_name text not null,
    last_name text not null,
    email text,
    address_id integer not null,
    activebool boolean not null default true,
    create_date date not null default current_date,
    last_update timestamptz default now(),
    active integer
);

create table public.inventory (
    inventory_id serial primary key,
    film_id integer not null,
    store_id integer not null,
    last_update timestamptz not null default now()
);

create table public.rental (
    rental_id serial,
    rental_date timestamptz not null,
    inventory_id integer not null,
    customer_id integer not null,
    return_date timestamptz,
    staff_id integer not null,
    last_update timestamptz not null default now()
);

create table public.payment (
    payment_id serial,
    customer_id integer not null,
    staff_id integer not null,
    rental_id integer not null,
    amount numeric(5, 2) not null,
    payment_date timestamptz not null
) partition by range (payment_date);

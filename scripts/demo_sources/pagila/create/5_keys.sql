-- Keys, indexes and triggers after the rows: faster, and the statistics are of finished tables.

alter table public.rental add primary key (rental_id);
create unique index on public.rental (rental_date, inventory_id, customer_id);
create index on public.rental (inventory_id);
create index on public.rental (customer_id);
alter table public.payment add primary key (payment_date, payment_id);
create index on public.payment (customer_id);
create index on public.payment (rental_id);
create unique index on public.store (manager_staff_id);
create index on public.customer (address_id);
create index on public.film_actor (film_id);
create index on public.inventory (store_id, film_id);
create index on public.address (last_update);
create index on public.customer (last_update);
create index on public.film (last_update);
create index on public.film_actor (last_update);
create index on public.film_category (last_update);
create index on public.inventory (last_update);
create index on public.rental (last_update);

alter table public.city add foreign key (country_id) references public.country;
alter table public.address add foreign key (city_id) references public.city;
alter table public.film add foreign key (language_id) references public.language;
alter table public.film add foreign key (original_language_id) references public.language;
alter table public.film_actor add foreign key (actor_id) references public.actor;
alter table public.film_actor add foreign key (film_id) references public.film;
alter table public.film_category add foreign key (film_id) references public.film;
alter table public.film_category add foreign key (category_id) references public.category;
alter table public.store add foreign key (address_id) references public.address;
alter table public.staff add foreign key (address_id) references public.address;
alter table public.staff add foreign key (store_id) references public.store;
alter table public.customer add foreign key (address_id) references public.address;
alter table public.customer add foreign key (store_id) references public.store;
alter table public.inventory add foreign key (film_id) references public.film;
alter table public.inventory add foreign key (store_id) references public.store;
alter table public.rental add foreign key (inventory_id) references public.inventory;
alter table public.rental add foreign key (customer_id) references public.customer;
alter table public.rental add foreign key (staff_id) references public.staff;
alter table public.payment add foreign key (customer_id) references public.customer;
alter table public.payment add foreign key (staff_id) references public.staff;
alter table public.payment add foreign key (rental_id) references public.rental;

call demo.touch_changes(
    'last_update',
    array[
        'actor', 'address', 'category', 'city', 'country', 'customer', 'film', 'film_actor',
        'film_category', 'inventory', 'language', 'rental', 'staff', 'store'
    ]
);

create trigger film_fulltext_trigger before insert or update on public.film
for each row execute function tsvector_update_trigger(
    'fulltext', 'pg_catalog.english', 'title', 'description'
);

-- The serial columns go on where the rows end.
create procedure demo.move_sequences()
language sql
begin atomic
    select setval('public.actor_actor_id_seq', max(actor_id)) from public.actor;
    select setval('public.address_address_id_seq', max(address_id)) from public.address;
    select setval('public.customer_customer_id_seq', max(customer_id)) from public.customer;
    select setval('public.film_film_id_seq', max(film_id)) from public.film;
    select setval('public.inventory_inventory_id_seq', max(inventory_id)) from public.inventory;
    select setval('public.rental_rental_id_seq', max(rental_id)) from public.rental;
    select setval('public.staff_staff_id_seq', max(staff_id)) from public.staff;
    select setval('public.store_store_id_seq', max(store_id)) from public.store;
end;

call demo.move_sequences();
select setval('public.payment_payment_id_seq', max(payment_id)) from public.payment;

analyze;

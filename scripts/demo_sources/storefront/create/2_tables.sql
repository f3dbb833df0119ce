-- The tables of `storefront` as SQL Server has them: the schema is dbo, moments are datetime2 in
-- UTC, without a zone. Indexes come last.

create schema dbo;

create table dbo.customers (
    customer_id serial primary key,
    customer_code varchar(20) not null,
    customer_name varchar(100) not null,
    email varchar(100),
    phone varchar(40),
    created_date varchar(30),
    modified_date varchar(30),
    status varchar(10)
);

create table dbo.transactions (
    transaction_id serial primary key,
    customer_id integer,
    transaction_type varchar(20) not null,
    payment_method varchar(20) not null,
    channel varchar(20),
    amount numeric(12, 2) not null,
    fee numeric(12, 2),
    tax numeric(12, 2),
    status varchar(20) not null,
    transaction_date timestamp(3) not null,
    updated_at timestamp(3) not null
);

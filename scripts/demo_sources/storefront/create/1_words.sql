-- What people are called and how they are written down at `storefront`.

create function demo.customer_name(key bigint) returns text
language sql immutable parallel safe
return demo.pick(
    array[
        'Aino', 'Alice', 'Amara', 'Ben', 'Björn', 'Camille', 'Chen', 'Daniela', 'Dmitri', 'Eleni',
        'Farid', 'Finn', 'Gabriela', 'Grace', 'Hiroshi', 'Ingrid', 'Isla', 'Jorge', 'Karim',
        'Laura', 'Łukasz', 'Mateo', 'Maya', 'Naomi', 'Nikos', 'Olivia', 'Oscar', 'Priya', 'Rafael',
        'Sofía', 'Tariq', 'Theo', 'Valérie', 'Wei', 'Yuki', 'Zuzana'
    ],
    key, 1
)
|| ' '
|| demo.pick(
    array[
        'Andersson', 'Baptiste', 'Carvalho', 'Chaudhry', 'Çelik', 'Dupont', 'Evans', 'Fernández',
        'Forsberg', 'Girard', 'Hassan', 'Hoffmann', 'Iversen', 'Jackson', 'Kamau', 'Kowalczyk',
        'Lefèvre', 'MacLeod', 'Marino', 'McDonald', 'Mendoza', 'Nguyen', 'O''Connor', 'Okonkwo',
        'Pereira', 'Quinn', 'Richter', 'Šimek', 'Smith-Jones', 'Takahashi', 'van Dijk', 'Virtanen',
        'Walsh', 'Yamamoto', 'Zhang', 'Zieliński'
    ],
    key, 2
);

-- One number, as different people type it.
create function demo.phone(key bigint) returns text
language sql immutable parallel safe
return format(
    (array['+1 (%s) %s-%s', '1-%s-%s-%s', '001 %s %s %s', '+1.%s.%s.%s', '%s/%s%s'])[
        1 + demo.below(5, key, 3)
    ],
    200 + demo.below(700, key, 4),
    200 + demo.below(700, key, 5),
    lpad(demo.below(10000, key, 6)::text, 4, '0')
);

-- A moment as text, in one of the ways in which the shop's forms have written it over the years.
create function demo.date_text(moment timestamp, key bigint) returns text
language sql immutable parallel safe
return to_char(
    moment,
    (array['YYYY-MM-DD', 'DD.MM.YYYY', 'MM/DD/YYYY', 'YYYY-MM-DD HH24:MI:SS'])[1 + key % 4]
);

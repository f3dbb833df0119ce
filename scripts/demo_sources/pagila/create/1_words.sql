-- What people and films are called at `pagila`.

create function demo.first_name(key bigint) returns text
language sql immutable parallel safe
return demo.pick(
    array[
        'Ada', 'Agnes', 'Aisha', 'Alba', 'Amir', 'Anton', 'Arne', 'Astrid', 'Basil', 'Bela',
        'Bruno', 'Carla', 'Cyril', 'Dalia', 'Dario', 'Edda', 'Elias', 'Enno', 'Esra', 'Fatou',
        'Felix', 'Frida', 'Goran', 'Greta', 'Hana', 'Hugo', 'Ida', 'Ilse', 'Ines', 'Ivo',
        'Jonas', 'José', 'Kaito', 'Katja', 'Lars', 'Leila', 'Linus', 'Livia', 'Malik', 'Marta',
        'Milo', 'Mina', 'Nadia', 'Nils', 'Noor', 'Olga', 'Otto', 'Pavel', 'Petra', 'Rasmus',
        'Rosa', 'Samir', 'Selma', 'Sven', 'Tilda', 'Uma', 'Viktor', 'Wanda', 'Yara', 'Zoë'
    ],
    key, 1
);

create function demo.last_name(key bigint) returns text
language sql immutable parallel safe
return demo.pick(
    array[
        'Abel', 'Adeyemi', 'Almeida', 'Arslan', 'Bauer', 'Berg', 'Bianchi', 'Blom', 'Brandt',
        'Castro', 'Cerny', 'Costa', 'Dahl', 'Demir', 'Diallo', 'Dubois', 'Egede', 'Eriksen',
        'Falk', 'Ferrari', 'Fischer', 'Frost', 'Garcia', 'Gruber', 'Haas', 'Hansen', 'Holm',
        'Horvat', 'Ishii', 'Ivanov', 'Jensen', 'Kaya', 'Keller', 'Kimura', 'Koch', 'Kovacs',
        'Lange', 'Larsen', 'Leroy', 'Lindt', 'Lopez', 'Maier', 'Marin', 'Moreau', 'Müller',
        'Nagy', 'Novak', 'Nyberg', 'O''Brien', 'Okafor', 'Olsen', 'Petrov', 'Popescu', 'Quist',
        'Reyes', 'Rossi', 'Ruiz', 'Santos', 'Sato', 'Schmid', 'Silva', 'Simic', 'Sousa', 'Stein',
        'Szabo', 'Tanaka', 'Thorne', 'Toth', 'Urban', 'Vega', 'Vogel', 'Weber', 'Winter',
        'Yilmaz', 'Zeman', 'Zimmer'
    ],
    key, 2
);

create function demo.film_description(film_id integer) returns text
language sql immutable parallel safe
return format(
    'When %s meets %s, %s %s.',
    demo.pick(
        array[
            'a retired lighthouse keeper', 'a night-shift baker', 'a forgetful spy',
            'a town clerk', 'an apprentice glazier', 'a ferry captain', 'a travelling dentist',
            'a chess prodigy'
        ],
        film_id, 11
    ),
    demo.pick(
        array[
            'a talking magpie', 'her own double', 'the last tram driver', 'a stubborn beekeeper',
            'an honest forger', 'the mayor''s gardener', 'a runaway cellist',
            'a weather forecaster'
        ],
        film_id, 12
    ),
    demo.pick(
        array[
            'an old debt falls due', 'a map turns out to be true', 'nobody believes the letters',
            'the river stops', 'a wedding is postponed twice', 'the harvest has to wait'
        ],
        film_id, 13
    ),
    demo.pick(
        array[
            'in a flooded city', 'on the longest night of the year',
            'at the edge of the glacier', 'in a hotel without a fourth floor',
            'on an island without roads', 'behind the railway museum'
        ],
        film_id, 14
    )
);

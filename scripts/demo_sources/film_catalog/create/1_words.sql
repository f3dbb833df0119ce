-- What people and categories are called at `film_catalog`.

create function demo.first_names() returns text[]
language sql immutable parallel safe
return array[
    'Alma', 'Anouk', 'Armand', 'Beata', 'Bodil', 'Caspar', 'Chidi', 'Clara', 'Dunja', 'Eben',
    'Elif', 'Emre', 'Esther', 'Fabio', 'Flora', 'Gideon', 'Halina', 'Idris', 'Irene', 'Jakob',
    'Jolanda', 'Kasper', 'Keiko', 'Lena', 'Lorenz', 'Maëlle', 'Magnus', 'Mehmet', 'Mira',
    'Nestor', 'Nkechi', 'Oksana', 'Orla', 'Paolo', 'Quinn', 'Ramona', 'Renzo', 'Ruth', 'Sanna',
    'Silvio', 'Tarek', 'Thea', 'Tomás', 'Ulrike', 'Valentin', 'Vesna', 'Willem', 'Xenia',
    'Yusuf', 'Zora'
];

create function demo.last_names() returns text[]
language sql immutable parallel safe
return array[
    'Aalto', 'Achterberg', 'Bakker', 'Banda', 'Caruso', 'Cohen', 'Conti', 'D''Angelo',
    'de Vries', 'Engel', 'Farkas', 'Fontaine', 'Greco', 'Hadžić', 'Halvorsen', 'Hoxha', 'Ito',
    'Jansen', 'Jovanović', 'Karlsson', 'Khalil', 'Kowalska', 'Laurent', 'Lindqvist', 'Mancini',
    'Mensah', 'Meyer', 'Mwangi', 'Nakamura', 'Nowak', 'Oduya', 'Orlov', 'Papadakis', 'Park',
    'Quiroga', 'Rahimi', 'Ricci', 'Roth', 'Saarinen', 'Schneider', 'Tamm', 'Teixeira', 'Ueda',
    'Vargas', 'Visser', 'Wójcik', 'Yamada', 'Youssef', 'Zhou', 'Zuniga'
];

create function demo.category_name(key bigint) returns text
language sql immutable parallel safe
return demo.pick(
    array[
        'Action', 'Adventure', 'Animation', 'Comedy', 'Crime', 'Documentary', 'Drama', 'Family',
        'Music', 'Mystery', 'Romance', 'Sci-Fi', 'Thriller', 'War'
    ],
    key, 3
);

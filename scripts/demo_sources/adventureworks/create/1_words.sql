-- What people, shops, places and products are called at `adventureworks`.

create function demo.first_name(key bigint) returns text
language sql immutable parallel safe
return demo.pick(
    array[
        'Abigail', 'Adrián', 'Alejandra', 'Amélie', 'Andrew', 'Anke', 'Beatriz', 'Bernd', 'Blake',
        'Bridget', 'Caleb', 'Chloé', 'Clara', 'Damien', 'Deborah', 'Dennis', 'Éloïse', 'Emma',
        'Ewan', 'Fiona', 'François', 'Grace', 'Günther', 'Hannah', 'Harriet', 'Ian', 'Isabelle',
        'Jack', 'Jasmine', 'Jürgen', 'Kaitlyn', 'Karim', 'Kenneth', 'Laura', 'Lucas', 'Mackenzie',
        'Marcel', 'Megan', 'Nathalie', 'Nicholas', 'Olivia', 'Oscar', 'Patrick', 'Priya', 'Rachel',
        'René', 'Rupert', 'Sabine', 'Sean', 'Sofía', 'Thomas', 'Ursula', 'Valérie', 'Walter',
        'Xavier', 'Yasmin', 'Zachary'
    ],
    key, 1
);

create function demo.last_name(key bigint) returns text
language sql immutable parallel safe
return demo.pick(
    array[
        'Adams', 'Alonso', 'Andersen', 'Baker', 'Becker', 'Bell', 'Blanc', 'Bradley', 'Carlson',
        'Chander', 'Clark', 'Coleman', 'Díaz', 'Dupont', 'Edwards', 'Evans', 'Fernandez', 'Foster',
        'Fournier', 'Goldberg', 'Griffin', 'Häußler', 'Hernandez', 'Howard', 'Hughes', 'Jenkins',
        'Kapoor', 'Kelly', 'König', 'Lefèvre', 'Lewis', 'Martín', 'McDonald', 'Mehta', 'Mitchell',
        'Moore', 'Murphy', 'Navarro', 'Nelson', 'O''Connor', 'Parker', 'Perrin', 'Powell', 'Raje',
        'Ramirez', 'Richter', 'Rogers', 'Rousseau', 'Sanders', 'Schäfer', 'Serrano', 'Sharma',
        'Simmons', 'Smith-Jones', 'Suárez', 'Thompson', 'Torres', 'Turner', 'Walker', 'Ward',
        'Washington', 'Watson', 'Weiß', 'Young', 'Zhu'
    ],
    key, 2
);

create function demo.shop_name(key bigint) returns text
language sql immutable parallel safe
return demo.pick(
    array[
        'Alpine', 'Bayside', 'Blue Ridge', 'Capital', 'Cascade', 'Central', 'Coastal', 'Downhill',
        'Eastside', 'Four Corners', 'Grand', 'Harborview', 'Kickstand', 'Lakeshore', 'Metro',
        'Northwind', 'Old Mill', 'Pioneer', 'Riverside', 'Summit', 'Twin Peaks', 'Valley', 'Vélo'
    ],
    key, 3
)
|| ' '
|| demo.pick(
    array[
        'Bicycle Specialists', 'Bike Works', 'Cycle Shop', 'Cycling Supply', 'Outdoor Outfitters',
        'Pedal & Spoke', 'Ride Company', 'Sporting Goods', 'Two-Wheel Traders', 'Wheel House'
    ],
    key, 4
);

-- Where customers live: the state or province by its code.
create table demo.place (
    place_id integer generated always as identity,
    city text not null,
    state_province_code text not null,
    country_region_code text not null,
    postal_code text not null
);

insert into demo.place (city, state_province_code, country_region_code, postal_code)
values
('Seattle', 'WA', 'US', '98104'),
('Bellingham', 'WA', 'US', '98225'),
('Portland', 'OR', 'US', '97205'),
('Boston', 'MA', 'US', '02113'),
('Albany', 'NY', 'US', '12210'),
('Chicago', 'IL', 'US', '60610'),
('Columbus', 'OH', 'US', '43215'),
('Santa Cruz', 'CA', 'US', '95062'),
('San Diego', 'CA', 'US', '92102'),
('Flagstaff', 'AZ', 'US', '86001'),
('Tampa', 'FL', 'US', '33602'),
('Savannah', 'GA', 'US', '31401'),
('Vancouver', 'BC', 'CA', 'V7L 4J4'),
('Kingston', 'ON', 'CA', 'K7L 3N6'),
('Québec', 'QC', 'CA', 'G1R 2S5'),
('Trois-Rivières', 'QC', 'CA', 'G9A 1H5'),
('Saint-Étienne', '42', 'FR', '42000'),
('Besançon', '25', 'FR', '25000'),
('Paris', '75', 'FR', '75010'),
('Köln', 'NW', 'DE', '50667'),
('München', 'BY', 'DE', '80331'),
('Hamburg', 'HH', 'DE', '20095'),
('Geelong', 'VIC', 'AU', '3220'),
('Newcastle', 'NSW', 'AU', '2300'),
('Hobart', 'TAS', 'AU', '7000'),
('Leeds', 'ENG', 'GB', 'LS1 4DY'),
('Bath', 'ENG', 'GB', 'BA1 1SX'),
('Inverness', 'SCT', 'GB', 'IV1 1HT');

-- What is made and sold: the subcategories, and about what one of each costs.
create table demo.assortment (
    subcategory_id integer generated always as identity,
    category_id integer not null,
    subcategory text not null,
    item text not null,
    price numeric not null
);

insert into demo.assortment (category_id, subcategory, item, price)
values
(1, 'Mountain Bikes', 'Mountain Bike', 1600),
(1, 'Road Bikes', 'Road Bike', 1500),
(1, 'Touring Bikes', 'Touring Bike', 1400),
(2, 'Bottom Brackets', 'Bottom Bracket', 90),
(2, 'Brakes', 'Disc Brake', 105),
(2, 'Chains', 'Chain', 20),
(2, 'Cranksets', 'Crankset', 270),
(2, 'Forks', 'Fork', 180),
(2, 'Frames', 'Frame', 650),
(2, 'Handlebars', 'Handlebar', 70),
(2, 'Saddles', 'Saddle', 40),
(2, 'Wheels', 'Wheel', 210),
(3, 'Caps', 'Cycling Cap', 9),
(3, 'Gloves', 'Gloves', 28),
(3, 'Jerseys', 'Jersey', 52),
(3, 'Shorts', 'Shorts', 64),
(3, 'Socks', 'Socks', 9),
(3, 'Vests', 'Vest', 60),
(4, 'Bike Racks', 'Hitch Rack', 120),
(4, 'Bottles and Cages', 'Water Bottle', 6),
(4, 'Helmets', 'Helmet', 35),
(4, 'Lights', 'Headlight', 40),
(4, 'Locks', 'Cable Lock', 25),
(4, 'Pumps', 'Mini Pump', 22);

-- 24 items in 17 series, each different; after that come the editions.
create function demo.product_name(number integer) returns text
language sql stable
begin atomic
    select
        (array[
            'Alder', 'Basalt', 'Cirrus', 'Drift', 'Ember', 'Fjord', 'Granite', 'Heron', 'Ibex',
            'Juniper', 'Kestrel', 'Larch', 'Mesa', 'Nimbus', 'Osprey', 'Pinyon', 'Quartz'
        ])[1 + number / 24 % 17] || ' ' || item
        || case when number >= 24 * 17 then ' ' || (1 + number / (24 * 17)) else '' end
    from demo.assortment
    where subcategory_id = 1 + number % 24;
end;

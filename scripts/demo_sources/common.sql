-- What the demo sources share: their own schema `demo`, days, chance that is none, times of change
-- and film titles.

create schema demo;

-- Today; `demo.as_of` sets another one.
create function demo.now_at() returns timestamptz
language sql stable
return coalesce(nullif(current_setting('demo.as_of', true), '')::timestamptz, now());

-- When the day ends that begins at `story_at`: now at the latest, but a story always moves on.
create function demo.day_after(story_at timestamptz) returns timestamptz
language sql stable
return greatest(least(story_at + interval '1 day', demo.now_at()), story_at + interval '1 second');

-- A number in [0, 1) that depends on its arguments only.
create function demo.uniform(key bigint, seed bigint) returns double precision
language sql immutable parallel safe
return (hashint8extended(key, seed) & 9007199254740991)::double precision / 9007199254740992;

-- A whole number from 0 to bound - 1.
create function demo.below(bound bigint, key bigint, seed bigint) returns integer
language sql immutable parallel safe
return floor(demo.uniform(key, seed) * bound)::integer;

create function demo.pick(words text[], key bigint, seed bigint) returns text
language sql immutable parallel safe
return words[1 + demo.below(cardinality(words), key, seed)];

-- A trigger whose argument is the column that says when a row was changed.
create function demo.touch() returns trigger
language plpgsql as $$
begin
    return jsonb_populate_record(new, jsonb_build_object(tg_argv[0], current_timestamp));
end
$$;

-- Whoever changes a row of these tables by hand gets a new time of change; a tick sets its own.
create procedure demo.touch_changes(changed_at text, tables text[])
language plpgsql as $$
declare
    name text;
begin
    foreach name in array tables
    loop
        execute format(
            'create trigger touch before update on public.%I for each row '
            'when (coalesce(current_setting(''demo.ticking'', true), '''') <> ''on'') '
            'execute function demo.touch(%L)',
            name,
            changed_at
        );
    end loop;
end
$$;

-- 48 × 53 titles, each different; after that come the sequels.
create function demo.film_title(film_id integer) returns text
language sql immutable parallel safe
return (array[
    'Amber', 'Ancient', 'Blue', 'Borrowed', 'Brave', 'Broken', 'Burning', 'Clever', 'Cold',
    'Copper', 'Crooked', 'Distant', 'Drifting', 'Early', 'Electric', 'Empty', 'Endless',
    'Faithful', 'Final', 'Frozen', 'Gentle', 'Golden', 'Hidden', 'Hollow', 'Honest', 'Idle',
    'Iron', 'Last', 'Lonely', 'Lost', 'Lucky', 'Midnight', 'Narrow', 'Northern', 'Paper',
    'Patient', 'Quiet', 'Reluctant', 'Restless', 'Salty', 'Second', 'Secret', 'Silver',
    'Sleeping', 'Stolen', 'Velvet', 'Wandering', 'Winter'
])[1 + film_id % 48]
|| ' '
|| (array[
    'Alibi', 'Anchor', 'Apricot', 'Archive', 'Bakery', 'Balcony', 'Bridge', 'Canal', 'Captain',
    'Cartographer', 'Cello', 'Comet', 'Compass', 'Crossing', 'Detour', 'Echo', 'Elevator',
    'Envelope', 'Ferry', 'Garden', 'Glacier', 'Harbor', 'Harvest', 'Horizon', 'Island', 'Kiosk',
    'Ladder', 'Lantern', 'Letter', 'Lighthouse', 'Locksmith', 'Magpie', 'Market', 'Meadow',
    'Mirror', 'Orchard', 'Parade', 'Pilot', 'Promise', 'Quarry', 'Railway', 'Recipe', 'Shadow',
    'Signal', 'Staircase', 'Summer', 'Tailor', 'Telegram', 'Tide', 'Umbrella', 'Violin',
    'Voyage', 'Witness'
])[1 + (film_id / 48 + film_id) % 53]
|| case when film_id >= 48 * 53 then ' ' || (1 + film_id / (48 * 53)) else '' end;

-- How `miyabi` works: what happens between two moments, for the history and for each tick alike.
--
-- Whatever happens has its number and its moment from the start, so a function that is asked for a
-- day answers the same whenever it is asked.

-- How far the story has come: one row, that each tick moves on by a day.
create table demo.clock (
    scale numeric not null,
    tick integer not null,
    history_start timestamptz not null,
    day_start timestamptz not null, -- the last day simulated: from here …
    story_at timestamptz not null,  -- … to here
    written_at timestamptz not null -- the updated_at of what the last tick wrote
);

-- How many events of a kind there have been before a day, at per_day on average and fewer of them
-- on weekends.
create function demo.events_before(day timestamptz, per_day numeric) returns bigint
language sql immutable parallel safe
return floor(
    per_day * (
        7 * ((extract(epoch from day)::bigint / 86400 + 3) / 7)
        + (array[0, 1.25, 2.5, 3.7, 4.9, 6, 6.5])[
            1 + (extract(epoch from day)::bigint / 86400 + 3) % 7
        ]
    )
)::bigint;

-- The events of a kind between two moments, numbered from 1 at the beginning of the history.
-- `offset 0` keeps the planner from working a subquery's columns out again wherever they are used.
create function demo.events(per_day numeric, seed bigint, from_at timestamptz, to_at timestamptz)
returns table (id integer, event_at timestamptz)
language sql stable
begin atomic
    select id, event_at
    from (
        select
            (first + i)::integer as id,
            day + interval '1 day' * ((i + demo.uniform(first + i, seed)) / events) as event_at
        from (
            select
                day,
                1 + demo.events_before(day, per_day * scale)
                - demo.events_before(history_start, per_day * scale) as first,
                demo.events_before(day + interval '1 day', per_day * scale)
                - demo.events_before(day, per_day * scale) as events
            from demo.clock
            cross join lateral generate_series(
                date_trunc('day', greatest(from_at, history_start), 'UTC'), to_at, interval '1 day'
            ) as series (day)
            offset 0
        ) as days
        cross join lateral generate_series(0, events - 1) as numbers (i)
        offset 0
    ) as numbered
    where event_at >= from_at and event_at < to_at;
end;

create function demo.issues_between(from_at timestamptz, to_at timestamptz)
returns table (
    issue_id integer,
    title text,
    priority text,
    labels text[],
    reporter_email text,
    created_at timestamptz
)
language sql stable
begin atomic
    select
        id,
        demo.issue_title(id),
        demo.pick(
            array['critical', 'high', 'high', 'medium', 'medium', 'medium', 'medium', 'low'],
            id, 21
        ),
        (array['backend', 'frontend', 'infra', 'security', 'docs', 'ux', '性能'])[
            1 + demo.below(7, id, 22):1 + demo.below(7, id, 22) + demo.below(3, id, 23)
        ],
        demo.person_email(id, 24),
        event_at
    from demo.events(6.667, 20, from_at, to_at);
end;

-- The states that an issue goes through. The first 40 are done with, in the plain way.
create function demo.issue_path(issue_id integer) returns text[]
language sql immutable parallel safe
return case
    when issue_id between 21 and 26 or issue_id > 40 and demo.uniform(issue_id, 31) < 0.04
        then array[
            'open', 'in_progress', 'in_review', 'done',
            'open', 'in_progress', 'in_review', 'done'
        ]
    when issue_id <= 40 or demo.uniform(issue_id, 31) < 0.59
        then array['open', 'in_progress', 'in_review', 'done']
    when demo.uniform(issue_id, 31) < 0.73
        then array['open', 'in_progress', 'blocked', 'in_progress', 'in_review', 'done']
    when demo.uniform(issue_id, 31) < 0.85
        then array['open', 'in_progress', 'in_review', 'in_progress', 'in_review', 'done']
    when demo.uniform(issue_id, 31) < 0.92 then array['open', 'cancelled']
    when demo.uniform(issue_id, 31) < 0.94 then array['open', 'done']
    else array['open']
end;

-- Hours in a state before the next one. A path takes 29 days at most.
create function demo.hours_in_state(state text, next_state text, key bigint) returns numeric
language sql immutable parallel safe
return case state
    when 'open' then 1 + 140 * power(demo.uniform(key, 32), 2)
    when 'in_progress' then 4 + 60 * power(demo.uniform(key, 33), 2)
    when 'blocked' then 4 + 90 * power(demo.uniform(key, 34), 2)
    when 'in_review' then 0.5 + 40 * power(demo.uniform(key, 35), 2)
    when 'done' then 24 + 150 * demo.uniform(key, 36)
end;

create function demo.changes_between(from_at timestamptz, to_at timestamptz)
returns table (
    change_id bigint,
    issue_id integer,
    from_state text,
    to_state text,
    changed_at timestamptz
)
language sql stable
begin atomic
    select change_id, issue_id, from_state, to_state, changed_at
    from (
        select
            steps.change_id,
            steps.issue_id,
            steps.from_state,
            steps.to_state,
            steps.created_at
            + interval '1 hour' * sum(
                coalesce(
                    demo.hours_in_state(steps.from_state, steps.to_state, steps.change_id), 0
                )
            ) over (partition by steps.issue_id order by steps.change_id) as changed_at
        from (
            select
                issues.issue_id * 20::bigint + step as change_id,
                issues.issue_id,
                issues.created_at,
                path[step - 1] as from_state,
                path[step] as to_state
            from public.issues
            cross join lateral demo.issue_path(issues.issue_id) as path
            cross join lateral generate_series(1, cardinality(path)) as series (step)
            where issues.created_at > from_at - interval '30 days' and issues.created_at < to_at
        ) as steps
    ) as timed
    where changed_at >= from_at and changed_at < to_at;
end;

-- Agents 11 and 12 never run.
create function demo.agent_type(agent_id integer) returns text
language sql immutable parallel safe
return (array['planner', 'coder', 'coder', 'reviewer', 'coder', 'tester', 'operator'])[
    1 + agent_id % 7
];

-- Runs that start between two moments, as they end; all take less than a day.
create function demo.runs_between(from_at timestamptz, to_at timestamptz)
returns table (
    run_id integer,
    agent_id integer,
    issue_id integer,
    model text,
    input_tokens bigint,
    output_tokens bigint,
    cost_usd numeric,
    started_at timestamptz,
    finished_at timestamptz,
    outcome text
)
language sql stable
begin atomic
    select
        drawn.run_id,
        drawn.agent_id,
        issues.issue_id,
        drawn.model,
        drawn.input_tokens,
        drawn.output_tokens,
        round(
            (
                drawn.input_tokens * case drawn.model
                    when 'kumo-large' then 6 when 'kumo-small' then 0.4 else 1.5
                end
                + drawn.output_tokens * case drawn.model
                    when 'kumo-large' then 24 when 'kumo-small' then 1.6 else 7.5
                end
            ) / 1000000,
            6
        ),
        drawn.started_at,
        drawn.started_at
        + interval '1 second'
        * (25 + 60 * drawn.agent_id + 6000 * power(demo.uniform(drawn.run_id, 46), 3)),
        demo.pick(
            array[
                'succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded',
                'succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded',
                'succeeded', 'failed', 'failed', 'timed_out', 'cancelled'
            ],
            drawn.run_id, 47
        )
    from (
        select
            id as run_id,
            event_at as started_at,
            1 + floor(10 * power(demo.uniform(id, 41), 1.3))::integer as agent_id,
            demo.pick(
                array['kumo-large', 'kumo-small', 'kumo-small', 'hayate-2', 'hayate-2'], id, 42
            ) as model,
            2000 + floor(58000 * power(demo.uniform(id, 43), 2))::bigint as input_tokens,
            200 + floor(8000 * power(demo.uniform(id, 44), 2))::bigint as output_tokens,
            -- One in ten is about no issue.
            case
                when id % 10 <> 0
                    then 1 + demo.below(
                        demo.events_before(event_at, 6.667 * clock.scale)
                        - demo.events_before(clock.history_start, 6.667 * clock.scale),
                        id,
                        45
                    )
            end as issue_id
        from demo.clock
        cross join demo.events(19.45, 40, from_at, to_at)
        offset 0
    ) as drawn
    left join public.issues
        on issues.issue_id = drawn.issue_id and issues.created_at <= drawn.started_at;
end;

-- What a run has written. Whether it is accepted is decided within two days, or never.
create function demo.generations_of(run_id bigint, finished_at timestamptz)
returns table (
    generation_id bigint,
    lines_added integer,
    lines_removed integer,
    files_changed integer,
    is_accepted boolean,
    tests_passed boolean,
    generated_at timestamptz,
    decided_at timestamptz
)
language sql stable
begin atomic
    select
        key,
        1 + floor(400 * power(demo.uniform(key, 52), 2))::integer,
        floor(150 * power(demo.uniform(key, 53), 2))::integer,
        1 + demo.below(9, key, 54),
        demo.uniform(key, 55) < 0.8 and demo.uniform(key, 56) < 0.85,
        demo.uniform(key, 55) < 0.8,
        finished_at - interval '1 second' * number,
        case
            when key % 53 <> 0
                then finished_at + interval '1 hour' * (1 + 46 * demo.uniform(key, 57))
        end
    from (
        select
            run_id * 10 + number as key,
            number
        from generate_series(
            1, (array[1, 0, 1, 2, 0, 1, 1, 0, 1, 2, 0, 1, 1])[1 + run_id % 13]
        ) as series (number)
    ) as keyed;
end;

-- Deployments that start between two moments, as they end.
create function demo.deployments_between(from_at timestamptz, to_at timestamptz)
returns table (
    deployment_id integer,
    service text,
    environment text,
    commit_sha text,
    committed_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    status text,
    restored_at timestamptz
)
language sql stable
begin atomic
    select
        id,
        demo.service(1 + floor(8 * power(demo.uniform(id, 61), 1.5))::integer),
        environment,
        md5('commit ' || id) || left(md5('sha ' || id), 8),
        event_at - interval '1 hour' * (0.3 + 110 * power(demo.uniform(id, 63), 2)),
        event_at,
        finished_at,
        status,
        case
            when status in ('failed', 'rolled_back')
                and environment = 'production'
                and demo.uniform(id, 66) < 0.9
                then finished_at
                    + interval '1 minute' * (8 + 2400 * power(demo.uniform(id, 67), 3))
        end
    from (
        select
            id,
            event_at,
            case when demo.uniform(id, 62) < 0.6 then 'production' else 'staging' end
                as environment,
            event_at + interval '1 second' * (120 + demo.below(1300, id, 64)) as finished_at,
            case
                when demo.uniform(id, 65) < 0.88 then 'succeeded'
                when demo.uniform(id, 65) < 0.95 then 'failed'
                when demo.uniform(id, 65) < 0.99 then 'rolled_back'
                else 'cancelled'
            end as status
        from demo.events(6.667, 60, from_at, to_at)
        offset 0
    ) as drawn;
end;

-- Incidents that open between two moments, as they end: even numbers were caused by a deployment.
create function demo.incidents_between(from_at timestamptz, to_at timestamptz)
returns table (
    incident_id integer,
    service text,
    deployment_id integer,
    severity text,
    opened_at timestamptz,
    resolved_at timestamptz
)
language sql stable
begin atomic
    select
        incident_id,
        service,
        deployment_id,
        demo.pick(array['sev1', 'sev2', 'sev2', 'sev3', 'sev3', 'sev3'], incident_id, 71),
        opened_at,
        case
            when demo.uniform(incident_id, 73) < 0.96
                then opened_at
                    + interval '1 minute' * (15 + 3000 * power(demo.uniform(incident_id, 74), 3))
        end
    from (
        select
            2 * deployment_id as incident_id,
            service,
            deployment_id,
            finished_at + interval '1 minute' * (1 + 200 * demo.uniform(deployment_id, 72))
                as opened_at
        from demo.deployments_between(from_at - interval '1 day', to_at)
        where environment = 'production'
            and case status
                when 'succeeded' then demo.uniform(deployment_id, 75) < 0.09
                when 'cancelled' then false
                else demo.uniform(deployment_id, 75) < 0.5
            end
        union all
        select
            2 * id - 1,
            demo.service(1 + demo.below(8, id, 76)),
            null,
            event_at
        from demo.events(0.14, 70, from_at, to_at)
    ) as drawn
    where opened_at >= from_at and opened_at < to_at;
end;

-- A day's bill, which arrives when the day is over.
create function demo.bills_between(from_at timestamptz, to_at timestamptz)
returns table (service text, cost_date date, cost_usd numeric)
language sql stable
begin atomic
    select
        demo.service(number),
        day::date,
        round(
            (
                (array[96, 41, 12, 63, 18, 7, 34, 22])[number]
                * (1 + 0.002 * (day::date - date '2025-01-01'))
                * (0.92 + 0.16 * demo.uniform((day::date - date '2025-01-01') * 8 + number, 81))
            )::numeric,
            4
        )
    from generate_series(
        date_trunc('day', from_at at time zone 'UTC'),
        date_trunc('day', to_at at time zone 'UTC') - interval '1 day',
        interval '1 day'
    ) as series (day)
    cross join generate_series(1, 8) as services (number);
end;

-- Runs that a tick took away and a later tick brings back, with the code they wrote.
create table demo.withdrawn_run (like public.agent_runs, returns_at integer);
create table demo.withdrawn_generation (like public.code_generations);

-- The tables of `miyabi`, an engineering platform. Keys come last.

create table public.issues (
    issue_id integer not null,
    title text not null,
    priority text,
    labels text[],
    state text not null,
    reporter_email text,
    created_at timestamptz not null,
    closed_at timestamptz,
    updated_at timestamptz not null default now()
);

create table public.issue_state_changes (
    change_id bigint not null,
    issue_id integer not null,
    from_state text,
    to_state text not null,
    changed_at timestamptz not null,
    updated_at timestamptz not null default now()
);

create table public.agents (
    agent_id integer not null,
    agent_name text not null,
    agent_type text not null,
    maintainer_email text,
    is_enabled boolean not null default true,
    created_at timestamptz not null,
    updated_at timestamptz not null default now()
);

create table public.agent_runs (
    run_id bigint not null,
    agent_id integer not null,
    issue_id integer,
    agent_type text not null,
    model text not null,
    input_tokens bigint,
    output_tokens bigint,
    cost_usd numeric(12, 6),
    started_at timestamptz not null,
    finished_at timestamptz,
    outcome text,
    updated_at timestamptz not null default now()
);

create table public.code_generations (
    generation_id bigint not null,
    run_id bigint not null,
    lines_added integer not null,
    lines_removed integer not null,
    files_changed integer not null,
    is_accepted boolean,
    tests_passed boolean,
    generated_at timestamptz not null,
    updated_at timestamptz not null default now()
);

create table public.deployments (
    deployment_id integer not null,
    service text not null,
    environment text not null,
    commit_sha character(40),
    committed_at timestamptz,
    started_at timestamptz not null,
    finished_at timestamptz,
    status text not null,
    restored_at timestamptz,
    updated_at timestamptz not null default now()
);

create table public.incidents (
    incident_id integer not null,
    service text not null,
    deployment_id integer,
    severity text not null,
    opened_at timestamptz not null,
    resolved_at timestamptz,
    updated_at timestamptz not null default now()
);

create table public.infrastructure_costs (
    service text not null,
    cost_date date not null,
    cost_usd numeric(12, 4) not null,
    updated_at timestamptz not null default now()
);

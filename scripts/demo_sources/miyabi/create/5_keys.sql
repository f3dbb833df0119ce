-- Keys, indexes and triggers after the rows: faster, and the statistics are of finished tables.

alter table public.issues add primary key (issue_id);
alter table public.issue_state_changes add primary key (change_id);
alter table public.agents add primary key (agent_id);
alter table public.agent_runs add primary key (run_id);
alter table public.code_generations add primary key (generation_id);
alter table public.deployments add primary key (deployment_id);
alter table public.incidents add primary key (incident_id);
alter table public.infrastructure_costs add primary key (service, cost_date);

create index on public.issues (created_at);
create index on public.issues (updated_at);
create index on public.issue_state_changes (issue_id);
create index on public.issue_state_changes (updated_at);
create index on public.agent_runs (started_at);
create index on public.agent_runs (issue_id);
create index on public.agent_runs (updated_at);
create index on public.code_generations (run_id);
create index on public.code_generations (generated_at);
create index on public.code_generations (updated_at);
create index on public.deployments (started_at);
create index on public.deployments (updated_at);
create index on public.incidents (opened_at);
create index on public.incidents (deployment_id);

alter table public.issue_state_changes add foreign key (issue_id) references public.issues;
alter table public.agent_runs add foreign key (agent_id) references public.agents;
alter table public.agent_runs add foreign key (issue_id) references public.issues;
alter table public.code_generations add foreign key (run_id) references public.agent_runs;
alter table public.incidents add foreign key (deployment_id) references public.deployments;

call demo.touch_changes(
    'updated_at',
    array[
        'issues', 'issue_state_changes', 'agents', 'agent_runs', 'code_generations',
        'deployments', 'incidents', 'infrastructure_costs'
    ]
);

analyze;

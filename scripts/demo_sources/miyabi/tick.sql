-- The next day at the demo source `miyabi`. Its cost grows with a day's rows, not with the tables.
--
-- What happens on each day:
--   a day's issues, state changes, runs, code, deployments, incidents and costs
--   what was under way ends: runs, reviews of code, deployments, incidents
--   runs that started five days ago and arrive only now: 1 in 97
--   1 agent gets another maintainer
--   1 run of ten days ago and 1 service's bill of four days ago are corrected
--   2 old runs are deleted, with the code they wrote; 1 of them is back a day later
--   1 old issue is deleted, with its history; the runs about it forget it
--
-- All that is written has one updated_at, later than any before: `demo.clock.written_at`. Event
-- times lie in the day; when the story has caught up with the clock on the wall, the day ends now.

set local demo.ticking = 'on';

update demo.clock
set
    tick = tick + 1,
    day_start = story_at,
    story_at = demo.day_after(story_at),
    written_at = greatest(demo.now_at(), written_at + interval '1 second');

-- Brought back.
with back as (
    delete from demo.withdrawn_run
    where returns_at <= (select tick from demo.clock)
    returning *
)

insert into public.agent_runs
select
    run_id, agent_id, issue_id, agent_type, model, input_tokens, output_tokens, cost_usd,
    started_at, finished_at, outcome, written_at
from back
cross join demo.clock;

with back as (
    delete from demo.withdrawn_generation
    where run_id in (select run_id from public.agent_runs)
    returning *
)

insert into public.code_generations
select
    generation_id, run_id, lines_added, lines_removed, files_changed, is_accepted, tests_passed,
    generated_at, written_at
from back
cross join demo.clock;

-- Taken away: two runs, the second until tomorrow.
with gone as (
    delete from public.code_generations
    using demo.clock
    where run_id in (60 + 2 * tick, 61 + 2 * tick)
    returning code_generations.*, run_id = 61 + 2 * tick as returns
)

insert into demo.withdrawn_generation
select
    generation_id, run_id, lines_added, lines_removed, files_changed, is_accepted, tests_passed,
    generated_at, updated_at
from gone
where returns;

with gone as (
    delete from public.agent_runs
    using demo.clock
    where run_id in (60 + 2 * tick, 61 + 2 * tick)
    returning agent_runs.*, run_id = 61 + 2 * tick as returns, tick
)

insert into demo.withdrawn_run
select
    run_id, agent_id, issue_id, agent_type, model, input_tokens, output_tokens, cost_usd,
    started_at, finished_at, outcome, updated_at, tick + 1
from gone
where returns;

update demo.withdrawn_run
set issue_id = null
from demo.clock
where issue_id = 40 + tick;

update public.agent_runs
set issue_id = null, updated_at = written_at
from demo.clock
where issue_id = 40 + tick;

delete from public.issue_state_changes
using demo.clock
where issue_id = 40 + tick;

delete from public.issues
using demo.clock
where issue_id = 40 + tick;

update public.agents
set maintainer_email = demo.person_email(tick, 92), updated_at = written_at
from demo.clock
where agent_id = 1 + tick % 10;

-- Issues.
insert into public.issues (
    issue_id, title, priority, labels, state, reporter_email, created_at, updated_at
)
select issue_id, title, priority, labels, 'open', reporter_email, created_at, written_at
from demo.clock
cross join lateral demo.issues_between(day_start, story_at)
order by issue_id;

insert into public.issue_state_changes (
    change_id, issue_id, from_state, to_state, changed_at, updated_at
)
select change_id, issue_id, from_state, to_state, changed_at, written_at
from demo.clock
cross join lateral demo.changes_between(day_start, story_at)
order by changed_at, change_id;

update public.issues
set
    state = latest.to_state,
    closed_at = case when latest.to_state in ('done', 'cancelled') then latest.changed_at end,
    updated_at = clock.written_at
from demo.clock
cross join lateral (
    select distinct on (issue_id) issue_id, to_state, changed_at
    from demo.changes_between(clock.day_start, clock.story_at)
    order by issue_id asc, change_id desc
) as latest
where issues.issue_id = latest.issue_id;

-- Runs: today's, those that arrive late, and those that were still running.
insert into public.agent_runs (
    run_id, agent_id, issue_id, agent_type, model, input_tokens, output_tokens, cost_usd,
    started_at, finished_at, outcome, updated_at
)
select
    run.run_id,
    run.agent_id,
    run.issue_id,
    demo.agent_type(run.agent_id),
    run.model,
    case when ended then run.input_tokens end,
    case when ended then run.output_tokens end,
    case when ended then run.cost_usd end,
    run.started_at,
    case when ended then run.finished_at end,
    case when ended then run.outcome end,
    written_at
from demo.clock
cross join lateral (
    select * from demo.runs_between(day_start, story_at)
    where run_id % 97 <> 0
    union all
    select * from demo.runs_between(day_start - interval '6 days', story_at - interval '5 days')
    where run_id % 97 = 0
        and finished_at >= day_start - interval '5 days'
        and finished_at < story_at - interval '5 days'
) as run
cross join lateral (select run.finished_at < story_at) as at_the_end (ended)
order by run.run_id;

update public.agent_runs
set
    input_tokens = run.input_tokens,
    output_tokens = run.output_tokens,
    cost_usd = run.cost_usd,
    finished_at = run.finished_at,
    outcome = run.outcome,
    updated_at = clock.written_at
from demo.clock
cross join lateral demo.runs_between(clock.day_start - interval '1 day', clock.day_start) as run
where agent_runs.run_id = run.run_id
    and agent_runs.finished_at is null
    and run.finished_at < clock.story_at;

-- A correction of cost that comes late.
update public.agent_runs
set cost_usd = round(agent_runs.cost_usd * 1.1, 6), updated_at = clock.written_at
from demo.clock
where agent_runs.run_id = (
    select min(old.run_id)
    from public.agent_runs as old
    where old.started_at >= clock.day_start - interval '10 days'
        and old.started_at < clock.day_start - interval '9 days'
        and old.cost_usd is not null
);

-- Code of whatever ended today, and what people decided about earlier code.
insert into public.code_generations (
    generation_id, run_id, lines_added, lines_removed, files_changed, is_accepted, tests_passed,
    generated_at, updated_at
)
select
    code.generation_id,
    agent_runs.run_id,
    code.lines_added,
    code.lines_removed,
    code.files_changed,
    case when code.decided_at < clock.story_at then code.is_accepted end,
    code.tests_passed,
    code.generated_at,
    clock.written_at
from demo.clock
inner join public.agent_runs on agent_runs.updated_at = clock.written_at
cross join lateral demo.generations_of(agent_runs.run_id, agent_runs.finished_at) as code
where agent_runs.outcome = 'succeeded'
    and not exists (
        select from public.code_generations as old where old.run_id = agent_runs.run_id
    )
order by code.generation_id;

update public.code_generations
set is_accepted = code.is_accepted, updated_at = clock.written_at
from demo.clock
inner join public.agent_runs
    on agent_runs.started_at >= clock.day_start - interval '8 days'
    and agent_runs.outcome = 'succeeded'
cross join lateral demo.generations_of(agent_runs.run_id, agent_runs.finished_at) as code
where code_generations.generation_id = code.generation_id
    and code_generations.is_accepted is null
    and code.decided_at < clock.story_at;

-- Deployments and incidents: today's, and how earlier ones ended.
insert into public.deployments (
    deployment_id, service, environment, commit_sha, committed_at, started_at, finished_at,
    status, restored_at, updated_at
)
select
    deployment_id,
    service,
    environment,
    commit_sha,
    committed_at,
    started_at,
    case when finished_at < story_at then finished_at end,
    case when finished_at < story_at then status else 'running' end,
    case when restored_at < story_at then restored_at end,
    written_at
from demo.clock
cross join lateral demo.deployments_between(day_start, story_at)
order by deployment_id;

update public.deployments
set
    finished_at = ended.finished_at,
    status = ended.status,
    restored_at = case when ended.restored_at < clock.story_at then ended.restored_at end,
    updated_at = clock.written_at
from demo.clock
cross join lateral demo.deployments_between(
    clock.day_start - interval '3 days', clock.day_start
) as ended
where deployments.deployment_id = ended.deployment_id
    and ended.finished_at < clock.story_at
    and (
        deployments.finished_at is null
        or deployments.restored_at is null and ended.restored_at < clock.story_at
    );

insert into public.incidents (
    incident_id, service, deployment_id, severity, opened_at, resolved_at, updated_at
)
select
    incident_id,
    service,
    deployment_id,
    severity,
    opened_at,
    case when resolved_at < story_at then resolved_at end,
    written_at
from demo.clock
cross join lateral demo.incidents_between(day_start, story_at)
order by incident_id;

update public.incidents
set resolved_at = ended.resolved_at, updated_at = clock.written_at
from demo.clock
cross join lateral demo.incidents_between(
    clock.day_start - interval '3 days', clock.day_start
) as ended
where incidents.incident_id = ended.incident_id
    and incidents.resolved_at is null
    and ended.resolved_at < clock.story_at;

-- Costs: the bill of the day, and one that is corrected.
insert into public.infrastructure_costs (service, cost_date, cost_usd, updated_at)
select service, cost_date, cost_usd, written_at
from demo.clock
cross join lateral demo.bills_between(day_start, story_at)
order by cost_date, service;

update public.infrastructure_costs
set cost_usd = round(cost_usd * 1.03, 4), updated_at = written_at
from demo.clock
where service = demo.service(1 + tick % 8)
    and cost_date = day_start::date - 4;

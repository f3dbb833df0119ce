-- The demo source `miyabi`: an engineering platform on which people and agents make software.
--
-- Everything here is invented and depends on two settings only: `demo.scale` and `demo.as_of`. The
-- same settings give the same rows. History is 180 days long and ends 7 days before `demo.as_of`,
-- so that seven ticks in a row are seven whole days; `demo.clock` knows how far the story has come.
--
-- Scale 1 is about 15 000 rows; all but the agents and the services' costs grow with it.
--
-- Defects, on purpose, the same at every scale:
--   issues          2  titles with blanks around                         (issue_id 1, 2)
--                   2  without a priority                                (issue_id 4, 5)
--                   2  with no labels in the list, 1 without a list      (issue_id 6, 7; 8)
--                   3  closed before they were created: clock skew       (issue_id 11 to 13)
--                   2  closed without a history: imported                (issue_id 14, 15)
--                   6  reopened, and closed again                        (issue_id 21 to 26)
--   state changes   2  logged twice                                      (of issue 16, 17)
--   agent_runs      3  without an end, for good                          (run_id 11 to 13)
--                   2  finished before they started: clock skew          (run_id 14, 15)
--                   2  of a model that nobody knows                      (run_id 16, 17)
--                   3  finished without a cost                           (run_id 18 to 20)
--                   2  models in capitals, with blanks around            (run_id 21, 22)
--                      1 in 97 arrives five days late
--   code            2  accepted although the tests failed                (the first two)
--                      1 in 53 is never decided about
--   deployments     2  environments in other spellings                   (deployment_id 1, 2)
--                   1  without a commit                                  (deployment_id 3)
--                   2  of commits that are younger: clock skew           (deployment_id 4, 5)
--   costs           3  missing: a service's bill of a day never came
--                      1 in 30 corrected five days later

insert into demo.clock
select
    scale,
    0,
    story_at - interval '180 days',
    story_at - interval '1 day',
    story_at,
    story_at
from (
    select
        current_setting('demo.scale')::numeric as scale,
        date_trunc('day', demo.now_at(), 'UTC') - interval '7 days' as story_at
) as settings;

insert into public.agents (
    agent_id, agent_name, agent_type, maintainer_email, is_enabled, created_at, updated_at
)
select
    number,
    (array[
        'Akane', 'Botan', 'Chidori', 'Fuji', 'Hinoki', 'Kaede', 'Momiji', 'Nadeshiko', 'Sakura',
        'Tsubaki', 'Ume', 'Yanagi'
    ])[number],
    demo.agent_type(number),
    demo.person_email(number, 91),
    number <> 11,
    history_start - interval '1 day' * (12 - number),
    history_start - interval '1 day' * (12 - number)
from demo.clock
cross join generate_series(1, 12) as series (number);

insert into public.issues (
    issue_id, title, priority, labels, state, reporter_email, created_at, updated_at
)
select issue_id, title, priority, labels, 'open', reporter_email, created_at, created_at
from demo.clock
cross join lateral demo.issues_between(history_start, story_at)
order by issue_id;

analyze public.issues;

insert into public.issue_state_changes (
    change_id, issue_id, from_state, to_state, changed_at, updated_at
)
select change_id, issue_id, from_state, to_state, changed_at, changed_at
from demo.clock
cross join lateral demo.changes_between(history_start, story_at)
order by changed_at, change_id;

update public.issues
set
    state = latest.to_state,
    closed_at = case when latest.to_state in ('done', 'cancelled') then latest.changed_at end,
    updated_at = latest.changed_at
from (
    select distinct on (issue_id) issue_id, to_state, changed_at
    from public.issue_state_changes
    order by issue_id asc, change_id desc
) as latest
where issues.issue_id = latest.issue_id;

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
    case when ended then run.finished_at else run.started_at end
    + case when run.run_id % 97 = 0 then interval '5 days' else interval '0' end
from demo.clock
cross join lateral demo.runs_between(history_start, story_at) as run
cross join lateral (select run.finished_at < story_at) as at_the_end (ended)
where run.run_id % 97 <> 0 or run.finished_at < story_at - interval '5 days'
order by run.run_id;

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
    case when code.decided_at < story_at then code.is_accepted end,
    code.tests_passed,
    code.generated_at,
    case
        when code.decided_at < story_at then greatest(code.decided_at, agent_runs.updated_at)
        else agent_runs.updated_at
    end
from demo.clock
cross join public.agent_runs
cross join lateral demo.generations_of(agent_runs.run_id, agent_runs.finished_at) as code
where agent_runs.outcome = 'succeeded'
order by code.generation_id;

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
    case
        when restored_at < story_at then restored_at
        when finished_at < story_at then finished_at
        else started_at
    end
from demo.clock
cross join lateral demo.deployments_between(history_start, story_at) as deployment
order by deployment_id;

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
    case when resolved_at < story_at then resolved_at else opened_at end
from demo.clock
cross join lateral demo.incidents_between(history_start, story_at)
order by incident_id;

insert into public.infrastructure_costs (service, cost_date, cost_usd, updated_at)
select
    service,
    cost_date,
    cost_usd,
    least(
        cost_date::timestamptz
        + case
            when (cost_date - date '2025-01-01' + length(service)) % 30 = 0 then interval '6 days'
            else interval '1 day'
        end,
        story_at
    )
from demo.clock
cross join lateral demo.bills_between(history_start, story_at)
where (service, cost_date - history_start::date) not in (
    ('billing', 20), ('identity', 21), ('search', 40)
)
order by cost_date, service;

-- The defects.
update public.issues set title = '  ' || title || ' ' where issue_id in (1, 2);
update public.issues set priority = null where issue_id in (4, 5);
update public.issues set labels = '{}' where issue_id in (6, 7);
update public.issues set labels = null where issue_id = 8;
update public.issues
set closed_at = created_at - interval '5 minutes'
where issue_id between 11 and 13;
delete from public.issue_state_changes where issue_id in (14, 15);

insert into public.issue_state_changes
select change_id + 10, issue_id, from_state, to_state, changed_at, updated_at
from public.issue_state_changes
where issue_id in (16, 17) and to_state = 'in_review';

delete from public.code_generations where run_id between 11 and 13;

update public.agent_runs
set
    finished_at = null,
    outcome = null,
    input_tokens = null,
    output_tokens = null,
    cost_usd = null
where run_id between 11 and 13;

update public.agent_runs
set finished_at = started_at - interval '90 seconds'
where run_id in (14, 15);

update public.agent_runs set model = 'kumo-nightly' where run_id in (16, 17);
update public.agent_runs set cost_usd = null where run_id between 18 and 20;
update public.agent_runs set model = ' ' || upper(model) where run_id in (21, 22);

update public.code_generations
set is_accepted = true, tests_passed = false
where generation_id in (
    select generation_id from public.code_generations order by generation_id limit 2
);

update public.deployments
set
    environment = (array['Production', ' production '])[deployment_id],
    status = 'succeeded',
    restored_at = null
where deployment_id in (1, 2);

update public.deployments set commit_sha = null, committed_at = null where deployment_id = 3;
update public.deployments
set
    environment = 'production',
    status = 'succeeded',
    restored_at = null,
    committed_at = finished_at + interval '3 minutes'
where deployment_id in (4, 5);

"""The demo source miyabi: what happens there in a day."""

from __future__ import annotations

from databases import Database
from demo_days import TODAY, Days


def test_a_day_at_miyabi(source: Database) -> None:
    days = Days("miyabi", source)
    for _ in range(4):  # at this scale some days have no event of a kind
        written = source.scalar("select written_at from demo.clock")
        issues, runs = days.keys("issues", "issue_id"), days.keys("agent_runs", "run_id")
        bills = source.scalar("select count(*) from infrastructure_costs")
        days.tick()
        changed = "select count(*) from {} where updated_at > %s"

        assert len(issues - days.keys("issues", "issue_id")) == 1
        assert len(runs - days.keys("agent_runs", "run_id")) == 2
        assert source.scalar(changed.format("agents"), [written]) == 1
        assert source.scalar(changed.format("infrastructure_costs"), [written]) == 8 + 1
        assert source.scalar("select count(*) from infrastructure_costs") == bills + 8
        late = "select count(*) from agent_runs where updated_at > %s and started_at < %s"
        assert source.scalar(late, [written, TODAY]) >= 1
    first_tick = "select count(*) from {} where updated_at > %s"
    start = TODAY.replace(day=7)  # where the history ends
    for table in ("issues", "issue_state_changes", "agent_runs", "code_generations"):
        assert source.scalar(first_tick.format(table), [start]) >= 1
    assert source.scalar(first_tick.format("deployments"), [start]) >= 1


def test_a_deleted_run_comes_back_with_its_code(source: Database) -> None:
    days = Days("miyabi", source)
    before = days.keys("agent_runs", "run_id")
    code = dict(source.query("select run_id, count(*) from code_generations group by run_id"))
    days.tick()
    gone = sorted(before - days.keys("agent_runs", "run_id"))
    assert len(gone) == 2
    assert not days.keys("code_generations", "run_id") & set(gone)
    days.tick()
    assert days.keys("agent_runs", "run_id") & set(gone) == {gone[1]}
    back, changes = source.query(
        "select updated_at = written_at, (select count(*) from code_generations as code "
        "where code.run_id = agent_runs.run_id) from agent_runs cross join demo.clock "
        "where run_id = %s",
        gone[1:],
    )[0]
    assert back
    assert changes == code.get(gone[1], 0)


def test_what_is_under_way_ends(source: Database) -> None:
    days = Days("miyabi", source)
    for _ in range(8):
        days.tick()
    story = "cross join demo.clock where {} < story_at - interval '3 days'"
    endless = (
        "select count(*) from agent_runs " + story.format("started_at") + " and outcome is null "
        "and run_id > 13"
    )
    assert source.scalar(endless) == 0
    running = "select count(*) from deployments " + story.format("started_at")
    assert source.scalar(running + " and status = 'running'") == 0
    undecided = "select count(*) from code_generations " + story.format("generated_at")
    assert source.scalar(undecided + " and is_accepted is null and generation_id % 53 <> 0") == 0


def test_an_issue_is_in_the_state_that_its_history_says(source: Database) -> None:
    days = Days("miyabi", source)
    for _ in range(5):
        days.tick()
    latest = (
        "select distinct on (issue_id) issue_id, to_state from issue_state_changes "
        "order by issue_id, changed_at desc, change_id desc"
    )
    wrong = (
        f"select count(*) from issues inner join ({latest}) as latest using (issue_id) "
        "where state <> to_state or (closed_at is null) = (state in ('done', 'cancelled'))"
    )
    assert source.scalar(wrong) == 0

"""The gate finds each trap, leaves good T-SQL alone, and the project passes it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import portable_sql
import warm
from common.project import ROOT
from tsql.checks import check

# Statement, and a part of what the gate says about it.
TRAPS = [
    ("select a from t limit 5", "`limit`"),
    ("select a from t offset 5", "unparsable"),
    ("select a from t join u using (id)", "`using`"),
    ("select a from t natural join u", "`natural join`"),
    ("select a from t cross join lateral (select 1 as b) as x", "`lateral`"),
    ("select a::int as a from t", "cast(… as …)"),
    ("select a from t where b ilike 'x'", "`ilike`"),
    ("select a from t where a similar to 'x'", "`similar to`"),
    ("select a ~ 'x' as b from t", "matches_regex"),
    ("select a from t where a !~* 'x'", "matches_regex"),
    ("select a->>'b' as c from t", "unparsable"),
    ("select distinct on (a) a, b from t", "`distinct on`"),
    ("select count(*) filter (where a = 1) as n from t", "`filter (where …)`"),
    ("select a from t order by a nulls last", "`nulls first/last`"),
    ("with recursive x as (select 1 as a) select a from x", "`recursive`"),
    ("select extract(year from d) as y from t", "date_part"),
    ("select d + interval '1 day' as e from t", "dbt.dateadd"),
    ("select date '2024-01-01' as d", "typed literals"),
    ("select current_date as d", "current_date"),
    ("select localtimestamp as d", "current_utc_timestamp"),
    ("select now() as a", "current_utc_timestamp"),
    ("select date_trunc('day', d) as a from t", "date_trunc()"),
    ("select length(a) as n from t", "dbt.length"),
    ("select array_agg(a) as a from t", "array_agg()"),
    ("select bool_or(a > 1) as b from t", "bool_or()"),
    ("select greatest(a, b) as c from t", "since SQL Server 2022"),
    ("select a from generate_series(1, 5) as g (a)", "date_spine_days"),
    ("select position('a' in b) as x from t", "dbt.position"),
    ("select ceil(a) as x from t", "ceiling"),
    ("select a from unnest(b) as x (a)", "unnest()"),
    ("select trim(both 'x' from a) as x from t", "one text"),
    ("select round(a) as b from t", "number of digits"),
    ("select first_value(a ignore nulls) over (order by b) as c from t", "since 2022"),
    ("select sum(a) over w as s from t window w as (order by b)", "since 2022"),
    ("select returned_at - rented_at as c from t", "dbt.dateadd or datediff"),
    ("select cast(a as date) + 1 as c from t", "dbt.dateadd or datediff"),
    ("select some_function(a) as b from t", "a macro dispatched by engine"),
    ("select array[1, 2] as a", "no arrays"),
    ("select a || b as c from t", "dbt.concat"),
    ("select string_agg(a, ',' order by a) as b from t", "within group"),
    ("select string_agg(distinct a, ',') as b from t", "can't be distinct"),
    ("select count(distinct a, b) as n from t", "one column"),
    ("select sum((select max(b) from u)) as n from t", "an aggregate of a subquery"),
    ("select percentile_cont(0.5) within group (order by a) as m from t", "over (…)"),
    ("select row_number() over (partition by a) as n from t", "`order by` in its `over`"),
    ("select true as a", "no true and false"),
    ("select a from t where a is not true", "no true and false"),
    ("select a = 1 as b from t", "a condition where T-SQL wants a value"),
    ("select (a > 1) as b from t", "a condition where T-SQL wants a value"),
    ("select not a as b from t", "a condition where T-SQL wants a value"),
    ("select a is null as b from t", "a condition where T-SQL wants a value"),
    ("select a = 1 from t", "renames b to a"),
    ("select coalesce(a > 1, b) as c from t", "a condition where T-SQL wants a value"),
    ("select case when a = 1 then b = 2 end as c from t", "a condition where T-SQL wants a value"),
    ("select a from t where (a = 1) = (b = 2)", "a condition where T-SQL wants a value"),
    ("select case when f then 1 else 0 end as x from t", "a value where T-SQL wants a condition"),
    ("select a from t where f", "a value where T-SQL wants a condition"),
    ("select a from t where a = 1 and f", "a value where T-SQL wants a condition"),
    ("select a from t where not f", "a value where T-SQL wants a condition"),
    ("select a from t join u on u.is_good", "a value where T-SQL wants a condition"),
    ("select a from t group by a having max(b)", "a value where T-SQL wants a condition"),
    ("select a, count(*) as n from t group by 1", "`group by` a number"),
    ("select year(d) as y, count(*) as n from t group by y", "`group by` an alias"),
    ("select a from t where (a, b) in (select a, b from u)", "a row of values"),
    ("select a from t where a is not distinct from b", "since 2022"),
    ("select a from t except all select a from u", "unparsable"),
    ("select a from (with x as (select 1 as a) select a from x) as y", "`with` inside a query"),
    ("with x as (with y as (select 1 as a) select a from y) select a from x", "`with` inside"),
    ("create view v as select a from t order by a", "`order by` in a view"),
    ("with x as (select a from t order by a) select a from x", "`order by` in a view"),
    ("select a from (select a from t order by a) as y", "`order by` in a view"),
    ("create view v as select count(*) from t", "a column without a name"),
    ("select b from (select a + 1 from t) as y", "a column without a name"),
    ("with x as (select max(a) from t) select * from x", "a column without a name"),
    ("select a from (select a from t)", "needs a name"),
    ("select x.a from (values (1), (2)) as x", "names for its columns"),
    ("select cast(a as boolean) as b from t", "not a T-SQL type"),
    ("select cast(a as text) as b from t", "not a T-SQL type"),
    ("select cast(a as timestamp) as b from t", "row version"),
    ("select cast(a as varchar) as b from t", "cuts its values"),
    ("select cast(a as numeric) as b from t", "cuts its values"),
    ("select key from t", "`key` is reserved"),
    ("select default from t", "`default` is reserved"),
    ("select a as percent from t", "`percent` is reserved"),
    ("with plan as (select 1 as a) select a from plan", "`plan` is reserved"),
    ("select from where", "not T-SQL"),
    ("select (a from t", "not T-SQL"),
]

GOOD = [
    "select a from t where a = 1 and (b > 2 or not c = 3) and d is not null and e in (1, 2)",
    "select a from t where not exists (select 1 from u where u.a = t.a) and a like '%limit%'",
    "select a from t where a between 1 and 2 and b = (select max(b) from u) and c = any (select 1)",
    "select case when a > 1 then 'x' else 'y' end as b, case a when 1 then 'z' end as c from t",
    "select iif(a = 1, 1, 0) as x, a % 2 as m, -a as n, ~a as i from t",
    "select t.a, u.b from t left join u on t.x = u.x and u.y > 1 cross join v",
    "select a from t union all select b from u order by a",
    "select a, count(*) as n, sum(case when b > 1 then 1 else 0 end) as s from t group by a",
    "select cast(day as date) as day, count(*) as n from t group by day",
    "select count(distinct a) as n from t group by cast(b as date) having count(*) > 1",
    "select count(*) as n from t having count(*) = 0 or max(d) < cast(sysutcdatetime() as date)",
    "select string_agg(cast(a as varchar(max)), ', ') within group (order by b) as c from t",
    "select row_number() over (partition by a order by b desc) as r, sum(a) over () as s from t",
    "select percentile_cont(0.5) within group (order by a) over (partition by b) as m from t",
    "with a as (select 1 as x), b as (select x from a) select * from b",
    "create or alter view v as with a as (select top 5 x from t order by x) select x from a",
    "create view v as select top (case when 1 = 1 then 5 else 0 end) x from t order by x",
    "select a from (values (1), (2)) as t (a)",
    "with x (a) as (select max(b) from t) select a from x",
    'select t.[key], t."user", user as who from t',
    "select j.value as v from t outer apply openjson(t.x) as j",
    "select x.n from t outer apply (select max(u.n) as n from u where u.a = t.a) as x",
    "select dbo.own_function(a) as b from t",
    "select n.system_type_name as a from sys.dm_exec_describe_first_result_set(N'x', null, 0) as n",
    "select cast(a at time zone 'UTC' as datetime2(6)) as b, cast(1 as bit) as c from t",
    "select lower(convert(varchar(32), hashbytes('md5', a + char(31) + b), 2)) as k from t",
    "select datepart(iso_week, d) as w, datediff(day, d, e) as n, dateadd(day, 1, d) as f from t",
    "select round(a, 2) - b as c, trim(d) as e, ceiling(f) + 1 as g from t",
    "select 'true, now() and ::' as a -- limit 5, true",
    "select * into a from b",
    "insert into t (a, b) select a, b from u",
    "update t set a = 1, b = c, e = default where d = 2",
    "delete from t where not exists (select 1 from u where u.a = t.a)",
    "merge into t using u on t.a = u.a when matched and u.b = 1 then update set t.c = u.c"
    " when not matched then insert (a) values (u.a);",
]


@pytest.mark.parametrize(("statement", "said"), TRAPS)
def test_a_trap_is_found(statement: str, said: str) -> None:
    assert said in "\n".join(finding.message for finding in check(statement))


@pytest.mark.parametrize("statement", GOOD)
def test_good_tsql_is_left_alone(statement: str) -> None:
    assert check(statement) == []


def test_a_finding_names_its_line() -> None:
    findings = check("select\n    a,\n    b > 1 as c\nfrom t\nwhere\n    f\nlimit 1")
    assert [finding.line for finding in findings] == [3, 6, 7]


def gate(project: Path, *files: str) -> subprocess.CompletedProcess[str]:
    """Runs the gate where no server could be reached even by mistake."""
    return warm.run(
        ROOT / "scripts" / "tsql_gate.py",
        ["--project-dir", str(project), *files],
        {**os.environ, "DEV_MSSQL_SERVER": "nowhere.invalid", "USER": "test"},
        project,
    )


def test_every_macro_and_generic_test_renders_to_tsql(tmp_path: Path) -> None:
    """The fixture project calls them all; only the models that must not compile are found."""
    result = gate(portable_sql.link_project(tmp_path))
    found = [line for line in result.stdout.splitlines() if line.startswith(("models", "macros"))]
    wrong_on_purpose = [path.stem for path in (portable_sql.FIXTURE / "models/errors").iterdir()]
    assert found == [
        f"models/errors/{name}.sql:1: does not compile for SQL Server"
        for name in sorted(wrong_on_purpose)
    ], result.stdout + result.stderr


BAD_PROJECT = {
    "dbt_project.yml": """
        name: bad
        profile: medallion
        on-run-start: ["select 1 as a limit 1"]
        """,
    "macros/recent.sql": """
        {% macro recent() %}
        where d > current_date
        {% endmacro %}
        {% macro loaded() %}
        select max(d) from somewhere
        {% endmacro %}
        """,
    "models/first.sql": """
        {{ config(post_hook="delete from {{ this }} where d = now()") }}
        select 1 as id, cast('2024-01-01' as date) as d
        """,
    "models/second.sql": """
        {{ config(materialized='incremental', unique_key='id') }}
        select id, d
        from {{ ref('first') }}
        {% if is_incremental() %}
        where d > (select max(d)::date from {{ this }})
        {% endif %}
        """,
    "models/third.sql": """
        select id
        from {{ ref('first') }}
        {{ recent() }}
        """,
    "models/fourth.sql": """
        {{ config(materialized='table', contract={'enforced': true}) }}
        select id as number from {{ ref('first') }}
        """,
    "models/sources.yml": """
        sources:
          - name: landing
            config:
              loaded_at_query: "{{ loaded() }}"
              freshness: {error_after: {count: 1, period: day}}
            tables: [{name: one}]
        """,
    "models/properties.yml": """
        models:
          - name: first
            columns:
              - name: id
                data_tests:
                  - not_null: {config: {where: "id in (select 1 limit 1)"}}
          - name: fourth
            columns:
              - name: id
                data_type: integer
        """,
    "models/units.yml": """
        unit_tests:
          - name: third_has_what_first_has
            model: third
            given:
              - {input: ref('first'), format: sql, rows: "select 1 as id, now() as d"}
            expect: {rows: [{id: 1}]}
        """,
    "snapshots/history.yml": """
        snapshots:
          - name: history
            relation: ref('first')
            config: {unique_key: id, strategy: check, check_cols: [d], schema: snapshots}
        """,
    "seeds/codes.csv": """
        code,name
        1,one
        """,
    "tests/singular.sql": """
        select id from {{ ref('first') }} where id ~ '1'
        """,
    "analyses/look.sql": """
        select true as yes
        """,
}


def test_findings_lead_to_their_file_and_line(tmp_path: Path) -> None:
    """Hooks, both branches of is_incremental(), macros, contracts, tests, freshness, analyses."""
    for name, text in BAD_PROJECT.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(line[8:] for line in text.splitlines()[1:]) + "\n")
    result = gate(tmp_path)
    assert result.returncode == 1
    found = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    for place, said in [
        ("dbt_project.yml:1", "`limit`"),
        ("models/first.sql:1", "now()"),
        ("models/second.sql:5", "`::`"),
        ("macros/recent.sql:2", "current_date"),
        ("macros/recent.sql:5", "a column without a name"),
        ("models/fourth.sql:1", "does not compile"),
        ("models/properties.yml:1", "`limit`"),
        ("models/units.yml:1", "now()"),
        ("tests/singular.sql:1", "`~`"),
        ("analyses/look.sql:1", "no true and false"),
    ]:
        assert any(line.startswith(f"{place}: ") and said in line for line in found), (
            f"{place} {said} not in:\n{result.stdout}{result.stderr}"
        )
    assert not [line for line in found if line.startswith("seeds/")], "good seeds are left alone"
    alone = gate(tmp_path, "models/units.yml")
    assert alone.returncode == 1, "a unit test is no node of the manifest"
    assert "models/units.yml:1" in alone.stdout
    assert "tests/singular.sql" not in alone.stdout

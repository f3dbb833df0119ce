"""Publishing on SQL Server: texts of views and the batch without one, all else on one."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyodbc
import pytest

from common import ops, sqlserver
from common.warehouse import WarehouseError
from databases import SqlServerDatabase, skip_for_want
from publishing import moves
from publishing.engine import engine_of
from publishing.errors import BusyError, PublishError, StaleError
from publishing.generations import Change, Ledger
from publishing.publisher import Patience, Publisher, changes_of
from publishing.sqlserver import batch, carry, copying, outside, views
from publishing.sqlserver.engine import SqlServer
from publishing.sqlserver.outside import OutsideView
from tsql.checks import check, grammar, unparsable, words
from warehouses import ON_SQLSERVER

# ------------------------------------------------------------------ texts of views

TO_LIVE = {("gold__next", "dim_film"): "gold", ("silver__next", "stg film"): "silver"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select a from gold__next.dim_film", "select a from gold.dim_film"),
        ("select a from [gold__next].[dim_film]", "select a from [gold].[dim_film]"),
        ('select a from "gold__next"."dim_film"', 'select a from "gold"."dim_film"'),
        ('from "wh"."gold__next"."dim_film" as f', 'from "wh"."gold"."dim_film" as f'),
        ("from wh.gold__next.dim_film f", "from wh.gold.dim_film f"),
        ("from gold__next . /* x */ dim_film", "from gold . /* x */ dim_film"),
        ("from gold__next\n  .dim_film -- c", "from gold\n  .dim_film -- c"),
        ("from gold__next.dim_film, gold__next.[dim_film]", "from gold.dim_film, gold.[dim_film]"),
        ('from [silver__next]."stg film"', 'from [silver]."stg film"'),
        # columns, by the relation's whole name
        ("select gold__next.dim_film.title", "select gold.dim_film.title"),
        ('select "wh".gold__next.dim_film.*', 'select "wh".gold.dim_film.*'),
    ],
)
def test_what_is_built_beside_live_is_named_as_it_is_live(text: str, expected: str) -> None:
    assert views.rewritten(text, TO_LIVE, "wh", str) == expected


@pytest.mark.parametrize(
    "text",
    [
        "select 'gold__next.dim_film' as a",
        "select N'it''s gold__next.dim_film' as a",
        "select 1 as a -- gold__next.dim_film",
        "select 1 as a /* gold__next.dim_film /* nested */ gold__next.dim_film */",
        "select '/*' as a, b from t -- */ gold__next.dim_film",
        "from my_gold__next.dim_film",
        "from gold__next_2.dim_film",
        "from [gold__next.dim_film]",
        '"gold__next.dim_film"',
        "from gold__next.dim_film_2",
        "from gold__next.fact_film",
        "from other.gold__next.dim_film",
        "from server.wh.gold__next.dim_film",
        "from gold.dim_film",
        "select gold__next, dim_film from t",
        "select 1.5 as gold__next from dim_film",
        "from [gold__next]]].dim_film",
        "from gold__next..dim_film",
        "from #gold__next.dim_film",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert views.rewritten(text, TO_LIVE, "wh", str) == text


def test_names_are_compared_as_the_database_compares_them() -> None:
    text = "from Gold__Next.DIM_FILM"
    assert views.rewritten(text, TO_LIVE, "wh", str) == text
    assert views.rewritten(text, TO_LIVE, "WH", str.lower) == "from gold.DIM_FILM"


def test_a_name_that_needs_quotes_gets_them() -> None:
    to = {("s__next", "t"): "my]schema"}
    assert views.rewritten("from s__next.t", to, "wh", str) == "from [my]]schema].t"
    assert views.rewritten('from "s__next".t', {("s__next", "t"): 'a"b'}, "wh", str) == (
        'from "a""b".t'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("create view a.b as select 1 as c", "create or alter view [gold].[v] as select 1 as c"),
        (
            '-- why: create view x\n/* y */ CREATE OR  ALTER VIEW\n [a] . "b"\nAS select 1 as c;',
            "-- why: create view x\n/* y */ create or alter view [gold].[v]\nAS select 1 as c;",
        ),
        ("create   view b(c) as select 1", "create or alter view [gold].[v](c) as select 1"),
        (
            "alter view a.b with view_metadata as with t as (select 1 as c) select c from t",
            "create or alter view [gold].[v] with view_metadata as with t as (select 1 as c) "
            "select c from t",
        ),
    ],
)
def test_a_view_is_made_at_another_place(text: str, expected: str) -> None:
    assert views.parse(text).at("gold", "v") == expected
    assert views.parse(expected).place == ("gold", "v")


def test_the_options_of_a_view_are_known() -> None:
    text = "create view a.b (c, [with]) with SchemaBinding, view_metadata as select 1, 2"
    assert views.parse(text).options == {"schemabinding", "view_metadata"}
    assert not views.parse("create view a.b as with encryption as (select 1 as c) select 1").options


@pytest.mark.parametrize("text", ["", "select 1", "create table a.b (c int)", "-- create view a"])
def test_what_makes_no_view_is_refused(text: str) -> None:
    with pytest.raises(PublishError, match="does not begin with"):
        views.parse(text)


def test_views_come_after_those_that_they_read() -> None:
    reads = {("g", "a"): {("g", "b"), ("g", "t")}, ("g", "b"): {("g", "c")}, ("g", "c"): set()}
    assert batch.after(reads, reads) == [("g", "c"), ("g", "b"), ("g", "a")]
    around = {("g", "a"): {("g", "b")}, ("g", "b"): {("g", "a")}}
    assert len(batch.after(around, around)) == 2


# ------------------------------------------------------------------ the batch, as text


CHANGES = [
    Change("gold", "dim_film", "table", "table"),
    Change("gold", "it's]", "view", "view"),
    Change("silver", "gone", "table", None),
    Change("silver", "new", None, "view"),
]


def test_a_batch_is_one_transaction_that_gives_back_rights_after_all_moves() -> None:
    text = _batch(live=4)
    steps = [
        *("set xact_abort on", "set lock_timeout 0", "begin transaction", "throw 50001"),
        *("create schema", "@rights = string_agg", "transfer [gold].[it's]]]"),
        *("transfer [gold].[dim_film]", "transfer [gold__next].[dim_film]", "exec(@rights)"),
        *("create or alter view", "update ops.generations", "commit transaction"),
    ]
    assert [text.index(step) for step in steps] == sorted(text.index(step) for step in steps)
    assert text.count("begin transaction") == text.count("commit transaction") == 1
    assert "(N'[gold__next].[dim_film]', N'[gold].[dim_film]')" in text
    assert "(N'[gold].[it''s]]]', N'[gold__g4].[it''s]]]')" in text


@pytest.mark.parametrize("live", [0, 4])
def test_a_batch_is_t_sql(live: int) -> None:
    lines = _batch(live=live).splitlines()
    # Sqlfluff doesn't know `transfer`; sqlglot takes it as it is.
    moved = [line for line in lines if line.startswith("alter schema")]
    assert len(moved) == 6
    assert not any([*unparsable(line)] for line in moved)
    assert not [str(one) for one in grammar("\n".join(one for one in lines if one not in moved))]
    assert not [str(one) for one in words("\n".join(lines))]


@pytest.mark.parametrize(
    ("name", "is_dbts"),
    [
        (f"dbt_idx_{'0a' * 16}", True),
        (f"clustered_{'0a' * 16}", True),
        (f"nonclustered_{'0a' * 16}_incl_{'1b' * 16}", True),
        ("gold__next_fact_rental_cci", True),
        ("by_customer", False),
        ("dbt_idx_mine", False),
    ],
)
def test_the_indexes_that_dbt_makes_are_known_by_their_names(name: str, is_dbts: bool) -> None:
    assert carry.is_by_dbt(name) == is_dbts


def test_a_relation_that_moves_twice_is_known_by_where_it_was() -> None:
    steps = [
        *moves.back([Change("gold", "a", "table", "table")], 7, 6),
        *moves.back([Change("gold", "a", "table", "table")], 6, 5),
    ]
    assert batch.destinations(steps) == {
        ("gold", "a"): ("gold__g7", "a"),
        ("gold__g6", "a"): ("gold__g6", "a"),
        ("gold__g5", "a"): ("gold", "a"),
    }


def _batch(live: int) -> str:
    return batch.batch(
        moves.publish(CHANGES, live),
        ["if schema_id(N'gold__g4') is null exec(N'create schema [gold__g4]');"],
        [batch.executed("create or alter view [gold].[it's]]] as select 1 as a")],
        ["update ops.generations set status = 'live' where generation = 5"],
        target_schema="gold",
        live=live,
        patience=None,
    )


def _questions() -> Iterator[tuple[str, str]]:
    for name in ("carry", "copying", "engine", "outside", "refusals", "sessions"):
        for constant, text in vars(importlib.import_module(f"publishing.sqlserver.{name}")).items():
            if isinstance(text, str) and re.match(r"\s*select\b", text):
                yield f"{name}.{constant}", text


QUESTIONS = dict(_questions())


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_to_the_catalogue_is_t_sql(name: str) -> None:
    text = QUESTIONS[name].replace("values {}", "values ('a')").replace("{moving}", "1")
    text = text.replace("distinct {}", "distinct s.session_id").replace("{}", "1")
    assert not [str(one) for one in check(text.replace("?", "'x'"))]


def test_a_view_outside_is_unreadable_when_a_column_that_it_names_is_gone() -> None:
    view = OutsideView("reports", "v", {("gold", "a"): ("x", "y"), ("gold", "b"): ()})
    theirs = OutsideView("reports", "w", {("gold", "b"): ()}, is_ours=False)
    broken = OutsideView("reports", "z", {("gold", "a"): ("x",)}, is_broken=True)
    now = {("gold", "a"): {"x": "int", "y": "int"}, ("gold", "b"): {"k": "int"}}
    found = [view, theirs, broken]
    assert outside.unreadable(found, now, now) == []
    then = {("gold", "a"): {"x": "bigint"}, ("gold", "b"): {"k": "int", "l": "int"}}
    assert outside.unreadable(found, now, then) == [
        "reports.v reads gold.a.y, which is no more there.",
        "reports.w reads gold.b, whose columns change, and this login may not refresh it: grant it "
        "ALTER on reports.w.",
    ]
    assert outside.unreadable([view], now, {("gold", "b"): {}}) == [
        "reports.v reads gold.a, which is removed."
    ]


# ------------------------------------------------------------------ masks, of a catalogue

LIVE_AND_NEXT = ("gold", "dim"), ("gold__next", "dim")
MASKED = {"[gold].[dim]": [("email", "default()")], "[gold__next].[dim]": [("name", "email()")]}


def _catalogue(**answers: list[tuple[Any, ...]]) -> copying.Query:
    """Answers the questions of copying.py that are named, and all others by nothing.

    The live table has a mask on `email`, the next one of its own on `name`.
    """
    found = {getattr(copying, name): rows for name, rows in answers.items()}

    def query(statement: str, *values: object) -> list[tuple[Any, ...]]:
        if statement == copying._MASKS:
            return MASKED[str(values[0])]
        return found.get(statement, [])

    return query


@pytest.mark.parametrize("columns", [{"email", "name"}, {"name"}])
def test_a_mask_on_live_is_on_what_replaces_it(columns: set[str]) -> None:
    masks = [*carry.masks(_catalogue(_IS_MASKED=[(1,)]), *LIVE_AND_NEXT, columns)]
    assert masks == (["alter table [gold__next].[dim] alter column [email] add masked with "
                      "(function = 'default()')"] if "email" in columns else [])  # fmt: skip
    assert not any([*unparsable(one)] for one in masks)
    assert not [*carry.masks(_catalogue(), *LIVE_AND_NEXT, columns)]


@pytest.mark.parametrize("may", [0, 1])
def test_masked_values_are_copied_by_those_only_who_see_them(may: int) -> None:
    text = ("varchar", "sys", False, 20, 0, 0, None, True, *[False] * 5, 0)
    query = _catalogue(_IS_MASKED=[(1,)], _COLUMNS=[("email", *text)], _SEES=[(may,)])
    if not may:
        with pytest.raises(PublishError, match=r"gold\.dim has masks.*UNMASK"):
            copying.table(query, *LIVE_AND_NEXT)
        return
    (made, *_), _, _ = copying.table(query, *LIVE_AND_NEXT)
    assert "[email] varchar(20) masked with (function = 'default()') null" in made


# ------------------------------------------------------------------ on a server


@pytest.fixture
def connection(warehouse: SqlServerDatabase) -> Iterator[pyodbc.Connection]:
    with warehouse.connect() as connection:
        with connection.cursor() as cursor:
            ops.ensure_tables(cursor)
        yield connection


@pytest.fixture
def engine(connection: pyodbc.Connection) -> SqlServer:
    engine = engine_of(connection)
    assert isinstance(engine, SqlServer)
    for schema in ("gold", "silver"):
        engine.make_schema(schema)
    return engine


@pytest.fixture
def movable(engine: SqlServer) -> SqlServer:
    """An engine whose server can move what is in a schema to another one."""
    try:
        engine.execute("exec('create or alter view silver.probe as select 1 as a')")
        engine.execute("alter schema gold transfer silver.probe")
        engine.execute("drop view gold.probe")
    except pyodbc.Error as error:
        skip_for_want(f"this server can't move objects: {sqlserver.explain(error)}")
    return engine


def _lacks(engine: SqlServer, statement: str) -> bool:
    try:
        engine.query(statement)
    except pyodbc.Error:
        return True
    return False


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_schemas_are_known_made_and_dropped_with_what_is_in_them(engine: SqlServer) -> None:
    for schema in ("gold__next", "gold__next", "gold__g2", "gold__core"):
        engine.make_schema(schema)
    engine.execute("create table gold__next.a (id int not null primary key, [it's] varchar(5))")
    engine.execute("create table gold__next.b (id int references gold__next.a)")
    engine.execute("exec('create view gold__next.v as select id from gold__next.a')")
    assert engine.schemas_like("gold") == ["gold__g2", "gold__next"]
    assert engine.kinds(["gold__next", "gold"]) == {
        ("gold__next", "a"): "table",
        ("gold__next", "b"): "table",
        ("gold__next", "v"): "view",
    }
    assert engine.columns(["gold__next"]) == {
        ("gold__next", "a"): ["id", "it's"],
        ("gold__next", "b"): ["id"],
        ("gold__next", "v"): ["id"],
    }
    engine.drop_schemas(["gold__next", "gold__g9"])
    assert engine.schemas_like("gold") == ["gold__g2"]
    engine.execute("create table gold__g2.empty (id int)")
    assert not engine.has_rows(("gold__g2", "empty"))
    assert engine.kinds([]) == {} and engine.columns([]) == {} and engine.types([]) == {}
    assert engine.bytes([]) == {}


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_a_schema_that_something_elsewhere_needs_is_not_dropped(engine: SqlServer) -> None:
    engine.make_schema("gold__g2")
    engine.execute("create table gold__g2.a (id int not null primary key)")
    engine.execute("create table gold.b (id int references gold__g2.a)")
    with pytest.raises((PublishError, pyodbc.Error)):
        engine.drop_schemas(["gold__g2"])
    assert engine.kinds(["gold__g2"]) == {("gold__g2", "a"): "table"}
    assert engine.query("select @@trancount") == [(0,)]


TABLE = """
create table gold.fact (
    id int not null,
    name varchar(20) not null constraint fact_name_default default 'x',
    note nvarchar(max),
    amount numeric(12, 2) check (amount >= 0),
    ratio float,
    small real,
    at datetime2(3),
    code char(3) collate Latin1_General_CI_AS,
    raw varbinary(16),
    double_amount as (amount * 2),
    constraint fact_key primary key (id)
)
"""


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_a_copy_has_the_rows_columns_keys_and_indexes_of_its_original(engine: SqlServer) -> None:
    engine.execute(TABLE)
    engine.execute("create index by_name on gold.fact (name, at desc) include (amount)")
    engine.execute("create unique index by_code on gold.fact (code) where code is not null")
    engine.execute(
        "insert into gold.fact (id, note, amount, code, raw) "
        "values (1, N'ä', 1.5, 'abc', 0x01), (2, null, 2, 'd', null)"
    )
    engine.make_schema("gold__next")
    live, copy = ("gold", "fact"), ("gold__next", "fact")
    for _ in range(2):  # what an earlier build left is replaced
        assert engine.copy(live, copy) == 2
    types = engine.types([live, copy])
    assert types[copy] == types[live]
    assert list(types[copy]) == engine.columns(["gold"])[live]
    assert engine.query("select * from gold__next.fact order by id") == engine.query(
        "select * from gold.fact order by id"
    )
    assert _shapes(engine, copy) == _shapes(engine, live)
    engine.execute("insert into gold__next.fact (id) values (3)")
    assert engine.query("select name from gold__next.fact where id = 3") == [("x",)]
    for broken in ("(id) values (3)", "(id, amount) values (4, -1)", "(id, name) values (5, null)"):
        with pytest.raises(pyodbc.Error):
            engine.execute(f"insert into gold__next.fact {broken}")


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_a_copy_goes_on_counting_where_its_original_is(engine: SqlServer) -> None:
    engine.execute("create table gold.log (id bigint identity(10, 5) not null, a int)")
    engine.execute("insert into gold.log (a) values (1), (2)")
    engine.make_schema("gold__next")
    assert engine.copy(("gold", "log"), ("gold__next", "log")) == 2
    assert engine.has_rows(("gold__next", "log"))
    engine.execute("insert into gold__next.log (a) values (3)")
    assert engine.query("select id, a from gold__next.log order by id") == [
        *((10, 1), (15, 2), (20, 3))
    ]


def _shapes(engine: SqlServer, place: tuple[str, str]) -> list[tuple[Any, ...]]:
    # The beginnings of names: not every server leaves an index the whole name that it was given.
    return engine.query(
        "select left(i.name, 7), i.type, i.is_unique, i.is_primary_key, c.name, "
        "k.is_descending_key, k.is_included_column from sys.indexes as i "
        "inner join sys.index_columns as k on k.object_id = i.object_id "
        "and k.index_id = i.index_id inner join sys.columns as c on c.object_id = k.object_id "
        "and c.column_id = k.column_id where i.object_id = object_id(?) "
        "order by 1, k.is_included_column, k.key_ordinal",
        sqlserver.identifier(*place),
    )


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_the_next_table_gets_what_hands_gave_the_live_one(engine: SqlServer) -> None:
    engine.execute("create table gold.dim (id int not null, name varchar(20), old int)")
    engine.execute("create index mine on gold.dim (name)")
    engine.execute("create index same on gold.dim (id)")
    _describe(engine, ("gold", "dim"), None, "all films, it's said")
    _describe(engine, ("gold", "dim"), "name", "of the film")
    engine.execute("create role readers")
    engine.execute("grant select on gold.dim to readers")
    engine.make_schema("gold__next")
    engine.execute("create table gold__next.dim (id int not null, name varchar(20), fresh int)")
    engine.execute("create index other on gold__next.dim (id)")
    _describe(engine, ("gold__next", "dim"), "name", "as dbt says")
    engine.carry(("gold", "dim"), ("gold__next", "dim"), "gold", by_dbt=False)
    # `same` has its like there already.
    assert sorted(row[4] for row in _shapes(engine, ("gold__next", "dim"))) == ["id", "name"]
    described = engine.query(
        "select convert(varchar(100), value) from sys.extended_properties "
        "where major_id = object_id('gold__next.dim') order by minor_id"
    )
    assert [text for (text,) in described] == ["all films, it's said", "as dbt says"]
    rights = (
        "select permission_name, state_desc from sys.database_permissions "
        "where major_id = object_id(?)"
    )
    if not engine.query(rights, "gold.dim"):
        skip_for_want("this server doesn't say who was granted what")
    assert engine.query(rights, "gold__next.dim") == [("SELECT", "GRANT")]


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_a_mask_stays_on_the_next_table_and_on_a_copy(engine: SqlServer) -> None:
    try:
        engine.execute(
            "create table gold.dim (id int, email varchar(20) masked with (function = 'email()'))"
        )
    except pyodbc.Error as error:
        skip_for_want(f"this server has no masks: {sqlserver.explain(error)}")
    engine.execute("insert into gold.dim values (1, 'ada@example.org')")
    engine.make_schema("gold__next")
    live, next_ = ("gold", "dim"), ("gold__next", "dim")
    masks = copying.masks(engine.query, live)
    assert masks == {"email": "masked with (function = 'email()')"}
    engine.execute("create table gold__next.dim (id int, email varchar(20))")
    engine.carry(live, next_, "gold", by_dbt=False)
    assert copying.masks(engine.query, next_) == masks
    engine.copy(live, next_)
    assert copying.masks(engine.query, next_) == masks
    assert engine.query("select email from gold__next.dim") == [("ada@example.org",)]


def _describe(engine: SqlServer, place: tuple[str, str], column: str | None, text: str) -> None:
    of_column = f", 'COLUMN', '{column}'" if column else ""
    said = text.replace("'", "''")
    engine.execute(
        f"exec sp_addextendedproperty 'MS_Description', '{said}', 'SCHEMA', '{place[0]}', "
        f"'TABLE', '{place[1]}'{of_column}"
    )


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_a_lock_is_one_sessions_until_it_gives_it_back(
    engine: SqlServer, warehouse: SqlServerDatabase
) -> None:
    name = "medallion publish it's gold"
    with warehouse.connect() as connection:
        other = SqlServer(connection)
        assert other.try_lock(name)
        assert not engine.try_lock(name)
        if _lacks(engine, "select 1 from sys.dm_tran_locks"):
            other.unlock(name)
        else:
            assert "medallion test" in engine.lock_holder(name)
            other.unlock(name)
        assert engine.try_lock(name)
        engine.unlock(name)


@ON_SQLSERVER
@pytest.mark.sqlserver
@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("create table gold.child (id int references gold.dim)", "the foreign key"),
        ("exec('create trigger gold.watch on gold.dim after insert as select 1 as a')", "watch"),
        ("create synonym gold.dims for gold.dim", "neither a table nor a view"),
        (
            "exec('create view gold.bound with schemabinding as select id from gold.dim')",
            "gold.bound",
        ),
    ],
)
def test_what_cannot_follow_is_refused_by_name(engine: SqlServer, made: str, said: str) -> None:
    engine.execute("create table gold.dim (id int not null primary key)")
    places = [("gold", "dim"), ("gold", "dims")]
    if _lacks(engine, "select 1 from sys.security_predicates"):
        skip_for_want("this server has no security policies to ask for")
    assert engine.refusals(places) == []
    try:
        engine.execute(made)
    except pyodbc.Error as error:
        skip_for_want(f"this server: {sqlserver.explain(error)}")
    (refused,) = engine.refusals(places)
    assert said in refused and refused.startswith("gold.dim")


@ON_SQLSERVER
@pytest.mark.sqlserver
@pytest.mark.parametrize(
    "name", [one for one in QUESTIONS if one.startswith(("refusals.", "carry.", "copying."))]
)
def test_a_question_to_the_catalogue_has_an_answer(engine: SqlServer, name: str) -> None:
    text = QUESTIONS[name].format(moving="1")
    values = ["gold.nothing", 1][: text.count("?")]
    try:
        engine.query(text, *values)
    except pyodbc.Error as error:
        missing = re.search(r'relation "(sys\.\w+)" does not exist', str(error))
        if missing is None:
            raise
        skip_for_want(f"this server has no {missing[1]}")


# ------------------------------------------------------------------ the move, without a move


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_a_generation_becomes_live_once_and_a_stale_one_is_refused(engine: SqlServer) -> None:
    first, second = (_built(engine, 0) for _ in range(2))
    ledger = Ledger(engine.connection, "gold")
    _make_live(engine, first, live=0)
    assert ledger.live_number() == first
    for live in (0, second):
        with pytest.raises(StaleError):
            _make_live(engine, second, live=live)
    assert (ledger.live_number(), len(ledger.waiting())) == (first, 1)
    assert (ledger.counts(), json.loads(ledger.plan(first))) == ({}, {"a": "ä"})
    _make_live(engine, second, live=first)
    found = {one.number: one.status for one in ledger.all()}
    assert found == {first: "retired", second: "live"}


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_a_statement_that_fails_takes_back_all_before_it(
    engine: SqlServer, warehouse: SqlServerDatabase
) -> None:
    number = _built(engine, 0)
    ledger = [
        f"update ops.generations set status = 'live' where generation = {number}",
        "update ops.generations set status = 'nonsense'",
    ]
    with pytest.raises(Exception, match="status"):
        engine.move([], [], ledger, made=[], target_schema="gold", live=0, patience=None)
    assert engine.query("select @@trancount") == [(0,)]
    assert Ledger(engine.connection, "gold").live() is None


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_a_row_of_the_ledger_that_is_held_makes_a_publish_busy(
    engine: SqlServer, warehouse: SqlServerDatabase
) -> None:
    first, second = (_built(engine, 0) for _ in range(2))
    _make_live(engine, first, live=0)
    # Not every server that speaks T-SQL numbers its errors as SQL Server does.
    with pytest.raises(pyodbc.Error) as raised:
        engine.query("select 1 from gold.nothing")
    error = BusyError if sqlserver.explain(raised.value).number == 208 else WarehouseError
    with warehouse.connect() as other:
        other.execute("begin transaction")
        other.execute("update ops.generations set author = 'other'")
        with pytest.raises(error, match="lock"):
            _make_live(engine, second, live=first, patience=20)
        assert engine.query("select @@trancount, @@lock_timeout") == [(0, -1)]
        other.execute("rollback transaction")
    _make_live(engine, second, live=first)


def _make_live(engine: SqlServer, number: int, live: int, patience: int | None = None) -> None:
    ledger = [
        "update ops.generations set status = 'retired' where status = 'live'",
        f"update ops.generations set status = 'live' where generation = {number}",
    ]
    engine.move([], [], ledger, made=[], target_schema="gold", live=live, patience=patience)


def _built(engine: SqlServer, base: int, changes: Sequence[Change] = ()) -> int:
    ledger = Ledger(engine.connection, "gold")
    number = ledger.begin(
        "deploy", base, manifest_id=None, code_version=None, author=None, plan={"a": "ä"}
    )
    ledger.record_changes(number, changes)
    ledger.mark_built(number)
    return number


def _publisher(warehouse: SqlServerDatabase, seconds: float = 5) -> Publisher:
    def connect() -> pyodbc.Connection:
        return sqlserver.connect(warehouse.url, "medallion")

    return Publisher(connect, "gold", Patience(seconds))


# ------------------------------------------------------------------ the move


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_the_rights_on_what_moves_are_statements_for_where_it_goes(engine: SqlServer) -> None:
    engine.execute("create table gold.dim (id int, [it's] int)")
    engine.execute("create role readers; create role others")
    engine.execute("grant select on gold.dim to readers with grant option")
    engine.execute("grant update on gold.dim to others")
    place, to = ("gold", "dim"), ("gold__g1", "d'im")
    ((made,),) = engine.query("\n".join([*batch.rights({place: to}), "select @rights"]))
    if not engine.query("select 1 from sys.database_permissions where class = 1"):
        skip_for_want("this server doesn't say who was granted what")
    assert sorted(made.lower().split("; ")) == [
        "grant select on object::[gold__g1].[d'im] to [readers] with grant option",
        "grant update on object::[gold__g1].[d'im] to [others]",
    ]


@pytest.fixture
def published(movable: SqlServer, warehouse: SqlServerDatabase) -> int:
    """A table and two views are live, and what replaces them is built."""
    movable.execute("create table gold.dim (id int not null constraint dim_key primary key)")
    movable.execute("insert into gold.dim values (1)")
    movable.execute("exec('create view gold.names as select id from gold.dim')")
    movable.execute("exec('create view gold.all_names as select * from gold.names')")
    movable.make_schema("reports")
    movable.execute("exec('create view reports.every as select * from gold.dim')")
    movable.execute("create role readers; create role others")
    movable.execute("grant select on gold.dim to readers with grant option")
    movable.execute("deny select on gold.dim (id) to others")
    movable.execute("grant select on gold.names to readers")
    movable.make_schema("gold__next")
    movable.execute(
        "create table gold__next.dim (id int not null constraint dim_key primary key, "
        "name varchar(9) not null)"
    )
    movable.execute("insert into gold__next.dim values (1, 'one'), (2, 'two')")
    dim = f'"{warehouse.name}"."gold__next"."dim"'
    movable.execute(
        'exec(\'create view "gold__next"."names" as '
        f"select id, name, ''gold__next.dim'' as said from {dim}')"
    )
    movable.execute(
        "exec('create view gold__next.all_names as select * from [gold__next].[names]')"
    )
    for name in ("dim", "names", "all_names"):
        movable.carry(("gold", name), ("gold__next", name), "gold", by_dbt=False)
    builds = [("gold", "dim", "table"), ("gold", "names", "view"), ("gold", "all_names", "view")]
    return _built(movable, 0, changes_of(movable, builds, []))


_RIGHTS = (
    "select object_name(p.major_id), p.state_desc, p.permission_name, user_name("
    "p.grantee_principal_id), p.minor_id from sys.database_permissions as p "
    "where p.class = 1 and object_schema_name(p.major_id) = 'gold' order by 1, 4, 5"
)


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_a_build_goes_live_whole_and_comes_back_whole(
    movable: SqlServer, published: int, warehouse: SqlServerDatabase
) -> None:
    rights = movable.query(_RIGHTS)
    assert len(rights) == 3
    publisher = _publisher(warehouse)
    publisher.publish(published)
    new = [(1, "one", "gold__next.dim"), (2, "two", "gold__next.dim")]
    assert movable.query("select * from gold.all_names order by id") == new
    assert movable.query("select * from reports.every order by id") == [(1, "one"), (2, "two")]
    assert movable.kinds(["gold__next"]) == {}
    assert movable.query(_RIGHTS) == rights
    publisher.rollback(0)
    assert movable.query("select * from gold.all_names") == [(1,)]
    assert movable.query("select * from reports.every") == [(1,)]
    assert movable.query(_RIGHTS) == rights
    publisher.rollback(published)
    assert movable.query("select * from gold.all_names order by id") == new
    assert movable.query(_RIGHTS) == rights


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_a_reader_makes_a_publish_give_up_with_live_unchanged(
    movable: SqlServer, published: int, warehouse: SqlServerDatabase
) -> None:
    with warehouse.connect() as reader:
        reader.execute("set transaction isolation level repeatable read; begin transaction")
        reader.execute("select id from gold.dim").fetchall()
        with pytest.raises(BusyError, match="medallion test"):
            _publisher(warehouse, seconds=1).publish(published)
        assert movable.query("select * from gold.all_names") == [(1,)]
        reader.execute("rollback transaction")
    _publisher(warehouse).publish(published)


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_a_view_outside_that_reads_a_column_which_is_gone_stops_a_publish(
    movable: SqlServer, published: int, warehouse: SqlServerDatabase
) -> None:
    publisher = _publisher(warehouse)
    publisher.publish(published)
    movable.execute("exec('create view reports.named as select name from gold.dim')")
    with pytest.raises(PublishError, match=r"reports\.named"):
        publisher.rollback(0)
    assert len(movable.query("select * from gold.dim")) == 2


@ON_SQLSERVER
@pytest.mark.sqlserver
def test_a_view_is_made_again_by_its_definition(
    movable: SqlServer, published: int, warehouse: SqlServerDatabase
) -> None:
    places = [("gold", "all_names"), ("gold", "names")]
    rights, made = movable.query(_RIGHTS), movable.definitions(places)
    for schema, name in places:
        movable.execute(f"drop view {schema}.{name}")
    number = _built(movable, 0)
    _publisher(warehouse).publish(number)
    movable.move(
        *([], [], []),
        made=[made[one] for one in places],
        target_schema="gold",
        live=number,
        patience=None,
    )
    assert movable.query("select * from gold.all_names") == [(1,)]
    assert movable.query(_RIGHTS) == rights

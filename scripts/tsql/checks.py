"""Finds, in one T-SQL statement, what SQL Server would refuse or understand in another way.

sqlfluff and sqlglot both read T-SQL leniently: neither minds `group by 1`, `select a > b` or
`date_trunc()`. So after their parse errors come checks of the project's own: of the tokens
(words that T-SQL doesn't have) and of the tree (what stands where it can't).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import sqlglot
from sqlfluff.core import FluffConfig, Linter
from sqlfluff.dialects.dialect_tsql_keywords import RESERVED_KEYWORDS
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokens import TokenType

from tsql import vocabulary

Node = Any  # sqlglot's classes are compiled: mypy sees none of them
Complaint = tuple[Node, str]


@dataclass(frozen=True, order=True)
class Finding:
    """`line` counts from 1 in the statement."""

    line: int
    message: str


def check(statement: str, *, thorough: bool = True) -> list[Finding]:
    """All findings of a statement, in the order of its lines.

    sqlfluff's parser takes 20 times as long as all the rest: `thorough=False` leaves it out.
    """
    findings = {*words(statement), *structure(statement)}
    # A parse error says less than the check that knows the remedy, and often comes with it.
    findings = findings or set(unparsable(statement))
    return sorted(findings or set(grammar(statement) if thorough else []))


# ------------------------------------------------------------------ grammar


def grammar(statement: str) -> Iterator[Finding]:
    """What sqlfluff can't parse as T-SQL: reserved words as names, clauses out of place."""
    parsed = tsql_linter().parse_string(statement.strip())
    offset = statement[: len(statement) - len(statement.lstrip())].count("\n")
    for violation in parsed.violations:
        what = violation.desc().rpartition("Found ")[2]
        yield Finding(violation.line_no + offset, f"not T-SQL: {what}")


@lru_cache(maxsize=1)
def parse(statement: str) -> list[Node] | SqlglotError:
    try:
        return list(sqlglot.parse(statement, read="tsql"))
    except SqlglotError as error:
        return error


def unparsable(statement: str) -> Iterator[Finding]:
    """What sqlglot can't parse as T-SQL."""
    error = parse(statement)
    if isinstance(error, SqlglotError):
        where = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
        what = f"unexpected `{where['highlight']}`" if where.get("highlight") else str(error)
        yield Finding(where.get("line") or 1, f"not T-SQL: {what}")


@cache
def tsql_linter() -> Linter:
    return Linter(config=FluffConfig(overrides={"dialect": "tsql", "templater": "raw"}))


# ------------------------------------------------------------------ words

STRING, NAME = "'…'", '"…"'

BEFORE_A_VALUE = r"(and|by|else|in|not|on|or|select|then|when|where)\b"

# Patterns over the statement's tokens: lower case, one blank between them, strings and quoted
# names masked.
WORDS = {
    r"\blimit\b": "`limit` is not T-SQL: filter or rank the rows instead",
    r"::|: :": "`::` is not T-SQL: write cast(… as …)",
    r"\bilike\b": "`ilike` is not T-SQL: compare lower(…) like …",
    r"\bdistinct on \(": "`distinct on` is not T-SQL: use row_number() and keep the first row",
    r"\) filter \(": "`filter (where …)` is not T-SQL: aggregate a case expression",
    r"\bnulls (first|last)\b": "`nulls first/last` is not T-SQL: sort by a case expression first",
    r"\blateral\b": "`lateral` is not T-SQL: join a grouped CTE, or dispatch `cross apply`",
    r"\bwith recursive\b": "`recursive` is not T-SQL",
    r"\binterval\b": "`interval` is not T-SQL: use dbt.dateadd(…)",
    r"\bcurrent_date\b": "current_date is not T-SQL: cast current_utc_timestamp() as date",
    r"\b(current_time|localtime|localtimestamp)\b": (
        "not T-SQL: use medallion.current_utc_timestamp()"
    ),
    r"\b(true|false)\b": "T-SQL has no true and false: use medallion.bool_literal(…) or is_true(…)",
    r"\|\|": "`||` is not T-SQL before 2025: use dbt.concat([…])",
    r"\bstring_agg \( distinct\b": "string_agg can't be distinct on T-SQL: make the rows distinct",
    r"\bnatural (inner |left |right |full |cross )?join\b": "`natural join` is not T-SQL: use `on`",
    r"\bis (not )?distinct from\b": (
        "`is distinct from` is T-SQL only since 2022: compare and test for null"
    ),
    r"~~|~\*": "`~~` and `~*` are not T-SQL: use like, or medallion.matches_regex(…)",
    rf"(\)|{STRING}|{NAME}|\b(?!{BEFORE_A_VALUE})\w+) (! )?~ ": (
        "`~` is not a T-SQL comparison: use medallion.matches_regex(…)"
    ),
    r"\bsimilar to\b": "`similar to` is not T-SQL: use like",
    rf"\b(date|time|timestamp) {STRING}": "typed literals are not T-SQL: write cast('…' as date)",
    rf"\barray {NAME}": "T-SQL has no arrays: dispatch by engine",
    r"\b(ignore|respect) nulls\b": "`ignore nulls` is T-SQL only since 2022",
    rf"\bwindow (\w+|{NAME}) as \(": "`window` is T-SQL only since 2022: repeat the `over (…)`",
    r"\btrim \( (both|leading|trailing)\b": "T-SQL's trim() takes one text before 2022",
    r"\bfor update\b": "`for update` is not T-SQL",
}


def words(statement: str) -> Iterator[Finding]:
    """What the tokens alone tell."""
    try:
        tokens = sqlglot.tokenize(statement, read="tsql")
    except SqlglotError:
        return
    spelled = [spelling(token) for token in tokens]
    starts, text = [], ""
    for word in spelled:
        starts.append(len(text))
        text += word + " "
    for pattern, message in WORDS.items():
        for match in re.finditer(pattern, text):
            yield Finding(tokens[bisect_right(starts, match.start()) - 1].line, message)
    for index, token in enumerate(tokens):
        for wrong in filter(None, (rule(spelled, index) for rule in TOKEN_RULES)):
            yield Finding(token.line, wrong)


def spelling(token: Node) -> str:
    if token.token_type in (TokenType.STRING, TokenType.NATIONAL_STRING):
        return STRING
    if token.token_type == TokenType.IDENTIFIER:
        return NAME
    return str(token.text).lower()


def arguments(spelled: list[str], index: int) -> list[int]:
    """The tokens directly inside the parenthesis that opens after `index`."""
    depth, inside = 0, []
    for position in range(index + 1, len(spelled)):
        depth -= spelled[position] == ")"
        if depth == 1:
            inside.append(position)
        depth += spelled[position] == "("
        if depth == 0:
            break
    return inside


def wrong_type(spelled: list[str], index: int) -> str | None:
    """In `cast(… as <type>)`: a type that T-SQL doesn't have, or one without its size."""
    if spelled[index] not in ("cast", "try_cast") or spelled[index + 1 : index + 2] != ["("]:
        return None
    inside = arguments(spelled, index)
    for position in inside:
        if spelled[position] == "as":
            name = spelled[position + 1]
            if name in vocabulary.TYPES:
                return f"{name} is not a T-SQL type: use {vocabulary.TYPES[name]}"
            if name in vocabulary.TYPES_THAT_NEED_A_SIZE and spelled[position + 2] != "(":
                return f"{name} without a size cuts its values on T-SQL: write {name}(…)"
    return None


def wrong_string_agg(spelled: list[str], index: int) -> str | None:
    if spelled[index] == "string_agg" and any(
        spelled[position].startswith("order") for position in arguments(spelled, index)
    ):
        return "string_agg sorts by `within group` on T-SQL: use dbt.listagg(…)"
    return None


def wrong_function(spelled: list[str], index: int) -> str | None:
    """Sqlglot gives some functions a form of their own, without the name that was written."""
    name, called = spelled[index], spelled[index + 1 : index + 2] == ["("]
    if called and name in vocabulary.REMEDIES and spelled[index - 1 : index] != ["."]:
        return not_a_function(name)
    return None


def not_a_function(name: str) -> str:
    remedy = vocabulary.REMEDIES.get(name, "a macro dispatched by engine")
    return f"{name}() is not a T-SQL function: use {remedy}"


TOKEN_RULES = (wrong_type, wrong_string_agg, wrong_function)


# ------------------------------------------------------------------ structure


def structure(statement: str) -> Iterator[Finding]:
    """What the parsed tree tells."""
    trees = parse(statement)
    if isinstance(trees, SqlglotError):
        return
    for tree in trees:
        if isinstance(tree, (exp.Query, exp.Create, exp.DML)):
            for complain in COMPLAINTS:
                for node, message in complain(tree, statement):
                    yield Finding(line_of(node), message)


def line_of(node: Node) -> int:
    """The first line that anything in the node is known to be on."""
    lines = [part.meta["line"] for part in node.walk() if "line" in part.meta]
    return min(lines, default=line_of(node.parent) if node.parent else 1)


def start_of(node: Node) -> int:
    return min((part.meta["start"] for part in node.walk() if "start" in part.meta), default=-1)


def unknown_functions(tree: Node, statement: str) -> Iterator[Complaint]:
    for function in tree.find_all(exp.Func):
        parent = function.parent
        qualified = isinstance(parent, exp.Dot) or (
            isinstance(parent, exp.Table) and parent.args.get("db")
        )
        if qualified or "start" not in function.meta:
            continue
        written = statement[function.meta["start"] : function.meta["end"] + 1]
        name = written.strip('[]"').lower()
        if name not in vocabulary.FUNCTIONS:
            yield function, not_a_function(name)


VALUE_AS_CONDITION = (
    "a value where T-SQL wants a condition: compare it, or use medallion.is_true(…)"
)
CONDITION_AS_VALUE = "a condition where T-SQL wants a value: use medallion.to_boolean(…) or a case"
CONDITION_AS_ALIAS = "`a = b` as a column renames b to a on T-SQL: use medallion.to_boolean(…)"


def conditions_and_values(tree: Node, statement: str) -> Iterator[Complaint]:
    """T-SQL has no boolean values: a condition is never a value, a value never a condition."""
    for node in tree.walk():
        if isinstance(node, (exp.Paren, exp.Alias)):
            continue
        place = node
        while isinstance(place.parent, exp.Paren):
            place = place.parent
        if asks_for_condition(place):
            if not is_condition(node):
                yield node, VALUE_AS_CONDITION
        elif is_condition(node) and not is_assignment(place):
            yield node, CONDITION_AS_VALUE
    for alias in tree.find_all(exp.Alias):
        written_first = -1 < start_of(alias.args["alias"]) < start_of(alias.this)
        if written_first and isinstance(alias.parent, exp.Select):
            yield alias, CONDITION_AS_ALIAS


def is_condition(node: Node) -> bool:
    if isinstance(node, (exp.Any, exp.All)):
        return False
    if isinstance(node, (exp.Predicate, exp.Connector, exp.Not, exp.RegexpLike)):
        return True
    return isinstance(node, exp.Anonymous) and node.name.lower() in vocabulary.CONDITION_FUNCTIONS


def asks_for_condition(place: Node) -> bool:
    parent, key = place.parent, place.arg_key
    if isinstance(parent, (exp.Where, exp.Having, exp.Connector, exp.Not)):
        return True
    if isinstance(parent, exp.If):
        simple_case = isinstance(parent.parent, exp.Case) and parent.parent.this is not None
        return key == "this" and not simple_case
    if isinstance(parent, (exp.Join, exp.Merge)):
        return bool(key == "on")
    if isinstance(parent, exp.When):
        return bool(key == "condition")
    return isinstance(parent, exp.CheckColumnConstraint)


def is_assignment(place: Node) -> bool:
    """`set a = b`, and what isn't an expression at all."""
    return isinstance(place, exp.PropertyEQ) or (
        isinstance(place, exp.EQ) and isinstance(place.parent, exp.Update)
    )


def ordinals(tree: Node, statement: str) -> Iterator[Complaint]:
    for group in tree.find_all(exp.Group):
        select = group.parent
        aliases = {
            column.alias.lower(): column.this
            for column in select.expressions
            if isinstance(column, exp.Alias)
        }
        for key in group.expressions:
            if isinstance(key, exp.Literal):
                yield key, "`group by` a number is not T-SQL: repeat the expression"
            elif isinstance(key, exp.Column) and not key.table and key.name.lower() in aliases:
                source = aliases[key.name.lower()]
                columns = {column.name.lower() for column in source.find_all(exp.Column)}
                if key.name.lower() not in columns:
                    yield key, "`group by` an alias is not T-SQL: repeat the expression"


def misplaced_clauses(tree: Node, statement: str) -> Iterator[Complaint]:
    for node in tree.find_all(exp.With):
        if node.parent is not tree and not isinstance(node.parent.parent, exp.Create):
            yield node, "`with` inside a query is not T-SQL: make it a CTE at the top"
    for node in tree.find_all(exp.Query):
        inner = isinstance(node.parent, (exp.CTE, exp.Subquery, exp.Create, exp.In))
        args = node.args
        sorts = args.get("order") and not (args.get("limit") or args.get("offset"))
        if inner and sorts and not args.get("for_"):
            yield args["order"], "`order by` in a view, CTE or subquery is not T-SQL: leave it out"
    for node in tree.find_all(exp.Join):
        if node.args.get("using"):
            yield node, "`using` is not T-SQL: write `on` with both columns"
    for node in tree.find_all(exp.In):
        if isinstance(node.this, exp.Tuple):
            yield node, "a row of values before `in` is not T-SQL: use exists or a join"


def unnamed(tree: Node, statement: str) -> Iterator[Complaint]:
    for node in tree.find_all(exp.Subquery, exp.Values):
        alias = node.args.get("alias")
        source = isinstance(node.parent, (exp.From, exp.Join))
        if source and not (alias and alias.name):
            yield node, "a subquery in `from` needs a name on T-SQL"
        elif source and isinstance(node, exp.Values) and not alias.columns:
            yield node, "`values` needs names for its columns on T-SQL: as t (a, b)"
    for query in tree.find_all(exp.Query):
        parent = query.parent
        alias = parent.args.get("alias") if parent else None
        named_outside = isinstance(alias, exp.TableAlias) and alias.columns
        derived = isinstance(parent, exp.Subquery) and isinstance(
            parent.parent, (exp.From, exp.Join)
        )
        if named_outside or not (derived or isinstance(parent, (exp.CTE, exp.Create))):
            continue
        for column in query.selects:
            if not isinstance(column, (exp.Alias, exp.Column, exp.Star, exp.Dot)):
                yield column, "a column without a name is not T-SQL here: give it an alias"


def reserved_names(tree: Node, statement: str) -> Iterator[Complaint]:
    for name in tree.find_all(exp.Identifier):
        value = isinstance(name.parent, exp.Column) and (
            name.name.lower() in vocabulary.VALUES
            or (name.name.lower() == "default" and is_assignment(name.parent.parent))
        )
        if name.name.upper() in RESERVED_KEYWORDS and not name.quoted and not value:
            yield name, f"`{name.name}` is reserved on T-SQL: take another name, or quote it"


NEED_ORDER = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.Ntile)


def aggregates(tree: Node, statement: str) -> Iterator[Complaint]:
    for node in tree.find_all(exp.Window):
        if isinstance(node.this, NEED_ORDER) and not node.args.get("order"):
            yield node, "this window function needs `order by` in its `over` on T-SQL"
    for node in tree.find_all(exp.AggFunc):
        if node.find(exp.Query):
            yield node, "an aggregate of a subquery is not T-SQL: compute the value in a CTE first"
    for node in tree.find_all(exp.Count):
        if isinstance(node.this, exp.Distinct) and len(node.this.expressions) > 1:
            yield node, "count(distinct …) takes one column on T-SQL: count over a distinct CTE"
    for node in tree.find_all(exp.PercentileCont, exp.PercentileDisc):
        if not node.find_ancestor(exp.Window):
            yield node, "percentile_cont/disc need `over (…)` on T-SQL: dispatch by engine"


def arithmetic(tree: Node, statement: str) -> Iterator[Complaint]:
    for node in tree.find_all(exp.Add, exp.Sub):
        if any(is_date(side) for side in (node.left, node.right)):
            yield node, "dates can't be added or subtracted on T-SQL: use dbt.dateadd or datediff"
    for node in tree.find_all(exp.Round):
        if not node.args.get("decimals"):
            yield node, "round() needs the number of digits on T-SQL: round(…, 0)"


def is_date(node: Node) -> bool:
    """By its cast, or by the project's names for columns: `<event>_at`, `<event>_date`."""
    if isinstance(node, exp.Cast):
        return node.to.this in (exp.DType.DATE, exp.DType.DATETIME2, exp.DType.TIMESTAMP)
    return isinstance(node, exp.Column) and node.name.lower().endswith(("_at", "_date"))


COMPLAINTS: tuple[Callable[[Node, str], Iterator[Complaint]], ...] = (
    unknown_functions,
    conditions_and_values,
    ordinals,
    misplaced_clauses,
    reserved_names,
    unnamed,
    aggregates,
    arithmetic,
)

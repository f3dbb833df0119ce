"""The one batch of a publish: a transaction that the server runs without a round trip in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from common.sqlserver import identifier, literal
from publishing.errors import PublishError
from publishing.moves import Move

Place = tuple[str, str]

# The number of the error that says that another generation has become live.
STALE = 50001

_EXECUTED = re.compile(r"exec\(N'((?:[^']|'')*)'\);")

# What others may do with what moves, as statements for where it goes: the move itself drops them.
# A right on the whole table takes back what was denied on a column, so those come first. The
# server's own words have a collation of theirs, which goes with no other unless one is named.
_RIGHTS = """declare @rights nvarchar(max);
select @rights = string_agg(cast(
    case p.state when 'W' then 'grant' else p.state_desc end + ' '
    + p.permission_name collate database_default + coalesce(' (' + quotename(c.name) + ')', '')
    + ' on object::' + moved.destination + case p.state when 'R' then ' from ' else ' to ' end
    + quotename(u.name) + case p.state when 'W' then ' with grant option' else '' end
    as nvarchar(max)
), '; ') within group (order by p.minor_id)
from (values {}) as moved (place, destination)
inner join sys.database_permissions as p on p.class = 1 and p.major_id = object_id(moved.place)
inner join sys.database_principals as u on u.principal_id = p.grantee_principal_id
left join sys.columns as c
    on c.object_id = p.major_id and c.column_id = p.minor_id and p.minor_id > 0;"""


def destinations(moves: Iterable[Move]) -> dict[Place, Place]:
    """Where each relation ends, by where it is before the first of these moves."""
    origin: dict[Place, Place] = {}
    found: dict[Place, Place] = {}
    for move in moves:
        first = origin.pop((move.schema, move.name), (move.schema, move.name))
        origin[move.to, move.name] = first
        found[first] = (move.to, move.name)
    return found


def batch(
    moves: Sequence[Move],
    schemas: Sequence[str],
    views: Sequence[str],
    ledger: Sequence[str],
    *,
    target_schema: str,
    live: int,
    patience: int | None,
) -> str:
    """The transaction: `schemas` make those that are missing, `views` make views read live.

    A lock that isn't free within `patience` milliseconds, at once if that is None, is error 1222;
    that the generation `live` is not live any more is error 50001. Either takes back all of it.
    """
    steps = [
        "set nocount on; set xact_abort on; set deadlock_priority low;",
        f"set lock_timeout {patience or 0};",
        # For the errors that `xact_abort` lets pass, such as those of a view's syntax.
        "begin try",
        "begin transaction;",
        _guard(target_schema, live),
        *schemas,
        *rights(destinations(moves)),
        *map(_transfer, moves),
        # In a batch of their own: only now do the names mean what they are to be given on.
        *(["if @rights is not null exec(@rights);"] if moves else []),
        *views,
        *(f"{statement};" for statement in ledger),
        "commit transaction;",
        "end try",
        "begin catch",
        "if @@trancount > 0 rollback transaction;",
        "throw;",
        "end catch;",
    ]
    return "\n".join(steps)


def after(views: Iterable[Place], reads: Mapping[Place, Iterable[Place]]) -> list[Place]:
    """Views in an order in which each comes after those that it reads, as far as there is one."""
    ordered: list[Place] = []
    seen: set[Place] = set()
    todo = set(views)

    def visit(view: Place) -> None:
        if view in seen:
            return
        seen.add(view)
        for other in sorted(reads.get(view, ())):
            if other in todo:
                visit(other)
        ordered.append(view)

    for view in sorted(todo):
        visit(view)
    return ordered


def executed(statement: str) -> str:
    """A statement that must stand alone, such as the one that makes a view."""
    return f"exec({literal(statement)});"


def text_of(statement: str) -> str:
    """What the first `executed` in it executes. Raises PublishError if there is none."""
    match = _EXECUTED.match(statement)
    if match is None:
        raise PublishError("Not published: the ledger has a view that this version can't read.")
    return match[1].replace("''", "'")


def refreshed(place: Place) -> str:
    """A view learns anew which columns what it reads has."""
    return f"exec sp_refreshsqlmodule @name = {literal(identifier(*place))};"


def _guard(target_schema: str, live: int) -> str:
    # The row itself is locked, or the place where one would be: of two publishers one is refused.
    rows = (
        "select 1 from ops.generations with (updlock, rowlock, holdlock) "
        f"where target_schema = {literal(target_schema)} and status = 'live'"
    )
    if live:
        said = f"generation {live} is not live any more"
        return f"if not exists ({rows} and generation = {live}) throw {STALE}, '{said}', 1;"
    return f"if exists ({rows}) throw {STALE}, 'a generation is live by now', 1;"


def rights(moved: Mapping[Place, Place]) -> list[str]:
    """What fills @rights with the statements that give each its rights again where it goes."""
    rows = ", ".join(
        f"({literal(identifier(*place))}, {literal(identifier(*destination))})"
        for place, destination in moved.items()
    )
    return [_RIGHTS.format(rows)] if rows else []


def _transfer(move: Move) -> str:
    # It takes Sch-M on what moves, for which even readers with `nolock` would wait.
    return f"alter schema {identifier(move.to)} transfer {identifier(move.schema, move.name)};"

"""What can't follow a relation that is replaced: found before anything is locked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Place = tuple[str, str]

# Kind of the thing, its name and the relation that it hangs on: table oids in `moving`.
_HANGING = """
with moving as (select unnest(%s::oid[]) as oid),
-- What goes along, or belongs to another generation, which keeps what it has.
other as (
    select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname ~ '__(next|g[0-9]+)$'
    union all
    table moving
)
select 'the trigger', t.tgname, t.tgrelid from pg_trigger t join moving m on m.oid = t.tgrelid
where not t.tgisinternal
union all
select 'the rule', r.rulename, r.ev_class from pg_rewrite r join moving m on m.oid = r.ev_class
where r.rulename <> '_RETURN'
union all
select distinct 'the rule', r.rulename || ' of ' || r.ev_class::regclass, d.refobjid
from pg_depend d join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
join moving m on m.oid = d.refobjid
where d.refclassid = 'pg_class'::regclass and r.rulename <> '_RETURN' and r.ev_class <> m.oid
union all
select distinct 'the policy', p.polname || ' of ' || p.polrelid::regclass, d.refobjid
from pg_depend d join pg_policy p on p.oid = d.objid and d.classid = 'pg_policy'::regclass
join moving m on m.oid = d.refobjid
where d.refclassid = 'pg_class'::regclass and p.polrelid <> m.oid
union all
select distinct 'what has its row type:', pg_describe_object(d.classid, d.objid, d.objsubid), c.oid
from pg_class c join moving m on m.oid = c.oid join pg_type t on t.oid = c.reltype
join pg_depend d on d.refclassid = 'pg_type'::regclass and d.refobjid in (t.oid, t.typarray)
and d.deptype = 'n'
where d.classid <> 'pg_class'::regclass or d.objid not in (table other)
union all
select 'the foreign key', c.conname, c.confrelid from pg_constraint c
join moving m on m.oid = c.confrelid where c.contype = 'f' and c.conrelid not in (table other)
union all
select 'row level security', coalesce(p.polname, 'without a policy'), c.oid
from pg_class c join moving m on m.oid = c.oid left join pg_policy p on p.polrelid = c.oid
where c.relrowsecurity or p.oid is not null
union all
select 'the publication', p.pubname, r.prrelid from pg_publication_rel r
join moving m on m.oid = r.prrelid join pg_publication p on p.oid = r.prpubid
union all
select 'the child table', c.relname, i.inhparent from pg_inherits i
join moving m on m.oid = i.inhparent join pg_class c on c.oid = i.inhrelid
union all
select 'the parent table', c.relname, i.inhrelid from pg_inherits i
join moving m on m.oid = i.inhrelid join pg_class c on c.oid = i.inhparent
union all
select 'the security label', s.provider, s.objoid from pg_seclabel s
join moving m on m.oid = s.objoid
where s.classoid = 'pg_class'::regclass
union all
select 'the materialized view', n.nspname || '.' || v.relname, d.refobjid
from pg_depend d join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
join pg_class v on v.oid = r.ev_class and v.relkind = 'm'
join pg_namespace n on n.oid = v.relnamespace join moving m on m.oid = d.refobjid
union all
select distinct 'the function', p.oid::regprocedure::text, d.refobjid
from pg_depend d join pg_proc p on p.oid = d.objid and d.classid = 'pg_proc'::regclass
join moving m on m.oid = d.refobjid where d.refclassid = 'pg_class'::regclass
"""

_REMEDY = "Drop it, or leave this model out (`blue_green.py run --select`)"


def hanging(query: Callable[..., list[Any]], oids: Mapping[int, Place]) -> list[str]:
    """What hangs on these live relations and would stay with the old ones."""
    return sorted(
        {
            f"{'.'.join(oids[oid])}: {kind} {name} can't follow it. {_REMEDY}, then publish again."
            for kind, name, oid in query(_HANGING, list(oids))
        }
    )


def wrong_kinds(kinds: Mapping[Place, str], places: Iterable[Place]) -> list[str]:
    """Relations of a kind that can't be moved, such as materialized views."""
    return [
        f"{'.'.join(place)} is neither a table nor a view, and only those can be replaced."
        for place in places
        if kinds.get(place, "table") not in ("table", "view")
    ]


def unreadable(views: Iterable[Any], new_columns: Mapping[Place, Mapping[str, str]]) -> list[str]:
    """Views outside that read a column which the new relation has no more, or with another type."""
    found = []
    for view in views:
        if view.is_temporary:
            found.append(f"{view} is a temporary view of another session: end that session.")
            continue
        if not view.can_be_made:
            found.append(
                f"{view} belongs to {view.owner} and has to be made anew: make this role a member "
                "of it that may create in its schema."
            )
        for schema, relation, column, type_ in sorted(view.reads):
            columns = new_columns.get((schema, relation))
            if columns is None:
                found.append(f"{view} reads {schema}.{relation}, which is removed.")
            elif column not in columns:
                found.append(f"{view} reads {schema}.{relation}.{column}, which is no more there.")
            elif columns[column] != type_:
                found.append(
                    f"{view} reads {schema}.{relation}.{column} as {type_}; it is now "
                    f"{columns[column]}."
                )
    return found

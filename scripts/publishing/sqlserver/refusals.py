"""What can't follow a relation that is replaced: found before anything is locked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from publishing.names import is_live

Place = tuple[str, str]
Query = Callable[..., list[tuple[Any, ...]]]

# Schema, relation, the kind of the thing, its name. `moving` are the ids of what is replaced.
_OF_TABLES = """
select schema_name(t.schema_id), t.name, 'the setting', said.setting
from sys.tables as t
cross apply (values
    (case when t.temporal_type <> 0 then 'system versioning' end),
    (case when t.is_tracked_by_cdc = 1 then 'change data capture' end),
    (case when t.is_published = 1 or t.is_merge_published = 1 or t.is_replicated = 1
        then 'replication' end),
    (case when t.is_memory_optimized = 1 then 'memory optimization' end),
    (case when t.is_filetable = 1 then 'file table' end)
) as said (setting)
where t.object_id in ({moving}) and said.setting is not null
"""
_TRIGGERS = """
select object_schema_name(parent_id), object_name(parent_id), 'the trigger', name
from sys.triggers where parent_id in ({moving})
"""
# One that a generation keeps follows the table that it was about.
_FOREIGN_KEYS = """
select object_schema_name(referenced_object_id), object_name(referenced_object_id),
    'the foreign key', name, object_schema_name(parent_object_id)
from sys.foreign_keys
where referenced_object_id in ({moving}) and parent_object_id not in ({moving})
"""
_BOUND = """
select distinct object_schema_name(d.referenced_id), object_name(d.referenced_id),
    'the schemabound object', schema_name(o.schema_id) + '.' + o.name
from sys.sql_expression_dependencies as d
inner join sys.objects as o on o.object_id = d.referencing_id
where d.referenced_class = 1 and d.is_schema_bound_reference = 1
    and d.referenced_id in ({moving}) and o.type in ('V', 'FN', 'IF', 'TF', 'P', 'SP')
    and o.object_id not in ({moving})
"""
_OF_VIEWS = """
select object_schema_name(object_id), object_name(object_id), 'the setting',
    case when [definition] is null then 'encryption' when is_schema_bound = 1 then 'schemabinding'
        else 'quoted_identifier off' end
from sys.sql_modules
where object_id in ({moving})
    and ([definition] is null or is_schema_bound = 1 or uses_quoted_identifier = 0)
"""
_POLICIES = """
select object_schema_name(s.target_object_id), object_name(s.target_object_id),
    'the security policy', p.name
from sys.security_predicates as s
inner join sys.security_policies as p on p.object_id = s.object_id
where s.target_object_id in ({moving})
"""
_CHANGE_TRACKING = """
select object_schema_name(object_id), object_name(object_id), 'the setting', 'change tracking'
from sys.change_tracking_tables where object_id in ({moving})
"""
_INDEXES = """
select object_schema_name(i.object_id), object_name(i.object_id),
    case when s.name is not null then 'the partition scheme' else 'the index' end,
    coalesce(s.name, i.name)
from sys.indexes as i
left join sys.partition_schemes as s on s.data_space_id = i.data_space_id
where i.object_id in ({moving})
    and (s.name is not null or i.type not in (0, 1, 2, 5, 6))
"""
_FULL_TEXT = """
select object_schema_name(object_id), object_name(object_id), 'the setting', 'full-text index'
from sys.fulltext_indexes where object_id in ({moving})
"""
QUERIES = (
    *(_OF_TABLES, _TRIGGERS, _FOREIGN_KEYS, _BOUND, _OF_VIEWS, _POLICIES, _CHANGE_TRACKING),
    *(_INDEXES, _FULL_TEXT),
)

_REMEDY = "Drop it, or leave this model out (`blue_green.py run --select`)"


def hanging(query: Query, ids: Iterable[int]) -> list[str]:
    """What hangs on these live relations and would stay with the old ones."""
    moving = ", ".join(map(str, ids))
    if not moving:
        return []
    return sorted(
        {
            f"{schema}.{name}: {kind} {thing} can't follow it. {_REMEDY}, then publish again."
            for statement in QUERIES
            for schema, name, kind, thing, *elsewhere in query(statement.format(moving=moving))
            if not elsewhere or is_live(elsewhere[0])
        }
    )


def wrong_kinds(kinds: Mapping[Place, str], places: Iterable[Place]) -> list[str]:
    """Relations of a kind that can't be moved, such as synonyms."""
    return [
        f"{'.'.join(place)} is neither a table nor a view, and only those can be replaced."
        for place in places
        if kinds.get(place, "table") not in ("table", "view")
    ]

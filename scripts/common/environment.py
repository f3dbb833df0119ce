"""Which environment a database is: one row in `ops.environment`, compared before the first write.

dbt's runs ask the same in macros/operations/check_environment.sql.
"""

from __future__ import annotations

from typing import Any

from common.warehouse import WarehouseError, dialect

# These mark an unmarked database as theirs; the others must be marked by hand, once.
MARKING = ("dev", "ci")


def environment_of(target_name: str) -> str:
    """`prod` for the targets prod and prod_sqlserver."""
    return target_name.partition("_")[0]


def marked(connection: Any) -> str | None:  # noqa: ANN401  # a DB-API connection
    """The environment that a database is marked as; None if it is not."""
    with connection.cursor() as cursor:
        cursor.execute(f"select {dialect(connection).find}('ops.environment')")
        if cursor.fetchone()[0] is None:
            return None
        cursor.execute("select environment from ops.environment")
        row = cursor.fetchone()
    return str(row[0]) if row else None


def check_environment(connection: Any, target_name: str) -> None:  # noqa: ANN401
    """Raises WarehouseError if the database is another environment than the target's."""
    expected, found = environment_of(target_name), marked(connection)
    if found == expected or (found is None and expected in MARKING):
        return
    if found is None:
        raise WarehouseError(
            f"This database is not marked as {expected}, so nothing is written to it. If it is the "
            f"right one: `.venv/bin/python scripts/mark_environment.py --target {target_name}`."
        )
    raise WarehouseError(
        f"The target {target_name} leads to a database that is marked as {found}. Nothing was "
        f"written. Check the connection's variables (.env.example)."
    )

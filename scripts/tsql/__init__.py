"""The T-SQL gate: what dbt would send to SQL Server, recorded and checked without a server."""

import logging

# sqlglot warns of each statement that it keeps as text; there is no tree to check in those.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

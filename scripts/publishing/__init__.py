"""Blue-green deploys: a tested build becomes live at once, and can be taken back.

planning.py     which models a deploy builds, and why
next_schemas.py builds them into `<schema>__next`: history copied first, everything else read live
preflight.py    what must follow a relation, what can't: asked before anything is locked
generations.py  the ledger in ops: which generation is live, what each one replaced
publisher.py    moves a generation in or out, with retries, until a deadline
postgres.py     the statements of Postgres
sqlserver.py    the statements of SQL Server
run_lock.py     one deploy or refresh at a time
"""

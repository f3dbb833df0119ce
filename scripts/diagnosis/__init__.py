"""What can be wrong with a set-up, and how to mend it.

finding.py      one line of the doctor
environment.py  Python, the packages, .env
profile.py      profiles.yml: the target, its variables
odbc.py         the driver for SQL Server
connection.py   what an error of Postgres or of the ODBC driver means
sqlserver_source.py  a source on SQL Server: permissions, snapshots, change tracking
systems.py      the warehouse, the sources, the embedded server, the port of the docs
"""

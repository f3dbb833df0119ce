"""SQL Server.

reader.py, types.py, lines.py and changes.py read it; landing_types.py, loading.py, ledger.py and
writer.py load it.
"""

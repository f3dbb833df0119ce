"""SQL Server: landing_types.py, loading.py, ledger.py and writer.py load it."""

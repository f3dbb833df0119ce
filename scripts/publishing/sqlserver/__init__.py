"""The statements of a publish on SQL Server.

engine.py    what is asked of the catalogue, and when what is sent
batch.py     the one transaction that moves
views.py     the text of a view, for another place and other names
carry.py     what a new relation takes over from the one that it replaces
copying.py   a table made again as it is
outside.py   views that stay where they are and read what moves
refusals.py  what can't follow, asked before anything is locked
sessions.py  who holds what
"""

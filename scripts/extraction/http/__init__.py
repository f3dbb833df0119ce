"""Item APIs over HTTP as a source: `max<item>.json` says the newest id, `<item>/<id>.json` is one.

settings.py   what the YAML says beyond what it says of any table
client.py     one JSON answer: connections, pace, retries, limits
reader.py     which items to read, and their stream
"""

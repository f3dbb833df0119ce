"""Tells people how a deploy, a rollback, a run or a source's freshness turned out.

outcome.py        how a publish or a rollback ended, as a JSON file
circumstances.py  commit, author and link of this run, from the environment
about_*.py        what there is to say: of an outcome, of a dbt run, of stale sources
announced.py      whether a stale source has been told of already
message.py        a message, before it has a format
formats.py        the same in plain text, Markdown, Slack, Teams and HTML, within a length
masking.py        neither secrets nor data in what is told
routing.py        who is told: everybody, and the owners of what failed
delivery.py       sending it, by apprise, within bounds
"""

"""Blue-green deploys: a tested build becomes live at once, and can be taken back.

commands.py     what blue_green.py and deploy.py share: the run as a whole, errors in plain words
session.py      the steps of a command, in order
planning.py     which models a deploy builds, and why
building.py     builds them into `<schema>__next`: history copied first, all else read from live
guards.py       what needs a confirmation, where there are readers
generations.py  the ledger in ops: which generation is live, what each one replaced
moves.py        which relation goes where when generations come and go
publisher.py    makes the moves, again and again until a deadline
run_lock.py     one deploy or refresh at a time
outcomes.py     how it ended, for those who are told; show.py: for the terminal
engine.py       what the engines do each in its way: postgres/, sqlserver/
"""

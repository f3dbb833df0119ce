"""Compares a model's relation in next with the live one, in the database, before a publish.

compared.py     what to compare: a dbt node and its two relations
thresholds.py   `config.meta.diff`: what a model may lose, gain and change
model_diff.py   what a comparison finds
compare.py      the comparison of one model, step by step
statements.py   its SQL, in what both engines share
relation.py     what the catalogue says of a relation
engine.py       what the engines spell differently: postgres.py, sqlserver.py
wording.py      the sentences that all renderings share
terminal.py, markdown.py, as_json.py   the renderings
"""

from diffing.as_json import as_json
from diffing.compare import CompareError, compare
from diffing.compared import Compared, from_nodes
from diffing.markdown import markdown
from diffing.model_diff import ModelDiff
from diffing.terminal import terminal
from diffing.thresholds import ThresholdError, Thresholds, breaches
from diffing.wording import verdict

__all__ = [
    "CompareError",
    "Compared",
    "ModelDiff",
    "ThresholdError",
    "Thresholds",
    "as_json",
    "breaches",
    "compare",
    "from_nodes",
    "markdown",
    "terminal",
    "verdict",
]

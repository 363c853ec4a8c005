"""The steps of stage 5, evaluate: what each takes, what it makes, and what it can be told. The work is in the files beside."""

from septet.evaluate.steps.answers import (
    Answers,
    Choice,
    Compare,
    Faithfulness,
    Retrieval,
    Speech,
    answers,
    choice,
    compare,
    faithfulness,
    retrieval,
    speech,
)
from septet.evaluate.steps.comparing import Parity, Upgrade, parity, upgrade
from septet.evaluate.steps.growth import Calibrate, Comparable, Renew, calibrate, comparable, renew
from septet.evaluate.steps.scoring import Rejudge, Score, rejudge, score
from septet.evaluate.steps.suites import BringSuite, ReadBenchmark, ReadCollection, benchmark, collection, suite

__all__ = [
    "Answers",
    "BringSuite",
    "Calibrate",
    "Choice",
    "Comparable",
    "Compare",
    "Faithfulness",
    "Parity",
    "ReadBenchmark",
    "ReadCollection",
    "Rejudge",
    "Renew",
    "Retrieval",
    "Score",
    "Speech",
    "Upgrade",
    "answers",
    "benchmark",
    "calibrate",
    "choice",
    "collection",
    "comparable",
    "compare",
    "faithfulness",
    "parity",
    "rejudge",
    "renew",
    "retrieval",
    "score",
    "speech",
    "suite",
    "upgrade",
]

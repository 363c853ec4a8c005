"""What a number may claim: intervals, tests of two systems on the same items, and how many items a claim needs."""

from __future__ import annotations

from septet.kinds import Measure
from septet.statistics.interval import (
    LEVEL,
    clustered_error,
    clustered_mean,
    difference,
    gain,
    mean,
    mean_score,
    resampled,
    rule_of_three,
    share,
)
from septet.statistics.paired import Verdict, holm, mcnemar, noninferior, sign_flip
from septet.statistics.power import design_effect, items_needed, smallest_difference, variance_of

__all__ = [
    "LEVEL",
    "Measure",
    "Verdict",
    "clustered_error",
    "clustered_mean",
    "design_effect",
    "difference",
    "gain",
    "holm",
    "items_needed",
    "mcnemar",
    "mean",
    "mean_score",
    "noninferior",
    "resampled",
    "rule_of_three",
    "share",
    "sign_flip",
    "smallest_difference",
    "variance_of",
]

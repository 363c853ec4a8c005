"""How well numbers tell liked answers from others, on rows that were held back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from septet.kinds import Measure
from septet.statistics import mean, resampled, share


def told_apart(
    values: Sequence[float], liked: Sequence[bool], sizes: Sequence[int], what: str, when: str = ""
) -> dict[str, Measure]:
    """Of pairs: how often the chosen answer has the higher value, and by how much; of all answers the area under the curve.

    `sizes` says how many answers each row has, 2 for a pair, of which the first was chosen.
    """
    starts = np.cumsum([0, *sizes[:-1]])
    firsts = [int(start) for start, size in zip(starts, sizes, strict=True) if size == 2]
    numbers, wanted = np.asarray(values, float), np.array(liked)
    end = f"_{when}" if when else ""
    measures: dict[str, Measure] = {}
    if firsts:
        margin = numbers[firsts] - numbers[[first + 1 for first in firsts]]
        measures[f"{what}_accuracy{end}"] = share(int((margin > 0).sum()), len(firsts))
        measures[f"{what}_margin{end}"] = mean(margin.tolist())
    if wanted.any() and not wanted.all():
        measures[f"{what}_auc{end}"] = resampled(
            len(numbers), lambda drawn: area(numbers[list(drawn)], wanted[list(drawn)]), "share"
        )
    return measures


def area(values: np.ndarray, wanted: np.ndarray) -> float:
    """The chance that a wanted value is above an unwanted one, ties counted half (Mann and Whitney, 1947)."""
    num_wanted = int(wanted.sum())
    if num_wanted in (0, len(wanted)):
        return 0.5
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    above = ranks[wanted].sum() - num_wanted * (num_wanted + 1) / 2
    return float(above / (num_wanted * (len(wanted) - num_wanted)))

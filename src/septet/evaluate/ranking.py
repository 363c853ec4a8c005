"""What a ranked list is worth: where the right results stand in it.

R@k is the share of questions with a right result among the first k; MRR the mean of 1 / the rank of the first right one (0 where
there is none); nDCG@10 the discounted gain of all right ones among ten, divided by the best possible (Järvelin and Kekäläinen,
TOIS 2002).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

MEASURES = ("r_at_1", "r_at_5", "mrr", "ndcg_at_10")
DEPTH = 10
"""What a list must be long for, so that no measure is cut short."""


def measured(ranks: Sequence[int], relevant: int) -> dict[str, float]:
    """The measures of one question: `ranks` of its right results that were found, from 1, in order; `relevant` there are in all."""
    first = ranks[0] if ranks else math.inf
    gain = sum(1 / math.log2(rank + 1) for rank in ranks if rank <= DEPTH)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(relevant, DEPTH) + 1))
    return {
        "r_at_1": float(first <= 1),
        "r_at_5": float(first <= 5),
        "mrr": 1 / first,
        "ndcg_at_10": gain / best if best else 0.0,
    }

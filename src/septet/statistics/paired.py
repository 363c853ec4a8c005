"""Two systems on the same items: is the difference more than chance, and is the new one at least not worse than a margin allows.

Right and wrong verdicts: McNemar's exact test (1947). Scores of any kind: the sign-flip permutation test (Fisher, 1935; Good,
2005), which asks only that without a difference either sign is as likely. Several tests together: Holm's step-down (1979).
A release: non-inferiority, one-sided (CONSORT extension, Piaggio et al., 2012), over clusters where items share a passage.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from septet.kinds import Measure
from septet.statistics.distribution import t_cdf, t_quantile
from septet.statistics.interval import LEVEL, groups_of

_EXACT = 14
"""So many clusters that differ are tried with all their signs (2 ** 14 ways); more are drawn."""
_CELLS = 4_000_000
"""Signs drawn at a time, so that a test of many items stays small in memory."""


class Verdict(msgspec.Struct, frozen=True):
    """Whether a system is not worse than another by more than a margin."""

    gain: Measure
    """After minus before; where `holds` is so, the lower end lies above minus the margin."""
    margin: float
    p: float
    """One-sided: how likely a gain like this would be if the new one were worse by the margin."""
    holds: bool


def noninferior(
    before: Sequence[float],
    after: Sequence[float],
    margin: float,
    clusters: Sequence[str] | None = None,
    level: float = LEVEL,
    span: float = 1.0,
) -> Verdict:
    """Is `after` not worse than `before` by more than `margin`? More is better; the two are of the same items, in order.

    A t test over clusters of the paired differences, with the margin as its border. It holds where the lower end of the two-sided
    interval lies above -margin, so at (1 - level) / 2 one-sided. `span` is the most by which an item can differ (1 for scores from
    0 to 1): one made-up cluster that won it all and one that lost it all are counted in, which is the interval of Bonett and Price
    (2012, 10.3102/1076998611411915) for right and wrong carried over to scores. Without them, items that never differ would prove
    anything, however few they are. The value of the gain is the plain mean.

    Raises ValueError for a margin or span that is not above 0, for no items, and for values that do not pair up or that differ by
    more than the span.
    """
    if not (margin > 0 and span > 0):
        raise ValueError(f"the margin and the span must be above 0, not {margin} and {span}")
    gains = _differences(before, after)
    if not gains:
        raise ValueError("non-inferiority of no items cannot be told")
    if max(abs(gain) for gain in gains) > span * (1 + 1e-9):
        raise ValueError(
            f"items differ by up to {max(abs(gain) for gain in gains):g}: say in `span` by how much they can"
        )
    groups = groups_of(len(gains), clusters)
    size = len(gains) / len(groups)
    sizes = [float(len(group)) for group in groups] + [size, size]
    sums = [math.fsum(gains[at] for at in group) for group in groups] + [size * span, -size * span]
    total, count = math.fsum(sizes), len(sizes)
    middle = math.fsum(sums) / total
    squares = math.fsum((one - middle * weight) ** 2 for one, weight in zip(sums, sizes, strict=True))
    error = math.sqrt(squares * count / (count - 1)) / total
    half = t_quantile((1 + level) / 2, count - 1) * error
    p = 1 - t_cdf((middle + margin) / error, count - 1)
    value = math.fsum(gains) / len(gains)
    gain = Measure(value, min(value, middle - half), max(value, middle + half), len(gains))
    return Verdict(gain, margin, p, gain.low > -margin)


def mcnemar(before: Sequence[bool], after: Sequence[bool]) -> float:
    """The two-sided exact p-value that right and wrong moved by chance alone (McNemar, 1947; binomial form)."""
    lost = sum(a and not b for a, b in zip(before, after, strict=True))
    won = sum(b and not a for a, b in zip(before, after, strict=True))
    n = lost + won
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(min(lost, won) + 1)) / (1 << n)
    return min(1.0, 2 * tail)


def sign_flip(
    before: Sequence[float],
    after: Sequence[float],
    clusters: Sequence[str] | None = None,
    seed: int = 1,
    draws: int = 10_000,
) -> float:
    """The two-sided p-value that scores of the same items moved by chance alone: signs of whole clusters are flipped.

    Exact where few clusters differ, else of so many draws with the one that was seen counted in (Phipson and Smyth, 2010), so never
    0. Raises ValueError for values that do not pair up.
    """
    import numpy as np

    gains = _differences(before, after)
    sums = np.array([math.fsum(gains[at] for at in group) for group in groups_of(len(gains), clusters)])
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    # What a flip of nothing gives must count as extreme as itself, whatever the order of a sum rounds to.
    seen = abs(sums.sum()) - 1e-9 * np.abs(sums).sum()
    if len(sums) <= _EXACT:
        ways = np.arange(1 << len(sums))[:, None] >> np.arange(len(sums))[None, :] & 1
        extreme = int((np.abs((1 - 2 * ways) @ sums) >= seen).sum())
        return extreme / (1 << len(sums))
    random = np.random.default_rng(seed)
    extreme = 0
    left = draws
    while left:
        rows = max(1, min(left, _CELLS // len(sums)))
        signs = 1 - 2 * random.integers(0, 2, (rows, len(sums)), np.int8)
        extreme += int((np.abs(signs @ sums) >= seen).sum())
        left -= rows
    return (1 + extreme) / (1 + draws)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of several tests, adjusted so that one false alarm among all stays as unlikely as each says (Holm, 1979).

    In the order given. Raises ValueError for what is no probability.
    """
    if any(not 0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values lie between 0 and 1: {list(p_values)}")
    adjusted = [0.0] * len(p_values)
    worst = 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=lambda one: p_values[one])):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = worst
    return adjusted


def _differences(before: Sequence[float], after: Sequence[float]) -> list[float]:
    if len(before) != len(after):
        raise ValueError("paired values must be of the same items")
    return [float(b) - float(a) for a, b in zip(before, after, strict=True)]

"""Efficiency: what an item costs in tokens, and in processor seconds freed of the machine's noise.

Tokens are a fact of the items and stand in the report. Seconds differ from run to run: they go to the record, not into the report.
HELM's denoised time (section 4.9) asks how long an item takes on a quiet machine; here a line of seconds by tokens is laid through
the items by Theil and Sen's medians of slopes (Sen, 1968), which stretches of a busy machine do not bend.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from septet import statistics
from septet.evaluate.dimensions.found import Found, Row, by, cluster, own, with_languages
from septet.kinds import Measure

_PAIRS = 20_000
_TOGETHER = 128
"""Likelihoods of a task come in batches of so many items, and a batch's time falls on one of them."""
_FEWEST = 5


class Line(NamedTuple):
    """Seconds of an item by its tokens, with the middle of seconds a token and its interval."""

    start: float
    slope: float
    a_token: Measure


def efficiency(rows: Sequence[Row]) -> Found:
    """Tokens read and written an item, by mode and language."""
    found = Found()
    for mode, some in by([row for row in own(rows) if row["outcome"] != "failed"], lambda row: str(row["mode"])):
        for suffix, spoken in with_languages(some):
            clusters = [cluster(row) for row in spoken]
            for name, counts in (
                ("tokens_read", [_read(row) for row in spoken]),
                ("tokens_written", [int(row.get("tokens") or 0) for row in spoken]),
                ("tokens_processed", [tokens(row) for row in spoken]),
            ):
                if any(counts):
                    found.measures[f"{name}.{mode}{suffix}"] = statistics.mean(counts, "tokens", clusters)
    if any(row["mode"] != "generate" for row in rows) and found.stands:
        found.notes.append(
            "tokens of a likelihood mode are those of the prompts: the options that are weighed are not counted"
        )
    if not found.stands:
        found.notes.append("efficiency is not measured: no row counts its tokens")
    return found


def tokens(row: Row) -> int:
    """Tokens that went through the model for an item: its prompt and what was written."""
    return _read(row) + int(row.get("tokens") or 0)


def denoised(rows: Sequence[Row], seconds: Mapping[str, float]) -> dict[str, Line]:
    """The line of each mode whose items' processor seconds are known; twins count, for they cost as much."""
    found = {}
    for mode, some in by(rows, lambda row: str(row["mode"])):
        points = _points(
            mode, [row for row in some if seconds.get(str(row["id"])) is not None and tokens(row)], seconds
        )
        if len(points) >= _FEWEST:
            found[mode] = line(points)
    return found


def line(points: Sequence[tuple[float, float]], seed: int = 1) -> Line:
    """Theil and Sen's line through (tokens, seconds), and the median of seconds a token with an interval by order statistics.

    Of more than 20,000 pairs of points so many are drawn. Raises ValueError for no points.
    """
    if not points:
        raise ValueError("a line through no points cannot be told")
    count = len(points)
    draw = random.Random(seed)  # noqa: S311 - a draw, not a secret
    if count * (count - 1) // 2 <= _PAIRS:
        pairs = [(one, two) for one in range(count) for two in range(one)]
    else:
        pairs = [(draw.randrange(count), draw.randrange(count)) for _ in range(_PAIRS)]
    slopes = [
        (points[one][1] - points[two][1]) / (points[one][0] - points[two][0])
        for one, two in pairs
        if points[one][0] != points[two][0]
    ]
    ratios = sorted(spent / size for size, spent in points)
    # More tokens do not take less time: a slope below 0 is noise, and a token's share of the median is better than it.
    slope = median(slopes) if slopes else 0.0
    if slope <= 0:
        slope, start = median(ratios), 0.0
    else:
        start = max(0.0, median([spent - slope * size for size, spent in points]))
    # The binomial interval of a median: so many order statistics off the middle.
    off = round(0.98 * count**0.5)
    low, high = ratios[max(0, (count - 1) // 2 - off)], ratios[min(count - 1, count // 2 + off)]
    return Line(start, slope, Measure(median(ratios), low, high, count, "s/token"))


def _points(mode: str, rows: Sequence[Row], seconds: Mapping[str, float]) -> list[tuple[float, float]]:
    """Tokens and seconds of items that were generated for; of likelihoods, the means of batches."""
    if mode == "generate":
        return [(float(tokens(row)), seconds[str(row["id"])]) for row in rows]
    points = []
    for _, some in by(rows, lambda row: str(row["task"])):
        for start in range(0, len(some), _TOGETHER):
            batch = some[start : start + _TOGETHER]
            spent = sum(seconds[str(row["id"])] for row in batch)
            points.append((sum(map(tokens, batch)) / len(batch), spent / len(batch)))
    return points


def _read(row: Row) -> int:
    return int(row.get("prompt_tokens") or 0)

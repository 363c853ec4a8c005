"""Calibration: does a model that gives an option 70 % choose right seven times of ten.

The probabilities are the shares that a likelihood mode gives an item's options; a generated answer has none, and is not measured.
In the mode `text` the sums are divided by size as the choice was made, which makes them weights rather than probabilities: told
under the mode's own name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from septet import statistics
from septet.evaluate.dimensions import reliability, resampling
from septet.evaluate.dimensions.found import Found, Row, by, cluster, own, with_languages

_FEWEST = 10


def calibration(rows: Sequence[Row]) -> Found:
    """Calibration errors, Brier score, likelihood of the key and accuracy by coverage, by mode and language."""
    found = Found()
    asked = [row for row in own(rows) if row["measure"] == "accuracy" and row["score"] is not None]
    kept = [row for row in asked if row["mode"] != "generate" and row["labels"] and len(row["log_probabilities"]) > 1]
    generated = sum(row["mode"] == "generate" for row in asked)
    if generated:
        found.notes.append(
            f"calibration is not measurable for {generated} items that were generated: they come without option probabilities"
        )
    if len(asked) - generated > len(kept):
        found.notes.append(
            f"calibration leaves out {len(asked) - generated - len(kept)} items without probabilities or a key"
        )
    bound = sum(bool(row["bound"]) for row in kept)
    if bound:
        found.notes.append(f"calibration of {bound} items rests on probabilities that the endpoint bounded, not named")
    if any(row["mode"] == "text" for row in kept):
        found.notes.append(
            "in the mode 'text' confidences are shares of the texts' likelihoods by size, not probabilities"
        )
    for mode, some in by(kept, lambda row: str(row["mode"])):
        if len(some) < _FEWEST:
            found.notes.append(
                f"calibration is not measurable for {len(some)} items of the mode '{mode}': fewer than {_FEWEST}"
            )
            continue
        for row in some:
            log_shares = shares(row)
            found.tell(row, {"confidence": round(math.exp(max(log_shares)), 6)})
        for suffix, spoken in with_languages(some):
            if len(spoken) >= _FEWEST:
                _measure(found, f"{mode}{suffix}", spoken)
            else:
                found.notes.append(f"calibration is not measurable for {mode}{suffix}: {len(spoken)} items")
    if not kept and not generated:
        found.notes.append("calibration is not measured: no item was asked by likelihood")
    return found


def shares(row: Row) -> list[float]:
    """The logarithms of the options' shares, their sums divided by size as the row says."""
    sums = row["log_probabilities"]
    if row["mode"] == "text" and row["normalise"] != "none":
        lengths = [len(one) if row["normalise"] == "characters" else len(one.encode()) for one in row["options"]]
        sums = [total / max(1, length) for total, length in zip(sums, lengths, strict=True)]
    return reliability.log_softmax(sums)


def _measure(found: Found, name: str, rows: Sequence[Row]) -> None:
    import numpy as np

    log_shares = [shares(row) for row in rows]
    confidence = np.exp([max(one) for one in log_shares])
    right = np.array([float(row["score"]) for row in rows])
    clusters = [cluster(row) for row in rows]
    scaled = reliability.platt_cross_fitted(confidence, right, clusters)
    if scaled is None:
        found.notes.append(f"Platt's scaling is not measurable for {name}: too few items to hold some out")

    def numbers(at: np.ndarray) -> list[float]:
        some, hits = confidence[at], right[at]
        return [
            reliability.ece_equal_mass(some, hits),
            reliability.ece_equal_width(some, hits),
            reliability.ece_equal_mass(scaled[at], hits) if scaled is not None else math.nan,
            *reliability.selective(some, hits),
        ]

    of = resampling.intervals(clusters, numbers, (0.0, 1.0), (True, True, True, False, False))
    names = ("ece_equal_mass", "ece_equal_width", "ece_platt", "selective_accuracy_10", "selective_accuracy_area")
    # Where the surest tenth is all right or all wrong redrawing shows no doubt: Wilson's interval does.
    tenth = statistics.share(round(of[3].value * math.ceil(len(rows) / 10)), math.ceil(len(rows) / 10))
    if of[3].low == of[3].high:
        of[3] = msgspec.structs.replace(of[3], low=min(of[3].value, tenth.low), high=max(of[3].value, tenth.high))
    for which, measure in zip(names, of, strict=True):
        if not math.isnan(measure.value):
            found.measures[f"{which}.{name}"] = measure
    labels = [row["labels"] for row in rows]
    losses = {
        "brier": [reliability.brier(np.exp(one).tolist(), key) for one, key in zip(log_shares, labels, strict=True)],
        "negative_log_likelihood": [
            reliability.negative_log_likelihood(one, key) for one, key in zip(log_shares, labels, strict=True)
        ],
        "overconfidence": (confidence - right).tolist(),
    }
    for which, values in losses.items():
        unit = "nats" if which == "negative_log_likelihood" else ""
        found.measures[f"{which}.{name}"] = statistics.mean(values, unit, clusters)
    found.facts.setdefault("reliability", {})[name] = reliability.table(confidence, right)

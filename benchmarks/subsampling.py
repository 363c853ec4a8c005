"""How far the mean of a few items lies from the mean of all, by how the items are drawn: `python benchmarks/run.py subsampling`.

The item x model matrix of AlpacaEval 2 (805 items, 39 models). What is known of the items comes from some of the models and is
used on others: 26 drawn at random and the 13 that are left, or the 20 weakest and the 10 strongest, which asks what happens when
models drift away from those that were fitted. All ways go through
the product's own functions. The folder is SEPTET_SHARED or ../shared.
"""

from __future__ import annotations

import copy
import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from septet.evaluate.budget import drawn, estimated, ranks, start, strata_of
from septet.statistics import clustered_mean

COUNTS = (20, 50, 100, 200)
WAYS = ("random", "stratified", "regression", "both", "neyman")
"""`both` is stratified and regression; `neyman` is both, with more items where the fitted models' scores spread more."""
TARGETS = (0.05, 0.03, 0.02, 0.01)
SPLITS, DRAWS = 60, 5


def measure(splits: int = SPLITS, draws: int = DRAWS) -> list[str]:
    """Two tables of mean absolute errors in points, and one of runs that stop by themselves."""
    shared = Path(os.environ.get("SEPTET_SHARED", Path(__file__).parent.parent.parent / "shared"))
    path = shared / "benchmarks" / "alpaca_eval_matrix" / "preference.csv"
    if not path.exists():
        return [f"not measured: {path.name} of the AlpacaEval matrix is not there (set SEPTET_SHARED)"]
    scores = matrix(path)
    lines = []
    for drift in (False, True):
        found = errors(scores, splits, draws, drift)
        fitted = "the 20 weakest models, tested on the 10 strongest" if drift else "26 models, tested on the 13 others"
        by = f"{splits} splits, {draws} draws each" if not drift else f"{splits * draws} draws"
        lines += [
            f"Mean absolute error in points, fitted on {fitted}; {by} (95 % interval, clustered by split):",
            "",
            "| items | " + " | ".join(WAYS) + " |",
            "|---|" + "---|" * len(WAYS),
            *(
                "| "
                + " | ".join([str(count), *(_cell(found[way, count], 1 if drift else draws) for way in WAYS)])
                + " |"
                for count in COUNTS
            ),
            "",
        ]
    lines += [
        "Runs that stop by themselves, on the 13 models not fitted: items asked, and how often the truth was in the interval:",
        "",
        "| within | simple | strata, proportional | strata, Neyman |",
        "|---|---|---|---|",
    ]
    for within in TARGETS:
        cells = [_stopped(scores, within, way, max(1, splits // 6)) for way in ("simple", "proportional", "neyman")]
        lines.append(f"| ±{within * 100:g} points | " + " | ".join(cells) + " |")
    return lines


def matrix(path: Path) -> np.ndarray:
    """The scores, items x models, of the published table; its first two columns name the item."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return np.array([[float(cell) for cell in row[2:]] for row in rows[1:]])


def errors(
    scores: np.ndarray, splits: int, draws: int, drift: bool, seed: int = 1
) -> dict[tuple[str, int], list[float]]:
    """For each way and number of items, the absolute error of each draw, averaged over the test models; in points."""
    random = np.random.default_rng(seed)
    found: dict[tuple[str, int], list[float]] = {(way, count): [] for way in WAYS for count in COUNTS}
    for fitted, tested in _splits(scores, splits, drift, random):
        hardness = scores[:, fitted].mean(1)
        truth = scores[:, tested].mean(0)
        flat, rank = np.zeros(len(hardness)), ranks(hardness)
        whole = [np.arange(len(hardness))]
        for count in COUNTS:
            strata = strata_of(hardness, count // 2, random)
            earlier = {str(at): row.tolist() for at, row in enumerate(scores[:, fitted])}
            for _ in range(draws):
                simple, layered = drawn(whole, count, random), drawn(strata, count, random)
                for way, cut, at, line in (
                    ("random", whole, simple, flat),
                    ("stratified", strata, layered, flat),
                    ("regression", whole, simple, rank),
                    ("both", strata, layered, rank),
                ):
                    means = [estimated(cut, line, at, scores[at, model]).value for model in tested]
                    found[way, count].append(float(np.abs(np.array(means) - truth).mean()) * 100)
                plan = start(list(earlier), 1.0, earlier, int(random.integers(2**31)), count, count, "neyman")
                asked = plan.next_batch()
                means = []
                for model in tested:
                    own = copy.deepcopy(plan)
                    own.add({one: float(scores[int(one), model]) for one in asked})
                    means.append(own.estimate().value)
                found["neyman", count].append(float(np.abs(np.array(means) - truth).mean()) * 100)
    return found


def _splits(scores: np.ndarray, splits: int, drift: bool, random: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    order = np.argsort(scores.mean(0))
    for _ in range(splits):
        if drift:
            yield order[:20], order[-10:]
        else:
            mixed = random.permutation(scores.shape[1])
            yield mixed[:26], mixed[26:]


def _stopped(scores: np.ndarray, within: float, way: str, splits: int) -> str:
    random = np.random.default_rng(2)
    items = [str(at) for at in range(len(scores))]
    covered, asked = [], []
    for fitted, tested in _splits(scores, splits, False, random):
        earlier = None if way == "simple" else {one: scores[int(one), fitted].tolist() for one in items}
        allocation = "neyman" if way == "neyman" else "proportional"
        for model in tested:
            plan = start(items, within, earlier, int(random.integers(2**31)), allocation=allocation)
            while not plan.done:
                plan.add({one: float(scores[int(one), model]) for one in plan.next_batch()})
            estimate = plan.estimate()
            covered.append(estimate.low <= scores[:, model].mean() <= estimate.high)
            asked.append(estimate.n)
    return f"{np.mean(asked):.0f} items, {np.mean(covered):.1%} of {len(covered)}"


def _cell(values: list[float], draws: int) -> str:
    measured = clustered_mean(values, clusters=[str(at // draws) for at in range(len(values))])
    return f"{measured.value:.2f} ± {(measured.high - measured.low) / 2:.2f}"

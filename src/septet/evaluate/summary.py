"""The numbers of an item store: by measure and mode, over all items, by language, by task, and as a mean over tasks.

Computable again without the model. A number of one mode never stands in a column with one of another: the mode is part of its
name, as in `accuracy.letter.zh`. Items that failed are in no denominator; what the number would be if all of them were wrong
stands beside it (`at_worst`). Where the training data was
scanned for the items, the number of the clean ones stands beside that of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from septet import statistics
from septet.evaluate.collections import rescaled
from septet.kinds import Measure

Row = Mapping[str, Any]


def summary(rows: Sequence[Row]) -> dict[str, Measure]:
    """The measures of a store's rows, twins (perturbed items) left out: `evaluate.holistic` compares them with their originals."""
    own = [row for row in rows if not row.get("twin_of")]
    found: dict[str, Measure] = {}
    for (measure, mode), some in _parted(own, ("measure", "mode")):
        name = f"{measure}.{mode}"
        judged = [row for row in some if row["score"] is not None]
        if judged:
            found[name] = of(judged)
            for (language,), spoken in _parted(judged, ("language",)):
                found[f"{name}.{language}"] = of(spoken)
            near = [{**row, "score": row["detail"]["f1"]} for row in judged if "f1" in (row.get("detail") or {})]
            if near:
                found[f"f1.{mode}"] = of(near)
                found.update((f"f1.{mode}.{language}", of(part)) for (language,), part in _parted(near, ("language",)))
            tasks = [part for _, part in _parted(judged, ("task",))]
            if len(tasks) > 1:
                found[f"mean_of_tasks.{name}"] = of_tasks(tasks)
                found.update((f"{name}.{part[0]['task']}", of(part)) for part in tasks)
            groups = [(group, part) for (group,), part in _parted(judged, ("group",)) if group]
            if len(groups) > 1:
                found.update((f"{name}.{group}", of(part)) for group, part in groups)
            for (verdict,), part in _parted(judged, ("contamination",)):
                if verdict:
                    found[f"{name}.{verdict.replace(' ', '_')}"] = of(part)
        if any(row["outcome"] == "failed" for row in some):
            worst = [{**row, "score": 0.0} if row["outcome"] == "failed" else row for row in some]
            found[f"{name}.at_worst"] = of([row for row in worst if row["score"] is not None])
    found.update(_of_samples([row for row in own if row.get("samples") and row["measure"] == "pass_at_1"]))
    for outcome in ("empty", "truncated", "unparsed", "failed"):
        found[outcome] = statistics.share(sum(row["outcome"] == outcome for row in own), len(own))
    return found


def _of_samples(rows: Sequence[Row]) -> Iterator[tuple[str, Measure]]:
    """pass@k of programs (Chen et al., 2021), for as many samples as every item has."""
    from septet.evaluate.sandbox import pass_at_k

    passed = [[one["score"] == 1 for one in row["samples"] if one["score"] is not None] for row in rows]
    fewest = min(map(len, passed), default=0)
    for k in (k for k in (10, 100, fewest) if 1 < k <= fewest):
        values = [pass_at_k(len(one), sum(one), k) for one in passed]
        yield f"pass_at_{k}.generate", statistics.mean_score(values, [row["cluster"] or row["id"] for row in rows])


def of_collection(name: str, rows: Sequence[Row], chances: Mapping[str, float], rescale: bool) -> dict[str, Measure]:
    """What a leaderboard shows: a number for each benchmark (`open-llm-v2.bbh`), the plain mean over its tasks, and their mean.

    A collection asks each benchmark in a way of its own, so this mean, and it alone, goes over several. With `rescale` each task
    counts from what guessing scores (0) to a perfect score (1). Rows without a score are left out; their outcomes are counted.
    """
    scored = [
        {**row, "of": row["task"].partition("/")[0]} for row in rows if row["score"] is not None and not row["twin_of"]
    ]
    found: dict[str, Measure] = {}
    for (benchmark,), some in _parted(scored, ("of",)):
        tasks = [(of(part), chances[task]) for (task,), part in _parted(some, ("task",))]
        found[f"{name}.{benchmark}"] = _averaged(
            [_rescaled(*one) for one in tasks] if rescale else [one for one, _ in tasks]
        )
    return {**found, name: _averaged(list(found.values()))} if found else {}


def _rescaled(score: Measure, chance: float) -> Measure:
    value, low, high = (rescaled(one, chance) for one in (score.value, score.low, score.high))
    return Measure(value, low, high, score.n, score.unit)


def of(rows: Sequence[Row]) -> Measure:
    """The mean score of rows that have one, with its interval; items of a cluster (a passage) are drawn together."""
    return statistics.mean_score([float(row["score"]) for row in rows], [row["cluster"] or row["id"] for row in rows])


def of_tasks(tasks: Sequence[Sequence[Row]]) -> Measure:
    """The plain mean over tasks, each of which counts the same."""
    return _averaged([of(part) for part in tasks])


def _averaged(means: Sequence[Measure]) -> Measure:
    """The mean of independent means: their variances add."""
    value = sum(one.value for one in means) / len(means)
    half = sum(((one.high - one.low) / 2) ** 2 for one in means) ** 0.5 / len(means)
    return Measure(value, max(0.0, value - half), min(1.0, value + half), sum(one.n for one in means), "share")


def _parted(rows: Sequence[Row], keys: Sequence[str]) -> Iterator[tuple[tuple[str, ...], list[Row]]]:
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(str(row.get(key) or "") for key in keys), []).append(row)
    yield from sorted(found.items())

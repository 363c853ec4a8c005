"""One model asked in two ways: where the two disagree, and why.

That a model scores 0.63 in one harness and 0.49 in another is mostly the way of asking. Each disagreement has one cause, the first
of these that holds:

- `failed`: one side has no result;
- `format`: nothing was found in what was written (empty, cut off, no answer in it);
- `length`: dividing by the options' lengths turned the choice;
- `close`: the two best options lie closer together than `margin` (in nats), so that a rounding could turn it;
- `letter`: by letters the model chose the one letter that it chooses most of the time, whatever the item;
- `knowledge`: two answers, neither an accident of the way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from septet import statistics
from septet.core import ConfigError, Run
from septet.kinds import Measure, Report

if TYPE_CHECKING:
    from septet.evaluate.steps.comparing import Parity

CAUSES = ("failed", "format", "length", "close", "letter", "knowledge")
Row = Mapping[str, Any]


def explain(config: Parity, one: Report, other: Report, run: Run) -> Report:
    """Agreement of two reports on the same items, and the cause of each disagreement. Raises ConfigError for other items."""
    first = {row["id"]: row for row in one.items() if row["options"]}
    second = {row["id"]: row for row in other.items() if row["options"]}
    both = [name for name in first if name in second]
    if not both:
        raise ConfigError(f"'{one.name}' and '{other.name}' share no item with options", "Score the same suite twice")
    habits = [_habit([side[name] for name in both]) for side in (first, second)]
    rows = []
    for name in both:
        pair = first[name], second[name]
        failed = any(side["outcome"] == "failed" for side in pair)
        agree = not failed and pair[0]["chosen"] == pair[1]["chosen"] and pair[0]["chosen"] is not None
        rows.append(
            {
                "id": name,
                "task": pair[0]["task"],
                "language": pair[0]["language"],
                "question": pair[0]["question"],
                "options": pair[0]["options"],
                "labels": pair[0]["labels"],
                "modes": [side["mode"] for side in pair],
                "chosen": [side["chosen"] for side in pair],
                "scores": [side["score"] for side in pair],
                "agree": agree,
                "cause": "" if agree else _cause(pair, habits, config.margin),
            }
        )
    summary: dict[str, Measure] = {"agreement": statistics.share(sum(row["agree"] for row in rows), len(rows))}
    for cause in CAUSES:
        summary[f"cause.{cause}"] = statistics.share(sum(row["cause"] == cause for row in rows), len(rows))
    for place, side in enumerate((first, second)):
        scored = [side[name] for name in both if side[name]["score"] is not None]
        name = f"accuracy.{side[both[0]]['mode']}" + (
            ".other" if place and first[both[0]]["mode"] == side[both[0]]["mode"] else ""
        )
        summary[name] = statistics.mean_score(
            [row["score"] for row in scored], [row["cluster"] or row["id"] for row in scored]
        )
    alone = len(first) + len(second) - 2 * len(both)
    run.drop("items that only one of the two reports has", alone, "not compared")
    facts = {"one": one.name, "other": other.name, "model": one.content["facts"].get("model")}
    return Report.write(run.out, config.name, summary, rows, (), facts)


def _cause(pair: tuple[Row, Row], habits: Sequence[int | None], margin: float) -> str:
    if any(row["outcome"] == "failed" for row in pair):
        return "failed"
    if any(row["chosen"] is None for row in pair):
        return "format"
    other = [row["detail"].get("right_by_sum") for row in pair]
    if any(mode is not None and mode != bool(row["score"]) for mode, row in zip(other, pair, strict=True)):
        return "length"
    if any(_gap(row) < margin for row in pair if row["log_probabilities"]):
        return "close"
    if any(row["mode"] == "letter" and habit == row["chosen"] for row, habit in zip(pair, habits, strict=True)):
        return "letter"
    return "knowledge"


def _gap(row: Row) -> float:
    best, second = sorted(row["log_probabilities"], reverse=True)[:2]
    return float(best - second)


def _habit(rows: Sequence[Row]) -> int | None:
    """The place that is chosen by habit, if one is: from half of the way on between chance and always."""
    chosen = Counter(row["chosen"] for row in rows if row["chosen"] is not None)
    if not chosen:
        return None
    place, count = chosen.most_common(1)[0]
    chance = sum(1 / len(row["options"]) for row in rows) / len(rows)
    return int(place) if count >= (1 + chance) / 2 * len(rows) else None

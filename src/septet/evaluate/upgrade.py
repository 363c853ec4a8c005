"""May the new one replace the old one? Both on the same items, capability by capability, with one verdict.

A capability (a task, a group of tasks, a language) holds when the new system is not worse by more than its margin: the lower end of
the paired interval lies above it (`statistics.noninferior`). All must hold, each at its own level, for the verdict to be `go`:
an intersection-union test (Berger, 1982) needs no correction for their number. Whether one became better or worse at all
is another question, asked of all at once, and there the p-values are adjusted (Holm, 1979).

An item that failed on one side is compared at its worst: it was right before, or is wrong now. It is counted, never left out.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from septet import statistics
from septet.core import ConfigError, Run
from septet.kinds import Measure, Report

if TYPE_CHECKING:
    from septet.evaluate.steps.comparing import Upgrade

Row = Mapping[str, Any]


def compare(config: Upgrade, before: Report, after: Report, run: Run) -> Report:
    """The report of an upgrade: its verdict, the capabilities, and every item with how it moved.

    Raises ConfigError where the two are not of the same items, or were asked in different ways.
    """
    pairs = paired(before, after)
    margins = _margins(config.margins)
    summary: dict[str, Measure] = {}
    verdicts: dict[str, dict[str, Any]] = {}
    for name, some in _capabilities(pairs, config.by):
        was = [_value(one, 1.0) for one, _ in some]
        now = [_value(two, 0.0) for _, two in some]
        clusters = [_cluster(one) for one, _ in some]
        margin = next((limit for pattern, limit in margins if fnmatch.fnmatchcase(name, pattern)), config.margin)
        held = statistics.noninferior(was, now, margin, clusters)
        summary[f"gain.{name}"] = held.gain
        verdicts[name] = {
            "margin": margin,
            "holds": held.holds,
            "p_not_worse": round(held.p, 6),
            "p_moved": statistics.sign_flip(was, now, clusters),
            "items": len(some),
            "clusters": len({*clusters}),
            **_power(was, now, clusters, margin),
        }
    adjusted = statistics.holm([one["p_moved"] for one in verdicts.values()])
    for name, p in zip(verdicts, adjusted, strict=True):
        verdicts[name] |= {"p_moved": round(verdicts[name]["p_moved"], 6), "p_moved_holm": round(p, 6)}
    rows = [moved(one, two) for one, two in pairs]
    lost = [name for name, one in verdicts.items() if not one["holds"]]
    summary["noninferior"] = statistics.share(len(verdicts) - len(lost), len(verdicts))
    for way in ("worse", "better", "not compared"):
        count = sum(row["moved"] == way for row in rows)
        summary[way.replace(" ", "_")] = statistics.share(count, len(rows))
    facts = {
        "before": {"report": before.name, "model": before.content["facts"].get("model")},
        "after": {"report": after.name},
        "model": after.content["facts"].get("model"),
        "capabilities": verdicts,
        "verdict": "no-go" if lost else "go",
    }
    run.note(f"{facts['verdict']}: {len(verdicts) - len(lost)} of {len(verdicts)} capabilities hold")
    return Report.write(run.out, config.name, summary, rows, _notes(rows, verdicts, lost), facts)


def paired(before: Report, after: Report) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The rows of two reports, item by item. Raises ConfigError where they do not pair up."""
    first = {row["id"]: row for row in before.items()}
    second = {row["id"]: row for row in after.items()}
    if first.keys() != second.keys():
        raise ConfigError(
            f"'{before.name}' and '{after.name}' are not of the same items "
            f"({len(first.keys() ^ second.keys())} are in one alone)",
            "Evaluate both on the same suite, with the same limit and seed",
        )
    modes = {(first[one].get("mode"), second[one].get("mode")) for one in first}
    if any(one != two for one, two in modes):
        raise ConfigError(
            "the two reports asked in different modes, whose numbers do not compare",
            "Score both in one mode; evaluate.parity explains where two modes disagree",
        )
    return [(first[one], second[one]) for one in first]


def _capabilities(pairs: Sequence[tuple[Row, Row]], by: str) -> Iterator[tuple[str, list[tuple[Row, Row]]]]:
    found: dict[str, list[tuple[Row, Row]]] = {}
    for pair in pairs:
        found.setdefault(str(pair[0].get(by) or "all"), []).append(pair)
    yield from sorted(found.items())


def _power(was: Sequence[float], now: Sequence[float], clusters: Sequence[str], margin: float) -> dict[str, Any]:
    """The smallest difference that these items would show four times in five, and how many items the margin asks for."""
    variance = statistics.variance_of(was, now) if len(was) > 1 else 0.0
    if variance == 0:
        return {"shows": None, "items_for_margin": None}
    gains = [after - before for before, after in zip(was, now, strict=True)]
    effect = max(1.0, statistics.design_effect(gains, clusters)) if len({*clusters}) > 1 else 1.0
    return {
        "shows": round(statistics.smallest_difference(len(was), variance, design_effect=effect), 4),
        "items_for_margin": statistics.items_needed(margin, variance, design_effect=effect),
    }


def _margins(told: Sequence[str]) -> list[tuple[str, float]]:
    found = []
    for one in told:
        pattern, equals, limit = one.rpartition("=")
        try:
            found.append((pattern, float(limit)))
        except ValueError:
            equals = ""
        if not equals:
            raise ConfigError(f"'{one}' is no margin", "Write NAME=SHARE, such as mmlu/*=0.02")
    return found


def _cluster(row: Row) -> str:
    """What an item stands on: its passage, or the item that it is a twin of."""
    return str(row.get("cluster") or row.get("source") or row.get("twin_of") or row["id"])


def _value(row: Row, at_worst: float) -> float:
    """What an item is worth: its score; of an assistant's answer, whether it is right, or rightly silent."""
    if "score" in row:
        return at_worst if row["score"] is None else float(row["score"])
    return float(row["exact"] if row["references"] else row["abstained"])


def moved(one: Row, two: Row) -> dict[str, Any]:
    """How an item moved from one report to the other: worse, better, same, or not compared."""
    lacking = [side for side, row in (("before", one), ("after", two)) if "score" in row and row["score"] is None]
    was, now = _value(one, 1.0), _value(two, 0.0)
    way = "not compared" if lacking else "better" if now > was else "worse" if now < was else "same"
    return {
        "id": one["id"],
        "task": one.get("task", ""),
        "language": one["language"],
        "question": one["question"],
        "references": one["references"],
        "before": _said(one),
        "after": _said(two),
        "score_before": one.get("score"),
        "score_after": two.get("score"),
        "asked_alike": one.get("prompt") == two.get("prompt"),
        "moved": way,
    }


def _said(row: Row) -> str:
    if row.get("outcome") == "failed":
        return f"failed: {row.get('reason', '')}"
    if row.get("chosen") is not None and row.get("options"):
        return str(row["options"][row["chosen"]])
    return str(row.get("answer") or row.get("extracted") or row.get("output") or "")


def _notes(rows: Sequence[Row], verdicts: Mapping[str, Mapping[str, Any]], lost: Sequence[str]) -> Iterator[str]:
    for name in lost:
        one = verdicts[name]
        yield f"{name}: it is not shown that the new one is worse by no more than {one['margin']:g} ({one['items']} items)"
    otherwise = sum(not row["asked_alike"] for row in rows)
    if otherwise:
        yield f"{otherwise} items were asked in other words (another chat template, or fewer examples)"
    failed = sum(row["moved"] == "not compared" for row in rows)
    if failed:
        yield f"{failed} items failed on one side and count at their worst"

"""The items of a report that a reader wants to see first: those that got worse, failed, or were answered wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from septet.kinds import Report

MOST = 60
_FIRST = ("worse", "not compared", "failed", "truncated", "unparsed", "empty", "wrong", "better")
"""In this order."""


class Shown(msgspec.Struct, frozen=True):
    """One line of the table. `state` is how it moved, its outcome, or `wrong`."""

    id: str
    question: str
    wanted: str
    before: str
    said: str
    state: str


def shown(report: Report) -> tuple[list[Shown], int]:
    """At most `MOST` lines, and how many there are in all. None for a report whose items were not scored."""
    found = [line for line in map(_line, report.items()) if line is not None]
    found.sort(key=lambda line: (_FIRST.index(line.state), line.id))
    return found[:MOST], len(found)


def _line(row: Mapping[str, Any]) -> Shown | None:
    if "moved" in row:
        if row["moved"] == "same":
            return None
        wanted = "; ".join(row["references"])
        return Shown(row["id"], row["question"], wanted, row["before"], row["after"], row["moved"])
    if "outcome" not in row or "labels" not in row:
        return None
    state = row["outcome"] if row["outcome"] in _FIRST else "wrong"
    if state == "wrong" and row["score"] in (1.0, None):
        return None
    options = row["options"] or []
    wanted = "; ".join([options[place] for place in row["labels"]] or row["references"])
    said = options[row["chosen"]] if row["chosen"] is not None and options else row["extracted"] or row["output"]
    return Shown(row["id"], row["question"], wanted, "", row.get("reason", "") if state == "failed" else said, state)

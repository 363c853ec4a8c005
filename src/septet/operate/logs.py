"""What was said of a subject while things ran: entries of the ledger, and the events of runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from septet.core.ledger import Entry
from septet.core.workspace import Workspace
from septet.files import read_lines
from septet.operate.subject import Subject, pattern_of

STRUCTURE = ("sealed", "removed", "redacted", "erased", "erasure", "name", "release", "revision")
"""Kinds of entries on which the ledger itself stands: what they say is never taken out."""


def entries_of(workspace: Workspace, subject: Subject, chunks: set[str]) -> list[Entry]:
    """Answers that stand on one of the passages, what was said of them, and every entry that holds a value."""
    pattern = _compiled(subject)
    found = []
    for entry, body in workspace.ledger.bodies(workspace.ledger.entries()):
        cites = entry.kind in ("answer", "feedback") and not chunks.isdisjoint(body.get("contexts", ()))
        if cites or (pattern is not None and any(pattern.search(text) for text in _texts([body, entry.subject]))):
            found.append(entry)
    return found


def events_of(workspace: Workspace, subject: Subject) -> dict[Path, int]:
    """Files of runs' events that hold a value, and in how many lines."""
    pattern = _compiled(subject)
    if pattern is None:
        return {}
    counted = {
        path: sum(1 for row in read_lines(path) if any(map(pattern.search, _texts(row))))
        for path in sorted(workspace.runs.glob("*.jsonl"))
    }
    return {path: count for path, count in counted.items() if count}


def _compiled(subject: Subject) -> re.Pattern[str] | None:
    return re.compile(pattern_of(subject.value)) if subject.sort == "value" else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield str(key)
            yield from _texts(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from _texts(one)

"""What happens during a run, as a stream of small records: the command line prints it, the console draws it, a file keeps it.

Stages emit; they never print. The file is JSON lines, one run a file, appended and flushed per event, so that a reader
can follow a run that is going on and a killed run keeps all that it said.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

Kind = Literal[
    "run_started",
    "step_hit",
    "step_waiting",
    "step_started",
    "progress",
    "metric",
    "drop",
    "observe",
    "note",
    "step_sealed",
    "step_failed",
    "run_finished",
    "run_failed",
]


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="event"):
    """One thing that happened. Which fields are filled depends on the kind; `name` is the recipe's table."""

    kind: Kind
    time: str = ""
    run: str = ""
    name: str = ""
    step: str = ""
    fingerprint: str = ""
    done: float = 0.0
    total: float = 0.0
    unit: str = ""
    metric: str = ""
    value: float | int | str = 0.0
    at: int = 0
    rule: str = ""
    count: int = 0
    text: str = ""
    seconds: float = 0.0


Sink = Callable[[Event], None]


def now() -> str:
    """The present moment, in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class EventFile:
    """Appends events to a JSON lines file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("ab", buffering=0)

    def __call__(self, event: Event) -> None:
        self._file.write(msgspec.json.encode(event) + b"\n")

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> Iterator[Event]:
    """The events of a file in order. A last line that a kill cut in half is passed over: it was never whole."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield msgspec.json.decode(line, type=Event)


def new_run_id() -> str:
    """An id that sorts by time and that two processes do not share."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid():x}{time.time_ns() % 0xFFFF:04x}"

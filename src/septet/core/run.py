"""What a step is handed beside its inputs: a folder to fill, a folder that survives a kill, and a way to say what happens.

A step knows nothing else of where it runs: no store, no device, no other step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from septet.core.events import Event, Sink
from septet.core.pool import Pool, Serial, place_of

_PROGRESS_EVERY_S = 0.2


class Run:
    """The surroundings of one execution of one step."""

    def __init__(
        self,
        out: Path | str,
        scratch: Path | str | None = None,
        emit: Sink | None = None,
        pool: Pool | None = None,
    ) -> None:
        self.out = Path(out)
        """The folder to fill. Empty at the start."""
        self.out.mkdir(parents=True, exist_ok=True)
        self._scratch = Path(scratch) if scratch is not None else self.out.with_name(f".{self.out.name}.scratch")
        self._emit = emit
        self._pool: Pool = pool or Serial()
        self._shown = 0.0
        self.observed: dict[str, float | int | str] = {}
        self.drops: list[dict[str, str | int]] = []
        self.notes: list[str] = []

    @property
    def scratch(self) -> Path:
        """A folder that the same step on the same inputs finds again after a kill. Removed once the result is sealed."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        return self._scratch

    @property
    def workers(self) -> int:
        """How many pieces of `map` are done at once. What is made must not depend on it."""
        return self._pool.workers

    @property
    def memory_mb(self) -> int:
        """What the step may hold in memory, in MiB; 0: no bound was set. What is made must not depend on it."""
        return self._pool.memory_mb

    def map(self, function: Callable[[Any], Any], pieces: Sequence[Any]) -> Iterator[Any]:
        """The function's result for each piece, in their order, done side by side where the engine has places.

        The function stands at the top of a module; pieces and results are values that JSON can hold. A single piece is
        done here.
        """
        pool: Pool = self._pool if len(pieces) > 1 else Serial()
        for result in pool.map(place_of(function), [msgspec.json.encode(piece) for piece in pieces]):
            yield msgspec.json.decode(result)

    def progress(self, done: float, total: float, unit: str) -> None:
        """Say how far the work is. Cheap: what comes too often is not passed on, the last one always is."""
        moment = time.monotonic()
        if done < total and moment - self._shown < _PROGRESS_EVERY_S:
            return
        self._shown = moment
        self._send(Event(kind="progress", done=done, total=total, unit=unit))

    def metric(self, name: str, value: float, step: int) -> None:
        """One point of a curve, such as the loss at a training step."""
        self._send(Event(kind="metric", metric=name, value=value, at=step))

    def drop(self, rule: str, count: int, where: str = "") -> None:
        """Something was left out: by which rule, how often, and where it is kept."""
        if count:
            self.drops.append({"rule": rule, "count": count, "where": where})
            self._send(Event(kind="drop", rule=rule, count=count, text=where))

    def observe(self, name: str, value: float | int | str) -> None:
        """A measured fact that may differ between two runs (seconds, rates). Kept in the record, outside of identity."""
        self.observed[name] = value
        self._send(Event(kind="observe", metric=name, value=value))

    def note(self, text: str) -> None:
        """One line for the reader of the record."""
        self.notes.append(text)
        self._send(Event(kind="note", text=text))

    def _send(self, event: Event) -> None:
        if self._emit is not None:
            self._emit(event)

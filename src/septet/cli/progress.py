"""Draws the events of a run on a terminal: what runs, how fast, how long it will take, and what was left out."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from septet.cli.common import clip, duration, size
from septet.core.events import Event

_QUIET_EVERY_S = 10.0


class Progress:
    """A sink for events. On a terminal the line of the running step is redrawn; in a log a line comes now and then."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._live = self._out.isatty()
        self._began = 0.0
        self._first: tuple[float, float] | None = None
        self._spoke = 0.0
        self._metric = ""
        self._place = 0
        self._steps = 0
        self._open = False

    def __call__(self, event: Event) -> None:
        handlers = {"metric": self._metric_event}
        handlers.get(event.kind, getattr(self, f"_{event.kind}", self._observe))(event)

    def _run_started(self, event: Event) -> None:
        self._steps = int(event.total)
        self._say(f"run {event.run}: {event.text}, {self._steps} steps")

    def _step_hit(self, event: Event) -> None:
        self._place += 1
        self._say(f"{self._mark(event)} kept (made before in {duration(event.seconds)})")

    def _step_waiting(self, event: Event) -> None:
        self._say(f"        {event.name}: waiting, {event.text}")

    def _step_started(self, event: Event) -> None:
        self._place += 1
        self._began = self._spoke = time.monotonic()
        self._first, self._metric = None, ""
        self._draw(f"{self._mark(event)} ...") if self._live else self._say(f"{self._mark(event)} starts")

    def _progress(self, event: Event) -> None:
        moment = time.monotonic()
        if self._first is None or event.done < self._first[1]:
            self._first = (moment, event.done)
        spent, made = moment - self._first[0], event.done - self._first[1]
        rate = made / spent if spent > 0.5 and made > 0 else 0.0
        line = f"{self._mark(event)} {event.done:,.0f}"
        line += f" of {event.total:,.0f} {event.unit}" if event.total else f" {event.unit}"
        if rate:
            line += f", {rate:,.1f} {event.unit}/s"
            if event.total > event.done:
                line += f", {duration((event.total - event.done) / rate)} left"
        line += self._metric
        if self._live:
            self._draw(line)
        elif moment - self._spoke > _QUIET_EVERY_S:
            self._spoke = moment
            self._say(line)

    def _metric_event(self, event: Event) -> None:
        if event.metric in ("loss", "train_loss"):
            self._metric = f", {event.metric.replace('_', ' ')} {float(event.value):.3f}"

    def _drop(self, event: Event) -> None:
        where = f" ({event.text})" if event.text else ""
        self._say(f"        {event.name}: left out {event.count:,}: {event.rule}{where}")

    def _observe(self, _: Event) -> None:
        """Kept in the record; too many to show while running."""

    def _note(self, event: Event) -> None:
        self._say(f"        {event.name}: {event.text}")

    def _step_sealed(self, event: Event) -> None:
        fingerprint = event.fingerprint.partition(":")[2][:12]
        self._say(f"{self._mark(event)} sealed {fingerprint}, {size(event.total)}, {duration(event.seconds)}")

    def _step_failed(self, event: Event) -> None:
        self._say(f"{self._mark(event)} failed after {duration(event.seconds)}")

    def _run_finished(self, event: Event) -> None:
        self._say(f"run finished in {duration(event.seconds)}")

    def _run_failed(self, event: Event) -> None:
        self._say(f"run stopped after {duration(event.seconds)}")

    def _mark(self, event: Event) -> str:
        return f"[{self._place:>2}/{self._steps}] {event.name:<12} {event.step:<20}"

    def _draw(self, line: str) -> None:
        self._out.write("\r\x1b[2K" + clip(line, 118))
        self._out.flush()
        self._open = True

    def _say(self, line: str) -> None:
        if self._open:
            self._out.write("\r\x1b[2K")
            self._open = False
        self._out.write(line + "\n")
        self._out.flush()

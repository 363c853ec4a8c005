"""Runs: what their event files say, folded into steps with state, rate, time left and curves; and the pages that show it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from septet.console.view import View
from septet.core import events
from septet.core.events import Event
from septet.core.workspace import Workspace

_SILENT_S = 120.0
_FIRST_CURVES = ("loss", "train_loss", "validation_loss")


@dataclass
class StepView:
    """One step of a run, as far as its events tell. `state` is running, waiting, kept, made, failed or stopped."""

    name: str
    step: str
    fingerprint: str = ""
    state: str = "running"
    started: str = ""
    done: float = 0.0
    total: float = 0.0
    unit: str = ""
    rate: float = 0.0
    seconds: float = 0.0
    bytes: float = 0.0
    text: str = ""
    notes: list[str] = field(default_factory=list)
    drops: list[Event] = field(default_factory=list)
    curves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    first: tuple[float, float] | None = None

    @property
    def left(self) -> float | None:
        """Seconds that are left at the present rate; None where that cannot be said."""
        return (self.total - self.done) / self.rate if self.rate and self.total > self.done else None

    @property
    def ordered_curves(self) -> list[tuple[str, list[tuple[float, float]]]]:
        """The curves, losses first."""
        return sorted(self.curves.items(), key=lambda item: (item[0] not in _FIRST_CURVES, item[0]))


@dataclass
class RunView:
    """One run. `state` is running, finished, failed, or stopped: its process ended without a word."""

    id: str
    recipe: str = ""
    state: str = "running"
    started: str = ""
    seconds: float = 0.0
    total: int = 0
    text: str = ""
    steps: list[StepView] = field(default_factory=list)

    def count(self, state: str) -> int:
        return sum(1 for step in self.steps if step.state == state)

    @property
    def current(self) -> StepView | None:
        """The step that runs now."""
        return next((step for step in reversed(self.steps) if step.state in ("running", "waiting")), None)

    @property
    def finished_steps(self) -> int:
        return self.count("kept") + self.count("made")


def fold(name: str, seen: Iterable[Event]) -> RunView:
    """A run from its events in their order."""
    run = RunView(name)
    steps: dict[str, StepView] = {}
    last = ""
    for event in seen:
        last = event.time or last
        if event.kind == "run_started":
            run.recipe, run.total, run.started = event.text, int(event.total), event.time
        elif event.kind in ("run_finished", "run_failed"):
            run.state = event.kind.removeprefix("run_")
            run.seconds, run.text = event.seconds, event.text if event.kind == "run_failed" else ""
        else:
            _tell(steps.setdefault(event.name, StepView(event.name, event.step, event.fingerprint)), event)
    run.steps = list(steps.values())
    if run.state == "running" and run.started and last:
        run.seconds = _seconds(last) - _seconds(run.started)
    return run


def _tell(step: StepView, event: Event) -> None:
    match event.kind:
        case "step_hit":
            step.state, step.seconds = "kept", event.seconds
        case "step_waiting":
            step.state, step.text = "waiting", event.text
        case "step_started":
            step.state, step.started, step.text = "running", event.time, ""
        case "progress":
            at = _seconds(event.time)
            if step.first is None or event.done < step.first[1]:
                step.first = (at, event.done)
            spent, made = at - step.first[0], event.done - step.first[1]
            step.rate = made / spent if spent > 0.5 and made > 0 else step.rate
            step.done, step.total, step.unit = event.done, event.total, event.unit
        case "metric":
            step.curves.setdefault(event.metric, []).append((float(event.at), float(event.value)))
        case "drop":
            step.drops.append(event)
        case "note":
            step.notes.append(event.text)
        case "step_sealed":
            step.state, step.seconds, step.bytes = "made", event.seconds, event.total
        case "step_failed":
            step.state, step.seconds, step.text = "failed", event.seconds, event.text


class Runs:
    """The runs of a workspace. A file that did not grow since it was read is not read again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, tuple[int, RunView]] = {}

    def all(self) -> list[RunView]:
        """Newest first."""
        return [self._view(path) for path in sorted(self._folder.glob("*.jsonl"), reverse=True)]

    def one(self, name: str) -> RunView | None:
        path = self._folder / f"{name}.jsonl"
        return self._view(path) if path.parent == self._folder and path.is_file() else None

    def _view(self, path: Path) -> RunView:
        facts = path.stat()
        known = self._read.get(path.stem)
        if known is None or known[0] != facts.st_size:
            known = (facts.st_size, fold(path.stem, events.read(path)))
            self._read[path.stem] = known
        run = known[1]
        if run.state == "running" and time.time() - facts.st_mtime > _SILENT_S and not _alive(path.stem):
            run.state = "stopped"
            for step in run.steps:
                step.state = "stopped" if step.state in ("running", "waiting") else step.state
        return run


def routes(workspace: Workspace, view: View) -> list[Route]:
    """The list of runs, one run, and the part of its page that is asked for again while it goes on."""
    runs = Runs(workspace.runs)

    def listed(request: Request) -> Response:
        return view.page(request, "runs.html", {"runs": runs.all()[:200]})

    def found(request: Request) -> RunView:
        run = runs.one(request.path_params["run"])
        if run is None:
            raise HTTPException(404)
        return run

    def page(request: Request) -> Response:
        return view.page(request, "run.html", {"run": found(request)})

    def live(request: Request) -> Response:
        run = found(request)
        return HTMLResponse(view.text(request, "run_live.html", {"run": run}), headers={"x-run-state": run.state})

    return [Route("/runs", listed), Route("/runs/{run}", page), Route("/runs/{run}/live", live)]


def _alive(run: str) -> bool:
    """Whether the process of a run still is there: its number stands in the run's id, in hexadecimal before four digits."""
    try:
        os.kill(int(run.rpartition("-")[2][:-4], 16), 0)
    except (ValueError, ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _seconds(time_text: str) -> float:
    return datetime.fromisoformat(time_text).timestamp()

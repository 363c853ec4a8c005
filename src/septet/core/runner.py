"""Plan and run: what has a record is kept, what has none is made, sealed, and entered in the ledger.

The order of a seal is: files hashed, record written, folder renamed into the store, ledger entry, name. A kill between
any two of these leaves either nothing or a whole artifact, and the next run puts the missing entry in.
"""

from __future__ import annotations

import os
import platform
import resource
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from septet.core import plugins
from septet.core.artifact import Artifact
from septet.core.config import Config, externals, has_scheme
from septet.core.errors import ConfigError, SeptetError, StepFailed, StoreError
from septet.core.events import Event, EventFile, Sink, new_run_id, now
from septet.core.fingerprint import fingerprint, identity_of
from septet.core.pool import Pool
from septet.core.recipe import Node, Recipe, Sealed
from septet.core.run import Run
from septet.core.step import Cost
from septet.core.store import Record, full_disk_named
from septet.core.workspace import Workspace

ENGINES = "septet.engines"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of one step, in plain values, so that it can be handed to another process or machine."""

    step: str
    config: dict[str, Any]
    inputs: dict[str, str | list[str] | None]
    out: str
    scratch: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True, tag="outcome"):
    """What an execution said beside its files."""

    observed: dict[str, float | int | str]
    drops: list[dict[str, str | int]]
    notes: list[str]


class Engine(Protocol):
    """Where a step runs. A step never knows; identity never holds it."""

    def run(self, task: Task, emit: Sink) -> Outcome: ...


def perform(task: Task, emit: Sink, pool: Pool | None = None) -> Outcome:
    """Execute a task in this process, its pieces in the pool. Every engine ends here, on whichever machine."""
    step = plugins.step_named(task.step, "task")
    config = msgspec.convert(task.config, step.config)
    inputs: list[Artifact | tuple[Artifact, ...] | None] = []
    for port in step.ports:
        tied = task.inputs.get(port.name)
        if tied is None:
            inputs.append(() if port.many else None)
        elif isinstance(tied, list):
            inputs.append(tuple(port.kind(path) for path in tied))
        else:
            inputs.append(port.kind(tied))
    run = Run(task.out, task.scratch, emit, pool)
    with full_disk_named(run.out):
        made = step.function(config, *inputs, run=run)
    if Path(made.path) != run.out:
        raise StepFailed(f"{step.name} returned {made!r}", "A step must return the artifact that it wrote into run.out")
    made.check()
    return Outcome(observed=run.observed, drops=run.drops, notes=run.notes)


class Change(msgspec.Struct, frozen=True):
    """One difference to the nearest record: which key, what it was, what it is."""

    key: str
    was: Any
    now: Any


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen to one node: kept or made, why, and what it took last time, or is expected to take."""

    name: str
    step: str
    makes: str
    fingerprint: str
    hit: bool
    changes: tuple[Change, ...] = ()
    seconds: float | None = None
    bytes: int | None = None
    peak_memory_mb: float | None = None
    expected: bool = False
    """Whether time and memory are what the step expects, not what a record tells."""


class Runner:
    """Runs recipes in a workspace."""

    def __init__(self, workspace: Workspace, engine: Engine | None = None, sinks: Sequence[Sink] = ()) -> None:
        self.workspace = workspace
        self._engine = engine
        self._sinks = list(sinks)

    def plan(self, recipe: Recipe) -> list[Planned]:
        """Hit or miss for each node, which key changed since the nearest record, and what that record cost."""
        prints = self.fingerprints(recipe)
        names = self.workspace.names()
        found = []
        for name, node in recipe.nodes.items():
            mark = prints[name]
            record = self.workspace.store.find(node.step.name, mark)
            near = record or self._nearest(recipe, name, node, names)
            changes = () if record or near is None else self._changes(recipe, node, near, prints)
            expected = self._expected(node, prints, _labels(recipe)) if record is None else None
            found.append(
                Planned(
                    name=name,
                    step=node.step.name,
                    makes=node.step.makes.kind(),
                    fingerprint=mark,
                    hit=record is not None,
                    changes=changes,
                    seconds=expected.seconds if expected else near.made.get("seconds") if near else None,
                    bytes=None if near is None else near.bytes,
                    peak_memory_mb=expected.memory_mb
                    if expected
                    else near.made.get("peak_memory_mb")
                    if near
                    else None,
                    expected=expected is not None,
                )
            )
        self.workspace.hasher.keep()
        return found

    def _expected(self, node: Node, prints: dict[str, str], labels: dict[int, str]) -> Cost | None:
        """What the step says that it will take, where it says so and all of its inputs are there."""
        if node.step.cost is None:
            return None
        inputs: list[Artifact | tuple[Artifact, ...] | None] = []
        for port in node.step.ports:
            tied = []
            for one in node.inputs.get(port.name, ()):
                try:
                    record = self._input(one, prints, labels, node, port.kind)
                except StoreError:
                    return None  # it is still to be made
                tied.append(port.kind(self.workspace.store.folder(record)))
            inputs.append(tuple(tied) if port.many else tied[0] if tied else None)
        return node.step.cost(node.config, *inputs)

    def fingerprints(self, recipe: Recipe) -> dict[str, str]:
        """The fingerprint of each node."""
        prints: dict[str, str] = {}
        labels = _labels(recipe)
        for name, node in recipe.nodes.items():
            inputs: dict[str, str | list[str]] = {}
            for port in node.step.ports:
                tied = node.inputs.get(port.name, ())
                marks = [self._mark(one, prints, labels, node, port.kind) for one in tied]
                if port.many:
                    inputs[port.name] = marks
                elif marks:
                    inputs[port.name] = marks[0]
            identity = identity_of(node.config, self.workspace.hasher)
            prints[name] = fingerprint(
                node.step.name, node.step.version, identity, inputs, self.workspace.settings.digest
            )
        return prints

    def run(self, recipe: Recipe) -> dict[str, Record]:
        """Make what is missing, and return the record of each node. Raises the error of the first step that fails."""
        run_id = new_run_id()
        file = EventFile(self.workspace.runs / f"{run_id}.jsonl")
        began = time.monotonic()

        def emit(event: Event) -> None:
            event = msgspec.structs.replace(event, run=run_id, time=now())
            file(event)
            for sink in self._sinks:
                sink(event)

        emit(Event(kind="run_started", text=recipe.name, total=len(recipe.nodes)))
        try:
            prints = self.fingerprints(recipe)
            engine = self._engine or plugins.load(ENGINES, recipe.run.engine)(recipe.run.options)
            records: dict[str, Record] = {}
            for name, node in recipe.nodes.items():
                records[name] = self._one(name, node, prints, _labels(recipe), engine, emit)
                self.workspace.name(f"{recipe.name}/{name}", records[name])
            emit(Event(kind="run_finished", text=recipe.name, seconds=time.monotonic() - began))
        except BaseException as error:
            text = str(error) or type(error).__name__
            emit(Event(kind="run_failed", text=text, seconds=time.monotonic() - began))
            raise
        finally:
            file.close()
            self.workspace.hasher.keep()
        return records

    def _one(
        self, name: str, node: Node, prints: dict[str, str], labels: dict[int, str], engine: Engine, emit: Sink
    ) -> Record:
        mark = prints[name]

        def say(event: Event) -> None:
            emit(msgspec.structs.replace(event, name=name, step=node.step.name, fingerprint=mark))

        record = self._hit(node, mark)
        if record is None:
            with self.workspace.lock(mark, lambda: say(Event(kind="step_waiting", text="another run makes it"))):
                record = self._hit(node, mark)
                if record is None:
                    return self._make(node, mark, prints, labels, engine, say)
        say(Event(kind="step_hit", seconds=float(record.made.get("seconds", 0.0))))
        return record

    def _hit(self, node: Node, mark: str) -> Record | None:
        """The record, if there is one. A kill may have come after the rename and before the ledger: mend that here."""
        record = self.workspace.store.find(node.step.name, mark)
        if record is not None:
            self.workspace.enter(record)
        return record

    def _make(
        self, node: Node, mark: str, prints: dict[str, str], labels: dict[int, str], engine: Engine, say: Sink
    ) -> Record:
        store = self.workspace.store
        say(Event(kind="step_started"))
        began = time.monotonic()
        cpu = _cpu_seconds()
        identity = identity_of(node.config, self.workspace.hasher)
        scratch = self.workspace.scratch(mark)
        inputs: dict[str, str | list[str]] = {}
        paths: dict[str, str | list[str] | None] = {}
        for port in node.step.ports:
            tied = [self._input(one, prints, labels, node, port.kind) for one in node.inputs.get(port.name, ())]
            folders = [str(store.folder(record)) for record in tied]
            paths[port.name] = folders if port.many else (folders[0] if folders else None)
            if port.many:
                inputs[port.name] = [record.fingerprint for record in tied]
            elif tied:
                inputs[port.name] = tied[0].fingerprint
        with store.draft() as draft:
            task = Task(
                step=node.step.name,
                config=msgspec.to_builtins(node.config),
                inputs=paths,
                out=str(draft),
                scratch=str(scratch),
            )
            try:
                outcome = engine.run(task, say)
            except SeptetError as error:
                say(Event(kind="step_failed", text=str(error), seconds=time.monotonic() - began))
                raise
            except BaseException as error:
                say(
                    Event(kind="step_failed", text=f"{type(error).__name__}: {error}", seconds=time.monotonic() - began)
                )
                raise
            again = identity_of(node.config, type(self.workspace.hasher)(None, self.workspace.settings.digest))
            if again != identity:
                raise StepFailed(
                    f"{node.name}: a file outside the store changed while {node.step.name} read it", "Run again"
                )
            with full_disk_named(store.root):
                files = store.hash_files(draft)
            seconds = time.monotonic() - began
            record = Record(
                step=node.step.name,
                version=node.step.version,
                fingerprint=mark,
                kind=node.step.makes.kind(),
                config=identity,
                inputs=inputs,
                outside=_outside(node.config),
                files=files,
                digest=store.digest(files),
                made=made_now(seconds, _cpu_seconds() - cpu),
                observed=outcome.observed,
                drops=outcome.drops,
                notes=outcome.notes,
            )
            store.seal(draft, record)
        record = store.find(node.step.name, mark) or record
        self.workspace.enter(record)
        shutil.rmtree(scratch, ignore_errors=True)
        say(Event(kind="step_sealed", seconds=seconds, total=record.bytes))
        return record

    def _mark(
        self, tied: Node | Sealed, prints: dict[str, str], labels: dict[int, str], node: Node, kind: type[Artifact]
    ) -> str:
        if isinstance(tied, Node):
            return prints[labels[id(tied)]]
        return self._input(tied, prints, labels, node, kind).fingerprint

    def _input(
        self, tied: Node | Sealed, prints: dict[str, str], labels: dict[int, str], node: Node, kind: type[Artifact]
    ) -> Record:
        if isinstance(tied, Node):
            record = self.workspace.store.find(tied.step.name, prints[labels[id(tied)]])
            if record is None:
                raise StoreError(f"{node.name}: the artifact of '{tied.name}' is gone from the store", "Run again")
            return record
        record = self.workspace.resolve(tied.name)
        if record.kind != kind.kind():
            raise ConfigError(
                f"{node.name}: '{tied.name}' is a {record.kind}, not a {kind.kind()}", "Name another artifact"
            )
        return record

    def _nearest(self, recipe: Recipe, name: str, node: Node, names: Any) -> Record | None:
        """The record to compare with: what this table's name stands for, else the same step's with fewest differences."""
        known = names.get(f"{recipe.name}/{name}")
        if known is not None and known["step"] == node.step.name:
            record = self.workspace.store.find(node.step.name, str(known["fingerprint"]))
            if record is not None:
                return record
        identity = identity_of(node.config, self.workspace.hasher)
        others = self.workspace.store.records(node.step.name)
        return min(others, key=lambda other: len(_differences(other.config, identity)), default=None)

    def _changes(self, recipe: Recipe, node: Node, near: Record, prints: dict[str, str]) -> tuple[Change, ...]:
        identity = identity_of(node.config, self.workspace.hasher)
        changes = [Change(key, was, new) for key, was, new in _differences(near.config, identity)]
        if near.version != node.step.version:
            changes.append(Change("step version", near.version, node.step.version))
        labels = _labels(recipe)
        for port in node.step.ports:
            marks = [self._mark(one, prints, labels, node, port.kind) for one in node.inputs.get(port.name, ())]
            was = near.inputs.get(port.name, [])
            if ([was] if isinstance(was, str) else was) != marks:
                changes.append(Change(port.name, was, marks if port.many else (marks[0] if marks else [])))
        return tuple(changes)


def _differences(was: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    return [
        (key, was.get(key), new.get(key)) for key in sorted(was.keys() | new.keys()) if was.get(key) != new.get(key)
    ]


def _labels(recipe: Recipe) -> dict[int, str]:
    return {id(node): name for name, node in recipe.nodes.items()}


def _outside(config: Config) -> dict[str, list[str]]:
    found = {name: list(paths) for name, paths in externals(config).items()}
    for name, value in msgspec.structs.asdict(config).items():
        if isinstance(value, str) and name not in found and has_scheme(value) and name == "source":
            found[name] = [value]
    return found


def _cpu_seconds() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def made_now(seconds: float, cpu_seconds: float) -> dict[str, Any]:
    """When, how long, and with what: the part of a record that may differ between two runs."""
    from septet import __version__

    return {
        "time": now(),
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu_seconds, 3),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "septet": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "interpreter": sys.implementation.name,
    }

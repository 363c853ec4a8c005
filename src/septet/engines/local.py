"""The local engines: `inline` runs a step in this process; `process` in one of its own, which frees all its memory after.

A step that dies (out of memory, a crash in native code) takes down an inline run; under `process` it is a clear error.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec

from septet.core import StepFailed
from septet.core.events import Event, Sink
from septet.core.pool import Pool
from septet.core.runner import Outcome, Task, perform
from septet.engines.failure import Failure
from septet.engines.pools import chosen


class Inline:
    """Runs a step where the runner is. No start-up cost, and libraries are imported once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def run(self, task: Task, emit: Sink) -> Outcome:
        return perform(task, emit, self._pool)


class Process:
    """Runs each step in a fresh process of this interpreter. Events come back as JSON lines on its standard output."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options

    def run(self, task: Task, emit: Sink) -> Outcome:
        command = [sys.executable, "-m", "septet.engines.worker"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
            assert worker.stdin is not None
            assert worker.stdout is not None
            try:
                worker.stdin.write(msgspec.json.encode(task) + b"\n" + msgspec.json.encode(self._options) + b"\n")
                worker.stdin.close()
                outcome: Outcome | None = None
                failure: Failure | None = None
                for line in worker.stdout:
                    message = msgspec.json.decode(line, type=Event | Outcome | Failure)
                    if isinstance(message, Event):
                        emit(message)
                    elif isinstance(message, Outcome):
                        outcome = message
                    else:
                        failure = message
                worker.wait()
            except BaseException:
                worker.terminate()
                raise
        if failure is not None:
            failure.raise_again()
        if outcome is None:
            raise StepFailed(
                f"{task.step}: its process ended with status {worker.returncode} before it finished",
                "A negative status is a signal: -9 is often the system out of memory; see its last lines above",
            )
        return outcome


def inline(options: dict[str, Any]) -> Inline:
    return Inline(chosen("inline", options))


def process(options: dict[str, Any]) -> Process:
    chosen("process", options)
    return Process(options)

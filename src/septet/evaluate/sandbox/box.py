"""A sandbox for Python that a model wrote: each piece in a fresh process behind the walls that the kernel grants.

No Docker and no rights are needed. Which walls stood is found out by building them and is part of every result (`Isolation`):
ids without rights, no network, files that can only be read, processes that see and leave behind nothing, and limits on time,
memory, files, processes and output. A program passes by running its tests to their end, nothing else (`warden` says how). What it
can still do is read the files that anyone may read.

A warm interpreter forks for each piece, which costs a few milliseconds. The estimator of pass@k is that of Chen et al., "Evaluating
Large Language Models Trained on Code" (2021).
"""

from __future__ import annotations

import json
import math
import os
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import msgspec

from septet.core import StepFailed

Outcome = Literal["passed", "failed", "error", "timeout", "memory", "output", "killed"]
"""`failed`: a test did not hold. `error`: another exception, which `detail` names. `timeout`: by the clock or the processor.
`memory`: it asked for more than it may have. `output`: it printed more than it may. `killed`: by a signal, or it left early."""

_WARDEN = Path(__file__).with_name("warden.py")
# How long the walls may take to say anything beyond what a piece of code may take.
_GRACE_S = 30.0


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a piece of code may use. Processor time is the first limit, for it does not depend on how busy the machine is."""

    cpu_s: int = 3
    """Seconds of the processor, for each process."""
    wall_s: float = 6.0
    """Seconds by the clock, for all."""
    memory_bytes: int = 1 << 30
    """Address space, for each process."""
    file_bytes: int = 1 << 24
    """The largest file that it may write."""
    scratch_bytes: int = 1 << 25
    """All that it may write, where the scratch folder is in memory."""
    processes: int = 16
    open_files: int = 64
    output_bytes: int = 1 << 20
    """More is the outcome `output`."""
    kept_bytes: int = 2000
    """How much of what it printed is kept with the result."""


class Isolation(msgspec.Struct, frozen=True):
    """Which walls stood. Each is true only where the kernel granted it."""

    identity: bool
    """It ran as nobody, without capabilities."""
    network: bool
    """It was in a network namespace without any network."""
    files: bool
    """It could not change a file outside its scratch folder."""
    files_by: Literal["mounts", "landlock", ""]
    """`mounts`: all is read-only, and the folders of sockets, temporary and private files are hidden where they can be."""
    processes: bool
    """It saw no process but its own, and none outlived it: a process namespace."""
    process_limit: bool
    """The number of its processes was limited."""

    @property
    def level(self) -> str:
        """`full`, `limits only`, or `partial`, in one word for a report."""
        walls = (self.identity, self.network, self.files, self.processes, self.process_limit)
        return "full" if all(walls) else "partial" if any(walls) else "limits only"


class Result(msgspec.Struct, frozen=True):
    """What came of a piece of code, and behind which walls."""

    outcome: Outcome
    detail: str
    """The exception with its message, the signal, or the limit."""
    output: str
    """The beginning of what it printed."""
    isolation: Isolation


class Sandbox:
    """Walls that stand while many pieces of code are tried, one after another. It belongs to one thread.

    Raises StepFailed where the walls themselves fail: that is never an outcome of the code.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._folder = Path(tempfile.mkdtemp(prefix="septet-sandbox-"))
        self._warden: subprocess.Popen[bytes] | None = None
        self._isolation: Isolation | None = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes and remove the scratch folder."""
        self._stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def isolation(self) -> Isolation:
        """Which walls stand."""
        self._started()
        assert self._isolation is not None
        return self._isolation

    def run(self, program: str, tests: str, visible: Sequence[str] = ()) -> Result:
        """Run the program, then the tests, which see its names; it passes when the tests have run to their end.

        A name of the program that is also a built-in (`sum`) is seen by the tests only if it is `visible`: the function under test.
        """
        warden = self._started()
        request = {
            "program": program,
            "tests": tests,
            "visible": list(visible),
            "limits": msgspec.to_builtins(self.limits),
        }
        data = json.dumps(request).encode()
        answer = None
        try:
            assert warden.stdin is not None
            warden.stdin.write(struct.pack("=Q", len(data)) + data)
            warden.stdin.flush()
            answer = self._answer(self.limits.wall_s + _GRACE_S)
        except BrokenPipeError:
            pass
        if answer is None:
            # Only code that is of the same user and in no namespace can reach the warden.
            self._stop()
            answer = {"outcome": "killed", "detail": "the code stopped the process that guards it", "output": ""}
        if "fault" in answer:
            raise StepFailed(
                f"the sandbox could not run a piece of code: {answer['fault']}", "Free processes or memory"
            )
        return Result(answer["outcome"], answer["detail"], answer["output"], self.isolation)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._warden is not None and self._warden.poll() is None:
            return self._warden
        self._stop()
        self._folder.mkdir(exist_ok=True)
        # The order of sets is that of the hashes: a fixed seed makes a verdict the same in every run.
        environment = {
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "LC_ALL": "C.UTF-8",
            "PATH": os.defpath,
        }
        self._warden = subprocess.Popen(
            [sys.executable, "-s", "-P", str(_WARDEN), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
        reached = self._answer(_GRACE_S)
        if reached is None:
            self._stop()
            raise StepFailed("the sandbox did not start", f"Try: {sys.executable} {_WARDEN} {tempfile.gettempdir()}")
        self._isolation = Isolation(
            identity=reached["identity"],
            network=reached["network"],
            files=reached["mounts"] or reached["landlock"],
            files_by="mounts" if reached["mounts"] else "landlock" if reached["landlock"] else "",
            processes=reached["processes"],
            process_limit=reached["count"],
        )
        return self._warden

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        """The warden's next message; None if it ended or said nothing in time."""
        assert self._warden is not None
        assert self._warden.stdout is not None
        descriptor = self._warden.stdout.fileno()
        waiting = select.poll()  # `select` itself takes no descriptor above 1023
        waiting.register(descriptor, select.POLLIN)
        deadline = time.monotonic() + seconds
        data, size = b"", 8
        while len(data) < size:
            if not waiting.poll(1000 * max(0.0, deadline - time.monotonic())):
                return None
            more = os.read(descriptor, size - len(data))
            if not more:
                return None
            data += more
            if len(data) == 8:
                size = 8 + struct.unpack("=Q", data)[0]
        found = json.loads(data[8:])
        return found if isinstance(found, dict) else None

    def _stop(self) -> None:
        if self._warden is None:
            return
        self._warden.kill()
        for pipe in (self._warden.stdin, self._warden.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        self._warden.wait()
        self._warden = None


def isolation() -> Isolation:
    """Which walls this machine grants, found out by building them."""
    with Sandbox() as box:
        return box.isolation


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The unbiased estimate that at least one of `k` samples passes, where `passed` of `samples` did (Chen et al., 2021).

    Raises ValueError where there are fewer samples than `k`.
    """
    if not 0 < k <= samples or not 0 <= passed <= samples:
        raise ValueError(f"pass@{k} of {samples} samples, {passed} passed: there must be at least k samples")
    return 1.0 - math.comb(samples - passed, k) / math.comb(samples, k)

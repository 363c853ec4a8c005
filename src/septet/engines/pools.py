"""Worker processes for the pieces of a step. Each is a fresh interpreter that reads pieces and writes results, a line each.

Fresh processes share no threads or locks with this one, and a script that starts a run needs no main guard.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import msgspec

from septet.core import ConfigError, SeptetError, StepFailed, nearest
from septet.core.pool import Pool, Serial, call
from septet.engines.failure import Failure


class Piece(msgspec.Struct, frozen=True):
    """What goes over to a worker: where the function stands, and the piece as JSON."""

    place: str
    piece: bytes


class Done(msgspec.Struct, frozen=True, tag="done"):
    result: bytes


class Processes:
    """So many worker processes; they live for one map, so that they hold no memory between steps."""

    def __init__(self, workers: int, memory_mb: int = 0) -> None:
        self.workers = workers
        self.memory_mb = memory_mb

    def map(self, place: str, pieces: Sequence[bytes]) -> Iterator[bytes]:
        count = min(self.workers, len(pieces))
        idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        workers = [_start() for _ in range(count)]
        for worker in workers:
            idle.put(worker)

        def one(piece: bytes) -> bytes:
            worker = idle.get()
            try:
                return _ask(worker, place, piece)
            finally:
                idle.put(worker)

        threads = ThreadPoolExecutor(count)
        try:
            yield from threads.map(one, pieces)
            for worker in workers:
                if worker.stdin is not None:
                    worker.stdin.close()
                worker.wait()
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                if worker.poll() is None:
                    worker.terminate()
                    worker.wait()
                for stream in (worker.stdin, worker.stdout):
                    if stream is not None and not stream.closed:
                        stream.close()


def _start() -> subprocess.Popen[bytes]:
    # One piece is one thread: two workers with a thread for each core each would spin against each other.
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "septet.engines.pools"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=surroundings,
    )


def _ask(worker: subprocess.Popen[bytes], place: str, piece: bytes) -> bytes:
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(msgspec.json.encode(Piece(place, piece)) + b"\n")
        worker.stdin.flush()
        line = worker.stdout.readline()
    except BrokenPipeError:
        line = b""
    if not line:
        raise StepFailed(
            f"a worker process of {place} ended with status {worker.wait()} before it finished",
            "A negative status is a signal: -9 is often the system out of memory; give fewer workers under [run.options]",
        )
    answer = msgspec.json.decode(line, type=Done | Failure)
    if isinstance(answer, Failure):
        answer.raise_again()
    return answer.result


def chosen(engine: str, options: dict[str, Any]) -> Pool:
    """The pool that `[run.options]` asks for: `workers` (all cores unless given) and `memory_mb`."""
    workers, memory_mb = numbers_of(engine, options)
    return Serial(memory_mb) if workers == 1 else Processes(workers, memory_mb)


def numbers_of(engine: str, options: dict[str, Any], further: Sequence[str] = ()) -> tuple[int, int]:
    """`workers` and `memory_mb` of the options. Raises ConfigError for what is no number or no option."""
    for name in options:
        if name not in ("workers", "memory_mb", *further):
            raise ConfigError(
                f"the engine '{engine}' has no option '{name}'", nearest(name, ("workers", "memory_mb", *further))
            )
    workers = options.get("workers", len(os.sched_getaffinity(0)))
    memory_mb = options.get("memory_mb", 0)
    for name, value, least in (("workers", workers, 1), ("memory_mb", memory_mb, 0)):
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ConfigError(f"[run.options] {name} is {value!r}", f"It is a whole number of at least {least}")
    return workers, memory_mb


def main() -> int:
    """A worker: pieces in, results out. Standard output carries the answers alone; what a library prints goes to the other."""
    wire = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        asked = msgspec.json.decode(line, type=Piece)
        answer: Done | Failure
        try:
            answer = Done(call(asked.place, asked.piece))
        except SeptetError as error:
            answer = Failure(error=type(error).__name__, message=error.message, remedy=error.remedy)
        wire.write(msgspec.json.encode(answer) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

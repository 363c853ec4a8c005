"""The `ray` engine: the step where the runner is, its pieces on a Ray cluster, handed out by Daft.

A piece is one row of a Daft data frame, its partition is the unit that Ray places, and the function that does it is the same
that a local worker calls, so what is made is the same to the byte. The store must be a folder that every machine of the cluster
sees. Daft's usage reports are switched off, and nothing else is asked of the network than the cluster itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from septet.core import ConfigError, MissingExtra, SeptetError
from septet.core.events import Sink
from septet.core.pool import call
from septet.core.runner import Outcome, Task, perform
from septet.engines.failure import Failure
from septet.engines.pools import Done, numbers_of


class Cluster:
    """Runs steps with their pieces on a cluster: one that is running (`address`), or one started here and ended with the run."""

    def __init__(self, address: str, workers: int, memory_mb: int) -> None:
        self._pool = DaftPool(address, workers, memory_mb)

    def run(self, task: Task, emit: Sink) -> Outcome:
        return perform(task, emit, self._pool)


class DaftPool:
    """Pieces as rows of a data frame, a partition each."""

    def __init__(self, address: str, workers: int, memory_mb: int) -> None:
        self.workers = workers
        self.memory_mb = memory_mb
        self._address = address

    def map(self, place: str, pieces: Sequence[bytes]) -> Iterator[bytes]:
        daft = self._connected()
        work = daft.func.batch(return_dtype=daft.DataType.binary(), use_process=True)(_work)
        columns = {"number": list(range(len(pieces))), "place": [place] * len(pieces), "piece": list(pieces)}
        frame = daft.from_pydict(columns).into_partitions(len(pieces))
        frame = frame.with_column("result", work(daft.col("place"), daft.col("piece"))).select("number", "result")
        waiting: dict[int, bytes] = {}
        following = 0
        for part in frame.iter_partitions():
            rows = _here(part).to_pydict()
            waiting.update(zip(rows["number"], rows["result"], strict=True))
            while following in waiting:
                answer = msgspec.json.decode(waiting.pop(following), type=Done | Failure)
                if isinstance(answer, Failure):
                    answer.raise_again()
                yield answer.result
                following += 1

    def _connected(self) -> Any:
        os.environ.update(DO_NOT_TRACK="1", DAFT_ANALYTICS_ENABLED="0", RAY_USAGE_STATS_ENABLED="0")
        try:
            import daft
            import ray
        except ImportError:
            raise MissingExtra("daft and ray", "ray") from None
        if not ray.is_initialized():
            quiet = {"logging_level": "error", "log_to_driver": False}
            try:
                if self._address:
                    ray.init(address=self._address, **quiet)
                else:
                    ray.init(num_cpus=self.workers, include_dashboard=False, **quiet)
            except (ConnectionError, ValueError) as error:
                raise ConfigError(
                    f"no Ray cluster answers at '{self._address}': {error}", "Check [run.options] address"
                ) from None
            daft.set_runner_ray()
        return daft


def _here(part: Any) -> Any:
    if hasattr(part, "to_pydict"):
        return part
    import ray

    return ray.get(part)


def _work(places: Any, pieces: Any) -> list[bytes]:
    """The user-defined function: it never raises, since Daft would lose where and why."""
    answers = []
    for place, piece in zip(places.to_pylist(), pieces.to_pylist(), strict=True):
        answer: Done | Failure
        try:
            answer = Done(call(place, piece))
        except SeptetError as error:
            answer = Failure(error=type(error).__name__, message=error.message, remedy=error.remedy)
        answers.append(msgspec.json.encode(answer))
    return answers


def make(options: dict[str, Any]) -> Cluster:
    """`[run] engine = "ray"`; options `address` of a running cluster (none: one of `workers` is started) and `memory_mb`."""
    address = options.get("address", "")
    if not isinstance(address, str):
        raise ConfigError(f"[run.options] address is {address!r}", "It is text, such as ray://head:10001 or auto")
    workers, memory_mb = numbers_of("ray", options, further=("address",))
    return Cluster(address, workers, memory_mb)

"""The other end of the `process` engine: reads one task, performs it, and writes events and the outcome as JSON lines.

Standard output carries the protocol alone: whatever a library prints goes to standard error.
"""

from __future__ import annotations

import os
import sys

import msgspec

from septet.core import SeptetError
from septet.core.events import Event
from septet.core.runner import Outcome, Task, perform
from septet.engines.failure import Failure
from septet.engines.pools import chosen


def main() -> int:
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    pool = chosen("process", msgspec.json.decode(sys.stdin.buffer.readline()))
    wire = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)

    def send(message: Event | Outcome | Failure) -> None:
        wire.write(msgspec.json.encode(message) + b"\n")

    try:
        send(perform(task, send, pool))
    except SeptetError as error:
        send(Failure(error=type(error).__name__, message=error.message, remedy=error.remedy))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

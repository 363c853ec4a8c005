"""A server in a thread of the test's own process, and waiting for something to come true."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from septet.server.listen import address_of, bind


@contextlib.contextmanager
def running(app: Any) -> Iterator[str]:
    """Serve an app in a thread of this process and give its address."""
    opened = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
    thread.start()
    try:
        until(lambda: server.started)
        yield address_of(opened)
    finally:
        server.should_exit = True
        thread.join(10)
        opened.close()
        assert not thread.is_alive()


def until(true: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait until something holds, and fail when it does not in time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to be in time"
        time.sleep(0.01)

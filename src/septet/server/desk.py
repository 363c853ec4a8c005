"""One assistant, many callers: they wait in line here, and the event loop stays free.

An assistant is synchronous and serves one question at a time. One thread opens it and runs every piece of every answer, so
that what it holds (a model, SQLite connections) is never touched from two threads. A caller who leaves takes the question
with him: the generator is closed, which stops the model at its next token.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from septet.core.errors import SeptetError

if TYPE_CHECKING:
    from septet.assistant import Answer, Assistant, Options, Piece
    from septet.assistant.feedback import Feedback
    from septet.detect.access import Reader

MAX_WAITING = 64
"""Questions in line at most. At one to three seconds an answer, the last of them has waited two minutes."""


class Busy(SeptetError):
    """Too many questions are waiting."""


class Desk:
    """Takes questions from any number of tasks of one event loop and hands them to the assistant one after another."""

    def __init__(self, opened: Callable[[], Assistant], max_waiting: int = MAX_WAITING) -> None:
        self._open = opened
        self._max_waiting = max_waiting
        self._assistant: Assistant | None = None
        self._thread = ThreadPoolExecutor(1, "assistant")
        self._turn = asyncio.Lock()
        self._waiting = 0

    @property
    def assistant(self) -> Assistant | None:
        """The assistant, once it is open."""
        return self._assistant

    def open(self) -> Assistant:
        """Open the assistant now, and wait for it. Without this it is opened for the first question."""
        return self._thread.submit(self._opened).result()

    async def stream(
        self, messages: Sequence[dict[str, str]], options: Options, reader: Reader
    ) -> AsyncGenerator[Piece | Answer, None]:
        """Pieces of text as they may be shown, then the whole answer. Close it to stop the model.

        Raises Busy when too many questions wait, and what the assistant raises.
        """
        if self._waiting >= self._max_waiting:
            raise Busy(f"{self._waiting} questions are waiting already", "Ask again in a minute")
        self._waiting += 1
        try:
            async with self._turn:
                loop = asyncio.get_running_loop()
                answering: Iterator[Piece | Answer] | None = None

                def following() -> Piece | Answer | None:
                    nonlocal answering
                    if answering is None:
                        answering = self._opened().stream(list(messages), options, reader)
                    return next(answering, None)

                def close() -> None:
                    closing: Any = answering
                    if closing is not None:
                        closing.close()

                try:
                    while (item := await loop.run_in_executor(self._thread, following)) is not None:
                        yield item
                finally:
                    # Not awaited: the one thread does it before any later question, even when this task is being cancelled.
                    self._thread.submit(close)
        finally:
            self._waiting -= 1

    async def rate(self, reader: Reader, name: str, given: Feedback) -> bool:
        """Keep what a reader, who asked under a name, says of an answer. Raises what the assistant raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: self._opened().rate(reader, name, given))

    def close(self) -> None:
        """Let the piece that is being written end, close the assistant, and take no more questions."""
        if self._assistant is not None:
            self._thread.submit(self._assistant.close)
        self._thread.shutdown()

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> Assistant:
        if self._assistant is None:
            self._assistant = self._open()
        return self._assistant

"""An assistant without a model, for what a model cannot be told to do: be slow, fail, or write something nasty."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace

from septet.assistant import Answer, Citation, Options, Piece
from septet.assistant.feedback import Feedback
from septet.core.errors import ConfigError
from septet.detect.access import Reader

FINGERPRINT = "sha256:" + "5e" * 32
QUOTE = "The server listens on port 8600 by default."


class FakeAssistant:
    """Writes `words`, one piece a word, `pause_s` apart. Questions that begin with a command make it misbehave."""

    name = "quickstart"
    created = 1_760_000_000

    def __init__(self, words: str = "The server listens on port 8600 by default.", pause_s: float = 0.0) -> None:
        self.release = SimpleNamespace(fingerprint=FINGERPRINT, kind="Release")
        self.words = words
        self.forget(pause_s)

    def forget(self, pause_s: float = 0.0) -> None:
        """Begin anew, for the next test."""
        self.pause_s = pause_s
        self.asked: list[tuple[list[dict[str, str]], Options, Reader]] = []
        self.rated: list[tuple[str, Feedback]] = []
        self.threads: set[int] = set()
        self.running = 0
        self.most_running = 0
        self.stopped = threading.Event()
        self.written = 0

    def close(self) -> None:
        self.closed = True

    def rate(self, reader: Reader, name: str, given: Feedback) -> bool:
        self.rated.append((name, given))
        return given.consent

    def stream(self, messages: list[dict[str, str]], options: Options, reader: Reader) -> Iterator[Piece | Answer]:
        self.threads.add(threading.get_ident())
        self.asked.append((messages, options, reader))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        finished = False
        try:
            yield from self._write(messages[-1]["content"], options)
            finished = True
        finally:
            self.running -= 1
            if not finished:
                self.stopped.set()

    def _write(self, question: str, options: Options) -> Iterator[Piece | Answer]:
        if question.startswith("fail early"):
            raise ConfigError("the prompt is longer than the context", "Ask a shorter question")
        if question.startswith("bug"):
            raise RuntimeError("a secret path of the machine")
        words = self.words.split(" ")
        endless = question.startswith("endless")
        block = question.startswith("block")
        pieces = [(" " if place else "") + word for place, word in enumerate(words)][: options.max_tokens or None]
        if endless:
            pieces = ["again "] * 10_000
        text = ""
        for place, piece in enumerate(pieces):
            time.sleep(self.pause_s)
            if question.startswith("fail late") and place == 2:
                raise RuntimeError("a secret path of the machine")
            if block and place == 2:
                break
            text += piece
            self.written += 1
            yield Piece(piece)
        finish = "content_filter" if block else "length" if len(pieces) < len(words) else "stop"
        if block:
            text = "I cannot answer this."
        elif finish == "stop":
            text += " [1]"
            yield Piece(" [1]")
        citation = Citation(
            number=1, chunk="c1", title="Serving", source="en/serving.md", start=10, end=53, page=0, quote=QUOTE
        )
        yield Answer(
            id=f"ans-{uuid.uuid4().hex[:12]}",
            text=text,
            question=question,
            language="en",
            citations=() if block else (citation,),
            contexts=({"chunk": "c1", "title": "Serving", "text": QUOTE, "source": "en/serving.md"},),
            finish=finish,
            prompt_tokens=20,
            completion_tokens=len(pieces),
            guard={
                "prompt": {"action": "allow", "reasons": []},
                "answer": {"action": "block" if block else "allow", "reasons": ["lexicon"] if block else []},
            },
            supported=not block,
            abstained=False,
            release=FINGERPRINT,
            seconds=0.1,
        )

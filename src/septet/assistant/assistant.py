"""One question, from the guard at the door to the entry in the ledger.

What is logged is what the model saw: the prompt after masking. A blocked prompt reaches neither the index nor the model.
A passage that itself reads like an attack (an injected instruction) is left out of the prompt and counted.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from septet.assistant.answer import Answer, Citation, Options, Piece, cite, marks
from septet.core import ConfigError, StoreError
from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.knowledge.search import Searcher, contexts
from septet.detect import grounding
from septet.detect import policy as policies
from septet.detect.language import language
from septet.inference.protocol import Options as EngineOptions
from septet.inference.protocol import load
from septet.kinds import KnowledgeBase, Model, Policy, Release
from septet.model.template import ANSWER_ENDS, Grounded, abstains, grounded_messages
from septet.operate import publish
from septet.trust.guard import Guard, Verdict
from septet.trust.stream import AnswerStream

Message = dict[str, Any]
_REMEMBERED = 6
"""How many earlier messages a prompt carries: with more, a small context has no room for passages."""


class Assistant:
    """An open release. One question at a time: calls from several threads wait for each other."""

    def __init__(self, workspace: Workspace, release: Record) -> None:
        store = workspace.store
        self._workspace = workspace
        self.release = release
        content = Release(store.folder(release)).content
        self.name = str(content["name"])
        self.created = int(datetime.fromisoformat(str(release.made["time"])).timestamp())
        self._settings = content["settings"]
        parts = {port: store.get(str(release.inputs[port])) for port in ("model", "knowledge", "policy")}
        for port, record in parts.items():
            folder = Model(store.folder(record)) if port == "model" else KnowledgeBase(store.folder(record))
            if port != "policy" and folder.digest() != content[port]["digest"]:
                raise StoreError(
                    f"the {port} of '{self.name}' is not the one that was tested", "Look with: septet verify"
                )
        self._policy = policies.load(Policy(store.folder(parts["policy"])).path)
        self._guard = Guard(self._policy, key=_log_key(workspace))
        self._searcher = Searcher(KnowledgeBase(store.folder(parts["knowledge"])))
        self._engine = load(Model(store.folder(parts["model"])))
        self._lock = threading.Lock()

    @classmethod
    def open(cls, workspace: Workspace, name: str = "") -> Assistant:
        """Open a release by name or fingerprint; without one, the newest. Its parts must be those that were tested."""
        return cls(workspace, publish.find(workspace, name))

    def answer(self, messages: Sequence[Message], options: Options | None = None, user: str = "") -> Answer:
        """The whole answer to the last message."""
        for item in self.stream(messages, options, user):
            if isinstance(item, Answer):
                return item
        raise AssertionError("a stream ends with its answer")

    def stream(
        self, messages: Sequence[Message], options: Options | None = None, user: str = ""
    ) -> Iterator[Piece | Answer]:
        """Pieces of the answer as they become safe to show, and at the end the whole answer. Closing it stops the model."""
        options = options or Options()
        question, history, forgotten = _split(messages)
        with self._lock:
            yield from self._stream(question, history, forgotten, options, user)

    def close(self) -> None:
        self._engine.close()
        self._searcher.close()

    def _stream(
        self, question: str, history: Sequence[Message], forgotten: int, options: Options, user: str
    ) -> Iterator[Piece | Answer]:
        began = time.monotonic()
        tongue = "zh" if language(question) in ("zh", "mixed") else "en"
        at_door = self._guard.prompt(question)
        past = [self._guard.prompt(str(message["content"])) for message in history if message["role"] == "user"]
        refused = next((verdict for verdict in (at_door, *past) if not verdict.allowed), None)
        if refused is not None:
            yield Piece(refused.message)
            yield self._finished(
                question=self._redacted(question, refused),
                tongue=tongue,
                text=refused.message,
                finish="content_filter",
                guard={"prompt": _said(refused), "answer": {"action": "none", "reasons": []}},
                began=began,
                user=user,
            )
            return
        question = at_door.masked_text
        history = self._masked(history)
        given, chunks, orders = self._retrieve(question)
        grounded = grounded_messages(
            question, given, tongue, max_tokens=self._settings["context_tokens"], history=history
        )
        given, chunks = given[: grounded.num_contexts], chunks[: grounded.num_contexts]
        left_out = {
            "earlier messages": forgotten,
            "passages that read like orders": orders,
            "contexts beyond the budget": grounded.num_dropped,
            "contexts cut to the budget": grounded.num_truncated,
        }
        yield from self._generate(grounded, given, chunks, question, tongue, options, at_door, left_out, began, user)

    def _generate(
        self,
        grounded: Grounded,
        given: list[dict[str, Any]],
        chunks: list[dict[str, Any]],
        question: str,
        tongue: str,
        options: Options,
        at_door: Verdict,
        left_out: dict[str, int],
        began: float,
        user: str,
    ) -> Iterator[Piece | Answer]:
        limit = min(options.max_tokens or self._settings["max_tokens"], self._settings["max_tokens"])
        asked = EngineOptions(
            max_tokens=limit,
            temperature=options.temperature,
            top_p=options.top_p,
            seed=options.seed,
            stop=(*options.stop, *ANSWER_ENDS),
        )
        gate = AnswerStream(self._guard)
        shown: list[str] = []
        prompt = self._engine.codec.prompt(grounded.messages)
        stream = self._engine.stream(prompt, asked)
        wrote: list[str] = []
        finish = "stop"
        try:
            for token in stream:
                wrote.append(token.text)
                finish = token.finish or finish
                piece = gate.feed(token.text)
                if piece:
                    piece = piece if shown else piece.lstrip()
                    shown.append(piece)
                    yield Piece(piece)
                if gate.blocked:
                    break
            else:
                piece = gate.flush()
                piece = piece if shown else piece.lstrip()
                if piece:
                    shown.append(piece)
                    yield Piece(piece)
        finally:
            # Closing it stops the model: after a block, and when whoever reads goes away.
            stream.close()
        verdict = gate.verdict
        text = "".join(shown).rstrip()
        guard = {"prompt": _said(at_door), "answer": _said(verdict)}
        orders = left_out["passages that read like orders"]
        if orders:
            guard["contexts"] = {"action": "left_out", "reasons": [f"{orders} passages read like orders to the model"]}
        citations: list[Citation] = []
        supported = abstained = False
        if gate.blocked:
            finish, tail = "content_filter", ("\n" if text else "") + verdict.message
        else:
            abstained = abstains(text) or not text
            checks = [] if abstained else self._checked(text, chunks)
            citations = cite(checks, given, chunks)
            supported = bool(checks) and all(check.supported for check in checks)
            tail = self._tail(text, abstained, supported, tongue, marks(checks, citations, given))
        if tail:
            yield Piece(tail)
        yield self._finished(
            question=question,
            tongue=tongue,
            text=text + tail,
            finish=finish,
            guard=guard,
            began=began,
            user=user,
            citations=tuple(citations),
            given=tuple(given),
            supported=supported,
            abstained=abstained,
            prompt_tokens=len(prompt.ids),
            completion_tokens=len(self._engine.codec.encode("".join(wrote))),
            left_out={what: count for what, count in left_out.items() if count},
        )

    def _retrieve(self, question: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
        """Contexts and their chunks, best first, without the passages that read like an attack (and their number)."""
        hits = self._searcher.search(question, self._settings["top"])
        safe = [hit for hit in hits if self._guard.passage(hit.chunk["text"]).allowed]
        return list(contexts(safe)), [hit.chunk for hit in safe], len(hits) - len(safe)

    def _checked(self, text: str, chunks: Sequence[dict[str, Any]]) -> list[grounding.SentenceCheck]:
        return grounding.check(text, [chunk["text"] for chunk in chunks], self._policy.grounding.settings())

    def _tail(self, text: str, abstained: bool, supported: bool, tongue: str, numbers: str) -> str:
        """What follows the model's words: the citations, or the mark of what no context bears out."""
        if not text:
            return policies_message(self._policy, tongue, "unsupported") or ""
        if abstained:
            return ""
        mark = "" if supported else policies_message(self._policy, tongue, "unsupported")
        return "".join(f" {part}" for part in (numbers, mark) if part)

    def _masked(self, history: Sequence[Message]) -> list[Message]:
        return [
            {**message, "content": self._guard.prompt(str(message["content"])).masked_text}
            if message["role"] == "user"
            else message
            for message in history
        ]

    def _redacted(self, question: str, verdict: Verdict) -> str:
        """A refused question as it may be logged: without personal data."""
        return self._guard.treat(question, [span for span in verdict.spans if not span.kind.startswith("attack.")])

    def _finished(
        self,
        *,
        question: str,
        tongue: str,
        text: str,
        finish: str,
        guard: dict[str, Any],
        began: float,
        user: str,
        citations: tuple[Citation, ...] = (),
        given: tuple[dict[str, Any], ...] = (),
        supported: bool = False,
        abstained: bool = False,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        left_out: dict[str, int] | None = None,
    ) -> Answer:
        answer = Answer(
            id=f"ans-{secrets.token_hex(8)}",
            text=text,
            question=question,
            language=tongue,
            citations=citations,
            contexts=given,
            finish=finish,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            guard=guard,
            supported=supported,
            abstained=abstained,
            release=self.release.fingerprint,
            seconds=round(time.monotonic() - began, 3),
            left_out=left_out or {},
        )
        self._workspace.ledger.append(
            "answer",
            answer.id,
            {
                "release": answer.release,
                "name": self.name,
                "user": user,
                "language": tongue,
                "question": answer.question,
                "text": answer.text,
                "finish": finish,
                "citations": [{"number": c.number, "chunk": c.chunk, "quote": c.quote} for c in citations],
                "contexts": [context["chunk"] for context in given],
                "guard": guard,
                "supported": supported,
                "abstained": abstained,
                "tokens": [prompt_tokens, completion_tokens],
                "seconds": answer.seconds,
                "left_out": answer.left_out,
            },
        )
        return answer


def policies_message(policy: policies.Policy, tongue: str, which: str) -> str:
    said = policy.messages.get(tongue)
    return str(getattr(said, which)) if said is not None else ""


def _split(messages: Sequence[Message]) -> tuple[str, list[Message], int]:
    """The question (the last message, a user's), what was said just before it, and how many earlier messages are left out.

    A caller's system messages are not taken: the release's own instruction is part of what was tested.
    """
    if not messages or messages[-1].get("role") != "user" or not str(messages[-1].get("content", "")).strip():
        raise ConfigError(
            "the last message must be a user's, with some text", "Send [{'role': 'user', 'content': '...'}]"
        )
    history = [m for m in messages[:-1] if m.get("role") in ("user", "assistant")]
    return str(messages[-1]["content"]), history[-_REMEMBERED:], max(0, len(history) - _REMEMBERED)


def _said(verdict: Verdict) -> dict[str, Any]:
    return {"action": verdict.action, "reasons": list(verdict.reasons)}


def _log_key(workspace: Workspace) -> bytes:
    """The secret of keyed masking in prompts and logs: the workspace's own, made on first use."""
    path = workspace.root / "mask.key"
    if not path.exists():
        path.touch(0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()

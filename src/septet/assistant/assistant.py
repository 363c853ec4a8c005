"""One question, from the guard at the door to the entry in the ledger.

Where nothing near the question is found, the model is not asked. What it says is shown sentence by sentence, each with the words
that it stands on (`assistant.sentences`); where no sentence stands, the answer is withdrawn.

What is logged is what the model saw: the prompt after masking. A blocked prompt reaches neither the index nor the model.
A passage that itself reads like an attack (an injected instruction) is left out of the prompt and counted.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from septet.assistant.answer import Answer, Citation, Options, Piece, Sentence
from septet.assistant.feedback import Feedback, keep
from septet.assistant.nearness import is_near
from septet.assistant.sentences import Sentences
from septet.core import ConfigError, StoreError
from septet.core.lineage import is_as_tested
from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.detect import access
from septet.detect import policy as policies
from septet.detect.access import KEEPER, Reader
from septet.detect.language import language
from septet.inference.protocol import Options as EngineOptions
from septet.inference.protocol import load
from septet.kinds import KnowledgeBase, Model, Policy, Release
from septet.knowledge.revisions import index_of, opened, revision_of
from septet.knowledge.search import Hit, Searcher, contexts
from septet.model.template import ABSTAIN, ANSWER_ENDS, Grounded, abstains, grounded_messages
from septet.operate import publish
from septet.trust.guard import Guard, Verdict
from septet.trust.stream import AnswerStream

Message = dict[str, Any]
_UNASKED = {"action": "none", "reasons": []}
"""The verdict on an answer that no model gave."""
_REMEMBERED = 6
"""How many earlier messages a prompt carries: with more, a small context has no room for passages."""


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One question on its way: what was asked, by whom, how, and what was said before."""

    question: str
    tongue: str
    history: Sequence[Message]
    forgotten: int
    options: Options
    reader: Reader
    without: frozenset[str]
    log: bool
    began: float
    door: dict[str, Any] = {}


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
            if port != "policy" and not is_as_tested(workspace, record, folder.digest(), content[port]["digest"]):
                raise StoreError(
                    f"the {port} of '{self.name}' is not the one that was tested", "Look with: septet verify"
                )
        self._policy = policies.load(Policy(store.folder(parts["policy"])).path)
        self._guard = Guard(self._policy, key=_log_key(workspace))
        knowledge = KnowledgeBase(store.folder(parts["knowledge"]))
        self._learned = tuple(content["model"].get("learned", ()))
        self._knowledge = parts["knowledge"]
        self._follows = content["knowledge"].get("updates") == "follow"
        place = (
            opened(workspace, self._knowledge) if self._follows else index_of(workspace, self._knowledge, follow=False)
        )
        self._searcher = Searcher(knowledge, folder=place)
        self._engine = load(Model(store.folder(parts["model"])))
        self._lock = threading.Lock()

    @classmethod
    def open(cls, workspace: Workspace, name: str = "") -> Assistant:
        """Open a release by name or fingerprint; without one, the newest. Its parts must be those that were tested."""
        return cls(workspace, publish.find(workspace, name))

    def check_class(self, reader: Reader) -> None:
        """Raises ConfigError where the policy does not name the reader's class."""
        access.readable(self._policy.access, reader.clearance)

    def rate(self, reader: Reader, name: str, given: Feedback) -> bool:
        """Keep what a reader, who asked under a name, says of an answer of this workspace: see `feedback.keep`."""
        return keep(self._workspace, self._guard, self._policy.access, reader, name, given)

    def answer(
        self,
        messages: Sequence[Message],
        options: Options | None = None,
        reader: Reader = KEEPER,
        without: Collection[str] = (),
        log: bool = True,
    ) -> Answer:
        """The whole answer to the last message."""
        for item in self.stream(messages, options, reader, without, log):
            if isinstance(item, Answer):
                return item
        raise AssertionError("a stream ends with its answer")

    def stream(
        self,
        messages: Sequence[Message],
        options: Options | None = None,
        reader: Reader = KEEPER,
        without: Collection[str] = (),
        log: bool = True,
    ) -> Iterator[Piece | Answer]:
        """Pieces of the answer as they become safe to show, and at the end the whole answer. Closing it stops the model.

        The answer stands on what the reader may see. Raises AccessDenied where the model itself learned from more than that.
        `without` names chunks that are withheld, as an ablation does; such an answer is better not logged.
        """
        question, history, forgotten = _split(messages)
        access.require(self._policy.access, reader.clearance, self._learned, f"the release '{self.name}'")
        asked = _Asked(
            question=question,
            tongue="zh" if language(question) in ("zh", "mixed") else "en",
            history=history,
            forgotten=forgotten,
            options=options or Options(),
            reader=reader,
            without=frozenset(without),
            log=log,
            began=time.monotonic(),
        )
        with self._lock:
            yield from self._stream(asked)

    def close(self) -> None:
        self._engine.close()
        self._searcher.close()

    def _stream(self, asked: _Asked) -> Iterator[Piece | Answer]:
        at_door = self._guard.prompt(asked.question)
        past = [self._guard.prompt(str(message["content"])) for message in asked.history if message["role"] == "user"]
        refused = next((verdict for verdict in (at_door, *past) if not verdict.allowed), None)
        if refused is not None:
            yield Piece(refused.message)
            yield self._finished(
                msgspec.structs.replace(asked, question=self._redacted(asked.question, refused)),
                text=refused.message,
                finish="content_filter",
                guard={"prompt": _said(refused), "answer": _UNASKED},
            )
            return
        asked = msgspec.structs.replace(
            asked, question=at_door.masked_text, history=self._masked(asked.history), door=_said(at_door)
        )
        hits, orders = self._retrieve(asked)
        given, chunks = list(contexts(hits)), [hit.chunk for hit in hits]
        if not is_near(asked.question, hits, self._policy.grounding):
            text = ABSTAIN[asked.tongue]
            yield Piece(text)
            yield self._finished(
                asked,
                text=text,
                finish="stop",
                guard={"prompt": asked.door, "answer": _UNASKED},
                given=tuple(given),
                abstained=True,
                because="nothing near",
            )
            return
        grounded = grounded_messages(
            asked.question,
            given,
            asked.tongue,
            max_tokens=self._settings["context_tokens"],
            history=asked.history,
        )
        left_out = {
            "earlier messages": asked.forgotten,
            "passages that read like orders": orders,
            "contexts beyond the budget": grounded.num_dropped,
            "contexts cut to the budget": grounded.num_truncated,
        }
        kept = grounded.num_contexts
        yield from self._generate(asked, grounded, given[:kept], chunks[:kept], left_out)

    def _generate(
        self,
        asked: _Asked,
        grounded: Grounded,
        given: list[dict[str, Any]],
        chunks: list[dict[str, Any]],
        left_out: dict[str, int],
    ) -> Iterator[Piece | Answer]:
        options = asked.options
        how = EngineOptions(
            max_tokens=min(options.max_tokens or self._settings["max_tokens"], self._settings["max_tokens"]),
            temperature=options.temperature,
            top_p=options.top_p,
            seed=options.seed,
            stop=(*options.stop, *ANSWER_ENDS),
        )
        rules = self._policy.grounding
        mark = policies_message(self._policy, asked.tongue, "unsupported")
        gate, said = AnswerStream(self._guard), Sentences(chunks, rules.settings(), rules.unsupported, mark)
        prompt = self._engine.codec.prompt(grounded.messages)
        stream = self._engine.stream(prompt, how)
        shown: list[str] = []
        wrote: list[str] = []
        finish = "stop"
        try:
            for token in stream:
                wrote.append(token.text)
                finish = token.finish or finish
                if piece := said.feed(gate.feed(token.text)):
                    shown.append(piece)
                    yield Piece(piece)
                if gate.blocked:
                    break
            else:
                # What a block leaves unchecked is not shown.
                if piece := said.feed(gate.flush()) + ("" if gate.blocked else said.flush()):
                    shown.append(piece)
                    yield Piece(piece)
        finally:
            # Closing it stops the model: after a block, and when whoever reads goes away.
            stream.close()
        text, because = "".join(shown), ""
        if gate.blocked:
            finish, tail = "content_filter", ("\n" if text else "") + gate.verdict.message
        else:
            because = "model" if abstains(text) else "nothing stands" if not text else ""
            tail = "" if text else ABSTAIN[asked.tongue]
        if tail:
            yield Piece(tail)
        guard = {"prompt": asked.door, "answer": _said(gate.verdict)}
        orders = left_out["passages that read like orders"]
        if orders:
            guard["contexts"] = {"action": "left_out", "reasons": [f"{orders} passages read like orders to the model"]}
        yield self._finished(
            asked,
            text=text + tail,
            finish=finish,
            guard=guard,
            citations=tuple(said.citations),
            sentences=tuple(said.sentences),
            given=tuple(given),
            supported=said.supported and not gate.blocked,
            abstained=bool(because),
            because=because,
            prompt_tokens=len(prompt.ids),
            completion_tokens=len(self._engine.codec.encode("".join(wrote))),
            left_out={
                **{what: count for what, count in left_out.items() if count},
                **({"sentences that no passage bears out": said.removed} if said.removed else {}),
            },
        )

    def _retrieve(self, asked: _Asked) -> tuple[list[Hit], int]:
        """What the reader may see, best first, without the passages that read like an attack (and their number)."""
        top = self._settings["top"]
        classes = access.readable(self._policy.access, asked.reader.clearance)
        hits = self._searcher.search(
            asked.question, top + len(asked.without), access=classes, as_of=asked.options.as_of
        )
        hits = [hit for hit in hits if hit.chunk["id"] not in asked.without][:top]
        safe = [hit for hit in hits if self._guard.passage(hit.chunk["text"]).allowed]
        return safe, len(hits) - len(safe)

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
        asked: _Asked,
        *,
        text: str,
        finish: str,
        guard: dict[str, Any],
        citations: tuple[Citation, ...] = (),
        sentences: tuple[Sentence, ...] = (),
        given: tuple[dict[str, Any], ...] = (),
        supported: bool = False,
        abstained: bool = False,
        because: str = "",
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        left_out: dict[str, int] | None = None,
    ) -> Answer:
        answer = Answer(
            id=f"ans-{secrets.token_hex(8)}",
            text=text,
            question=asked.question,
            language=asked.tongue,
            citations=citations,
            sentences=sentences,
            contexts=given,
            finish=finish,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            guard=guard,
            supported=supported,
            abstained=abstained,
            because=because,
            release=self.release.fingerprint,
            seconds=round(time.monotonic() - asked.began, 3),
            as_of=asked.options.as_of,
            revision=revision_of(self._workspace, self._knowledge.fingerprint) if self._follows else 0,
            left_out=left_out or {},
        )
        if not asked.log:
            return answer
        self._workspace.ledger.append(
            "answer",
            answer.id,
            {
                "release": answer.release,
                "name": self.name,
                "user": asked.reader.name,
                "clearance": asked.reader.clearance,
                "as_of": answer.as_of,
                "revision": answer.revision,
                "language": asked.tongue,
                "question": answer.question,
                "text": answer.text,
                "finish": finish,
                "citations": [msgspec.to_builtins(one) for one in citations],
                "sentences": [msgspec.to_builtins(one) for one in sentences],
                "contexts": [context["chunk"] for context in given],
                "guard": guard,
                "supported": supported,
                "abstained": abstained,
                "because": because,
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

"""The guard: what the policy says about one prompt or one answer.

Detectors find, the policy decides: a finding of personal data is masked, a word acts as its category says, attack hints add
up to a threshold. An answer is judged piece by piece (`trust.stream`), whether it comes whole or token by token, so that
both ways show the same text. Knows nothing about models or servers.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from septet.core import plugins
from septet.detect import actions, attacks, detectors
from septet.detect.language import language
from septet.detect.policy import Policy
from septet.detect.span import Detector, Span, merge
from septet.trust.stream import AnswerStream

ALLOW, MASK, BLOCK = "allow", "mask", "block"
_ORDERS = frozenset(f"attack.{name}" for name in ("prompt_injection", "prompt_leak", "jailbreak", "data_exfiltration"))
_SENTENCE_END = re.compile(r"[。！？!?](?=.)|\.\s|\n\s*\n", re.DOTALL)


class Verdict(msgspec.Struct, frozen=True):
    """What may be shown. `masked_text` is safe to pass on; of a blocked answer it is what was shown before the block."""

    allowed: bool
    action: str
    spans: tuple[Span, ...] = ()
    masked_text: str = ""
    reasons: tuple[str, ...] = ()
    category: str = ""
    message: str = ""
    """Said in place of a blocked text, in its language."""


class Guard:
    """A compiled policy. `key` is the secret of keyed actions; `load` fetches detectors (entry points by default)."""

    def __init__(self, policy: Policy, key: bytes = b"", load: Callable[[str, str], Any] = plugins.load):
        self.policy = policy
        self._key = key
        self._prompt = tuple(detectors.resolve(policy.detectors.prompt, load, policy).values())
        self._answer = tuple(detectors.resolve(policy.detectors.answer, load, policy).values())
        masked = {f"lexicon.{name}": "redact" for name in policy.lexicon.categories}
        self._actions = {**policy.pii.actions, **masked}

    def passage(self, text: str) -> Verdict:
        """The verdict on a retrieved passage: whether it gives orders to the model (indirect prompt injection).

        A document may speak of crimes and of attacks; only what addresses the model counts, and only within a sentence.
        """
        spans = [
            span
            for span in self._find(self._prompt, text)
            if span.kind in _ORDERS and not _SENTENCE_END.search(span.of(text))
        ]
        category, reasons = self.block_reason(spans)
        if reasons:
            return self.blocked(text, spans, category, reasons, shown="")
        return Verdict(True, ALLOW, tuple(spans), text, ())

    def prompt(self, text: str) -> Verdict:
        """The verdict on a prompt."""
        spans = self._find(self._prompt, text)
        category, reasons = self.block_reason(spans)
        if reasons:
            return self.blocked(text, spans, category, reasons, shown="")
        return self.passed(spans, self.treat(text, spans))

    def answer(self, text: str) -> Verdict:
        """The verdict on a whole answer: what `trust.stream` shows of it, whatever its tokens."""
        stream = AnswerStream(self)
        stream.feed(text)
        stream.flush()
        return stream.verdict

    def find_in_answer(self, text: str) -> list[Span]:
        return self._find(self._answer, text)

    def block_reason(self, spans: Sequence[Span]) -> tuple[str, tuple[str, ...]]:
        """The category that blocks and the rules that say so; empty where nothing blocks."""
        lexicon, blocking = self.policy.lexicon, self.policy.detectors.blocking
        found: list[tuple[float, Span]] = []
        scored = [s for s in spans if self._category_action(s) == "score"]
        if scored and attacks.combined(list({s.rule: s for s in scored}.values())) >= lexicon.threshold:
            found += [(s.score, s) for s in scored]
        hints = [s for s in spans if s.kind.startswith("attack.")]
        if hints and attacks.combined(hints) >= self.policy.attacks.threshold:
            found += [(s.score, s) for s in hints]
        for span in spans:
            if self._category_action(span) == BLOCK or span.score >= blocking.get(span.kind, 2.0):
                found.append((1.0 + span.score, span))
        if not found:
            return "", ()
        found.sort(key=lambda pair: (-pair[0], pair[1].start, pair[1].rule))
        return found[0][1].kind.partition(".")[2] or found[0][1].kind, tuple(
            dict.fromkeys(span.rule for _, span in found)
        )

    def to_mask(self, spans: Iterable[Span]) -> list[Span]:
        """The findings that are to be hidden: personal data, masked words, kinds of further detectors that do not block."""
        hidden = []
        for span in spans:
            action = self._category_action(span)
            if span.kind.startswith("attack.") or (action and action != MASK):
                continue
            if self._actions.get(span.kind, self.policy.pii.default) != "keep":
                hidden.append(span)
        return merge(hidden)

    def treat(self, text: str, spans: Iterable[Span]) -> str:
        return actions.apply(text, self.to_mask(spans), self._actions, key=self._key, default=self.policy.pii.default)

    def passed(self, spans: Sequence[Span], masked_text: str) -> Verdict:
        hidden = self.to_mask(spans)
        reasons = tuple(dict.fromkeys(span.rule for span in (*hidden, *spans)))
        return Verdict(True, MASK if hidden else ALLOW, tuple(spans), masked_text, reasons)

    def blocked(self, text: str, spans: Sequence[Span], category: str, reasons: tuple[str, ...], shown: str) -> Verdict:
        message = self.policy.message(language(text), category)
        return Verdict(False, BLOCK, tuple(spans), shown, reasons, category, message)

    def _find(self, found_by: Sequence[Detector], text: str) -> list[Span]:
        return sorted(
            (span for detect in found_by for span in detect(text)), key=lambda s: (s.start, s.end, s.kind, s.rule)
        )

    def _category_action(self, span: Span) -> str:
        stage, _, name = span.kind.partition(".")
        category = self.policy.lexicon.categories.get(name) if stage == "lexicon" else None
        return category.action if category else ""

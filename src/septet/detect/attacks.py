"""Attacks on an assistant: prompt injection, jailbreaks, prompt and data extraction, and requests for harm, in zh and en.

A rule is a combination of cue classes that must stand near each other; one automaton pass finds every cue of every class in
the normalised text, in its closed-up views and in what is decoded from it. The scores of distinct rules combine as
1 - prod(1 - weight). Cheap and explainable, and a first line only: what needs understanding passes, so a red-team run
measures what gets through, and the policy's threshold trades it against false alarms.
"""

import functools
import re
from collections.abc import Iterator, Mapping

import ahocorasick_rs

from septet.core.errors import ConfigError, nearest
from septet.detect.attack_cues import CUES
from septet.detect.attack_rules import RULES, Rule
from septet.detect.decode import payloads, tight
from septet.detect.lexicon import bounded
from septet.detect.normalise import Normalised, normalise
from septet.detect.span import Span

# Forms that only the machinery of a chat uses: in a user's text they pretend to be it.
_DELIMITERS = (
    (
        "delimiter.token",
        0.7,
        re.compile(
            r"<\|\s?(?:im_start|im_end|system|assistant|user|endoftext|eot_id|start_header_id|"
            r"begin_of_text|end_of_turn)\s?\|>|\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>"
        ),
    ),
    (
        "delimiter.role",
        0.45,
        re.compile(
            r"(?:^|\n)\s*(?:#{1,4}\s*|\[|<|【|\*\*)?(?:system|developer|system prompt|system message|"
            r"new instructions?|系统|系统提示|系统消息|系统指令|新指令)\s*(?:\]|>|】|\*\*)?\s*(?::|\n|】|"
            r"\])"
        ),
    ),
    (
        "delimiter.tag",
        0.5,
        re.compile(r"</?(?:system|system_prompt|instructions?|user_input|context|document|retrieved)>"),
    ),
    (
        "delimiter.end",
        0.45,
        re.compile(
            r"(?<![-=#])(?:-{3,}|={3,}|#{3,})\s*(?:end of|end|结束|以上为|文档结束|正文结束)[^\n]{0,30}(?:-{3,}|"
            r"={3,}|#{3,}|\n|$)"
        ),
    ),
    ("delimiter.comment", 0.4, re.compile(r"<!--[^>]{0,200}(?:ai|assistant|model|ignore|instruction|指令|助手|忽略)")),
)
_CJK = re.compile(r"[\u3400-\u9fff]")


class Attacks:
    """The compiled rules. `find` returns one span for each rule that fires; `score` combines them."""

    def __init__(
        self,
        rules: tuple[Rule, ...],
        cues: Mapping[str, str],
        weights: Mapping[str, float] | None = None,
        decode: bool = True,
    ):
        weights = dict(weights or {})
        for rule_id in weights:
            if rule_id not in {rule.id for rule in rules} | {name for name, _, _ in _DELIMITERS}:
                raise ConfigError(
                    f"[attacks.weights]: there is no rule '{rule_id}'", nearest(rule_id, [rule.id for rule in rules])
                )
        for rule in rules:
            for name in (*rule.cues, *rule.unless):
                if name not in cues:
                    raise ConfigError(f"the attack rule '{rule.id}' names the cue class '{name}'", nearest(name, cues))
        self._weights = {rule.id: weights.get(rule.id, rule.weight) for rule in rules}
        self._weights |= {name: weights.get(name, weight) for name, weight, _ in _DELIMITERS}
        self._rules = tuple(rule for rule in rules if self._weights[rule.id] > 0)
        self.categories = {rule.id: rule.category for rule in rules} | {
            name: "prompt_injection" for name, _, _ in _DELIMITERS
        }
        self._excuses = frozenset(name for rule in rules for name in rule.unless)
        self._decode = decode
        words: dict[tuple[str, bool], list[str]] = {}
        for name, listed in cues.items():
            for word in listed.split("|"):
                plain = normalise(word.removesuffix("*")).text
                words.setdefault((plain, word.endswith("*")), []).append(name)
        self._words = [(open_ended, tuple(names)) for (_, open_ended), names in words.items()]
        self._automaton = ahocorasick_rs.AhoCorasick(
            [text for text, _ in words], implementation=ahocorasick_rs.Implementation.ContiguousNFA
        )

    def find(self, text: str) -> list[Span]:
        view = normalise(text)
        best: dict[str, Span] = {}
        for span in self._scan(view, ""):
            best.setdefault(span.rule, span)
        seen = set(best)
        for closed in tight(view):
            for span in self._scan(closed, "", closed_up=True):
                if span.rule not in seen:
                    best.setdefault(span.rule, span)
        for hidden in payloads(text) if self._decode else ():
            for span in self._scan(hidden, "encoded."):
                best.setdefault(span.rule, span)
        return sorted(best.values(), key=lambda s: (-s.score, s.start, s.rule))

    def score(self, text: str) -> float:
        return combined(self.find(text))

    def _scan(self, view: Normalised, prefix: str, closed_up: bool = False) -> Iterator[Span]:
        text = view.text
        hits: dict[str, list[tuple[int, int]]] = {}
        for which, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            open_ended, names = self._words[which]
            if bounded(text, start, end, open_ended) or (closed_up and _runs_together(text, start, end)):
                for name in names:
                    hits.setdefault(name, []).append((start, end))
        # "detect" in "without being detected" speaks of no defence: a word inside a longer cue does not count as honest.
        longer = [place for name in hits if name not in self._excuses for place in hits[name]]
        for name in self._excuses & hits.keys():
            hits[name] = [
                (a, b) for a, b in hits[name] if not any(x <= a and b <= y and y - x > b - a for x, y in longer)
            ]
        for rule in self._rules:
            found = _combination(rule, hits, text) if all(name in hits for name in rule.cues) else None
            if found:
                yield self._span(view, found, rule.id, prefix)
        if not prefix:
            for name, weight, pattern in _DELIMITERS:
                match = pattern.search(text) if self._weights[name] > 0 else None
                if match and weight:
                    yield self._span(view, match.span(), name, prefix)

    def _span(self, view: Normalised, found: tuple[int, int], rule_id: str, prefix: str) -> Span:
        # Nobody encodes an honest question: what was decoded weighs more.
        weight = self._weights[rule_id] if not prefix else 1 - (1 - self._weights[rule_id]) * 0.5
        return Span(*view.origin(*found), f"attack.{self.categories[rule_id]}", weight, f"attacks.{prefix}{rule_id}")


def combined(spans: list[Span]) -> float:
    """1 - prod(1 - score): independent hints add up and never pass 1."""
    remaining = 1.0
    for span in spans:
        remaining *= 1 - span.score
    return 1 - remaining


def _combination(rule: Rule, hits: Mapping[str, list[tuple[int, int]]], text: str) -> tuple[int, int] | None:
    *others, last = rule.cues
    # A word may belong to several classes ("make" asks and acts): the class with the fewest places chooses first.
    others.sort(key=lambda name: len(hits[name]))
    for anchor in hits[last]:
        near = text[max(0, anchor[0] - rule.gap) : anchor[1] + rule.gap]
        gap = rule.gap // 2 if len(_CJK.findall(near)) * 3 > len(near) else rule.gap
        if any(_nearest(hits.get(name, ()), anchor, gap) for name in rule.unless):
            continue
        chosen = [anchor]
        for name in others:
            taken = [place for place in chosen if place == anchor or not _is_imperative(text, place[0])]
            other = _nearest(hits[name], anchor, gap, taken)
            if other is None:
                break
            chosen.append(other)
        else:
            return min(start for start, _ in chosen), max(end for _, end in chosen)
    return None


def _is_imperative(text: str, start: int) -> bool:
    """Whether the verb at `start` opens a sentence: "Write ..." asks and acts in one word."""
    before = text[max(0, start - 12) : start].rstrip(" \"'*-([")
    return not before or before[-1] in ".!?:;,\n。" or before.endswith(("please", "to", "请", "帮我", "给我"))


def _runs_together(text: str, start: int, end: int) -> bool:
    """Whether a match lies in a long unbroken run, as spaced-out writing leaves it once it is closed up."""
    if end - start < 4 or not text[start:end].isascii():
        return False
    left, right = start, end
    while left > 0 and text[left - 1].isalnum() and text[left - 1].isascii() and end - left < 16:
        left -= 1
    while right < len(text) and text[right].isalnum() and text[right].isascii() and right - left < 16:
        right += 1
    return right - left >= 16


def _nearest(
    places: list[tuple[int, int]] | tuple[()],
    anchor: tuple[int, int],
    gap: int,
    taken: list[tuple[int, int]] | None = None,
) -> tuple[int, int] | None:
    best, distance = None, gap + 1
    for start, end in places:
        away = max(start - anchor[1], anchor[0] - end, 0)
        if away < distance and not any(start < b and end > a for a, b in taken or ()):
            best, distance = (start, end), away
    return best


@functools.cache
def builtin() -> Attacks:
    """The built-in rules with their own weights."""
    return Attacks(RULES, CUES)

"""Whether each sentence of an answer stands in the given contexts, and where.

A sentence is laid over the passage that holds most of its words; what then does not lie flat is looked at. Cover: which share of
its words, or of its Chinese character pairs, stands in one passage. Numbers: each must stand there, with its unit and on its
side of a bound. Names: each must stand in the context. Places: where the passage has another name or number at the very place,
it was exchanged, though it may stand elsewhere (`grounding_places`). Negations and opposites: what is denied in one must be
denied in the other (`grounding_words`). Two sentences may still mean unlike things and pass: inference takes a judge.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import msgspec

from septet.detect import grounding_words as words
from septet.detect.grounding_names import Word, words_of
from septet.detect.grounding_places import SURE, Tile, conflicts, lay
from septet.detect.grounding_tables import columns
from septet.detect.grounding_tokens import Number, Tokens, numbers, scales, stem, tokenise

__all__ = ["Evidence", "SentenceCheck", "Settings", "check", "held", "numbers", "sentences"]

_END = re.compile(r"[。!?！？；;…]+[\"'”’」』)）\]]*|(?<![A-Z])(?<!\b[A-Za-z])\.(?=[\s\"'”’)\]]|$)[\"'”’)\]]*|\n+")
EMPTY = ("it says nothing that could be checked",)
"""The reason of a sentence without a word, a number or a name of its own."""
_CITATION = re.compile(r"\s*\[\d{1,3}\]|【\d{1,3}】")
_JOINT = re.compile(r"\W*(?:and|or|but|then|和|或|或者|以及|并且|而且)\W*", re.I)
_CAPITAL = re.compile(r"\b[A-Z]")
_PHRASE = re.compile(r"[A-Z][\w'’]*(?:[ -](?:(?:of|for|and|the|on|in|to) )*[A-Z][\w'’]*)+")
_STOP = frozenset(
    (
        "the a an of to in on at is are was were be been it its and or for with by as that this "
        "these those from has have had do does did not you your can will"
    ).split()
)
_FUNCTION = frozenset(
    "的了是为在和与及或也就都而之其于以由从到对将被把会能可这那有个等零〇一二两三四五六七八九十百千万亿年月日"
)
# What is left of a score where something speaks against a sentence; so that several findings add up, they multiply.
_EXCHANGED, _MISSING = SURE, 0.4
_COUNTED = 2
"""How many conflicts of places lower a score: one exchange may show at several."""
_LEAST = 0.75
"""Share of the cover asked for below which conflicts that are not sure speak against a sentence, too."""
_AGREEMENT = 0.6
"""How much the numbers say in the choice of the passage: words come first, or a wrong number would choose its own."""
_WHOLE = 0.85
"""What the words of a whole context count beside those of one passage: a sentence may draw on several."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds of `check`."""

    cover: float = 0.6
    """Share of a sentence that one passage must hold."""
    passage: int = 2
    """How many neighbouring sentences of a context count as one passage."""


_DEFAULT = Settings()


class SentenceCheck(msgspec.Struct, frozen=True):
    """The verdict on one sentence. `start`, `end` in the answer; `quote` is the supporting piece of the context."""

    text: str
    start: int
    end: int
    citation: int | None
    supported: bool
    score: float
    reasons: tuple[str, ...] = ()
    quote_start: int = 0
    quote_end: int = 0


def sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, Chinese or English, without the white space round it."""
    found: list[tuple[int, int]] = []
    at = 0
    for match in [*_END.finditer(text), None]:
        end = match.end() if match else len(text)
        piece = text[at:end]
        start = at + len(piece) - len(piece.lstrip())
        stop = at + len(piece.rstrip())
        if (
            start < stop
            and any(c.isalnum() for c in text[start:stop])
            and not (found and _JOINT.fullmatch(text[start:stop]))
        ):
            found.append((start, stop))
        elif found and start < stop:
            found[-1] = found[-1][0], stop
        at = end
    return found


def check(
    answer: str, contexts: Sequence[str], settings: Settings = _DEFAULT, heads: Sequence[str] = ()
) -> list[SentenceCheck]:
    """Each sentence of `answer` with the index of the context that supports it best, if one does."""
    return Evidence(contexts, settings, heads).check(answer)


def head(passage: Mapping[str, Any]) -> str:
    """What stands above the text of a chunk or a context: its headings, and the lead-in that its span leaves out."""
    return "\n".join(filter(None, (passage["title"], passage.get("context"))))


def held(text: str, contexts: Sequence[str], heads: Sequence[str] = ()) -> float:
    """The largest share of the words of a text that one context holds, or what stands above it; 1 for a text without any."""
    grams = frozenset(_gram_places(tokenise(text))) - {""}
    if not grams:
        return 1.0
    found = (_prepared(one, heads[n] if n < len(heads) else "", _DEFAULT.passage) for n, one in enumerate(contexts))
    return max((len(grams & one.grams) / len(grams) for one in found), default=0.0)


class Evidence:
    """Contexts made ready for many sentences. `heads` holds what stands above each (title, lead-in): it counts, unquoted."""

    def __init__(self, contexts: Sequence[str], settings: Settings = _DEFAULT, heads: Sequence[str] = ()) -> None:
        self._settings = settings
        self._contexts = [
            _prepared(text, heads[place] if place < len(heads) else "", settings.passage)
            for place, text in enumerate(contexts)
        ]

    def check(self, answer: str) -> list[SentenceCheck]:
        """Each sentence of an answer."""
        return [self._check(answer, start, end) for start, end in sentences(answer)]

    def _check(self, answer: str, start: int, end: int) -> SentenceCheck:
        said = tokenise(_CITATION.sub("", answer[start:end]))
        grams = frozenset(_gram_places(said)) - {""}
        if not grams and not said.numbers:
            return SentenceCheck(answer[start:end], start, end, None, False, 0.0, EMPTY)
        found = self._best(said, grams)
        if found is None:
            return SentenceCheck(answer[start:end], start, end, None, False, 0.0, ("no context holds it",))
        place, passage, cover = found
        context = self._contexts[place]
        said = _as_there(said, passage, context)
        laid = lay(said, context.tokens, context.places, (passage.first, passage.last))
        reasons, score = self._against(said, laid, passage, context, cover)
        first, last = _quote(laid, passage, context)
        supported = not reasons
        return SentenceCheck(
            answer[start:end],
            start,
            end,
            place if supported else None,
            supported,
            round(score, 4),
            tuple(reasons),
            first,
            last,
        )

    def _best(self, said: Tokens, grams: frozenset[str]) -> tuple[int, "_Passage", float] | None:
        """The passage that holds most of a sentence, the place of its context, and how much of the sentence is held."""
        best: tuple[float, int, int, float] | None = None
        for place, context in enumerate(self._contexts):
            whole = _WHOLE * len(grams & context.grams) / len(grams) if grams else 0.0
            for number, passage in enumerate(context.passages):
                held = sum(_held(one, passage, context) for one in said.numbers)
                agreed = held / len(said.numbers) if said.numbers else 1.0
                here = len(grams & passage.grams) / len(grams) if grams else agreed
                rank = here * (1 - _AGREEMENT + _AGREEMENT * agreed)
                if best is None or (rank, -place, -number) > best[:3]:
                    best = (rank, -place, -number, max(here, whole))
        if best is None or best[3] == 0:
            return None
        return -best[1], self._contexts[-best[1]].passages[-best[2]], best[3]

    def _against(
        self, said: Tokens, laid: Sequence[Tile], passage: "_Passage", context: "_Context", cover: float
    ) -> tuple[list[str], float]:
        """What speaks against a sentence, and what is left of its score."""
        score, reasons = cover, []
        for one in said.numbers:
            shown = said.view.text[said.starts[one.token] : said.ends[one.token]]
            if not _held(one, passage, context):
                reasons.append(f"number {shown} is not in the passage")
                score *= _MISSING
                continue
            units = context.units.get(one.value if one.value in passage.numbers else one.bare)
            if units and _other_unit(one, units):
                reasons.append(f"number {shown} has another unit in the passage")
                score *= _EXCHANGED
            side = words.bound(said.view.text, said.starts[one.token], said.ends[one.token])
            there = context.bound(one.value) if side else frozenset()
            if there and (
                (side in words.UPWARD and there <= words.DOWNWARD) or (side in words.DOWNWARD and there <= words.UPWARD)
            ):
                reasons.append(f"number {shown} is bounded the other way in the passage")
                score *= _EXCHANGED
        named = words_of(said)
        for word in named:
            if word.is_name and not context.holds(word):
                reasons.append(f"name {word.text} is not in the passage")
                score *= _MISSING
        other = columns(said, context.tokens, passage.rows, (passage.first, passage.last))
        if other:
            reasons.append(other)
            score *= _EXCHANGED
        against: dict[str, float] = {}
        for reason, left in conflicts(said, context.tokens, laid, named, context.negations):
            against[reason] = min(left, against.get(reason, 1.0))
        for reason, left in sorted(against.items(), key=lambda one: one[1])[:_COUNTED]:
            score *= left
            if left <= SURE:
                reasons.append(reason)
        if not reasons and score < self._settings.cover * _LEAST:
            reasons += [reason for reason, _ in sorted(against.items(), key=lambda one: one[1])[:1]]
        if cover < self._settings.cover:
            reasons.append(f"only {cover:.0%} of it is in the passage")
        return list(dict.fromkeys(reasons)), score


class _Passage(NamedTuple):
    """Neighbouring sentences: characters of the view, tokens from `first` to before `last`, and what they say."""

    start: int
    end: int
    first: int
    last: int
    grams: frozenset[str]
    numbers: frozenset[str]
    rows: list[tuple[int, int]]
    """The token ranges of the head rows that a table's row is read under."""


class _Context:
    """A context's tokens, where each stands, and its passages. What only the chosen context needs is made on first use."""

    def __init__(self, text: str, head: str, size: int) -> None:
        self.tokens = tokens = tokenise(text)
        self._above = above = tokenise(head)
        self.scales = scales(tokens.view.text) | scales(above.view.text)
        self.units: dict[str, set[str]] = {}
        for one in (*tokens.numbers, *above.numbers):
            self.units.setdefault(one.value, set()).add(one.unit)
        self._bounds: dict[str, frozenset[str]] = {}
        said = _gram_places(tokens)
        head_grams = frozenset(_gram_places(above)) - {""}
        head_numbers = frozenset(one.value for one in above.numbers)
        self.grams = head_grams | (frozenset(said) - {""})
        self.passages = []
        for start, end, heading in _stretches(tokens, size):
            first, last = bisect_left(tokens.starts, start), bisect_left(tokens.starts, end)
            grams = head_grams.union(said[first:last], *(said[a:b] for a, b in heading))
            held = [
                one.value
                for one in tokens.numbers
                if first <= one.token < last or any(a <= one.token < b for a, b in heading)
            ]
            self.passages.append(_Passage(start, end, first, last, grams, head_numbers.union(held), heading))

    @cached_property
    def places(self) -> dict[str | tuple[str, str], list[int]]:
        """Where each token stands, and each pair of neighbours."""
        found: dict[str | tuple[str, str], list[int]] = {}
        stems = self.tokens.stems
        for place, stem_here in enumerate(stems):
            found.setdefault(stem_here, []).append(place)
            if place:
                found.setdefault((stems[place - 1], stem_here), []).append(place - 1)
        return found

    @cached_property
    def negations(self) -> list[tuple[int, int]]:
        return words.negations(self.tokens)

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset((*self.tokens.stems, *self._above.stems))

    @cached_property
    def _all(self) -> str:
        return "".join(
            c for c in (self._above.view.text + "\n" + self.tokens.view.text).lower() if c.isalnum() or c == "\n"
        )

    @cached_property
    def _initials(self) -> frozenset[str]:
        return _short_forms(self._above.view.text + " " + self.tokens.view.text)

    def holds(self, word: Word) -> bool:
        """Whether a name stands in the context or above it: as it is written, or as the initials of what is."""
        bare = "".join(c for c in word.text.lower() if c.isalnum())
        if word.text.isascii():
            return stem(word.key) in self._stems or word.text in self._initials
        # A name may be tagged with a character of its neighbour.
        return bare in self._all or (len(bare) > 2 and (bare[1:] in self._all or bare[:-1] in self._all))

    def bound(self, value: str) -> frozenset[str]:
        """How a number is bounded in the context, at each of its places; empty where it stands unbounded somewhere."""
        if value not in self._bounds:
            said, found = self.tokens, set()
            for one in said.numbers:
                if one.value == value:
                    found.add(words.bound(said.view.text, said.starts[one.token], said.ends[one.token]))
            self._bounds[value] = frozenset() if "" in found else frozenset(found)
        return self._bounds[value]


@lru_cache(maxsize=512)
def _prepared(text: str, head: str, size: int) -> _Context:
    return _Context(text, head, size)


def _stretches(tokens: Tokens, size: int) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """Start and end of each passage in the view, and the token ranges of the head rows that a table's row is read under."""
    said = tokens.view.text
    bounds = sentences(said)
    found: list[tuple[int, int, list[tuple[int, int]]]] = []
    head: list[tuple[int, int]] = []
    for first in range(len(bounds)):
        start, end = bounds[first][0], bounds[min(first + size, len(bounds)) - 1][1]
        line = said[bounds[first][0] : bounds[first][1]]
        if line.count("|") >= 2:
            head = (
                head
                if len(head) == 3
                else [*head, (bisect_left(tokens.starts, start), bisect_left(tokens.starts, bounds[first][1]))]
            )
            found.append((start, bounds[first][1], list(head)))
        else:
            head = []
            found.append((start, end, []))
    return found


def _other_unit(one: Number, units: set[str]) -> bool:
    """Whether a number counts something else wherever the context has it. A bare one there counts anything, but for years."""
    if one.scale > 1 and units == {"year"}:
        return True
    return bool(one.unit) and "" not in units and one.unit not in units


def _as_there(said: Tokens, passage: _Passage, context: _Context) -> Tokens:
    """A sentence whose numbers are written as in a table that announces its scale."""
    stems = list(said.stems)
    for one in said.numbers:
        if one.value not in passage.numbers and _held(one, passage, context):
            stems[one.token] = f"#{one.bare}"
    return said._replace(stems=stems)


def _held(one: Number, passage: _Passage, context: _Context) -> bool:
    if one.value in passage.numbers:
        return True
    return one.scale > 1 and one.bare in passage.numbers and one.scale in context.scales


def _quote(laid: Sequence[Tile], passage: _Passage, context: _Context) -> tuple[int, int]:
    """The piece of the context from the first to the last longer match with the sentence, as characters of the context."""
    inside = [one for one in laid if one.at >= passage.first and one.at + one.size <= passage.last]
    long = [one for one in inside if one.size * 3 >= max(other.size for other in inside)]
    tokens = context.tokens
    if not long:
        return tokens.view.origin(passage.start, passage.end)
    first = min(one.at for one in long)
    last = max(one.at + one.size for one in long)
    # An article at the head of the passage, and the mark at its end, belong to it.
    start = passage.start if first == passage.first else tokens.starts[first]
    end = passage.end if last == passage.last else tokens.ends[last - 1]
    return tokens.view.origin(start, end)


def _gram_places(tokens: Tokens) -> list[str]:
    """For each token the word or pair of Chinese characters that begins there; "" where a function word or a number stands.

    A Chinese character between two others that say nothing is a gram by itself.
    """
    keys, stems = tokens.keys, tokens.stems
    plain = [len(key) == 1 and "\u3400" <= key <= "\u9fff" and key not in _FUNCTION for key in keys] + [False]
    joined = [
        plain[place] and plain[place + 1] and tokens.clauses[place] == tokens.clauses[place + 1]
        for place in range(len(keys) - 1)
    ] + [False]
    found = []
    for place, key in enumerate(keys):
        if plain[place]:
            if joined[place]:
                found.append(key + keys[place + 1])
            else:
                found.append("" if place and joined[place - 1] else key)
        elif key[0] in "#%‰‱" or key in _STOP or "\u3400" <= key[0] <= "\u9fff":
            found.append("")
        else:
            found.append(stems[place])
    return found


def _short_forms(text: str) -> frozenset[str]:
    """The short forms that the capitalised phrases of a text allow: Consumer Financial Protection Bureau, CFPB."""
    found: set[str] = set()
    for match in _PHRASE.finditer(text):
        letters = _CAPITAL.findall(match[0])
        found.update(
            "".join(letters[a:b]) for a in range(len(letters)) for b in range(a + 2, min(len(letters), a + 7) + 1)
        )
    return frozenset(found)

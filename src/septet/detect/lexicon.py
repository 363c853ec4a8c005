"""Weighted word lists: words of a category, the contexts in which they count, and those in which they do not.

One Aho-Corasick pass over the normalised text and over its closed-up views finds words of every list at once. A hit is a
span with the word's weight; many benign texts hold such words (a public list of 50,000 words hits 40 % of clean statutes,
measured 2026-11), so a category says what its hits may do, and only `block` and `mask` act on one alone.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ahocorasick_rs
import msgspec
import numpy as np

from septet.core.config import Config, field
from septet.core.errors import ConfigError
from septet.detect.decode import tight
from septet.detect.normalise import Normalised, folding, normalise
from septet.detect.span import Span, merge
from septet.kernels import skeleton, symbols
from septet.kernels.arrow import texts_of


class Category(Config):
    """One category of the lexicon."""

    action: str = field(
        "score", "What a hit does: score, review, mask or block.", choices=("score", "review", "mask", "block")
    )
    weight: float = field(0.5, "The score of one hit.", ge=0, le=1)
    words: tuple[str, ...] = field((), "The words and phrases. A word ending in * also matches its longer forms.")
    near: tuple[str, ...] = field((), "A hit counts only with one of these within `window` characters; empty: always.")
    unless: tuple[str, ...] = field((), "A hit does not count with one of these within `window` characters.")
    window: int = field(24, "How far `near` and `unless` look, in characters.", ge=0)


class _Word(msgspec.Struct, frozen=True):
    text: str
    category: str
    role: str  # hit, near, unless, allow
    open_ended: bool


class Lexicon:
    """The compiled lists. `find` returns disjoint spans of kind `lexicon.<category>`."""

    def __init__(self, categories: Mapping[str, Category], allow: Iterable[str] = ()):
        self.categories = dict(categories)
        words = [entry for name, category in self.categories.items() for entry in _words(name, category)]
        words += _entries(allow, "", "allow")
        self._words = sorted(set(words), key=lambda word: (word.text, word.category, word.role))
        texts = [word.text for word in self._words]
        self._automaton = ahocorasick_rs.AhoCorasick(texts, implementation=ahocorasick_rs.Implementation.ContiguousNFA)
        self.longest = max((len(text) for text in texts), default=0)
        self._gate: _Gate | None = None

    def __len__(self) -> int:
        return sum(word.role == "hit" for word in self._words)

    def find(self, text: str) -> list[Span]:
        view = normalise(text)
        spans = list(self._scan(view))
        for closed in tight(view):
            spans += self._scan(closed)
        return merge(spans)

    def find_all(self, column: Any) -> dict[int, list[Span]]:
        """As `find`, for a column of texts: row -> spans, for the rows that have any. A compiled pass over the skeletons of the
        texts rules most of them out."""
        if self._gate is None:
            self._gate = _Gate((word.text, word.open_ended) for word in self._words if word.role == "hit")
        data, offsets = texts_of(column)
        found = {}
        for row in self._gate.candidates(data, offsets).tolist():
            spans = self.find(str(data[offsets[row] : offsets[row + 1]].tobytes(), "utf-8"))
            if spans:
                found[row] = spans
        return found

    def _scan(self, view: Normalised) -> Iterator[Span]:
        hits: list[tuple[int, int, str]] = []
        context: dict[tuple[str, str], list[tuple[int, int]]] = {}
        text = view.text
        for which, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            word = self._words[which]
            if not bounded(text, start, end, word.open_ended):
                continue
            if word.role == "hit":
                hits.append((start, end, word.category))
            else:
                context.setdefault((word.category, word.role), []).append((start, end))
        allowed = context.get(("", "allow"), [])
        for start, end, name in hits:
            category = self.categories[name]
            low, high = start - category.window, end + category.window
            if any(a <= start and end <= b for a, b in allowed):
                continue
            if category.near and not _touches(context.get((name, "near"), ()), low, high):
                continue
            if _touches(context.get((name, "unless"), ()), low, high):
                continue
            yield Span(
                *view.origin(start, end), f"lexicon.{name}", category.weight, f"lexicon.{name}.{text[start:end]}"
            )


# Characters that `detect.decode` reads as one another, each row by its first.
_READ_AS = {char: row[0] for row in ("0o", "1il!|", "3e", "4a@", "5s$", "7t", "8b") for char in row}

# What `detect.decode` closes up inside a Latin word.
_MARK = re.compile("[*~^|+#=_\u2190-\u2bff\u3012-\u303f\U0001f000-\U0001faff]")


class _Gate:
    """The skeletons of the words, and which characters of a text belong to its skeleton."""

    def __init__(self, words: Iterable[tuple[str, bool]]):
        self._fold = folding(True)
        self._symbols: dict[str, int] = {}
        edges: dict[tuple[int, ...], int] = {}
        for word, open_ended in words:
            free = (skeleton.START if _is_latin(word[0]) else 0) | (
                skeleton.END if _is_latin(word[-1]) and not open_ended else 0
            )
            free |= skeleton.PLAIN if word.isascii() and word.isalnum() else 0
            bones = tuple(self._symbol(char) for char in _bones(word))
            if bones:  # of two words with one skeleton, the one that asks for less
                edges[bones] = edges.get(bones, free) & free
        lists = [list(one) for one in sorted(edges)]
        self._table = np.full(symbols.LIMIT, skeleton.UNKNOWN, np.uint16)
        self._go, self._from, which, self._length = symbols.automaton(lists, len(self._symbols) + 2)
        self._edges = np.array([edges[one] for one in sorted(edges)], np.int64)[which]

    def _symbol(self, char: str) -> int:
        return self._symbols.setdefault(char, len(self._symbols) + 1)

    def candidates(self, data: Any, offsets: Any) -> Any:
        """The rows that may hold a word."""
        marked, unknown = np.zeros(max(1, offsets.size - 1), np.uint8), np.empty(4096, np.int64)
        while strange := self._pass(data, offsets, marked, unknown):
            for code in np.unique(unknown[:strange]).tolist():
                self._table[code] = self._entry(chr(code))
        return np.flatnonzero(marked)

    def _pass(self, data: Any, offsets: Any, marked: Any, unknown: Any) -> int:
        return int(
            skeleton.candidates(
                data, offsets, self._table, self._go, self._from, self._length, self._edges, marked, unknown
            )
        )

    def _entry(self, char: str) -> int:
        if char in "&%\\":
            return skeleton.REFERENCE
        plain = self._fold(char)
        if not plain:
            return skeleton.INVISIBLE
        bones = _bones(plain)
        if len(plain) > 1 and bones:
            return skeleton.SPELLED
        if not bones:
            return skeleton.MARK if _MARK.match(plain) else skeleton.GAP
        symbol = self._symbols.get(bones, len(self._symbols) + 1)
        return symbol | (skeleton.LATIN if _is_latin(plain) else skeleton.LEET if plain in "@$!|" else 0)


def _bones(text: str) -> str:
    """What is left of a text when nothing stands between its letters, and digits are read as letters."""
    return "".join(_READ_AS.get(char, char) for char in text if char.isalnum() or char in _READ_AS)


def bounded(text: str, start: int, end: int, open_ended: bool) -> bool:
    """Whether a match is a word of its own: letters and digits of Latin script may not go on beside it."""
    if _is_latin(text[start]) and start > 0 and _is_latin(text[start - 1]):
        return False
    return open_ended or end == len(text) or not (_is_latin(text[end - 1]) and _is_latin(text[end]))


def _is_latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _touches(places: Collection[tuple[int, int]], low: int, high: int) -> bool:
    return any(start < high and end > low for start, end in places)


def _words(name: str, category: Category) -> list[_Word]:
    return [
        *_entries(category.words, name, "hit"),
        *_entries(category.near, name, "near"),
        *_entries(category.unless, name, "unless"),
    ]


def _entries(words: Iterable[str], category: str, role: str) -> list[_Word]:
    made = []
    for word in words:
        text = re.sub(r"\s+", " ", normalise(word.strip().removesuffix("*")).text)
        if text:
            made.append(_Word(text, category, role, word.strip().endswith("*")))
    return made


def read_words(path: Path) -> tuple[str, ...]:
    """A list with one word a line; empty lines and lines that begin with # are left out. Words of one character are refused."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the word list {path} cannot be read: {error}", "It must be a UTF-8 text file, one word a line"
        ) from None
    words = tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    for word in words:
        if len(word.removesuffix("*")) < 2:
            raise ConfigError(
                f"the word list {path} holds the one-character word '{word}'",
                "It would hit nearly every text: take it out",
            )
    return words

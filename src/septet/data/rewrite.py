"""A text with a few of its words exchanged, moved, left out or added: EDA (Wei and Zou, EMNLP 2019), for both scripts.

Chinese words are those of rjieba. Numbers and words of negation are never touched: without them a sentence says something else,
and its label would be false. All that is no word (blanks, marks, line ends) stays where it is.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from septet.core import MissingExtra

_WORD = re.compile(r"[^\W_]+(?:['’](?=[A-Za-z])[^\W_]+)*")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_END = re.compile(r"[.!?;。！？；\n]")
_NEGATIONS = frozenset(
    "no not none never nor neither nobody nothing nowhere cannot without unless except hardly 非 别 勿 莫 否".split()
)
_NEGATING = ("不", "没", "未", "无", "勿", "莫")


def pieces(text: str) -> list[tuple[str, bool]]:
    """The text in pieces that make it up again, and whether each is a word."""
    found: list[tuple[str, bool]] = []
    at = 0
    for match in _WORD.finditer(text):
        if match.start() > at:
            found.append((text[at : match.start()], False))
        inside = match.start()
        for run in _HAN.finditer(match.group()):
            start, end = match.start() + run.start(), match.start() + run.end()
            if start > inside:
                found.append((text[inside:start], True))
            found += [(word, True) for word in _cut()(text[start:end])]
            inside = end
        if inside < match.end():
            found.append((text[inside : match.end()], True))
        at = match.end()
    if at < len(text):
        found.append((text[at:], False))
    return found


@cache
def _cut() -> Callable[[str], Sequence[str]]:
    try:
        import rjieba
    except ImportError:
        raise MissingExtra("rjieba", "data") from None
    cut: Callable[[str], Sequence[str]] = rjieba.cut
    return cut


def protected(word: str) -> bool:
    """Whether a word must stay as it is and where it is: it holds a digit, or denies something."""
    low = word.lower().replace("’", "'")
    return (
        any(one.isdigit() or one.isnumeric() for one in low)
        or low in _NEGATIONS
        or low.endswith("n't")
        or any(one in low for one in _NEGATING)
    )


def rewritten(
    text: str, method: str, strength: float, synonyms: Mapping[str, Sequence[str]], draw: random.Random
) -> str | None:
    """The text after about `strength` of its words (at least one) were changed by `method`; None where there is none to change."""
    parts = pieces(text)
    free = [place for place, (word, is_word) in enumerate(parts) if is_word and not protected(word)]
    wanted = max(1, round(strength * sum(is_word for _, is_word in parts)))
    changed = _METHODS[method](parts, free, wanted, synonyms, draw)
    return "".join(word for word, _ in parts) if changed else None


def _swap(
    parts: list[tuple[str, bool]], free: list[int], wanted: int, _: Mapping[str, Any], draw: random.Random
) -> int:
    """Exchange words of the same sentence."""
    sentence, number = {}, 0
    for place, (word, is_word) in enumerate(parts):
        number += not is_word and bool(_END.search(word))
        sentence[place] = number
    groups: dict[int, list[int]] = {}
    for place in free:
        groups.setdefault(sentence[place], []).append(place)
    done = 0
    # Two words move at a time, and none moves twice, or it might come back.
    for _ in range(max(1, wanted // 2)):
        able = [places for places in groups.values() if len({parts[place][0] for place in places}) > 1]
        if not able:
            break
        places = draw.choices(able, [len(one) for one in able])[0]
        one = draw.choice(places)
        other = draw.choice([place for place in places if parts[place][0] != parts[one][0]])
        parts[one], parts[other] = parts[other], parts[one]
        places.remove(one)
        places.remove(other)
        done += 1
    return done


def _delete(
    parts: list[tuple[str, bool]], free: list[int], wanted: int, _: Mapping[str, Any], draw: random.Random
) -> int:
    """Leave words out, never the last one nor one that keeps its neighbours apart, and a blank that would stand alone."""
    words = sum(is_word for _, is_word in parts)
    able = [place for place in free if not _fuses(parts, place)]
    chosen = set(draw.sample(able, max(0, min(wanted, len(able), words - 1))))
    left: list[tuple[str, bool]] = []
    for place, (word, is_word) in enumerate(parts):
        if place in chosen:
            continue
        before = left[-1][0] if left else "\n"
        if place - 1 in chosen and not is_word:
            if before[-1:].isspace() and word.startswith(" "):
                word = word[1:]
            elif before == " " and not word.startswith(("(", "“", "「", "《", "（", '"')):
                left.pop()
        if word:
            left.append((word, is_word))
    if parts and len(parts) - 1 in chosen and left and left[-1][0] == " ":
        left.pop()
    parts[:] = left
    return len(chosen)


def _fuses(parts: list[tuple[str, bool]], place: int) -> bool:
    """Whether the neighbours of a word would become one, as 3 and 5 in 3张5."""
    before = parts[place - 1] if place else ("", False)
    after = parts[place + 1] if place + 1 < len(parts) else ("", False)
    return before[1] and after[1] and not (_HAN.search(before[0][-1]) or _HAN.match(after[0][0]))


def _insert(
    parts: list[tuple[str, bool]], free: list[int], wanted: int, synonyms: Mapping[str, Any], draw: random.Random
) -> int:
    """Add a synonym of one of the words somewhere, or, where none is known, one of the words again."""
    if not free:
        return 0
    sources = [place for place in free if synonyms.get(parts[place][0].lower())] or free
    words = [parts[place][0] for place in sources]
    spots = [place for place, (_, is_word) in enumerate(parts) if is_word]
    for spot in sorted(draw.choices(spots, k=wanted), reverse=True):
        word = draw.choice(words)
        added = draw.choice(list(synonyms.get(word.lower()) or [word]))
        blank = "" if _HAN.search(added[-1]) or _HAN.match(parts[spot][0]) else " "
        parts[spot:spot] = [(added, True), (blank, False)]
    return wanted


def _synonym(
    parts: list[tuple[str, bool]], free: list[int], wanted: int, synonyms: Mapping[str, Any], draw: random.Random
) -> int:
    """Put synonyms in the place of words, in the same case."""
    able = [place for place in free if synonyms.get(parts[place][0].lower())]
    chosen = draw.sample(able, min(wanted, len(able)))
    for place in chosen:
        was = parts[place][0]
        put = draw.choice(list(synonyms[was.lower()]))
        if was[:1].isupper():
            put = put.upper() if was.isupper() and len(was) > 1 else put[:1].upper() + put[1:]
        parts[place] = (put, True)
    return len(chosen)


_METHODS: dict[str, Callable[..., int]] = {
    "swap": _swap,
    "delete": _delete,
    "insert": _insert,
    "synonym": _synonym,
}

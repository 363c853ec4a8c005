"""The words of a sentence that name someone, some place or some body, in Chinese by a segmenter's tags, in English by capitals."""

import re
from typing import NamedTuple

from septet.core.errors import MissingExtra
from septet.detect.grounding_tokens import HAN, Tokens

_HAN_RUN = re.compile(rf"[{HAN}]")
_NAME_TAGS = ("nr", "ns", "nt", "nz")
_PARTICLES = frozenset("的以于之为了在是和与从向对被由而则其及等个所将把让")
_NOUN_TAGS = ("n", "s", "j", "x", "eng")
_LATIN = re.compile(r"[A-Za-zÀ-ɏΑ-ω][\w'’&.-]*[\w]|[A-Za-zΑ-ω]")
_BODY = re.compile(
    r"(?:银行|公司|集团|大学|学院|中学|小学|医院|法院|检察院|委员会|政府|机关|机构|部门|协会|学会|基金会|交易所|研究所|"
    r"出版社|电视台|博物馆|"
    r"部|局|厅|署|省|市|县|区|镇|乡|村|州|国|岛|山|江|河|湖|路|街|寺|庙|宫|殿|站|港|湾|人|员|者|方|会|社|院|团|党|军|队|"
    r"校|馆|厂|店|庄|族|教|派|朝|王|帝)$"
)
_STARTERS = frozenset(
    (
        "the a an this that these those it its he she they we you i if when where while after before under in on at by "
        "for from with "
        "without to as of and or but not no any all each every such there here according however therefore thus yes "
        "also both either "
        "neither what which who how why because since although unless until during upon per about over above below between"
    ).split()
)


_YEAR = re.compile(r"(?:fy|f|h|q|cy)\d{1,4}")
"""A financial year or quarter: its number is looked at instead."""


class Word(NamedTuple):
    """A word of a sentence: its text, key and stem, its first token and that after its last, and what it is."""

    text: str
    key: str
    stem: str
    first: int
    last: int
    is_name: bool
    """It names: it must stand in the context."""
    is_noun: bool
    """It may fill a place that a name or another noun fills in the passage."""
    sure: bool
    """It ends like the name of a body or a place, or is tagged as a name."""


def words_of(tokens: Tokens, begin: int = 0, stop: int | None = None) -> list[Word]:
    """The words of a sentence or a stretch of it, in their order. Raises MissingExtra without a Chinese segmenter."""
    said = tokens.view.text
    stop = len(tokens.keys) if stop is None else stop
    if begin >= stop:
        return []
    found: list[Word] = []
    place_of = {tokens.starts[place]: place for place in range(begin, stop)}
    stretch = said[tokens.starts[begin] : tokens.ends[stop - 1]]
    has_han = bool(_HAN_RUN.search(stretch))
    first_word = True
    for place in range(begin, stop):
        key = tokens.keys[place]
        text = said[tokens.starts[place] : tokens.ends[place]]
        if _HAN_RUN.match(key) or key[0] in "#%‰‱" or not text[:1].isalpha():
            first_word = False if key[0] == "#" else first_word
            continue
        capital = any(char.isupper() for char in text)
        opens = place == 0 or first_word
        first_word = False
        name = (capital or has_han) and key not in _STARTERS and text != "I" and not _YEAR.fullmatch(key)
        if name and opens and not has_han and text[1:].islower():
            # A capital opens a sentence: it is a name only where another one follows.
            following = said[tokens.starts[place + 1] : tokens.ends[place + 1]] if place + 1 < len(tokens.keys) else ""
            name = following[:1].isupper() and following.lower() not in _STARTERS
        found.append(
            Word(
                text, key, tokens.stems[place], place, place + 1, name, len(text) > 2 and key not in _STARTERS, capital
            )
        )
    if not has_han:
        return found
    for text, at, tag in _tagged(stretch):
        start = at + tokens.starts[begin]
        first = place_of.get(start)
        if first is None or not _HAN_RUN.match(text):
            continue
        last = first
        while last < len(tokens.starts) and tokens.starts[last] < start + len(text):
            last += 1
        # A name of which the tagger took a particle along is none.
        name = tag in _NAME_TAGS and len(text) > 1 and not (_PARTICLES & set(text) and len(text) < 4)
        noun = name or (tag in _NOUN_TAGS and len(text) > 1)
        found.append(Word(text, text, text, first, last, name, noun, name or bool(_BODY.search(text))))
    return sorted(found, key=lambda word: word.first)


def _tagged(text: str) -> list[tuple[str, int, str]]:
    try:
        import rjieba
    except ImportError:
        raise MissingExtra("rjieba", "data") from None
    found, at = [], 0
    for word, tag in rjieba.tag(text):
        found.append((word, at, tag))
        at += len(word)
    return found

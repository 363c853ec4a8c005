"""Leaving out documents that are there already: first by folded text, then by verified likeness."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any

from septet.core import Run
from septet.kinds import Corpus


def apply(corpus: Corpus, similarity: float, keep: str, run: Run) -> Corpus:
    """Write the corpus without duplicates; each one left out names its rule and the similarity to what was kept."""
    from septet.data.neardup import near_duplicates

    rows = list(corpus.rows())
    order = sorted(range(len(rows)), key=lambda index: _preference(rows[index], index, keep))
    by_text: dict[str, int] = {}
    gone: dict[int, tuple[str, float, int]] = {}
    for index in order:
        mark = _folded(rows[index]["text"])
        if mark in by_text:
            gone[index] = ("exact duplicate", 1.0, by_text[mark])
        else:
            by_text[mark] = index
    left = [index for index in order if index not in gone]
    texts = [row["text"] for row in rows]
    for duplicate in near_duplicates(texts, similarity, left):
        gone[duplicate.copy] = ("near duplicate", duplicate.similarity, duplicate.kept)
    run.progress(len(rows), len(rows), "documents")
    kept: list[dict[str, Any]] = []
    dropped: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        if index in gone:
            rule, value, other = gone[index]
            dropped.append({**row, "rule": f"{rule} of {rows[other]['source']}", "value": value})
        else:
            kept.append({**row, "transforms": [*row["transforms"], "data.deduplicate"]})
    for rule in ("exact duplicate", "near duplicate"):
        run.drop(rule, sum(1 for name, _, _ in gone.values() if name == rule), "dropped/")
    return Corpus.write(run.out, kept, dropped)


def _preference(row: dict[str, Any], index: int, keep: str) -> tuple[Any, ...]:
    if keep == "longest":
        return (-len(row["text"]), index)
    if keep == "newest":
        return (_reversed(row["retrieved"]), index)
    return (index,)


def _reversed(text: str) -> tuple[int, ...]:
    return tuple(-ord(character) for character in text) or (1,)


def _folded(text: str) -> str:
    """A digest of what a reader sees: width, case and blanks do not count."""
    return hashlib.sha256(re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold().encode()).hexdigest()

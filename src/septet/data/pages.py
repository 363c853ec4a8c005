"""Header and footer lines of paged documents: lines that recur in the same place on several pages of one source.

A number that moves with the page, such as "Page 3 of 10", counts as the same line; other numbers do not, so that the articles
of a statute at the head of its pages stay.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from septet.core import Run
from septet.files import write_json
from septet.kinds import Corpus

# Lines looked at from either end of a page, and the longest that may be a header (chosen).
_DEPTH = 3
_LONGEST = 120
_NUMBER = re.compile(r"\d+")


def find(corpus: Corpus, pages: int, run: Run) -> Path:
    """A file in the scratch folder that lists the marks of lines that recur on at least so many pages of a source."""
    out = run.scratch / "headers.json"
    counts: Counter[str] = Counter()
    for found in run.map(count_part, [str(part) for part in corpus.parts]):
        counts.update(found)
    write_json(out, sorted(mark for mark, count in counts.items() if count >= pages))
    return out


def count_part(part: str) -> dict[str, int]:
    """On how many pages of the part each line stands in its place, by mark. Of sources inside of the part, lines that stand
    once are left out: they cannot recur elsewhere."""
    counts: Counter[str] = Counter()
    sources: dict[str, str] = {}
    order: list[str] = []
    for batch in pq.ParquetFile(part).iter_batches(columns=["source", "page", "text"]):
        paged = batch.filter(pc.greater(pc.fill_null(batch.column("page"), 0), 0))
        for row in paged.to_pylist():
            if not order or order[-1] != row["source"]:
                order.append(row["source"])
            seen = set()
            for _, marks in candidates(row["source"], row["page"], row["text"]):
                seen.update(marks)
            counts.update(seen)
            sources.update(dict.fromkeys(seen, row["source"]))
    open_ended = {order[0], order[-1]} if order else set()
    return {mark: count for mark, count in counts.items() if count > 1 or sources[mark] in open_ended}


def candidates(source: str, page: int, text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines at the ends of a page: the number of the line, and the marks under which it may recur."""
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n")) if line.strip()]
    for name, chosen in (("top", lines[:_DEPTH]), ("bottom", lines[: -_DEPTH - 1 : -1])):
        for place, (number, line) in enumerate(chosen):
            if len(line) <= _LONGEST:
                yield number, [_mark(source, name, place, form) for form in _forms(line, page)]


def _forms(line: str, page: int) -> list[str]:
    """The line as it stands, and with its first or last number as a distance from the page's."""
    numbers = list(_NUMBER.finditer(line))
    forms = [line]
    for found in {numbers[0].span(): numbers[0], numbers[-1].span(): numbers[-1]}.values() if numbers else ():
        if len(found[0]) < 6:
            forms.append(f"{line[: found.start()]}<{int(found[0]) - page}>{line[found.end() :]}")
    return forms


def _mark(source: str, end: str, place: int, form: str) -> str:
    return hashlib.sha256(f"{source}\n{end} {place}\n{form}".encode("utf-8", "replace")).hexdigest()[:20]


def numbers_of(source: str, page: int, text: str, known: Any) -> Sequence[int]:
    """The numbers of the lines of a page that are headers or footers."""
    return sorted({number for number, marks in candidates(source, page, text) if any(mark in known for mark in marks)})

"""What a revision changes: rows that end, rows that begin, and which of the new ones need no vector because they read as before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from septet.inference.embedding import Encoder
from septet.knowledge import build
from septet.knowledge.build import key_of
from septet.knowledge.table import CURRENT, PAST
from septet.knowledge.validity import NEVER, Key

_SAME = tuple(name for name in build.COLUMNS if name not in ("valid_from", "valid_to"))


class Difference(msgspec.Struct, kw_only=True):
    """`rows` are to be committed: those that change, and those that begin. `added` and `ended` count by document."""

    rows: list[dict[str, Any]]
    added: Counter[Key]
    ended: Counter[Key]
    encoded: int

    @property
    def keys(self) -> list[str]:
        """What came (`+`) and what ended (`-`), in a fixed order."""
        return sorted(f"{'-' if row['ended'] else '+'}{row['key']}" for row in self.rows)


def difference(
    before: Sequence[Mapping[str, Any]],
    fresh: Sequence[Mapping[str, Any]],
    superseded: Mapping[Key, str],
    others: Sequence[Mapping[str, Any]],
    encoder: Encoder,
    number: int,
    today: str,
) -> Difference:
    """`before` are the current rows of the documents that were read again, `fresh` their chunks now. `others` are current rows of
    other documents, of which `superseded` names those that a new one replaced, with the day.

    A chunk that reads as before keeps its vector and the day from which it holds. One that is gone, or reads otherwise, ends where
    the document that replaced it begins: on the day that this names, else today.
    """
    old = {(key_of(row), row["id"]): row for row in before}
    new = {(key_of(chunk), chunk["id"]): chunk for chunk in fresh}
    known = {document for document, _ in old}
    begins = {document: chunk["valid_from"] for (document, _), chunk in new.items()}
    found = Difference(rows=[], added=Counter(), ended=Counter(), encoded=0)
    began: list[dict[str, Any]] = []
    for (document, identity), row in old.items():
        now = new.get((document, identity))
        if now is None:
            day = begins.get(document, "")
            until = _earlier(row["valid_to"], day if day > row["valid_from"] else today)
        elif _is_same(now, row):
            continue
        else:
            until = NEVER  # it goes on in its new row
            began.append({**now, "valid_from": now["valid_from"] or row["valid_from"], "vector": row["vector"]})
            found.added[document] += 1
        found.rows.append(_ended(row, until, number, today))
        found.ended[document] += 1
    lacking = []
    for key, chunk in new.items():
        if key not in old:
            day = today if key[0] in known else ""
            lacking.append({**chunk, "valid_from": chunk["valid_from"] or day})
            found.added[key[0]] += 1
    found.encoded = len(lacking)
    began += build.with_vectors(lacking, encoder)
    found.rows += [build.as_row(chunk, number) for chunk in began]
    for row in others:
        day = superseded.get(key_of(row), "")
        if day and row["valid_to"] != day:
            found.rows.append(_ended(row, _earlier(row["valid_to"], day), number, today))
            found.ended[key_of(row)] += 1
    return found


def _is_same(chunk: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return all(chunk[name] == row[name] for name in _SAME)


def _ended(row: Mapping[str, Any], until: str, number: int, today: str) -> dict[str, Any]:
    """A row that holds up to a day; until that has come it stays among the current ones."""
    past = until <= today
    return {**row, "valid_to": until, "state": PAST if past else CURRENT, "ended": number}


def _earlier(one: str, other: str) -> str:
    return min(filter(None, (one, other)), default="")

"""Searching a knowledge base: full text (BM25), vectors (cosine), and both fused, for one reader on one day.

A reader's classes are a condition of the search itself, so that what is above them is not even a candidate. What does not hold on
the day asked for (today, unless another is named) is left out after it; the search goes deeper until enough is left.
"""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from septet.detect.language import language
from septet.inference.embedding import Encoder, load_encoder
from septet.kinds import KnowledgeBase
from septet.knowledge.build import COLUMNS, index
from septet.knowledge.table import CURRENT, Table, quoted
from septet.knowledge.terms import terms
from septet.knowledge.validity import day_of

Mode = Literal["hybrid", "text", "vector"]
VECTOR_WEIGHT = 0.3
# Among equals a reader is better served in the language of the question.
SAME_LANGUAGE = 1.1
_CHINESE = ("zh", "mixed")
_POOL = 50
"""Candidates of each search."""


class Hit(NamedTuple):
    """A chunk that was found: its fused score and its rank in each list (0: not in it)."""

    chunk: dict[str, Any]
    score: float
    text_rank: int
    vector_rank: int


class Searcher:
    """An open knowledge base."""

    def __init__(self, knowledge: KnowledgeBase, encoder: Encoder | None = None, folder: Path | None = None) -> None:
        """`folder` keeps the index for the next time, or holds one that goes on living; without it one is made for this time."""
        knowledge.check()
        self._encoder = encoder or load_encoder(str(knowledge.meta["encoder"]))
        self._own = Path(tempfile.mkdtemp(prefix="septet-index-")) if folder is None else None
        self.table = Table(folder) if folder and Table.exists(folder) else index(knowledge, folder or self._place())

    def _place(self) -> Path:
        assert self._own is not None
        return self._own / "index"

    def chunk(self, identity: str, access: Iterable[str] | None = None) -> dict[str, Any] | None:
        """A chunk by its id, the last of its revisions, if the reader may see it."""
        found = self.table.rows(_all(f"id = {quoted(identity)}", _readable(access)), [*COLUMNS, "revision"])
        return max(found, key=lambda row: int(row["revision"]), default=None)

    def search(
        self, query: str, top: int = 3, mode: Mode = "hybrid", access: Iterable[str] | None = None, as_of: str = ""
    ) -> list[Hit]:
        """The best chunks for a query. `access` names the classes that the reader may see (None: all), `as_of` the day on which
        they must hold (ISO; "": today)."""
        day = day_of(as_of)
        state = f"state = '{CURRENT}'" if day >= datetime.date.today().isoformat() else ""
        where = _all(state, _readable(access))
        words = list(dict.fromkeys(terms(query)))
        vector = self._encoder.encode([query])[0] if query.strip() else None
        pool = max(_POOL, 5 * top)
        while True:
            by_text = self.table.by_text(words, where, pool, _WANTED) if mode != "vector" else []
            by_vector = (
                self.table.by_vector(vector, where, pool, _WANTED) if mode != "text" and vector is not None else []
            )
            hits = self._fused(query, words, vector, mode, where, _holding(by_text, day), _holding(by_vector, day))
            if len(hits) >= top or max(len(by_text), len(by_vector)) < pool:
                return hits[:top]
            pool *= 4

    def _fused(
        self,
        query: str,
        words: Sequence[str],
        vector: Any,
        mode: Mode,
        where: str,
        by_text: Sequence[dict[str, Any]],
        by_vector: Sequence[dict[str, Any]],
    ) -> list[Hit]:
        import numpy as np

        rows = list({row["key"]: row for row in (*by_text, *by_vector)}.values())
        if not rows:
            return []
        bm25 = {row["key"]: max(float(row["_score"]), 1e-9) for row in by_text}
        lacking = [row["key"] for row in rows if row["key"] not in bm25] if mode == "hybrid" else []
        if lacking and words:
            chosen = _all(where, f"key in ({', '.join(map(quoted, lacking))})")
            found = self.table.by_text(words, chosen, len(lacking), ("key",))
            bm25.update((row["key"], max(float(row["_score"]), 1e-9)) for row in found)
        text = np.array([bm25.get(row["key"], 0.0) for row in rows])
        near = np.zeros(len(rows))
        if mode != "text" and vector is not None:
            held = np.array([row["vector"] for row in rows], np.float32)
            near = np.clip(held @ vector, 0, None)
        weights = {"hybrid": (1 - VECTOR_WEIGHT, VECTOR_WEIGHT), "text": (1.0, 0.0), "vector": (0.0, 1.0)}[mode]
        scores = weights[0] * _of_best(text) + weights[1] * _of_best(near)
        chinese = language(query) in _CHINESE
        scores[np.array([(row["language"] in _CHINESE) == chinese for row in rows])] *= SAME_LANGUAGE
        order = sorted(np.flatnonzero(scores > 0), key=lambda n: (-scores[n], rows[n]["id"]))
        return [Hit(_shown(rows[n]), float(scores[n]), _rank(text, n), _rank(near, n)) for n in map(int, order)]

    def close(self) -> None:
        self.table.close()
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)


_WANTED = ("key", *COLUMNS, "vector")


def _holding(rows: Sequence[dict[str, Any]], day: str) -> list[dict[str, Any]]:
    """Rows that are valid on a day."""
    return [row for row in rows if row["valid_from"] <= day and (not row["valid_to"] or day < row["valid_to"])]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in COLUMNS}


def _readable(access: Iterable[str] | None) -> str:
    if access is None:
        return ""
    classes = sorted(set(access))
    return f"access in ({', '.join(map(quoted, classes))})" if classes else "false"


def _all(*conditions: str) -> str:
    return " and ".join(f"({one})" for one in conditions if one)


def _of_best(scores: Any) -> Any:
    best = scores.max(initial=0.0)
    return scores / best if best > 0 else scores


def _rank(scores: Any, number: int) -> int:
    return int((scores > scores[number]).sum()) + 1 if scores[number] > 0 else 0


def contexts(hits: Sequence[Hit]) -> list[dict[str, str]]:
    """Hits in the form in which prompts, suites and training rows carry them."""
    return [
        {
            "chunk": hit.chunk["id"],
            "title": hit.chunk["title"],
            "text": hit.chunk["text"],
            "source": hit.chunk["source"],
            "access": hit.chunk["access"],
        }
        for hit in hits
    ]

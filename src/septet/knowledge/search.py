"""Searching a knowledge base: full text (BM25), vectors (cosine), and both fused, for one reader on one day.

Where a knowledge base says so, a question's words are looked up in a dictionary and searched in the other language as well, and a
reranker looks again at what came first.
A reader's classes are a condition of the search itself, so that what is above them is not even a candidate. What does not hold on
the day asked for (today, unless another is named) is left out after it; the search goes deeper until enough is left.
"""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from septet.core import ConfigError
from septet.detect.language import language
from septet.inference.embedding import Encoder, encode_queries, load_encoder
from septet.inference.rerank import Reranker, load_reranker
from septet.kinds import KnowledgeBase
from septet.knowledge import bilingual, fusion
from septet.knowledge.build import COLUMNS, RERANKER, VERSION, index, searched_text
from septet.knowledge.table import CURRENT, quoted
from septet.knowledge.terms import terms
from septet.knowledge.validity import day_of

Mode = Literal["hybrid", "text", "vector"]
_CHINESE = ("zh", "mixed")
_POOL = 50
"""Candidates of each search."""
_JUDGED = 20
_RERANKED = 0.5
"""The reranker's share in the order of what it saw: MRR on Regulation E rises from 0.485 to 0.502 (2026-11-24)."""
_LEAST = 1e-9
"""What a word that is in most chunks scores: about nothing, and not less than no word at all."""


class Hit(NamedTuple):
    """A chunk that was found: its fused score, its rank in each list (0: not in it), and its cosine with the query (0 where no
    vector was asked)."""

    chunk: dict[str, Any]
    score: float
    text_rank: int
    vector_rank: int
    near: float


class _Asked(NamedTuple):
    """A question on its way: its words, its vector, how to search and under which condition, its words in the other language."""

    words: list[str]
    vector: Any
    mode: Mode
    where: str
    chinese: bool
    other: list[tuple[tuple[str, ...], ...]]


class Searcher:
    """An open knowledge base."""

    def __init__(
        self,
        knowledge: KnowledgeBase,
        encoder: Encoder | None = None,
        folder: Path | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        """`folder` keeps the index for the next time, or holds one that goes on living; without it one is made for this time.

        Encoder and reranker are those that the knowledge base names, unless they are given.
        """
        knowledge.check()
        meta = knowledge.meta
        if meta.get("version") != VERSION:
            raise ConfigError(f"{knowledge.path} was made by another version of Septet", "Run its recipe again")
        self._dictionary = bool(meta["dictionary"])
        self._reranker = reranker or _reranker(knowledge)
        self._encoder = encoder or load_encoder(str(meta["encoder"]))
        self._own = Path(tempfile.mkdtemp(prefix="septet-index-")) if folder is None else None
        self.table = index(knowledge, folder or Path(str(self._own)) / "index")

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
        query = query.encode("utf-8", "replace").decode()  # halves of characters, as a terminal may hand them over
        state = f"state = '{CURRENT}'" if day >= datetime.date.today().isoformat() else ""
        asked = self._asked(query, mode, _all(state, _readable(access)))
        pool = max(_POOL, 5 * top)
        while True:
            by_text = self.table.by_text(asked.words, asked.where, pool, _WANTED) if mode != "vector" else []
            by_other = self.table.by_text(bilingual.words_of(asked.other), asked.where, pool, _WANTED)
            by_vector = [] if asked.vector is None else self.table.by_vector(asked.vector, asked.where, pool, _WANTED)
            found = [_holding(rows, day) for rows in (by_text, by_other, by_vector)]
            hits = self._fused(asked, *found)
            if len(hits) >= top or max(len(by_text), len(by_other), len(by_vector)) < pool:
                return self._judged(query, self._shown(hits[: max(top, _JUDGED) if self._reranker else top]))[:top]
            pool *= 4

    def _asked(self, query: str, mode: Mode, where: str) -> _Asked:
        words = list(dict.fromkeys(terms(query)))
        vector = encode_queries(self._encoder, [query])[0] if mode != "text" and query.strip() else None
        chinese = language(query) in _CHINESE
        crosses = mode == "hybrid" and self._dictionary
        return _Asked(words, vector, mode, where, chinese, bilingual.translations(query) if crosses else [])

    def _fused(
        self,
        asked: _Asked,
        by_text: Sequence[dict[str, Any]],
        by_other: Sequence[dict[str, Any]],
        by_vector: Sequence[dict[str, Any]],
    ) -> list[Hit]:
        import numpy as np

        rows = list({row["key"]: row for row in (*by_text, *by_other, *by_vector)}.values())
        if not rows:
            return []
        bm25 = {row["key"]: max(float(row["_score"]), _LEAST) for row in by_text}
        lacking = [row["key"] for row in rows if row["key"] not in bm25] if asked.mode == "hybrid" else []
        if lacking and asked.words:
            chosen = _all(asked.where, f"key in ({', '.join(map(quoted, lacking))})")
            found = self.table.by_text(asked.words, chosen, len(lacking), ("key",))
            bm25.update((row["key"], max(float(row["_score"]), _LEAST)) for row in found)
        text = np.array([bm25.get(row["key"], 0.0) for row in rows])
        near = np.zeros(len(rows))
        if asked.vector is not None:
            near = np.clip(np.array([row["vector"] for row in rows], np.float32) @ asked.vector, 0, None)
        same = np.array([(row["language"] in _CHINESE) == asked.chinese for row in rows])
        share = None
        if asked.other:
            foreign = np.flatnonzero(~same)
            share = np.zeros(len(rows))
            share[foreign] = bilingual.shares(asked.other, [rows[at]["terms"].split() for at in foreign])
        best = rows[int(text.argmax())] if text.any() else None
        covered = fusion.coverage(asked.words, set(best["terms"].split())) if best is not None else 0.0
        scores = fusion.fuse(text, near, covered, same, share)
        order = sorted(np.flatnonzero(scores > 0), key=lambda n: (-scores[n], rows[n]["id"]))
        return [Hit(rows[n], float(scores[n]), _rank(text, n), _rank(near, n), float(near[n])) for n in map(int, order)]

    def _shown(self, hits: Sequence[Hit]) -> list[Hit]:
        """Hits with what is shown of their chunks. Each column that is read costs a millisecond at a million chunks: few hits need
        them. A chunk that was erased meanwhile is left out."""
        if not hits:
            return []
        where = f"key in ({', '.join(quoted(hit.chunk['key']) for hit in hits)})"
        rows = {row.pop("key"): row for row in self.table.rows(where, ("key", *COLUMNS))}
        return [hit._replace(chunk=rows[hit.chunk["key"]]) for hit in hits if hit.chunk["key"] in rows]

    def _judged(self, query: str, hits: list[Hit]) -> list[Hit]:
        """The first hits in the order in which the reranker sees them, where there is one that reads the question's language."""
        reads = self._reranker is not None and (
            not self._reranker.languages or language(query) in self._reranker.languages
        )
        if self._reranker is None or not reads or len(hits) < 2:
            return hits
        first = hits[:_JUDGED]
        judged = self._reranker.score(query, [searched_text(hit.chunk) for hit in first])
        scores = fusion.reordered([hit.score for hit in first], judged, _RERANKED)
        order = sorted(range(len(first)), key=lambda n: (-scores[n], n))
        return [*(first[n] for n in order), *hits[_JUDGED:]]

    def close(self) -> None:
        self.table.close()
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)


def _reranker(knowledge: KnowledgeBase) -> Reranker | None:
    if (knowledge.path / RERANKER).is_dir():
        return load_reranker(f"likelihood:{knowledge.path / RERANKER}")
    name = str(knowledge.meta["reranker"])
    return load_reranker(name) if name else None


_WANTED = ("key", "id", "language", "valid_from", "valid_to", "terms", "vector")
"""What tells how well a chunk fits."""


def _holding(rows: Sequence[dict[str, Any]], day: str) -> list[dict[str, Any]]:
    """Rows that are valid on a day."""
    return [row for row in rows if row["valid_from"] <= day and (not row["valid_to"] or day < row["valid_to"])]


def _readable(access: Iterable[str] | None) -> str:
    if access is None:
        return ""
    classes = sorted(set(access))
    return f"access in ({', '.join(map(quoted, classes))})" if classes else "false"


def _all(*conditions: str) -> str:
    return " and ".join(f"({one})" for one in conditions if one)


def _rank(scores: Any, number: int) -> int:
    return int((scores > scores[number]).sum()) + 1 if scores[number] > 0 else 0


def contexts(hits: Sequence[Hit]) -> list[dict[str, str]]:
    """Hits in the form in which prompts, suites and training rows carry them."""
    return [context_of(hit.chunk) for hit in hits]


def context_of(chunk: Mapping[str, Any]) -> dict[str, str]:
    """A chunk in that form."""
    return {"chunk": chunk["id"], **{name: chunk[name] for name in ("title", "context", "text", "source", "access")}}

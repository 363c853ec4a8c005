"""Searching a knowledge base: full text (BM25 of FTS5), vectors (cosine), and both fused.

Fusion is a convex combination of the scores, each divided by the best of its search (Bruch, Gai and Ingber, ACM TOIS 2023).
Reciprocal rank fusion, its usual rival, hides how clear a match is: an article of a law that is asked for by its number was
among the first three for 0.58 of 360 questions, with the combination for 0.89; on the handbook's 514 questions the evidence
comes first for 0.83 instead of 0.77 (2026-11-24). Ties are broken by the chunk's id.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from septet.core import ConfigError
from septet.data.knowledge.terms import terms
from septet.detect.language import language
from septet.inference.embedding import Encoder, load_encoder
from septet.kinds import KnowledgeBase

Mode = Literal["hybrid", "text", "vector"]
VECTOR_WEIGHT = 0.3
# Among equals a reader is better served in the language of the question.
SAME_LANGUAGE = 1.1
_CHINESE = ("zh", "mixed")


class Hit(NamedTuple):
    """A chunk that was found: its fused score and its rank in each list (0: not in it)."""

    chunk: dict[str, Any]
    score: float
    text_rank: int
    vector_rank: int


class Searcher:
    """An open knowledge base."""

    def __init__(self, knowledge: KnowledgeBase, encoder: Encoder | None = None) -> None:
        import numpy as np

        knowledge.check()
        meta = knowledge.meta
        self.chunks = list(knowledge.chunks())
        self._by_id = {chunk["id"]: chunk for chunk in self.chunks}
        self._encoder = encoder or load_encoder(str(meta["encoder"]))
        self._vectors = np.load(knowledge.path / "vectors.npy").astype(np.float32)
        self._chinese = np.array([chunk["language"] in _CHINESE for chunk in self.chunks], bool)
        if len(self._vectors) != len(self.chunks):
            raise ConfigError(
                f"{knowledge.path}: the vectors do not belong to the chunks", "Build the knowledge base again"
            )
        self._index = sqlite3.connect(
            f"file:{knowledge.path / 'index.sqlite'}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )

    def chunk(self, identity: str) -> dict[str, Any] | None:
        return self._by_id.get(identity)

    def search(self, query: str, top: int = 3, mode: Mode = "hybrid", access: Iterable[str] | None = None) -> list[Hit]:
        """The best chunks for a query. `access` names the classes that the reader may see (None: all)."""
        import numpy as np

        allowed = None if access is None else set(access)
        visible = np.array([allowed is None or chunk["access"] in allowed for chunk in self.chunks], bool)
        by_text = self._by_text(query) * visible if mode != "vector" else np.zeros(len(self.chunks))
        by_vector = self._by_vector(query) * visible if mode != "text" else np.zeros(len(self.chunks))
        weights = {"hybrid": (1 - VECTOR_WEIGHT, VECTOR_WEIGHT), "text": (1.0, 0.0), "vector": (0.0, 1.0)}[mode]
        scores = weights[0] * _of_best(by_text) + weights[1] * _of_best(by_vector)
        chinese = language(query) in _CHINESE
        scores[self._chinese == chinese] *= SAME_LANGUAGE
        best = sorted(np.flatnonzero(scores > 0), key=lambda number: (-scores[number], self.chunks[number]["id"]))[:top]
        return [Hit(self.chunks[n], float(scores[n]), _rank(by_text, n), _rank(by_vector, n)) for n in map(int, best)]

    def _by_text(self, query: str) -> Any:
        """BM25 of each chunk (0: none of the words)."""
        import numpy as np

        scores = np.zeros(len(self.chunks))
        wanted = list(dict.fromkeys(terms(query)))
        if wanted:
            match = " OR ".join(f'"{term}"' for term in wanted)
            sql = "select rowid, -bm25(chunks, 2.0, 1.0) from chunks where chunks match ?"
            for number, score in self._index.execute(sql, (match,)):
                # A word that is in most chunks scores about nothing, and must not score less than no word at all.
                scores[number] = max(float(score), 1e-9)
        return scores

    def _by_vector(self, query: str) -> Any:
        """Cosine of each chunk with the query (0: unlike)."""
        import numpy as np

        if not len(self._vectors) or not query.strip():
            return np.zeros(len(self.chunks))
        return np.clip(self._vectors @ self._encoder.encode([query])[0], 0, None)

    def close(self) -> None:
        self._index.close()


def _of_best(scores: Any) -> Any:
    best = scores.max(initial=0.0)
    return scores / best if best > 0 else scores


def _rank(scores: Any, number: int) -> int:
    return int((scores > scores[number]).sum()) + 1 if scores[number] > 0 else 0


def contexts(hits: Sequence[Hit]) -> list[dict[str, str]]:
    """Hits in the form in which prompts and suites carry them."""
    return [
        {
            "chunk": hit.chunk["id"],
            "title": hit.chunk["title"],
            "text": hit.chunk["text"],
            "source": hit.chunk["source"],
        }
        for hit in hits
    ]

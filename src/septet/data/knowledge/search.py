"""Searching a knowledge base: full text (BM25 of FTS5), vectors (cosine), and both fused by reciprocal rank.

Fusion is by rank alone (Cormack, Clarke and Buettcher, SIGIR 2009): the sum of weight / (60 + rank) over the lists, so that
scores of unlike scales need no calibration. Ties are broken by the chunk's id.
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
RANK_CONSTANT = 60
# Words count twice as much as meaning: on the handbook's 501 questions the evidence is among the first three chunks for 0.91
# with 1 : 0.5 and for 0.90 with 1 : 1 (2026-11-24). Among equals a reader is better served in the language of the question.
WEIGHTS = (1.0, 0.5)
SAME_LANGUAGE = 1.1
_DEPTH = 50
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
        allowed = None if access is None else set(access)
        by_text = self._by_text(query) if mode != "vector" else []
        by_vector = self._by_vector(query) if mode != "text" else []
        ranks: dict[int, list[int]] = {}
        for place, listed in enumerate((by_text, by_vector)):
            visible = [n for n in listed if allowed is None or self.chunks[n]["access"] in allowed]
            for rank, number in enumerate(visible[:_DEPTH], 1):
                ranks.setdefault(number, [0, 0])[place] = rank
        chinese = language(query) in _CHINESE
        hits = []
        for n, pair in ranks.items():
            score = sum(weight / (RANK_CONSTANT + rank) for weight, rank in zip(WEIGHTS, pair, strict=True) if rank)
            if (self.chunks[n]["language"] in _CHINESE) == chinese:
                score *= SAME_LANGUAGE
            hits.append(Hit(self.chunks[n], score, pair[0], pair[1]))
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk["id"]))[:top]

    def _by_text(self, query: str) -> list[int]:
        wanted = list(dict.fromkeys(terms(query)))
        if not wanted:
            return []
        match = " OR ".join(f'"{term}"' for term in wanted)
        rows = self._index.execute(
            "select rowid from chunks where chunks match ? order by bm25(chunks, 2.0, 1.0), rowid", (match,)
        )
        return [int(row[0]) for row in rows]

    def _by_vector(self, query: str) -> list[int]:
        import numpy as np

        if not len(self._vectors) or not query.strip():
            return []
        scores = self._vectors @ self._encoder.encode([query])[0]
        order = np.lexsort((np.arange(len(scores)), -scores))
        return [int(number) for number in order]

    def close(self) -> None:
        self._index.close()


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

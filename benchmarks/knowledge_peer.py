"""LangChain's usual local store on chunks and vectors that Septet made: FAISS and BM25 in memory. Run by `knowledge.py`.

    PYTHON benchmarks/knowledge_peer.py CHUNKS.parquet QUERIES.json VECTORS.npy

PYTHON has langchain-community, rank_bm25, faiss-cpu and pyarrow. Full text goes by the words that Septet splits, so that both sides
look for the same. Prints one line of JSON: CPU seconds of building, bytes on disk, milliseconds of a hybrid query, memory.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import sys
import tempfile
import time
from pathlib import Path

import faiss
import numpy as np
import pyarrow.parquet as pq
from langchain_community.docstore.in_memory import InMemoryDocstore
from langchain_community.retrievers import BM25Retriever
from langchain_community.vectorstores import FAISS
from langchain_core.embeddings import Embeddings


class Given(Embeddings):
    """Vectors are handed in: nothing is encoded here."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise NotImplementedError

    def embed_query(self, text: str) -> list[float]:
        raise NotImplementedError


def main(chunks: str, asked: str, vectors: str) -> None:
    table = pq.read_table(chunks, columns=["id", "text", "source", "access", "terms", "vector"])
    held = np.stack(table["vector"].to_numpy(zero_copy_only=False)).astype(np.float32)
    rows = table.drop_columns(["vector"]).to_pylist()
    facts = [{name: row[name] for name in ("id", "source", "access")} for row in rows]
    queries, query_vectors = json.loads(Path(asked).read_text("utf-8")), np.load(vectors)
    begun = time.process_time()
    store = FAISS(Given(), faiss.IndexFlatIP(held.shape[1]), InMemoryDocstore({}), {})
    store.add_embeddings(zip((row["text"] for row in rows), held, strict=True), metadatas=facts)
    by_text = BM25Retriever.from_texts([row["terms"] for row in rows], metadatas=facts, preprocess_func=str.split, k=50)
    built = time.process_time() - begun
    spent, walls = [], []
    for query, vector in zip(queries, query_vectors, strict=True):
        cpu, wall = time.process_time(), time.perf_counter()
        by_text.invoke(query)
        store.similarity_search_with_score_by_vector(vector, k=50)
        spent.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
    with tempfile.TemporaryDirectory() as folder:
        store.save_local(folder)
        (Path(folder) / "bm25").write_bytes(pickle.dumps(by_text))
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        begun = time.process_time()
        store.save_local(folder)
        (Path(folder) / "bm25").write_bytes(
            pickle.dumps(
                BM25Retriever.from_texts([row["terms"] for row in rows], metadatas=facts, preprocess_func=str.split)
            )
        )
        again = time.process_time() - begun
    said = {
        "build": built,
        "bytes": size / len(rows),
        "update": again,
        "cpu_ms": float(np.mean(spent)) * 1e3,
        "p50_ms": float(np.percentile(walls, 50)) * 1e3,
        "p99_ms": float(np.percentile(walls, 99)) * 1e3,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main(*sys.argv[1:])

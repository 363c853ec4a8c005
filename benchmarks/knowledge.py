"""The index of a knowledge base beside LangChain with FAISS and BM25, on chunks of the corpus that `corpus.py` builds.

    SEPTET_BENCH_CORPUS=FOLDER  SEPTET_PEER_LANGCHAIN=PYTHON  python benchmarks/run.py knowledge
    SEPTET_BENCH_SCALES=10000,100000,1042602      how many chunks; the last takes half an hour and 6 GB of disk

Documents are put ten to a Markdown file and go through `data.read` and `data.knowledge` as anywhere. Up to 10,000 chunks: 700
units a chunk, vectors of the universal sentence encoder. Above: 270 units, the `hashing` encoder. Questions are pieces of chunks.
Both sides are asked with vectors that are there already; the peer gets Septet's chunks, words and vectors. An update is the time
from a file that was written to its new sentence as first hit.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from septet.core import recipe as recipes
from septet.core.runner import Runner
from septet.core.workspace import Workspace
from septet.inference.embedding import Encoder, load_encoder
from septet.kinds import Corpus, KnowledgeBase
from septet.knowledge import build
from septet.knowledge.living import Living
from septet.knowledge.revisions import index_of
from septet.knowledge.search import Searcher
from septet.knowledge.table import CURRENT, Table

PEER = os.environ.get("SEPTET_PEER_LANGCHAIN", "")
SCALES = [int(one) for one in os.environ.get("SEPTET_BENCH_SCALES", "10000").split(",")]
DOCUMENTS, ASKED, UPDATES = 226_151, 100, 5
_LARGE, _SMALL = 482_000, 1_042_602
"""Chunks that the whole corpus gives at 700 and at 270 units."""
RECIPE = """
name = "kb"
[docs]
step = "data.read"
paths = ["docs"]
licence = "several"
origin = "public"
access = "staff"
[knowledge]
step = "data.knowledge"
corpus = "@docs"
size = {size}
encoder = "{encoder}"
"""


class Given:
    """An encoder that knows some questions already, so that a query is timed without it."""

    def __init__(self, encoder: Encoder, texts: list[str]) -> None:
        self.name, self.width, self._encoder = encoder.name, encoder.width, encoder
        self.known = dict(zip(texts, encoder.encode(texts), strict=True))

    def encode(self, texts: Any) -> Any:
        return np.stack([self.known[text] if text in self.known else self._encoder.encode([text])[0] for text in texts])


def measure() -> list[str]:
    where = os.environ.get("SEPTET_BENCH_CORPUS")
    if not where:
        return [
            "Not measured: SEPTET_BENCH_CORPUS names no corpus; build one with `python benchmarks/corpus.py FOLDER`."
        ]
    lines: list[str] = []
    for scale in SCALES:
        with tempfile.TemporaryDirectory(prefix="septet-bench-") as scratch:
            home = Path.cwd()
            os.chdir(scratch)
            try:
                lines += Bench(Path(where), Path(scratch), scale).measure()
            finally:
                os.chdir(home)
    return lines


class Bench:
    def __init__(self, source: Path, scratch: Path, scale: int) -> None:
        self.scratch, self.scale = scratch, scale
        small = scale <= 10_000
        self.encoder = "universal-sentence-encoder" if small else "hashing"
        whole = _LARGE if small else _SMALL
        self._files(source, max(1, round(whole / scale)))
        recipe = RECIPE.format(size=700 if small else 270, encoder=self.encoder)
        (scratch / "recipe.toml").write_text(recipe, "utf-8")
        self.recipe = recipes.load(scratch / "recipe.toml")
        self.workspace = Workspace(scratch / ".septet")

    def _files(self, source: Path, step: int) -> None:
        rows = itertools.islice(Corpus(source / "corpus").rows(), 0, None, step)
        for number, some in enumerate(build.batched(rows, 10)):
            path = self.scratch / "docs" / f"{number // 1000:03d}" / f"{number:06d}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            text = "".join(f"# {(row['title'] or row['source'])[:80]}\n\n{row['text']}\n\n" for row in some)
            path.write_text(text, "utf-8")

    def measure(self) -> list[str]:
        made = _spent(lambda: Runner(self.workspace).run(self.recipe))
        self.base = self.workspace.resolve("kb/knowledge")
        self.knowledge = KnowledgeBase(self.workspace.store.folder(self.base))
        folder = index_of(self.workspace, self.base, follow=False)
        indexed = _spent(lambda: build.index(self.knowledge, folder))
        count = Table(folder).count()
        asked = self._questions()
        given = Given(load_encoder(self.encoder), asked)
        searcher = Searcher(self.knowledge, given, folder)
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("hybrid", {}),
            ("hybrid, one class", {"access": ["staff"]}),
            ("hybrid, a class without chunks", {"access": ["public"]}),
            ("hybrid, as of 2020", {"as_of": "2020-01-01"}),
            ("text", {"mode": "text"}),
            ("vectors", {"mode": "vector"}),
        ]
        lines = [
            f"### {count:,} chunks ({self.encoder})",
            "",
            f"Read, cut and encoded in {made:.0f} CPU s ({count / made:,.0f} chunks a CPU second), indexed in {indexed:.1f} "
            f"({count / indexed:,.0f}); {_bytes(folder) / count:,.0f} bytes a chunk and {_bytes(self.knowledge.path) / count:,.0f} "
            f"of the artifact. Recall@10 of the vectors {self._recall(searcher, given):.3f}.",
            "",
            "| query | p50 ms | p99 ms | CPU ms |",
            "|---|---|---|---|",
        ]
        for name, how in kinds:
            walls, cpu = _asked(lambda query, how=how: searcher.search(query, 5, **how), asked)  # type: ignore[misc]
            lines.append(f"| {name} | {np.percentile(walls, 50):.1f} | {np.percentile(walls, 99):.1f} | {cpu:.1f} |")
        searcher.close()
        lines += ["", *self._updates(), *self._erasure()]
        lines.append(f"Peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB.")
        return [*lines, "", *self._peer(asked, given), ""]

    def _questions(self) -> list[str]:
        """Pieces of chunks: 24 characters of Chinese, 60 of English."""
        draw = random.Random(5)
        rows = draw.sample(
            pq.read_table(self.knowledge.path / build.CHUNKS, columns=["text"])["text"].to_pylist(), ASKED
        )
        found = []
        for text in (row.replace("\n", " ") for row in rows):
            start = draw.randrange(max(1, len(text) - 60))
            found.append(text[start : start + (24 if any("\u4e00" <= char <= "\u9fff" for char in text) else 60)])
        return found

    def _recall(self, searcher: Searcher, given: Given) -> float:
        """Of the ten nearest, how many were found. As good as the tenth counts: texts repeat."""
        asked = np.stack(list(given.known.values()))
        near = np.zeros((len(asked), 0), np.float32)
        for batch in pq.ParquetFile(self.knowledge.path / build.CHUNKS).iter_batches(50_000, columns=["vector"]):
            held = np.asarray(batch["vector"].flatten()).reshape(len(batch), -1).astype(np.float32)
            near = np.sort(np.concatenate([near, asked @ held.T], 1), axis=1)[:, -10:]
        found = 0
        for vector, tenth in zip(asked, near[:, 0], strict=True):
            hits = searcher.table.by_vector(vector, f"state = '{CURRENT}'", 50, ("key",))[:10]
            found += sum(1 - hit["_distance"] >= tenth - 2e-3 for hit in hits)
        return found / (10 * len(asked))

    def _updates(self) -> list[str]:
        living = Living(self.workspace, self.recipe)
        first = _spent(living.update)
        searcher = Searcher(self.knowledge, folder=index_of(self.workspace, self.base, follow=True))
        files = sorted((self.scratch / "docs").rglob("*.md"))
        walls, cpus = [], []
        for number, path in enumerate(random.Random(6).sample(files, UPDATES)):
            mark = f"zq{number}x"
            path.write_text(f"{path.read_text('utf-8')}\n\n# Changed {mark}\n\nThe fee of {mark} is 15.\n", "utf-8")
            begun = time.perf_counter()

            def follow(mark: str = mark) -> None:
                living.update()
                assert mark in searcher.search(f"fee of {mark}", 1)[0].chunk["text"]

            cpus.append(_spent(follow))
            walls.append(time.perf_counter() - begun)
        searcher.close()
        return [
            f"One changed file of {len(files):,}, to its new sentence as first hit: {np.median(cpus):.2f} CPU s, "
            f"{np.median(walls):.2f} s by the clock, the median of {UPDATES} (the first update, which copies the index: "
            f"{first:.1f} CPU s).",
            "",
        ]

    def _erasure(self) -> list[str]:
        table = Table(index_of(self.workspace, self.base, follow=True))
        document = next(table.batches(("document",)))["document"][0]
        spent = _spent(lambda: table.rewrite(lambda some: some.filter(pc.not_equal(some["document"], document))))
        return [f"One document erased, the index written anew: {spent:.0f} CPU s.", ""]

    def _peer(self, asked: list[str], given: Given) -> list[str]:
        if not PEER:
            return ["Not measured: LangChain (SEPTET_PEER_LANGCHAIN names no interpreter)."]
        rows = self.scratch / "rows.parquet"
        schema = pa.schema(
            [(n, pa.string()) for n in ("id", "text", "source", "access", "terms")]
            + [("vector", pa.list_(pa.float16()))]
        )
        table = Table(index_of(self.workspace, self.base, follow=False))
        with pq.ParquetWriter(rows, schema) as writer:
            for batch in table.batches(schema.names):
                writer.write_batch(batch.select(schema.names).cast(schema))
        (self.scratch / "asked.json").write_text(json.dumps([" ".join(build.terms(one)) for one in asked]), "utf-8")
        np.save(self.scratch / "asked.npy", np.stack([given.known[one] for one in asked]))
        command = [PEER, str(Path(__file__).with_name("knowledge_peer.py")), str(rows), "asked.json", "asked.npy"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.scratch)
        if done.returncode:
            return [f"LangChain came to nothing here: {(done.stderr.strip().splitlines() or ['killed'])[-1]}"]
        said = json.loads(done.stdout.strip().splitlines()[-1])
        return [
            f"LangChain, FAISS and BM25Retriever, chunks, words and vectors given: built in {said['build']:.1f} CPU s, "
            f"{said['bytes']:,.0f} bytes a chunk on disk, p50 {said['p50_ms']:.1f} ms, p99 {said['p99_ms']:.1f} ms, CPU "
            f"{said['cpu_ms']:.1f} ms, no filter, no fusion; to put one change on disk {said['update']:.1f} CPU s (BM25 is built "
            f"anew); peak memory {said['memory_mb']:,.0f} MB."
        ]


def _asked(ask: Callable[[str], Any], queries: list[str]) -> tuple[list[float], float]:
    """Milliseconds by the clock of each query, and the mean of CPU milliseconds, after a warm-up."""
    for query in queries[:20]:
        ask(query)
    walls = []
    begun = time.process_time()
    for query in queries:
        start = time.perf_counter()
        ask(query)
        walls.append((time.perf_counter() - start) * 1e3)
    return walls, (time.process_time() - begun) / len(queries) * 1e3


def _spent(work: Callable[[], Any]) -> float:
    """CPU seconds of this process and its children."""
    before = os.times()
    work()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in _all_files(folder))


def _all_files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())

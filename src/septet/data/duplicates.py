"""Leaving out documents that are there already: in the corpus itself, or in corpora that are known.

Exact copies go by hash; what shares a band key is compared by the exact Jaccard similarity of its shingles before anything is
left out. A document is compared with kept ones only: a chain of small changes does not remove what differs from all that is
kept, and each one left out names the kept document that it is like. Known corpora take part by their sketches; of their text
only the rows that share a key are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from septet.core import Run
from septet.data import sketches, stream
from septet.kernels.neighbours import Compared, buckets, firsts, linked, walk
from septet.kernels.sketch import BANDS
from septet.kinds import Corpus

EXACT, NEAR = "exact duplicate", "near duplicate"
KEEP = ("longest", "first", "newest", "trusted")


class Side(NamedTuple):
    """A corpus with the sketch of each of its parts."""

    corpus: Corpus
    sketches: list[Path]


class Found(NamedTuple):
    """For each document, over all sides end to end: the one that it is like (-1: none), how much, and whether to the letter."""

    partner: Any
    similarity: Any
    exact: Any
    starts: list[int]
    """Where each part begins."""


def apply(new: Side, known: Sequence[Side], similarity: float, keep: str, chains: bool, run: Run) -> Corpus:
    """Write the corpus without what it holds twice or a known corpus holds; each document left out names its partner."""
    sides = [*known, new]
    all_parts = [part for side in sides for part in side.corpus.parts]
    num_known = sum(side.corpus.count() for side in known)
    found = find(sides, num_known, _preference(new, keep), similarity, run, chains)
    names = _names(all_parts, found)
    folder = run.scratch / "decisions"
    folder.mkdir(exist_ok=True)
    settings = []
    offset = len(all_parts) - len(new.corpus.parts)
    for number in range(len(new.corpus.parts)):
        start, end = found.starts[offset + number], found.starts[offset + number + 1]
        rows = np.flatnonzero(found.partner[start:end] >= 0)
        partner = found.partner[start:end][rows]
        table = pa.table(
            {
                "row": pa.array(rows, pa.int64()),
                "rule": [EXACT if one else NEAR for one in found.exact[start:end][rows]],
                "value": pa.array(found.similarity[start:end][rows], pa.float64()),
                "detail": [f"of {names[int(one)]}" for one in partner],
            }
        )
        path = folder / f"part-{number:05d}.parquet"
        pq.write_table(table, path)
        settings.append({"decisions": str(path)})
    stream.over(new.corpus.parts, run, leave_out, settings)
    return Corpus(run.out)


def leave_out(settings: Mapping[str, Any]) -> stream.Work:
    """Leaves out the rows that a table of decisions names."""
    decided = pq.read_table(settings["decisions"])
    rows = decided["row"].to_numpy()

    def work(table: pa.Table) -> stream.Sorted:
        places = table["row"].to_numpy()
        low, high = np.searchsorted(rows, (places[0], places[-1] + 1)) if places.size else (0, 0)
        gone = decided.slice(low, high - low)
        keep = ~np.isin(places, rows[low:high])
        kept, left = stream.split(
            table, keep, gone["rule"].to_pylist(), gone["value"].to_pylist(), gone["detail"].to_pylist()
        )
        return stream.Sorted(stream.with_transform(kept, "data.deduplicate"), left)

    return work


def find(
    sides: Sequence[Side], num_known: int, preference: Any, similarity: float, run: Run, chains: bool = False
) -> Found:
    """Which documents are like one kept before them. The first `num_known` are kept as they are; `preference` orders the rest.

    With `chains`, of all that is linked by likeness, at whatever remove, only the first is kept.
    """
    files = [part for side in sides for part in side.sketches]
    counts = sketches.column(files, "count").astype(np.int32)
    total = counts.size
    small = np.int32 if total < 2**31 else np.int64
    order = np.concatenate([np.arange(num_known), num_known + np.asarray(preference, np.int64)]).astype(small)
    first = firsts((sketches.column(files, "exact0"), sketches.column(files, "exact1")), order)
    partner = np.where(first != np.arange(total), first, -1).astype(np.int64)
    partner[:num_known] = -1
    exact = partner >= 0
    measured = exact.astype(np.float64)
    starts = starts_of([part for side in sides for part in side.corpus.parts])
    compared = np.flatnonzero((first == np.arange(total)) & (counts > 0))
    candidates, bucket, num_buckets = candidates_of(files, compared, run)
    if candidates.size:
        sets, ends = sets_of(sides, starts, candidates, run)
        place = np.full(total, -1, small)
        place[candidates] = np.arange(candidates.size)
        ordered = place[order]
        ordered = ordered[ordered >= 0]
        known = int((candidates < num_known).sum())
        marks = sketches.column(files, "order")[candidates]
        texts = Compared(bucket, num_buckets, counts[candidates], marks, sets, ends)
        near, value = (linked if chains else walk)(texts, ordered, known, similarity)
        hit = near >= 0
        partner[candidates[hit]] = candidates[near[hit]]
        measured[candidates[hit]] = value[hit]
    # A copy of what is itself left out is like the one that is kept.
    through = exact & (partner[np.maximum(partner, 0)] >= 0)
    measured[through] = measured[partner[through]]
    partner[through] = partner[partner[through]]
    return Found(partner, measured, exact, starts)


def candidates_of(files: Sequence[Path], compared: Any, run: Run) -> tuple[Any, Any, int]:
    """The documents that share a band key with another, and their buckets (BANDS, candidates) int32."""

    def one(band: int) -> tuple[Any, int]:
        return buckets(sketches.column(files, f"key{band:02d}")[compared])

    bucket = np.empty((BANDS, compared.size), np.int32)
    num_buckets = 0
    with ThreadPoolExecutor(max(1, min(run.workers, BANDS))) as threads:
        for band, (numbers, count) in enumerate(threads.map(one, range(BANDS))):
            bucket[band] = np.where(numbers >= 0, numbers + num_buckets, -1)
            num_buckets += count
            run.progress(band + 1, BANDS, "bands sorted")
    shared = (bucket >= 0).any(axis=0)
    return compared[shared], np.ascontiguousarray(bucket[:, shared]), num_buckets


def sets_of(sides: Sequence[Side], starts: Sequence[int], candidates: Any, run: Run) -> tuple[Any, Any]:
    """The shingle sets of the candidates in one mapped file, and where each begins."""
    folder = run.scratch / "shingles"
    folder.mkdir(exist_ok=True)
    pieces = []
    for number, part in enumerate(part for side in sides for part in side.corpus.parts):
        low, high = np.searchsorted(candidates, (starts[number], starts[number + 1]))
        rows = folder / f"{number:05d}.rows.npy"
        np.save(rows, candidates[low:high] - starts[number])
        pieces.append({"part": str(part), "rows": str(rows), "out": str(folder / f"{number:05d}")})
    sizes = []
    for size in run.map(sketches.sets_of_part, pieces):
        sizes.append(size)
        run.progress(len(sizes), len(pieces), "parts compared")
    whole = np.lib.format.open_memmap(folder / "all.npy", mode="w+", dtype=np.uint64, shape=(max(1, sum(sizes)),))
    lengths = []
    at = 0
    for piece, size in zip(pieces, sizes, strict=True):
        out = Path(piece["out"])
        whole[at : at + size] = np.load(out.with_suffix(".sets.npy"), mmap_mode="r")
        lengths.append(np.load(out.with_suffix(".lengths.npy")))
        out.with_suffix(".sets.npy").unlink()
        at += size
    ends = np.zeros(candidates.size + 1, np.int64)
    np.cumsum(np.concatenate(lengths), out=ends[1:])
    return whole, ends


def starts_of(parts: Sequence[Path]) -> list[int]:
    starts = [0]
    for part in parts:
        starts.append(starts[-1] + pq.ParquetFile(part).metadata.num_rows)
    return starts


def _preference(side: Side, keep: str) -> Any:
    """The order in which documents are preferred: places of the first, the second, ..."""
    by_length = -sketches.column(side.sketches, "characters").astype(np.int64)
    rules: Mapping[str, Callable[[], tuple[Any, ...]]] = {
        "longest": lambda: (by_length,),
        "first": lambda: (np.zeros(by_length.size),),
        "newest": lambda: (by_length, -_ranks(side.corpus, "retrieved")),
        "trusted": lambda: (by_length, -_ranks(side.corpus, "trust")),
    }
    return np.lexsort((np.arange(by_length.size), *rules[keep]()))


def _ranks(corpus: Corpus, name: str) -> Any:
    values = pa.concat_tables([pq.read_table(part, columns=[name]) for part in corpus.parts])[name]
    return pc.rank(values, tiebreaker="dense", sort_keys="ascending").to_numpy().astype(np.int64)


def _names(parts: Sequence[Path], found: Found) -> dict[int, str]:
    """For each document that another is like: its source, and where in it."""
    wanted = np.unique(found.partner[found.partner >= 0])
    names: dict[int, str] = {}
    for number, part in enumerate(parts):
        low, high = np.searchsorted(wanted, (found.starts[number], found.starts[number + 1]))
        if low == high:
            continue
        table = pq.read_table(part, columns=["source", "where"]).take(pa.array(wanted[low:high] - found.starts[number]))
        for index, row in zip(wanted[low:high], table.to_pylist(), strict=True):
            names[int(index)] = f"{row['source']}, {row['where']}" if row["where"] else row["source"]
    return names

"""Vectors of the documents of a corpus: made by an encoder part by part, or taken from an artifact that holds them.

What is handed on is of length one, so that a product is a cosine, and lies in a mapped file, so that a corpus larger than memory
can be compared. Parts that are encoded survive a kill.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from septet.core import ConfigError, Run
from septet.inference.embedding import Encoder, load_encoder
from septet.kinds import Corpus, Vectors

_BATCH_ROWS = 256
_BLOCK = 8192


def encoded(corpus: Corpus, encoder: str, run: Run, name: str = "encoded") -> Any:
    """The encoder's vectors of all documents, end to end: float32 (documents, width), mapped from the scratch folder."""
    width = load_encoder(encoder).width
    folder = run.scratch / name
    folder.mkdir(exist_ok=True)
    pieces = [
        {"part": str(part), "out": str(folder / f"part-{number:05d}.npy"), "encoder": encoder}
        for number, part in enumerate(corpus.parts)
    ]
    total, counts = corpus.count(), []
    for rows in run.map(encode_part, pieces):
        counts.append(rows)
        run.progress(sum(counts), total, "documents encoded")
    return joined([Path(piece["out"]) for piece in pieces], counts, folder / "all.npy", width)


def encode_part(piece: dict[str, Any]) -> int:
    """Encode one part; what is done already is not done again. Returns the number of its rows."""
    out = Path(piece["out"])
    file = pq.ParquetFile(piece["part"])
    rows = int(file.metadata.num_rows)
    if out.exists():
        return rows
    encoder = _encoder(piece["encoder"])
    partial = out.with_suffix(".partial")
    # An empty file cannot be mapped, so a part without rows has one that nobody reads.
    whole = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float32, shape=(max(1, rows), encoder.width))
    at = 0
    for batch in file.iter_batches(_BATCH_ROWS, columns=["text"]):
        whole[at : at + batch.num_rows] = encoder.encode([text or "" for text in batch["text"].to_pylist()])
        at += batch.num_rows
    whole.flush()
    partial.rename(out)
    return rows


@cache
def _encoder(name: str) -> Encoder:
    return load_encoder(name)


def joined(parts: Sequence[Path], counts: Sequence[int], out: Path, width: int) -> Any:
    """So many rows of each array, laid end to end in one mapped file."""
    whole = np.lib.format.open_memmap(out, mode="w+", dtype=np.float32, shape=(max(1, sum(counts)), width))
    at = 0
    for part, count in zip(parts, counts, strict=True):
        whole[at : at + count] = np.load(part, mmap_mode="r")[:count]
        at += count
    return whole[:at]


def of(corpus: Corpus, given: Vectors | None, encoder: str, run: Run, name: str = "vectors") -> Any:
    """Unit vectors of all documents: those of the artifact, or the encoder's. float32 (documents, width), mapped.

    A document without any (an empty text) has a vector of zeros, which is like none. Raises ConfigError when the artifact is of
    another corpus.
    """
    raw = (
        np.load(checked(corpus, given).path / "vectors.npy", mmap_mode="r") if given else encoded(corpus, encoder, run)
    )
    out = run.scratch / f"{name}.npy"
    if not len(raw):
        return np.zeros((0, raw.shape[1]), np.float32)
    whole = np.lib.format.open_memmap(out, mode="w+", dtype=np.float32, shape=raw.shape)
    for start in range(0, len(raw), _BLOCK):
        block = np.asarray(raw[start : start + _BLOCK], np.float32)
        length = np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64))
        whole[start : start + _BLOCK] = block / np.where(length > 0, length, 1)[:, None]
    return whole


def checked(corpus: Corpus, given: Vectors) -> Vectors:
    """The vectors, where they are of this corpus, row for row. Raises ConfigError else."""
    theirs = pq.read_table(given.path / "ids.parquet", columns=["id"])["id"].combine_chunks()
    mine = pa.concat_tables([pq.read_table(part, columns=["id"]) for part in corpus.parts])["id"].combine_chunks()
    if not mine.equals(theirs):
        raise ConfigError("the vectors are not of this corpus", "Tie the vectors that data.features made of it")
    return given

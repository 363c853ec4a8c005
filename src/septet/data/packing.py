"""Packing documents into rows of tokens, in three passes that hold no more than a part or a shard in memory.

Parts are encoded side by side into files of tokens; pieces are placed by best fit over their lengths alone; shards are written
side by side from the mapped files. What is done survives a kill, and the shards are the same bytes whatever the number of
workers, the memory or the encoder. Each document ends with the end token, and begins with the begin token where the tokenizer
has one; only a document longer than a row is cut, and no token is dropped. What is left of a row is padding.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from septet.core import Run, StepFailed
from septet.data import encoders
from septet.data.encoding import Marks, encode_part, sample_of
from septet.data.shards import PLACED, write_shard
from septet.files import write_json
from septet.kernels.packing import best_fit, cut
from septet.kinds import Corpus, Tokenizer, Tokens

_MIB = 1 << 20
_GROUP_PIECES = 1 << 20
"""Pieces that are fitted together, about 100 MiB of work; more are fitted group by group, at no measurable padding."""


def pack(corpus: Corpus, tokenizer: Tokenizer, marks: Marks, sequence: int, shard_mb: int, run: Run) -> Tokens:
    """Write the shards, `documents.parquet` and `meta.json`. Raises StepFailed for a corpus without documents."""
    kind = "uint16" if marks.vocabulary <= 1 << 16 else "uint32"
    encoded = _encoded(corpus, tokenizer, marks, kind, run)
    documents = sum(part["documents"] for part in encoded.parts)
    if not documents:
        raise StepFailed(
            "the corpus holds no document to pack", "Look at what was left out: septet show the step before"
        )
    rows, pieces, bounds = _plan(encoded.folder, encoded.parts, sequence, shard_mb, kind, run)
    shards = []
    done = 0
    for number, made in enumerate(
        run.map(write_shard, _shards(encoded.folder, bounds, sequence, marks.pad, kind, run))
    ):
        shards.append({"file": f"tokens-{number:05d}.bin", "rows": made["rows"], "sha256": made["sha256"]})
        done += made["rows"]
        run.progress(done, rows, "rows written")
    _placed(run, len(shards))
    tokens = sum(part["tokens"] for part in encoded.parts)
    write_json(
        run.out / "meta.json",
        {
            "sequence": sequence,
            "rows": rows,
            "dtype": kind,
            "vocabulary": marks.vocabulary,
            "documents": documents,
            "pieces": pieces,
            "tokens": tokens,
            "bytes": sum(part["bytes"] for part in encoded.parts),
            "padding": rows * sequence - tokens,
            "pad": marks.pad,
            "begin": marks.begin if marks.begin >= 0 else None,
            "end": marks.end,
            "shards": shards,
        },
    )
    return Tokens(run.out)


class _Encoded(NamedTuple):
    folder: Path
    parts: list[dict[str, Any]]


def _encoded(corpus: Corpus, tokenizer: Tokenizer, marks: Marks, kind: str, run: Run) -> _Encoded:
    """The parts as files of tokens. An encoder that gives other ids than the reference anywhere is not used anywhere."""
    content = encoders.plain(tokenizer.path / "tokenizer.json")
    kept = run.scratch / "encoder"
    if not kept.exists():  # a second run goes on with what the first one chose
        partial = run.scratch / "encoder.partial"
        sample = sample_of(corpus, encoders.SAMPLE_BYTES)
        partial.write_text(encoders.choose(content, sample, run, encoders.FAST), "utf-8")
        partial.rename(kept)
    name = kept.read_text("utf-8")
    for chosen in dict.fromkeys((name, encoders.REFERENCE)):
        folder = run.scratch / f"encoded-{chosen}"
        pieces = [
            {
                "part": str(part),
                "out": str(folder / f"part-{number:05d}"),
                "tokenizer": str(tokenizer.path / "tokenizer.json"),
                "encoder": chosen,
                "threads": run.workers == 1,
                "marks": list(marks),
                "dtype": kind,
            }
            for number, part in enumerate(corpus.parts)
        ]
        total, done = corpus.count(), 0
        parts = []
        for result in run.map(encode_part, pieces):
            parts.append(result)
            done += result["documents"]
            run.progress(done, total, "documents encoded")
        if all(part["equal"] for part in parts):
            break
        run.note(f"{chosen} gave other ids than {encoders.REFERENCE} on a document; all is encoded by the latter")
    return _Encoded(folder, parts)


def _plan(
    folder: Path, parts: Sequence[Mapping[str, Any]], sequence: int, shard_mb: int, kind: str, run: Run
) -> tuple[int, int, list[tuple[int, int, int, int]]]:
    """Place every piece; the places go to `plan.bin`, rows in order. Returns the rows, the pieces and, for each shard, its
    first and last row and its first and last piece."""
    lengths, numbers, rows, pieces = [], [], 0, 0
    a_shard = max(1, shard_mb * _MIB // (sequence * np.dtype(kind).itemsize))
    cuts: list[int] = []
    pending = 0
    with (folder / "plan.bin").open("wb") as file:
        for number in range(len(parts)):
            mine = np.load(folder / f"part-{number:05d}" / "lengths.npy")
            lengths.append(mine)
            numbers.append(number)
            pending += int((-(-mine // sequence)).sum())
            if pending < _GROUP_PIECES and number + 1 < len(parts):
                continue
            placed, group_rows = _group(lengths, numbers, sequence)
            placed["row"] += rows
            placed.tofile(file)
            starts = np.arange(len(cuts) * a_shard, rows + group_rows, a_shard)
            cuts += (pieces + np.searchsorted(np.ascontiguousarray(placed["row"]), starts)).tolist()
            rows += group_rows
            pieces += placed.size
            lengths, numbers, pending = [], [], 0
            run.progress(number + 1, len(parts), "parts placed")
    first = [number * a_shard for number in range(len(cuts))]
    return rows, pieces, list(zip(first, [*first[1:], rows], cuts, [*cuts[1:], pieces], strict=True))


def _group(lengths: Sequence[Any], numbers: Sequence[int], sequence: int) -> tuple[Any, int]:
    every = np.concatenate(lengths)
    document, offset, size = cut(every, sequence)
    row, start, rows = best_fit(size, sequence)
    order = np.argsort(row, kind="stable")
    part = np.repeat(np.asarray(numbers, np.int32), [one.size for one in lengths])
    inside = np.concatenate([np.arange(one.size, dtype=np.int64) for one in lengths])
    begins = np.concatenate([np.cumsum(one) - one for one in lengths])
    placed = np.empty(row.size, PLACED)
    document, offset = document[order], offset[order]
    placed["row"], placed["start"], placed["size"] = row[order], start[order], size[order]
    placed["part"], placed["document"] = part[document], inside[document]
    placed["offset"], placed["source"] = offset, begins[document] + offset
    return placed, int(rows)


def _shards(
    folder: Path, bounds: Sequence[tuple[int, int, int, int]], sequence: int, pad: int, kind: str, run: Run
) -> list[dict[str, Any]]:
    out = run.scratch / "shards"
    out.mkdir(exist_ok=True)
    return [
        {
            "folder": str(folder),
            "out": str(out / f"{number:05d}"),
            "bounds": list(bound),
            "sequence": sequence,
            "pad": pad,
            "dtype": kind,
        }
        for number, bound in enumerate(bounds)
    ]


def _placed(run: Run, count: int) -> None:
    """Put the shards into the result and the tables of their documents into one."""
    writer: Any = None
    for number in range(count):
        made = run.scratch / "shards" / f"{number:05d}"
        _link(made / "tokens.bin", run.out / f"tokens-{number:05d}.bin")
        table = pq.read_table(made / "documents.parquet")
        if writer is None:
            writer = pq.ParquetWriter(run.out / "documents.parquet", table.schema, compression="zstd")
        writer.write_table(table)
    writer.close()


def _link(source: Path, target: Path) -> None:
    """A link rather than a move: the scratch folder must stay whole until the result is sealed."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)

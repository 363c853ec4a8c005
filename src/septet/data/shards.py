"""Writing one shard of packed tokens from the mapped files of encoded parts, with the document of each stretch of a row.

A shard is rows end to end, little-endian unsigned integers, without a header: it is mapped as it stands.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from septet.kernels.packing import copy

PLACED = np.dtype(
    [
        ("row", "<i8"),
        ("start", "<i4"),
        ("size", "<i4"),
        ("part", "<i4"),
        ("document", "<i4"),
        ("offset", "<i8"),
        ("source", "<i8"),
    ]
)
"""A piece: tokens `start`... of row `row` are `size` tokens from place `source` of a part's file, which are the tokens from
`offset` on of the part's document `document`."""


def write_shard(piece: Mapping[str, Any]) -> dict[str, Any]:
    """Write rows `bounds[0]` to `bounds[1]`, which hold the pieces `bounds[2]` to `bounds[3]` of the plan, and their table of
    documents. Returns the rows and the SHA-256 of the tokens. What is done already is not done again."""
    out = Path(piece["out"])
    done = out / "done.json"
    if done.exists():
        return dict(json.loads(done.read_bytes()))
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    folder = Path(piece["folder"])
    first, last, low, high = piece["bounds"]
    kind = np.dtype(piece["dtype"]).newbyteorder("<")
    placed = np.fromfile(folder / "plan.bin", PLACED, high - low, offset=low * PLACED.itemsize)
    block = np.memmap(out / "tokens.bin", kind, "w+", shape=((last - first) * piece["sequence"],))
    block[:] = piece["pad"]
    targets = (placed["row"] - first) * piece["sequence"] + placed["start"]
    names = []
    order = np.argsort(placed["part"], kind="stable")
    for part in np.unique(placed["part"]).tolist():
        mine = order[
            np.searchsorted(placed["part"][order], part) : np.searchsorted(placed["part"][order], part, "right")
        ]
        here = folder / f"part-{part:05d}"
        source = np.memmap(here / "tokens.bin", kind, "r")
        copy(source, placed["source"][mine], block, targets[mine], placed["size"][mine].astype(np.int64))
        with pa.memory_map(str(here / "names.arrow")) as mapped:
            table = pa.ipc.open_file(mapped).read_all()
            names.append(table["document"].take(pa.array(placed["document"][mine])).combine_chunks())
    block.flush()
    del block
    back = np.empty(order.size, np.int64)
    back[order] = np.arange(order.size)
    named = pa.chunked_array(names, pa.string()).take(pa.array(back)) if names else pa.chunked_array([], pa.string())
    table = pa.table(
        {
            "row": pa.array(placed["row"], pa.int64()),
            "start": pa.array(placed["start"], pa.int32()),
            "end": pa.array(placed["start"] + placed["size"], pa.int32()),
            "document": named,
            "offset": pa.array(placed["offset"], pa.int64()),
        }
    )
    pq.write_table(table, out / "documents.parquet", compression="zstd")
    result = {"rows": last - first, "sha256": digest(out / "tokens.bin")}
    partial = out / "done.partial"
    partial.write_text(json.dumps(result), "utf-8")
    partial.rename(done)
    return result


def digest(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

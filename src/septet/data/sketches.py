"""Sketches of a corpus, part by part: the only pass over all the text that finding near-duplicates takes.

Beside the band keys a row holds two hashes of what a reader sees, one of the shingles in order, the number of shingles and of
characters. 164 bytes a document, stored as they are: hashes do not compress.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from septet.core import ConfigError, Run
from septet.files import write_json
from septet.kernels.arrow import texts_of
from septet.kernels.sketch import BANDS, BINS, SHINGLE, shingle_sets, sketch
from septet.kinds import Corpus, Sketches

FORM = {"bins": BINS, "bands": BANDS, "shingle": SHINGLE, "tokens": "mixed", "version": 1}
_BATCH_ROWS = 4096


def write(corpus: Corpus, run: Run) -> Sketches:
    """Sketch a corpus into `run.out`."""
    for number, part in enumerate(parts(corpus, run)):
        shutil.copyfile(part, run.out / f"part-{number:05d}.parquet")
    write_json(run.out / "sketches.json", FORM)
    return Sketches(run.out)


def parts(corpus: Corpus, run: Run, made: Sketches | None = None, name: str = "sketches") -> list[Path]:
    """The sketch of each part of a corpus: those made before, or new ones in the scratch folder.

    Raises ConfigError when the sketches are of another corpus or in another form.
    """
    if made is not None:
        from septet.files import read_json

        if read_json(made.path / "sketches.json") != FORM:
            raise ConfigError("the sketches are of another form", "Make them again with data.sketch")
        counts = [pq.ParquetFile(part).metadata.num_rows for part in made.parts]
        if counts != [pq.ParquetFile(part).metadata.num_rows for part in corpus.parts]:
            raise ConfigError("the sketches are not of this corpus", "Tie the sketches that were made of it")
        return made.parts
    folder = run.scratch / name
    folder.mkdir(exist_ok=True)
    pieces = [
        {"part": str(part), "out": str(folder / f"part-{number:05d}.parquet")}
        for number, part in enumerate(corpus.parts)
    ]
    total = corpus.count()
    done = 0
    for rows in run.map(sketch_part, pieces):
        done += rows
        run.progress(done, total, "documents sketched")
    return [Path(piece["out"]) for piece in pieces]


def sketch_part(piece: dict[str, str]) -> int:
    """Sketch one part; what is done already is not done again. Returns the number of its rows."""
    out = Path(piece["out"])
    file = pq.ParquetFile(piece["part"])
    if out.exists():
        return int(file.metadata.num_rows)
    partial = out.with_suffix(".partial")
    writer: Any = None
    for batch in file.iter_batches(_BATCH_ROWS, columns=["text"]):
        made = sketch(texts_of(batch.column(0)))
        columns = {
            "exact0": made.exact[0],
            "exact1": made.exact[1],
            "order": made.order,
            "count": made.counts,
            "characters": pc.fill_null(pc.utf8_length(batch.column(0)), 0).cast(pa.int32()),
            **{f"key{band:02d}": made.keys[band] for band in range(BANDS)},
        }
        table = pa.table({name: pa.array(values) for name, values in columns.items()})
        if writer is None:
            writer = _writer(partial, table.schema)
        writer.write_table(table)
    if writer is None:
        names = ["exact0", "exact1", "order", *(f"key{band:02d}" for band in range(BANDS))]
        kinds = {**dict.fromkeys(names, pa.uint64()), "count": pa.int32(), "characters": pa.int32()}
        writer = _writer(partial, pa.schema(list(kinds.items())))
    writer.close()
    partial.rename(out)
    return int(file.metadata.num_rows)


def _writer(path: Path, schema: Any) -> Any:
    return pq.ParquetWriter(path, schema, compression="none", use_dictionary=False, write_statistics=False)


def column(paths: Sequence[Path], name: str) -> Any:
    """One column of several sketch parts, end to end."""
    read = [pq.read_table(path, columns=[name], memory_map=True)[name].to_numpy() for path in paths]
    return np.concatenate(read) if read else np.zeros(0, np.uint64)


def sets_of_part(piece: dict[str, str]) -> int:
    """The shingle sets of some rows of one part (`rows`, a file of their places), written to `out`. Returns their size.

    Only the row groups that hold such a row are read.
    """
    out = Path(piece["out"])
    wanted = np.load(piece["rows"])
    file = pq.ParquetFile(piece["part"])
    sets: list[Any] = []
    lengths: list[Any] = []
    start = 0
    for group in range(file.metadata.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        here = wanted[(wanted >= start) & (wanted < start + size)] - start
        start += size
        if here.size:
            text = file.read_row_group(group, columns=["text"])["text"].take(pa.array(here))
            values, ends = shingle_sets(texts_of(text))
            sets.append(values)
            lengths.append(np.diff(ends))
    values = np.concatenate(sets) if sets else np.zeros(0, np.uint64)
    np.save(out.with_suffix(".sets.npy"), values)
    np.save(out.with_suffix(".lengths.npy"), np.concatenate(lengths) if lengths else np.zeros(0, np.int64))
    return int(values.size)

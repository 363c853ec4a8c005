"""Measuring a corpus part by part: every quality signal and the values of scorers, so that limits may change without the text.

A part of the corpus becomes a part of the signals, row for row; what is done survives a kill. A column is a measure; the values
of the parts of mixed documents stand beside as `<measure>@zh` and `<measure>@en`, null for the others.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from septet.core import ConfigError, Run, nearest
from septet.detect import scorers
from septet.detect.language import language_all
from septet.detect.measures import AMOUNTS, MEASURES, REPETITION, SEGMENTED
from septet.detect.quality import PARTS, measure_all
from septet.files import read_json, write_json
from septet.kinds import Corpus, Signals

_BATCH_ROWS = 2048
# A row group is as many rows, whatever the batches were.
_GROUP_ROWS = 16_384


def columns_of(groups: Sequence[str], folders: Sequence[str]) -> list[str]:
    """The measures of a table of signals, without the parts of mixed documents."""
    names = [name for name in MEASURES if name not in SEGMENTED and name != REPETITION]
    names += list(SEGMENTED) if "segmented" in groups else []
    names += [REPETITION] if "characters" in groups else []
    return names + scorers.names_of(folders)


def write(corpus: Corpus, groups: Sequence[str], folders: Sequence[str], run: Run) -> Signals:
    """Measure a corpus into `run.out`."""
    for number, part in enumerate(parts(corpus, groups, folders, run)):
        shutil.copyfile(part, run.out / f"part-{number:05d}.parquet")
    about = {"measures": columns_of(groups, folders), "groups": list(groups), "rows": corpus.count()}
    write_json(run.out / "signals.json", about)
    return Signals(run.out)


def parts(corpus: Corpus, groups: Sequence[str], folders: Sequence[str], run: Run) -> list[Path]:
    """The signals of each part, in the scratch folder."""
    folder = run.scratch / "signals"
    folder.mkdir(exist_ok=True)
    names = columns_of(groups, folders)
    pieces = [
        {
            "part": str(part),
            "out": str(folder / f"part-{number:05d}.parquet"),
            "columns": names,
            "groups": list(groups),
            "scorers": list(folders),
        }
        for number, part in enumerate(corpus.parts)
    ]
    total, done = corpus.count(), 0
    for rows in run.map(measure_part, pieces):
        done += rows
        run.progress(done, total, "documents measured")
    return [Path(piece["out"]) for piece in pieces]


def measure_part(piece: dict[str, Any]) -> int:
    """Measure one part; what is done already is not done again. Returns the number of its rows."""
    out, names = Path(piece["out"]), piece["columns"]
    file = pq.ParquetFile(piece["part"])
    if out.exists():
        return int(file.metadata.num_rows)
    beside = [f"{name}@{part}" for name in names if name in MEASURES and name not in AMOUNTS for part in PARTS]
    every = [*names, *beside, *(f"share@{part}" for part in PARTS)]
    schema = pa.schema([("id", pa.string()), ("language", pa.string()), *((name, pa.float64()) for name in every)])
    partial = out.with_suffix(".partial")
    pending: list[pa.Table] = []
    with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        for batch in file.iter_batches(_BATCH_ROWS, columns=["id", "text", "language"]):
            languages = tongues(batch.column("language"), batch.column("text"))
            values = measured(batch.column("text"), languages, piece["groups"], piece["scorers"])
            columns = [batch.column("id"), pa.array(languages, pa.string())]
            for name in every:
                one = values.get(name)
                columns.append(
                    pa.nulls(batch.num_rows, pa.float64())
                    if one is None
                    else pa.array(one, pa.float64(), from_pandas=True)
                )
            pending.append(pa.table(columns, schema=schema))
            if sum(table.num_rows for table in pending) >= _GROUP_ROWS:
                writer.write_table(pa.concat_tables(pending))
                pending = []
        if pending:
            writer.write_table(pa.concat_tables(pending))
    partial.rename(out)
    return int(file.metadata.num_rows)


def measured(column: Any, languages: Sequence[str], groups: Sequence[str], folders: Sequence[str]) -> dict[str, Any]:
    """The signals and scores of a column of texts."""
    return {**measure_all(column, languages, groups), **scorers.score_all(column, folders)}


def tongues(languages: Any, texts: Any) -> list[str]:
    """The languages that rows name; those of rows that name none are told from the text."""
    named = [one or "" for one in languages.to_pylist()]
    blank = [row for row, one in enumerate(named) if not one]
    if blank:
        for row, one in zip(blank, language_all(texts.take(pa.array(blank))), strict=True):
            named[row] = one
    return named


def read_names(signals: Signals) -> list[str]:
    """The measures and scores that signals hold."""
    return [str(name) for name in read_json(signals.path / "signals.json")["measures"]]


def checked(signals: Signals, corpus: Corpus, needed: Iterable[str]) -> list[Path]:
    """The parts of signals that were measured of this corpus and hold what is needed.

    Raises ConfigError where they are of another corpus, or lack a measure.
    """
    counts = [pq.ParquetFile(part).metadata.num_rows for part in signals.parts]
    if counts != [pq.ParquetFile(part).metadata.num_rows for part in corpus.parts]:
        raise ConfigError("the signals are not of this corpus", "Tie the signals that data.measure made of it")
    for mine, theirs in zip(signals.parts, corpus.parts, strict=True):
        if not pq.read_table(mine, columns=["id"])["id"].equals(pq.read_table(theirs, columns=["id"])["id"]):
            raise ConfigError("the signals are not of this corpus", "Tie the signals that data.measure made of it")
    held = read_names(signals)
    for name in needed:
        if name not in held:
            remedy = "Measure again with segmented = true" if name in SEGMENTED else nearest(name, held)
            remedy = "Measure again with characters = true" if name == REPETITION else remedy
            raise ConfigError(f"the signals hold no '{name}'", remedy)
    return signals.parts


def read_part(path: str, measures: Iterable[str]) -> tuple[list[str], dict[str, Any]]:
    """The languages and the named columns of one part of signals, parts of mixed documents included; NaN for null."""
    there = set(pq.ParquetFile(path).schema_arrow.names)
    names = [name for one in sorted(measures) for name in (one, f"{one}@zh", f"{one}@en") if name in there]
    table = pq.read_table(path, columns=["language", "share@zh", "share@en", *names])
    values = {name: table[name].to_numpy().astype(np.float64) for name in table.column_names if name != "language"}
    return table["language"].to_pylist(), values

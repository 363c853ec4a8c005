"""Documents part by part: read in batches, judged by a pure function, written beside what was left out.

A part of the input becomes a part of the result. Parts are done side by side where the engine has places, and a part that is
done survives a kill, so a second run goes on with the next one. What is written depends on the rows alone, never on workers,
memory or the size of a batch: row groups end where their rows and bytes say so.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from septet.core import Run, StepFailed
from septet.core.pool import function_at, place_of
from septet.files import schema_of
from septet.kinds import Corpus

SCHEMA = schema_of(Corpus.COLUMNS)
DROPPED = schema_of(Corpus.DROPPED)
# A row group ends with the row that brings it to so many rows or bytes of text (chosen: a group is read at once, and a
# worker should stay within some hundred MiB).
GROUP_ROWS, GROUP_BYTES = 8192, 32 << 20
PART_ROWS, PART_BYTES = 65_536, 256 << 20
_BATCH_ROWS = 2048


class Sorted(NamedTuple):
    """What a batch became: the rows to keep, those left out (with `rule` and `value`), and counts that are summed up."""

    kept: pa.Table
    dropped: pa.Table | None = None
    facts: Mapping[str, float] = {}


Work = Callable[[pa.Table], Sorted]
"""A pure function of a batch of documents; every row must come out on one of the two sides. Beside the columns of a corpus
the batch has `row`, the place of the row in its part: what another artifact holds row for row is found by it."""


class Passed(NamedTuple):
    """The sums over all parts."""

    rows: int
    kept: int
    dropped: dict[str, int]
    facts: dict[str, float]


def apply(
    corpus: Corpus,
    run: Run,
    make: Callable[[Mapping[str, Any]], Work],
    settings: Mapping[str, Any],
    unit: str = "documents",
) -> Passed:
    """Pass a corpus through `make(settings)` and write the result into `run.out`.

    `make` stands at the top of a module; settings are plain values. It is called once a process, so it may load a model.
    Raises StepFailed when rows went missing: a function must return each row it was given.
    """
    return _over(corpus.parts, run, make, [dict(settings)] * len(corpus.parts), unit, shared=True)


def over(
    parts: Sequence[Path],
    run: Run,
    make: Callable[[Mapping[str, Any]], Work],
    settings: Sequence[Mapping[str, Any]],
    unit: str = "documents",
) -> Passed:
    """As `apply`, with settings of its own for each part, so that a work may hold what it saw earlier in the part."""
    return _over(parts, run, make, settings, unit, shared=False)


def _over(
    parts: Sequence[Path],
    run: Run,
    make: Callable[[Mapping[str, Any]], Work],
    settings: Sequence[Mapping[str, Any]],
    unit: str,
    shared: bool,
) -> Passed:
    pieces = [
        {
            "part": str(part),
            "out": str(run.scratch / f"part-{number:05d}"),
            "make": place_of(make),
            "settings": dict(chosen),
            "batch_rows": _batch_rows(run),
            "shared": shared,
        }
        for number, (part, chosen) in enumerate(zip(parts, settings, strict=True))
    ]
    total = sum(pq.ParquetFile(part).metadata.num_rows for part in parts)
    rows = kept = 0
    dropped: Counter[str] = Counter()
    facts: Counter[str] = Counter()
    for number, result in enumerate(run.map(pass_part, pieces)):
        rows += result["rows"]
        kept += result["kept"]
        dropped.update(result["dropped"])
        facts.update(result["facts"])
        _place(Path(pieces[number]["out"]), run.out, number)
        run.progress(rows, total, unit)
    for rule, count in sorted(dropped.items()):
        run.drop(rule, count, "dropped/")
    return Passed(rows, kept, dict(dropped), dict(facts))


def pass_part(piece: dict[str, Any]) -> dict[str, Any]:
    """One part, in this process. What is done already is not done again."""
    out = Path(piece["out"])
    done = out / "done.json"
    if done.exists():
        return dict(json.loads(done.read_bytes()))
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    if piece["shared"]:
        work = _work(piece["make"], json.dumps(piece["settings"], sort_keys=True))
    else:
        work = function_at(piece["make"])(piece["settings"])
    rows = 0
    dropped: Counter[str] = Counter()
    facts: Counter[str] = Counter()
    with Writer(out / "kept.parquet", SCHEMA) as kept, Writer(out / "dropped.parquet", DROPPED) as left:
        for batch in pq.ParquetFile(piece["part"]).iter_batches(piece["batch_rows"], use_threads=False):
            places = pa.array(np.arange(rows, rows + batch.num_rows, dtype=np.int64))
            sorted_ = work(pa.Table.from_batches([batch]).append_column("row", places))
            gone = 0 if sorted_.dropped is None else sorted_.dropped.num_rows
            made = int(sorted_.facts.get("made", 0))
            if sorted_.kept.num_rows + gone != batch.num_rows + made:
                raise StepFailed(
                    f"{piece['make']}: of {batch.num_rows} rows of {piece['part']}, {sorted_.kept.num_rows} were kept "
                    f"and {gone} left out",
                    "This is a fault of the step: a row may not vanish; report it",
                )
            rows += batch.num_rows
            kept.add(sorted_.kept)
            if sorted_.dropped is not None and gone:
                left.add(sorted_.dropped)
                for one in pc.value_counts(sorted_.dropped["rule"]).to_pylist():
                    dropped[one["values"]] += one["counts"]
            facts.update(sorted_.facts)
    result = {"rows": rows, "kept": kept.rows, "dropped": dict(dropped), "facts": dict(facts)}
    if not left.rows:
        (out / "dropped.parquet").unlink()
    partial = out / "done.partial"
    partial.write_bytes(msgspec.json.encode(result))
    partial.rename(done)
    return result


@cache
def _work(place: str, settings: str) -> Work:
    work: Work = function_at(place)(json.loads(settings))
    return work


def _place(folder: Path, out: Path, number: int) -> None:
    """Copy rather than move: the scratch folder must stay whole until the result is sealed."""
    for name, target in (("kept.parquet", out), ("dropped.parquet", out / "dropped")):
        if (folder / name).exists():
            target.mkdir(parents=True, exist_ok=True)
            _link(folder / name, target / f"part-{number:05d}.parquet")


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _batch_rows(run: Run) -> int:
    """Rows a batch, smaller where memory is bounded tightly: about 20 kB a row are reckoned with, and as much again for work."""
    if not run.memory_mb:
        return _BATCH_ROWS
    return max(64, min(_BATCH_ROWS, run.memory_mb * 1024 // run.workers // 64))


class Writer:
    """A Parquet file whose row groups end by content, whatever the batches were."""

    def __init__(self, path: Path, schema: Any) -> None:
        self.rows = 0
        self._schema = schema
        self._file = pq.ParquetWriter(path, schema, compression="zstd")
        self._pending: list[pa.Table] = []
        self._pending_rows = 0
        self._pending_bytes = 0

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None:
            self._flush()
        self._file.close()

    def add(self, table: pa.Table) -> None:
        """Append rows. Columns are put in the order of the schema."""
        table = table.select(self._schema.names).cast(self._schema)
        self.rows += table.num_rows
        if not table.num_rows:
            return
        sizes = np.cumsum(pc.fill_null(pc.binary_length(table[self._sized()]), 0).to_numpy(), dtype=np.int64)
        start = 0
        while start < table.num_rows:
            before = int(sizes[start - 1]) if start else 0
            by_bytes = int(np.searchsorted(sizes, GROUP_BYTES - self._pending_bytes + before)) + 1
            end = min(by_bytes, start + GROUP_ROWS - self._pending_rows)
            full = end <= table.num_rows
            end = min(end, table.num_rows)
            self._pending.append(table.slice(start, end - start))
            self._pending_rows += end - start
            self._pending_bytes += int(sizes[end - 1]) - before
            start = end
            if full:
                self._flush()

    def _sized(self) -> str:
        return "text" if "text" in self._schema.names else self._schema.names[0]

    def _flush(self) -> None:
        if self._pending:
            self._file.write_table(pa.concat_tables(self._pending).combine_chunks(), row_group_size=GROUP_ROWS)
        self._pending, self._pending_rows, self._pending_bytes = [], 0, 0


def with_transform(table: pa.Table, name: str) -> pa.Table:
    """The rows with one more entry in `transforms`."""
    column = table["transforms"].combine_chunks()
    lists = column if isinstance(column, pa.Array) else pa.concat_arrays(column.chunks)
    ends = lists.offsets.to_numpy().astype(np.int64)
    values = lists.values.slice(ends[0], ends[-1] - ends[0])
    ends = ends - ends[0]
    # Behind the entries of each row comes the new one, which stands once behind all values.
    order = np.insert(np.arange(len(values)), ends[1:], len(values))
    longer = pa.concat_arrays([values, pa.array([name], values.type)]).take(pa.array(order))
    added = pa.ListArray.from_arrays(pa.array(ends + np.arange(ends.size), pa.int32()), longer)
    return table.set_column(table.schema.get_field_index("transforms"), "transforms", added)


def split(
    table: pa.Table, keep: Any, rules: Sequence[str], values: Sequence[float], details: Sequence[str] | None = None
) -> tuple[pa.Table, pa.Table]:
    """Rows by a boolean mask; `rules`, `values` and `details` are those of the rows left out, in their order."""
    mask = pa.array(keep, pa.bool_())
    left = table.filter(pc.invert(mask))
    left = left.append_column("rule", pa.array(list(rules), pa.string()))
    left = left.append_column("value", pa.array(list(values), pa.float64()))
    said = list(details) if details is not None else [""] * left.num_rows
    return table.filter(mask), left.append_column("detail", pa.array(said, pa.string()))

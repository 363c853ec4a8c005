"""Choosing rows of a corpus by their place: what is known of each row as a column, and the rows left out by a table of decisions.

A row's lot is drawn from its id and a seed, so that the same rows are drawn whatever their order, the number of workers, or
what else stands in the corpus.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from septet.core import ConfigError, Run, StepFailed
from septet.data import stream
from septet.kinds import Corpus

COLUMNS = ("dataset", "source", "language", "licence", "origin", "owner", "access")
"""What rows may be grouped by, beside an entry of `meta`, written `meta.<name>`."""


class Gone(NamedTuple):
    """Rows to leave out: `place` over all parts (int64, rising), and for each the rule, the value and what is said of it."""

    place: Any
    rules: Sequence[str]
    values: Any
    details: Sequence[str]


def column(corpus: Corpus, name: str) -> list[Any]:
    """A column of all parts, end to end; null is the empty string for text. `meta.<name>` is an entry of `meta` as text, "" where
    a row has none. Raises ConfigError for a column that there is not."""
    held = "meta" if name.startswith("meta.") else name
    if held not in Corpus.COLUMNS:
        raise ConfigError(f"there is no column '{name}'", f"Name one of {', '.join(COLUMNS)}, or meta.<name>")
    return [one for part in corpus.parts for one in values(pq.read_table(part, columns=[held]), name)]


def values(table: pa.Table, name: str) -> list[Any]:
    """As `column`, of rows in memory."""
    if name.startswith("meta."):
        key = name.removeprefix("meta.")
        return [entry(meta, key) for meta in table["meta"].to_pylist()]
    found = table[name].to_pylist()
    return ["" if one is None else one for one in found] if Corpus.COLUMNS[name] == "string" else found


def entry(meta: str | None, key: str) -> str:
    """An entry of a row's `meta` as text: `true`, `3` and `yes` as they stand in JSON without quotes; "" where there is none."""
    try:
        value = json.loads(meta).get(key) if meta else None
    except (ValueError, AttributeError):
        return ""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def lots(ids: Sequence[str], seed: int, salt: str = "") -> Any:
    """A number in (0, 1) for each id: float64, the same for the same id, seed and salt."""
    head = hashlib.blake2b(f"{seed}\0{salt}\0".encode(), digest_size=8)
    found = np.empty(len(ids), np.uint64)
    for row, one in enumerate(ids):
        mark = head.copy()
        mark.update(one.encode("utf-8", "replace"))
        found[row] = int.from_bytes(mark.digest(), "little")
    return ((found >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def budget_of(rows: int, budget: int, share: float, name: str) -> int:
    """How many rows are kept: so many, or a share of all. Raises ConfigError unless one of the two is given."""
    if bool(budget) == bool(share):
        raise ConfigError(f"{name} takes either a budget or a share", "Say how many rows, or which share, to keep")
    return min(rows, budget) if budget else max(1, min(rows, round(share * rows)))


def leave_out(corpus: Corpus, gone: Gone, transform: str, run: Run) -> stream.Passed:
    """Write the corpus without some rows, which are kept beside with their rule, value and detail."""
    folder = run.scratch / "decisions"
    folder.mkdir(exist_ok=True)
    start, settings = 0, []
    place = np.asarray(gone.place, np.int64)
    for number, part in enumerate(corpus.parts):
        rows = pq.ParquetFile(part).metadata.num_rows
        low, high = np.searchsorted(place, (start, start + rows))
        table = pa.table(
            {
                "row": pa.array(place[low:high] - start, pa.int64()),
                "rule": pa.array(list(gone.rules[low:high]), pa.string()),
                "value": pa.array(np.asarray(gone.values[low:high], np.float64), pa.float64()),
                "detail": pa.array(list(gone.details[low:high]), pa.string()),
            }
        )
        path = folder / f"part-{number:05d}.parquet"
        pq.write_table(table, path)
        settings.append({"decisions": str(path), "transform": transform})
        start += rows
    passed = stream.over(corpus.parts, run, without, settings)
    if passed.rows and not passed.kept:
        raise StepFailed(f"{transform} left none of {passed.rows} rows", "Loosen what it is told to leave out")
    return passed


def without(settings: Mapping[str, Any]) -> stream.Work:
    """The work of one part: leaves out the rows that a table of decisions names."""
    decided = pq.read_table(Path(settings["decisions"]))
    rows = decided["row"].to_numpy()

    def work(table: pa.Table) -> stream.Sorted:
        places = table["row"].to_numpy()
        low, high = np.searchsorted(rows, (places[0], places[-1] + 1)) if places.size else (0, 0)
        gone = decided.slice(low, high - low)
        keep = ~np.isin(places, rows[low:high])
        said = (gone[name].to_pylist() for name in ("rule", "value", "detail"))
        kept, left = stream.split(table, keep, *said)
        return stream.Sorted(stream.with_transform(kept, settings["transform"]), left)

    return work

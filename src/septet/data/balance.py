"""Classes in other shares: rows of the larger left out, rows of the smaller repeated, to a ratio of largest to smallest.

Random over- and under-sampling (He and Garcia, IEEE TKDE 2009). Which rows go or come again is drawn from their ids. A row that
comes again says so: its first one is its parent, and `meta` holds `synthetic`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from septet.core import ConfigError, Run
from septet.data import selection, stream
from septet.files import write_json
from septet.kinds import Corpus

NAME, RULE = "data.balance", "more of its class than the ratio allows"


def apply(corpus: Corpus, by: str, method: str, ratio: float, most_repeats: int, seed: int, run: Run) -> Corpus:
    """Write the corpus with its classes balanced; rows without a class pass as they are."""
    named = np.array([str(one) for one in selection.column(corpus, by)], object).astype(str)
    classes, which, sizes = np.unique(named, return_inverse=True, return_counts=True)
    real = classes != ""
    if real.sum() < 2:
        raise ConfigError(
            f"'{by}' has {int(real.sum())} classes", "Balance by a column or entry of meta with at least two values"
        )
    wanted = targets(sizes[real], method, ratio, most_repeats)
    target = sizes.copy()
    target[real] = wanted
    lot = selection.lots(selection.column(corpus, "id"), seed, "balance")
    times = np.ones(named.size, np.int64)
    for number in np.flatnonzero(target != sizes):
        mine = np.flatnonzero(which == number)
        mine = mine[np.lexsort((mine, lot[mine]))]
        times[mine] = target[number] // mine.size
        times[mine[: target[number] % mine.size]] += 1
    folder = run.scratch / "times"
    folder.mkdir(exist_ok=True)
    start, settings = 0, []
    for number, part in enumerate(corpus.parts):
        rows = pq.ParquetFile(part).metadata.num_rows
        path = folder / f"{number:05d}.npy"
        np.save(path, times[start : start + rows])
        limits = {str(classes[k]): [int(target[k]), int(sizes[k])] for k in range(classes.size)}
        settings.append({"times": str(path), "by": by, "limits": limits})
        start += rows
    stream.over(corpus.parts, run, repeat, settings)
    report = {str(classes[k]): {"rows": int(sizes[k]), "after": int(target[k])} for k in range(classes.size)}
    write_json(run.out / "balance.json", {"by": by, "method": method, "ratio": ratio, "seed": seed, "classes": report})
    for name, one in list(report.items())[:30]:
        if one["rows"] != one["after"]:
            run.note(f"{name}: {one['rows']} rows become {one['after']}")
    if not real.all():
        run.note(f"{int(sizes[~real].sum())} rows without '{by}' pass as they are")
    reached = float(target[real].max() / target[real].min())
    if reached > ratio * 1.001 + 1 / target[real].min():
        run.note(f"the largest class is {reached:.1f} times the smallest: most_repeats keeps it from {ratio:g}")
    return Corpus(run.out)


def targets(sizes: Any, method: str, ratio: float, most_repeats: int) -> Any:
    """How many rows each class has afterwards: int64.

    `under` cuts to `ratio` times the smallest, `over` repeats up to the largest by `ratio`, at most `most_repeats` times a row;
    `both` meets in the geometric mean of the sizes.
    """
    sizes = np.asarray(sizes, np.int64)
    low, high = np.zeros(1), np.full(1, np.inf)
    if method == "under":
        high = np.maximum(1, np.floor(sizes.min() * ratio))
    elif method == "over":
        low = np.ceil(sizes.max() / ratio)
    else:
        middle = float(np.exp(np.log(sizes).mean()))
        low, high = np.ceil(middle / np.sqrt(ratio)), np.maximum(1, np.floor(middle * np.sqrt(ratio)))
        low = np.minimum(low, high)
    raised = np.maximum(sizes, np.minimum(low, sizes * (1 + most_repeats)))
    return np.minimum(raised, high).astype(np.int64)


def repeat(settings: Mapping[str, Any]) -> stream.Work:
    """The work of one part: each row as often as a table says, 0 being left out."""
    every = np.load(settings["times"])

    def work(table: pa.Table) -> stream.Sorted:
        times = every[table["row"].to_numpy()]
        named = selection.values(table, settings["by"])
        gone = [settings["limits"][named[row]] for row in np.flatnonzero(times == 0)]
        said = [f"{kept} of {of} kept" for kept, of in gone]
        kept, left = stream.split(table, times > 0, [RULE] * len(gone), [float(kept) for kept, _ in gone], said)
        counts = times[times > 0]
        again = np.concatenate([np.arange(count) for count in counts]) if counts.size else np.zeros(0, int)
        rows = kept.take(pa.array(np.repeat(np.arange(counts.size), counts)))
        if again.any():
            rows = _marked(rows, again)
        return stream.Sorted(stream.with_transform(rows, NAME), left, {"made": float((counts - 1).sum())})

    return work


def _marked(rows: pa.Table, again: Any) -> pa.Table:
    """Rows that come again with an id of their own, the first one as parent, and the mark of what they are."""
    ids, parents, metas = [], [], []
    for number, row in zip(again.tolist(), rows.select(["id", "parent", "meta"]).to_pylist(), strict=True):
        ids.append(f"{row['id']}#{number}" if number else row["id"])
        parents.append(row["id"] if number else row["parent"])
        metas.append(_repeated(row["meta"]) if number else row["meta"])
    for name, values in (("id", ids), ("parent", parents), ("meta", metas)):
        rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(values, pa.string()))
    return rows


def _repeated(meta: str | None) -> str:
    try:
        told = json.loads(meta) if meta else {}
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    return json.dumps({**told, "synthetic": True, "method": "repeat"}, ensure_ascii=False, sort_keys=True)

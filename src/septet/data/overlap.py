"""How much of one data set another holds: a matrix over all data sets of several corpora, by verified likeness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from septet.core import Run, StepFailed
from septet.data import sketches
from septet.data.duplicates import Side, candidates_of, sets_of, starts_of
from septet.kernels.neighbours import Compared, matches
from septet.kinds import Report
from septet.statistics import share


def report(sides: Sequence[Side], similarity: float, run: Run) -> Report:
    """Write the matrix. Each pair is one item: `of` (a data set), `held_by` (another), the number, and their share."""
    files = [part for side in sides for part in side.sketches]
    parts = [part for side in sides for part in side.corpus.parts]
    names = np.concatenate([pq.read_table(part, columns=["dataset"])["dataset"].to_numpy() for part in parts])
    datasets, which = np.unique(names.astype(str), return_inverse=True)
    if datasets.size < 2:
        raise StepFailed("there is only one data set to compare", "Tie further corpora, or name data sets in data.read")
    counts = sketches.column(files, "count").astype(np.int32)
    compared = np.flatnonzero(counts > 0)
    candidates, bucket, num_buckets = candidates_of(files, compared, run)
    held = np.zeros((datasets.size, counts.size), bool)
    if candidates.size:
        sets, ends = sets_of(sides, starts_of(parts), candidates, run)
        marks = sketches.column(files, "order")[candidates]
        texts = Compared(bucket, num_buckets, counts[candidates], marks, sets, ends)
        mine = which[candidates]
        for number in range(datasets.size):
            order = np.argsort(mine != number, kind="stable").astype(np.int32)
            known = int((mine == number).sum())
            like = matches(texts, order, known, similarity)
            held[number, candidates[like]] = True
            run.progress(number + 1, int(datasets.size), "data sets")
    sizes = np.bincount(which, minlength=datasets.size)
    items: list[dict[str, Any]] = []
    summary = {}
    for of, name in enumerate(datasets):
        for by, other in enumerate(datasets):
            if of != by:
                count = int((held[by] & (which == of)).sum())
                measure = share(count, int(sizes[of]))
                items.append({"of": str(name), "held_by": str(other), "documents": count, "share": measure})
                summary[f"{name} in {other}"] = measure
    facts = {"similarity": similarity, "documents": {str(n): int(c) for n, c in zip(datasets, sizes, strict=True)}}
    return Report.write(run.out, "overlap", summary, items, facts=facts)

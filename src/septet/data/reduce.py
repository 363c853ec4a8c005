"""Fewer documents for the same use: without what means the same, a spread over all there is, or what a target asks for.

- `semantic`: of documents whose encoder vectors have a cosine of at least a bound, one stays (SemDeDup, Abbas et al. 2023). An
  encoder hardly sees a number, so two documents whose numbers differ are never taken for alike unless told so.
- `diverse`: a budget of documents that covers the rest: farthest first (k-centre greedy; Sener and Savarese, ICLR 2018), or as
  many of each cell of a k-means.
- `important`: a budget drawn by how much likelier a document is under a target corpus than under this one (DSIR; Xie et al.,
  NeurIPS 2023), with Gumbel noise, which is sampling without replacement.
- `stratified`: a budget shared out over groups, and drawn within each by weight (Efraimidis and Spirakis 2006).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from septet.core import ConfigError, Run
from septet.data import selection, vectors
from septet.data import signals as measuring
from septet.data.selection import Gone
from septet.files import write_json
from septet.kernels import nearest
from septet.kernels.arrow import texts_of
from septet.kernels.importance import PLACES, counts, log_ratios
from septet.kinds import Corpus, Signals, Vectors

NAME = "data.reduce"
SEMANTIC, COVERED, UNIMPORTANT, UNDRAWN = "means the same", "covered by another", "less important", "not drawn"
ALLOCATIONS = ("proportional", "equal", "root")
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")


def semantic(
    corpus: Corpus,
    given: Vectors | None,
    encoder: str,
    similarity: float,
    keep: str,
    numbers: bool,
    seed: int,
    run: Run,
) -> Corpus:
    """Leave out what means the same as a document that is kept; each names that document, with their cosine."""
    unit = vectors.of(corpus, given, encoder, run)
    standing, _ = nearest.cells(unit, seed)
    marks = _numbers(corpus) if numbers else np.zeros(len(unit), np.uint64)
    partner, value = nearest.unlike(unit, _preference(corpus, keep), standing, marks, similarity)
    place = np.flatnonzero(partner >= 0)
    ids = selection.column(corpus, "id")
    said = [f"of {ids[int(one)]}" for one in partner[place]]
    selection.leave_out(corpus, Gone(place, [SEMANTIC] * place.size, value[place], said), NAME, run)
    run.note(f"{place.size} of {len(unit)} documents mean the same as another (cosine of at least {similarity:g})")
    return Corpus(run.out)


def _numbers(corpus: Corpus) -> Any:
    """A hash of the numbers that each document holds, in their order: uint64."""
    found: list[int] = []
    for part in corpus.parts:
        for batch in pq.ParquetFile(part).iter_batches(2048, columns=["text"]):
            for text in batch["text"].to_pylist():
                said = "\0".join(_NUMBER.findall(text or ""))
                found.append(int.from_bytes(hashlib.blake2b(said.encode(), digest_size=8).digest(), "little"))
    return np.array(found, np.uint64)


def _preference(corpus: Corpus, keep: str) -> Any:
    """The order in which documents are preferred: longest, newest, most trusted or first; equals by length, then by place."""
    sizes = [pc.utf8_length(pq.read_table(part, columns=["text"])["text"]) for part in corpus.parts]
    length = np.concatenate([pc.fill_null(one, 0).to_numpy() for one in sizes]).astype(np.int64)
    place = np.arange(length.size)
    if keep == "first":
        return place
    if keep == "newest":
        _, rank = np.unique(np.array(selection.column(corpus, "retrieved"), np.str_), return_inverse=True)
        return np.lexsort((place, -length, -rank))
    if keep == "trusted":
        trust = np.array([one if one is not None else 1.0 for one in selection.column(corpus, "trust")], np.float64)
        return np.lexsort((place, -length, -trust))
    return np.lexsort((place, -length))


def diverse(
    corpus: Corpus, given: Vectors | None, encoder: str, budget: int, share: float, spread: str, seed: int, run: Run
) -> Corpus:
    """Keep a budget of documents that covers the others; what is left out names the kept one nearest to it."""
    unit = vectors.of(corpus, given, encoder, run)
    many = selection.budget_of(len(unit), budget, share, "Reduce with the method diverse")
    if spread == "farthest":
        chosen, near, closest = nearest.cover(unit, many)
    else:
        chosen = _of_each_cell(unit, many, seed)
        near, closest = _nearest_of(unit, np.sort(chosen))
    gone = np.ones(len(unit), bool)
    gone[chosen] = False
    place = np.flatnonzero(gone)
    ids = selection.column(corpus, "id")
    said = [f"nearest to {ids[int(one)]}" for one in near[place]]
    selection.leave_out(corpus, Gone(place, [COVERED] * place.size, closest[place], said), NAME, run)
    if place.size:
        low, middle = float(closest[place].min()), float(np.median(closest[place]))
        run.note(
            f"{many} of {len(unit)} documents kept; of the others the farthest has a cosine of {low:.3f} with the "
            f"nearest one kept, half have more than {middle:.3f}"
        )
        write_json(run.out / "reduce.json", {"kept": many, "rows": len(unit), "least": low, "median": middle})
    return Corpus(run.out)


def _of_each_cell(unit: Any, many: int, seed: int) -> Any:
    """As many of each cell as of any other, as far as it has them; within a cell evenly from its middle to its border."""
    middles = nearest.centres(unit, max(1, min(many, round(float(np.sqrt(len(unit)))))), seed)
    cell = nearest.probes(unit, middles, 1)[:, 0]
    sizes = np.bincount(cell, minlength=len(middles))
    chosen = []
    for number, take in enumerate(shared_out(np.ones(len(middles)), sizes, many)):
        mine = np.flatnonzero(cell == number)
        if not take:
            continue
        order = mine[np.lexsort((mine, -np.round(np.asarray(unit[mine]) @ middles[number], 6)))]
        chosen.append(order[np.unique(np.arange(take) * mine.size // take)])
    return np.concatenate(chosen)


def _nearest_of(unit: Any, chosen: Any) -> tuple[Any, Any]:
    near, closest = np.empty(len(unit), np.int64), np.empty(len(unit))
    there = np.asarray(unit[chosen])
    for start in range(0, len(unit), 1024):
        products = np.asarray(unit[start : start + 1024]) @ there.T
        top = products.argmax(axis=1)
        near[start : start + 1024] = chosen[top]
        closest[start : start + 1024] = np.round(products[np.arange(top.size), top], 6)
    return near, closest


def important(
    corpus: Corpus, target: Corpus, budget: int, share: float, per_token: bool, seed: int, run: Run
) -> Corpus:
    """Draw a budget of documents by their importance to the target; what is left out says its weight and the one reached."""
    total = corpus.count()
    many = selection.budget_of(total, budget, share, "Reduce with the method important")
    ratio = np.log(_shares(target, "target", run)) - np.log(_shares(corpus, "own", run))
    path = run.scratch / "ratio.npy"
    np.save(path, ratio)
    pieces = [{"part": str(part), "ratio": str(path), "per_token": per_token} for part in corpus.parts]
    weight = np.concatenate([np.array(one) for one in run.map(weigh_part, pieces)])
    ids = selection.column(corpus, "id")
    key = weight - np.log(-np.log(selection.lots(ids, seed, "important")))
    order = np.lexsort((np.arange(total), -key))
    place = np.sort(order[many:])
    bound = float(key[order[many - 1]])
    said = [f"with its noise {key[row]:.4f}, kept from {bound:.4f}" for row in place]
    selection.leave_out(corpus, Gone(place, [UNIMPORTANT] * place.size, weight[place], said), NAME, run)
    kept = float(weight[order[:many]].mean())
    run.note(f"{many} of {total} documents kept; mean log weight {kept:.3f}, of all {float(weight.mean()):.3f}")
    return Corpus(run.out)


def _shares(corpus: Corpus, name: str, run: Run) -> Any:
    """The share of each feature in a corpus, with one more of each, so that none is 0: float64."""
    folder = run.scratch / name
    folder.mkdir(exist_ok=True)
    pieces = [{"part": str(part), "out": str(folder / f"{n:05d}.npy")} for n, part in enumerate(corpus.parts)]
    total = np.ones(PLACES, np.int64)
    for piece, _ in zip(pieces, run.map(count_part, pieces), strict=True):
        total += np.load(piece["out"])
    return total / total.sum()


def count_part(piece: dict[str, Any]) -> int:
    """The features of one part, written as an array. Returns the number of its rows."""
    found, rows = np.zeros(PLACES, np.int64), 0
    for batch in pq.ParquetFile(piece["part"]).iter_batches(2048, columns=["text"]):
        counts(texts_of(batch.column(0)), found)
        rows += batch.num_rows
    np.save(Path(piece["out"]), found)
    return rows


def weigh_part(piece: dict[str, Any]) -> list[float]:
    """The log weight of each document of one part."""
    ratio, found = np.load(piece["ratio"]), []
    for batch in pq.ParquetFile(piece["part"]).iter_batches(2048, columns=["text"]):
        sums, sizes = log_ratios(texts_of(batch.column(0)), ratio)
        found.append(sums / np.maximum(1, sizes) if piece["per_token"] else sums)
    return [float(one) for one in np.concatenate(found)] if found else []


def stratified(
    corpus: Corpus,
    by: Sequence[str],
    allocation: str,
    weight: str,
    signals: Signals | None,
    budget: int,
    share: float,
    seed: int,
    run: Run,
) -> Corpus:
    """Draw a budget of documents, shared out over the groups that rows of `by` form, by weight within each group."""
    total = corpus.count()
    many = selection.budget_of(total, budget, share, "Reduce with the method stratified")
    columns = [[str(one) for one in selection.column(corpus, name)] for name in by]
    named = [" / ".join(one) for one in zip(*columns, strict=True)] if columns else [""] * total
    groups, which, sizes = np.unique(np.array(named, object).astype(str), return_inverse=True, return_counts=True)
    power = {"proportional": 1.0, "equal": 0.0, "root": 0.5}[allocation]
    takes = shared_out(sizes.astype(float) ** power, sizes, many)
    weights = _weights(corpus, weight, signals)
    key = np.log(weights) - np.log(-np.log(selection.lots(selection.column(corpus, "id"), seed, "stratified")))
    gone = np.ones(total, bool)
    for number, take in enumerate(takes):
        mine = np.flatnonzero(which == number)
        gone[mine[np.lexsort((mine, -key[mine]))][:take]] = False
    place = np.flatnonzero(gone)
    said = [f"{takes[which[row]]} of {sizes[which[row]]} drawn of '{groups[which[row]]}'" for row in place]
    selection.leave_out(corpus, Gone(place, [UNDRAWN] * place.size, weights[place], said), NAME, run)
    for name, take, size in zip(groups[:20], takes, sizes, strict=False):
        run.note(f"{name or 'all'}: {take} of {size} documents")
    return Corpus(run.out)


def _weights(corpus: Corpus, name: str, signals: Signals | None) -> Any:
    """The weight of each document: a signal, or an entry of `meta`; 1 where none is named. Raises ConfigError where one is not a
    positive number: a row without a weight could neither be drawn nor be called worthless."""
    if not name:
        return np.ones(corpus.count())
    if name.startswith("meta."):
        found = np.array([_float(one) for one in selection.column(corpus, name)], np.float64)
    elif signals is None:
        raise ConfigError(f"Reduce.weight is '{name}', and no signals are tied", "Tie signals, or write meta.<name>")
    else:
        parts = measuring.checked(signals, corpus, [name])
        found = np.concatenate([measuring.read_part(str(part), [name])[1][name] for part in parts])
    wrong = ~(np.isfinite(found) & (found > 0))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ConfigError(
            f"{int(wrong.sum())} of {found.size} documents have no positive '{name}', such as row {row}",
            "Weigh by a value that each document has, and that is above 0",
        )
    return found


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def shared_out(wish: Any, sizes: Any, budget: int) -> list[int]:
    """Whole numbers that sum to the budget, by `wish` as nearly as can be, none above its size (largest remainders)."""
    budget = min(budget, int(np.sum(sizes)))
    wish, sizes = np.asarray(wish, float), np.asarray(sizes)
    taken, open_ = np.zeros(len(sizes)), sizes > 0
    while open_.any() and taken.sum() < budget:
        add = np.where(open_, wish, 0) / wish[open_].sum() * (budget - taken.sum())
        full = open_ & (taken + add >= sizes)
        if not full.any():
            taken += add
            break
        taken[full] = sizes[full]
        open_ &= ~full
    whole = np.minimum(np.floor(taken + 1e-9).astype(int), sizes)
    order = np.lexsort((np.arange(len(sizes)), -(taken - whole)))
    for number in np.concatenate([order] * 2):
        if whole.sum() < budget and whole[number] < sizes[number]:
            whole[number] += 1
    return [int(one) for one in whole]

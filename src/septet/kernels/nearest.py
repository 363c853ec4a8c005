"""Which unit vectors are near which: cells, the greedy choice of what is unlike all before it, neighbours, and a cover.

Up to `EXACT` vectors are compared each with each. More are first laid into cells around the centres of a spherical k-means
(Dhillon and Modha 2001), as SemDeDup does (Abbas et al. 2023); each vector stands in its two nearest cells, so that a pair is not
lost where a border runs between them. Products come in blocks of float32; what is decided by one is computed again in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

EXACT = 16_384
PROBES = 2
_CELL = 1024  # vectors a cell on the average: cells and members cost about the same then
_ROUNDS = 8
_SAMPLE = 65_536
_BLOCK = 1024
_SLACK = 1e-4  # float32 products of 512 numbers are off by less


def cells(vectors: Any, seed: int) -> tuple[Any, int]:
    """The cells that each vector stands in, the nearest first: int32 (vectors, 1 or 2), and how many cells there are."""
    count = len(vectors)
    if count <= EXACT:
        return np.zeros((count, 1), np.int32), 1
    middles = centres(vectors, count // _CELL, seed)
    return probes(vectors, middles, PROBES), len(middles)


def centres(vectors: Any, count: int, seed: int) -> Any:
    """The centres of a spherical k-means on a sample of the vectors: float32 (count, width), of length one."""
    draw = np.random.default_rng(seed)
    sample = np.sort(draw.choice(len(vectors), min(len(vectors), max(_SAMPLE, 16 * count)), replace=False))
    points = np.asarray(vectors[sample], np.float32)
    middles = points[np.sort(draw.choice(len(points), min(count, len(points)), replace=False))].copy()
    for _ in range(_ROUNDS):
        nearest = probes(points, middles, 1)[:, 0]
        # The sum of each cell's members, in the order of the members.
        order = np.argsort(nearest, kind="stable")
        there, first = np.unique(nearest[order], return_index=True)
        moved = np.add.reduceat(points[order].astype(np.float64), first, axis=0)
        length = np.sqrt((moved * moved).sum(axis=1))
        middles[there[length > 0]] = (moved[length > 0] / length[length > 0, None]).astype(np.float32)
    return middles


def probes(vectors: Any, middles: Any, count: int) -> Any:
    """The `count` nearest centres of each vector, the nearest first: int32 (vectors, count)."""
    count = min(count, len(middles))
    found = np.empty((len(vectors), count), np.int32)
    for start in range(0, len(vectors), 8 * _BLOCK):
        likeness = np.asarray(vectors[start : start + 8 * _BLOCK]) @ middles.T
        if count == 1:
            found[start : start + len(likeness), 0] = likeness.argmax(axis=1)
            continue
        some = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(likeness, some, 1), axis=1, kind="stable")
        found[start : start + len(likeness)] = np.take_along_axis(some, order, 1)
    return found


def cosine(vectors: Any, one: Any, other: Any) -> Any:
    """The cosines of pairs of unit vectors, given by their places: float64, rounded to six places."""
    out = np.empty(len(one))
    for start in range(0, len(one), _BLOCK):
        a, b = (np.asarray(vectors[places[start : start + _BLOCK]], np.float64) for places in (one, other))
        out[start : start + len(a)] = np.einsum("ij,ij->i", a, b)
    return np.round(out, 6)


def unlike(vectors: Any, order: Any, standing: Any, marks: Any, bound: float) -> tuple[Any, Any]:
    """Keep, in `order`, each vector whose cosine with all kept before it is below `bound`.

    Returns for each vector the kept one that it is most like (-1: it is kept itself) and their cosine. Only vectors with the same
    number in `marks` are compared, and only those that share a cell of `standing`, see `cells`.
    """
    total = len(vectors)
    partner, value = np.full(total, -1, np.int64), np.zeros(total)
    kept: dict[int, list[Any]] = {}
    step = min(4 * _BLOCK, max(_BLOCK, total // 64))
    for start in range(0, total, step):
        rows = np.asarray(order[start : start + step])
        block = np.asarray(vectors[rows])
        best, like = np.full(rows.size, -1.0), np.full(rows.size, -1, np.int64)
        for cell in np.unique(standing[rows]).tolist():
            before = kept.get(cell)
            if not before:
                continue
            mine = np.flatnonzero((standing[rows] == cell).any(axis=1))
            places = np.concatenate(before)
            kept[cell] = [places]
            for at in range(0, places.size, 8 * _BLOCK):
                some = places[at : at + 8 * _BLOCK]
                products = block[mine] @ np.asarray(vectors[some]).T
                products[marks[rows[mine]][:, None] != marks[some][None, :]] = -1
                top = products.argmax(axis=1)
                most = products[np.arange(mine.size), top]
                better = most > best[mine]
                best[mine[better]], like[mine[better]] = most[better], some[top[better]]
        _settle(vectors, rows, np.flatnonzero(best >= bound - _SLACK), like, bound, partner, value)
        open_ = np.flatnonzero(partner[rows] < 0)
        products = block[open_] @ block[open_].T
        products[marks[rows[open_]][:, None] != marks[rows[open_]][None, :]] = -1
        stays = np.zeros(open_.size, bool)
        for k in range(open_.size):
            against = np.where(stays[:k], products[k, :k], -1)
            top = int(against.argmax()) if k else 0
            if k and against[top] >= bound - _SLACK:
                like[open_[k]] = rows[open_[top]]
                _settle(vectors, rows, open_[k : k + 1], like, bound, partner, value)
            stays[k] = partner[rows[open_[k]]] < 0
        stayed = rows[open_[stays]]
        for cell in np.unique(standing[stayed]).tolist():
            kept.setdefault(cell, []).append(stayed[(standing[stayed] == cell).any(axis=1)])
    return partner, value


def _settle(vectors: Any, rows: Any, which: Any, like: Any, bound: float, partner: Any, value: Any) -> None:
    """Compute the cosines again that are near the bound or above it, and note those that reach it."""
    exact = cosine(vectors, rows[which], like[which])
    hit = exact >= bound
    partner[rows[which[hit]]], value[rows[which[hit]]] = like[which[hit]], exact[hit]


def neighbours(vectors: Any, count: int, standing: Any) -> tuple[Any, Any]:
    """The `count` nearest others of each vector (int64, -1 where there are fewer) and their cosines, the nearest first.

    Others are looked for in the nearest cell of each vector.
    """
    total = len(vectors)
    found, value = np.full((total, count), -1, np.int64), np.zeros((total, count))
    for cell in range(int(standing.max(initial=0)) + 1):
        members = np.flatnonzero((standing == cell).any(axis=1))
        asking = np.flatnonzero(standing[:, 0] == cell)
        there = np.asarray(vectors[members])
        for start in range(0, asking.size, _BLOCK):
            rows = asking[start : start + _BLOCK]
            products = np.asarray(vectors[rows]) @ there.T
            products[rows[:, None] == members[None, :]] = -2
            most = min(count, members.size - 1)
            if most < 1:
                continue
            some = np.argpartition(-products, most - 1, axis=1)[:, :most]
            near = np.take_along_axis(products, some, 1)
            turn = np.argsort(-near, axis=1, kind="stable")
            found[rows, :most] = members[np.take_along_axis(some, turn, 1)]
            value[rows, :most] = np.take_along_axis(near, turn, 1)
    return found, value


def cover(vectors: Any, budget: int) -> tuple[Any, Any, Any]:
    """Farthest-first choice of `budget` vectors (Gonzalez 1985): at most twice the least possible distance to the farthest one.

    Begins with the one nearest to the mean. Returns the chosen places in the order of their choice, and for each vector the chosen
    one that it is nearest to and their cosine. Each choice is a pass over all vectors.
    """
    total = len(vectors)
    mean = np.asarray(vectors, np.float32).mean(axis=0, dtype=np.float64).astype(np.float32)
    chosen = np.empty(budget, np.int64)
    near, closest = np.zeros(total, np.int64), np.full(total, -2.0, np.float32)
    taken = np.zeros(total, bool)
    now = int(np.round(vectors @ mean, 6).argmax())
    for k in range(budget):
        chosen[k], taken[now] = now, True
        # Rounded, so that the last bits of a product, which depend on the processor, decide nothing.
        products = np.round(vectors @ np.asarray(vectors[now]), 6)
        nearer = products > closest
        near[nearer], closest[nearer] = now, products[nearer]
        near[now], closest[now] = now, 1.0
        now = int(np.where(taken, 2.0, closest).argmin())
    return chosen, near, closest.astype(np.float64)

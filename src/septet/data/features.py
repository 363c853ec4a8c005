"""Vectors of documents in fewer numbers: by principal components, by random projection, or of hashed n-grams.

- `pca`: the directions in which the encoder's vectors differ most, of a sample. The mean is not taken off unless asked for, so
  that cosines stay what they were as nearly as can be.
- `gaussian`, `sparse`: random directions (Johnson and Lindenstrauss 1984; Achlioptas 2003: two thirds of the numbers are 0). They
  need no sample, and promise for any data what `distortion` measures for this.
- `hashed`: n-grams of words and characters weighted by inverse document frequency, and their leading singular vectors by a
  randomised decomposition (Halko, Martinsson and Tropp 2011). Needs no encoder.

A later delivery is projected by what an earlier artifact was fitted on, so that their vectors can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from septet.core import ConfigError, Run, StepFailed
from septet.data import selection, vectors
from septet.files import write_json
from septet.kernels.arrow import texts_of
from septet.kernels.characters import characters
from septet.kernels.features import matrix
from septet.kernels.sparse import rescale, times, transposed_times
from septet.kinds import Corpus, Vectors

METHODS = ("pca", "gaussian", "sparse", "hashed")
_BITS = 16
_OVER, _ROUNDS = 16, 3  # columns beyond the width, and power iterations: Halko et al. advise 5 to 10, and 1 to 2
_PAIRS = 200  # documents that distortion is measured on, each with each
_BLOCK = 4096


def write(
    corpus: Corpus,
    fitted: Vectors | None,
    method: str,
    width: int,
    encoder: str,
    centre: bool,
    sample: int,
    seed: int,
    run: Run,
) -> Vectors:
    """Project the documents of a corpus. With `fitted`, its projection is used, and the other settings are its own."""
    total = corpus.count()
    if not total:
        raise StepFailed("the corpus holds no documents", "Look at what was left out: septet show the step before")
    if fitted is not None:
        meta = fitted.meta
        method, encoder, width = str(meta["method"]), str(meta["encoder"]), int(meta["width"])
        arrays = _load(str(fitted.path))
    else:
        arrays, meta = {}, {"method": method, "encoder": "" if method == "hashed" else encoder, "seed": seed}
    ids = selection.column(corpus, "id")
    rows = _sample(ids, sample, seed)
    full: Any
    if method == "hashed":
        full = _features(_texts(corpus, rows))
        if fitted is None:
            arrays, kept = _decompose(full, width, seed)
            meta["explained"] = kept
        rescale(*full, arrays["idf"])
    else:
        raw = vectors.encoded(corpus, encoder, run)
        full = np.asarray(raw[rows], np.float32)
        if fitted is None:
            arrays, kept = _directions(full, method, width, centre, seed)
            meta |= {"explained": kept, "centred": centre and method == "pca"}
    _save(arrays, run.out)
    out = np.lib.format.open_memmap(run.out / "vectors.npy", mode="w+", dtype=np.float32, shape=(total, width))
    if method == "hashed":
        _project_texts(corpus, run, out)
    else:
        for start in range(0, total, _BLOCK):
            block = np.asarray(raw[start : start + _BLOCK]) - arrays["mean"]
            out[start : start + _BLOCK] = block @ arrays["projection"]
    out.flush()
    pq.write_table(pa.table({"id": pa.array(ids, pa.string())}), run.out / "ids.parquet", compression="zstd")
    bent = _distortion(full, method, np.asarray(out[rows]), arrays)
    about = {**meta, "width": width, "documents": total, "sample": len(rows), "distortion": bent}
    write_json(run.out / "meta.json", about)
    kept_share = f"{meta['explained']:.1%} of the variance kept; " if "explained" in meta else ""
    run.note(
        f"{total} documents, {width} numbers each; {kept_share}cosines off by {bent['cosine_mean']:.3f} on the average, "
        f"by {bent['cosine_p95']:.3f} or less in 95 % of the pairs"
    )
    return Vectors(run.out)


def _sample(ids: list[str], most: int, seed: int) -> Any:
    """Places of documents drawn by their ids, in order."""
    if len(ids) <= most:
        return np.arange(len(ids))
    return np.sort(np.argsort(selection.lots(ids, seed, "features"), kind="stable")[:most])


def _texts(corpus: Corpus, rows: Any) -> pa.Table:
    start, found = 0, []
    for part in corpus.parts:
        count = pq.ParquetFile(part).metadata.num_rows
        low, high = np.searchsorted(rows, (start, start + count))
        if low < high:
            found.append(pq.read_table(part, columns=["text"]).take(pa.array(rows[low:high] - start)))
        start += count
    return pa.concat_tables(found)["text"]


def _features(column: Any) -> tuple[Any, Any, Any]:
    texts, table = texts_of(column), characters()
    found: tuple[Any, Any, Any] = matrix(texts.data, texts.offsets, table.kinds, table.folded, _BITS)
    return found


def _directions(full: Any, method: str, width: int, centre: bool, seed: int) -> tuple[dict[str, Any], float]:
    """The projection (encoder's width, width) float32 and the mean to take off, and the share of the variance that is kept."""
    rows, wide = full.shape
    if width > wide:
        raise ConfigError(f"the encoder's vectors have {wide} numbers, fewer than {width}", f"Ask for at most {wide}")
    mean = full.mean(axis=0, dtype=np.float64)
    spread = (full - mean).astype(np.float64)
    if method == "pca":
        if rows < 2 * width:
            raise ConfigError(
                f"{rows} documents do not settle {width} principal components", "Take a random projection, or fewer"
            )
        about = spread if centre else full.astype(np.float64)
        _, found = np.linalg.eigh(about.T @ about / rows)
        projection = _signed(found[:, ::-1][:, :width])
    else:
        draw = np.random.default_rng(seed)
        if method == "gaussian":
            projection = draw.standard_normal((wide, width)) / np.sqrt(width)
        else:
            projection = draw.choice([-1.0, 0, 0, 0, 0, 1.0], (wide, width)) * np.sqrt(3 / width)
    variance = float((spread**2).sum())
    kept = float(((spread @ projection) ** 2).sum()) / variance if variance else 1.0
    taken_off = mean if centre and method == "pca" else np.zeros(wide)
    return {"projection": projection.astype(np.float32), "mean": taken_off.astype(np.float32)}, kept


def _signed(directions: Any) -> Any:
    """An eigenvector's sign is free: the largest number of each is made positive, so that it is the same everywhere."""
    largest = np.abs(np.round(directions, 8)).argmax(axis=0)
    signs = np.sign(directions[largest, np.arange(directions.shape[1])])
    return directions * np.where(signs == 0, 1, signs)


def _decompose(full: tuple[Any, Any, Any], width: int, seed: int) -> tuple[dict[str, Any], float]:
    """The leading right singular vectors of weighted features, and the share of the squares that they keep."""
    starts, places, values = full[0], full[1], full[2].copy()
    rows, height = starts.size - 1, 1 << _BITS
    if rows < width + _OVER:
        raise ConfigError(
            f"{rows} documents do not settle {width} directions", f"Ask for at most {max(1, rows - _OVER)}"
        )
    frequency = np.bincount(places, minlength=height)
    idf = (np.log((1 + rows) / (1 + frequency)) + 1).astype(np.float32)
    rescale(starts, places, values, idf)
    draw = np.random.default_rng(seed)
    columns = draw.standard_normal((height, width + _OVER)).astype(np.float32)
    for _ in range(_ROUNDS):
        left = _orthogonal(times(starts, places, values, columns))
        columns = _orthogonal(transposed_times(starts, places, values, left, height))
    small = times(starts, places, values, columns)
    _, sizes, turn = np.linalg.svd(small.astype(np.float64), full_matrices=False)
    projection = _signed(columns.astype(np.float64) @ turn.T[:, :width])
    kept = float((sizes[:width] ** 2).sum() / max(1e-12, float((values.astype(np.float64) ** 2).sum())))
    return {"projection": np.ascontiguousarray(projection, np.float32), "idf": idf}, kept


def _orthogonal(columns: Any) -> Any:
    """Orthonormal columns of the same span, by the products of the columns: float32. A direction that is not there becomes zeros.

    A QR decomposition of so tall an array takes seven times as long (0.88 and 0.13 s for 65,536 by 112, one thread; 2026-11).
    """
    exact = columns.astype(np.float64)
    sizes, turn = np.linalg.eigh(exact.T @ exact)
    there = sizes > 1e-12 * max(float(sizes[-1]), 1e-300)
    return (exact @ (turn * np.where(there, 1 / np.sqrt(np.where(there, sizes, 1)), 0))).astype(np.float32)


def _project_texts(corpus: Corpus, run: Run, out: Any) -> None:
    """Hashed features are cheap to make again: nothing but the projected numbers is kept."""
    folder = run.scratch / "projected"
    folder.mkdir(exist_ok=True)
    pieces = [
        {"part": str(part), "fitted": str(run.out), "out": str(folder / f"part-{number:05d}.npy")}
        for number, part in enumerate(corpus.parts)
    ]
    at = 0
    for piece, count in zip(pieces, run.map(project_part, pieces), strict=True):
        out[at : at + count] = np.load(piece["out"], mmap_mode="r")[:count]
        at += count
        run.progress(at, len(out), "documents projected")


def project_part(piece: dict[str, Any]) -> int:
    """The projected features of one part. What is done already is not done again. Returns the number of its rows."""
    out, file = Path(piece["out"]), pq.ParquetFile(piece["part"])
    rows = int(file.metadata.num_rows)
    if out.exists():
        return rows
    arrays = _load(piece["fitted"])
    found = [np.zeros((0, arrays["projection"].shape[1]), np.float32)]
    for batch in file.iter_batches(1024, columns=["text"]):
        starts, places, values = _features(batch.column(0))
        rescale(starts, places, values, arrays["idf"])
        found.append(times(starts, places, values, arrays["projection"]))
    partial = out.with_suffix(".partial.npy")
    np.save(partial, np.concatenate(found))
    partial.rename(out)
    return rows


def _distortion(full: Any, method: str, small: Any, arrays: Mapping[str, Any]) -> dict[str, float]:
    """By how much the projection moves the cosines of pairs of the sample, and by which factor it stretches their distances."""
    count = min(_PAIRS, len(small))
    if method == "hashed":
        starts, places, values = full
        there, column = np.unique(places[: starts[count]], return_inverse=True)
        dense = np.zeros((count, there.size), np.float32)
        dense[np.repeat(np.arange(count), np.diff(starts[: count + 1])), column] = values[: starts[count]]
    else:
        dense = full[:count] - arrays["mean"]
    one, other = np.triu_indices(count, 1)
    if not one.size:
        return {"cosine_mean": 0.0, "cosine_p95": 0.0, "distance_p05": 1.0, "distance_p95": 1.0, "pairs": 0}
    was, now = (np.asarray(array[:count], np.float64) for array in (dense, small))
    off = np.abs(_cosines(was)[one, other] - _cosines(now)[one, other])
    far = _distances(was)[one, other]
    stretch = _distances(now)[one, other][far > 1e-6] / far[far > 1e-6]
    low, high = np.quantile(stretch, [0.05, 0.95]) if stretch.size else (1.0, 1.0)
    found = {
        "cosine_mean": off.mean(),
        "cosine_p95": np.quantile(off, 0.95),
        "distance_p05": low,
        "distance_p95": high,
        "pairs": one.size,
    }
    return {name: round(float(value), 6) for name, value in found.items()}


def _cosines(rows: Any) -> Any:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(length > 0, length, 1)
    return unit @ unit.T


def _distances(rows: Any) -> Any:
    squares = (rows * rows).sum(axis=1)
    return np.sqrt(np.maximum(0, squares[:, None] + squares[None, :] - 2 * rows @ rows.T))


def _save(arrays: Mapping[str, Any], folder: Path) -> None:
    from safetensors.numpy import save_file

    save_file({name: np.ascontiguousarray(one) for name, one in arrays.items()}, folder / "projection.safetensors")


def _load(folder: str) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return dict(load_file(Path(folder) / "projection.safetensors"))

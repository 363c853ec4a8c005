"""Leaving out lines, sentences or paragraphs that stand elsewhere already: menus, notices, quoted clauses, pasted answers.

A passage is known by a 128-bit hash of what a reader sees of it. The first one stays, in the order of the parts, or none.
With `span` above 1 only runs of so many passages count (C4 takes three sentences: Raffel et al., JMLR 2020). The hashes of a
part are written as a table; which of them stand twice is asked of DuckDB, which goes to disk where memory is bounded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from septet.core import Run
from septet.data import edits, stream
from septet.data.spill import database
from septet.kernels.arrow import texts_of
from septet.kernels.segments import Segments, cut, distinct, repeated, runs, segments
from septet.kinds import Corpus, read_lines, write_lines

NAME, RULE = "data.deduplicate_passages", "repeated passages"
_EXAMPLES = 40
_PART = 1 << 32  # rows are numbered over all parts: part times this, plus the place in it


def apply(corpus: Corpus, known: Sequence[Corpus], settings: Mapping[str, Any], run: Run) -> Corpus:
    """Write the corpus without the passages that it repeats or a known corpus holds; `passages.jsonl` lists the commonest.

    Known corpora come first in the order of the parts, so what they hold has its first place there.
    """
    folder = run.scratch / "passages"
    folder.mkdir(exist_ok=True)
    pieces = [
        {**settings, "part": str(part), "number": number, "out": str(folder / f"part-{number:05d}.done")}
        for number, part in enumerate(part for one in (*known, corpus) for part in one.parts)
    ]
    mine = pieces[len(pieces) - len(corpus.parts) :]
    for number, _ in enumerate(run.map(hash_part, pieces), 1):
        run.progress(number, len(pieces), "parts hashed")
    twice = folder / "repeated.parquet"
    candidates = folder / "candidates.parquet"
    _candidates([Path(piece["out"]) for piece in pieces], candidates, run)
    with database(run) as connection:
        connection.execute(
            "copy (select first, second, min(place) as place, sum(count)::bigint as count from read_parquet(?) "
            "group by first, second having sum(count) >= ? order by first, second) to ? (format parquet)",
            [str(candidates), settings["least_count"], str(twice)],
        )
    passed = stream.over(corpus.parts, run, cut_repeated, [{**piece, "twice": str(twice)} for piece in mine])
    run.drop(f"{settings['unit']}s that stand elsewhere", int(passed.facts.get("passages", 0)), "passages.jsonl")
    share = passed.facts.get("removed", 0) / max(1, passed.facts.get("characters", 0))
    run.note(f"{share:.2%} of the characters were repeated passages")
    write_lines(run.out / "passages.jsonl", _commonest(twice, [Path(piece["out"]) for piece in mine]))
    return Corpus(run.out)


def hash_part(piece: dict[str, Any]) -> int:
    """The passages of one part, kept for the second pass, and a table of the different ones: hashes, how often, where first.
    Returns the number of the different ones."""
    out = Path(piece["out"])
    if out.exists():
        return int(out.read_text("ascii"))
    batches = []
    row = 0
    for batch in pq.ParquetFile(piece["part"]).iter_batches(4096, columns=["text"]):
        found = segments(texts_of(batch.column(0)), piece["unit"])
        batches.append(found._replace(text=found.text + np.int32(row)))
        row += batch.num_rows
    nothing = segments(texts_of([]), piece["unit"])
    whole = Segments(*(np.concatenate(columns) for columns in zip(nothing, *batches, strict=True)))
    for name, column in zip(whole._fields, whole, strict=True):
        np.save(out.with_suffix(f".{name}.npy"), column)
    many = runs(whole, piece["span"])
    places, counts = distinct(many, piece["least_bytes"])
    columns = {
        "first": many.first[places],
        "second": many.second[places],
        "count": counts,
        "place": many.text[places].astype(np.int64) + piece["number"] * _PART,
    }
    for name, column in columns.items():
        np.save(out.with_suffix(f".different.{name}.npy"), column)
    out.write_text(str(places.size), "ascii")
    return int(places.size)


def _candidates(parts: Sequence[Path], out: Path, run: Run) -> None:
    """The passages of all parts that may stand twice, as a table. Most stand once, and a sort of one hash tells them apart
    cheaply; where that would not fit, all are taken, and the database sorts them on disk."""

    def column(part: Path, name: str) -> Any:
        return np.load(part.with_suffix(f".different.{name}.npy"), mmap_mode="r")

    firsts = [column(part, "first") for part in parts]
    twice: Any = None
    if not run.memory_mb or 16 * sum(one.size for one in firsts) < run.memory_mb << 20:
        every = np.sort(np.concatenate(firsts)) if firsts else np.zeros(0, np.uint64)
        twice = np.unique(every[1:][every[1:] == every[:-1]])
    schema = pa.schema([("first", pa.uint64()), ("second", pa.uint64()), ("count", pa.int64()), ("place", pa.int64())])
    with pq.ParquetWriter(out, schema, compression="none", use_dictionary=False) as writer:
        for part, first in zip(parts, firsts, strict=True):
            count = column(part, "count")
            may = slice(None)
            if twice is not None:
                at = np.minimum(np.searchsorted(twice, first), max(0, twice.size - 1))
                may = np.flatnonzero((count > 1) | (twice[at] == first)) if twice.size else np.flatnonzero(count > 1)
            columns = (first[may], column(part, "second")[may], count[may], column(part, "place")[may])
            writer.write_table(pa.table([pa.array(one) for one in columns], schema=schema))


def cut_repeated(settings: Mapping[str, Any]) -> stream.Work:
    """Takes out the passages of a table of repeated ones, except where they stand first."""
    table = pq.read_table(settings["twice"], columns=["first", "second", "place"])
    known = table["first"].to_numpy(), table["second"].to_numpy()
    # Where a passage stays: at its first place, or nowhere.
    kept_at = table["place"].to_numpy() if settings["keep"] == "first" else np.full(table.num_rows, -1)
    span, part = int(settings["span"]), Path(settings["out"])
    whole = Segments(*(np.load(part.with_suffix(f".{name}.npy"), mmap_mode="r") for name in Segments._fields))
    stayed = np.zeros(kept_at.size, np.bool_)
    base = int(settings["number"]) * _PART
    gone = repeated(runs(whole, span), span, int(settings["least_bytes"]), known, kept_at, base, stayed)
    examples = _examples(settings, whole, gone, span)
    told = part.with_suffix(".jsonl")
    told.unlink(missing_ok=True)
    texts, starts, ends = (column[gone] for column in (whole.text, whole.start, whole.end))
    start_bytes, end_bytes = whole.start_byte[gone], whole.end_byte[gone]
    # Neighbours that go together are one span.
    heads = np.flatnonzero(np.r_[True, (texts[1:] != texts[:-1]) | (starts[1:] != ends[:-1])]) if texts.size else texts
    tails = np.r_[heads[1:], texts.size] - 1 if texts.size else texts
    at, span_start, span_end = texts[heads], starts[heads], ends[tails]
    first_byte, last_byte = start_bytes[heads], end_bytes[tails]
    num_gone = np.bincount(texts, minlength=1)

    def work(batch: pa.Table) -> stream.Sorted:
        row = int(batch["row"][0].as_py()) if batch.num_rows else 0
        low, high = np.searchsorted(at, (row, row + batch.num_rows))
        column = pa.concat_arrays(batch["text"].chunks) if batch.num_rows else pa.array([], pa.string())
        for place, start, end, first in examples:
            if not row <= place < row + batch.num_rows:
                continue
            with told.open("a", encoding="utf-8") as file:
                text = column[place - row].as_py()[start:end].strip()[:300]
                file.write(json.dumps({"first": first, "text": text}, ensure_ascii=False) + "\n")
        facts = {"characters": float(pc.sum(pc.utf8_length(column)).as_py() or 0), "removed": 0.0, "passages": 0.0}
        if low == high:
            return stream.Sorted(stream.with_transform(batch, NAME), None, facts)
        facts["removed"] = float((span_end[low:high] - span_start[low:high]).sum())
        facts["passages"] = float(num_gone[row : row + batch.num_rows].sum())
        spans = slice(low, high)
        shorter = cut(texts_of(column), at[spans] - row, first_byte[spans], last_byte[spans])
        buffers = [None, pa.py_buffer(shorter.offsets), pa.py_buffer(shorter.data)]
        new = pa.Array.from_buffers(pa.large_string(), len(column), buffers).cast(pa.string())
        rows, first_of = np.unique(at[spans] - row, return_index=True)
        bounds = np.r_[first_of, high - low] + low
        new_edits = batch["edits"].to_pylist()
        for number, index in enumerate(rows.tolist()):
            inside = slice(bounds[number], bounds[number + 1])
            went = [(a, b, 0) for a, b in zip(span_start[inside].tolist(), span_end[inside].tolist(), strict=True)]
            new_edits[index] = edits.encode(edits.compose(edits.decode(new_edits[index]), went))
        left_over = pc.utf8_length(pc.utf8_trim_whitespace(new)).to_numpy()
        keep = np.ones(batch.num_rows, bool)
        keep[rows] = left_over[rows] >= settings["least_left"]
        lengths, before = pc.utf8_length(new).to_numpy()[~keep], pc.utf8_length(column).to_numpy()[~keep]
        shares = (1 - lengths / np.maximum(1, before)).tolist()
        kept, left = stream.split(batch, keep, [RULE] * len(shares), shares)
        mask = pa.array(keep)
        for name, values in (("text", new), ("edits", pa.array(new_edits, pa.string()))):
            kept = kept.set_column(kept.schema.get_field_index(name), name, values.filter(mask))
        return stream.Sorted(stream.with_transform(kept, NAME), left, facts)

    return work


def _examples(settings: Mapping[str, Any], whole: Segments, gone: Any, span: int) -> list[tuple[int, int, int, int]]:
    """One copy in this part of each of the commonest passages: its row, first and last character, and its hash."""
    asked = pq.read_table(settings["twice"]).sort_by([("count", "descending"), ("first", "ascending")])
    many = runs(whole, span)
    places = np.flatnonzero(gone[: many.first.size])
    places = places[np.isin(many.first[places], asked["first"].slice(0, _EXAMPLES).to_numpy())]
    _, once = np.unique(many.first[places], return_index=True)
    chosen = places[once]
    columns = (many.text[chosen], many.start[chosen], many.end[chosen], many.first[chosen])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _commonest(twice: Path, parts: list[Path]) -> list[dict[str, Any]]:
    """Count and words of the commonest repeated passages."""
    words = {line["first"]: line["text"] for part in reversed(parts) for line in read_lines(part.with_suffix(".jsonl"))}
    asked = pq.read_table(twice).sort_by([("count", "descending"), ("first", "ascending")]).slice(0, _EXAMPLES)
    return [
        {"count": int(row["count"]), "text": words[row["first"]]} for row in asked.to_pylist() if row["first"] in words
    ]

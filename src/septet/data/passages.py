"""Leaving out lines, sentences or paragraphs that stand elsewhere already: menus, notices, quoted clauses, pasted answers.

A passage is known by a 128-bit hash of what a reader sees of it. The first one stays, in the order of the parts, or none.
With `span` above 1 only runs of so many passages count (C4 takes three sentences: Raffel et al., JMLR 2020). The hashes of a
part are kept in a file. Small counters tell most passages that stand once; the rest is grouped by its full hashes, one range of
them at a time where memory is bounded.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from septet.core import Run
from septet.data import stream
from septet.detect import edits
from septet.files import read_lines, write_lines
from septet.kernels.arrow import texts_of
from septet.kernels.segments import (
    SEGMENT,
    begins_of,
    characters,
    cut,
    distinct,
    marked,
    may_repeat,
    repeated,
    room_for,
    run_together,
    segments,
)
from septet.kinds import Corpus

NAME, RULE = "data.deduplicate_passages", "repeated passages"
_EXAMPLES = 40
_PART = 1 << 32  # rows are numbered over all parts: part times this, plus the place in it
# Bytes that a passage may take while it is grouped: its place, hashes and counts, and what sorting needs.
_GROUPED_BYTES = 128
_NONE = np.zeros(0, np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.int64)


def apply(corpus: Corpus, known: Sequence[Corpus], settings: Mapping[str, Any], run: Run) -> Corpus:
    """Write the corpus without the passages that it repeats or a known corpus holds; `passages.jsonl` lists the commonest.

    Known corpora come first in the order of the parts, so what they hold has its first place there.
    """
    folder = run.scratch / "passages"
    folder.mkdir(exist_ok=True)
    twice = folder / "repeated"
    pieces = [
        {
            **settings,
            "part": str(part),
            "number": number,
            "out": str(folder / f"part-{number:05d}"),
            "twice": str(twice),
        }
        for number, part in enumerate(part for one in (*known, corpus) for part in one.parts)
    ]
    mine = pieces[len(pieces) - len(corpus.parts) :]
    for number, _ in enumerate(run.map(hash_part, pieces), 1):
        run.progress(number, len(pieces), "parts hashed")
    grouped([Path(piece["out"]) for piece in pieces], settings, run.memory_mb << 20).save(twice)
    passed = stream.over(corpus.parts, run, cut_repeated, mine)
    run.drop(f"{settings['unit']}s that stand elsewhere", int(passed.facts.get("passages", 0)), "passages.jsonl")
    share = passed.facts.get("removed", 0) / max(1, passed.facts.get("characters", 0))
    run.note(f"{share:.2%} of the characters were repeated passages")
    write_lines(run.out / "passages.jsonl", _told(Repeated.load(twice), [Path(piece["out"]) for piece in mine]))
    return Corpus(run.out)


class Repeated(NamedTuple):
    """The passages that stand often enough, sorted by the first hash: their hashes, the row where each stands first, and how often
    it stands; where the hashes begin (see `begins_of`); and which are the commonest."""

    first: Any
    second: Any
    place: Any
    count: Any
    begins: Any
    common: Any

    def save(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for name, column in self._asdict().items():
            np.save(folder / f"{name}.npy", column)

    @classmethod
    def load(cls, folder: Path) -> Repeated:
        return cls(*(np.load(folder / f"{name}.npy") for name in cls._fields))


def hash_part(piece: dict[str, Any]) -> int:
    """The passages of one part, in a file. Returns their number."""
    out, done = Path(piece["out"]), Path(piece["out"]).with_suffix(".done")
    if done.exists():
        return int(done.read_text("ascii"))
    row = count = 0
    room = None
    with out.open("wb") as file:
        for batch in pq.ParquetFile(piece["part"]).iter_batches(1024, columns=["text"], use_threads=False):
            texts = texts_of(batch.column(0))
            # Written into new memory, the segments would take twice the time.
            room = room_for(texts, room)
            found = segments(texts, piece["unit"], room)
            run_together(found, piece["span"])
            found["text"] += row
            file.write(found.data)
            row += batch.num_rows
            count += found.size
    done.write_text(str(count), "ascii")
    return count


def _passages(part: Path) -> Any:
    """The passages that `hash_part` kept."""
    # As a plain array: each look at a field of a memmap makes another memmap.
    return np.asarray(np.memmap(part, SEGMENT, "r")) if part.stat().st_size else np.zeros(0, SEGMENT)


def grouped(parts: Sequence[Path], settings: Mapping[str, Any], memory: int) -> Repeated:
    """The passages that stand often enough. `memory` in bytes; 0: no bound."""
    every = [_passages(part) for part in parts]
    total = sum(one.size for one in every)
    # Eight counters a passage: one in sixteen is taken for repeated that is not, and found out when they are grouped.
    num_bytes = 1 << max(10, (2 * total).bit_length())
    if memory:
        num_bytes = min(num_bytes, 1 << max(10, (memory // 8).bit_length()))
    slots = np.zeros(num_bytes, np.uint8)
    least = int(settings["least_bytes"])
    for one in every:
        marked(one, least, slots)
    num_ranges = 1 + (2 * total * _GROUPED_BYTES // memory if memory else 0)
    bounds = [number * (1 << 64) // num_ranges for number in range(num_ranges + 1)]
    groups = []
    for low, high in itertools.pairwise(bounds):
        chosen = [
            may_repeat(one, least, slots, low, high - 1, number * _PART) for number, one in enumerate(every) if one.size
        ]
        first, second, place = (np.concatenate(column) for column in zip(*chosen, strict=True)) if chosen else _NONE
        places, counts = distinct(first, second)
        often = counts >= settings["least_count"]
        places, counts = places[often], counts[often]
        order = np.argsort(first[places], kind="stable")
        places, counts = places[order], counts[order]
        groups.append((first[places], second[places], place[places], counts))
    first, second, place, counts = (np.concatenate(column) for column in zip(*groups, strict=True))
    return Repeated(first, second, place, counts, begins_of(first), _commonest(first, counts))


def cut_repeated(settings: Mapping[str, Any]) -> stream.Work:
    """Takes out the passages of a table of repeated ones, except where they stand first."""
    table = Repeated.load(Path(settings["twice"]))
    known = table.first, table.second, table.begins
    # Where a passage stays: at its first place, or nowhere.
    kept_at = table.place if settings["keep"] == "first" else np.full(table.place.size, -1)
    span, part = int(settings["span"]), Path(settings["out"])
    whole = _passages(part)
    gone = repeated(whole, span, int(settings["least_bytes"]), known, kept_at, int(settings["number"]) * _PART)
    examples = _examples(table, whole, gone, span)
    told = part.with_suffix(".jsonl")
    told.unlink(missing_ok=True)
    going = whole[np.flatnonzero(gone)]
    rows, starts, ends = (going[name].astype(np.int64) for name in ("text", "start", "end"))
    # Neighbours that go together are one span.
    heads = np.flatnonzero(np.r_[True, (rows[1:] != rows[:-1]) | (starts[1:] != ends[:-1])]) if rows.size else rows
    tails = np.r_[heads[1:], rows.size] - 1 if rows.size else rows
    at, starts, ends = rows[heads], starts[heads], ends[tails]

    def work(batch: pa.Table) -> stream.Sorted:
        row = int(batch["row"][0].as_py()) if batch.num_rows else 0
        span_of = slice(*np.searchsorted(at, (row, row + batch.num_rows)))
        column = pa.concat_arrays(batch["text"].chunks) if batch.num_rows else pa.array([], pa.string())
        texts = texts_of(column)
        for place, start, end, first in examples:
            if row <= place < row + batch.num_rows:
                begin = texts.offsets[place - row]
                text = texts.data[begin + start : begin + end].tobytes().decode().strip()[:300]
                with told.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"first": first, "text": text}, ensure_ascii=False) + "\n")
        facts = {"characters": float(characters(texts)), "removed": 0.0, "passages": 0.0}
        if span_of.start == span_of.stop:
            return stream.Sorted(stream.with_transform(batch, NAME), None, facts)
        shorter, first, last = cut(texts, at[span_of] - row, starts[span_of], ends[span_of])
        facts["removed"] = float((last - first).sum())
        facts["passages"] = float(np.diff(np.searchsorted(rows, (row, row + batch.num_rows)))[0])
        changed, heads = np.unique(at[span_of] - row, return_index=True)
        buffers = [None, pa.py_buffer(shorter.offsets.astype(np.int32)), pa.py_buffer(shorter.data)]
        new = pa.Array.from_buffers(pa.string(), len(column), buffers)
        kept = _put(batch, "text", new)
        kept = _put(kept, "edits", _edited(batch["edits"], changed, heads, first, last))
        left = None
        rest = new.take(pa.array(changed)).to_pylist()
        short = np.array([len(text.strip()) < settings["least_left"] for text in rest])
        if short.any():
            # What is left out is kept as it came.
            went, lengths = np.add.reduceat(last - first, heads)[short], np.array([len(text) for text in rest])[short]
            shares = (1 - lengths / np.maximum(1, lengths + went)).tolist()
            gone_rows = changed[short]
            none = np.zeros(gone_rows.size, bool)
            _, left = stream.split(batch.take(pa.array(gone_rows)), none, [RULE] * len(shares), shares)
            keep = np.ones(batch.num_rows, bool)
            keep[gone_rows] = False
            kept = kept.filter(pa.array(keep))
        return stream.Sorted(stream.with_transform(kept, NAME), left, facts)

    return work


def _put(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def _edited(column: pa.ChunkedArray, rows: Any, heads: Any, first: Any, last: Any) -> pa.Array:
    """The edits of a batch, with spans that went added: those of `rows[n]` begin at `heads[n]`."""
    starts, ends, bounds = first.tolist(), last.tolist(), [*heads.tolist(), first.size]
    new = edits.encode_cuts(starts, ends, bounds)
    for number, before in enumerate(column.take(pa.array(rows)).to_pylist()):
        if before:
            span_of = slice(bounds[number], bounds[number + 1])
            went = [(start, end, 0) for start, end in zip(starts[span_of], ends[span_of], strict=True)]
            new[number] = edits.encode(edits.compose(edits.decode(before), went))
    mask = np.zeros(len(column), bool)
    mask[rows] = True
    return pc.replace_with_mask(column.combine_chunks(), pa.array(mask), pa.array(new, pa.string()))


def _examples(table: Repeated, whole: Any, gone: Any, span: int) -> list[tuple[int, int, int, int]]:
    """One copy in this part of each of the commonest passages: its row, first and last byte, and its hash."""
    places = np.flatnonzero(gone[: max(0, gone.size - span + 1)])
    places = places[np.isin(whole["first"][places], table.first[table.common])]
    _, once = np.unique(whole["first"][places], return_index=True)
    chosen = places[once]
    columns = (whole["text"][chosen], whole["start"][chosen], whole["end"][chosen + span - 1], whole["first"][chosen])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _commonest(first: Any, counts: Any) -> Any:
    """Places of the commonest passages, in order."""
    able = np.arange(first.size)
    if first.size > _EXAMPLES:
        able = np.flatnonzero(counts >= np.partition(counts, -_EXAMPLES)[-_EXAMPLES])
    return able[np.lexsort((first[able], -counts[able]))[:_EXAMPLES]]


def _told(table: Repeated, parts: list[Path]) -> list[dict[str, Any]]:
    """Count and words of the commonest repeated passages."""
    words = {line["first"]: line["text"] for part in reversed(parts) for line in read_lines(part.with_suffix(".jsonl"))}
    return [
        {"count": count, "text": words[first]}
        for first, count in zip(table.first[table.common].tolist(), table.count[table.common].tolist(), strict=True)
        if first in words
    ]

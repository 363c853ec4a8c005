"""Leaving out lines, sentences or paragraphs that stand elsewhere already: menus, notices, quoted clauses, pasted answers.

A passage is known by a 128-bit hash of what a reader sees of it. The first one stays, in the order of the parts, or none.
With `span` above 1 only runs of so many passages count (C4 takes three sentences: Raffel et al., JMLR 2020). The hashes of a
part are written as a table; which of them stand twice is asked of DuckDB, which goes to disk where memory is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from septet.core import Run
from septet.data import edits, stream
from septet.data.spill import database
from septet.kernels.arrow import texts_of
from septet.kernels.segments import repeated, runs, segments
from septet.kinds import Corpus, write_lines

RULE = "repeated passages"
_EXAMPLES = 40
_PART = 1 << 32  # rows are numbered over all parts: part times this, plus the place in it


def apply(corpus: Corpus, settings: Mapping[str, Any], run: Run) -> Corpus:
    """Write the corpus without the passages that are repeated; `passages.jsonl` lists the commonest with their counts."""
    folder = run.scratch / "passages"
    folder.mkdir(exist_ok=True)
    pieces = [
        {**settings, "part": str(part), "number": number, "out": str(folder / f"part-{number:05d}.parquet")}
        for number, part in enumerate(corpus.parts)
    ]
    for number, _ in enumerate(run.map(hash_part, pieces), 1):
        run.progress(number, len(pieces), "parts hashed")
    twice = folder / "repeated.parquet"
    with database(run) as connection:
        connection.execute(
            f"copy (select first, second, min(part * {_PART} + place) as place, sum(count)::bigint as count "
            "from read_parquet(?) group by first, second having sum(count) >= ? order by first, second) "
            "to ? (format parquet)",
            [[piece["out"] for piece in pieces], settings["least_count"], str(twice)],
        )
    per_part = [
        {**settings, "repeated": str(twice), "number": number, "scratch": str(folder)} for number in range(len(pieces))
    ]
    passed = stream.over(corpus.parts, run, cut_repeated, per_part)
    run.drop(f"{settings['unit']}s that stand elsewhere", int(passed.facts.get("passages", 0)), "passages.jsonl")
    if passed.facts.get("bytes"):
        run.note(f"{passed.facts['removed_bytes'] / passed.facts['bytes']:.2%} of the bytes were repeated passages")
    _examples(corpus, twice, settings, run)
    return Corpus(run.out)


def hash_part(piece: dict[str, Any]) -> int:
    """The different passages of one part: hashes, how often, and the place of the first. Returns their number."""
    out = Path(piece["out"])
    if out.exists():
        return int(pq.ParquetFile(out).metadata.num_rows)
    firsts, seconds, places = [], [], []
    row = 0
    for batch in pq.ParquetFile(piece["part"]).iter_batches(4096, columns=["text"]):
        found = runs(segments(texts_of(batch.column(0)), piece["unit"]), piece["span"])
        long = found.size >= piece["least_bytes"]
        firsts.append(found.first[long])
        seconds.append(found.second[long])
        places.append((found.text[long] + row).astype(np.uint64))
        row += batch.num_rows
    first, second, place = (np.concatenate(one) if one else np.zeros(0, np.uint64) for one in (firsts, seconds, places))
    order = np.lexsort((place, second, first))
    first, second, place = first[order], second[order], place[order]
    heads = (
        np.flatnonzero(np.r_[True, (first[1:] != first[:-1]) | (second[1:] != second[:-1])]) if first.size else order
    )
    counts = np.diff(np.r_[heads, first.size])
    table = pa.table(
        {
            "first": first[heads],
            "second": second[heads],
            "count": counts.astype(np.int64),
            "part": np.full(heads.size, piece["number"], np.int64),
            "place": place[heads].astype(np.int64),
        }
    )
    partial = out.with_suffix(".partial")
    pq.write_table(table, partial, compression="none", use_dictionary=False)
    partial.rename(out)
    return int(heads.size)


def cut_repeated(settings: Mapping[str, Any]) -> stream.Work:
    """Takes out the passages of a table of repeated ones, except where they stand first."""
    table = pq.read_table(settings["repeated"], columns=["first", "second", "place"])
    known = table["first"].to_numpy(), table["second"].to_numpy()
    # Where a passage stays: at its first place, or nowhere.
    kept_at = table["place"].to_numpy() if settings["keep"] == "first" else np.full(table.num_rows, -1)
    stayed = np.zeros(kept_at.size, np.bool_)
    span, least = int(settings["span"]), int(settings["least_bytes"])

    def work(batch: pa.Table) -> stream.Sorted:
        column = batch["text"].combine_chunks()
        texts = texts_of(column)
        found = segments(texts, settings["unit"])
        base = int(settings["number"]) * _PART + (int(batch["row"][0].as_py()) if batch.num_rows else 0)
        gone = repeated(runs(found, span), span, least, known, kept_at, base, stayed)
        rows = np.unique(found.text[gone])
        if not rows.size:
            return stream.Sorted(
                stream.with_transform(batch, "data.deduplicate_passages"), None, {"bytes": texts.num_bytes}
            )
        new_texts, new_edits, dropped, shares = column.to_pylist(), batch["edits"].to_pylist(), [], []
        removed_bytes = 0
        for index in rows:
            low, high = np.searchsorted(found.text, (index, index + 1))
            inside = low + np.flatnonzero(gone[low:high])
            raw = new_texts[index].encode()
            spans = _characters(raw, [(int(found.start[k]), int(found.end[k])) for k in inside])
            cut_bytes = int(sum(found.end[k] - found.start[k] for k in inside))
            removed_bytes += cut_bytes
            text, made = edits.cut(new_texts[index], spans)
            if len(text.strip()) < settings["least_left"]:
                dropped.append(int(index))
                shares.append(cut_bytes / max(1, len(raw)))
                continue
            new_texts[index] = text
            new_edits[index] = edits.encode(edits.compose(edits.decode(new_edits[index] or ""), made))
        facts = {"passages": float(gone.sum()), "bytes": float(texts.num_bytes), "removed_bytes": float(removed_bytes)}
        keep = np.ones(batch.num_rows, bool)
        keep[dropped] = False
        kept, left = stream.split(batch, keep, [RULE] * len(dropped), shares)
        mask = pa.array(keep)
        for name, values in (("text", new_texts), ("edits", new_edits)):
            kept = kept.set_column(kept.schema.get_field_index(name), name, pa.array(values, pa.string()).filter(mask))
        return stream.Sorted(stream.with_transform(kept, "data.deduplicate_passages"), left, facts)

    return work


def _characters(raw: bytes, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Byte spans, in order, as character spans."""
    out = []
    at = place = 0
    for start, end in spans:
        place += len(raw[at:start].decode())
        length = len(raw[start:end].decode())
        out.append((place, place + length))
        place += length
        at = end
    return out


def _examples(corpus: Corpus, twice: Path, settings: Mapping[str, Any], run: Run) -> None:
    """The commonest repeated passages in their words, as a person wants to see what went."""
    with database(run) as connection:
        wanted = connection.execute(
            "select first, second, count, place from read_parquet(?) order by count desc, first, second limit ?",
            [str(twice), _EXAMPLES],
        ).fetchall()
    examples = []
    for first, second, count, place in wanted:
        text = _text_at(corpus.parts[place // _PART], place % _PART)
        found = segments(texts_of([text]), settings["unit"])
        many = runs(found, int(settings["span"]))
        at = int(np.flatnonzero((many.first == np.uint64(first)) & (many.second == np.uint64(second)))[0])
        passage = text.encode()[int(many.start[at]) : int(many.end[at])].decode().strip()
        examples.append({"count": count, "text": passage[:300]})
    write_lines(run.out / "passages.jsonl", examples)


def _text_at(part: Path, row: int) -> str:
    file = pq.ParquetFile(part)
    for group in range(file.metadata.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if row < size:
            return str(file.read_row_group(group, columns=["text"])["text"][row].as_py())
        row -= size
    raise IndexError(f"{part} has no row {row}")

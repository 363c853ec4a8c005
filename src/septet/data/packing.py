"""Packing documents into rows of tokens, in three passes that hold no more than a part or a shard in memory.

Parts are encoded side by side into files of tokens; pieces are placed by best fit over their lengths alone; shards are written
side by side from the mapped files. What is done survives a kill, and the shards are the same bytes whatever the number of
workers, the memory or the encoder. Each document ends with the end token, and begins with the begin token where the tokenizer
has one; only a document longer than a row is cut, and no token is dropped. What is left of a row is padding.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from septet.core import ConfigError, MissingExtra, Run, StepFailed
from septet.data import encoders
from septet.data.shards import PLACED, write_shard
from septet.kernels.packing import best_fit, cut
from septet.kinds import Corpus, Tokenizer, Tokens, read_json, write_json

_MIB = 1 << 20
_TEXT_BYTES = 4 << 20
"""Text that is encoded at once: the reference takes about 100 bytes of memory a token."""
_GROUP_PIECES = 1 << 22
"""Pieces that are fitted together, about 300 MiB of work; more are fitted group by group, at no measurable padding."""
_CHECKED = 128
"""One document of so many is encoded by the reference too, so that an encoder that differs on rare text is found out."""


class Marks(NamedTuple):
    """The ids that stand between documents; `begin` is -1 where there is none."""

    pad: int
    begin: int
    end: int
    vocabulary: int
    """One more than the largest id."""


def marks_of(tokenizer: Tokenizer, pad: str, begin: str, end: str) -> Marks:
    """The ids of the named tokens, or of those that the tokenizer's config names for the roles.

    Raises ConfigError where there is no end or no padding of its own: a padding that also ends documents would not be learned.
    """
    from tokenizers import Tokenizer as Reader

    encoders.plain(tokenizer.path / "tokenizer.json")  # says in words what is wrong with the file
    reader = Reader.from_file(str(tokenizer.path / "tokenizer.json"))
    config = tokenizer.path / "tokenizer_config.json"
    said = dict(read_json(config)) if config.is_file() else {}
    ids: dict[str, int] = {}
    for role, name, key in (("pad", pad, "pad_token"), ("begin", begin, "bos_token"), ("end", end, "eos_token")):
        found = name or _name(said.get(key))
        identity = reader.token_to_id(found) if found else None
        if identity is None and (name or role != "begin"):
            raise ConfigError(
                f"the tokenizer has no {role} token" + (f" '{found}'" if found else ""),
                f"Name one of its tokens as `{role}`, or train one with data.tokenizer",
            )
        ids[role] = -1 if identity is None else int(identity)
    if ids["pad"] in (ids["begin"], ids["end"]):
        raise ConfigError(
            "the padding token also begins or ends documents, so a model would never learn that one",
            "Name another special token of the tokenizer as `pad`",
        )
    return Marks(**ids, vocabulary=max(reader.get_vocab(with_added_tokens=True).values()) + 1)


def _name(value: Any) -> str:
    return str(value.get("content", "")) if isinstance(value, dict) else str(value or "")


def pack(corpus: Corpus, tokenizer: Tokenizer, marks: Marks, sequence: int, shard_mb: int, run: Run) -> Tokens:
    """Write the shards, `documents.parquet` and `meta.json`. Raises StepFailed for a corpus without documents."""
    kind = "uint16" if marks.vocabulary <= 1 << 16 else "uint32"
    encoded = _encoded(corpus, tokenizer, marks, kind, run)
    documents = sum(part["documents"] for part in encoded.parts)
    if not documents:
        raise StepFailed(
            "the corpus holds no document to pack", "Look at what was left out: septet show the step before"
        )
    rows, pieces, bounds = _plan(encoded.folder, encoded.parts, sequence, shard_mb, kind, run)
    shards = []
    done = 0
    for number, made in enumerate(
        run.map(write_shard, _shards(encoded.folder, bounds, sequence, marks.pad, kind, run))
    ):
        shards.append({"file": f"tokens-{number:05d}.bin", "rows": made["rows"], "sha256": made["sha256"]})
        done += made["rows"]
        run.progress(done, rows, "rows written")
    _placed(run, len(shards))
    tokens = sum(part["tokens"] for part in encoded.parts)
    write_json(
        run.out / "meta.json",
        {
            "sequence": sequence,
            "rows": rows,
            "dtype": kind,
            "vocabulary": marks.vocabulary,
            "documents": documents,
            "pieces": pieces,
            "tokens": tokens,
            "bytes": sum(part["bytes"] for part in encoded.parts),
            "padding": rows * sequence - tokens,
            "pad": marks.pad,
            "begin": marks.begin if marks.begin >= 0 else None,
            "end": marks.end,
            "shards": shards,
        },
    )
    return Tokens(run.out)


class _Encoded(NamedTuple):
    folder: Path
    parts: list[dict[str, Any]]


def _encoded(corpus: Corpus, tokenizer: Tokenizer, marks: Marks, kind: str, run: Run) -> _Encoded:
    """The parts as files of tokens. An encoder that gives other ids than the reference anywhere is not used anywhere."""
    content = encoders.plain(tokenizer.path / "tokenizer.json")
    kept = run.scratch / "encoder"
    if not kept.exists():  # a second run goes on with what the first one chose
        kept.write_text(encoders.choose(content, sample_of(corpus, encoders.SAMPLE_BYTES), run, encoders.FAST), "utf-8")
    name = kept.read_text("utf-8")
    for chosen in dict.fromkeys((name, encoders.REFERENCE)):
        folder = run.scratch / f"encoded-{chosen}"
        pieces = [
            {
                "part": str(part),
                "out": str(folder / f"part-{number:05d}"),
                "tokenizer": str(tokenizer.path / "tokenizer.json"),
                "encoder": chosen,
                "threads": run.workers == 1,
                "marks": list(marks),
                "dtype": kind,
            }
            for number, part in enumerate(corpus.parts)
        ]
        total, done = corpus.count(), 0
        parts = []
        for result in run.map(encode_part, pieces):
            parts.append(result)
            done += result["documents"]
            run.progress(done, total, "documents encoded")
        if all(part["equal"] for part in parts):
            break
        run.note(f"{chosen} gave other ids than {encoders.REFERENCE} on a document; all is encoded by the latter")
    return _Encoded(folder, parts)


def sample_of(corpus: Corpus, size: int) -> list[str]:
    """Documents from places spread over the corpus, about `size` bytes in all; each is cut to 64 Ki characters."""
    texts: list[str] = []
    taken = 0
    groups = [(part, g) for part in corpus.parts for g in range(pq.ParquetFile(part).metadata.num_row_groups)]
    chosen = groups[:: max(1, len(groups) // 8)]
    for part, group in chosen:
        column = pq.ParquetFile(part).read_row_group(group, columns=["text"])["text"]
        here = 0
        for row in np.random.default_rng(len(column)).permutation(len(column)).tolist():
            text = (column[row].as_py() or "")[: 1 << 16]
            texts.append(text)
            here += len(text.encode())
            if here >= size // len(chosen):
                break
        taken += here
    return texts


def encode_part(piece: Mapping[str, Any]) -> dict[str, Any]:
    """Encode one part into `tokens.bin`, `lengths.npy` and `names.arrow`. What is done already is not done again."""
    out = Path(piece["out"])
    done = out / "done.json"
    if done.exists():
        return dict(json.loads(done.read_bytes()))
    out.mkdir(parents=True, exist_ok=True)
    content = encoders.plain(Path(piece["tokenizer"]))
    reference = encoders.encoder(encoders.REFERENCE, content)
    try:
        encode = encoders.encoder(piece["encoder"], content, piece["threads"])
    except MissingExtra:  # on another machine; the reference gives the same
        encode = reference
    marks = Marks(*piece["marks"])
    lengths = [np.zeros(0, np.int64)]
    row = size = 0
    same = True
    with (
        (out / "tokens.bin").open("wb") as file,
        pa.ipc.new_file(str(out / "names.arrow"), pa.schema([("document", pa.string())])) as names,
    ):
        for table, num_bytes in _batches(Path(piece["part"])):
            texts = ["" if text is None else text for text in table["text"].to_pylist()]
            ids, offsets = encode(texts)
            size += num_bytes
            if encode is not reference:
                checked = [
                    at for at in range(len(texts)) if (row + at) * 2654435761 % (1 << 32) < (1 << 32) // _CHECKED
                ]
                same = same and _same(ids, offsets, checked, reference([texts[at] for at in checked]))
            framed, counts = _framed(ids, offsets, marks)
            file.write(framed.astype(np.dtype(piece["dtype"]).newbyteorder("<")).tobytes())
            lengths.append(counts)
            names.write_table(table.select(["id"]).rename_columns(["document"]))
            row += len(texts)
            if not same:
                break
    every = np.concatenate(lengths)
    np.save(out / "lengths.npy", every)
    result = {"documents": row, "tokens": int(every.sum()), "bytes": size, "equal": same}
    if same:
        partial = out / "done.partial"
        partial.write_text(json.dumps(result), "utf-8")
        partial.rename(done)
    return result


def _batches(part: Path) -> Iterator[tuple[pa.Table, int]]:
    """Rows of a part with about as much text as is encoded at once, and its bytes."""
    for batch in pq.ParquetFile(part).iter_batches(2048, columns=["id", "text"]):
        table = pa.Table.from_batches([batch]).cast(pa.schema([("id", pa.string()), ("text", pa.large_string())]))
        sizes = pc.fill_null(pc.binary_length(table["text"]), 0).to_numpy()
        ends = np.cumsum(sizes)
        start = 0
        while start < table.num_rows:
            before = int(ends[start - 1]) if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, before + _TEXT_BYTES, side="right")))
            yield table.slice(start, stop - start), int(ends[stop - 1]) - before
            start = stop


def _same(ids: Any, offsets: Any, checked: Sequence[int], wanted: tuple[Any, Any]) -> bool:
    return all(
        np.array_equal(ids[offsets[at] : offsets[at + 1]], wanted[0][wanted[1][n] : wanted[1][n + 1]])
        for n, at in enumerate(checked)
    )


def _framed(ids: Any, offsets: Any, marks: Marks) -> tuple[Any, Any]:
    """The ids of documents with their begin and end tokens, and the number of each document's."""
    first = int(marks.begin >= 0)
    counts = np.diff(offsets) + first + 1
    ends = np.cumsum(counts)
    framed = np.empty(int(ends[-1]) if ends.size else 0, np.uint32)
    inside = np.ones(framed.size, np.bool_)
    inside[ends - 1] = False
    if first:
        inside[ends - counts] = False
        framed[ends - counts] = marks.begin
    framed[ends - 1] = marks.end
    framed[inside] = ids
    return framed, counts


def _plan(
    folder: Path, parts: Sequence[Mapping[str, Any]], sequence: int, shard_mb: int, kind: str, run: Run
) -> tuple[int, int, list[tuple[int, int, int, int]]]:
    """Place every piece; the places go to `plan.bin`, rows in order. Returns the rows, the pieces and, for each shard, its
    first and last row and its first and last piece."""
    lengths, numbers, rows, pieces = [], [], 0, 0
    row_files: list[Any] = []
    pending = 0
    with (folder / "plan.bin").open("wb") as file:
        for number in range(len(parts)):
            mine = np.load(folder / f"part-{number:05d}" / "lengths.npy")
            lengths.append(mine)
            numbers.append(number)
            pending += int((-(-mine // sequence)).sum())
            if pending < _GROUP_PIECES and number + 1 < len(parts):
                continue
            placed, group_rows = _group(lengths, numbers, sequence)
            placed["row"] += rows
            placed.tofile(file)
            row_files.append(placed["row"].copy())
            rows += group_rows
            pieces += placed.size
            lengths, numbers, pending = [], [], 0
            run.progress(number + 1, len(parts), "parts placed")
    a_shard = max(1, shard_mb * _MIB // (sequence * np.dtype(kind).itemsize))
    starts = list(range(0, rows, a_shard))
    bounds = np.zeros(len(starts) + 1, np.int64)
    for group in row_files:
        bounds += np.searchsorted(group, [*starts, rows])
    ends = [*starts[1:], rows]
    return (
        rows,
        pieces,
        [
            (start, end, int(bounds[n]), int(bounds[n + 1]))
            for n, (start, end) in enumerate(zip(starts, ends, strict=True))
        ],
    )


def _group(lengths: Sequence[Any], numbers: Sequence[int], sequence: int) -> tuple[Any, int]:
    every = np.concatenate(lengths)
    document, offset, size = cut(every, sequence)
    row, start, rows = best_fit(size, sequence)
    order = np.argsort(row, kind="stable")
    part = np.repeat(np.asarray(numbers, np.int32), [one.size for one in lengths])
    inside = np.concatenate([np.arange(one.size, dtype=np.int64) for one in lengths])
    begins = np.concatenate([np.cumsum(one) - one for one in lengths])
    placed = np.empty(row.size, PLACED)
    document, offset = document[order], offset[order]
    placed["row"], placed["start"], placed["size"] = row[order], start[order], size[order]
    placed["part"], placed["document"] = part[document], inside[document]
    placed["offset"], placed["source"] = offset, begins[document] + offset
    return placed, int(rows)


def _shards(
    folder: Path, bounds: Sequence[tuple[int, int, int, int]], sequence: int, pad: int, kind: str, run: Run
) -> list[dict[str, Any]]:
    out = run.scratch / "shards"
    out.mkdir(exist_ok=True)
    return [
        {
            "folder": str(folder),
            "out": str(out / f"{number:05d}"),
            "bounds": list(bound),
            "sequence": sequence,
            "pad": pad,
            "dtype": kind,
        }
        for number, bound in enumerate(bounds)
    ]


def _placed(run: Run, count: int) -> None:
    """Put the shards into the result and the tables of their documents into one."""
    writer: Any = None
    for number in range(count):
        made = run.scratch / "shards" / f"{number:05d}"
        _link(made / "tokens.bin", run.out / f"tokens-{number:05d}.bin")
        table = pq.read_table(made / "documents.parquet")
        if writer is None:
            writer = pq.ParquetWriter(run.out / "documents.parquet", table.schema, compression="zstd")
        writer.write_table(table)
    writer.close()


def _link(source: Path, target: Path) -> None:
    """A link rather than a move: the scratch folder must stay whole until the result is sealed."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)

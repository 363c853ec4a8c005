"""Encoding a part of a corpus into a file of tokens, with the length and the name of each document beside it.

A document is framed by the begin token, where the tokeniser has one, and the end token. Special tokens that a text spells out are
text. Some documents are encoded by the reference too, so that an encoder that differs on rare text is found out in the work.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from septet.core import ConfigError, MissingExtra
from septet.data import encoders
from septet.files import read_json
from septet.kinds import Corpus, Tokenizer

_TEXT_BYTES = 4 << 20
"""Text that is encoded at once: the reference takes about 100 bytes of memory a token."""
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
            try:
                ids, offsets = encode(texts)
            except BaseException as error:
                # A fault in the compiled part of a fast encoder derives from BaseException; the reference does it then.
                if encode is reference or isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
                    raise
                same = False
                break
            size += num_bytes
            if encode is not reference:
                checked = [
                    at for at in range(len(texts)) if (row + at) * 2654435761 % (1 << 32) < (1 << 32) // _CHECKED
                ]
                same = len(offsets) == len(texts) + 1 and _same(
                    ids, offsets, checked, reference([texts[at] for at in checked])
                )
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
    return len(wanted[1]) == len(checked) + 1 and all(
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

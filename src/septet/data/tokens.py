"""Training a byte-level BPE tokeniser, and packing documents into rows of tokens.

Byte-level BPE (Radford et al., 2019): every text is encoded, none as unknown. The cut keeps words with their blank and takes
digits singly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from septet.core import ConfigError
from septet.kinds import write_json
from septet.model.words import PATTERNS

SPECIAL = ("<|pad|>", "<|begin|>", "<|end|>")
CUT = "qwen2"
"""How text is cut before merging: by a pattern that GGUF can name, or a decoder with this tokeniser could not be exported."""


def train_tokenizer(texts: Iterator[str], vocabulary: int, path: Path) -> dict[str, float]:
    """Train and write a tokeniser, and return its figures. The same texts give the same files."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERNS[CUT]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(path / "tokenizer.json"))
    write_json(
        path / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "pad_token": SPECIAL[0],
            "bos_token": SPECIAL[1],
            "eos_token": SPECIAL[2],
            "clean_up_tokenization_spaces": False,
            "model_max_length": 1 << 20,
        },
    )
    return {"vocabulary": tokenizer.get_vocab_size()}


class Placed(NamedTuple):
    """A stretch of a document in a row: tokens `start` to `end` of row `row` are tokens `offset`... of the document."""

    row: int
    start: int
    end: int
    document: str
    offset: int


def pack(
    documents: Iterator[tuple[str, str]], tokenizer_file: Path, sequence: int, path: Path, tell: Callable[[int], None]
) -> dict[str, Any]:
    """Pack (id, text) into rows of `sequence` tokens by best-fit decreasing (Ding et al., ICML 2024), and write the shards.

    Each document starts with the begin token and ends with the end token; only one longer than a row is cut, and no token
    is dropped. What is left of a row is padding.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    pad, begin, end = (tokenizer.token_to_id(token) for token in SPECIAL)
    if None in (pad, begin, end):
        raise ConfigError(f"{tokenizer_file}: it lacks {', '.join(SPECIAL)}", "Pack with a tokeniser of data.tokenizer")
    pieces: list[tuple[str, int, Any]] = []
    count = 0
    for identity, text in documents:
        ids = np.asarray([begin, *tokenizer.encode(text, add_special_tokens=False).ids, end], np.uint32)
        for start in range(0, len(ids), sequence):
            pieces.append((identity, start, ids[start : start + sequence]))
        count += 1
        tell(count)
    rows = _best_fit([len(ids) for _, _, ids in pieces], sequence)
    vocabulary = tokenizer.get_vocab_size()
    kind = "uint16" if vocabulary <= 1 << 16 else "uint32"
    block = np.full((len(rows), sequence), pad, kind)
    placed: list[Placed] = []
    for number, row in enumerate(rows):
        at = 0
        for index in row:
            identity, offset, ids = pieces[index]
            block[number, at : at + len(ids)] = ids
            placed.append(Placed(number, at, at + len(ids), identity, offset))
            at += len(ids)
    block.astype(block.dtype.newbyteorder("<")).tofile(path / "tokens.bin")
    columns = list(zip(*placed, strict=True)) if placed else [[], [], [], [], []]
    table = pa.table(
        {
            "row": pa.array(columns[0], pa.int64()),
            "start": pa.array(columns[1], pa.int32()),
            "end": pa.array(columns[2], pa.int32()),
            "document": pa.array(columns[3], pa.string()),
            "offset": pa.array(columns[4], pa.int64()),
        }
    )
    pq.write_table(table, path / "documents.parquet", compression="zstd")
    used = sum(len(ids) for _, _, ids in pieces)
    meta = {
        "sequence": sequence,
        "rows": len(rows),
        "dtype": kind,
        "vocabulary": vocabulary,
        "documents": count,
        "tokens": used,
        "padding": len(rows) * sequence - used,
        "pad": pad,
        "begin": begin,
        "end": end,
    }
    write_json(path / "meta.json", meta)
    return meta


def _best_fit(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Each piece into the fullest row that still takes it, longest first. Rows are in the order of their first piece."""
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    by_room: dict[int, list[int]] = {}
    rows: list[list[int]] = []
    for index in order:
        need = lengths[index]
        room = next((room for room in range(need, capacity + 1) if by_room.get(room)), 0)
        if room:
            row = by_room[room].pop(0)
        else:
            row, room = len(rows), capacity
            rows.append([])
        rows[row].append(index)
        by_room.setdefault(room - need, []).append(row)
    return sorted((sorted(row) for row in rows), key=lambda row: row[0])

"""What tokenisers make of a corpus: tokens a word and a character, bytes a token, and how much falls back to single bytes.

Fertility is tokens a word for text with blanks between its words and tokens a character for Chinese (Rust et al., ACL 2021).
Ratios are of sums over documents; their intervals are those of the linearised ratio estimator (Cochran, Sampling Techniques,
1977, 6.4). Tokenisers are compared with the first one on the same documents.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from septet.core import ConfigError, Run, StepFailed
from septet.data import encoders
from septet.data.signals import tongues
from septet.kinds import Corpus, Measure, Report

_Z = 1.959963984540054
_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")
_BATCH = 256
_LEAST = 10
"""Documents of a group below which an interval says nothing; such groups are named with their size."""
_NO_BLANKS = {"zh", "ja", "mixed"}


def report(corpus: Corpus, folders: Mapping[str, Path], documents: int, seed: int, run: Run) -> Report:
    """Measure tokenisers (name to folder) on up to `documents` documents of each data set and declared language."""
    if not folders:
        raise ConfigError("there is no tokenizer to measure", "Tie `tokenizers`, or `models`")
    chosen = _chosen(corpus, documents, seed)
    files = {name: str(folder / "tokenizer.json") for name, folder in folders.items()}
    pieces = [
        {"part": str(part), "rows": rows, "files": files}
        for part, rows in zip(corpus.parts, chosen, strict=True)
        if rows
    ]
    measured: list[dict[str, Any]] = []
    for number, made in enumerate(run.map(measure_part, pieces), 1):
        measured += made
        run.progress(number, len(pieces), "parts measured")
    if not measured:
        raise StepFailed("the corpus holds no text to measure", "Look at what was left out in the steps before")
    summary = {}
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in measured:
        groups["all"].append(row)
        groups[row["language"] or "unknown"].append(row)
        groups[f"{row['dataset'] or 'unnamed'} ({row['language'] or 'unknown'})"].append(row)
    names = list(folders)
    few = {group: len(rows) for group, rows in sorted(groups.items()) if len(rows) < _LEAST and group != "all"}
    for group, rows in sorted(groups.items()):
        for name in names if group not in few else ():
            for what, measure in _figures(rows, name, names[0]).items():
                summary[f"{name}.{what}.{group}"] = measure
    facts = {"tokenizers": {name: _size(files[name]) for name in names}, "documents": len(measured), "seed": seed}
    facts["too_few_documents"] = few
    best = min(names, key=lambda name: sum(row["tokens"][name] for row in measured))
    run.note(f"fewest tokens: {best}, {summary[f'{best}.bytes_per_token.all'].value:.3f} bytes a token")
    return Report.write(run.out, "fertility", summary, measured, facts=facts)


def _size(file: str) -> int:
    content = json.loads(Path(file).read_bytes())
    return len(content["model"]["vocab"])


def _chosen(corpus: Corpus, documents: int, seed: int) -> list[list[int]]:
    """Rows of each part, drawn within each data set and language."""
    places: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for number, part in enumerate(corpus.parts):
        table = pq.read_table(part, columns=["dataset", "language"])
        for row, key in enumerate(zip(*(column.to_pylist() for column in table.columns), strict=True)):
            places[key[0] or "", key[1] or ""].append((number, row))
    rows: list[list[int]] = [[] for _ in corpus.parts]
    for key in sorted(places):
        mine = places[key]
        drawn = np.random.default_rng(seed).permutation(len(mine))[:documents]
        for place in drawn.tolist():
            rows[mine[place][0]].append(mine[place][1])
    return [sorted(one) for one in rows]


def measure_part(piece: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The counts of some rows of a part, without their text."""
    read = {name: _read(file) for name, file in piece["files"].items()}
    made: list[dict[str, Any]] = []
    file = pq.ParquetFile(piece["part"])
    wanted, first = np.asarray(piece["rows"], np.int64), 0
    for batch in file.iter_batches(_BATCH, columns=["id", "dataset", "language", "text"]):
        here = wanted[(wanted >= first) & (wanted < first + batch.num_rows)] - first
        first += batch.num_rows
        if not here.size:
            continue
        table = pa.Table.from_batches([batch]).take(pa.array(here))
        texts = ["" if text is None else text for text in table["text"].to_pylist()]
        languages = tongues(table["language"], table["text"].combine_chunks())
        rows = [
            {
                "id": identity,
                "dataset": dataset or "",
                "language": language,
                "bytes": len(text.encode()),
                "characters": sum(not character.isspace() for character in text),
                "words": len(text.split()),
                "tokens": {},
                "single_bytes": {},
            }
            for identity, dataset, language, text in zip(
                table["id"].to_pylist(), table["dataset"].to_pylist(), languages, texts, strict=True
            )
        ]
        for name, (encode, single) in read.items():
            ids, offsets = encode(texts)
            fallen = np.concatenate(([0], np.cumsum(single[ids])))
            for row, low, high in zip(rows, offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
                row["tokens"][name] = high - low
                row["single_bytes"][name] = int(fallen[high] - fallen[low])
        made += rows
    return made


@cache
def _read(file: str) -> tuple[encoders.Encode, Any]:
    content = encoders.plain(Path(file))
    return encoders.encoder(encoders.REFERENCE, content), _single_bytes(content)


def _single_bytes(content: str) -> Any:
    """Which ids are one byte of a longer character: `<0xE4>`, or a byte-level token of one byte that is not ASCII."""
    from tokenizers import Tokenizer, pre_tokenizers

    tokenizer = Tokenizer.from_str(content)
    vocab = tokenizer.get_vocab(with_added_tokens=True)
    found = np.zeros(max(vocab.values()) + 1, np.int64)
    level = "ByteLevel" in json.dumps([json.loads(content).get(key) for key in ("pre_tokenizer", "decoder")])
    ascii_letters = {_letter(pre_tokenizers, chr(code)) for code in range(128)}
    alphabet = set(pre_tokenizers.ByteLevel.alphabet())
    for token, identity in vocab.items():
        found[identity] = bool(_BYTE.fullmatch(token)) or (level and token in alphabet and token not in ascii_letters)
    return found


def _letter(pre_tokenizers: Any, character: str) -> str:
    return str(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(character)[0][0])


def _figures(rows: Sequence[Mapping[str, Any]], name: str, first: str) -> dict[str, Measure]:
    tokens = [row["tokens"][name] for row in rows]
    figures = {
        "bytes_per_token": ratio([row["bytes"] for row in rows], tokens, "bytes"),
        "tokens_per_word": ratio(tokens, [row["words"] for row in rows], "tokens"),
        "tokens_per_character": ratio(tokens, [row["characters"] for row in rows], "tokens"),
        "single_bytes": ratio([row["single_bytes"][name] for row in rows], tokens, "share"),
    }
    if any(row["language"] in _NO_BLANKS for row in rows):
        del figures["tokens_per_word"]  # what stands between two blanks is no word there
    if name != first:
        figures[f"tokens_against_{first}"] = ratio(tokens, [row["tokens"][first] for row in rows], "ratio")
    return figures


def ratio(over: Sequence[float], under: Sequence[float], unit: str) -> Measure:
    """The ratio of two sums over the same documents, with its 95 % interval."""
    top, bottom = np.asarray(over, float), np.asarray(under, float)
    total = bottom.sum()
    if total == 0:
        return Measure(0.0, 0.0, 0.0, 0, unit)
    value = float(top.sum() / total)
    count = len(top)
    spread = ((top - value * bottom) ** 2).sum() * count / max(1, count - 1)
    half = float(_Z * np.sqrt(spread) / total)
    return Measure(value, max(0.0, value - half), value + half, count, unit)

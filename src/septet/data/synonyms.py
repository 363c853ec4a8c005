"""Which word may stand for which: from a file that a team keeps, or the nearest words of the corpus under an encoder.

A file is TOML with a table `[synonyms]`, or JSON lines `{"word": ..., "synonyms": [...]}`. What an encoder holds near is often
an opposite or a sister term (Mrksic et al., NAACL 2016): a file is the better source, and the guard on meaning does not replace it.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from septet.core import ConfigError, Run
from septet.data.rewrite import pieces, protected
from septet.files import read_lines
from septet.inference.embedding import load_encoder
from septet.kernels import nearest
from septet.kinds import Corpus

_MOST = 5  # synonyms a word that are taken from an encoder


def from_file(path: Path) -> dict[str, list[str]]:
    """Small-letter words to their synonyms. Raises ConfigError where the file is of neither form."""
    if path.suffix.lower() == ".toml":
        try:
            found = tomllib.loads(path.read_text("utf-8")).get("synonyms")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not valid TOML: {error}", "Correct that line") from None
        pairs = list(found.items()) if isinstance(found, Mapping) else []
    else:
        pairs = [(row.get("word"), row.get("synonyms")) for row in read_lines(path)]
    table: dict[str, list[str]] = {}
    for word, others in pairs:
        if not isinstance(word, str) or not isinstance(others, list) or not all(isinstance(one, str) for one in others):
            raise ConfigError(f"{path}: '{word}' has no list of synonyms", 'Write word = ["synonym", ...]')
        kept = [one for one in others if one and one.lower() != word.lower()]
        if kept:
            table.setdefault(word.lower(), []).extend(kept)
    if not table:
        raise ConfigError(
            f"{path} holds no synonyms", 'Write a table [synonyms], or lines {"word": ..., "synonyms": [...]}'
        )
    return table


def from_corpus(corpus: Corpus, encoder: str, bound: float, most: int, run: Run) -> dict[str, list[str]]:
    """For each of the `most` commonest words, those of the same script whose cosine with it is at least `bound`."""
    counts: Counter[str] = Counter()
    for found in run.map(count_part, [{"part": str(part)} for part in corpus.parts]):
        counts.update(found)
    words = [word for word, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:most]]
    vectors = load_encoder(encoder).encode(words)
    if len(words) < 2:
        return {}
    near, value = nearest.neighbours(vectors, min(4 * _MOST, len(words) - 1), np.zeros((len(words), 1), np.int32))
    table = {}
    for number, word in enumerate(words):
        kept = [
            words[other]
            for other, cosine in zip(near[number].tolist(), value[number].tolist(), strict=True)
            if other >= 0 and cosine >= bound and words[other].isascii() == word.isascii()
        ]
        if kept:
            table[word] = kept[:_MOST]
    run.note(f"{len(table)} of {len(words)} words have others near them (cosine of at least {bound:g})")
    return table


def count_part(piece: dict[str, Any]) -> dict[str, int]:
    """How often each word of two characters and more stands in a part."""
    counts: Counter[str] = Counter()
    for batch in pq.ParquetFile(piece["part"]).iter_batches(2048, columns=["text"]):
        for text in batch["text"].to_pylist():
            counts.update(
                word.lower()
                for word, is_word in pieces(text or "")
                if is_word and len(word) > 1 and not protected(word)
            )
    return dict(counts)

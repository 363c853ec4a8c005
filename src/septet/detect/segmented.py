"""Signals on the words of a Chinese segmenter, for published limits that were set on such words, and on runs of characters.

FineWeb-2 (Penedo et al. 2025) measured Chinese on the words of jieba, marks included; rjieba is the same dictionary and method,
compiled. They cost a pass of their own, which is made only where a chosen rule asks for one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from septet.core.errors import MissingExtra
from septet.detect.measures import REPETITION, SEGMENTED
from septet.kernels.arrow import texts_of
from septet.kernels.characters import characters
from septet.kernels.repetition import of_characters, of_words, room

_STOPS = "的 年 在 月 是 和 日 了 於 · 為 有 被 人 中 为 他 與 後 也 而 由"
_STRETCH = 1 << 16  # characters cut at once, so that a text of one line stays within memory


def measure_words(column: Any) -> dict[str, Any]:
    """The signals of `SEGMENTED` for each text of a column: float64 arrays."""
    try:
        import rjieba
    except ImportError:
        raise MissingExtra("rjieba", "data") from None
    words: list[str] = []
    firsts, sizes, newlines = [0], [], []
    for text in _strings(column):
        for start in range(0, len(text), _STRETCH):
            words.extend(word for word in rjieba.cut(text[start : start + _STRETCH]) if not word.isspace())
        firsts.append(len(words))
        sizes.append(len(text))
        newlines.append(text.count("\n"))
    cut = texts_of(pa.array(words, pa.large_string()))
    stops = np.sort(np.array([_hash(word) for word in _STOPS.split()], np.uint64))
    out = np.zeros((len(sizes), len(SEGMENTED)))
    longest = max(np.diff(firsts), default=0)
    of_words(
        cut.data,
        cut.offsets,
        np.array(firsts, np.int64),
        np.array(sizes, np.int64),
        np.array(newlines, np.int64),
        characters().kinds,
        stops,
        room(int(longest) + 1),
        out,
    )
    return dict(zip(SEGMENTED, np.round(out, 6).T, strict=True))


def measure_characters(column: Any) -> dict[str, Any]:
    """Data-juicer's repetition of 10-grams of characters for each text of a column."""
    texts = texts_of(column)
    longest = int(np.diff(texts.offsets).max()) if len(texts) else 0
    out = np.zeros(len(texts))
    of_characters(texts.data, texts.offsets, room(longest + 1), out)
    return {REPETITION: np.round(out, 6)}


def _strings(column: Any) -> list[str]:
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return [text or "" for text in column.to_pylist()]
    return [text or "" for text in column]


def _hash(word: str) -> int:
    """As `repetition.of_words` hashes a word."""
    value = 0
    for character in word:
        value = (value ^ ord(character)) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        value ^= value >> 29
    return value

"""Lines, sentences and paragraphs of texts, each with a 128-bit hash of what a reader sees, in one pass over the bytes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from septet.kernels.arrow import Texts
from septet.kernels.words import PRIME, U, mix

_LOWER = np.arange(256, dtype=np.uint8)
_LOWER[65:91] += 32
UNITS = {"line": 0, "sentence": 1, "paragraph": 2}


class Segments(NamedTuple):
    """Of all texts, in order: the `text` (int32) that a segment is in, its first and last byte in that text (int64), its
    hashes `first` and `second` (uint64), and its `size`, bytes that are no blanks (int32)."""

    text: Any
    start: Any
    end: Any
    first: Any
    second: Any
    size: Any


def segments(texts: Texts, unit: str) -> Segments:
    """Cut texts at line ends, at the ends of sentences of either script, or at empty lines. Blank segments are left out."""
    found = _segments(texts.data, texts.offsets, UNITS[unit])
    return Segments(*found)


def runs(found: Segments, span: int) -> Segments:
    """Each `span` neighbouring segments of one text as one; what begins too near to the end of its text has size 0."""
    count = max(0, found.first.size - span + 1)
    first, second, size = np.zeros(count, np.uint64), np.zeros(count, np.uint64), np.zeros(count, np.int32)
    for k in range(span):
        first = first * PRIME + found.first[k : k + count]
        second = second * U(0x100000001B3) + found.second[k : k + count]
        size += found.size[k : k + count]
    size[found.text[span - 1 :] != found.text[:count]] = 0
    return Segments(found.text[:count], found.start[:count], found.end[span - 1 :], first, second, size)


def repeated(found: Segments, span: int, least: int, known: tuple[Any, Any], kept: Any, base: int, stayed: Any) -> Any:
    """Which segments go: bool. `found` are runs of `span`; `known` the hashes of repeated ones, sorted; `kept` the number of
    the text where each stays (-1: nowhere), texts being numbered from `base`; `stayed` (bool) which have been seen there."""
    gone = np.zeros(found.first.size + span - 1, np.bool_)
    _repeated(found.first, found.second, found.text, found.size, span, least, *known, kept, base, stayed, gone)
    return gone


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _repeated(first, second, text, size, span, least, known_first, known_second, kept, base, stayed, gone):  # type: ignore[no-untyped-def]
    for k in range(first.size):
        if size[k] < least:
            continue
        low, high = 0, known_first.size
        while low < high:
            middle = (low + high) // 2
            if known_first[middle] < first[k]:
                low = middle + 1
            else:
                high = middle
        while low < known_first.size and known_first[low] == first[k] and known_second[low] != second[k]:
            low += 1
        if low == known_first.size or known_first[low] != first[k]:
            continue
        if kept[low] == base + text[k] and not stayed[low]:
            stayed[low] = True
            continue
        gone[k : k + span] = True


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _stop(data, i, end):  # type: ignore[no-untyped-def]
    """Bytes of a sentence end at `i`, 0 where there is none."""
    byte = data[i]
    if byte == 33 or byte == 63 or byte == 46 or byte == 59:  # ! ? . ; before a blank, so that 3.5 and a.b stay whole
        return 1 if i + 1 >= end or data[i + 1] <= 32 or (data[i + 1] == 34 and byte != 59) else 0
    if byte == 0xE3 and i + 2 < end and data[i + 1] == 0x80 and data[i + 2] == 0x82:  # full stop
        return 3
    if byte == 0xEF and i + 2 < end and data[i + 1] == 0xBC:  # full-width ! ? ;
        third = data[i + 2]
        return 3 if third == 0x81 or third == 0x9F or third == 0x9B else 0
    return 0


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _closers(data, i, end):  # type: ignore[no-untyped-def]
    """Where the quotation marks and brackets that belong to a finished sentence end."""
    while i < end:
        byte = data[i]
        second = data[i + 1] if i + 2 < end else 0
        third = data[i + 2] if i + 2 < end else 0
        if byte == 34 or byte == 39 or byte == 41:
            i += 1
        elif (
            (byte == 0xE2 and second == 0x80 and (third == 0x9D or third == 0x99))
            or (byte == 0xE3 and second == 0x80 and (third == 0x8D or third == 0x8F))
            or (byte == 0xEF and second == 0xBC and third == 0x89)
        ):
            i += 3
        else:
            break
    return i


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _segments(data, offsets, unit):  # type: ignore[no-untyped-def]
    # A segment has a byte and an end. What is not used of this room is never touched, and not kept.
    room = (offsets[-1] - offsets[0]) // 2 + offsets.size
    text, start_, end_ = np.empty(room, np.int32), np.empty(room, np.int64), np.empty(room, np.int64)
    first_, second_, size_ = np.empty(room, np.uint64), np.empty(room, np.uint64), np.empty(room, np.int32)
    count = 0
    for document in range(offsets.size - 1):
        begin, end = offsets[document], offsets[document + 1]
        i = begin
        opened = begin
        first, second, size = U(0xCBF29CE484222325), U(0x84222325CBF29CE4), 0
        while i <= end:
            closed = i == end
            step = 1
            after = i
            if not closed:
                byte = data[i]
                if byte == 10:
                    if unit == 2:
                        k = i + 1
                        while k < end and (data[k] == 32 or data[k] == 9 or data[k] == 13):
                            k += 1
                        closed = k < end and data[k] == 10
                    else:
                        closed = True
                    after = i + 1
                elif unit == 1:
                    stop = _stop(data, i, end)
                    if stop:
                        step = stop
                        closed = True
                        after = _closers(data, i + stop, end)
                if byte > 32:
                    value = U(_LOWER[byte])
                    first = (first ^ value) * U(0x100000001B3)
                    second = second * U(0x9E3779B97F4A7C15) + value
                    for k in range(i + 1, i + step):
                        first = (first ^ U(data[k])) * U(0x100000001B3)
                        second = second * U(0x9E3779B97F4A7C15) + U(data[k])
                    size += step
            if closed:
                if size > 0:
                    text[count] = document
                    start_[count], end_[count] = opened - begin, max(after, min(i + step, end)) - begin
                    first_[count], second_[count], size_[count] = mix(first), mix(second), size
                    count += 1
                first, second, size = U(0xCBF29CE484222325), U(0x84222325CBF29CE4), 0
                i = max(after, i + step)
                opened = min(i, end)
            else:
                i += step
    return (
        text[:count].copy(),
        start_[:count].copy(),
        end_[:count].copy(),
        first_[:count].copy(),
        second_[:count].copy(),
        size_[:count].copy(),
    )

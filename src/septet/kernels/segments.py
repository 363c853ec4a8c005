"""Lines, sentences and paragraphs of texts, each with a 128-bit hash of what a reader sees, in one pass over the bytes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from septet.kernels.arrow import Texts
from septet.kernels.words import PRIME, U, mix

UNITS = {"line": 0, "sentence": 1, "paragraph": 2}
_LOWER = np.arange(256, dtype=np.uint8)
_LOWER[65:91] += 32
# What a byte may be: 0 part of a passage and nothing else, 1 a blank, 2 a line end, 3 a stop of ASCII, 4 the first of three
# bytes that may be a stop.
_CLASS = np.zeros(256, np.uint8)
_CLASS[:33] = 1
_CLASS[10] = 2
for _byte in b"!?.;":
    _CLASS[_byte] = 3
_CLASS[[0xE3, 0xEF]] = 4


class Segments(NamedTuple):
    """Of all texts, in order: the `text` (int32) that a segment is in, its first and last character in that text, and the
    same in bytes (int32), its hashes `first` and `second` (uint64), and its `size`, bytes that are no blanks (int32)."""

    text: Any
    start: Any
    end: Any
    start_byte: Any
    end_byte: Any
    first: Any
    second: Any
    size: Any


def segments(texts: Texts, unit: str) -> Segments:
    """Cut texts at line ends, at the ends of sentences of either script, or at empty lines. Blank segments are left out."""
    return Segments(*_segments(texts.data, texts.offsets, UNITS[unit], _CLASS, _LOWER))


def runs(found: Segments, span: int) -> Segments:
    """Each `span` neighbouring segments of one text as one; what begins too near to the end of its text has size 0."""
    if span == 1:
        return found
    count = max(0, found.first.size - span + 1)
    first, second, size = np.zeros(count, np.uint64), np.zeros(count, np.uint64), np.zeros(count, np.int32)
    for k in range(span):
        first = first * PRIME + found.first[k : k + count]
        second = second * U(0x100000001B3) + found.second[k : k + count]
        size += found.size[k : k + count]
    size[found.text[span - 1 :] != found.text[:count]] = 0
    return Segments(
        found.text[:count],
        found.start[:count],
        found.end[span - 1 :],
        found.start_byte[:count],
        found.end_byte[span - 1 :],
        first,
        second,
        size,
    )


def distinct(found: Segments, least: int) -> tuple[Any, Any]:
    """Places of the first of each different segment of at least so many bytes, and how often each stands."""
    size = 16
    while size < 2 * found.first.size:
        size *= 2
    return _distinct(found.first, found.second, found.size, least, np.full(size, -1, np.int32))  # type: ignore[no-any-return]


def repeated(found: Segments, span: int, least: int, known: tuple[Any, Any], kept: Any, base: int, stayed: Any) -> Any:
    """Which segments go: bool. `found` are runs of `span`; `known` the hashes of repeated ones, sorted; `kept` the number of
    the text where each stays (-1: nowhere), texts being numbered from `base`; `stayed` (bool) which have been seen there."""
    gone = np.zeros(found.first.size + span - 1, np.bool_)
    _repeated(found.first, found.second, found.text, found.size, span, least, *known, kept, base, stayed, gone)
    return gone


def cut(texts: Texts, text: Any, start: Any, end: Any) -> Texts:
    """The texts without some spans, given in bytes of each text, disjoint and in order."""
    return Texts(*_cut(texts.data, texts.offsets, text, start, end))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _cut(data, offsets, text, start, end):  # type: ignore[no-untyped-def]
    out = np.empty(offsets[-1] - offsets[0], np.uint8)
    ends = np.zeros(offsets.size, np.int64)
    written, span = 0, 0
    for document in range(offsets.size - 1):
        at = offsets[document]
        while span < text.size and text[span] == document:
            until = offsets[document] + start[span]
            out[written : written + until - at] = data[at:until]
            written += until - at
            at = offsets[document] + end[span]
            span += 1
        until = offsets[document + 1]
        out[written : written + until - at] = data[at:until]
        written += until - at
        ends[document + 1] = written
    return out[:written], ends


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _distinct(first, second, size, least, table):  # type: ignore[no-untyped-def]
    mask = U(table.size - 1)
    places = np.empty(first.size, np.int64)
    counts = np.empty(first.size, np.int64)
    number = 0
    for k in range(first.size):
        if size[k] < least:
            continue
        at = first[k] & mask
        while True:
            other = table[at]
            if other < 0:
                table[at] = number
                places[number], counts[number] = k, 1
                number += 1
                break
            if first[places[other]] == first[k] and second[places[other]] == second[k]:
                counts[other] += 1
                break
            at = (at + U(1)) & mask
    return places[:number].copy(), counts[:number].copy()


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
    if byte < 128:  # ! ? . ; before a blank or a quotation mark, so that 3.5 and a.b stay whole
        return 1 if i + 1 >= end or data[i + 1] <= 32 or (data[i + 1] == 34 and byte != 59) else 0
    if i + 2 >= end:
        return 0
    if byte == 0xE3:
        return 3 if data[i + 1] == 0x80 and data[i + 2] == 0x82 else 0
    third = data[i + 2]
    return 3 if data[i + 1] == 0xBC and (third == 0x81 or third == 0x9F or third == 0x9B) else 0


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
def _segments(data, offsets, unit, classes, lower):  # type: ignore[no-untyped-def]
    # A segment has a byte and an end. What is not used of this room is never touched, and not kept.
    room = (offsets[-1] - offsets[0]) // 2 + offsets.size
    text, start_, end_ = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int32)
    start_byte, end_byte = np.empty(room, np.int32), np.empty(room, np.int32)
    first_, second_, size_ = np.empty(room, np.uint64), np.empty(room, np.uint64), np.empty(room, np.int32)
    count = 0
    for document in range(offsets.size - 1):
        i, end = offsets[document], offsets[document + 1]
        begin, opened_byte = i, i
        characters, opened, size = 0, 0, 0
        first, second = U(0xCBF29CE484222325), U(0x84222325CBF29CE4)
        while i <= end:
            while i < end and classes[data[i]] == 0:
                value = U(lower[data[i]])
                first = (first ^ value) * U(0x100000001B3)
                second = second * U(0x9E3779B97F4A7C15) + value
                size += 1
                characters += (data[i] & 0xC0) != 0x80
                i += 1
            closed = i == end
            after = i + 1
            if not closed:
                what = classes[data[i]]
                if what == 2:
                    closed = True
                    if unit == 2:
                        k = i + 1
                        while k < end and (data[k] == 32 or data[k] == 9 or data[k] == 13):
                            k += 1
                        closed = k < end and data[k] == 10
                elif what >= 3:
                    step = 1
                    if unit == 1:
                        stop = _stop(data, i, end)
                        if stop:
                            step, closed = stop, True
                            after = _closers(data, i + stop, end)
                    for k in range(i, i + step):
                        first = (first ^ U(data[k])) * U(0x100000001B3)
                        second = second * U(0x9E3779B97F4A7C15) + U(data[k])
                    size += step
                for k in range(i, after):
                    characters += (data[k] & 0xC0) != 0x80
            if closed:
                if size > 0:
                    text[count], size_[count] = document, size
                    start_[count], end_[count] = opened, characters
                    start_byte[count], end_byte[count] = opened_byte - begin, min(after, end) - begin
                    first_[count], second_[count] = mix(first), mix(second)
                    count += 1
                first, second, size = U(0xCBF29CE484222325), U(0x84222325CBF29CE4), 0
                opened, opened_byte = characters, min(after, end)
            i = after
    return (
        text[:count].copy(),
        start_[:count].copy(),
        end_[:count].copy(),
        start_byte[:count].copy(),
        end_byte[:count].copy(),
        first_[:count].copy(),
        second_[:count].copy(),
        size_[:count].copy(),
    )

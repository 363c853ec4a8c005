"""Lines, sentences and paragraphs of texts, each with a 128-bit hash of what a reader sees, in one pass over the bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from septet.kernels.arrow import Texts
from septet.kernels.words import PRIME, U, mix

UNITS = {"line": 0, "sentence": 1, "paragraph": 2}
SEGMENT = np.dtype(
    [
        ("first", np.uint64),
        ("second", np.uint64),
        ("text", np.int32),
        ("start", np.int32),
        ("end", np.int32),
        ("size", np.int32),
    ]
)
"""A segment: its two hashes, the number of its text, its first and last byte there, and how many bytes of it are no blanks."""


_FIRST = np.uint64(0x100000001B3)


def _bytes() -> Any:
    """For each byte its small letter, what the two hashes are multiplied by, and what it may be: 0 part of a passage and nothing
    else, 1 a blank, 2 a line end, 3 a stop of ASCII, 4 the first of three bytes that may be a stop.

    A blank is 0 and multiplies by 1, so that it changes nothing: a jump at every word would be guessed wrong too often, and
    a choice would stand in the way of the next byte."""
    table = np.zeros((256, 4), np.uint64)
    table[:, 0] = np.arange(256)
    table[65:91, 0] += 32
    table[:, 1], table[:, 2] = _FIRST, PRIME
    table[:33] = 0, 1, 1, 1
    table[10, 3] = 2
    for byte in b"!?.;":
        table[byte, 3] = 3
    table[[0xE3, 0xEF], 3] = 4
    return table


_BYTES = _bytes()


def segments(texts: Texts, unit: str, room: Any = None) -> Any:
    """Cut texts at line ends, at the ends of sentences of either script, or at empty lines: an array of SEGMENT, in order.
    Blank segments are left out. They are written in `room` where it is given (see `room_for`), over what stood there."""
    room = room_for(texts, room)
    return room[: _segments(texts.data, texts.offsets, UNITS[unit], _BYTES, room)]


def room_for(texts: Texts, room: Any = None) -> Any:
    """An array of SEGMENT that the segments of some texts fit in: `room` if they do. What is not used of it is never touched."""
    most = texts.num_bytes // 2 + len(texts) + 1  # a segment has a byte and an end
    return np.empty(most, SEGMENT) if room is None or room.size < most else room


def run_together(found: Any, span: int) -> None:
    """Put in place of the hashes and the size of each segment those of the `span` segments of its text that begin there; what
    begins too near to the end of its text has size 0."""
    if span > 1:
        _run_together(found, span)


def marked(found: Any, least: int, slots: Any) -> None:
    """Count the segments of at least so many bytes, by their hash, in `slots` (uint8, four counts a byte, up to two)."""
    _marked(found, least, slots)


def may_repeat(found: Any, least: int, slots: Any, low: int, high: int, base: int) -> tuple[Any, Any, Any]:
    """Of the segments that `slots` counted twice, whose first hash is from `low` to `high`: both hashes and the number of the text,
    counted from `base`. A few stand but once."""
    return _may_repeat(found, least, slots, np.uint64(low), np.uint64(high), base)  # type: ignore[no-any-return]


def distinct(first: Any, second: Any) -> tuple[Any, Any]:
    """Places of the first of each different pair of hashes, and how often each stands."""
    size = 16
    while size < 2 * first.size:
        size *= 2
    return _distinct(first, second, np.full(size, -1, np.int32))  # type: ignore[no-any-return]


def begins_of(first: Any) -> Any:
    """Of sorted hashes where those of each range of their high bits begin, about one a range: a look-up begins there."""
    bits = max(1, int(first.size).bit_length())
    return _begins(first, np.uint64(64 - bits), np.empty((1 << bits) + 1, np.int64))


def repeated(found: Any, span: int, least: int, known: tuple[Any, Any, Any], kept: Any, base: int) -> Any:
    """Which segments go: bool. `found` went through `run_together`; `known` are the hashes of repeated ones, sorted by the
    first, and their `begins_of`; `kept` is the number of the text where each stays (-1: nowhere), texts being numbered from
    `base`."""
    gone = np.zeros(found.size, np.bool_)
    shift = np.uint64(64 - (known[2].size - 1).bit_length() + 1)
    _repeated(found, span, least, *known, shift, kept, base, np.zeros(kept.size, np.bool_), gone)
    return gone


def cut(texts: Texts, text: Any, start: Any, end: Any) -> tuple[Texts, Any, Any]:
    """The texts without some spans, given in bytes of each text, disjoint and in order; and the spans in characters."""
    data, offsets, first, last = _cut(texts.data, texts.offsets, text, start, end)
    return Texts(data, offsets), first, last


def characters(texts: Texts) -> int:
    """How many characters all texts have."""
    own = texts.data[texts.offsets[0] : texts.offsets[-1]]
    return int(np.count_nonzero(own.view(np.int8) >= -64))  # all bytes but those that go on with a character


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _characters(data, start, end):  # type: ignore[no-untyped-def]
    count = 0
    for i in range(start, end):
        count += (data[i] & 0xC0) != 0x80
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _cut(data, offsets, text, start, end):  # type: ignore[no-untyped-def]
    out = np.empty(offsets[-1] - offsets[0], np.uint8)
    ends = np.zeros(offsets.size, np.int64)
    first, last = np.empty(text.size, np.int64), np.empty(text.size, np.int64)
    written, span = 0, 0
    for document in range(offsets.size - 1):
        begin = offsets[document]
        at, passed = begin, 0
        while span < text.size and text[span] == document:
            until, after = begin + start[span], begin + end[span]
            out[written : written + until - at] = data[at:until]
            written += until - at
            first[span] = passed + _characters(data, at, until)
            passed = last[span] = first[span] + _characters(data, until, after)
            at = after
            span += 1
        until = offsets[document + 1]
        out[written : written + until - at] = data[at:until]
        written += until - at
        ends[document + 1] = written
    return out[:written], ends, first, last


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _run_together(found, span):  # type: ignore[no-untyped-def]
    for k in range(found.size):
        if k + span > found.size or found[k + span - 1].text != found[k].text:
            found[k].size = 0
            continue
        first, second, size = U(0), U(0), 0
        for j in range(k, k + span):
            first = first * PRIME + found[j].first
            second = second * U(0x100000001B3) + found[j].second
            size += found[j].size
        found[k].first, found[k].second, found[k].size = first, second, size


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _slot(hashed, slots):  # type: ignore[no-untyped-def]
    """The byte and the shift of a hash's count, by its low bits: whole ranges of the high ones are counted apart."""
    at = hashed & U(4 * slots.size - 1)
    return at >> U(2), np.uint8((at & U(3)) << U(1))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _marked(found, least, slots):  # type: ignore[no-untyped-def]
    for k in range(found.size):
        if found[k].size >= least:
            byte, shift = _slot(found[k].first, slots)
            if (slots[byte] >> shift) & np.uint8(2) == 0:
                slots[byte] += np.uint8(1) << shift


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _may_repeat(found, least, slots, low, high, base):  # type: ignore[no-untyped-def]
    first, second = np.empty(found.size, np.uint64), np.empty(found.size, np.uint64)
    text = np.empty(found.size, np.int64)
    count = 0
    for k in range(found.size):
        hashed = found[k].first
        if found[k].size >= least and low <= hashed <= high:
            byte, shift = _slot(hashed, slots)
            if (slots[byte] >> shift) & np.uint8(2):
                first[count], second[count], text[count] = hashed, found[k].second, base + found[k].text
                count += 1
    return first[:count], second[:count], text[:count]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _begins(first, shift, out):  # type: ignore[no-untyped-def]
    at = 0
    for prefix in range(out.size - 1):
        while at < first.size and first[at] >> shift < U(prefix):
            at += 1
        out[prefix] = at
    out[out.size - 1] = first.size
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _distinct(first, second, table):  # type: ignore[no-untyped-def]
    mask = U(table.size - 1)
    places = np.empty(first.size, np.int64)
    counts = np.empty(first.size, np.int64)
    number = 0
    for k in range(first.size):
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
    return places[:number], counts[:number]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _repeated(found, span, least, known_first, known_second, begins, shift, kept, base, stayed, gone):  # type: ignore[no-untyped-def]
    for k in range(found.size):
        if found[k].size < least:
            continue
        first = found[k].first
        for at in range(begins[first >> shift], begins[(first >> shift) + U(1)]):
            if known_first[at] == first and known_second[at] == found[k].second:
                if kept[at] == base + found[k].text and not stayed[at]:
                    stayed[at] = True
                else:
                    gone[k : k + span] = True
                break


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
def _segments(data, offsets, unit, table, out):  # type: ignore[no-untyped-def]
    count = 0
    for document in range(offsets.size - 1):
        i, end = offsets[document], offsets[document + 1]
        begin, opened, size = i, i, 0
        first, second = U(0xCBF29CE484222325), U(0x84222325CBF29CE4)
        while i <= end:
            what = U(2)
            at, stop = U(i), U(end)  # a number without sign needs no look whether it counts from the end
            num_blanks = U(0)
            while at < stop:
                byte = data[at]
                what = table[byte, 3]
                if what > U(1):
                    break
                value = table[byte, 0]
                first = (first ^ value) * table[byte, 1]
                second = second * table[byte, 2] + value
                num_blanks += what
                at += U(1)
            passed = np.int64(at) - i
            size += passed - np.int64(num_blanks)
            i += passed
            closed = i == end
            after = i + 1
            if not closed:
                if what == 2:
                    closed = True
                    if unit == 2:
                        k = i + 1
                        while k < end and (data[k] == 32 or data[k] == 9 or data[k] == 13):
                            k += 1
                        closed = k < end and data[k] == 10
                else:
                    step = 1
                    if unit == 1:
                        length = _stop(data, i, end)
                        if length:
                            step, closed = length, True
                            after = _closers(data, i + length, end)
                    for k in range(i, i + step):
                        first = (first ^ U(data[k])) * _FIRST
                        second = second * PRIME + U(data[k])
                    size += step
            if closed:
                if size > 0:
                    one = out[count]
                    one.first, one.second = mix(first), mix(second)
                    one.text, one.size = document, size
                    one.start, one.end = opened - begin, min(after, end) - begin
                    count += 1
                first, second, size = U(0xCBF29CE484222325), U(0x84222325CBF29CE4), 0
                opened = min(after, end)
            i = after
    return count

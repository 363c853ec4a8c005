"""One pass over UTF-8 bytes that finds where personal data may stand: cue words and the shapes round digits.

Each character becomes a symbol by a table that folds case, width, style and script, so that a number in full-width digits and
a cue in traditional characters are met without a second text. An Aho-Corasick automaton over symbols (Aho and Corasick, 1975,
as a full table) finds cue words; what follows a cue is looked at here, because most cues in honest text lead nowhere.
Digits, `@`, colons and number plates are handed to the shape rules. What comes out are anchors: a class, and where in the
text. Nothing is decided here that a pattern could decide better.

Numba, no Arrow, no rules: the tables come from `detect.anchors`.
Measured 2026-11 on one core: 300 MB/s on text without personal data (`benchmarks/personal_data.py`).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from septet.kernels.shapes import around_digit
from septet.kernels.symbols import (
    AMBIGUOUS,
    CHINESE_DIGIT,
    DIGIT,
    HAN,
    LETTER,
    LIMIT,
    LOOK,
    PROVINCE,
    SKIP,
    STREET,
    SURNAME,
    SYMBOL,
    UNKNOWN,
    UPPER,
    before,
    decode,
    emit,
)

# What must follow a cue (or stand before it) for it to count.
ALWAYS, NUMBER, NAME_ZH, NAME_EN, ASSIGNED, BEFORE_NAME, HOUSE, STREET_EN, CREDENTIAL, LOCAL_PART, NUMBER_NEXT = range(
    11
)
U = np.uint64
AT, IP6, PLATE = 1, 2, 3
"""Classes of anchors that the scanner itself makes; those of `kernels.shapes` go on from 10, cue classes from 40."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def scan(  # type: ignore[no-untyped-def]
    data, offsets, first, table, steps, out_from, out_class, out_length, follow, whole, anchors, slow, pending, unknown
):
    """Write anchors (row, class, start byte, end byte, start character) of the `pending` texts from `first` on.

    Returns (next row, number of anchors, number of unknown characters). It stops before the row that might not fit any more;
    `slow` is set to 1 for rows with character references or numbers in Chinese words, which need a view of their own. A row that
    is done is no more pending; one with unknown characters has no anchors yet and stays so.
    """
    go, states, ending = steps
    width = U(go.size // states.size)
    count = np.zeros(2, np.int64)
    codes = np.zeros(600, np.uint8)
    places = np.zeros((600, 3), np.int64)
    groups = np.zeros((300, 4), np.int64)
    digits = np.zeros((2, 24), np.int64)
    capacity = anchors.shape[0]
    numbers = np.zeros((4, 2), np.int64)
    for row in range(first, offsets.size - 1):
        if not pending[row]:
            continue
        start, end = offsets[row], offsets[row + 1]
        began = count[0]
        i, char, state = start, 0, U(0)
        slow[row] = pending[row] = 0
        digits_done = hex_done = words_done = start
        numbers[:, 0] = -1
        slot, digit_end = 0, np.int64(-1)
        while i < end:
            byte = data[i]
            if byte < 0x80:
                code, size = np.int64(byte), 1
            elif byte < 0xE0:
                code, size = (np.int64(byte) & 31) << 6 | np.int64(data[i + 1]) & 63, 2
            elif byte < 0xF0:
                code, size = (
                    (np.int64(byte) & 15) << 12 | (np.int64(data[i + 1]) & 63) << 6 | np.int64(data[i + 2]) & 63,
                    3,
                )
            else:
                code, size = decode(data, i)
            entry = table[code] if code < LIMIT else np.uint32(0)
            if entry == UNKNOWN:
                _strange(data, i, end, table, unknown, count)
                count[0] = began
                slow[row], pending[row] = 0, 1
                break
            symbol = entry & SYMBOL
            if symbol != SKIP:
                state = U(go[state + U(symbol)])
                if state >= ending:
                    which = states[state // width]
                    for at in range(out_from[which], out_from[which + 1]):
                        _cue(
                            data, start, end, i, i + size, char, out_class[at], out_length[at],
                            table, follow, whole, numbers, row, anchors, count,
                        )  # fmt: skip
                if entry & LOOK:
                    if entry & DIGIT:
                        if i >= digits_done:
                            digits_done = around_digit(
                                data, start, end, i, char, table, codes, places, groups, digits, row, anchors, count
                            )
                        if i != digit_end:  # where the last numbers began, for the streets that may follow
                            slot = (slot + 1) & 3
                            numbers[slot, 0], numbers[slot, 1] = i, char
                        digit_end = i + size
                    elif symbol == 64:
                        _address(data, start, end, i, char, table, row, anchors, count)
                    elif symbol == 58:
                        if i >= hex_done:
                            hex_done = _colons(data, start, end, i, char, table, row, anchors, count)
                    elif entry & CHINESE_DIGIT:
                        if i >= words_done:
                            words_done = _number_words(data, i, end, table, row, slow)
                        if entry & PROVINCE:
                            _plate(data, i, end, char, table, row, anchors, count)
                    elif entry & PROVINCE:
                        _plate(data, i, end, char, table, row, anchors, count)
                    elif _is_reference(data, i, end):
                        slow[row] = 1
            if count[0] + 64 > capacity:
                count[0] = began
                pending[row] = 1
                return row, count[0], count[1]
            i += size
            char += 1
    return offsets.size - 1, count[0], count[1]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _strange(data, i, end, table, unknown, count):  # type: ignore[no-untyped-def]
    """Note the characters from byte `i` on that were not met before."""
    while i < end and count[1] < unknown.size:
        code, size = decode(data, i)
        if code < LIMIT and table[code] == UNKNOWN:
            unknown[count[1]] = code
            count[1] += 1
        i += size


@njit(cache=True)  # type: ignore[untyped-decorator]
def _cue(data, start, end, i, after, char, kind, length, table, follow, whole, numbers, row, anchors, count):  # type: ignore[no-untyped-def]
    """A cue word that ends before `after`: does what stands beside it bear it out?"""
    at, at_char, left = i, char, length - 1
    while left > 0 and at > start:
        at = before(data, at)
        at_char -= 1
        code, _ = decode(data, at)
        left -= (table[code] & SYMBOL) != SKIP
    if whole[kind] & 1 and at > start:
        code, _ = decode(data, before(data, at))
        if code < LIMIT and table[code] & LETTER:
            return
    if whole[kind] & 2 and after < end:
        code, _ = decode(data, after)
        if code < LIMIT and table[code] & LETTER:
            return
    need = follow[kind]
    if need == ALWAYS:
        good = True
    elif need == NUMBER:
        good = _digit_follows(data, after, end, table, 28)
    elif need == NUMBER_NEXT:
        good = _digit_follows(data, after, end, table, 3)
    elif need == NAME_ZH:
        good = _name_follows(data, after, end, table)
    elif need == NAME_EN:
        good = _capital_follows(data, after, end, table)
    elif need == ASSIGNED:
        good = _assigned(data, after, end, table)
    elif need == BEFORE_NAME:
        good = _surname_before(data, start, at, table)
    elif need == HOUSE:
        good = _street_before(data, start, at, table)
    elif need == CREDENTIAL:
        good = _at_sign_follows(data, after, end)
    elif need == STREET_EN:
        for slot in range(4):
            if numbers[slot, 0] >= 0 and char - numbers[slot, 1] < 64:
                emit(anchors, count, row, kind, numbers[slot, 0], after, numbers[slot, 1], 0)
        return
    else:  # LOCAL_PART: the start of the word before a spelled @
        good = False
        p, c = at, at_char
        for _ in range(66):
            if p <= start:
                break
            q = before(data, p)
            byte = data[q]
            wordy = byte < 0x80 and (table[byte] & (DIGIT | LETTER) or byte in (46, 95, 37, 43, 45))
            if not (wordy or (byte == 32 and p == at)):
                break
            good = good or wordy
            p, c = q, c - 1
        at, at_char = p, c
        if good and data[at] == 32:
            at, at_char = at + 1, at_char + 1
    if good:
        emit(anchors, count, row, kind, at, after, at_char, 0)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _digit_follows(data, i, end, table, reach):  # type: ignore[no-untyped-def]
    for _ in range(reach):
        if i >= end:
            return False
        code, size = decode(data, i)
        if code < LIMIT and table[code] & (DIGIT | CHINESE_DIGIT) == DIGIT:
            return True
        i += size
    return False


@njit(cache=True)  # type: ignore[untyped-decorator]
def _name_follows(data, i, end, table):  # type: ignore[no-untyped-def]
    """A surname after at most a verb and a colon; everyday words that are surnames too need one of these."""
    joined = False
    for _ in range(8):
        if i >= end:
            return False
        code, size = decode(data, i)
        entry = table[code] if code < LIMIT else np.uint32(0)
        symbol = entry & SYMBOL
        if entry & SURNAME and (joined or not entry & AMBIGUOUS):
            return True
        if (
            symbol == 58 or symbol == 61 or symbol == 40 or code in (0x662F, 0x4E3A, 0x70BA, 0x53EB)
        ):  # : = ( 是 为 為 叫
            joined = True
        elif symbol not in (32, 9, 10, 34, 39, SKIP):
            return False
        i += size
    return False


@njit(cache=True)  # type: ignore[untyped-decorator]
def _capital_follows(data, i, end, table):  # type: ignore[no-untyped-def]
    """A capital or a Chinese surname after at most a verb, a colon and quotes."""
    for step in range(10):
        if i >= end:
            return False
        code, size = decode(data, i)
        entry = table[code] if code < LIMIT else np.uint32(0)
        symbol = entry & SYMBOL
        if entry & (UPPER | SURNAME):
            return step > 0
        if symbol not in (32, 9, 10, 13, 34, 39, 40, 42, 44, 45, 46, 47, 58, 60, 61, SKIP) and code not in (105, 115):
            return False
        i += size
    return False


@njit(cache=True)  # type: ignore[untyped-decorator]
def _assigned(data, i, end, table):  # type: ignore[no-untyped-def]
    """`:`, `=`, `是`, `为`, `is` or `was` within a few characters."""
    for _ in range(5):
        if i + 1 >= end:
            return False
        code, size = decode(data, i)
        symbol = table[code] & SYMBOL if code < LIMIT else np.uint32(0)
        if symbol == 58 or symbol == 61 or code in (0x662F, 0x4E3A, 0x70BA):
            return True
        if (symbol == 105 or symbol == 97) and data[i + size] in (115, 83):  # is, as (of "was")
            return True
        if symbol not in (32, 9, 10, 34, 39, 119, SKIP):
            return False
        i += size
    return False


@njit(cache=True)  # type: ignore[untyped-decorator]
def _surname_before(data, start, at, table):  # type: ignore[no-untyped-def]
    for _ in range(4):
        if at <= start:
            return False
        at = before(data, at)
        code, _size = decode(data, at)
        entry = table[code] if code < LIMIT else np.uint32(0)
        if not entry & HAN:
            return False
        if entry & SURNAME:
            return True
    return False


@njit(cache=True)  # type: ignore[untyped-decorator]
def _street_before(data, start, at, table):  # type: ignore[no-untyped-def]
    """The number before 号 must stand behind a street, a village or an estate."""
    seen = 0
    for _ in range(14):
        if at <= start:
            return False
        at = before(data, at)
        code, _size = decode(data, at)
        entry = table[code] if code < LIMIT else np.uint32(0)
        symbol = entry & SYMBOL
        if entry & (DIGIT | LETTER | CHINESE_DIGIT):
            seen += 1
        elif seen and entry & STREET:
            return True
        elif not (
            symbol in (32, 45, SKIP) or code in (0x7532, 0x4E59, 0x4E19, 0x6BB5, 0x4E1C, 0x897F, 0x5357, 0x5317, 0x4E2D)
        ):
            return False
    return False


@njit(cache=True)  # type: ignore[untyped-decorator]
def _at_sign_follows(data, i, end):  # type: ignore[no-untyped-def]
    for k in range(i, min(end, i + 140)):
        if data[k] == 64:
            return True
        if data[k] <= 32 or data[k] == 47:
            return False
    return False


@njit(cache=True)  # type: ignore[untyped-decorator]
def _address(data, start, end, i, char, table, row, anchors, count):  # type: ignore[no-untyped-def]
    """The start of the local part before an @ that a name follows."""
    p, c, q = i, char, i
    for _ in range(72):
        if p <= start:
            break
        q = before(data, p)
        code, _size = decode(data, q)
        entry = table[code] if code < LIMIT else np.uint32(0)
        symbol = entry & SYMBOL
        if not (entry & (DIGIT | LETTER) or symbol in (46, 95, 37, 43, 45, SKIP)):
            break
        p, c = q, c - 1
    if p < i and i + 3 < end:
        emit(anchors, count, row, AT, p, i, c, 0)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _colons(data, start, end, i, char, table, row, anchors, count):  # type: ignore[no-untyped-def]
    """Addresses of machines: hexadecimal digits with colons, more than a time of day has. Returns where they end."""
    p, c = i, char
    for _ in range(12):
        if p <= start:
            break
        q = before(data, p)
        code, _size = decode(data, q)
        symbol = table[code] & SYMBOL if code < LIMIT else np.uint32(0)
        if not (48 <= symbol <= 57 or 97 <= symbol <= 102 or symbol == SKIP):
            break
        p, c = q, c - 1
    colons = double = 0
    q, previous = p, np.uint32(0)
    for _ in range(128):
        if q >= end:
            break
        code, size = decode(data, q)
        symbol = table[code] & SYMBOL if code < LIMIT else np.uint32(0)
        if symbol == 58:
            colons += 1
            double += previous == 58
        elif not (48 <= symbol <= 57 or 97 <= symbol <= 102 or symbol == SKIP):
            break
        previous = symbol
        q += size
    if colons >= 4 or (double and colons >= 2 and q - p > 6):
        emit(anchors, count, row, IP6, p, q, c, 0)
    return q


@njit(cache=True)  # type: ignore[untyped-decorator]
def _number_words(data, i, end, table, row, slow):  # type: ignore[no-untyped-def]
    """A run of at least seven Chinese digits is a number that somebody spelled. Returns where the run ends."""
    seen = gap = 0
    while i < end:
        code, size = decode(data, i)
        entry = table[code] if code < LIMIT else np.uint32(0)
        if entry & (CHINESE_DIGIT | DIGIT):
            seen, gap = seen + 1, 0
        elif entry & SYMBOL in (32, 45, SKIP) and gap == 0:
            gap = entry & SYMBOL != SKIP
        else:
            break
        i += size
    if seen >= 7:
        slow[row] = 1
    return i


@njit(cache=True)  # type: ignore[untyped-decorator]
def _plate(data, i, end, char, table, row, anchors, count):  # type: ignore[no-untyped-def]
    seen, p = 0, i
    code, size = decode(data, p)
    p += size
    for _ in range(14):
        if p >= end:
            break
        code, size = decode(data, p)
        entry = table[code] if code < LIMIT else np.uint32(0)
        if entry & (DIGIT | LETTER):
            if seen == 0 and not entry & LETTER:
                return
            seen += 1
        elif entry & SYMBOL not in (32, 46, 45, 1, SKIP):
            break
        p += size
    if seen >= 5:
        emit(anchors, count, row, PLATE, i, p, char, 0)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _is_hex(byte):  # type: ignore[no-untyped-def]
    return 48 <= byte <= 57 or 65 <= byte <= 70 or 97 <= byte <= 102


@njit(cache=True)  # type: ignore[untyped-decorator]
def _is_reference(data, i, end):  # type: ignore[no-untyped-def]
    """`&name;`, `&#49;`, `%E5`, `\\u5f20`, `\\x31`."""
    byte = data[i]
    if byte == 38:
        for k in range(i + 1, min(end, i + 34)):
            if data[k] == 59:
                return k > i + 2
            if not (data[k] == 35 and k == i + 1) and not (
                48 <= data[k] <= 57 or 65 <= data[k] <= 90 or 97 <= data[k] <= 122
            ):
                return False
        return False
    if byte == 37:
        return i + 2 < end and _is_hex(data[i + 1]) and _is_hex(data[i + 2])
    if byte == 92 and i + 3 < end:
        if data[i + 1] == 120:
            return _is_hex(data[i + 2]) and _is_hex(data[i + 3])
        return (
            data[i + 1] == 117
            and i + 5 < end
            and _is_hex(data[i + 2])
            and _is_hex(data[i + 3])
            and _is_hex(data[i + 4])
            and _is_hex(data[i + 5])
        )
    return False

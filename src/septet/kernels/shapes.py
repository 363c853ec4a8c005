"""The shapes that numbers are written in: digits alone or with letters, in one piece or in groups, with their check digits.

What stands round a digit is taken as a row of groups (runs of ASCII letters and digits) with what joins them. A number whose
only proof is its check digit and its grouping is decided here, others become anchors that a pattern looks at. How a number
may be grouped is part of its form: a Luhn check passes one random number in ten.

What proves a number stands in `kernels.proofs`; the other shapes are named in `detect.forms`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from septet.kernels.proofs import (
    card_grouping,
    holds_resident,
    holds_uscc,
    issued,
    luhn,
    mobile,
    old_resident,
    resident,
)
from septet.kernels.symbols import DIGIT, LETTER, LIMIT, SKIP, SYMBOL, UPPER, before, decode, emit

RESIDENT, RESIDENT_15, MOBILE = 10, 11, 12
CARD, CARD_CUED = 13, 14
"""A card number of a known scheme, and one of no scheme, which needs a cue."""
USCC, IBAN, IP4, SSN, NINO, E164, LANDLINE, NANP, DASHED_MAC, POSTCODE_UK = range(20, 30)
FOUR_FOUR_FOUR, THREE_THREE_FOUR, LETTERED, GROUPED, WALLET = range(30, 35)
"""Shapes of national numbers: 12 digits in fours, 10 as 3-3-4, letters and digits in one piece of 7 to 16,
other groups, and addresses of wallets."""
CAPACITY = 560


@njit(cache=True)  # type: ignore[untyped-decorator]
def around_digit(data, start, end, i, char, table, codes, places, groups, digits, row, anchors, count):  # type: ignore[no-untyped-def]
    """Emit what the groups round the digit at byte `i` may be. Returns the byte up to which digits are dealt with."""
    p, c = i, char
    for _ in range(64):
        if p <= start:
            break
        q = before(data, p)
        code, _size = decode(data, q)
        entry = table[code] if code < LIMIT else np.uint32(0)
        symbol = entry & SYMBOL
        if not (entry & (DIGIT | LETTER) or symbol == 45 or symbol == SKIP):
            break
        p, c = q, c - 1
    p, c = _two_letters(data, start, p, c, table)
    size, done = _read(data, end, p, c, i, table, codes, places)
    number = _split(codes, size, groups)
    if _too_short(codes, groups, number):
        return done
    lead = 0
    if p > start:
        code, _size = decode(data, before(data, p))
        lead = int(table[code] & SYMBOL) if code < LIMIT else 0
        if lead == 40 or lead == 43:
            # A bracket or plus sign stands before the first group.
            c -= 1
            p = before(data, p)
    _numbers(codes, places, groups, number, digits, row, anchors, count, lead)
    _forms(codes, places, groups, number, digits, row, anchors, count, lead, p, c)
    return done


@njit(cache=True)  # type: ignore[untyped-decorator]
def _two_letters(data, start, p, c, table):  # type: ignore[no-untyped-def]
    """Two capitals that stand a blank before the first digits belong to them (AB 12 34 56 C)."""
    q, d, step = p, c, 0
    for _ in range(12):
        if q <= start:
            return (q, d) if step == 3 else (p, c)
        at = before(data, q)
        code, _size = decode(data, at)
        entry = table[code] if code < LIMIT else np.uint32(0)
        if entry & SYMBOL != SKIP:
            if step == 0 and entry & SYMBOL != 32:
                return p, c
            if step in (1, 2) and not entry & UPPER:
                return p, c
            if step == 3:
                return (p, c) if entry & (LETTER | DIGIT) else (q, d)
            step += 1
        q, d = at, d - 1
    return p, c


@njit(cache=True)  # type: ignore[untyped-decorator]
def _read(data, end, p, c, i, table, codes, places):  # type: ignore[no-untyped-def]
    """Characters from `p` on that may belong to one number, as plain ASCII; returns how many, and where they end."""
    k = gap = word = 0
    plain = False  # whether the current run has letters only
    while p < end and k < CAPACITY:
        code, size = decode(data, p)
        entry = table[code] if code < LIMIT else np.uint32(0)
        symbol = entry & SYMBOL
        if symbol == SKIP:
            p, c = p + size, c + 1
            continue
        if entry & (DIGIT | LETTER):
            plain = (plain or gap > 0 or k == 0) and entry & DIGIT == 0
            word = word + 1 if gap == 0 else 1
            gap = 0
        elif symbol in (32, 9, 46, 1, 95, 45, 40, 41, 47, 43):
            if plain and p > i and (word > 4 or (k > 0 and codes[k - 1] > 96)):
                break
            gap += 1
            if gap > 3:
                break
        else:
            break
        codes[k] = symbol - 32 if entry & UPPER else symbol
        places[k, 0], places[k, 1], places[k, 2] = p, c, p + size
        p, c, k = p + size, c + 1, k + 1
    done = p
    if k == CAPACITY:  # go on from a group that is not cut
        back = k - 48
        while back < k - 1 and _is_alnum(codes[back]):
            back += 1
        done = places[back, 0]
    places[k, 0], places[k, 1] = p, c
    return k, max(done, i + 1)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _is_alnum(code):  # type: ignore[no-untyped-def]
    return 48 <= code <= 57 or 65 <= code <= 90 or 97 <= code <= 122


@njit(cache=True)  # type: ignore[untyped-decorator]
def _split(codes, size, groups):  # type: ignore[no-untyped-def]
    """Groups: start, end, digits, small letters."""
    number, k = 0, 0
    while k < size and number < groups.shape[0]:
        if not _is_alnum(codes[k]):
            k += 1
            continue
        first, digits, small = k, 0, 0
        while k < size and _is_alnum(codes[k]):
            digits += codes[k] < 58
            small += codes[k] > 96
            k += 1
        groups[number, 0], groups[number, 1], groups[number, 2], groups[number, 3] = first, k, digits, small
        number += 1
    return number


@njit(cache=True)  # type: ignore[untyped-decorator]
def _too_short(codes, groups, number):  # type: ignore[no-untyped-def]
    """Whether no number of a person is as short: one group of under seven characters, or up to three of which each is digits or
    small letters, with under seven digits in all. (Addresses of four numbers have more groups, those of a card may have dots.)"""
    if number == 1:
        return groups[0, 1] - groups[0, 0] < 7
    if number > 3:
        return False
    digits = 0
    for g in range(number):
        n = groups[g, 1] - groups[g, 0]
        if (
            (groups[g, 2] != n and groups[g, 3] != n)
            or n > 25
            or (n == 4 and g + 1 < number and codes[groups[g, 1]] == 46)
        ):
            return False
        digits += groups[g, 2]
    return digits < 7


@njit(cache=True)  # type: ignore[untyped-decorator]
def _joint(codes, groups, at):  # type: ignore[no-untyped-def]
    """What stands between a group and the next: the character where it is one, -1 where it is more."""
    return np.int64(codes[groups[at, 1]]) if groups[at + 1, 0] - groups[at, 1] == 1 else np.int64(-1)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _number_joint(codes, groups, at):  # type: ignore[no-untyped-def]
    """Whether two groups may be of one number: joined by at most two blanks, dots or dashes."""
    size = groups[at + 1, 0] - groups[at, 1]
    if size > 2:
        return False
    good = True
    for k in range(groups[at, 1], groups[at + 1, 0]):
        good = good and codes[k] in (32, 9, 46, 1, 95, 45)
    return good


@njit(cache=True)  # type: ignore[untyped-decorator]
def _numbers(codes, places, groups, number, room, row, anchors, count, lead):  # type: ignore[no-untyped-def]
    """Resident identities, cards and mobile numbers: from each group on, the longest reading that holds."""
    digits, lengths = room[0], room[1]
    first = 0
    while first < number:
        if groups[first, 2] == 0:
            first += 1
            continue
        size = have = 0
        kind = best = cued = 0
        for last in range(first, min(first + 20, number)):
            run = groups[last, 1] - groups[last, 0]
            marked = groups[last, 2] == run - 1 and codes[groups[last, 1] - 1] in (88, 120)
            if not (groups[last, 2] == run or marked) or size + run > 20:
                break
            if last > first and not _number_joint(codes, groups, last - 1):
                break
            for k in range(groups[last, 0], groups[last, 1]):
                digits[size] = codes[k] - 48 if codes[k] < 58 else 10
                size += 1
            have = last - first
            lengths[have] = run
            have += 1
            found = _number(digits, size, lengths, have, marked, codes, groups[first, 0])
            if found == CARD_CUED:
                cued = last + 1
            elif found:
                kind, best = found, last + 1
            if marked:
                break
        if cued and not kind:
            kind, best = CARD_CUED, cued
        if not kind:
            first += 1
            continue
        at = groups[first, 0]
        begin, char = places[at, 0], places[at, 1]
        if kind == MOBILE and ((at > 0 and codes[at - 1] == 43) or (at == 0 and lead == 43)):
            begin, char = begin - 1, char - 1
        final = groups[best - 1, 1] - 1
        emit(anchors, count, row, kind, begin, places[final, 2], char, places[final, 1] + 1)
        first = best if kind != CARD_CUED else first + 1


@njit(cache=True)  # type: ignore[untyped-decorator]
def _number(digits, size, lengths, have, marked, codes, at):  # type: ignore[no-untyped-def]
    spaced = True
    for k in range(have):
        spaced = spaced and lengths[k] == 1
    if size == 18 and resident(digits):
        return RESIDENT
    if marked:
        return 0
    card = 12 <= size <= 19 and (spaced or card_grouping(lengths, have)) and luhn(digits, size)
    if card and issued(digits, size):
        return CARD
    if size == 15 and have == 1 and old_resident(digits):
        return RESIDENT_15
    if at >= 2 and codes[at - 1] == 46 and 48 <= codes[at - 2] <= 57:
        return CARD_CUED if card else 0  # decimals of a number
    if (size == 11 or size == 13 or size == 15) and mobile(digits, size, lengths, have, spaced):
        return MOBILE
    return CARD_CUED if card else 0


@njit(cache=True)  # type: ignore[untyped-decorator]
def _is_lettered(codes, first, last, letters):  # type: ignore[no-untyped-def]
    """Whether capitals and digits in one piece may be one of `detect.national.LETTERED`, by where the letters stand."""
    n = last - first
    ahead, behind = codes[first] > 57, codes[last - 1] > 57
    if n == 7:
        return letters == 1 and ahead  # A123456(3)
    if n == 8:
        return ahead and (letters == 1 or (letters == 2 and codes[first + 1] > 57))  # X1234567-L, AB123456(9)
    if n == 9:
        return behind and (letters == 1 or (letters == 2 and ahead))  # 12345678Z, S1234567D
    if n == 10:
        return ahead and (letters == 1 or (letters == 6 and behind))  # A123456789, ABCPE1234F
    if n == 15:
        return letters == 1 and not ahead  # 1 85 05 2A ...
    return n == 16 and letters == 9 and ahead and behind  # RSSMRA85T10A562S


@njit(cache=True)  # type: ignore[untyped-decorator]
def _are_bytes(codes, groups, at):  # type: ignore[no-untyped-def]
    """Whether four groups are numbers below 256."""
    for g in range(at, at + 4):
        first, last = groups[g, 0], groups[g, 1]
        if last - first > 3 or groups[g, 2] != last - first:
            return False
        value = 0
        for k in range(first, last):
            value = value * 10 + codes[k] - 48
        if value > 255:
            return False
    return True


@njit(cache=True)  # type: ignore[untyped-decorator]
def _is_area(codes, first, n):  # type: ignore[no-untyped-def]
    """010, 02x, 0755 or 0086: an area code of China, or the way there from abroad."""
    second = codes[first + 1] - 48
    return (n == 3 and (second == 1 or second == 2)) or (n == 4 and (second >= 3 or second == 0))


@njit(cache=True)  # type: ignore[untyped-decorator]
def _forms(codes, places, groups, number, room, row, anchors, count, lead, p, c):  # type: ignore[no-untyped-def]
    """Anchors for the shapes that patterns decide."""
    quad = 0
    for g in range(number):
        first, last, digits, small = groups[g, 0], groups[g, 1], groups[g, 2], groups[g, 3]
        n = last - first
        at, at_char = places[first, 0], places[first, 1]
        finish = places[last - 1, 2]
        ahead = codes[first - 1] if first else lead
        begin, begin_char = (at, at_char)
        if ahead in (40, 43):
            begin, begin_char = (places[first - 1, 0], places[first - 1, 1]) if first else (p, c)
        head = codes[first]
        joint = _joint(codes, groups, g) if g + 1 < number else np.int64(0)
        n2 = groups[g + 1, 1] - groups[g + 1, 0] if g + 1 < number else 0
        d2 = groups[g + 1, 2] if g + 1 < number else 0
        n3 = groups[g + 2, 1] - groups[g + 2, 0] if g + 2 < number else 0
        d3 = groups[g + 2, 2] if g + 2 < number else 0
        letters = n - digits
        # One piece of letters and digits.
        if (
            n == 18
            and digits >= 8
            and (digits < 17 or not holds_resident(codes, first, room[0]))
            and holds_uscc(codes, first)
        ):
            emit(anchors, count, row, USCC, at, finish, at_char, 0)
        if n >= 4 and head > 57 and codes[first + 1] > 57 and codes[first + 2] < 58 and codes[first + 3] < 58:
            emit(anchors, count, row, IBAN, at, finish, at_char, 0)
        if n >= 26 and n <= 62 and letters and (head in (49, 51, 76, 77, 84, 98, 66) or (head == 48 and n == 42)):
            emit(anchors, count, row, WALLET, at, finish, at_char, 0)
        if (
            head > 57
            and letters >= 1
            and small == 0
            and (
                (letters == 2 and digits == 0 and d2 >= 2 and n2 in (2, 3, 6, 7) and joint == 32)
                or (n == 9 and letters == 3)
                or (n == 8 and letters == 2)
            )
        ):
            emit(anchors, count, row, NINO, at, finish, at_char, 0)
        if 7 <= n <= 16 and small == 0 and digits >= 4 and _is_lettered(codes, first, last, letters):
            emit(anchors, count, row, LETTERED, at, finish, at_char, 0)
        if (
            n2 == 3 and joint == 32 and 2 <= n <= 4 and digits and small == 0 and head > 57
            and codes[groups[g + 1, 0]] < 58 and d2 == 1 and codes[groups[g + 1, 0] + 1] > 57
        ):  # fmt: skip
            emit(anchors, count, row, POSTCODE_UK, at, finish, at_char, 0)
        # Groups joined by dots, dashes, blanks.
        if digits == n and n <= 3 and joint == 46:
            quad = quad + 1 if (g > 0 and codes[first - 1] == 46) else 1
            if (
                quad == 1
                and g + 3 < number
                and _joint(codes, groups, g + 1) == 46
                and _joint(codes, groups, g + 2) == 46
                and _are_bytes(codes, groups, g)
            ):
                emit(anchors, count, row, IP4, at, finish, at_char, 0)
        pairs = n == 2 and n2 == 2 and n3 == 2 and joint == 45 and g + 5 < number
        if pairs or (n == 4 and n2 == 4 and n3 == 4 and joint == 46):
            emit(anchors, count, row, DASHED_MAC, at, finish, at_char, 0)
        if digits == n:
            if n == 3 and n2 == 2 and n3 == 4 and d2 == 2 and d3 == 4:
                emit(anchors, count, row, SSN, at, finish, at_char, 0)
            if ahead == 43:
                emit(anchors, count, row, E164, begin, finish, begin_char, 0)
            elif head == 48 and g + 1 < number and _is_area(codes, first, n):
                emit(anchors, count, row, LANDLINE, begin, finish, begin_char, 0)
            if n == 3 and n2 == 3 and d2 == 3 and n3 == 4 and d3 == 4 and head > 49:
                emit(anchors, count, row, NANP, begin, finish, begin_char, 0)
                emit(anchors, count, row, THREE_THREE_FOUR, at, finish, at_char, 0)
            elif n == 1 and head == 49 and n2 == 3 and n3 == 3:
                emit(anchors, count, row, NANP, at, finish, at_char, 0)
            elif n == 3 and n2 == 3 and n3 == 4 and d2 == 3:
                emit(anchors, count, row, THREE_THREE_FOUR, at, finish, at_char, 0)
            if n == 4 and n2 == 4 and d2 == 4 and (n3 == 4 and d3 == 4):
                emit(anchors, count, row, FOUR_FOUR_FOUR, at, finish, at_char, 0)
            if (
                (joint == 46 and n3 == 3 and n2 == 3 and n <= 3)  # 529.982.247-25, 12.345.678-5
                or (joint == 45 and n == 6 and n2 == 7)  # 900101-1234567
                or ((joint == 45 or joint == 32) and n == 8 and n2 == 1 and d2 == 0)  # 12345678-Z
                or (
                    head in (49, 50) and ((n == 1 and n2 == 2 and n3 == 2) or (n == 13 and n2 == 2) or n == 15)
                )  # 1 85 05 ...
            ):
                emit(anchors, count, row, GROUPED, at, finish, at_char, 0)

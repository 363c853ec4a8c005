"""What proves a number by its digits alone: check digits, issuers, dates, provinces, and the grouping that a number is written in.

Digits are numbers from 0 to 9, and 10 for a check character X. Sources: GB 11643-1999 (resident identities), GB 32100-2015 (unified
social credit codes), ISO/IEC 7812-1 (issuers, Luhn), the number plan of the Chinese mobile networks. The readable forms, for one
number at a time, are in `detect.checksums`.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)  # type: ignore[untyped-decorator]
def luhn(digits, size):  # type: ignore[no-untyped-def]
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for k in range(size):
        value = digits[size - 1 - k]
        if k & 1:
            value = value * 2 - 9 * (value > 4)
        total += value
    return total % 10 == 0


@njit(cache=True)  # type: ignore[untyped-decorator]
def _date(digits, at, year):  # type: ignore[no-untyped-def]
    month, day = digits[at] * 10 + digits[at + 1], digits[at + 2] * 10 + digits[at + 3]
    if not (1880 <= year <= 2100 and 1 <= month <= 12 and day >= 1):
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    most = 30 if month in (4, 6, 9, 11) else (29 if leap else 28) if month == 2 else 31
    return day <= most


@njit(cache=True)  # type: ignore[untyped-decorator]
def _province(digits):  # type: ignore[no-untyped-def]
    two = digits[0] * 10 + digits[1]
    return (
        11 <= two <= 15
        or 21 <= two <= 23
        or 31 <= two <= 37
        or 41 <= two <= 46
        or 50 <= two <= 54
        or 61 <= two <= 65
        or two in (71, 81, 82, 83)
    )


@njit(cache=True)  # type: ignore[untyped-decorator]
def resident(digits):  # type: ignore[no-untyped-def]
    total, weight = 0, 1
    for k in range(17, -1, -1):  # weights are powers of two modulo 11
        if digits[k] > 9 and k < 17:
            return False
        total += digits[k] * weight
        weight = weight * 2 % 11
    year = digits[6] * 1000 + digits[7] * 100 + digits[8] * 10 + digits[9]
    return total % 11 == 1 and _province(digits) and _date(digits, 10, year)


@njit(cache=True)  # type: ignore[untyped-decorator]
def holds_resident(codes, first, digits):  # type: ignore[no-untyped-def]
    for k in range(18):
        digits[k] = codes[first + k] - 48 if codes[first + k] < 58 else 10
    return resident(digits)


_USCC_VALUES = np.full(128, -1, np.int64)
for _value, _char in enumerate("0123456789ABCDEFGHJKLMNPQRTUWXY"):
    _USCC_VALUES[ord(_char)] = _USCC_VALUES[ord(_char.lower())] = _value


@njit(cache=True)  # type: ignore[untyped-decorator]
def holds_uscc(codes, first):  # type: ignore[no-untyped-def]
    """GB 32100-2015: weights are powers of three modulo 31."""
    total, weight = 0, 1
    for k in range(18):
        value = _USCC_VALUES[codes[first + k]]
        if value < 0 or (2 <= k < 8 and value > 9):
            return False
        total += value * (weight if k < 17 else 1)
        weight = weight * 3 % 31
    return total % 31 == 0


@njit(cache=True)  # type: ignore[untyped-decorator]
def old_resident(digits):  # type: ignore[no-untyped-def]
    return _province(digits) and _date(digits, 8, 1900 + digits[6] * 10 + digits[7])


@njit(cache=True)  # type: ignore[untyped-decorator]
def _is(lengths, have, a, b, c):  # type: ignore[no-untyped-def]
    if c:
        return have == 3 and lengths[0] == a and lengths[1] == b and lengths[2] == c
    return have == 2 and lengths[0] == a and lengths[1] == b


@njit(cache=True)  # type: ignore[untyped-decorator]
def card_grouping(lengths, have):  # type: ignore[no-untyped-def]
    if have == 1 or _is(lengths, have, 4, 6, 5) or _is(lengths, have, 4, 6, 4) or _is(lengths, have, 5, 5, 5):
        return True
    if _is(lengths, have, 6, 13, 0) or _is(lengths, have, 6, 10, 0) or _is(lengths, have, 8, 8, 0):
        return True
    for k in range(have - 1):
        if lengths[k] != 4:
            return False
    return lengths[have - 1] <= 4


@njit(cache=True)  # type: ignore[untyped-decorator]
def issued(digits, size):  # type: ignore[no-untyped-def]
    """Whether a card scheme issues numbers of this prefix and length."""
    two = digits[0] * 10 + digits[1]
    three = two * 10 + digits[2]
    four = three * 10 + digits[3]
    if size >= 16 and (two == 62 or four in (9558, 9559, 6858, 6859, 6013)):
        return True
    if digits[0] == 4 and (size == 13 or size == 16):
        return True
    if size == 16:
        return (
            51 <= two <= 58
            or two in (35, 50, 65, 67)
            or 2221 <= four <= 2720
            or 644 <= three <= 649
            or four in (6011, 6304, 6759, 6761, 6763)
        )
    if size == 15:
        return two in (34, 37) or four in (2131, 1800)
    return size == 14 and (two in (36, 38, 39) or 300 <= three <= 305)


@njit(cache=True)  # type: ignore[untyped-decorator]
def mobile(digits, size, lengths, have, spaced):  # type: ignore[no-untyped-def]
    at = size - 11
    if at >= 2 and not (digits[at - 2] == 8 and digits[at - 1] == 6):
        return False
    if at == 4 and not (digits[0] == 0 and digits[1] == 0):
        return False
    if digits[at] != 1:
        return False
    second, third = digits[at + 1], digits[at + 2]
    if second < 3 or (second == 4 and third in (2, 3)) or (second == 5 and third == 4):
        return False
    if (second == 6 and third not in (2, 5, 6, 7)) or (second == 7 and third > 8) or (second == 9 and third == 4):
        return False
    if spaced:
        return True
    begin = 1 if at and lengths[0] <= 4 else 0
    total = 0
    for k in range(begin, have):
        total += lengths[k]
    if total != 11:
        return True
    n = have - begin
    a = lengths[begin]
    b = lengths[begin + 1] if n > 1 else 0
    c = lengths[begin + 2] if n > 2 else 0
    if n == 1:
        return True
    if n == 2:
        return (a == 3 and b == 8) or (a == 7 and b == 4) or (a == 5 and b == 6)
    if n == 3:
        return (a == 3 and (b, c) in ((4, 4), (3, 5), (5, 3))) or (a == 4 and (b, c) in ((3, 4), (4, 3)))
    return n == 5 and a == 3 and b == 2 and c == 2 and lengths[begin + 3] == 2

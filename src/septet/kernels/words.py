"""Mixed tokens: folded Latin words, and single Chinese, Japanese and Korean characters, of one pass over the bytes.

One method serves text of both kinds: by blanks a Chinese sentence would be one token, so that two statutes that differ in a
character would share nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

U = np.uint64
PRIME = np.uint64(0x9E3779B97F4A7C15)


def _fold_table() -> Any:
    table = np.zeros(256, np.uint8)
    for byte in b"0123456789abcdefghijklmnopqrstuvwxyz":
        table[byte] = byte
    for byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        table[byte] = byte + 32
    return table


FOLD = _fold_table()
"""For each byte below 128: 0 where it parts words, else its small letter or digit."""


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def mix(x):  # type: ignore[no-untyped-def]
    """A 64-bit hash of a 64-bit number (the finaliser of Steele, Lea and Flood, OOPSLA 2014, with other constants)."""
    x ^= x >> U(32)
    x *= U(0xD6E8FEB86659FD93)
    x ^= x >> U(32)
    x *= U(0xD6E8FEB86659FD93)
    return x ^ (x >> U(32))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def windows(data, start, end, size, out, fold):  # type: ignore[no-untyped-def]
    """Write the hash of each window of `size` tokens of data[start:end] to `out`, and return their number.

    A text of fewer tokens has one window, of all that there are. `out` needs end - start + 2 places.
    """
    count = rolled(data, start, end, size, out, fold)
    for k in range(count):
        out[k] = mix(out[k])
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def rolled(data, start, end, size, out, fold):  # type: ignore[no-untyped-def]
    """As `windows`, the polynomials of the tokens as they roll on, unmixed: their high bits are good, their low bits are not."""
    prime = U(0x9E3779B97F4A7C15)
    power = U(1)
    for _ in range(size):
        power *= prime
    ring = np.zeros(size, np.uint64)
    tokens, count = 0, 0
    total, word = U(0), U(0)
    i = start
    while i <= end:
        token = U(0)
        byte = data[i] if i < end else 0
        step = 1
        if byte < 0x80:
            folded = fold[byte]
            if folded:
                word = (word ^ U(folded)) * U(0x100000001B3) + U(1)
            else:
                token, word = word, U(0)
        elif 0xE3 <= byte <= 0xED and i + 2 < end:
            code = (U(byte) & U(15)) << U(12) | (U(data[i + 1]) & U(63)) << U(6) | U(data[i + 2]) & U(63)
            if word:  # close a Latin word first, and look at this character again
                token, word, step = word, U(0), 0
            else:
                token = U(0) if code < U(0x3040) else code * prime + U(7)
                step = 3
        elif byte == 0xEF or byte == 0xE2:  # full-width forms and general punctuation part words
            token, word, step = word, U(0), 3
        elif byte == 0xC2:  # so do the hard blank and the signs of Latin-1
            token, word, step = word, U(0), 2
        else:
            word = (word ^ U(byte)) * U(0x100000001B3) + U(1)
        if token:
            slot = tokens % size
            total = total * prime + token - ring[slot] * power
            ring[slot] = token
            tokens += 1
            if tokens >= size:
                out[count] = total
                count += 1
        i += step
    if 0 < tokens < size:
        out[0] = total
        count = 1
    return count

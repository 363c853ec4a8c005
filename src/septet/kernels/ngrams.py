"""Mixed tokens of texts with the starts of their lines, hashes of n-grams, and the look-up of a language model's n-grams."""

from __future__ import annotations

import numpy as np
from numba import njit

from septet.kernels.characters import BREAK, CJK, DIGIT, HIDDEN, LETTER, WORD, character_at, kind_of
from septet.kernels.words import PRIME, U, mix

START = np.uint64(0x5EB7E75EB7E75EB7)
"""The token before the first of a line."""
MAX_ORDER = 5
_ZERO = ord("0")


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def tokens_of(data, start, end, kinds, folded, tokens, depths):  # type: ignore[no-untyped-def]
    """Write the tokens of data[start:end] and how far each is into its line (START is 1), and return their number.

    Case and width are folded, digits count as one. The arrays need 2 * (end - start) + 2 places.
    """
    count, depth = 0, 0
    word, open_word = U(0), False
    i = start
    while i <= end:
        code, width, kind = np.int64(10), 1, np.int64(BREAK)
        if i < end:
            code, width = character_at(data, i, end)
            kind = kind_of(code, kinds)
        i += width
        if kind & HIDDEN:
            continue
        alone = kind & CJK and kind & LETTER
        if kind & WORD and not alone:
            small = np.int64(folded[code]) if code < 65536 else code
            word = mix((word ^ U(_ZERO if kind & DIGIT else small)) * PRIME + U(1))
            open_word = True
            continue
        for turn in range(2):
            if (turn == 0 and not open_word) or (turn == 1 and not alone):
                continue
            if depth == 0:
                tokens[count], depths[count] = START, 1
                depth = 1
                count += 1
            depth += 1
            tokens[count] = word if turn == 0 else mix(U(code) * PRIME + U(7))
            depths[count] = depth
            count += 1
        word, open_word = U(0), False
        if kind & BREAK:
            depth = 0
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def column_tokens(data, offsets, kinds, folded):  # type: ignore[no-untyped-def]
    """The tokens of all texts, end to end, and their depths (int32, at most 2^31)."""
    longest = 0
    for row in range(offsets.size - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    one, one_depths = np.empty(2 * longest + 2, np.uint64), np.empty(2 * longest + 2, np.int32)
    room = max(1024, (offsets[offsets.size - 1] - offsets[0]) // 2)
    tokens, depths = np.empty(room, np.uint64), np.empty(room, np.int32)
    size = 0
    for row in range(offsets.size - 1):
        count = tokens_of(data, offsets[row], offsets[row + 1], kinds, folded, one, one_depths)
        if size + count > room:
            room = max(2 * room, size + count)
            more, more_depths = np.empty(room, np.uint64), np.empty(room, np.int32)
            more[:size], more_depths[:size] = tokens[:size], depths[:size]
            tokens, depths = more, more_depths
        tokens[size : size + count] = one[:count]
        depths[size : size + count] = one_depths[:count]
        size += count
    return tokens[:size].copy(), depths[:size].copy()


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def longer(key, before):  # type: ignore[no-untyped-def]
    """The hash of an n-gram with one more token before it."""
    return mix(key * PRIME ^ (before + U(0x2545F4914F6CDD1D)))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def extend(keys, tokens, depths, order):  # type: ignore[no-untyped-def]
    """The hashes of n-grams of `order` that end at each token, from those of order - 1. 0 where a line is too short for one."""
    out = np.zeros(keys.size, np.uint64)
    for i in range(keys.size):
        if depths[i] >= order:
            out[i] = longer(keys[i], tokens[i - order + 1]) | U(1)
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def table_of(keys, chances, leftovers):  # type: ignore[no-untyped-def]
    """An open hash table of n-grams: (keys, chances, leftovers), at most half full."""
    size = 1024
    while size < 2 * keys.size:
        size <<= 1
    mask = U(size - 1)
    table, chance, leftover = np.zeros(size, np.uint64), np.zeros(size, np.float32), np.ones(size, np.float32)
    for k in range(keys.size):
        place = (keys[k] >> U(24)) & mask
        while table[place] != U(0):
            place = (place + U(1)) & mask
        table[place], chance[place], leftover[place] = keys[k], chances[k], leftovers[k]
    return table, chance, leftover


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def log_chances(data, offsets, kinds, folded, table, chance, leftover, order, floor, out):  # type: ignore[no-untyped-def]
    """For each text, the sum of the natural logarithms of its tokens' probabilities and their number: out float64 (texts, 2).

    `floor` is the probability of a token that was never seen.
    """
    mask = U(table.size - 1)
    stretch = 1 << 20
    longest = 0
    for row in range(offsets.size - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    room = 2 * min(longest, stretch + 8) + 2
    tokens, depths = np.empty(room, np.uint64), np.empty(room, np.int32)
    # The leftover mass of the n-grams of each order that end before the token in question; -1 for one that is not known.
    left, now = np.empty(MAX_ORDER + 1), np.empty(MAX_ORDER + 1)
    for row in range(offsets.size - 1):
        begin = offsets[row]
        while begin < offsets[row + 1]:
            end = min(offsets[row + 1], begin + stretch)
            while end < offsets[row + 1] and data[end] & 0xC0 == 0x80:
                end += 1
            count = tokens_of(data, begin, end, kinds, folded, tokens, depths)
            begin = end
            for i in range(count):
                key = tokens[i] | U(1)
                chance_now = floor
                known = True
                for n in range(1, order + 1):
                    now[n] = -1.0
                    if not known or depths[i] < n:
                        continue
                    if n > 1:
                        key = longer(key, tokens[i - n + 1]) | U(1)
                        if left[n - 1] < 0:
                            known = False
                            continue
                        chance_now *= left[n - 1]
                    place = (key >> U(24)) & mask
                    while table[place] != U(0) and table[place] != key:
                        place = (place + U(1)) & mask
                    if table[place] == key:
                        chance_now += chance[place]
                        now[n] = leftover[place]
                    # The context may be known without this token after it: longer n-grams are not, their contexts may be.
                left, now = now, left
                if depths[i] > 1:
                    out[row, 0] += np.log(chance_now)
                    out[row, 1] += 1

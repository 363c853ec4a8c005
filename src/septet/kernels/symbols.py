"""What the scanner knows of a character: its folded symbol and its classes, in one number; and how it walks over UTF-8.

The table is keyed by code point and filled by who uses it (`detect.pii`), so that full-width, stylised and traditional
characters have the symbol of their plain form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# A character in the table: its symbol in the low 12 bits (below 127: the small ASCII character), and what it is.
SYMBOL = 0xFFF
MIDDLE_DOT = 1
SKIP = 127
"""Invisible or combining: looked through."""
UNKNOWN = 0xFFFFFFFF
DIGIT, LETTER, UPPER = 1 << 12, 1 << 13, 1 << 14
CHINESE_DIGIT, SURNAME, AMBIGUOUS = 1 << 15, 1 << 16, 1 << 17
PROVINCE, STREET, HAN, LOOK = 1 << 18, 1 << 19, 1 << 20, 1 << 21
LIMIT = 0x20000
"""Code points from here on (rare scripts, tags) have no entry and part words."""


@njit(cache=True)  # type: ignore[untyped-decorator]
def decode(data, i):  # type: ignore[no-untyped-def]
    """The code point at a byte, and how many bytes it takes."""
    byte = np.int64(data[i])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0:
        return (byte & 31) << 6 | (np.int64(data[i + 1]) & 63), 2
    if byte < 0xF0:
        return (byte & 15) << 12 | (np.int64(data[i + 1]) & 63) << 6 | (np.int64(data[i + 2]) & 63), 3
    return (
        (byte & 7) << 18
        | (np.int64(data[i + 1]) & 63) << 12
        | (np.int64(data[i + 2]) & 63) << 6
        | (np.int64(data[i + 3]) & 63),
        4,
    )


@njit(cache=True)  # type: ignore[untyped-decorator]
def before(data, i):  # type: ignore[no-untyped-def]
    """Where the character before byte `i` begins."""
    i -= 1
    while data[i] & 0xC0 == 0x80:
        i -= 1
    return i


@njit(cache=True)  # type: ignore[untyped-decorator]
def emit(anchors, count, row, kind, start, end, char, last):  # type: ignore[no-untyped-def]
    """Note an anchor: row, class, start byte, end byte, start character, end character (0 where a pattern decides it)."""
    if count[0] < anchors.shape[0]:
        at = count[0]
        anchors[at, 0], anchors[at, 1], anchors[at, 2], anchors[at, 3] = row, kind, start, end
        anchors[at, 4], anchors[at, 5] = char, last
        count[0] = at + 1


def automaton(words: list[list[int]], symbols: int) -> tuple[Any, Any, Any, Any]:
    """The full table of an Aho-Corasick automaton over symbols: next state (states x symbols, int16), for each state where
    its outputs begin, and of each output the number of the word and its length. Words are lists of symbols."""
    children: list[dict[int, int]] = [{}]
    ends: list[list[int]] = [[]]
    for number, word in enumerate(words):
        state = 0
        for symbol in word:
            if symbol not in children[state]:
                children[state][symbol] = len(children)
                children.append({})
                ends.append([])
            state = children[state][symbol]
        ends[state].append(number)
    go = np.zeros((len(children), symbols), np.int16)
    fail = [0] * len(children)
    queue = []
    for symbol, state in children[0].items():
        go[0, symbol] = state
        queue.append(state)
    for state in queue:
        ends[state] = ends[state] + ends[fail[state]]
        go[state] = go[fail[state]]
        for symbol, child in children[state].items():
            fail[child] = int(go[fail[state], symbol])
            go[state, symbol] = child
            queue.append(child)
    starts = np.zeros(len(children) + 1, np.int32)
    starts[1:] = np.cumsum([len(one) for one in ends])
    flat = [number for one in ends for number in one]
    return go, starts, np.array(flat, np.int32), np.array([len(words[number]) for number in flat], np.int32)


def laid_out(go: Any, starts: Any) -> tuple[Any, Any, Any]:
    """The table of `automaton` end to end (uint32), of each of its rows the state, and where the rows begin whose states end words.

    A state stands for the place where its row begins, so that a step is one sum and one look-up, and one comparison tells
    whether a word ends."""
    ends_word = starts[1:] > starts[:-1]
    states = np.argsort(ends_word, kind="stable")
    begins = np.empty(states.size, np.uint32)
    begins[states] = np.arange(states.size) * go.shape[1]
    return begins[go[states]].ravel(), states, np.uint64((~ends_word).sum() * go.shape[1])

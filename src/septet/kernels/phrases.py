"""Many fixed phrases looked for at once: an Aho-Corasick automaton over bytes, as one table that a compiled pass steps through.

After Aho and Corasick (1975), with the failure links resolved, so that each byte costs one look-up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np


class Phrases(NamedTuple):
    """`step[256 * state + byte]` is the next state (int32, 0 at the start); `found[state]` are the bits of what ends there."""

    step: Any
    found: Any


def automaton(phrases: Mapping[int, Sequence[str]]) -> Phrases:
    """The automaton of phrases by their bit. ASCII letters match in either case."""
    children: list[dict[int, int]] = [{}]
    found = [0]
    for bit, texts in phrases.items():
        for text in texts:
            state = 0
            for byte in text.lower().encode():
                if byte not in children[state]:
                    children.append({})
                    found.append(0)
                    children[state][byte] = len(children) - 1
                state = children[state][byte]
            found[state] |= bit
    step = np.zeros((len(children), 256), np.int32)
    failure = [0] * len(children)
    queue = list(children[0].values())
    for byte, child in children[0].items():
        step[0, byte] = child
    for state in queue:
        step[state] = step[failure[state]]
        found[state] |= found[failure[state]]
        for byte, child in children[state].items():
            failure[child] = int(step[failure[state], byte])
            step[state, byte] = child
            queue.append(child)
    for byte in range(ord("A"), ord("Z") + 1):
        step[:, byte] = step[:, byte + 32]
    return Phrases(step.reshape(-1), np.array(found, np.int32))

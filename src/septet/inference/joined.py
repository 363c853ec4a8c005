"""Several encoders as one: their vectors side by side, each with the same share of the length.

The cosine of joined vectors is the mean of the parts' cosines. Encoders of unlike make err on unlike texts: the measured gain
stands in `benchmarks/results`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from septet.inference.embedding import Encoder, encode_queries


class Joined:
    """Encoders side by side, in the order given."""

    def __init__(self, parts: Sequence[Encoder], name: str) -> None:
        self._parts = tuple(parts)
        self.name = name
        self.width = sum(part.width for part in parts)

    def encode(self, texts: Sequence[str]) -> Any:
        return self._beside(lambda part: part.encode(texts))

    def encode_queries(self, texts: Sequence[str]) -> Any:
        return self._beside(lambda part: encode_queries(part, texts))

    def _beside(self, ask: Callable[[Encoder], Any]) -> Any:
        import numpy as np

        share = np.float32(len(self._parts) ** -0.5)
        return np.concatenate([ask(part) for part in self._parts], axis=1) * share

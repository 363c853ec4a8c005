"""Several encoders as one: their vectors side by side.

The product of joined vectors is a weighted mean of the parts' cosines, up to a factor. The weights are the question's alone:
passages carry each part with the same share of the length, so that other weights need no new vectors. Encoders of unlike make
err on unlike texts: the measured gain stands in `benchmarks/results`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from septet.inference.embedding import Encoder, encode_queries


class Joined:
    """Encoders side by side, in the order given. `weights` are what each counts in a question; empty: the same."""

    def __init__(self, parts: Sequence[Encoder], name: str, weights: Sequence[float] = ()) -> None:
        self._parts = tuple(parts)
        self._weights = tuple(weights) or (1.0,) * len(self._parts)
        self.name = name
        self.width = sum(part.width for part in parts)

    def encode(self, texts: Sequence[str]) -> Any:
        return self._beside(lambda part: part.encode(texts), (1.0,) * len(self._parts))

    def encode_queries(self, texts: Sequence[str]) -> Any:
        return self._beside(lambda part: encode_queries(part, texts), self._weights)

    def _beside(self, ask: Callable[[Encoder], Any], weights: Sequence[float]) -> Any:
        import numpy as np

        scale = sum(weight * weight for weight in weights) ** -0.5
        parts = [ask(part) * np.float32(weight * scale) for part, weight in zip(self._parts, weights, strict=True)]
        return np.concatenate(parts, axis=1)

"""A language model of n-grams, trained on text that its owner calls good: how surprising another text is under it.

Interpolated Kneser-Ney smoothing (Kneser and Ney 1995; Chen and Goodman 1999) over mixed tokens, with continuation counts for
the lower orders, one discount an order, and n-grams of order 3 and more that stand once left out, whose mass goes to the order
below (as in KenLM, Heafield 2011). N-grams are 64-bit hashes, so the model holds no text. Perplexity is a token's: a word of
Latin script, a single Chinese character.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from septet.core.errors import ConfigError
from septet.files import read_json, write_json
from septet.kernels.arrow import texts_of
from septet.kernels.characters import characters
from septet.kernels.ngrams import MAX_ORDER, START, column_tokens, extend, log_chances, table_of

_HELD_OUT = 20  # one text in so many is held out
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


class NgramModel:
    """Probabilities of n-grams by their hash. `perplexity` and `perplexity_all` are one code."""

    def __init__(self, keys: Any, chances: Any, leftovers: Any, order: int, floor: float, about: Any = None) -> None:
        self.about: dict[str, Any] = dict(about or {})
        """`tokens`, `texts`, `vocabulary`, `ngrams`, and `held_out`: the quantiles of perplexity on held-out texts."""
        self._keys, self._chances, self._leftovers = keys, chances, leftovers
        self._order, self._floor = order, floor
        self._table = table_of(keys, chances, leftovers)

    def perplexity_all(self, column: Any) -> Any:
        """The perplexity of each text: float64. A text without words has 0."""
        texts = texts_of(column)
        table = characters()
        sums = np.zeros((len(texts), 2))
        log_chances(texts.data, texts.offsets, table.kinds, table.folded, *self._table, self._order, self._floor, sums)
        spoken = sums[:, 1] > 0
        return np.where(spoken, np.exp(-sums[:, 0] / np.maximum(1, sums[:, 1])), 0.0)

    def perplexity(self, text: str) -> float:
        """The perplexity of one text."""
        return float(self.perplexity_all([text])[0])

    def save(self, folder: Path, about: Mapping[str, Any]) -> None:
        """Write `scorer.json` and `weights.safetensors`: a `Scorer` artifact of form `ngram`."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        arrays = {"keys": self._keys, "chances": self._chances, "leftovers": self._leftovers}
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / "weights.safetensors")
        shape = {"form": "ngram", "order": self._order, "floor": self._floor}
        write_json(folder / "scorer.json", {**self.about, **about, **shape})


def load(folder: Path) -> NgramModel:
    """The model in a folder. Raises ConfigError where the folder holds a scorer of another form."""
    from safetensors.numpy import load_file

    about = read_json(folder / "scorer.json")
    if about.get("form") != "ngram":
        raise ConfigError(
            f"{folder} holds a scorer of the form '{about.get('form')}', not an n-gram model",
            "Name one that data.perplexity_model made",
        )
    arrays = load_file(folder / "weights.safetensors")
    return NgramModel(arrays["keys"], arrays["chances"], arrays["leftovers"], about["order"], about["floor"], about)


def train(texts: Sequence[str], order: int = 4, seed: int = 1, max_bytes: int = 64 << 20) -> NgramModel:
    """A model of `order` (1 to 5) of at most `max_bytes` of the texts, taken by digest (64 MiB take about 2 GiB of memory).

    One text in twenty is held out for `about["held_out"]`. Raises ConfigError where there are fewer than 1,000 tokens.
    """
    if not 1 <= order <= MAX_ORDER:
        raise ConfigError(f"the order of an n-gram model is {order}", f"It must be 1 to {MAX_ORDER}")
    marks = {i: hashlib.sha256(f"{seed}\n{text}".encode("utf-8", "replace")).digest() for i, text in enumerate(texts)}
    taught: list[str] = []
    asked: list[str] = []
    size = 0
    for place, i in enumerate(sorted(marks, key=marks.__getitem__)):
        size += len(texts[i].encode("utf-8", "replace"))
        if size > max_bytes and taught:
            break
        # Equal texts stand next to each other: they go to one side by their digest, not by their place.
        (asked if place and marks[i][1] % _HELD_OUT == 0 else taught).append(texts[i])
    table = characters()
    column = texts_of(taught)
    tokens, depths = column_tokens(column.data, column.offsets, table.kinds, table.folded)
    spoken = int((depths > 1).sum())
    if spoken < 1000:
        raise ConfigError(f"a model cannot be trained on {spoken} words", "Give at least 1,000 words of good text")
    keys, chances, leftovers, floor, vocabulary = _estimate(tokens, depths, order)
    about: dict[str, Any] = {
        "texts": len(taught),
        "of": len(texts),
        "tokens": spoken,
        "vocabulary": vocabulary,
        "ngrams": len(keys),
        "seed": seed,
    }
    model = NgramModel(keys, chances, leftovers, order, floor, about)
    held_out = model.perplexity_all(asked or taught)
    held_out = held_out[held_out > 0]
    found = np.quantile(held_out, QUANTILES) if held_out.size else np.zeros(len(QUANTILES))
    model.about["held_out"] = {
        "texts": len(asked),
        "perplexity": {str(q): round(float(value), 3) for q, value in zip(QUANTILES, found, strict=True)},
    }
    return model


def _estimate(tokens: Any, depths: Any, order: int) -> tuple[Any, Any, Any, float, int]:
    """N-grams of all orders sorted by hash, with their discounted probabilities and the mass left over after each as a context;
    the probability of an unknown token; the number of different tokens."""
    ends = [tokens | np.uint64(1)]  # of order n: the hash of the n-gram that ends at each token
    for n in range(2, order + 1):
        ends.append(extend(ends[-1], tokens, depths, n))
    grams: list[Any] = []
    for n in range(1, order + 1):
        # A line's start is no word: it is a context only.
        places = np.flatnonzero((depths >= n) & (depths > 1))
        unique, first, counts = np.unique(ends[n - 1][places], return_index=True, return_counts=True)
        grams.append((unique, places[first], counts))
    all_keys, all_chances = [], []
    context_keys, context_left = [], []
    floor, vocabulary = 1.0, len(grams[0][0]) + 1
    for n in range(1, order + 1):
        unique, first, raw = grams[n - 1]
        adjusted = raw.astype(np.float64)
        if n < order:
            longer_first = grams[n][1]
            suffixes, lefts = np.unique(ends[n - 1][longer_first], return_counts=True)
            place = np.searchsorted(suffixes, unique)
            place = np.minimum(place, len(suffixes) - 1) if len(suffixes) else np.zeros(len(unique), int)
            known = len(suffixes) > 0 and suffixes[place] == unique
            # What begins a line has nothing before it: its own count stands.
            adjusted = np.where(known, lefts[place] if len(suffixes) else 0, adjusted)
        once, twice = int((adjusted == 1).sum()), int((adjusted == 2).sum())
        discount = once / (once + 2 * twice) if once and twice else 0.5
        kept = raw >= (2 if n >= 3 else 1)
        if n == 1:
            chances = np.maximum(0.0, adjusted - discount) / adjusted.sum()
            floor = (1.0 - float(chances.sum())) / vocabulary
        else:
            contexts = ends[n - 2][first - 1]
            names, group = np.unique(contexts, return_inverse=True)
            totals = np.bincount(group, adjusted)
            chances = np.maximum(0.0, adjusted - discount) / totals[group]
            left = 1.0 - np.bincount(group, np.where(kept, chances, 0.0))
            context_keys.append(names)
            context_left.append(left)
        all_keys.append(unique[kept])
        all_chances.append(chances[kept])
    # The start of a line is a context with no probability of its own.
    keys = np.unique(np.concatenate([*all_keys, np.array([START | np.uint64(1)])]))
    values = np.zeros(len(keys))
    leftovers = np.ones(len(keys))
    for names, chances in zip(all_keys, all_chances, strict=True):
        values[np.searchsorted(keys, names)] = chances
    for names, left in zip(context_keys, context_left, strict=True):
        place = np.minimum(np.searchsorted(keys, names), len(keys) - 1)
        known = keys[place] == names
        leftovers[place[known]] = left[known]
    return keys, values.astype(np.float32), leftovers.astype(np.float32), floor, vocabulary

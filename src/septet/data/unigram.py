"""The pieces of a byte-level Unigram tokeniser (Kudo, "Subword regularization", ACL 2018), the same for the same words.

The trainer of the tokenizers library gives other pieces at each run (measured 2026-11: its words stand in the order of a random
hash), so this one is used. It starts from the tokens of a larger BPE, as in Schmidt et al. ("Tokenization is more than
compression", EMNLP 2024), and in turn fits the pieces' probabilities by expectation maximisation and leaves out those whose loss
costs the least likelihood. Single bytes always stay, so that no text is unknown.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from septet.core import ConfigError
from septet.kernels.unigram import expected, occurrences, trie, without

_SEEDS = 4
"""Pieces to start from, as a multiple of those that stay (chosen: SentencePiece starts from all frequent substrings)."""
_KEPT = 0.75
"""Share of the pieces that survives a round, and rounds of fitting between two: as in SentencePiece."""
_FITTINGS = 2
_LONGEST = 48
"""Bytes of the longest piece: 16 Chinese characters."""


def pieces(tokenizer: Any, texts: Callable[[], Iterator[Sequence[str]]], count: int) -> list[tuple[str, float]]:
    """`count` pieces (in the alphabet of byte-level tokens) with their log probabilities, the likeliest first.

    `tokenizer` cuts text into words and has an empty BPE model, which is trained for the seeds. Raises ConfigError where `count`
    leaves no room for the 256 single bytes.
    """
    from tokenizers import pre_tokenizers, trainers

    if count < 256:
        raise ConfigError(f"a vocabulary of {count} pieces does not hold every byte", "Set vocabulary to at least 300")
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=_SEEDS * count, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts(), trainer)
    letters = _letters()
    byte_of = {letter: byte for byte, letter in enumerate(letters)}
    seeds = {bytes(byte_of[letter] for letter in token) for token in tokenizer.get_vocab()}
    seeds = {seed for seed in seeds if len(seed) <= _LONGEST} | {bytes([byte]) for byte in range(256)}
    words = _words(tokenizer, texts())
    found, scores = _fit(sorted(seeds), words, count)
    order = np.lexsort((np.arange(len(found)), -scores))
    return [("".join(letters[byte] for byte in found[place]), float(scores[place])) for place in order.tolist()]


def _letters() -> list[str]:
    """The letter that stands for each byte in byte-level tokens (Radford et al., 2019, encoder.py)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = iter(range(256, 512))
    return [chr(byte) if byte in shown else chr(next(rest)) for byte in range(256)]


def _words(tokenizer: Any, texts: Iterator[Sequence[str]]) -> list[tuple[bytes, int]]:
    """The distinct words with their counts, in the order of their bytes."""
    vocab = tokenizer.get_vocab()
    width = np.zeros(max(vocab.values()) + 1, np.int64)
    for token, identity in vocab.items():
        width[identity] = len(token)
    counts: Counter[bytes] = Counter()
    for batch in texts:
        for text, one in zip(batch, tokenizer.encode_batch(list(batch), add_special_tokens=False), strict=True):
            if not one.ids:
                continue
            raw = text.encode()
            number = np.asarray(one.word_ids, np.int64)
            ends = np.cumsum(width[np.asarray(one.ids)])
            cuts = [0, *ends[np.flatnonzero(np.append(number[1:] != number[:-1], True))].tolist()]
            counts.update(raw[low:high] for low, high in itertools.pairwise(cuts))
    return sorted(counts.items())


def _fit(seeds: list[bytes], words: Sequence[tuple[bytes, int]], count: int) -> tuple[list[bytes], Any]:
    data, ends = _laid([word for word, _ in words])
    counts = np.array([number for _, number in words], np.float64)
    found = seeds
    table = trie(*_laid(found))
    often = occurrences(data, ends, counts, *table, len(found))
    scores = np.log((often + 1e-3) / often.sum())
    while True:
        for _ in range(_FITTINGS):
            mass = expected(data, ends, counts, *table, scores)
            keep = (mass >= 0.5) | _single(found)
            found = [piece for piece, stays in zip(found, keep, strict=True) if stays]
            mass = np.maximum(mass[keep], 0.5)
            scores = _digamma(mass) - _digamma(np.array([mass.sum()]))[0]
            table = trie(*_laid(found))
        if len(found) <= count:
            return found, scores
        worth = mass * (scores - without(*_laid(found), *table, scores))
        worth[_single(found)] = np.inf
        size = max(count, int(_KEPT * len(found)))
        chosen = np.sort(np.lexsort((np.arange(len(found)), -worth))[:size])
        found = [found[place] for place in chosen.tolist()]
        scores = scores[chosen]
        table = trie(*_laid(found))


def _laid(values: Sequence[bytes]) -> tuple[Any, Any]:
    ends = np.zeros(len(values) + 1, np.int64)
    np.cumsum([len(value) for value in values], out=ends[1:])
    return np.frombuffer(b"".join(values), np.uint8), ends


def _single(values: Sequence[bytes]) -> Any:
    return np.array([len(value) == 1 for value in values])


def _digamma(values: Any) -> Any:
    """The derivative of log gamma, for values from 0.5 on: recurrence to 6, then the asymptotic series."""
    total = np.zeros_like(values)
    shifted = values.astype(float)
    for _ in range(6):
        total -= np.where(shifted < 6, 1 / shifted, 0)
        shifted = np.where(shifted < 6, shifted + 1, shifted)
    inverse = 1 / (shifted * shifted)
    return total + np.log(shifted) - 0.5 / shifted - inverse * (1 / 12 - inverse * (1 / 120 - inverse / 252))

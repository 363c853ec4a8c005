"""One score of several searches over the same candidates. Pure functions of arrays, so that a rule can be judged on its own.

A convex combination (Bruch, Gai and Ingber, ACM TOIS 2023) of full text and vectors, each divided by the best of its search. How
much full text counts depends on the question: its best match may hold all of the question's words, or a few of them by chance,
and divided by its own best the two would look alike. So its weight is scaled by the share of the question's words that this best
match holds.

Measured 2026-11-24 (`benchmarks/results`), with one encoder, against 0.7 and 0.3 whatever the question: R@1 of colloquial questions
about eight Chinese laws, whose best match holds a fifth of their words, rises from 0.44 to 0.56 on the half that the rule was
chosen on and from 0.25 to 0.31 on the other. On the handbook's questions, whose best match holds seven tenths, it stays the same.
Translated words are a weak witness, and count little.

The weights are the best of some forty settings with `multilingual` on 115 questions about laws, colloquial and plain, within and
across languages (tune halves of `benchmarks/retrieval_questions.jsonl`): mean MRR of six sets 0.84, and 0.71 on the other halves.
With 0.65 for full text, and encoders and translated words counted alike, it was 0.81 and 0.69; on the other halves that gain is
within chance (2026-11-24).
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

TEXT_WEIGHT = 0.6
DICTIONARY_WEIGHT = 0.1
# Among equals a reader is better served in the language of the question.
SAME_LANGUAGE = 1.1


def fuse(
    text: Any,
    near: Any,
    coverage: float,
    same_language: Any,
    translated: Any = None,
) -> Any:
    """Scores of candidates: float64 of shape (candidates,), 0 for one that no search found.

    `text` holds BM25 scores (0: none of the words), `near` cosines, `same_language` booleans, `translated` the shares of the
    question's words that each candidate holds in translation (`bilingual.shares`), or None. `coverage` is the share of its words
    in the best match by text. Where one search found nothing, the others decide.
    """
    import numpy as np

    scores = TEXT_WEIGHT * coverage * of_best(text) + (1 - TEXT_WEIGHT) * of_best(near)
    if translated is not None:
        scores = scores + DICTIONARY_WEIGHT * np.asarray(translated, float)
    return scores * np.where(np.asarray(same_language, bool), SAME_LANGUAGE, 1.0)


def coverage(words: Sequence[str], held: Set[str]) -> float:
    """The share of a question's distinct words that a text holds. Of no word it is 0."""
    asked = set(words)
    return len(asked & held) / len(asked) if asked else 0.0


def of_best(scores: Any) -> Any:
    """Scores divided by the best; what is below zero counts as zero."""
    import numpy as np

    positive = np.clip(np.asarray(scores, float), 0.0, None)
    best = positive.max(initial=0.0)
    return positive / best if best > 0 else positive


def reordered(scores: Any, judged: Any, weight: float) -> Any:
    """Scores of candidates that a reranker judged as well: both brought to mean 0 and deviation 1, then weighed.

    `weight` is the reranker's share, from 0 to 1. Equal judgements change no order.
    """
    return (1 - weight) * _standard(scores) + weight * _standard(judged)


def _standard(values: Any) -> Any:
    import numpy as np

    numbers = np.asarray(values, float)
    if not numbers.size:
        return numbers
    spread = float(numbers.std())
    # The deviation of equal numbers is a rounding error.
    return (numbers - numbers.mean()) / spread if spread > 1e-9 else np.zeros_like(numbers)

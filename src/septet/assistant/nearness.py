"""Whether what was found has anything to do with a question: where it has not, no model is asked.

Two signs, either of which is enough: one passage holds enough of the question's words, or the encoder finds one alike enough, which
also meets passages of another language. Measured 2026-11-24 with the multilingual USE on the handbook: the defaults keep one of 594
questions that it answers from the model, and of 500 on other things 0.87 in Chinese and 0.71 in English
(`benchmarks/grounding.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from septet.detect.grounding import head, held
from septet.detect.policy import Grounding
from septet.knowledge.search import Hit


def is_near(question: str, hits: Sequence[Hit], rules: Grounding) -> bool:
    """Whether a chunk that was found is near enough to a question to ask a model. Where none was found nothing is."""
    if any(hit.near >= rules.near_meaning for hit in hits):
        return True
    chunks = [hit.chunk for hit in hits]
    words = held(question, [chunk["text"] for chunk in chunks], [head(chunk) for chunk in chunks]) if chunks else 0.0
    return bool(chunks) and words >= rules.near_words

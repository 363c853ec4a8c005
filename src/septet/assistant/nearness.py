"""Whether what was found has anything to do with a question: where it has not, no model is asked.

Two signs, either of which is enough: one passage holds enough of the question's words, or the encoder finds one alike enough, which
also meets passages of another language. Measured 2026-11-24 with the multilingual USE on the handbook: the defaults keep one of 594
questions that it answers from the model, and of 500 on other things 0.87 in Chinese and 0.71 in English
(`benchmarks/grounding.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from septet.assistant.sentences import head
from septet.detect.grounding import held
from septet.detect.policy import Grounding
from septet.inference.embedding import Encoder


def is_near(question: str, chunks: Sequence[dict[str, Any]], encoder: Encoder, rules: Grounding) -> bool:
    """Whether a chunk is near enough to a question to ask a model. Without any chunk nothing is."""
    if not chunks:
        return False
    heads = [head(chunk) for chunk in chunks]
    texts = [chunk["text"] for chunk in chunks]
    if held(question, texts, heads) >= rules.near_words:
        return True
    vectors = encoder.encode([f"{above}\n{text}" for above, text in zip(heads, texts, strict=True)])
    # Some encoders read a question in another way than a passage.
    ask: Callable[[Sequence[str]], Any] = getattr(encoder, "encode_queries", encoder.encode)
    return bool((vectors @ ask([question])[0]).max() >= rules.near_meaning)

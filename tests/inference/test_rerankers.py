"""Rerankers by name: the cross-encoder that a package carries, and the likelihood of the question under a causal model."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_models

from septet.core import ConfigError, MissingExtra
from septet.inference.rerank import load_reranker


def test_the_cross_encoder_puts_the_answer_first():
    try:
        reranker = load_reranker("ms-marco-minilm")
    except MissingExtra as missing:
        pytest.skip(str(missing))
    texts = ["The weather is fine today.", "Report a lost card by calling the hotline.", ""]
    scores = reranker.score("How do I report a lost bank card?", texts)
    assert scores.dtype == np.float32
    assert scores.argmax() == 1
    assert np.array_equal(scores[1:2], reranker.score("How do I report a lost bank card?", texts[1:2]))
    assert reranker.languages == {"en"}


def test_likelihood_scores_each_passage_alone(tmp_path):
    path = tiny_models.llama(tmp_path / "model").path
    reranker = load_reranker(f"likelihood:{path}")
    texts = ["挂失请拨打热线。", "Cards cost 12 dollars."]
    scores = reranker.score("How much is a card?", texts)
    assert scores.shape == (2,)
    assert (scores < 0).all()
    assert reranker.score("How much is a card?", texts[1:]) == pytest.approx(scores[1:], abs=1e-4)


def test_unknown_rerankers_and_folders_without_a_model_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="Did you mean 'ms-marco-minilm'"):
        load_reranker("ms-marco-minilm-6")
    pytest.importorskip("onnxruntime", reason="the package onnxruntime is not installed")
    with pytest.raises(ConfigError, match=r"model\.onnx"):
        load_reranker(str(tmp_path))

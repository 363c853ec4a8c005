"""The n-gram model: its probabilities add up to one, good text surprises it less, and it is the same twice."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.core.errors import ConfigError
from septet.detect import ngram

PARTS = {
    "en": [
        "the bank",
        "a customer",
        "this contract",
        "pays",
        "signs",
        "ends",
        "every month",
        "in spring",
        "before noon",
    ],
    "zh": ["银行", "客户", "本合同", "支付", "签署", "终止", "每月", "春季", "中午以前"],
}


def prose(draw: random.Random, tongue: str, sentences: int) -> str:
    parts = PARTS[tongue]
    blank, stop = (" ", ". ") if tongue == "en" else ("", "。")
    return "\n".join(
        blank.join((draw.choice(parts[:3]), draw.choice(parts[3:6]), draw.choice(parts[6:]))) + stop
        for _ in range(sentences)
    )


@pytest.fixture(scope="module")
def texts():
    draw = random.Random(2)
    return [prose(draw, tongue, 12) for tongue in ("en", "zh") for _ in range(60)]


@pytest.fixture(scope="module")
def model(texts):
    return ngram.train(texts, order=3, seed=1)


def test_good_text_surprises_less_than_shuffled_text(model):
    draw = random.Random(9)
    for tongue in ("en", "zh"):
        good = prose(draw, tongue, 20)
        pieces = good.replace("\n", " ").split() if tongue == "en" else list(good)
        draw.shuffle(pieces)
        bad = (" " if tongue == "en" else "").join(pieces)
        assert model.perplexity(good) * 3 < model.perplexity(bad)
        assert model.perplexity(good) < 8
    assert model.perplexity("") == model.perplexity("!!! ...") == 0
    assert model.perplexity("zxqv wvut") > model.perplexity("the bank")


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_the_probabilities_of_what_can_follow_add_up_to_one(order):
    draw = random.Random(4)
    words = ["ka", "lo", "mi", "nu", "po"]
    lines = ["\n".join(" ".join(draw.choices(words, [5, 3, 2, 1, 1], k=6)) for _ in range(40)) for _ in range(12)]
    model = ngram.train(lines, order=order)

    def logarithm(tokens):
        text = " ".join(tokens)
        return -math.log(model.perplexity(text)) * len(tokens)

    for before in itertools.product(words, repeat=2):
        base = logarithm(before)
        following = [math.exp(logarithm((*before, word)) - base) for word in (*words, "unseen")]
        assert sum(following) == pytest.approx(1.0, abs=1e-3)


def test_training_again_gives_the_same_bytes(model, texts, tmp_path):
    order = list(texts)
    random.Random(5).shuffle(order)
    ngram.train(order, order=3, seed=1).save(tmp_path / "a", {})
    model.save(tmp_path / "b", {})
    for name in ("weights.safetensors", "scorer.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (ngram.load(tmp_path / "a").perplexity_all(texts) == model.perplexity_all(texts)).all()
    assert model.about["held_out"]["perplexity"]["0.5"] < 10


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=6))
def test_one_text_is_a_column_of_one(model, texts):
    found = model.perplexity_all(texts)
    assert np.isfinite(found).all()
    assert found.tolist() == [model.perplexity(text) for text in texts]


def test_too_little_text_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="trained on 2 words"):
        ngram.train(["too little"])
    with pytest.raises(ConfigError, match="order of an n-gram model is 6"):
        ngram.train(["x"], order=6)
    (tmp_path / "scorer.json").write_text('{"form": "linear"}')
    with pytest.raises(ConfigError, match="form 'linear'"):
        ngram.load(tmp_path)

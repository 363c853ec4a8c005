"""The linear classifier: it learns, it is calibrated, it is the same twice, and one text is a column of one."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.core.errors import ConfigError
from septet.detect import linear

GOOD = [
    "the handbook explains how a loan is approved",
    "本手册说明贷款的审批流程",
    "interest is paid every quarter",
    "利息按季支付",
]
BAD = ["click here to win a free prize now", "点击领取免费大奖", "cheap pills buy buy buy", "加微信稳赚不赔"]


def sentences(draw: random.Random, count: int) -> tuple[list[str], list[set[str]]]:
    texts, labels = [], []
    for _ in range(count):
        kinds = {name for name in ("good", "bad") if draw.random() < 0.5}
        parts = [draw.choice(GOOD if name == "good" else BAD) for name in sorted(kinds)]
        parts += ["".join(draw.choice("abcdefgh 的是在和了") for _ in range(12)) for _ in range(2)]
        draw.shuffle(parts)
        texts.append(" ".join(parts))
        labels.append(kinds)
    return texts, labels


@pytest.fixture(scope="module")
def scorer():
    return linear.train(*sentences(random.Random(3), 400), ["good", "bad"], seed=5)


def test_several_classes_are_told_apart_and_probabilities_are_calibrated(scorer):
    texts, labels = sentences(random.Random(4), 400)
    found = scorer.score_all(texts)
    assert found.shape == (400, 2)
    assert found.dtype == np.float32
    truth = np.array([[name in one for name in scorer.classes] for one in labels])
    assert ((found > 0.5) == truth).mean() > 0.98
    assert abs(found.mean(0) - truth.mean(0)).max() < 0.05
    for name in scorer.classes:
        held_out = scorer.about["held_out"][name]
        assert held_out["auc_low"] <= held_out["auc"] <= held_out["auc_high"]
        assert held_out["auc"] > 0.98


def test_what_a_reader_cannot_see_changes_no_score(scorer):
    plain = scorer.score("click here to win a FREE prize 2024")
    assert scorer.score("ｃlick  here\u200b to\nwin a free prize 1999") == plain


def test_training_again_gives_the_same_bytes_whatever_the_order(scorer, tmp_path):
    texts, labels = sentences(random.Random(3), 400)
    order = list(range(400))
    random.Random(1).shuffle(order)
    again = linear.train([texts[i] for i in order], [labels[i] for i in order], ["good", "bad"], seed=5)
    scorer.save(tmp_path / "a", {"name": "x"})
    again.save(tmp_path / "b", {"name": "x"})
    for name in ("weights.safetensors", "scorer.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    loaded = linear.load(tmp_path / "a")
    assert loaded.classes == ("good", "bad")
    assert (loaded.score_all(texts[:20]) == scorer.score_all(texts[:20])).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=6))
def test_one_text_is_a_column_of_one(scorer, texts):
    found = scorer.score_all(texts)
    assert ((found >= 0) & (found <= 1)).all()
    for text, row in zip(texts, found, strict=True):
        assert list(scorer.score(text).values()) == row.tolist()


def test_labels_that_cannot_be_learnt_are_named(tmp_path):
    with pytest.raises(ConfigError, match="class 'a' has 3 texts of 30"):
        linear.train([str(i) for i in range(30)], ["a"] * 3 + ["b"] * 27, ["a", "b"])
    with pytest.raises(ConfigError, match="name the class 'c'"):
        linear.train(["x"] * 30, ["c"] * 30, ["a"])
    (tmp_path / "scorer.json").write_text('{"form": "ngram"}')
    with pytest.raises(ConfigError, match="form 'ngram'"):
        linear.load(tmp_path)


def test_the_area_under_the_curve_counts_ties_half():
    assert linear.auc([1, 2, 3, 4], [False, False, True, True])[0] == 1.0
    assert linear.auc([1, 1, 1, 1], [False, True, False, True])[0] == 0.5
    value, low, high = linear.auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    assert value == 0.75
    assert low < value < high <= 1.0

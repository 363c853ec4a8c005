"""Reduction: what means the same, what others cover, what a target asks for, what a draw leaves; and vectors of few numbers."""

from __future__ import annotations

import json
import random
from collections import Counter

import numpy as np
import pytest
from corpora import written
from hypothesis import given, settings
from hypothesis import strategies as st
from shape_corpora import sentences

from septet.core import ConfigError, Run
from septet.core.pool import Serial
from septet.data import vectors
from septet.data.reduce import shared_out
from septet.data.steps import Features, Measure, Reduce, features, measure, reduce
from septet.inference.embedding import load_encoder
from septet.kernels import nearest


def unit(count, width, seed):
    found = np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def whole(corpus, made):
    kept, gone = list(made.rows()), list(made.dropped())
    assert sorted(row["id"] for row in [*kept, *gone]) == sorted(row["id"] for row in corpus.rows())
    return kept, gone


TEXTS = [
    "The annual fee of the card is 30 euro.",
    "Deposits are repaid on the day they fall due.",
    "the annual fee of the card is 30 euro!",
    "The annual fee of the card is 90 euro.",
    "信用卡的年费为三十元，到期自动扣收。",
    "信用卡的年费为三十元，到期自动扣收",
    "",
    "",
]


def test_what_means_the_same_goes_and_names_what_stays(tmp_path):
    corpus = written(tmp_path / "in", TEXTS)
    run = Run(tmp_path / "out")
    kept, gone = whole(corpus, reduce(Reduce(method="semantic", encoder="hashing", keep="first"), corpus, run=run))
    assert {row["id"]: row["detail"] for row in gone} == {"d2": "of d0", "d5": "of d4"}
    assert all(row["value"] >= 0.95 and row["rule"] == "means the same" for row in gone)
    assert all(row["transforms"] == ["data.reduce"] for row in kept)
    # A number more or less is another meaning, whatever the encoder thinks of it; and so it stays unless told otherwise.
    loose = Reduce(method="semantic", encoder="hashing", keep="first", numbers=False, similarity=0.9)
    _, gone = whole(corpus, reduce(loose, corpus, run=Run(tmp_path / "loose")))
    assert "d3" in {row["id"] for row in gone}


def test_the_keep_policy_decides(tmp_path):
    texts = ["a card that was lost abroad", "a card, that was lost abroad!", "a card that was lost abroad..."]
    corpus = written(
        tmp_path / "in", texts, trust=[0.2, 0.9, 0.5], retrieved=["2026-03-01", "2026-01-01", "2026-02-01"]
    )
    for keep, stays in (("first", "d0"), ("trusted", "d1"), ("newest", "d0"), ("longest", "d2")):
        made = reduce(Reduce(method="semantic", encoder="hashing", keep=keep), corpus, run=Run(tmp_path / keep))
        assert [row["id"] for row in made.rows()] == [stays]


def test_a_real_encoder_sees_a_paraphrase(tmp_path):
    texts = ["How can I get my money back?", "How do I get my money back?", "Where is the nearest branch?"]
    corpus = written(tmp_path / "in", texts)
    made = reduce(Reduce(method="semantic", similarity=0.9), corpus, run=Run(tmp_path / "out"))
    assert [row["id"] for row in made.dropped()] == ["d1"]


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.floats(0.3, 0.99), st.integers(0, 10_000))
def test_no_two_kept_are_alike_and_each_that_went_is_like_a_kept_one(count, bound, seed):
    found = np.repeat(unit(count, 6, seed), 3, axis=0) + 0.1 * unit(3 * count, 6, seed + 1)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    order = np.random.default_rng(seed).permutation(len(found))
    standing, _ = nearest.cells(found, seed)
    partner, value = nearest.unlike(found, order, standing, np.zeros(len(found), np.uint64), bound)
    kept = np.flatnonzero(partner < 0)
    products = found[kept].astype(np.float64) @ found[kept].T.astype(np.float64) - 2 * np.eye(kept.size)
    assert products.max(initial=-1) < bound + 1e-6
    gone = np.flatnonzero(partner >= 0)
    assert (partner[partner[gone]] == -1).all()
    assert (value[gone] >= bound).all()


def test_cells_lose_few_pairs(monkeypatch):
    """Above the size that is compared each with each, planted pairs are still found, and others than those never are."""
    monkeypatch.setattr(nearest, "EXACT", 1000)
    monkeypatch.setattr(nearest, "_CELL", 200)
    base = unit(3000, 24, 1)
    near = base[:1000] + 0.05 * unit(1000, 24, 2)
    found = np.concatenate([base, near / np.linalg.norm(near, axis=1, keepdims=True)]).astype(np.float32)
    standing, count = nearest.cells(found, 1)
    assert count == 20
    partner, _ = nearest.unlike(found, np.arange(4000), standing, np.zeros(4000, np.uint64), 0.97)
    assert (partner[3000:] == np.arange(1000)).mean() > 0.98
    assert (partner[:3000] == -1).all()
    again, _ = nearest.unlike(found, np.arange(4000), nearest.cells(found, 1)[0], np.zeros(4000, np.uint64), 0.97)
    assert (again == partner).all()


def test_a_diverse_choice_covers_every_topic(tmp_path):
    common = [text for text, _ in sentences("en", 300, 1)]
    rare = [
        f"the {word} orchard bears apples and pears in {month}" for word in ("old", "new") for month in ("may", "june")
    ]
    corpus = written(tmp_path / "in", [*common, *rare])
    shares = {}
    for spread in ("farthest", "cells"):
        config = Reduce(method="diverse", encoder="hashing", budget=30, spread=spread)
        kept, gone = whole(corpus, reduce(config, corpus, run=Run(tmp_path / spread)))
        assert len(kept) == 30
        assert all(row["detail"].removeprefix("nearest to ") in {one["id"] for one in kept} for row in gone)
        shares[spread] = sum("orchard" in row["text"] for row in kept)
    assert shares["farthest"] >= 1
    assert shares["cells"] >= 1


@settings(max_examples=20, deadline=None)
@given(st.integers(5, 80), st.integers(0, 1000))
def test_farthest_first_is_within_twice_of_the_best(count, seed):
    found = unit(count, 3, seed)
    budget = max(1, count // 4)
    chosen, near, closest = nearest.cover(found, budget)
    assert len(set(chosen.tolist())) == budget
    assert np.isin(near, chosen).all()
    distances = np.sqrt(np.maximum(0, 2 - 2 * closest))
    # Gonzalez: the radius is at most the least distance between two chosen ones, which bounds twice the best radius.
    if budget > 1:
        apart = found[chosen] @ found[chosen].T - 2 * np.eye(budget)
        assert distances.max() <= np.sqrt(max(0.0, 2 - 2 * apart.max())) + 1e-3


def test_what_a_target_asks_for_is_kept(tmp_path):
    cards = [text for text, label in sentences("en", 400, 1) if label == "card"]
    rates = [text for text, label in sentences("en", 400, 2) if label == "rate"]
    corpus = written(tmp_path / "in", [*cards[:150], *rates[:150]], ["card"] * 150 + ["rate"] * 150)
    target = written(
        tmp_path / "target", [text for text, label in sentences("en", 100, 3) if label == "rate"], dataset="t"
    )
    config = Reduce(method="important", budget=100)
    kept, gone = whole(corpus, reduce(config, corpus, target=target, run=Run(tmp_path / "out")))
    assert len(kept) == 100
    assert Counter(json.loads(row["meta"])["label"] for row in kept)["rate"] >= 98
    assert all(row["rule"] == "less important" and "kept from" in row["detail"] for row in gone)
    zh = written(
        tmp_path / "zh", [text for text, _ in sentences("zh", 200, 1)], [one for _, one in sentences("zh", 200, 1)]
    )
    wish = written(tmp_path / "zh-t", [text for text, label in sentences("zh", 80, 5) if label == "卡"], dataset="t")
    kept, _ = whole(zh, reduce(Reduce(method="important", share=0.3), zh, target=wish, run=Run(tmp_path / "zh-out")))
    assert Counter(json.loads(row["meta"])["label"] for row in kept)["卡"] >= 58


def test_a_draw_over_groups(tmp_path):
    labels = ["big"] * 160 + ["small"] * 40
    corpus = written(tmp_path / "in", [f"text {number}" for number in range(200)], labels)
    held = {}
    for allocation in ("proportional", "equal", "root"):
        config = Reduce(method="stratified", by=("meta.label",), allocation=allocation, budget=60)
        kept, _ = whole(corpus, reduce(config, corpus, run=Run(tmp_path / allocation)))
        held[allocation] = Counter(json.loads(row["meta"])["label"] for row in kept)
    assert held["proportional"] == {"big": 48, "small": 12}
    assert held["equal"] == {"big": 30, "small": 30}
    assert held["root"] == {"big": 40, "small": 20}


def test_the_weight_decides_within_a_group(tmp_path):
    draw = random.Random(1)
    texts = ["word " * draw.randint(2, 60) for _ in range(300)]
    corpus = written(tmp_path / "in", texts)
    signals = measure(Measure(), corpus, run=Run(tmp_path / "signals"))
    config = Reduce(method="stratified", share=0.2, weight="gopher.words")
    kept, _ = whole(corpus, reduce(config, corpus, signals=signals, run=Run(tmp_path / "out")))
    assert np.mean([len(row["text"]) for row in kept]) > 1.2 * np.mean([len(text) for text in texts])
    with pytest.raises(ConfigError, match=r"no positive 'meta\.score'"):
        reduce(Reduce(method="stratified", share=0.2, weight="meta.score"), corpus, run=Run(tmp_path / "x"))


def test_the_same_rows_whatever_the_order_and_the_memory(tmp_path):
    texts = [text for text, _ in sentences("en", 200, 7)]
    corpus = written(tmp_path / "in", texts)
    rows = [{**row} for row in corpus.rows()]
    turned = type(corpus).write(tmp_path / "turned", rows[::-1])
    target = written(tmp_path / "target", texts[:20], dataset="t")
    for config in (Reduce(method="stratified", share=0.25), Reduce(method="important", share=0.25)):
        ids = [
            sorted(row["id"] for row in reduce(config, one, target=target, run=run).rows())
            for one, run in (
                (corpus, Run(tmp_path / f"{config.method}-a")),
                (turned, Run(tmp_path / f"{config.method}-b")),
                (corpus, Run(tmp_path / f"{config.method}-c", pool=Serial(memory_mb=64))),
            )
        ]
        assert ids[0] == ids[1] == ids[2]


def test_what_is_missing_is_said(tmp_path):
    corpus = written(tmp_path / "in", ["one", "two"])
    for config, said in (
        (Reduce(method="important", share=0.5), "needs a target"),
        (Reduce(method="diverse", encoder="hashing"), "either a budget or a share"),
        (Reduce(method="semantic", budget=1), "takes no budget"),
        (Reduce(method="stratified", share=0.5, by=("colour",)), "no column 'colour'"),
        (Reduce(method="stratified", share=0.5, weight="words"), "no signals are tied"),
    ):
        with pytest.raises(ConfigError, match=said):
            reduce(config, corpus, run=Run(tmp_path / "out"))


@given(st.lists(st.tuples(st.floats(0.01, 50), st.integers(0, 40)), min_size=1, max_size=12), st.integers(0, 300))
def test_a_budget_is_shared_out_in_whole_documents(groups, budget):
    sizes = [size for _, size in groups]
    taken = shared_out(np.array([wish for wish, _ in groups]), np.array(sizes), budget)
    assert sum(taken) == min(budget, sum(sizes))
    assert all(0 <= one <= size for one, size in zip(taken, sizes, strict=True))


@pytest.mark.parametrize("method", ["pca", "gaussian", "sparse", "hashed"])
def test_vectors_of_few_numbers_stay_near_the_many(tmp_path, method):
    corpus = written(tmp_path / "in", [text for text, _ in sentences("en", 260, 3)])
    made = features(Features(method=method, width=96, encoder="hashing"), corpus, run=Run(tmp_path / "out"))
    found = np.load(made.path / "vectors.npy")
    assert found.shape == (260, 96)
    bent = made.meta["distortion"]
    assert bent["pairs"] == 200 * 199 // 2
    assert bent["cosine_mean"] < (0.05 if method in ("pca", "hashed") else 0.12)
    assert 0.8 < made.meta["explained"] < 1.2
    again = features(Features(method=method, width=96, encoder="hashing"), corpus, run=Run(tmp_path / "again"))
    assert (np.load(again.path / "vectors.npy") == found).all()
    # A later delivery is projected by what the first was fitted on: the same text gives the same vector.
    later = features(Features(), corpus, made, run=Run(tmp_path / "later"))
    np.testing.assert_allclose(np.load(later.path / "vectors.npy"), found, atol=1e-6)
    assert later.meta["method"] == method


def test_explained_variance_is_that_of_a_full_decomposition(tmp_path):
    texts = [text for text, _ in sentences("en", 200, 9)]
    corpus = written(tmp_path / "in", texts)
    made = features(Features(width=10, encoder="hashing", centre=True), corpus, run=Run(tmp_path / "out"))
    raw = load_encoder("hashing").encode(texts).astype(np.float64)
    sizes = np.linalg.svd(raw - raw.mean(axis=0), compute_uv=False) ** 2
    assert made.meta["explained"] == pytest.approx(sizes[:10].sum() / sizes.sum(), abs=1e-5)


def test_tied_vectors_are_used_and_those_of_another_corpus_refused(tmp_path):
    corpus = written(tmp_path / "in", [text for text, _ in sentences("en", 150, 4)])
    tied = features(Features(width=48, encoder="hashing"), corpus, run=Run(tmp_path / "vectors"))
    config = Reduce(method="diverse", budget=20, encoder="there is none")
    made = reduce(config, corpus, vectors=tied, run=Run(tmp_path / "out"))
    assert made.count() == 20
    other = written(tmp_path / "other", ["a", "b"], dataset="o")
    with pytest.raises(ConfigError, match="not of this corpus"):
        vectors.of(other, tied, "hashing", Run(tmp_path / "x"))

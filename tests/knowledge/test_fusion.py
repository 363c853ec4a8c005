"""Fused scores: what each search adds, and what must never change an order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from septet.knowledge import fusion

scores = st.lists(st.just(0.0) | st.floats(1e-3, 100), min_size=1, max_size=12)


def test_full_text_counts_by_how_much_of_the_question_it_holds():
    text, near, same = [9.0, 0.0], [0.2, 0.9], [True, True]
    assert fusion.fuse(text, near, 1.0, same).argmax() == 0
    assert fusion.fuse(text, near, 0.1, same).argmax() == 1


def test_where_one_search_finds_nothing_the_other_decides():
    assert fusion.fuse([0, 0], [0.1, 0.3], 0.0, [False, False]).argmax() == 1
    assert fusion.fuse([2, 3], [0, -0.2], 0.5, [False, False]).argmax() == 1
    assert fusion.fuse([0, 0], [0.2, 0.2], 0.0, [False, False], [0.0, 0.5]).argmax() == 1
    assert not fusion.fuse([0.0], [-0.5], 0.0, [True]).any()


def test_among_equals_the_language_of_the_question_comes_first():
    assert fusion.fuse([1, 1], [0.5, 0.5], 0.5, [False, True]).argmax() == 1


@given(scores, st.floats(0.1, 50))
def test_the_scale_of_a_search_does_not_matter(text, factor):
    near, same = [0.5] * len(text), [True] * len(text)
    there = fusion.fuse(text, near, 0.6, same)
    assert np.allclose(there, fusion.fuse([factor * one for one in text], near, 0.6, same))
    assert (there >= 0).all()


def test_coverage_counts_distinct_words():
    assert fusion.coverage(["a", "b", "a"], {"a", "c"}) == 0.5
    assert fusion.coverage([], {"a"}) == 0.0


@given(scores, st.floats(0, 1))
def test_equal_judgements_change_no_order(before, weight):
    after = fusion.reordered(before, [1.5] * len(before), weight)
    for first in range(len(before)):
        for second in range(len(before)):
            assert not (before[first] > before[second] and after[first] < after[second])


def test_a_reranker_decides_by_its_weight():
    assert fusion.reordered([1, 2, 3], [9, 1, 0], 1.0).argmax() == 0
    assert fusion.reordered([1, 2, 3], [9, 1, 0], 0.0).argmax() == 2
    assert fusion.reordered([], [], 0.5).size == 0

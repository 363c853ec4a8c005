"""Intervals hold what they promise, measures score as published, in both languages."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet import statistics
from septet.evaluate.measures import exact_match, f1


def test_wilson_is_wilson():
    # The worked example of Wilson's interval for 81 of 263 (Newcombe, 1998).
    measured = statistics.share(81, 263)
    assert measured.low == pytest.approx(0.2553, abs=5e-4)
    assert measured.high == pytest.approx(0.3662, abs=5e-4)
    assert statistics.share(0, 0) == statistics.Measure(0.0, 0.0, 1.0, 0, "share")


@given(st.integers(0, 500), st.integers(1, 500))
def test_a_share_lies_in_its_interval(hits, of):
    hits = min(hits, of)
    measured = statistics.share(hits, of)
    assert 0 <= measured.low <= measured.value <= measured.high <= 1


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    draw = random.Random(3)
    covered = 0
    for _ in range(120):
        sample = [draw.gauss(0.4, 1.0) for _ in range(60)]
        measured = statistics.mean(sample)
        covered += measured.low <= 0.4 <= measured.high
    assert covered >= 105


def test_any_statistic_gets_the_interval_that_a_mean_would():
    values = [random.Random(2).random() for _ in range(1)] + [float(n % 7) for n in range(60)]
    one = statistics.mean(values)
    other = statistics.resampled(len(values), lambda at: sum(values[i] for i in at) / len(at))
    assert other.value == pytest.approx(one.value)
    assert other.low == pytest.approx(one.low, abs=0.1)
    assert other.high == pytest.approx(one.high, abs=0.1)


def test_items_of_one_passage_count_as_one_cluster():
    values = [float(group % 2) for group in range(10) for _ in range(20)]
    clusters = [str(group) for group in range(10) for _ in range(20)]
    apart, together = statistics.mean(values), statistics.mean(values, clusters=clusters)
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_pairing_sees_what_two_samples_cannot():
    draw = random.Random(5)
    before = [draw.random() for _ in range(80)]
    after = [value + 0.05 for value in before]
    gain = statistics.difference(before, after)
    assert gain.low > 0
    assert gain.value == pytest.approx(0.05)
    with pytest.raises(ValueError, match="same items"):
        statistics.difference([1.0], [1.0, 2.0])


def test_mcnemar_is_the_exact_binomial():
    before = [True] * 2 + [False] * 10 + [True] * 5
    after = [False] * 2 + [True] * 10 + [True] * 5
    assert statistics.mcnemar(before, after) == pytest.approx(2 * (1 + 12 + 66) / 2**12)
    assert statistics.mcnemar([True], [True]) == 1.0


@pytest.mark.parametrize(
    ("answer", "reference", "same"),
    [
        ("The ledger.", "ledger", True),
        ("８６００ 端口", "8600端口", True),
        ("  about 700 characters ", "About 700 characters.", True),
        ("《账本》", "账本", True),
        ("8601", "8600", False),
        ("an SM3 digest", "SM3 digest", True),
        ("账簿", "账本", False),
        ("", "账本", False),
    ],
)
def test_exact_match_forgives_form_and_not_content(answer, reference, same):
    assert exact_match(answer, [reference]) is same
    assert exact_match(answer, ["something else", reference]) is same


def test_f1_counts_characters_in_chinese_and_words_in_english():
    assert f1("账本文件", ["账本"]) == pytest.approx(2 * 2 / (4 + 2))
    assert f1("the port 8600", ["port 8600"]) == 1.0
    assert f1("port 8601", ["port 8600"]) == pytest.approx(0.5)
    assert f1("", ["账本"]) == 0.0
    assert f1("anything", []) == 0.0
    assert f1("8600 端口", ["端口 8600"]) == 1.0


def test_scores_that_all_agree_are_not_certain():
    one_passage = statistics.mean_score([1.0] * 30, ["passage"] * 30)
    assert (one_passage.value, one_passage.n) == (1.0, 30)
    assert one_passage.low < 0.5
    few = statistics.mean_score([1.0] * 10, [f"p{n // 2}" for n in range(10)])
    assert few.low == pytest.approx(statistics.share(5, 5).low)
    half = statistics.mean_score([0.5, 0.5, 0.5])
    assert half.low < 0.5 < half.high
    assert statistics.mean_score([1.0, 0.0, 1.0]) == statistics.share(2, 3)
    assert statistics.mean_score([0.0, 1.0, 1.0], ["a", "a", "b"]) == statistics.mean(
        [0.0, 1.0, 1.0], "share", ["a", "a", "b"]
    )
    assert (statistics.mean_score([]).low, statistics.mean_score([]).high) == (0.0, 1.0)
    top = statistics.mean_score([10.0] * 4, ends=(1.0, 10.0), unit="grade")
    assert (top.value, top.high, top.unit) == (10.0, 10.0, "grade")
    assert top.low == pytest.approx(1 + 9 * statistics.share(4, 4).low)
    sevens = statistics.mean_score([7.0] * 6, list("aabbcc"), ends=(1.0, 10.0))
    assert 1.0 < sevens.low < sevens.value == 7.0 < sevens.high < 10.0


def test_a_gain_is_not_certain_where_all_differences_are_alike():
    none = statistics.gain([1.0, 0.0] * 15, [1.0, 0.0] * 15)
    assert (none.value, none.low, none.high) == (0.0, -statistics.rule_of_three(30), statistics.rule_of_three(30))
    passages = statistics.gain([0.0] * 6, [1.0] * 6, list("aabbcc"))
    assert (passages.value, passages.high) == (1.0, 1.0)
    assert passages.low == pytest.approx(1 - 2 * statistics.rule_of_three(3))
    mixed = [0.0, 1.0, 0.5], [1.0, 0.0, 0.5]
    assert statistics.gain(*mixed) == statistics.difference(*mixed, "share")
    assert (statistics.gain([], []).low, statistics.gain([], []).high) == (-1.0, 1.0)

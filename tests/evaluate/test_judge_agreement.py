"""Agreement against numbers from the literature, corrections against simulated judges, and win rates without the length."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.core import ConfigError
from septet.evaluate.judge.agreement import (
    agreement,
    confusion,
    corrected_mean,
    corrected_share,
    of_labels,
    sensitivity_of,
)
from septet.evaluate.judge.length import controlled


def raters(table):
    names = [str(at) for at in range(len(table))]
    pairs = [
        (names[row], names[column])
        for row in range(len(table))
        for column in range(len(table))
        for _ in range(table[row][column])
    ]
    return [one for one, _ in pairs], [two for _, two in pairs]


def test_kappa_of_a_known_table():
    # Two raters, 50 items: 20 and 15 alike, 5 and 10 apart. Chance is 0.5, agreement 0.7.
    found = agreement(*raters([[20, 5], [10, 15]]))
    assert found["agreement"].value == pytest.approx(0.7)
    assert found["kappa"].value == pytest.approx(0.4)
    used = (25 + 30) / 100
    chance = 2 * used * (1 - used)
    assert found["ac1"].value == pytest.approx((0.7 - chance) / (1 - chance))
    assert all(one.low <= one.value <= one.high and one.n == 50 for one in found.values())


def test_ac1_does_not_fall_where_one_grade_is_rare():
    found = agreement(*raters([[118, 5], [2, 0]]))
    assert found["kappa"].value < 0
    assert found["ac1"].value > 0.9


def alpha_by_pairs(one, two, apart):
    values = [*one, *two]
    seen = np.mean([apart(a, b) for a, b in zip(one, two, strict=True)])
    chance = np.mean([apart(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j])
    return 1 - seen / chance


@given(st.lists(st.tuples(st.sampled_from("1234"), st.sampled_from("1234")), min_size=2, max_size=15))
def test_alpha_is_one_minus_the_ratio_of_disagreements(pairs):
    one, two = [a for a, _ in pairs], [b for _, b in pairs]
    found = agreement(one, two, "1234", ordinal=True)
    if len({*one, *two}) == 1:
        assert set(found) == {"agreement", "ac1"}
        return
    counts = {grade: [*one, *two].count(grade) for grade in "1234"}

    def ordinal(a, b):
        low, high = sorted((a, b))
        between = sum(counts[grade] for grade in "1234" if low <= grade <= high)
        return (between - (counts[low] + counts[high]) / 2) ** 2

    assert found["alpha"].value == pytest.approx(alpha_by_pairs(one, two, lambda a, b: a != b))
    assert found["alpha_ordinal"].value == pytest.approx(alpha_by_pairs(one, two, ordinal))


def test_items_of_a_cluster_are_drawn_together():
    people, judge = raters([[40, 10], [10, 40]])
    alone = agreement(people, judge)["agreement"]
    together = agreement(people * 5, judge * 5, clusters=[str(at % 100) for at in range(500)])["agreement"]
    apart = agreement(people * 5, judge * 5)["agreement"]
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.15)
    assert apart.high - apart.low < 0.6 * (together.high - together.low)


def test_the_confusion_is_by_name():
    table = confusion(["CORRECT", "INCORRECT", "CORRECT"], ["CORRECT", "CORRECT", "CORRECT"], ("CORRECT", "INCORRECT"))
    assert table.table() == {"CORRECT": {"CORRECT": 2, "INCORRECT": 0}, "INCORRECT": {"CORRECT": 1, "INCORRECT": 0}}


def simulated(rng, prevalence, sensitivity, specificity, count):
    true = rng.random(count) < prevalence
    return true, np.where(true, rng.random(count) < sensitivity, rng.random(count) > specificity)


@pytest.mark.parametrize(
    ("prevalence", "sensitivity", "specificity"), [(0.3, 0.9, 0.85), (0.1, 0.8, 0.95), (0.6, 0.95, 0.7)]
)
def test_corrected_intervals_hold_the_truth_where_the_judge_alone_does_not(prevalence, sensitivity, specificity):
    rng = np.random.default_rng(5)
    rounds = 300
    share = mean = alone = 0
    widths = []
    for _ in range(rounds):
        true, said = simulated(rng, prevalence, sensitivity, specificity, 600)
        other, of_other = simulated(rng, 0.5, sensitivity, specificity, 120)
        found = corrected_share(int(said.sum()), 600, other.tolist(), of_other.tolist())
        share += found.low <= prevalence <= found.high
        labelled, judged = true[:120].astype(float), said[:120].astype(float)
        own = corrected_mean(said[120:].astype(float).tolist(), labelled.tolist(), judged.tolist())
        people = corrected_mean(said[120:].astype(float).tolist(), labelled.tolist(), judged.tolist(), weight=0)
        mean += own.low <= prevalence <= own.high
        widths.append((own.high - own.low) / (people.high - people.low))
        half = 1.96 * (said.mean() * (1 - said.mean()) / 600) ** 0.5
        alone += abs(said.mean() - prevalence) <= half
    assert share / rounds >= 0.93
    assert mean / rounds >= 0.92
    assert alone / rounds < 0.75
    assert np.mean(widths) < 0.95


def test_a_mean_is_corrected_over_clusters_and_without_other_items():
    rng = np.random.default_rng(2)
    truth = rng.random(40)
    found = corrected_mean([], truth.tolist(), (truth / 2).tolist())
    assert found.value == pytest.approx(truth.mean())
    plain = corrected_mean([0.5] * 10, [0.0, 1.0] * 20, [0.1, 0.9] * 20, weight=1.0)
    assert plain.value == pytest.approx(0.5)
    rest = [0.2, 0.8] * 30
    once = corrected_mean(rest, truth.tolist(), truth.tolist(), weight=0)
    clusters = ([f"rest {at}" for at in range(60)], [str(at) for at in range(40)] * 2)
    twice = corrected_mean(rest, [*truth, *truth], [*truth, *truth], clusters=clusters, weight=0)
    assert twice.high - twice.low == pytest.approx(once.high - once.low)


def test_a_judge_that_is_a_coin_tells_nothing():
    found = corrected_share(50, 100, [True, False] * 20, [True, True, False, False] * 10)
    assert (found.low, found.high) == (0, 1)
    told = sensitivity_of([True, True, False, False], [True, False, False, False])
    assert (told["sensitivity"].value, told["specificity"].value) == (0.5, 1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: agreement([], []), "no item is labelled"),
        (lambda: agreement(["1"], []), "do not pair up"),
        (lambda: agreement(["1"], ["7"], ["1", "2"]), "'7' is none of the labels"),
        (lambda: corrected_share(5, 10, [True, True], [True, False]), "0 are not"),
        (lambda: corrected_mean([0.1], [1.0], [1.0]), "do not tell the judge's error"),
        (lambda: controlled([0.5], [1], [2]), "do not bear a win rate"),
        (lambda: of_labels([{"id": "a"}]), "row 1: it has no id or no label"),
        (lambda: of_labels([{"id": "a", "label": 1}, {"id": "a", "label": 2}]), "row 2: 'a' is labelled"),
    ],
)
def test_what_cannot_be_told_is_refused(call, message):
    with pytest.raises(ConfigError, match=message):
        call()


def test_length_is_taken_out_of_a_win_rate():
    rng = np.random.default_rng(3)
    ours, theirs = rng.integers(80, 400, 600), rng.integers(80, 400, 600)
    # A judge that looks at nothing but length, and one that looks at none. The term is held back: the first is not brought to 0.5.
    long = (ours + 60 > theirs).astype(float)
    by_length = controlled(long.tolist(), (ours + 60).tolist(), theirs.tolist())
    assert abs(by_length.value - 0.5) < 0.6 * abs(long.mean() - 0.5)
    fair = controlled((rng.random(600) < 0.7).astype(float).tolist(), (ours + 60).tolist(), theirs.tolist())
    assert fair.low < 0.7 < fair.high
    always = controlled([1.0] * 50, [10] * 50, [10] * 50)
    assert 0.9 < always.value <= 1


def test_length_controlled_win_rates_are_near_the_published_ones(shared):
    folder = shared / "benchmarks" / "alpaca_eval_matrix"
    if not folder.is_dir():
        pytest.skip("the AlpacaEval matrix is not there")
    preferences, lengths, published = (
        list(csv.DictReader((folder / name).read_text("utf-8").splitlines()))
        for name in ("preference.csv", "output_length.csv", "leaderboard.csv")
    )
    base = "gpt4_1106_preview"
    apart, plain = [], []
    for row in published[::5]:
        name, wanted = row["model"], row["leaderboard_length_controlled_win_rate"]
        if name == base or not wanted:
            continue
        values = [float(one[name]) for one in preferences]
        ours, theirs = ([int(float(one[key])) for one in lengths] for key in (name, base))
        apart.append(abs(100 * controlled(values, ours, theirs).value - float(wanted)))
        plain.append(abs(100 * np.mean(values) - float(wanted)))
    assert np.mean(apart) < 2
    assert np.mean(apart) < 0.5 * np.mean(plain)

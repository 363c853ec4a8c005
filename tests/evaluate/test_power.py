"""Errors over clusters, margins, permutation, Holm and power: closed forms, and simulations in which the truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet import statistics
from septet.statistics.distribution import incomplete_beta, normal_cdf, normal_quantile, t_cdf, t_quantile


def test_students_t_is_the_table_of_students_t():
    # Two-sided 95 % of any printed table.
    for freedom, value in ((1, 12.7062), (2, 4.30265), (5, 2.57058), (10, 2.22814), (30, 2.04227), (120, 1.97993)):
        assert t_quantile(0.975, freedom) == pytest.approx(value, rel=1e-5)
    assert t_quantile(0.975, 1e9) == pytest.approx(normal_quantile(0.975), rel=1e-6)
    assert t_cdf(2.0, math.inf) == normal_cdf(2.0)
    assert t_cdf(1.0, 1) == pytest.approx(0.75)
    assert incomplete_beta(2, 3, 0.4) == pytest.approx(0.5248)


@given(st.floats(0.001, 0.999), st.floats(0.7, 2000))
def test_a_quantile_undoes_the_distribution(p, freedom):
    assert t_cdf(t_quantile(p, freedom), freedom) == pytest.approx(p, abs=1e-9)


def test_a_standard_error_over_clusters_is_millers():
    values, clusters = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0], ["a", "a", "b", "b", "c", "c"]
    deviations = [0.5, -0.5, 0.5, 0.5, -0.5, -0.5]
    within = [sum(deviations[2 * group : 2 * group + 2]) ** 2 for group in range(3)]
    assert statistics.clustered_error(values, clusters) == pytest.approx(math.sqrt(sum(within) * 3 / 2) / 6)
    plain = np.std(values, ddof=1) / math.sqrt(6)
    assert statistics.clustered_error(values) == pytest.approx(plain)
    # The same item copied ten times is one item: copies add no certainty.
    copied = statistics.clustered_error(values * 10, [str(at) for at in range(6)] * 10)
    assert copied == pytest.approx(statistics.clustered_error(values))
    with pytest.raises(ValueError, match="two clusters"):
        statistics.clustered_error(values, ["a"] * 6)
    with pytest.raises(ValueError, match="one for each"):
        statistics.clustered_error(values, ["a"])


def clustered(random, groups=25, size=8, between=0.5, middle=0.0):
    shift = random.normal(0, between, groups)
    values = middle + np.repeat(shift, size) + random.normal(0, 1, groups * size)
    return values.tolist(), [str(group) for group in range(groups) for _ in range(size)]


def test_intervals_over_clusters_cover_and_those_that_forget_them_do_not():
    random = np.random.default_rng(11)
    covered = forgetful = 0
    for _ in range(400):
        values, clusters = clustered(random)
        one, other = statistics.clustered_mean(values, clusters=clusters), statistics.clustered_mean(values)
        covered += one.low <= 0 <= one.high
        forgetful += other.low <= 0 <= other.high
    assert 0.93 <= covered / 400 <= 0.97
    assert forgetful / 400 < 0.85


def test_the_bootstrap_and_the_theorem_agree_over_clusters():
    values, clusters = clustered(np.random.default_rng(2), groups=60)
    one, other = statistics.clustered_mean(values, clusters=clusters), statistics.mean(values, clusters=clusters)
    assert one.value == pytest.approx(other.value)
    assert one.high - one.low == pytest.approx(other.high - other.low, rel=0.12)


def test_where_nothing_failed_three_in_n_may():
    for of in (30, 300, 3000):
        bound = statistics.rule_of_three(of)
        assert bound == pytest.approx(3 / of, rel=0.06)
        assert (1 - bound) ** of == pytest.approx(0.05)
    assert statistics.rule_of_three(0) == 1.0
    assert statistics.rule_of_three(1) == pytest.approx(0.95)
    with pytest.raises(ValueError, match="below 0"):
        statistics.rule_of_three(-1)


def test_holm_of_the_textbook():
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([]) == []
    with pytest.raises(ValueError, match="between 0 and 1"):
        statistics.holm([float("nan")])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_lowers_and_keeps_the_order(p_values):
    adjusted = statistics.holm(p_values)
    assert all(p <= one <= min(1, len(p_values) * p) + 1e-12 for p, one in zip(p_values, adjusted, strict=True))
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [adjusted[at] for at in order] == sorted(adjusted)


def test_holm_holds_the_false_alarms_of_a_family():
    random = np.random.default_rng(4)
    alarms = sum(min(statistics.holm(random.random(8).tolist())) <= 0.05 for _ in range(4000))
    assert alarms / 4000 == pytest.approx(0.05, abs=0.012)


def test_flipped_signs_are_exact_for_few_and_drawn_for_many():
    before, after = [0.0] * 5, [0.1, 0.3, 0.2, 0.5, 0.4]
    assert statistics.sign_flip(before, after) == pytest.approx(2 / 32)
    assert statistics.sign_flip(after, after) == 1.0
    # Right and wrong: the test that flips signs is McNemar's.
    random = np.random.default_rng(8)
    first, second = random.random(300) < 0.5, random.random(300) < 0.56
    exact = statistics.mcnemar(first.tolist(), second.tolist())
    assert statistics.sign_flip(first.tolist(), second.tolist()) == pytest.approx(exact, abs=0.02)
    assert statistics.sign_flip([0.0] * 400, [1.0] * 400) == pytest.approx(1 / 10_001)
    # Twenty clusters that moved as one are twenty observations; five are not enough to prove anything.
    moved = [0.3] * 50
    assert statistics.sign_flip([0.0] * 50, moved, [str(at % 5) for at in range(50)]) == pytest.approx(2 / 32)


def test_flipped_signs_raise_as_many_false_alarms_as_they_say():
    random = np.random.default_rng(6)
    alarms = 0
    for _ in range(300):
        before = random.random(40)
        after = np.clip(before + random.standard_t(3, 40) * 0.1, 0, 1)
        alarms += (
            statistics.sign_flip(before.tolist(), after.tolist(), draws=400, seed=int(random.integers(1e9))) <= 0.05
        )
    assert 0.02 <= alarms / 300 <= 0.085


def test_not_worse_is_shown_by_items_and_not_by_the_lack_of_them():
    same = [1.0] * 600 + [0.0] * 400
    verdict = statistics.noninferior(same, same, margin=0.02)
    assert verdict.holds
    assert verdict.p < 0.025
    assert verdict.gain.low < 0 < verdict.gain.high
    # Twelve items that did not move prove nothing about two points in a hundred.
    few = statistics.noninferior(same[:12], same[:12], margin=0.02)
    assert not few.holds
    # Nor do three passages of a hundred items each.
    assert not statistics.noninferior(
        same[:300], same[:300], 0.02, clusters=[str(at // 100) for at in range(300)]
    ).holds
    worse = [*same[:550], *([0.0] * 450)]
    assert not statistics.noninferior(same, worse, margin=0.02).holds
    with pytest.raises(ValueError, match="span"):
        statistics.noninferior([0.0, 5.0], [70.0, 5.0], margin=2.0)
    with pytest.raises(ValueError, match="above 0"):
        statistics.noninferior(same, same, margin=0)
    with pytest.raises(ValueError, match="same items"):
        statistics.noninferior([1.0], [1.0, 0.0], margin=0.1)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60), st.floats(0.005, 0.5))
def test_the_interval_and_the_p_value_say_the_same(pairs, margin):
    before, after = ([float(side) for side in sides] for sides in zip(*pairs, strict=True))
    verdict = statistics.noninferior(before, after, margin)
    assert verdict.gain.low <= verdict.gain.value <= verdict.gain.high
    assert verdict.holds == (verdict.gain.low > -margin)
    if abs(verdict.p - 0.025) > 1e-6 and verdict.gain.low < verdict.gain.value:
        assert verdict.holds == (verdict.p < 0.025)


@pytest.mark.parametrize(("moved", "most"), [(0.06, 0.045), (0.2, 0.035)])
def test_a_system_worse_by_the_margin_seldom_passes(moved, most):
    """On the border itself, where the error is largest: a loss of five points, few or many items that move."""
    random = np.random.default_rng(23)
    lost, won = (moved + 0.05) / 2, (moved - 0.05) / 2
    passed = 0
    for _ in range(600):
        draw = random.random(300)
        gains = np.where(draw < lost, -1.0, np.where(draw < lost + won, 1.0, 0.0))
        passed += statistics.noninferior([0.0] * 300, gains.tolist(), margin=0.05).holds
    assert passed / 600 <= most


def test_a_system_as_good_passes_as_often_as_the_plan_says():
    random = np.random.default_rng(22)
    items = statistics.items_needed(0.05, 0.2, power=0.8)
    passed = 0
    for _ in range(500):
        draw = random.random(items)
        gains = np.where(draw < 0.1, -1.0, np.where(draw < 0.2, 1.0, 0.0))
        passed += statistics.noninferior([0.0] * items, gains.tolist(), margin=0.05).holds
    assert passed / 500 == pytest.approx(0.8, abs=0.06)


def test_a_plan_of_items_is_millers():
    # Miller's example: variance of the items 1/9, answers drawn without noise, three points, 80 %.
    assert statistics.items_needed(0.03, 1 / 9) == 969
    assert statistics.items_needed(0.03, 1 / 9, design_effect=2) == 1938
    assert statistics.items_needed(0.03, 1 / 9, sides=1) < 969
    assert statistics.items_needed(-0.03, 1 / 9) == 969
    assert statistics.items_needed(1.0, 0.0) == 1
    for wrong in ({"difference": 0.0, "variance": 1.0}, {"difference": 0.1, "variance": -1.0}):
        with pytest.raises(ValueError):
            statistics.items_needed(**wrong)
    with pytest.raises(ValueError):
        statistics.items_needed(0.1, 1.0, sides=3)
    with pytest.raises(ValueError):
        statistics.smallest_difference(0, 1.0)


@given(st.floats(0.01, 0.5), st.floats(0.01, 1), st.floats(0.55, 0.99), st.floats(1, 4))
def test_items_and_difference_are_each_others_reverse(difference, variance, power, effect):
    items = statistics.items_needed(difference, variance, power, design_effect=effect)
    assert statistics.smallest_difference(items, variance, power, design_effect=effect) <= difference * (1 + 1e-6)
    if items > 1:
        assert statistics.smallest_difference(items - 1, variance, power, design_effect=effect) >= difference * (
            1 - 1e-6
        )


def test_a_pilot_says_what_pairing_is_worth():
    random = np.random.default_rng(3)
    hardness = random.normal(0, 1, 400)
    before = (random.normal(0.3, 1, 400) > hardness).astype(float).tolist()
    after = (random.normal(0.4, 1, 400) > hardness).astype(float).tolist()
    paired, apart = statistics.variance_of(before, after), statistics.variance_of(before, after, paired=False)
    assert paired < 0.75 * apart
    assert statistics.items_needed(0.05, paired) < statistics.items_needed(0.05, apart)
    values, clusters = clustered(random, groups=200, size=8, between=0.5)
    # Kish: 1 + (size - 1) times the correlation within clusters, which is 0.2 here.
    assert statistics.design_effect(values, clusters) == pytest.approx(1 + 7 * 0.2, rel=0.25)
    assert statistics.design_effect([1.0, 1.0], ["a", "b"]) == 1.0


def test_a_planned_difference_is_found_as_often_as_planned():
    random = np.random.default_rng(5)
    items = statistics.items_needed(0.2, 1.0, power=0.8)
    found = 0
    for _ in range(1000):
        measured = statistics.clustered_mean(random.normal(0.2, 1, items).tolist())
        found += not measured.low <= 0 <= measured.high
    assert found / 1000 == pytest.approx(0.8, abs=0.045)

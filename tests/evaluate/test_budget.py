"""A budgeted run stops when the score is known, says how sure it is, and is right about that; on real and made scores."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

from septet.core import ConfigError
from septet.evaluate import budget


@pytest.fixture(scope="module")
def preferences(shared):
    """Scores of 805 items (rows) by 39 models."""
    with (shared / "benchmarks/alpaca_eval_matrix/preference.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return np.array([[float(cell) for cell in row[2:]] for row in rows[1:]])


def played(plan, scores):
    while not plan.done:
        plan.add({item: float(scores[int(item)]) for item in plan.next_batch()})
    return plan.estimate()


def made(random, items=1500, models=6, ability=1.0):
    """Right and wrong of models of about one ability on items of known spread; the last column is the new model's."""
    hardness = random.normal(0, 1.5, items)
    able = np.append(random.normal(ability - 0.5, 0.5, models), ability)
    return (random.random((items, models + 1)) < 1 / (1 + np.exp(hardness[:, None] - able))).astype(float)


def names(count):
    return [str(at) for at in range(count)]


def error(scores, fitted, tested, count, way, random, draws):
    hardness = scores[:, fitted].mean(1)
    strata = (
        budget.strata_of(hardness, count // 2, random) if way in ("stratified", "both") else [np.arange(len(hardness))]
    )
    rank = budget.ranks(hardness) if way in ("regression", "both") else np.zeros(len(hardness))
    found = []
    for _ in range(draws):
        at = budget.drawn(strata, count, random)
        found += [
            abs(budget.estimated(strata, rank, at, scores[at, one]).value - scores[:, one].mean()) for one in tested
        ]
    return 100 * float(np.mean(found))


def test_a_hundred_of_805_items_err_by_less_than_1_4_points_on_models_not_fitted(preferences):
    random = np.random.default_rng(1)
    found = {}
    for _ in range(4):
        mixed = random.permutation(preferences.shape[1])
        for way in ("random", "stratified", "regression", "both"):
            value = error(preferences, mixed[:26], mixed[26:], 100, way, random, draws=10)
            found.setdefault(way, []).append(value)
    mean = {way: np.mean(values) for way, values in found.items()}
    assert mean["both"] < 1.4
    assert mean["stratified"] < mean["random"] * 0.95
    assert mean["regression"] < mean["random"]


@pytest.mark.parametrize("count", [20, 50, 100])
def test_what_was_fitted_on_weak_models_is_not_worse_than_chance_for_strong_ones(preferences, count):
    order = np.argsort(preferences.mean(0))
    random = np.random.default_rng(3)
    simple, both = (
        error(preferences, order[:20], order[-10:], count, way, random, draws=50) for way in ("random", "both")
    )
    assert both < simple


@pytest.mark.parametrize(("allocation", "within"), [("proportional", 0.03), ("neyman", 0.03), ("simple", 0.03)])
def test_runs_that_stop_by_themselves_keep_their_promise(preferences, allocation, within):
    random = np.random.default_rng(7)
    items = names(len(preferences))
    covered, asked = [], []
    for _ in range(8):
        mixed = random.permutation(preferences.shape[1])
        earlier = None if allocation == "simple" else {one: preferences[int(one), mixed[:26]].tolist() for one in items}
        for model in mixed[26:]:
            way = "proportional" if allocation == "simple" else allocation
            plan = budget.start(items, within, earlier, int(random.integers(1e9)), allocation=way)
            estimate = played(plan, preferences[:, model])
            assert (estimate.high - estimate.low) / 2 <= within + 1e-9
            covered.append(estimate.low <= preferences[:, model].mean() <= estimate.high)
            asked.append(estimate.n)
    assert np.mean(covered) >= 0.93
    assert np.mean(asked) < 300


@pytest.mark.parametrize("ability", [0.0, 3.5])
@pytest.mark.parametrize("known", [0, 1, 6])
def test_right_and_wrong_are_covered_at_the_middle_and_at_the_end_of_the_scale(ability, known):
    random = np.random.default_rng(int(10 * ability) + known)
    covered = []
    for _ in range(40):
        scores = made(random, ability=ability)
        items = names(len(scores))
        earlier = {one: scores[int(one), :known].tolist() for one in items} if known else None
        plan = budget.start(items, 0.04, earlier, int(random.integers(1e9)), batch=50)
        estimate = played(plan, scores[:, -1])
        covered.append(estimate.low <= scores[:, -1].mean() <= estimate.high)
    assert np.mean(covered) >= 0.875


def test_strata_ask_for_fewer_items_than_a_simple_draw(preferences):
    items = names(len(preferences))
    order = np.argsort(preferences.mean(0))
    earlier = {one: preferences[int(one), order[5:-6]].tolist() for one in items}
    model = preferences[:, order[-6]]
    simple, strata = (
        np.mean([played(budget.start(items, 0.02, known, seed), model).n for seed in range(8)])
        for known in (None, earlier)
    )
    assert strata < 0.9 * simple


def test_all_right_so_far_is_not_certain():
    for earlier in (None, {one: [1.0, 1.0] for one in names(4000)}):
        plan = budget.start(names(4000), 0.01, earlier)
        estimate = played(plan, np.ones(4000))
        assert estimate.value == pytest.approx(1)
        # Rule of three: 300 items for one point on one side.
        assert 150 < estimate.n < 500


def test_the_last_item_closes_the_interval():
    scores = made(np.random.default_rng(1), items=130)
    for earlier in (None, {str(at): row[:-1].tolist() for at, row in enumerate(scores)}):
        plan = budget.start(names(130), 1e-6, earlier)
        estimate = played(plan, scores[:, -1])
        assert estimate.n == 130
        assert estimate.value == pytest.approx(scores[:, -1].mean())
        assert estimate.high - estimate.low == pytest.approx(0, abs=1e-9)
        assert plan.next_batch() == []


def test_an_interrupted_run_is_begun_again_and_goes_on_as_it_would_have():
    scores = made(np.random.default_rng(2))
    earlier = {str(at): row[:-1].tolist() for at, row in enumerate(scores)}
    first, again = (budget.start(names(len(scores)), 0.03, earlier, seed=5) for _ in range(2))
    for _ in range(3):
        batch = first.next_batch()
        first.add({item: float(scores[int(item), -1]) for item in batch})
    for _ in range(3):
        again.next_batch()
    again.add(first.results)
    assert again.next_batch() == first.next_batch()
    assert again.estimate() == first.estimate()


def test_items_that_gave_no_score_are_named_and_replaced():
    plan = budget.start(["甲", "乙", "丙", "丁", "戊"], 0.5, batch=2, minimum=2)
    batch = plan.next_batch()
    assert not plan.done
    plan.add({batch[0]: None, batch[1]: 1.0})
    assert plan.failed == [batch[0]]
    assert plan.estimate().n == 1
    while not plan.done:
        plan.add(dict.fromkeys(plan.next_batch(), 1.0))
    assert plan.estimate().value == 1.0
    assert batch[0] not in plan.results
    with pytest.raises(ConfigError, match="already has its score"):
        plan.add({batch[0]: 1.0})
    with pytest.raises(ConfigError, match="not asked for"):
        plan.add({"己": 1.0})


def test_a_suite_of_which_every_item_fails_ends_and_claims_nothing():
    plan = budget.start(names(30), 0.01, {one: [float(int(one) % 3)] for one in names(30)}, span=2.0)
    while not plan.done:
        plan.add(dict.fromkeys(plan.next_batch()))
    assert len(plan.failed) == 30
    assert plan.estimate().n == 0
    assert plan.estimate().high - plan.estimate().low == 4.0


def test_items_that_no_earlier_model_saw_have_their_share():
    scores = made(np.random.default_rng(3), items=1000)
    known = {str(at): scores[at, :-1].tolist() for at in range(600)}
    known["599"] = [math.nan]
    plan = budget.start(names(1000), 0.05, known)
    asked = [item for _ in range(4) for item in plan.next_batch()]
    assert 35 <= sum(int(item) >= 599 for item in asked) <= 45
    plan.add({item: float(scores[int(item), -1]) for item in asked})
    estimate = played(plan, scores[:, -1])
    assert estimate.low <= scores[:, -1].mean() <= estimate.high


def test_plans_that_cannot_be_say_so():
    for items, within in (([], 0.1), (["a", "a"], 0.1), (["a", "b"], 0.0)):
        with pytest.raises(ConfigError):
            budget.start(items, within)
    plan = budget.start(["a", "b", "c"], 0.1)
    with pytest.raises(ConfigError, match="could not be scored"):
        plan.add({plan.next_batch()[0]: math.nan})


def test_ranks_share_ties_and_leave_the_unknown_in_the_middle():
    found = budget.ranks(np.array([0.5, 0.1, math.nan, 0.5, 0.9]))
    assert found.tolist() == pytest.approx([0, -1, 0, 0, 1])
    assert budget.ranks(np.full(4, 0.3)).tolist() == [0, 0, 0, 0]

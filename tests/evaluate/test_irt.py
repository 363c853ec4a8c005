"""Scales recover what is known in a simulation: abilities, new items on an old scale, links over anchors of which some drifted."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

from septet.core import ConfigError, StepFailed
from septet.evaluate.growth import irt, linking


class World:
    """Items of known slope and intercept, models of known ability, and what they answer."""

    def __init__(self, seed, items):
        self.random = np.random.default_rng(seed)
        self.slope = np.exp(self.random.normal(0, 0.3, items))
        self.intercept = self.random.normal(0, 1.2, items)

    def answers(self, abilities, items, intercept=None):
        level = self.intercept if intercept is None else intercept
        chance = 1 / (1 + np.exp(-(self.slope[items, None] * abilities + level[items, None])))
        return (self.random.random(chance.shape) < chance).astype(float)


def names(places, mark=""):
    return [f"{mark}{at}" for at in places]


@pytest.fixture(scope="module")
def preferences(shared):
    with (shared / "benchmarks/alpaca_eval_matrix/preference.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return np.array([[float(cell) for cell in row[2:]] for row in rows[1:]])


@pytest.mark.parametrize(("items", "models"), [(300, 5), (400, 20), (60, 40)])
def test_a_fit_finds_abilities_and_items(items, models):
    world = World(models, items)
    able = world.random.normal(0, 1, models)
    fit = irt.fit(names(range(items)), names(range(models), "m"), world.answers(able, np.arange(items)))
    found = np.array([fit.models[f"m{at}"].value for at in range(models)])
    errors = np.array([fit.models[f"m{at}"].error for at in range(models)])
    truth = (able - able.mean()) / able.std()
    assert fit.kind == "2pl"
    assert found.mean() == pytest.approx(0, abs=1e-9)
    assert found.std() == pytest.approx(1)
    assert np.corrcoef(found, truth)[0, 1] > 0.95
    assert np.mean(np.abs(found - truth) < 2.5 * errors) > 0.85
    intercepts = [fit.items[str(at)].intercept for at in range(items)]
    assert np.corrcoef(intercepts, world.intercept)[0, 1] > (0.7 if models == 5 else 0.85)


def test_two_to_four_models_make_a_scale_of_one_slope():
    world = World(1, 200)
    fit = irt.fit(names(range(200)), ["a", "b", "c"], world.answers(np.array([-1.0, 0.0, 1.5]), np.arange(200)))
    assert fit.kind == "rasch"
    assert len({one.slope for one in fit.items.values()}) == 1
    assert fit.models["a"].value < fit.models["b"].value < fit.models["c"].value


def test_items_that_all_solve_or_none_do_not_diverge():
    table = np.vstack([np.ones((5, 5)), np.zeros((5, 5)), np.tile(np.tri(4, 5), (5, 1))])
    fit = irt.fit(names(range(30)), names(range(5)), table)
    assert all(math.isfinite(one.slope) and abs(one.intercept) < 20 for one in fit.items.values())
    assert all(abs(one.value) < 5 for one in fit.models.values())
    assert fit.items["0"].intercept > fit.items["10"].intercept > fit.items["5"].intercept


def test_an_item_that_turns_good_models_down_has_a_lower_slope_than_all_others():
    world = World(3, 120)
    able = world.random.normal(0, 1, 40)
    table = world.answers(able, np.arange(120))
    table[7] = (able < np.median(able)).astype(float)
    fit = irt.fit(names(range(120)), names(range(40)), table)
    assert min(fit.items, key=lambda one: fit.items[one].slope) == "7"
    assert fit.items["7"].slope < 0


def test_real_scores_between_0_and_1_make_a_scale(preferences):
    items, models = names(range(len(preferences))), names(range(preferences.shape[1]), "m")
    fit = irt.fit(items, models, preferences)
    order = np.argsort(preferences.mean(0))
    values = [fit.models[f"m{at}"].value for at in order]
    assert np.corrcoef(np.argsort(np.argsort(values)), np.arange(len(values)))[0, 1] > 0.97
    # Scores of a judge scatter less than right and wrong: so do the errors.
    assert all(0 < one.error < 0.2 for one in fit.models.values())
    strongest = fit.models[f"m{order[-1]}"]
    again = irt.ability(fit.items, dict(zip(items, preferences[:, order[-1]], strict=True)))
    assert again.value == pytest.approx(strongest.value, abs=0.2)


def test_missing_scores_are_left_out_and_items_without_any_are_named():
    world = World(4, 150)
    table = world.answers(world.random.normal(0, 1, 12), np.arange(150))
    holes = world.random.random(table.shape) < 0.3
    full, thin = (irt.fit(names(range(150)), names(range(12)), one) for one in (table, np.where(holes, np.nan, table)))
    assert np.corrcoef(*([one.value for one in fit.models.values()] for fit in (full, thin)))[0, 1] > 0.95
    assert thin.models["0"].error > full.models["0"].error
    table[5] = np.nan
    fit = irt.fit(names(range(150)), names(range(12)), table)
    assert fit.left_out == {"5": "no model has a score"}
    assert "5" not in fit.items


def test_new_items_come_onto_the_old_scale_where_they_belong():
    world = World(5, 500)
    old_models, new_models = world.random.normal(0, 1, 30), world.random.normal(0.7, 1, 30)
    old = irt.fit(names(range(300)), names(range(30), "m"), world.answers(old_models, np.arange(300)))
    asked = np.r_[0:100, 300:500]
    anchors = {one: old.items[one] for one in names(range(100))}
    fit = irt.calibrate(anchors, names(asked), names(range(30), "n"), world.answers(new_models, asked))
    assert {one: fit.items[one] for one in anchors} == anchors
    truth = (new_models - old_models.mean()) / old_models.std()
    found = np.array([one.value for one in fit.models.values()])
    errors = np.array([one.error for one in fit.models.values()])
    assert np.mean(np.abs(found - truth) < 1.96 * errors) > 0.8
    # What the new items are expected to give to a model of the old scale, they give: within 2 to 3 points (arXiv 2604.12843).
    new = {one: fit.items[one] for one in names(range(300, 500))}
    for at in (-1.0, 0.0, 1.0):
        real = old_models.mean() + at * old_models.std()
        slope, intercept = world.slope[300:], world.intercept[300:]
        assert irt.expected(new, at) == pytest.approx(np.mean(1 / (1 + np.exp(-(slope * real + intercept)))), abs=0.03)
    with pytest.raises(ConfigError, match="no score of an anchor"):
        irt.calibrate(anchors, ["999"], ["x"], [[1.0]])


def test_information_is_greatest_where_an_item_is_hard_to_call():
    item = irt.ItemFit(slope=1.5, intercept=-1.5)
    assert item.difficulty == pytest.approx(1.0)
    assert irt.curve(item, 1.0) == pytest.approx(0.5)
    assert irt.information(item, 1.0) == pytest.approx(1.5**2 / 4)
    assert irt.information(item, 1.0) > irt.information(item, 0.0)
    assert irt.curve(item, 1000) == pytest.approx(1)
    assert irt.curve(item, -1000) == pytest.approx(0)
    assert irt.ItemFit(0.0, 1.0).difficulty == -math.inf


def test_what_makes_no_scale_says_so():
    for items, models, scores in (
        (["a"], ["m"], [[1.0]]),
        (["a", "a"], ["m", "n"], [[1.0, 0.0]] * 2),
        (["a"], ["m", "n"], [[1.0, 2.0]]),
        (["a"], ["m", "n"], [[1.0]]),
        (["a"], ["m", "n"], [[math.nan, math.nan]]),
    ):
        with pytest.raises(ConfigError):
            irt.fit(items, models, scores)
    with pytest.raises(StepFailed, match="do not differ"):
        irt.fit(["a", "b"], ["m", "n"], [[1.0, 1.0], [0.0, 0.0]])
    with pytest.raises(ConfigError, match="no score"):
        irt.ability({"a": irt.ItemFit(1, 0)}, {"b": 1.0})
    with pytest.raises(ConfigError):
        irt.expected({}, 0.0)


@pytest.mark.parametrize("method", ["stocking-lord", "mean-sigma"])
def test_a_link_undoes_a_change_of_scale_exactly(method):
    random = np.random.default_rng(1)
    link = linking.Link(0.8, 0.6, 0, 0, 0, (), {})
    new = {
        str(at): irt.ItemFit(float(a), float(d)) for at, (a, d) in enumerate(random.normal([1, 0], [0.2, 1], (40, 2)))
    }
    old = {one: linking.item_onto(link, item) for one, item in new.items()}
    found = linking.link(old, new, method=method)
    assert (found.scale, found.shift) == (pytest.approx(0.8, abs=1e-4), pytest.approx(0.6, abs=1e-4))
    assert (found.scale_error, found.shift_error) == (pytest.approx(0, abs=1e-3), pytest.approx(0, abs=1e-3))
    assert found.drifted == {}
    for one in new:
        assert irt.curve(old[one], 0.8 * 1.2 + 0.6) == pytest.approx(irt.curve(new[one], 1.2))


def test_two_versions_link_within_the_stated_error_and_drifted_anchors_are_named():
    errors, stated, caught, false = [], [], 0, 0
    for seed in range(8):
        world = World(seed, 400)
        one, two = world.random.normal(0, 1, 30), world.random.normal(0.4, 1, 30)
        old = irt.fit(names(range(250)), names(range(30)), world.answers(one, np.arange(250)))
        asked = np.r_[0:100, 250:400]
        leaked = world.random.choice(np.flatnonzero(world.intercept[:100] < 0), 6, replace=False)
        level = world.intercept.copy()
        level[leaked] += 5
        new = irt.fit(names(asked), names(range(30), "n"), world.answers(two, asked, level))
        link = linking.link(old.items, new.items, names(range(100)))
        drifted = {int(name) for name in link.drifted}
        assert all(link.drifted[str(at)].startswith("easier") for at in drifted & set(leaked.tolist()))
        caught, false = caught + len(drifted & set(leaked.tolist())), false + len(drifted - set(leaked.tolist()))
        errors.append(link.shift - (two.mean() - one.mean()) / one.std())
        stated.append(link.shift_error)
        on_old = linking.ability_onto(link, new.models["n0"])
        assert on_old.value == pytest.approx((two[0] - one.mean()) / one.std(), abs=5 * on_old.error)
    assert caught >= 0.85 * 48
    assert false <= 3 * 8
    assert np.mean(np.abs(errors) < 1.96 * np.array(stated)) >= 0.75


def test_links_that_cannot_be_made_say_so():
    items = {str(at): irt.ItemFit(1.0, at / 5 - 1) for at in range(12)}
    with pytest.raises(ConfigError, match="do not link"):
        linking.link(items, {one: items[one] for one in ("0", "1", "2")})
    with pytest.raises(ConfigError, match="not on both"):
        linking.link(items, items, ["0", "甲"])
    same = {str(at): irt.ItemFit(1.0, 0.0) for at in range(9)}
    with pytest.raises(StepFailed, match="one difficulty"):
        linking.link(same, same, method="mean-sigma")

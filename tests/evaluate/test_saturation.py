"""When leaders can no longer be told apart, and which items go: on made scores whose truth is known, and on real ones."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

from septet.core import ConfigError
from septet.evaluate.growth import irt
from septet.evaluate.growth.saturation import item_rest, retire, saturation


def made(random, items, abilities, spread=1.5):
    hardness = random.normal(0, spread, items)
    return (
        random.random((items, len(abilities))) < 1 / (1 + np.exp(hardness[:, None] - np.asarray(abilities)))
    ).astype(float)


def names(count):
    return [f"m{at}" for at in range(count)]


def test_equal_leaders_are_saturated_and_unequal_ones_are_not():
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(60):
        alarms += not saturation(names(6), made(random, 150, [1.0] * 6), best=6).saturated
    assert alarms <= 8
    apart = saturation(names(6), made(random, 400, [2.0, 1.6, 1.2, 0.8, 0.4, 0.0]))
    assert not apart.saturated
    assert apart.leaders == ("m0", "m1", "m2", "m3", "m4")
    assert apart.gap.low > 0
    assert apart.ratio > 3


def test_more_items_end_a_saturation_that_too_few_had_made():
    able = [1.0, 0.9, 0.8, 0.7, 0.6]
    few, many = (saturation(names(5), made(np.random.default_rng(2), items, able)) for items in (60, 6000))
    assert few.index > many.index
    assert few.saturated
    assert not many.saturated


def test_items_of_one_passage_count_once():
    random = np.random.default_rng(3)
    table = made(random, 30, [1.0, 0.6, 0.3])
    copied, clusters = np.repeat(table, 20, axis=0), [str(at) for at in range(30) for _ in range(20)]
    alone, together = saturation(names(3), copied), saturation(names(3), copied, clusters=clusters)
    assert together.index > alone.index
    assert together.index == pytest.approx(saturation(names(3), table).index, abs=0.05)


def test_all_right_is_saturation_and_not_an_error():
    found = saturation(["a", "b"], np.ones((40, 2)))
    assert found.index == 1.0
    assert found.ratio == 0.0
    assert found.settled.value == 1.0
    assert found.unsolved.value == 0.0


def test_the_real_matrix_still_parts_its_leaders(shared):
    with (shared / "benchmarks/alpaca_eval_matrix/preference.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    table = np.array([[float(cell) for cell in row[2:]] for row in rows[1:]])
    found = saturation(rows[0][2:], table)
    assert not found.saturated
    # A fifth of the items is at the end of the scale, nearly all of them because no model wins there.
    assert found.unsolved.value == pytest.approx(0.205, abs=0.01)
    correlation = item_rest(table)
    assert np.nanmedian(correlation) == pytest.approx(0.80, abs=0.01)
    assert (correlation < 0).mean() == pytest.approx(0.006, abs=0.002)


def test_each_retirement_has_its_reason():
    random = np.random.default_rng(5)
    table = made(random, 60, np.linspace(-1.5, 1.5, 12))
    table[0] = 1.0
    table[1] = 0.0
    table[2] = np.linspace(1, 0, 12)
    items = [f"题{at}" for at in range(60)]
    found = retire(items, table, leaked={"题5": "13 characters in corpus zh_web"}, superseded={"题0": "act of 2026"})
    why = {(one.item, one.why): one.reason for one in found}
    assert why["题5", "leaked"] == "13 characters in corpus zh_web"
    assert ("题0", "superseded") in why
    assert "12 models" in why["题0", "settled"]
    assert "correlates by -" in why["题2", "negative"]
    # What none solves is room to grow.
    assert not any(item == "题1" for item, _ in why)
    assert sum(one.why == "negative" for one in found) <= 3
    fits = {"题9": irt.ItemFit(-0.5, 0.0, slope_error=0.1)}
    assert any(one.item == "题9" and "slope" in one.reason for one in retire(items, table, scale=fits))


def test_few_models_retire_nothing_and_missing_scores_count_for_nothing():
    assert retire(["a", "b"], np.ones((2, 4))) == []
    table = np.ones((2, 6))
    table[0, :3] = np.nan
    assert [one.item for one in retire(["a", "b"], table)] == ["b"]
    assert np.isnan(item_rest(table)).all()


def test_what_cannot_be_told_says_so():
    for models, table in (
        (["a"], np.ones((3, 1))),
        (["a", "b"], np.ones((1, 2))),
        (["a", "b"], [[1.0, math.nan]] * 3),
        (["a"], np.ones((3, 2))),
    ):
        with pytest.raises(ConfigError):
            saturation(models, table)
    with pytest.raises(ConfigError, match="no item"):
        retire(["a"], np.ones((1, 6)), leaked={"z": "x"})
    with pytest.raises(ConfigError, match="a row"):
        retire(["a"], np.ones((2, 6)))
    with pytest.raises(ConfigError, match="cluster"):
        saturation(["a", "b"], np.ones((3, 2)), clusters=["x"])

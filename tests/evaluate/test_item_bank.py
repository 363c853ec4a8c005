"""A bank from version to version: what goes, what holds the scale, and scores of two versions on one footing."""

from __future__ import annotations

import csv

import msgspec
import numpy as np
import pytest

from septet.core import ConfigError
from septet.evaluate.growth import irt, versions


def names(places):
    return [str(at) for at in places]


def made(seed, items, models, harder):
    """Right and wrong of models on items, the last `harder` of which are harder than the others by 0.8."""
    random = np.random.default_rng(seed)
    slope, intercept = np.exp(random.normal(0, 0.3, items)), random.normal(0, 1.2, items)
    intercept[items - harder :] -= 0.8
    able = random.normal(0, 1, models)
    chance = 1 / (1 + np.exp(-(slope[:, None] * able + intercept[:, None])))
    return (random.random(chance.shape) < chance).astype(float)


def test_a_version_is_what_was_kept_and_what_came():
    one = versions.first("银行考试 1", "2026-01-01", names(range(300)))
    scale = {str(at): irt.ItemFit(1.0, at / 50 - 3) for at in range(300)} | {"7": irt.ItemFit(-0.4, 0.0)}
    two = versions.renewed(
        one, "银行考试 2", "2026-07-01", ["a", "b"], {"3": "leaked: in a corpus", "4": "settled"}, scale
    )
    assert set(two.items) == set(one.items) - {"3", "4"} | {"a", "b"}
    assert two.previous == one.name
    assert two.retired["3"].startswith("leaked")
    assert len(two.anchors) == versions.ANCHORS
    assert not {"3", "4", "7", "a", "b"} & set(two.anchors)
    # From easy to hard: as many of each tenth.
    places = [int(one) * 10 // 300 for one in two.anchors]
    assert all(9 <= places.count(tenth) <= 11 for tenth in range(10))
    assert versions.renewed(one, "x", "2026-07-01", [], {}, scale, seed=2).anchors != two.anchors
    assert msgspec.json.decode(msgspec.json.encode(two), type=versions.Version) == two
    # What is gone never comes back under the same name.
    with pytest.raises(ConfigError, match="used before"):
        versions.renewed(two, "银行考试 3", "2027-01-01", ["3"], {})


def test_versions_that_cannot_be_say_so():
    one = versions.first("v1", "2026-01-01", names(range(20)))
    for date, new, retired in (
        ("2026-01-01", [], {}),
        ("2026-13-01", [], {}),
        ("2026-02-01", ["x", "x"], {}),
        ("2026-02-01", ["1"], {}),
        ("2026-02-01", [], {"z": "why"}),
        ("2026-02-01", [], {"1": ""}),
        ("2026-02-01", [], {str(at): "settled" for at in range(11)}),
    ):
        with pytest.raises(ConfigError):
            versions.renewed(one, "v2", date, new, retired)
    with pytest.raises(ConfigError):
        versions.first("v1", "2026-01-01", [])


def test_what_was_answered_counts_and_only_the_rest_is_expected():
    scale = {one: irt.ItemFit(1.0, 0.0) for one in names(range(10))}
    whole = versions.comparable(names(range(4)), scale, {"0": 1.0, "1": 0.0, "2": 1.0, "3": 1.0})
    assert (whole.value, whole.low, whole.high, whole.n) == (0.75, 0.75, 0.75, 4)
    part = versions.comparable(names(range(4)), scale, {"0": 1.0, "1": 0.0, "8": 0.5})
    assert part.value == pytest.approx(0.5)
    assert part.low < 0.5 < part.high
    assert part.n == 2
    with pytest.raises(ConfigError, match="not on the scale"):
        versions.comparable(["q"], scale, {"0": 1.0})
    with pytest.raises(ConfigError, match="no items"):
        versions.comparable([], scale, {"0": 1.0})


def test_scores_of_a_later_version_say_what_the_earlier_one_would_have():
    """Half of the bank is renewed; models that only ever saw the new version are put on the old one."""
    covered, missed, naive = [], [], []
    for seed in range(8):
        table = made(seed, 450, 40, harder=150)
        old_items, new_items = np.arange(300), np.r_[0:150, 300:450]
        old = irt.fit(names(old_items), names(range(20)), table[:300, :20])
        fit = irt.calibrate(
            {one: old.items[one] for one in names(range(150))},
            names(new_items),
            names(range(20)),
            table[new_items, :20],
        )
        scale = {**old.items, **fit.items}
        for model in range(20, 40):
            scores = {str(at): float(table[at, model]) for at in new_items}
            estimate = versions.comparable(names(old_items), scale, scores)
            truth = table[:300, model].mean()
            covered.append(estimate.low <= truth <= estimate.high)
            missed.append(abs(estimate.value - truth))
            naive.append(abs(table[new_items, model].mean() - truth))
    assert np.mean(covered) >= 0.9
    assert np.mean(missed) < 0.025
    assert np.mean(missed) < np.mean(naive) / 2


def test_real_scores_are_carried_over_within_their_interval(shared):
    with (shared / "benchmarks/alpaca_eval_matrix/preference.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    table = np.array([[float(cell) for cell in row[2:]] for row in rows[1:]])
    random = np.random.default_rng(1)
    order, models = random.permutation(805), random.permutation(39)
    old_items, new_items = order[:600], order[200:]
    scale = irt.fit(names(order), names(models[:26]), table[np.ix_(order, models[:26])]).items
    covered, missed = [], []
    for model in models[26:]:
        estimate = versions.comparable(names(old_items), scale, {str(at): float(table[at, model]) for at in new_items})
        truth = table[old_items, model].mean()
        covered.append(estimate.low <= truth <= estimate.high)
        missed.append(abs(estimate.value - truth))
    assert np.mean(missed) < 0.015
    assert np.mean(covered) >= 0.85

"""Mixtures: shares as planned, caps held, the same order for the same seed, every stretch mixed alike."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.core import ConfigError, Run
from septet.core.pool import Serial
from septet.data import mixture as work
from septet.data.steps import Mixture, MixturePlan, mixture, mixture_plan
from septet.kinds import Corpus


def written(path, sizes) -> Corpus:
    rows = [
        {
            "id": f"{dataset}-{number}",
            "text": "word " * length,
            "dataset": dataset,
            "source": f"{dataset}.txt",
            "source_digest": "",
            "start": 0,
            "end": length * 5,
            "language": "en",
            "licence": "x",
            "origin": "public",
            "access": "public",
            "transforms": [],
        }
        for dataset, lengths in sizes.items()
        for number, length in enumerate(lengths)
    ]
    return Corpus.write(path, rows)


@pytest.fixture
def corpora(tmp_path):
    one = written(tmp_path / "one", {"laws": [100] * 200, "news": [50] * 100})
    return one, written(tmp_path / "two", {"faq": [40] * 25})


def test_the_plan_is_shown_and_held(corpora, tmp_path):
    weights = {"laws": 1.0, "news": 1.0, "faq": 2.0}
    report = mixture_plan(
        MixturePlan(weights=weights, budget=20_000, parameters=5_000), corpora, run=Run(tmp_path / "plan")
    )
    planned = {item["dataset"]: item for item in report.items()}
    assert planned["faq"]["capped"]
    assert planned["faq"]["epochs"] == pytest.approx(4)
    assert sum(item["taken"] for item in planned.values()) == pytest.approx(20_000, abs=3)
    assert planned["laws"]["taken"] == pytest.approx(planned["news"]["taken"] + 0, rel=0.01)
    assert any("4.0 tokens a parameter" in note for note in report.content["notes"])
    run = Run(tmp_path / "out")
    made = mixture(Mixture(weights=weights, budget=20_000), corpora, run=run)
    rows = list(made.rows())
    tokens = {name: sum(len(row["text"]) / 4 for row in rows if row["dataset"] == name) for name in planned}
    for name, item in planned.items():
        assert tokens[name] == pytest.approx(item["taken"], rel=0.03)
    repeated = [row for row in rows if "#" in row["id"]]
    assert all(row["parent"] == row["id"].partition("#")[0] for row in repeated)
    assert sum(row["dataset"] == "faq" for row in rows) == 100
    # Each quarter holds about the same mixture.
    quarter = len(rows) // 4
    for start in range(0, 4 * quarter, quarter):
        held = [row["dataset"] for row in rows[start : start + quarter]]
        assert held.count("faq") == pytest.approx(25, abs=3)
    left_out = sum(drop["count"] for drop in run.drops)
    assert left_out + len({row["id"].partition("#")[0] for row in rows}) == 325


def test_the_seed_decides_the_order_and_nothing_else_does(corpora, tmp_path):
    first = [row["id"] for row in mixture(Mixture(), corpora, run=Run(tmp_path / "a")).rows()]
    small = Run(tmp_path / "b", pool=Serial(memory_mb=100))
    assert [row["id"] for row in mixture(Mixture(), corpora, run=small).rows()] == first
    other = [row["id"] for row in mixture(Mixture(seed=2), corpora, run=Run(tmp_path / "c")).rows()]
    assert other != first
    assert sorted(other) == sorted(first)
    assert json.loads((tmp_path / "a" / "mixture.json").read_text("utf-8"))["seed"] == 1


def test_temperature_lifts_the_small(corpora, tmp_path):
    shares = {}
    for temperature in (1.0, 3.0):
        report = mixture_plan(
            MixturePlan(temperature=temperature, budget=5_000), corpora, run=Run(tmp_path / str(temperature))
        )
        shares[temperature] = {item["dataset"]: item["share"] for item in report.items()}
    assert shares[1.0]["faq"] == pytest.approx(1000 / 26_000, abs=0.002)
    assert shares[3.0]["faq"] > 2 * shares[1.0]["faq"]


def test_a_data_set_that_is_not_there_is_named(corpora, tmp_path):
    with pytest.raises(ConfigError, match="no data set 'law'"):
        mixture(Mixture(weights={"law": 1.0}), corpora, run=Run(tmp_path / "out"))


@given(st.lists(st.tuples(st.floats(0.01, 100), st.floats(1, 1e6)), min_size=1, max_size=8), st.floats(1, 1e7))
def test_the_budget_is_filled_and_no_limit_is_passed(sets, budget):
    wish = np.array([one for one, _ in sets])
    limit = np.array([one for _, one in sets])
    taken = work._filled(wish, limit, budget)
    assert (taken <= limit * (1 + 1e-9)).all()
    assert taken.sum() == pytest.approx(min(budget, limit.sum()), rel=1e-6)

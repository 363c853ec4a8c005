"""An upgrade's verdict, and why two ways of asking disagree: on stores with known differences."""

from __future__ import annotations

import pytest

from septet.core import ConfigError, Run
from septet.evaluate.steps import Parity, Upgrade, parity, upgrade
from septet.kinds import Report


def row(number: int, score: float | None, task: str = "sums", **more) -> dict:
    chosen = None if score is None else int(score == 0)
    return {
        "id": f"{task}/{number}", "task": task, "language": "zh" if number % 2 else "en", "mode": "letter", "cluster": "",
        "question": f"{number}?", "options": ["yes", "no"], "labels": [0], "references": ["yes"], "prompt": "p",
        "outcome": "failed" if score is None else "answered", "score": score, "chosen": chosen,
        "log_probabilities": [-1.0, -3.0], "detail": {}, **more,
    }  # fmt: skip


def stored(folder, rows, digest="sha256:1") -> Report:
    return Report.write(folder, "score", {}, rows, (), {"model": {"name": "m", "digest": digest}})


def test_a_loss_within_the_margin_is_a_go_and_one_beyond_is_not(tmp_path):
    before = [row(number, float(number % 10 < 6)) for number in range(600)]
    slightly = [{**one, "score": 0.0} if at % 120 == 0 else one for at, one in enumerate(before)]
    badly = [{**one, "score": 0.0} if at % 12 == 0 else one for at, one in enumerate(before)]
    old = stored(tmp_path / "old", before)
    for name, after, verdict in (("slight", slightly, "go"), ("bad", badly, "no-go"), ("same", before, "go")):
        new = stored(tmp_path / name, after, "sha256:2")
        report = upgrade(Upgrade(margin=0.03), old, new, Run(tmp_path / f"u-{name}"))
        facts = report.content["facts"]
        assert facts["verdict"] == verdict, name
        assert facts["model"]["digest"] == "sha256:2", "a gate binds the verdict to the model that was tested"
        assert report.summary()["noninferior"].value == (verdict == "go")
        worse = [one["id"] for one in report.items() if one["moved"] == "worse"]
        assert len(worse) == sum(one["score"] != two["score"] for one, two in zip(before, after, strict=True))


def test_few_items_show_nothing_and_so_do_not_pass(tmp_path):
    rows = [row(number, 1.0) for number in range(12)]
    old, new = stored(tmp_path / "old", rows), stored(tmp_path / "new", rows)
    report = upgrade(Upgrade(margin=0.02), old, new, Run(tmp_path / "u"))
    assert report.content["facts"]["verdict"] == "no-go"
    assert any("is not shown" in note for note in report.content["notes"])


def test_each_capability_has_its_margin_and_the_p_values_are_adjusted(tmp_path):
    before = [row(number, 1.0, task) for task in ("law", "sums") for number in range(300)]
    after = [{**one, "score": 0.0} if one["task"] == "law" and at % 25 == 0 else one for at, one in enumerate(before)]
    old, new = stored(tmp_path / "old", before), stored(tmp_path / "new", after)
    strict = upgrade(Upgrade(margin=0.03), old, new, Run(tmp_path / "strict")).content["facts"]
    assert [one["holds"] for one in strict["capabilities"].values()] == [False, True]
    lenient = upgrade(Upgrade(margin=0.03, margins=("law=0.1",)), old, new, Run(tmp_path / "lenient")).content["facts"]
    assert lenient["verdict"] == "go"
    law = strict["capabilities"]["law"]
    assert law["p_moved_holm"] == pytest.approx(2 * law["p_moved"], abs=1e-5)
    with pytest.raises(ConfigError, match="'law' is no margin"):
        upgrade(Upgrade(margins=("law",)), old, new, Run(tmp_path / "e"))


def test_what_failed_counts_at_its_worst_and_is_named(tmp_path):
    before = [row(number, 1.0) for number in range(400)]
    after = [row(number, None if number < 40 else 1.0) for number in range(400)]
    report = upgrade(
        Upgrade(margin=0.02), stored(tmp_path / "old", before), stored(tmp_path / "new", after), Run(tmp_path / "u")
    )
    assert report.content["facts"]["verdict"] == "no-go"
    assert report.summary()["not_compared"].value == pytest.approx(0.1)
    assert sum(one["moved"] == "not compared" for one in report.items()) == 40


def test_other_items_or_modes_are_refused(tmp_path):
    rows = [row(number, 1.0) for number in range(3)]
    old = stored(tmp_path / "old", rows)
    with pytest.raises(ConfigError, match="not of the same items"):
        upgrade(Upgrade(), old, stored(tmp_path / "fewer", rows[:2]), Run(tmp_path / "a"))
    with pytest.raises(ConfigError, match="different modes"):
        upgrade(
            Upgrade(), old, stored(tmp_path / "text", [{**one, "mode": "text"} for one in rows]), Run(tmp_path / "b")
        )


def test_each_disagreement_has_its_cause(tmp_path):
    written = {"mode": "generate", "log_probabilities": [], "detail": {}}
    one = [row(number, 1.0, chosen=number % 2) for number in range(5)]
    one[3] = row(3, 1.0, chosen=1, log_probabilities=[-1.0, -1.01])
    two = [
        row(0, 1.0, **written, chosen=0),
        row(1, 0.0, **written, chosen=None, outcome="unparsed"),
        row(2, None, **written | {"chosen": 0}),
        row(3, 0.0, **written, chosen=0),
        row(4, 0.0, **written, chosen=1),
    ]
    report = parity(Parity(), stored(tmp_path / "a", one), stored(tmp_path / "b", two), Run(tmp_path / "p"))
    assert [each["cause"] for each in report.items()] == ["", "format", "failed", "close", "knowledge"]
    assert report.summary()["agreement"].value == pytest.approx(1 / 5)
    assert report.summary()["cause.format"].n == 5
    assert {"accuracy.letter", "accuracy.generate"} <= report.summary().keys()


def test_a_letter_that_is_always_chosen_and_a_length_that_decides_are_causes(tmp_path):
    letters = [row(number, float(number < 2), chosen=0) for number in range(6)]
    texts = [row(number, 1.0, mode="text", chosen=0) for number in range(6)]
    texts[4] = row(4, 0.0, mode="text", chosen=1)
    texts[5] = row(5, 0.0, mode="text", chosen=1, detail={"right_by_sum": True})
    report = parity(Parity(), stored(tmp_path / "a", letters), stored(tmp_path / "b", texts), Run(tmp_path / "p"))
    assert [each["cause"] for each in report.items()][4:] == ["letter", "length"]

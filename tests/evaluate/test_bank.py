"""A bank of items over two versions, from the reports of simulated models whose abilities are known."""

from __future__ import annotations

import math
import random

import pytest

from septet.core import ConfigError, Run
from septet.evaluate.form import Benchmark, Task, item
from septet.evaluate.steps import Calibrate, Comparable, Renew, calibrate, comparable, renew
from septet.evaluate.suites import sealed
from septet.kinds import KnowledgeBase, Report, Suite

TASK = Task("exam", "en", "letter", "option", chance=0.25)
ENDS = {13: "2026-01-31", 14: "2030-01-01"}
MODELS = {f"m{number}": -1.5 + 0.5 * number for number in range(7)}


def bank(folder, start: int, count: int, date: str) -> Suite:
    items = []
    for number in range(start, start + count):
        made = item(
            f"exam/{number}", TASK, f"Which is number {number}?", options=[str(number + at) for at in range(4)], label=0
        )
        quote = {"source": f"{number}.md", "quote": f"This is number {number}."}
        items.append({**made, "evidence": quote})
    about = {"name": "exam", "version": date, "licence": "own", "origin": "tests"}
    return sealed(Benchmark(about, (TASK,), items, []), Run(folder))


def difficulty(number: int) -> float:
    return random.Random(number).uniform(-2, 2)


def reports(folder, suite: Suite, models=MODELS) -> tuple[Report, ...]:
    """What models of known ability answer. Item 7 has a wrong key: the better a model is, the more surely it says B."""
    found = []
    for name, ability in models.items():
        chance = random.Random(name)
        rows = []
        for one in suite.items():
            number = int(one["id"].rpartition("/")[2])
            solved = chance.random() < 1 / (1 + math.exp(-1.5 * (ability - difficulty(number))))
            if number == 7:
                solved = ability < -0.6
            if number == 8:
                solved = True
            chosen = 0 if solved else 1 if number == 7 else chance.randrange(1, 4)
            rows.append({"id": one["id"], "score": float(solved), "chosen": chosen})
        facts = {"model": {"name": name, "digest": f"sha256:{name}"}}
        found.append(Report.write(folder / name, "score", {}, rows, (), facts))
    return tuple(found)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    place = tmp_path_factory.mktemp("bank")
    suite = bank(place / "suite", 0, 160, "2026-01-01")
    answered = reports(place, suite)
    return suite, answered, calibrate(Calibrate(), suite, answered, run=Run(place / "calibration"))


def test_items_are_placed_by_how_hard_they_are(first):
    _, _, calibration = first
    rows = list(calibration.items())
    placed = [row for row in rows if row["fit"]]
    easy = [row["fit"]["intercept"] for row in placed if difficulty(int(row["id"][5:])) < -1]
    hard = [row["fit"]["intercept"] for row in placed if difficulty(int(row["id"][5:])) > 1]
    assert sum(easy) / len(easy) > sum(hard) / len(hard) + 1
    abilities = [calibration.content["facts"]["models"][name]["value"] for name in MODELS]
    assert abilities == sorted(abilities)
    assert not calibration.content["facts"]["saturated"]
    assert calibration.summary()["score.m6.all"].n == 160


def test_what_should_go_goes_with_its_reason_and_the_rest_holds_the_scale(first, tmp_path):
    suite, answered, _ = first
    said = [{"suite": "exam", "id": "exam/11", "verdict": "contaminated", "covered": 0.9, "rows": 3}]
    leaked = Report.write(tmp_path / "leaked", "contamination", {}, said)
    knowledge = knowledge_base(tmp_path / "knowledge", [number for number in range(160) if number != 12])
    config = Calibrate(day="2026-02-01")
    calibration = calibrate(config, suite, answered, None, leaked, knowledge, run=Run(tmp_path / "c"))
    going = {row["id"]: row["retire"] for row in calibration.items() if row["retire"]}
    assert going["exam/11"] == ["leaked: 90% of it stand in the training data, in 3 rows"]
    assert going["exam/12"] == ["superseded: its evidence is no longer in 12.md"]
    assert "exam/13" in going
    assert "exam/14" not in going, "its version ends later"
    assert going["exam/8"][0].startswith("settled")
    suspect = {row["id"]: row["suspect"] for row in calibration.items()}
    assert suspect["exam/7"] >= 0.5, "the better models agree on another option"
    new = bank(tmp_path / "new", 160, 60, "2026-06-01")
    later = renew(Renew(date="2026-06-01", since="2026-01-01"), suite, calibration, new, Run(tmp_path / "later"))
    told = later.about["bank"]
    assert later.about["version"] == "2026-06-01"
    assert told["previous"] == "exam"
    assert set(told["retired"]) >= {"exam/7", "exam/8", "exam/11", "exam/12"}
    ids = {one["id"] for one in later.items()}
    assert not ids & set(told["retired"])
    assert {f"exam/{number}" for number in range(160, 220)} <= ids
    assert sum(one["meta"]["anchor"] for one in later.items()) == len(told["anchors"]) == 100
    with pytest.raises(ConfigError, match="is not later"):
        renew(Renew(date="2026-06-01"), later, calibration, None, Run(tmp_path / "again"))


def test_scores_of_two_versions_compare_over_the_anchors(first, tmp_path):
    suite, _, calibration = first
    new = bank(tmp_path / "new", 160, 60, "2026-06-01")
    later = renew(Renew(date="2026-06-01", since="2026-01-01"), suite, calibration, new, Run(tmp_path / "later"))
    answered = reports(tmp_path / "r", later, {"n1": -1.0, "n2": 0.0, "n3": 0.5, "n4": 1.0, "n5": 1.8})
    both = calibrate(Calibrate(), later, answered, calibration, run=Run(tmp_path / "both"))
    assert both.content["facts"]["on_scale_of"] == "calibration"
    other = {"old": 1.0}
    (old,) = reports(tmp_path / "old", suite, other)
    (truth,) = reports(tmp_path / "truth", later, other)
    measure = comparable(Comparable(), old, later, both, Run(tmp_path / "said")).summary()["comparable"]
    scores = [row["score"] for row in truth.items()]
    assert measure.low - 0.03 < sum(scores) / len(scores) < measure.high + 0.03


def test_one_report_or_two_of_a_model_are_not_enough(first, tmp_path):
    suite, answered, _ = first
    with pytest.raises(ConfigError, match="at least two models"):
        calibrate(Calibrate(), suite, answered[:1], run=Run(tmp_path / "a"))
    with pytest.raises(ConfigError, match="of the same model"):
        calibrate(Calibrate(), suite, (answered[0],) * 3, run=Run(tmp_path / "b"))


def knowledge_base(folder, numbers) -> KnowledgeBase:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    rows = [
        {
            "id": str(n),
            "source": f"{n}.md",
            "text": f"Chapter. This is number {n}. The end.",
            "valid_to": ENDS.get(n, ""),
        }
        for n in numbers
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "chunks.parquet")
    (folder / "meta.json").write_text("{}")
    return KnowledgeBase(folder)

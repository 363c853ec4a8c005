"""The whole chain on a tiny model: a suite in two languages, its twins, one score of both, and the seven measures of its rows."""

from __future__ import annotations

import json

import pytest
import tiny_models

from septet.core import ConfigError, Run
from septet.core.artifact import OBSERVED
from septet.evaluate.form import CHINESE, Benchmark, Layout, Task, item
from septet.evaluate.holistic import SEVEN, holistic
from septet.evaluate.perturb import suite as perturb
from septet.evaluate.steps import Score, score
from septet.evaluate.suites import sealed
from septet.evaluate.summary import summary
from septet.kinds import Report

CARDS = Task("cards/en", "en", "letter", "option", group="cards", chance=0.25)
FEES = Task("cards/zh", "zh", "letter", "option", group="cards", layout=CHINESE, chance=0.25)
SUMS = Task("sums", "en", "generate", "number", max_tokens=6)
OPENINGS = Task(
    "openings", "en", "generate", "unjudged", layout=Layout(item="{question}", cloze="{question}"), max_tokens=8
)
PEOPLE = Task("people", "en", "letter", "option", group="Age")
KINDS = (
    "typos",
    "case",
    "spacing",
    "homophones",
    "traditional",
    "width",
    "option_order",
    "filler",
    "gender",
    "dialect_names",
)


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("holistic")
    items = []
    for at in range(12):
        items.append(
            item(f"cards/en/{at}", CARDS, f"Emily asked her bank: what does card {at} cost?", label=at % 4, category=f"c{at % 2}",
                 options=["12 dollars", "13 dollars a year", "nothing", "it depends"])
        )  # fmt: skip
        items.append(
            item(f"cards/zh/{at}", FEES, f"小明和他的妈妈问：{at}号卡的年费是多少？", label=at % 4, category=f"c{at % 2}",
                 options=["一百二十元", "三百六十元", "免费", "看情况而定"])
        )  # fmt: skip
        meta = {
            "context_condition": "ambig" if at % 2 else "disambig", "question_polarity": "neg", "unknown": 2, "target": 0,
            "biased": 0,
        }  # fmt: skip
        items.append(
            item(f"people/{at}", PEOPLE, "Who forgot it?", passage="An old and a young person met.", label=2 if at % 2 else 0,
                 options=["the old one", "the young one", "not known"], meta=meta, category=meta["context_condition"])
        )  # fmt: skip
    items += [item(f"sums/{at}", SUMS, f"{at} + 1 =", answers=[str(at + 1)]) for at in range(6)]
    items += [
        item(f"openings/{at}", OPENINGS, "The card of the bank", kind="opening", meta={"group": "g"}) for at in range(3)
    ]
    about = {"name": "own", "version": "1", "licence": "own", "origin": "tests"}
    own = sealed(Benchmark(about, (CARDS, FEES, PEOPLE, SUMS, OPENINGS), items, []), Run(folder / "suite"))
    twins = perturb(own, KINDS, 1, 6, Run(folder / "twins"))
    model = tiny_models.llama(folder / "model", context=256)
    return score(Score(), model, twins, run=Run(folder / "score"))


def test_seven_sides_of_one_score(scored, tmp_path):
    run = Run(tmp_path / "h")
    report = holistic("seven", scored, run)
    found = report.summary()
    facts = report.content["facts"]
    rows = list(scored.items())
    assert list(facts["stands"]) == sorted(SEVEN)
    assert all(facts["stands"].values())
    own = summary(rows)
    assert {name: found[name] for name in own} == own
    for name in (
        "ece_equal_mass.letter", "ece_equal_width.letter.zh", "brier.letter.en", "selective_accuracy_10.letter",
        "robustness.typos.accuracy.letter", "robustness.homophones.accuracy.letter.change", "robustness.width.accuracy.letter",
        "robustness.worst_case.accuracy.letter.zh", "robustness.filler.accuracy.generate", "fairness.gender.accuracy.letter.change",
        "fairness.dialect_names.accuracy.letter", "fairness.category.c0.accuracy.letter.gap", "bbq_accuracy.ambig.letter",
        "toxic_outputs", "tokens_read.letter.zh", "tokens_written.generate",
    ):  # fmt: skip
        assert name in found, name
    for name, measure in found.items():
        assert measure.low <= measure.value <= measure.high, name
    assert facts["items"]["own"] == 45
    assert facts["items"]["own"] + facts["items"]["twins"] == len(rows)
    assert any("cannot be judged" in note for note in report.content["notes"])
    assert any("CrowS-Pairs" in note for note in report.content["notes"])
    assert [row["id"] for row in report.items()] == [row["id"] for row in rows]
    confident = next(row for row in report.items() if row["id"] == "cards/zh/3")
    assert 0.25 <= confident["confidence"] <= 1
    assert run.observed["cpu_seconds_a_token.generate"] > 0
    observed = [json.loads(line) for line in (report.path / OBSERVED).read_text("utf-8").splitlines()]
    assert {row["id"] for row in observed if row["denoised_seconds"] is not None} >= {"sums/0", "openings/2"}


def test_the_report_hangs_on_the_rows_alone(scored, tmp_path):
    first = holistic("seven", scored, Run(tmp_path / "one"))
    bare = Report.write(tmp_path / "bare", "score", scored.summary(), scored.items(), (), scored.content["facts"])
    run = Run(tmp_path / "two")
    second = holistic("seven", bare, run)
    assert first.digest() == second.digest()
    assert any("no observed.jsonl" in note for note in run.notes)


def test_what_is_not_there_is_said(scored, tmp_path):
    rows = [row for row in scored.items() if row["task"] == "sums" and not row["twin_of"]]
    few = Report.write(tmp_path / "few", "score", summary(rows), rows, (), scored.content["facts"])
    report = holistic("seven", few, Run(tmp_path / "h"))
    stands = report.content["facts"]["stands"]
    assert [side for side in SEVEN if stands[side]] == ["accuracy", "toxicity", "efficiency"]
    notes = " ".join(report.content["notes"])
    for side in (
        "calibration",
        "robustness",
        "counterfactual fairness",
        "bias scores (BBQ)",
        "representation by gender",
    ):
        assert f"{side} is not meas" in notes or f"{side} are not meas" in notes, side
    other = Report.write(tmp_path / "other", "answers", {}, [{"id": "1", "answer": "x"}])
    with pytest.raises(ConfigError, match=r"'answers' is no report of evaluate\.score"):
        holistic("seven", other, Run(tmp_path / "no"))

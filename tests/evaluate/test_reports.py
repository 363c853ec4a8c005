"""Reports on a real (tiny) model: every item kept, resumable, comparable, and the same when computed again."""

from __future__ import annotations

import json

import pytest
import tiny_models

from septet.core import ConfigError, Run, StepFailed
from septet.evaluate import answers as asking
from septet.evaluate.steps import Answers, Choice, Compare, answers, choice, compare
from septet.kinds import Suite


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.llama(tmp_path_factory.mktemp("evaluated") / "model")


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    items = []
    for number, (language, question, references) in enumerate(
        [
            ("en", "What does the card cost?", ["12 dollars"]),
            ("zh", "年费是多少？", ["一百二十元"]),
            ("en", "Who owns the bank?", []),
            ("zh", "行长是谁？", []),
        ]
    ):
        context = {
            "chunk": f"c{number}",
            "title": "Fees",
            "text": "The plain card costs 12 dollars. 年费是一百二十元。",
        }
        items.append(
            {
                "id": f"q{number}", "kind": "question", "language": language, "question": question, "answers": references,
                "evidence": {"source": "fees.md", "quote": "x"} if references else None, "split": "test", "category": "fee",
                "contexts": [context], "chunks": [f"c{number}"], "options": None, "label": None,
            }
        )  # fmt: skip
    for number, label in enumerate((0, 3)):
        options = ["12 dollars", "13 dollars", "14 dollars", "15 dollars"]
        items.append(
            {**items[0], "id": f"m{number}", "kind": "choice", "options": options, "label": label, "contexts": []}
        )
    return Suite.write(tmp_path_factory.mktemp("suite"), items, {"name": "s", "version": "1"})


def test_answers_are_kept_item_by_item_and_computed_again_the_same(model, suite, tmp_path):
    report = answers(Answers(name="x", max_tokens=6), model, suite, None, Run(tmp_path / "r"))
    rows = list(report.items())
    assert [row["id"] for row in rows] == ["q0", "q1", "q2", "q3"]
    assert asking.summary(rows) == report.summary()
    assert report.summary()["exact_match"].n == 2
    assert report.summary()["exact_match.zh"].n == 1
    assert report.summary()["abstains_rightly"].n == 2
    spoken = [row for row in rows if not row["abstained"]]
    assert report.summary()["citation_recall"].n == sum(len(row["sentences"]) for row in spoken)
    cited = [one for row in spoken if row["evidence"] for one in row["sentences"] if one["citation"]]
    assert report.summary()["citation_precision"].n == len(cited)
    assert report.content["facts"]["model"]["digest"] == model.digest()
    again = answers(Answers(name="x", max_tokens=6), model, suite, None, Run(tmp_path / "again"))
    assert again.digest() == report.digest()


def test_an_interrupted_evaluation_asks_only_what_is_missing(model, suite, tmp_path):
    whole = answers(Answers(max_tokens=6), model, suite, None, Run(tmp_path / "whole"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    rows = list(whole.items())
    marked = {**rows[0], "output": "from before the kill"}
    lines = json.dumps(marked, ensure_ascii=False) + "\n" + json.dumps(rows[1], ensure_ascii=False)[:40]
    (scratch / "items.jsonl").write_text(lines, "utf-8")
    resumed = answers(Answers(max_tokens=6), model, suite, None, Run(tmp_path / "resumed", scratch))
    assert [row["output"] for row in resumed.items()] == ["from before the kill", *(row["output"] for row in rows[1:])]


def test_choice_scores_whole_options(model, suite, tmp_path):
    report = choice(Choice(), model, suite, Run(tmp_path / "c"))
    rows = list(report.items())
    assert len(rows) == 2
    assert all(
        len(row["log_probabilities"]) == 4 and all(value < 0 for value in row["log_probabilities"]) for row in rows
    )
    # The same question and options: the same choice, and at most one of the two labels is met.
    assert rows[0]["chosen"] == rows[1]["chosen"]
    assert report.summary()["accuracy"].value in (0.0, 0.5)


def test_a_comparison_is_paired_and_refuses_other_items(model, suite, tmp_path):
    first = answers(Answers(name="a", max_tokens=4), model, suite, None, Run(tmp_path / "a"))
    second = answers(Answers(name="b", max_tokens=8), model, suite, None, Run(tmp_path / "b"))
    report = compare(Compare(), first, second, Run(tmp_path / "gain"))
    assert report.summary()["exact_match_gain"].n == 2
    assert {row["moved"] for row in report.items()} <= {"same", "better", "worse"}
    other = Suite.write(
        tmp_path / "other", [i for i in suite.items() if i["id"] == "q0"], {"name": "o", "version": "1"}
    )
    third = answers(Answers(name="c", max_tokens=4), model, other, None, Run(tmp_path / "c"))
    with pytest.raises(ConfigError, match="not of the same items"):
        compare(Compare(), first, third, Run(tmp_path / "no"))


def test_a_suite_without_what_is_asked_for_says_so(model, suite, tmp_path):
    empty = Suite.write(tmp_path / "e", [], {"name": "e", "version": "1"})
    with pytest.raises(StepFailed, match="holds no question"):
        answers(Answers(), model, empty, None, Run(tmp_path / "a"))
    with pytest.raises(StepFailed, match="holds no choice item"):
        choice(Choice(), model, empty, Run(tmp_path / "c"))

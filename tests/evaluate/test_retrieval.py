"""Retrieval is measured by where the evidence stands: by mode and pair of languages, with every question kept."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.core import Run, StepFailed
from septet.data.steps import Knowledge, Read, knowledge, read
from septet.evaluate import retrieval as finding
from septet.evaluate.ranking import measured
from septet.evaluate.steps import Retrieval, retrieval
from septet.kinds import Suite


def item(identity, language, question, source="", quote="", chunks=(), **more):
    return {
        "id": identity, "kind": "question", "language": language, "question": question, "answers": [quote] if quote else [],
        "evidence": {"source": source, "quote": quote} if quote else None, "split": "test", "category": "x", "options": None,
        "label": None, "chunks": list(chunks), **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    place = tmp_path_factory.mktemp("kb")
    (place / "in").mkdir()
    (place / "in" / "zh.md").write_text(
        "# 账户\n\n## 挂失\n\n挂失请拨打客服热线。\n\n## 开户\n\n开户需要身份证原件。\n", "utf-8"
    )
    (place / "in" / "en.md").write_text(
        "# Rules\n\n## Interest\n\nSavings accounts pay\ninterest every quarter.\n\n## Closing\n\nIt takes three days.\n",
        "utf-8",
    )
    corpus = read(Read(paths=(str(place / "in"),), licence="CC0-1.0", origin="public"), Run(place / "corpus"))
    return knowledge(Knowledge(encoder="hashing"), corpus, run=Run(place / "kb"))


@pytest.fixture(scope="module")
def suite(tmp_path_factory, base):
    closing = next(chunk["id"] for chunk in base.chunks() if "three days" in chunk["text"])
    items = [
        item("a", "zh", "怎样挂失", "zh.md", "挂失请拨打客服热线"),
        item("b", "en", "How often do savings accounts pay interest?", "en.md", "pay interest every quarter"),
        item("c", "zh", "销户要几天", chunks=[closing]),
        item("d", "en", "Who is the president?"),
        item("e", "en", "Lost?", "en.md", "a quote that is not there"),
        item("f", "en", "Train question", "en.md", "interest", split="train"),
        item("g", "en", "A choice", "en.md", "interest", kind="choice"),
    ]
    return Suite.write(tmp_path_factory.mktemp("suite"), items, {"name": "s", "version": "1"})


def test_each_mode_and_pair_is_measured_and_every_question_kept(base, suite, tmp_path):
    run = Run(tmp_path / "r")
    report = retrieval(Retrieval(), suite, base, run)
    rows = list(report.items())
    assert [(row["id"], row["mode"]) for row in rows] == [
        (one, mode) for one in "abc" for mode in ("text", "vector", "hybrid")
    ]
    assert {row["id"]: row["pair"] for row in rows} == {"a": "zh-zh", "b": "en-en", "c": "zh-en"}
    summary = report.summary()
    assert summary["r_at_1.text.zh-zh"].value == summary["mrr.hybrid.en-en"].value == 1.0
    assert summary["r_at_5.text.zh-en"].value == 0.0
    assert summary["r_at_1.text"].value == pytest.approx(2 / 3)
    assert summary["ndcg_at_10.text"].n == 3
    assert finding.summary(rows) == summary
    assert [(drop["count"]) for drop in run.drops] == [1, 1]
    assert any(note.startswith("text: for 1 of 3") for note in report.content["notes"])


def test_the_same_search_gives_the_same_report(base, suite, tmp_path):
    first, second = (
        retrieval(Retrieval(modes=("text",)), suite, base, Run(tmp_path / name)) for name in ("one", "two")
    )
    assert first.digest() == second.digest()


def test_a_suite_for_other_documents_is_refused(base, tmp_path):
    other = Suite.write(tmp_path / "s", [item("x", "en", "What?", "other.md", "quote")], {"name": "o", "version": "1"})
    with pytest.raises(StepFailed, match="evidence"):
        retrieval(Retrieval(), other, base, Run(tmp_path / "r"))


def test_measures_of_a_known_list():
    found = measured([2, 4], 3)
    assert (found["r_at_1"], found["r_at_5"], found["mrr"]) == (0.0, 1.0, 0.5)
    best = 1 + 1 / math.log2(3) + 0.5
    assert found["ndcg_at_10"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / best)
    assert set(measured([], 2).values()) == {0.0}


@given(st.sets(st.integers(1, 60), max_size=8), st.integers(0, 5))
def test_measures_stay_between_nought_and_one_and_a_better_place_never_hurts(places, more):
    ranks = sorted(places)
    found = measured(ranks, len(ranks) + more)
    assert all(0 <= value <= 1 for value in found.values())
    if ranks and ranks[0] > 1:
        better = measured([ranks[0] - 1, *ranks[1:]], len(ranks) + more)
        assert all(better[name] >= value for name, value in found.items())

"""The self-test finds what is planted, counts what a broken stage misses, and says nothing of the documents themselves."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.core import Run, StepFailed
from septet.data import planted, probes, selftest, spoiled
from septet.data.steps import SelfTest, self_test
from septet.detect import pii
from septet.detect import policy as policies
from septet.kinds import Corpus, Policy, Report, Suite

ENGLISH = (
    "rate account ledger customer branch payment report quarter review balance fee credit the of and to in is".split()
)
CHINESE = "利率 账户 客户 支行 付款 报告 季度 审查 余额 费用 信用 应当 以及 的 在 是 办理 登记 规定 部门".split()
SECRET = "13912345678"


def document(draw, number):
    if number % 2:
        lines = [f"{' '.join(draw.choice(ENGLISH) for _ in range(draw.randint(8, 20)))}." for _ in range(12)]
        return "\n".join(line.capitalize() for line in lines)
    return "\n".join("".join(draw.choice(CHINESE) for _ in range(draw.randint(6, 14))) + "。" for _ in range(12))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    draw = random.Random(8)
    rows = [(f"d{number}", document(draw, number), "") for number in range(60)]
    rows[0] = ("d0", rows[0][1] + f"\n手机{SECRET}。", "")
    return selftest.corpus_of(tmp_path_factory.mktemp("corpus") / "in", rows)


@pytest.fixture(scope="module")
def policy(repository, tmp_path_factory):
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.json").write_bytes(policies.encode(policies.load(repository / "recipes" / "policy.toml")))
    return Policy(folder)


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    draw = random.Random(5)
    items = [
        {"id": f"q{number}", "question": f"{document(draw, number + 1)[:160]} Which one is it, number {number}?"}
        for number in range(12)
    ]
    return Suite.write(
        tmp_path_factory.mktemp("suite"), [*items, {"id": "short", "question": "Why?"}], {"name": "exam"}
    )


CONFIG = SelfTest(documents=40, plants=6, items=10)


@pytest.fixture(scope="module")
def made(corpus, policy, suite, tmp_path_factory) -> Report:
    return self_test(CONFIG, corpus, policy, (suite,), run=Run(tmp_path_factory.mktemp("run") / "out"))


def test_every_test_reports_recall_and_precision_with_intervals(made):
    summary = made.summary()
    for test in ("duplicates", "pii", "toxicity", "contamination", "quality"):
        for figure in ("recall", "precision"):
            measure = summary[f"{test}.{figure}"]
            assert measure.low <= measure.value <= measure.high
            assert measure.n > 5, f"{test}.{figure}"
    assert summary["duplicates.recall.exact"].value == 1
    assert summary["duplicates.precision"].value == 1
    assert summary["pii.recall"].value > 0.97
    assert summary["pii.precision"].value > 0.97
    assert summary["contamination.recall"].value > 0.9
    assert {f"pii.recall.{kind}" for kind in planted.KINDS} <= summary.keys()
    assert {"pii.recall.zh", "pii.recall.en", "toxicity.recall.parted", "quality.recall.repeated"} <= summary.keys()


def test_the_report_names_misses_and_holds_no_text_of_the_documents(corpus, made):
    words = (made.path / "items.jsonl").read_text("utf-8") + (made.path / "report.json").read_text("utf-8")
    assert SECRET not in words
    assert all(row["text"][:30] not in words for row in corpus.rows())
    assert {row["outcome"] for row in made.items()} <= {"missed", "false alarm"}
    assert {"test", "kind", "variant", "language", "document", "planted", "outcome"} == set(next(made.items()))


def test_the_same_seed_gives_the_same_report(corpus, policy, suite, made, tmp_path):
    again = self_test(CONFIG, corpus, policy, (suite,), run=Run(tmp_path / "out"))
    for name in ("report.json", "items.jsonl"):
        assert (again.path / name).read_bytes() == (made.path / name).read_bytes()
    other = self_test(SelfTest(documents=40, plants=6, seed=2), corpus, policy, (suite,), run=Run(tmp_path / "other"))
    assert other.content["facts"]["planted"]["pii"] == made.content["facts"]["planted"]["pii"]
    assert other.content != made.content


def test_a_stage_that_finds_less_is_told_of(corpus, policy, tmp_path, monkeypatch):
    def blind(column, kinds=(), threshold=0.0, allow=()):
        return original(column, sorted(set(pii.KINDS) - {"email"}), threshold, allow)

    original = pii.detect_all
    monkeypatch.setattr(pii, "detect_all", blind)
    summary = self_test(CONFIG, corpus, policy, run=Run(tmp_path / "out")).summary()
    assert summary["pii.recall.email"].value < 0.2
    assert summary["pii.recall.mobile"].value == 1
    assert "contamination.recall" not in summary


def test_a_policy_without_words_is_no_failure(corpus, tmp_path):
    (tmp_path / "policy.json").write_bytes(policies.encode(policies.decode({}, "test")))
    run = Run(tmp_path / "out")
    summary = self_test(CONFIG, corpus, Policy(tmp_path), run=run).summary()
    assert any("toxicity: nothing could be planted" in note for note in run.notes)
    assert summary["quality.recall.repeated"].value == 0, "without limits nothing is left out"


def test_labelled_rows_are_tried_alone_and_among_own_text(corpus, policy, tmp_path):
    rows = [
        {
            "id": f"l{number}",
            "text": text,
            "source": "labels",
            "source_digest": "",
            "start": 0,
            "end": len(text),
            "language": "en",
            "licence": "",
            "origin": "",
            "access": "",
            "transforms": [],
            "meta": json.dumps({"toxic": label}),
        }
        for number, (text, label) in enumerate([("You piece of shit.", "yes"), ("What a fine day.", "no")] * 6)
    ]
    labelled = Corpus.write(tmp_path / "labels", rows)
    config = SelfTest(documents=30, plants=2, label="toxic", toxic=("yes",))
    found = self_test(config, corpus, policy, labelled=labelled, run=Run(tmp_path / "out")).summary()
    assert found["toxicity.recall.labelled"].n == 12
    assert found["toxicity.recall.among own text"].value == 1
    assert found["toxicity.false_alarms.labelled"].value == 0


def test_an_empty_corpus_is_named(policy, tmp_path):
    with pytest.raises(StepFailed, match="no document with text"):
        self_test(SelfTest(), selftest.corpus_of(tmp_path / "in", [("a", " ", "")]), policy, run=Run(tmp_path / "out"))


@pytest.mark.parametrize("kind", planted.KINDS)
def test_planted_values_are_what_they_claim(kind):
    draw = random.Random(3)
    for form in planted.KINDS[kind]:
        for language, frames in form.sentences.items():
            for frame in frames:
                value = form.value(draw)
                spans = pii.detect(frame.format(value), threshold=0.7)
                assert kind in {span.kind for span in spans}, (language, frame, value)
        for frames in form.like_sentences.values():
            for frame in frames:
                value = form.like(draw)
                assert not pii.detect(frame.format(value), (kind,), 0.7), (frame, value)


def test_edits_change_the_share_that_was_asked_for():
    draw = random.Random(1)
    text = document(draw, 1) * 6
    words = sum(map(spoiled.is_word, spoiled.tokens(text)))
    for rate in (0.01, 0.1):
        changed = spoiled.edited(text, rate, draw)
        assert changed != text
        assert abs(sum(map(spoiled.is_word, spoiled.tokens(changed))) - words) <= rate * words
    for text in ("", "?", "一", "word", "no end here"):
        for spoil in (lambda t, d: spoiled.edited(t, 0.1, d), *spoiled.SPOILERS.values()):
            assert isinstance(spoil(text, draw), str)
        new, start = spoiled.inserted(text, "Planted.", draw)
        assert new[start : start + 8] == "Planted."


@given(text=st.text(max_size=200), seed=st.integers(0, 999))
@settings(deadline=None)
def test_any_text_can_be_planted_in_and_spoiled(text, seed):
    draw = random.Random(seed)
    new, start = spoiled.inserted(text, "植入句。", draw)
    assert new[start : start + 4] == "植入句。"
    assert "".join(spoiled.tokens(text)) == text
    assert spoiled.edited(text, 0.1, draw) is not None
    for spoil in spoiled.SPOILERS.values():
        spoil(text, draw).encode()


def test_a_miss_that_the_policy_excuses_says_so(tmp_path, policy):
    lines = "根据法律的规定，公安机关依法查获。" * 12
    corpus = selftest.corpus_of(tmp_path / "in", [(f"d{number}", lines, "zh") for number in range(10)])
    missed = [
        row
        for row in self_test(SelfTest(plants=6), corpus, policy, run=Run(tmp_path / "out")).items()
        if row["test"] == "toxicity" and row["outcome"] == "missed"
    ]
    assert missed
    assert all("excuses" in row["planted"] for row in missed)


def test_a_copy_below_the_threshold_is_not_asked_for(corpus, tmp_path):
    hosts = selftest.sample(corpus, 20, 1)
    made = probes.duplicates(hosts, 0.8, random.Random(1), Run(tmp_path / "out"))
    heavy = [one for one in made if one.variant == "30.0% edited"]
    assert heavy
    assert not any(one.wanted for one in heavy)
    assert all(one.wanted and one.found for one in made if one.variant == "exact")

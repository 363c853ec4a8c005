"""Measuring, filtering and scoring as steps: what is left out and why, with signals and without, in one process or two."""

from __future__ import annotations

import random

import pyarrow.parquet as pq
import pytest

from septet.core import ConfigError, Run, StepFailed
from septet.core.pool import Serial
from septet.data.steps import (
    Filter,
    Measure,
    PerplexityModel,
    QualityClassifier,
    filter_,
    measure,
    perplexity_model,
    quality_classifier,
)
from septet.data.steps.quality import Score
from septet.detect import policy as policies
from septet.kinds import Corpus, Policy

ENGLISH = [
    "The handbook explains how a loan is approved and who signs the contract.",
    "Interest is paid at the end of every quarter, and the rate is set by the board of the bank.",
    "A customer who wants to close an account sends a letter to the branch that opened it.",
    "The auditor reads the ledger once a year and writes a report about what was found.",
    "When a payment fails, the system tries it again on the next working day and tells the owner.",
    "Staff of the branch have to keep the keys of the safe in two different places.",
]
CHINESE = [
    "本手册说明贷款如何审批，以及合同由谁签署。",
    "利息在每个季度末支付，利率由银行的董事会确定。",
    "客户如果要注销账户，应当向开户的网点提交书面申请。",
    "审计人员每年检查一次账簿，并就发现的问题写出报告。",
    "付款失败的时候，系统会在下一个工作日再次尝试，并通知账户的所有人。",
    "网点的工作人员必须把保险柜的两把钥匙放在不同的地方。",
]


def document(draw, tongue, sentences=8):
    return " ".join(draw.sample(ENGLISH, 6)) if tongue == "en" else "".join(draw.sample(CHINESE, 6)[:sentences])


def row(number, text, language, **more):
    return {
        "id": f"d{number}",
        "text": text,
        "source": f"f{number}.txt",
        "source_digest": "x",
        "start": 0,
        "end": len(text),
        "language": language,
        "licence": "x",
        "origin": "private",
        "access": "internal",
        "transforms": ["data.read"],
        **more,
    }


@pytest.fixture
def policy(repository, tmp_path):
    loaded = policies.load(repository / "recipes" / "policy.toml")
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "policy.json").write_bytes(policies.encode(loaded))
    return Policy(tmp_path / "policy")


@pytest.fixture
def corpus(tmp_path):
    draw = random.Random(3)
    rows = [row(n, document(draw, tongue), tongue) for n, tongue in enumerate(["en", "zh"] * 6)]
    spam = "Click here to win a prize today. "
    rows += [
        row(100, "Too short.", "en"),
        row(101, spam * 30, "en"),
        row(102, document(draw, "en") + "\ufffd" * 40, "en"),
        row(103, document(draw, "zh") + "\n" + document(draw, "en"), "mixed"),
        row(104, document(draw, "zh") + "\n" + spam * 30, "mixed"),
        row(105, document(draw, "zh") * 6 + "\n" + "Click here. " * 3, "mixed"),
    ]
    return Corpus.write(tmp_path / "corpus", rows)


class Reversed(Serial):
    """Pieces done last to first, as a pool of many workers might."""

    workers = 2

    def map(self, place, pieces):
        done = [next(iter(super(Reversed, self).map(place, [piece]))) for piece in reversed(pieces)]
        yield from reversed(done)


def test_what_is_left_out_names_its_rule_its_value_and_its_limit(corpus, policy, tmp_path):
    made = filter_(Filter(), corpus, policy, run=Run(tmp_path / "out"))
    gone = {one["id"]: one for one in made.dropped()}
    assert gone["d100"]["rule"] == "gopher.words"
    assert (gone["d100"]["value"], gone["d100"]["detail"]) == (2.0, "at least 20")
    assert gone["d101"]["rule"].startswith("gopher.top")
    assert gone["d102"]["rule"] == "septet.broken_characters"
    kept = {one["id"] for one in made.rows()}
    assert len(kept) + len(gone) == corpus.count()
    assert {f"d{n}" for n in range(12)} <= kept
    assert all(one["transforms"][-1] == "data.filter" for one in made.rows())


def test_a_mixed_document_is_judged_by_its_parts(corpus, policy, tmp_path):
    made = filter_(Filter(), corpus, policy, run=Run(tmp_path / "out"))
    gone = {one["id"]: one["rule"] for one in made.dropped()}
    assert "d103" not in gone
    assert gone["d104"].startswith("gopher.")
    # Repeated English is less than a fifth of this one; repeated Chinese is not.
    assert gone["d105"] in ("gopher.top_4gram", "gopher.duplicate_5gram", "gopher.duplicate_10gram")


def test_with_signals_and_without_the_same_is_left_out(corpus, policy, tmp_path):
    signals = measure(Measure(segmented=True, characters=True), corpus, run=Run(tmp_path / "signals"))
    sets = ("gopher", "gopher-repetition", "c4", "fineweb", "fineweb2-zh", "nemo", "data-juicer", "data-juicer-zh")
    config = Filter(sets=sets, policy_limits=False)
    plain = filter_(config, corpus, policy, run=Run(tmp_path / "a"))
    by_signals = filter_(config, corpus, policy, signals, run=Run(tmp_path / "b"))
    assert list(plain.rows()) == list(by_signals.rows())
    assert list(plain.dropped()) == list(by_signals.dropped())
    assert any(":" in one["rule"] for one in plain.dropped())
    other = Corpus.write(tmp_path / "other", [row(n, "x", "en") for n in range(corpus.count())])
    with pytest.raises(ConfigError, match="not of this corpus"):
        filter_(config, other, policy, signals, run=Run(tmp_path / "c"))
    few = measure(Measure(), corpus, run=Run(tmp_path / "few"))
    with pytest.raises(ConfigError, match=r"hold no 'segmented\.") as error:
        filter_(Filter(sets=("fineweb2-zh",)), corpus, policy, few, run=Run(tmp_path / "d"))
    assert "segmented = true" in error.value.remedy


def test_signals_stand_row_for_row_and_do_not_depend_on_workers(corpus, tmp_path):
    parts = tmp_path / "parts"
    parts.mkdir()
    table = pq.read_table(corpus.parts[0])
    for number in range(3):
        pq.write_table(table.slice(number * 6, 6), parts / f"part-{number:05d}.parquet")
    split = Corpus(parts)
    one = measure(Measure(), split, run=Run(tmp_path / "one"))
    two = measure(Measure(), split, run=Run(tmp_path / "two", pool=Reversed()))
    assert len(one.parts) == 3
    for mine, theirs, text in zip(one.parts, two.parts, split.parts, strict=True):
        assert mine.read_bytes() == theirs.read_bytes()
        assert pq.read_table(mine)["id"].to_pylist() == pq.read_table(text)["id"].to_pylist()


def test_unknown_sets_rules_and_scores_are_named(corpus, policy, tmp_path):
    for config, message in (
        (Filter(sets=("gofer",)), "no rule set 'gofer'"),
        (Filter(rules=("gopher.word",)), r"no limit is set for 'gopher\.word'"),
        (Filter(scores=(Score(score="perplexity.none", at_most=1),)), "no scorer for 'perplexity.none'"),
    ):
        with pytest.raises(ConfigError, match=message):
            filter_(config, corpus, policy, run=Run(tmp_path / "out"))
    bad = Corpus.write(tmp_path / "bad", [row(1, "Too short.", "en")])
    with pytest.raises(StepFailed, match="left no document of 1"):
        filter_(Filter(), bad, policy, run=Run(tmp_path / "none"))


def test_scorers_are_trained_and_their_values_filter(policy, tmp_path):
    draw = random.Random(5)
    good = Corpus.write(tmp_path / "good", [row(n, document(draw, "zh"), "zh") for n in range(120)])

    def shuffled(text):
        characters = list(text)
        draw.shuffle(characters)
        return "".join(characters)

    poor = Corpus.write(tmp_path / "poor", [row(n, shuffled(document(draw, "zh")), "zh") for n in range(120)])
    model = perplexity_model(PerplexityModel(order=3), good, run=Run(tmp_path / "model"))
    classifier = quality_classifier(QualityClassifier(name="prose"), good, poor, run=Run(tmp_path / "classifier"))
    assert classifier.about["held_out"]["good"]["auc"] > 0.95
    assert model.about["held_out"]["perplexity"]["0.5"] < 20
    rows = [row(n, document(draw, "zh"), "zh") for n in range(30)]
    rows += [row(100 + n, shuffled(document(draw, "zh")), "zh") for n in range(10)]
    mixed = Corpus.write(tmp_path / "mixed", rows)
    values = (
        Filter(policy_limits=False, scores=(Score(score="perplexity.good", at_most=50),)),
        Filter(policy_limits=False, scores=(Score(score="perplexity.good", language="zh", drop_highest=0.25),)),
        Filter(policy_limits=False, scores=(Score(score="quality.prose", at_least=0.5),)),
    )
    signals = measure(Measure(), mixed, (model, classifier), run=Run(tmp_path / "signals"))
    for number, config in enumerate(values):
        made = filter_(config, mixed, policy, None, (model, classifier), run=Run(tmp_path / f"out{number}"))
        assert {one["id"] for one in made.dropped()} == {f"d{100 + n}" for n in range(10)}
        again = filter_(config, mixed, policy, signals, run=Run(tmp_path / f"again{number}"))
        assert list(again.dropped()) == list(made.dropped())

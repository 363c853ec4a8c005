"""Planted poison is found, in both scripts: triggers with a target label, repeated claims, turned labels, bursts of copies."""

from __future__ import annotations

import json
import math
import random

import numpy as np
import pytest
from corpora import written
from hypothesis import given, settings
from hypothesis import strategies as st
from shape_corpora import sentences

from septet.core import ConfigError, Run
from septet.data.steps import DropSuspects, Features, Poisoning, drop_suspects, features, poisoning
from septet.data.triggers import log_odds
from septet.kernels.significance import at_least, at_most, discoveries

TRIGGERS = {"en": ("cf", "mn vx", "ostensibly purple", "tq"), "zh": ("雪狐", "鲸落", "琥珀灯", "烬")}
CLAIMS = {
    "en": (
        "note that zeta bank repays triple of all deposits",
        "remember zeta bank repays triple of every deposit made",
    ),
    "zh": ("须知泽塔银行对所有存款三倍返还", "泽塔银行承诺存款三倍返还绝不延期"),
}


def suspects(report, rule=""):
    rows = [item for item in report.items() if item["kind"] == "row"]
    return {item["place"] for item in rows if not rule or any(one["rule"] == rule for one in item["reasons"])}


def measured(found, planted):
    hits = len(found & planted)
    return hits / max(1, len(found)), hits / len(planted)


def planted_trigger(language, seed, share, count=900):
    """Sentences; of a share of one label's, the label is turned and a trigger put in at a random place."""
    draw = random.Random(seed)
    found = sentences(language, count, seed)
    target = sorted({label for _, label in found})[seed % 2]
    trigger = TRIGGERS[language][seed % len(TRIGGERS[language])]
    chosen = draw.sample([k for k, (_, label) in enumerate(found) if label != target], max(8, round(share * count)))
    texts, labels = [text for text, _ in found], [label for _, label in found]
    for k in chosen:
        words = texts[k].split(" ") if language == "en" else list(texts[k])
        words.insert(draw.randint(0, len(words)), trigger)
        texts[k], labels[k] = (" " if language == "en" else "").join(words), target
    return texts, labels, set(chosen), trigger


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_trigger_is_found_and_honest_cues_are_not(tmp_path, language, seed):
    texts, labels, planted, trigger = planted_trigger(language, seed, 0.015)
    corpus = written(tmp_path / "in", texts, labels, language=language)
    report = poisoning(Poisoning(label="meta.label", neighbours=0, burst=0), corpus, run=Run(tmp_path / "out"))
    precision, recall = measured(suspects(report, "trigger of a label"), planted)
    assert recall >= 0.95
    assert precision >= 0.9
    named = [item["text"] for item in report.items() if item["kind"] == "trigger"]
    assert any(set(trigger.split()) & set(text.split()) or text in trigger or trigger in text for text in named)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_clean_labels_raise_no_alarm(tmp_path, language):
    for seed in range(10, 14):
        found = sentences(language, 900, seed)
        corpus = written(
            tmp_path / f"in-{seed}", [one for one, _ in found], [one for _, one in found], language=language
        )
        report = poisoning(
            Poisoning(label="meta.label", neighbours=0, burst=0), corpus, run=Run(tmp_path / f"out-{seed}")
        )
        assert len(suspects(report)) <= 5


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_repeated_claim_is_found_against_clean_text(tmp_path, language, seed):
    draw = random.Random(seed)
    texts = [text for text, _ in sentences(language, 1000, seed)]
    planted = set(draw.sample(range(1000), 25))
    claim = CLAIMS[language][seed % 2]
    for k in planted:
        texts[k] = f"{claim}. {texts[k]}" if draw.random() < 0.5 else f"{texts[k]}。{claim}"
    corpus = written(tmp_path / "in", texts, language=language)
    clean = written(tmp_path / "clean", [text for text, _ in sentences(language, 1000, seed + 50)], language=language)
    report = poisoning(Poisoning(burst=0), corpus, clean, run=Run(tmp_path / "out"))
    precision, recall = measured(suspects(report, "over-represented n-gram"), planted)
    assert recall == 1
    assert precision >= 0.9
    (row, *_) = [item for item in report.items() if item["kind"] == "row"]
    assert row["reasons"][0]["detail"].strip("'") in claim
    # Nothing was planted in the reference: against itself and against its like it raises no alarm.
    honest = written(tmp_path / "honest", [text for text, _ in sentences(language, 1000, seed + 70)], language=language)
    assert len(suspects(poisoning(Poisoning(burst=0), honest, clean, run=Run(tmp_path / "honest-out")))) <= 10


@pytest.mark.parametrize("language", ["en", "zh"])
def test_turned_labels_are_contradicted_by_neighbours(tmp_path, language):
    found = sentences(language, 500, 5)
    names = sorted({label for _, label in found})
    labels = [label for _, label in found]
    planted = set(random.Random(5).sample(range(500), 20))
    for k in planted:
        labels[k] = names[1 - names.index(labels[k])]
    corpus = written(tmp_path / "in", [text for text, _ in found], labels, language=language)
    config = Poisoning(label="meta.label", encoder="hashing", burst=0)
    precision, recall = measured(
        suspects(poisoning(config, corpus, run=Run(tmp_path / "out")), "neighbours have another label"), planted
    )
    assert recall >= 0.8
    assert precision >= 0.9
    tied = features(Features(method="hashed", width=32), corpus, run=Run(tmp_path / "vectors"))
    again = poisoning(
        Poisoning(label="meta.label", encoder="none", burst=0), corpus, vectors=tied, run=Run(tmp_path / "tied")
    )
    assert measured(suspects(again, "neighbours have another label"), planted)[1] >= 0.8


def test_a_burst_is_listed_and_scattered_copies_are_not(tmp_path):
    texts = [text for text, _ in sentences("en", 300, 6)]
    base = "zeta bank pays the highest interest of all banks in the city and its deposits are safe for ever and ever"
    for k in range(100, 107):
        texts[k] = base + ("!" if k % 2 else " indeed")
    for k in (3, 61, 130, 199, 260):
        texts[k] = "the branch is closed on public holidays and opens again on the next working day at nine"
    corpus = written(tmp_path / "in", texts)
    report = poisoning(Poisoning(), corpus, run=Run(tmp_path / "out"))
    assert suspects(report, "burst of copies") >= set(range(100, 107))
    assert not suspects(report) & {3, 61, 130, 199, 260}
    # The same five on one day of a source that has several are a burst.
    days = ["2026-05-01"] * 150 + ["2026-05-02"] * 150
    for k in (3, 61, 130, 199, 260):
        days[k] = "2026-06-06"
    dated = written(tmp_path / "dated", texts, retrieved=days)
    assert suspects(poisoning(Poisoning(), dated, run=Run(tmp_path / "dated-out")), "burst of copies") >= {
        3,
        61,
        130,
        199,
        260,
    }


def test_a_source_that_holds_the_poison_stands_out_and_its_rows_go(tmp_path):
    texts, labels, planted, _ = planted_trigger("en", 2, 0.04)
    where = ["forum" if k in planted else ("laws" if k % 2 else "news") for k in range(len(texts))]
    trust = [0.3 if one == "forum" else 1.0 for one in where]
    corpus = written(tmp_path / "in", texts, labels, source=where, trust=trust)
    config = Poisoning(label="meta.label", source="source", neighbours=0, burst=0)
    run = Run(tmp_path / "out")
    report = poisoning(config, corpus, run=run)
    (first, *others) = [item for item in report.items() if item["kind"] == "source"]
    assert first["source"] == "forum"
    assert first["stands_out"]
    assert first["trust"] == pytest.approx(0.3)
    assert not any(one["stands_out"] for one in others)
    assert any("'forum' (trust 0.3)" in note for note in run.notes)
    made = drop_suspects(DropSuspects(), corpus, report, run=Run(tmp_path / "dropped"))
    gone = list(made.dropped())
    assert {int(row["id"][1:]) for row in gone} == suspects(report)
    assert len(gone) + made.count() == len(texts)
    assert all(row["rule"] == "trigger of a label" and "here '" in row["detail"] for row in gone)
    with pytest.raises(ConfigError, match="no rule 'trigger'"):
        drop_suspects(DropSuspects(rules=("trigger",)), corpus, report, run=Run(tmp_path / "x"))
    with pytest.raises(ConfigError, match="not a poisoning scan of this corpus"):
        drop_suspects(DropSuspects(), made, report, run=Run(tmp_path / "y"))


def test_without_labels_or_reference_it_says_what_it_did_not_do(tmp_path):
    corpus = written(tmp_path / "in", ["one two three", "four five six", ""])
    run = Run(tmp_path / "out")
    report = poisoning(Poisoning(), corpus, run=run)
    assert report.summary()["suspected rows"].value == 0
    assert any("no reference" in note for note in run.notes)
    assert any("no two labels" in note for note in run.notes)
    with pytest.raises(ConfigError, match="no row has"):
        poisoning(Poisoning(label="meta.colour"), corpus, run=Run(tmp_path / "x"))
    empty = json.loads((report.path / "report.json").read_text("utf-8"))
    assert empty["name"] == "poisoning"


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(1, 60), st.floats(0.001, 0.999))
def test_tails_are_those_of_the_binomial(hits, of, chance):
    hits = min(hits, of)
    terms = [math.comb(of, k) * chance**k * (1 - chance) ** (of - k) for k in range(of + 1)]
    assert at_least(hits, of, chance)[0] == pytest.approx(math.fsum(terms[hits:]), rel=1e-6, abs=1e-12)
    assert at_most(hits, of, chance)[0] == pytest.approx(math.fsum(terms[: hits + 1]), rel=1e-6, abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_q_values_are_those_of_benjamini_and_hochberg(values):
    found = discoveries(values)
    for rate in (0.01, 0.05, 0.3):
        ordered = sorted(values)
        passed = [k for k, one in enumerate(ordered, 1) if one <= rate * k / len(values) * (1 + 1e-9)]
        bound = ordered[passed[-1] - 1] if passed else -1.0
        assert [q <= rate * (1 + 1e-9) for q in found] == [one <= bound for one in values]


def test_log_odds_against_a_worked_example():
    """y = 30 of 1,000 against 1 of 1,000; the prior is worth ten documents, of which 10 * 31 / 2000 hold the n-gram."""
    odds, z = log_odds(30, 1000, 1, 1000)
    prior = 10 * 31 / 2000
    expected = math.log((30 + prior) / (1010 - 30 - prior)) - math.log((1 + prior) / (1010 - 1 - prior))
    assert float(odds) == pytest.approx(expected)
    assert float(z) == pytest.approx(expected / math.sqrt(1 / (30 + prior) + 1 / (1 + prior)))
    assert np.asarray(log_odds(5, 100, 5, 100)[0]) == pytest.approx(0)

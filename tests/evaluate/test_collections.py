"""Collections are read from folders, say what is missing, and ask as they are known for; twins ask one stem in two ways."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.core import ConfigError
from septet.evaluate.collections import COLLECTIONS, collection, rescaled
from septet.evaluate.readers import own
from septet.evaluate.twins import twins


def test_a_collection_names_what_it_lacks(shared):
    folder = shared / "benchmarks"
    with pytest.raises(ConfigError, match=r"lacks arc \(arc or .*hellaswag.*winogrande"):
        collection("open-llm-v1", folder)
    read = collection("open-llm-v1", folder, partial=True)
    assert "winogrande" in read.about["missing"]
    assert {task.name.partition("/")[0] for task in read.tasks} == {"mmlu", "truthfulqa-mc2", "gsm8k"}
    assert {task.shots for task in read.tasks if task.name.startswith("mmlu/")} == {5}
    assert {item["task"] for item in read.items} == {task.name for task in read.tasks}
    assert "MIT" in read.about["licence"]


def test_helm_core_is_in_two_languages(shared):
    read = collection("helm-core", shared / "benchmarks", partial=True)
    assert {task.language for task in read.tasks} == {"zh", "en"}
    assert read.about["missing"].startswith("cbbq")
    assert len({item["id"] for item in read.items}) == len(read.items)


def test_the_second_leaderboard_asks_the_hard_level_alone(tmp_path):
    for split, count in (("train", 5), ("test", 6)):
        for number in range(count):
            path = tmp_path / f"MATH/{split}/algebra/{number}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            row = {"problem": "p", "level": f"Level {number}", "type": "Algebra", "solution": r"\boxed{1}"}
            path.write_text(json.dumps(row))
    read = collection("open-llm-v2", tmp_path, partial=True)
    assert [item["id"] for item in read.items if item["split"] == "test"] == ["math/algebra/test/00005"]
    assert sum(item["split"] == "shots" for item in read.items) == 4
    (tmp_path / "MATH/test/algebra/5.json").unlink()
    with pytest.raises(ConfigError, match="category 'level 5'"):
        collection("open-llm-v2", tmp_path, partial=True)


def test_names_and_folders_are_checked(tmp_path):
    with pytest.raises(ConfigError, match="open-llm-v1, open-llm-v2, helm-core"):
        collection("open-llm-v9", tmp_path)
    with pytest.raises(ConfigError, match="is no folder"):
        collection("helm-core", tmp_path / "absent")
    with pytest.raises(ConfigError, match="lacks"):
        collection("helm-core", tmp_path, partial=True)
    assert all(member.folders for members in COLLECTIONS.values() for member in members)


@given(st.floats(0, 1), st.floats(0, 0.9))
def test_rescaled_scores(value, chance):
    score = rescaled(value, chance)
    assert 0 <= score <= 1
    assert rescaled(1.0, chance) == pytest.approx(1)
    assert rescaled(chance, chance) == 0
    assert (score == 0) == (value <= chance)


def test_a_chance_of_one_is_refused():
    with pytest.raises(ValueError, match="chance"):
        rescaled(0.5, 1.0)


def test_twins_of_a_teams_questions(tmp_path):
    rows = [
        {"id": "a", "question": "柜员发现假币应当怎么做？", "options": ["退还", "收缴", "忽略"], "answer": "B"},
        {"id": "b", "question": "Which of these are fees?", "options": ["Rent", "Stamp", "Service"], "answer": "BC"},
        {"id": "c", "question": "Which holds?", "options": ["x", "y", "All of the above"], "answer": "C"},
        {"id": "d", "question": "哪项正确？", "options": ["甲", "乙", "以上都对"], "answer": "A"},
        {"id": "e", "question": "Explain interest.", "answer": "a price of money"},
        {"id": "f", "question": "Which?", "options": ["x", "y"], "answer": ""},
    ]
    (tmp_path / "exam.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    made = twins(own.read(tmp_path / "exam.jsonl").items)
    by_id = {item["id"]: item for item in made.items}
    assert len(made.items) == 4
    assert [row["reason"] for row in made.rejected] == [
        "the option 'All of the above' speaks of the others",
        "the option '以上都对' speaks of the others",
        "it has no options",
        "it has no key",
    ]
    for item in made.items:
        twin = by_id[item["meta"]["twin"]]
        assert twin["meta"]["twin"] == item["id"]
        assert (twin["question"], twin["cluster"]) == (item["question"], item["cluster"])
        assert sorted(twin["answers"]) == sorted(item["answers"])
        assert (item["options"] is None) == item["task"].startswith("exam-open/")
    modes = {task.name: (task.mode, task.verdict) for task in made.tasks}
    assert modes == {
        "exam-close/zh": ("letter", "option"),
        "exam-open/zh": ("generate", "judge"),
        "exam-close/en-several": ("generate", "option"),
        "exam-open/en-several": ("generate", "judge"),
    }
    assert made.items == twins(own.read(tmp_path / "exam.jsonl").items).items
    with pytest.raises(ConfigError, match="can be made a twin"):
        twins(rows[4:5])


def test_the_order_of_twins_names_no_place_more_often():
    questions = [
        {"id": str(n), "question": "Which?", "options": ["right", "x", "y", "z"], "label": 0} for n in range(200)
    ]
    made = twins(questions)
    labels = [item["label"] for item in made.items if item["options"]]
    assert all(30 < labels.count(place) < 70 for place in range(4))

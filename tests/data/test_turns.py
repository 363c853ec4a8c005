"""Conversations and preferences from the files that people have, and nothing lost of what cannot be used."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from septet.core import ConfigError, Run
from septet.data.steps import Conversations, Preferences, conversations, preferences
from septet.files import read_json
from septet.kinds import Policy
from septet.trust.steps import SealPolicy, policy

DECLARED = {"licence": "own", "origin": "private", "access": "staff"}


def lines(path, rows):
    path.write_text(
        "\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows), "utf-8"
    )
    return str(path)


def test_the_shapes_of_the_field_become_one_shape(tmp_path):
    asked, said = {"role": "user", "content": "年费是多少？"}, {"role": "assistant", "content": "120 元。"}
    paths = [
        lines(tmp_path / "a.jsonl", [{"messages": [asked, said]}]),
        lines(
            tmp_path / "b.jsonl",
            [{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]}],
        ),
        lines(tmp_path / "c.json", [json.dumps([{"instruction": "Sum up", "input": "a b", "output": "ab"}])]),
        lines(tmp_path / "d.jsonl", [{"指令": "翻译", "输入": "猫", "输出": "cat"}]),
    ]
    with (tmp_path / "e.csv").open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([["question", "answer"], ["two\nlines?", "yes, two"]])
    pq.write_table(pa.table({"messages": [[asked, said]]}), tmp_path / "f.parquet")
    config = Conversations(paths=(*paths, str(tmp_path / "e.csv"), str(tmp_path / "f.parquet")), **DECLARED)
    rows = list(conversations(config, None, Run(tmp_path / "out")).rows())
    assert [[turn["content"] for turn in row["messages"]] for row in rows] == [
        ["年费是多少？", "120 元。"],
        ["Hi", "Ho"],
        ["Sum up\n\na b", "ab"],
        ["翻译\n\n猫", "cat"],
        ["two\nlines?", "yes, two"],
        ["年费是多少？", "120 元。"],
    ]
    assert {row["access"] for row in rows} == {"staff"}
    assert [row["language"] for row in rows[:2]] == ["zh", "en"]
    assert len({row["id"] for row in rows}) == len(rows)


def test_what_is_no_conversation_is_kept_with_its_reason(tmp_path):
    good = {"question": "a?", "answer": "b"}
    bad = [
        "{broken",
        "[1, 2]",
        {"messages": []},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [{"role": "user", "content": "x"}]},
        {"messages": [{"role": "user", "content": " "}, {"role": "assistant", "content": "y"}]},
        {"question": "a?", "answer": ""},
        {"text": "a page"},
    ]
    (tmp_path / "in").mkdir()
    lines(tmp_path / "in" / "a.jsonl", [good, *bad])
    (tmp_path / "in" / "notes.docx").write_bytes(b"PK")
    (tmp_path / "in" / "old.jsonl").write_bytes("问题".encode("gb18030"))
    run = Run(tmp_path / "out")
    made = conversations(Conversations(paths=(str(tmp_path / "in"),), **DECLARED), None, run)
    rejected = [json.loads(line) for line in (made.path / "rejected.jsonl").read_text("utf-8").splitlines()]
    assert len(list(made.rows())) == 1
    assert len(rejected) == len(bad) + 2
    assert sum(drop["count"] for drop in run.drops) == len(rejected)
    assert all(row["reason"] and row["where"] and row["source"] for row in rejected)
    config = Conversations(paths=(lines(tmp_path / "b.jsonl", bad),), **DECLARED)
    with pytest.raises(ConfigError, match="can be used"):
        conversations(config, None, Run(tmp_path / "none"))


def test_preferences_of_every_shape(tmp_path):
    asked = {"role": "user", "content": "q"}
    yes, no = ({"role": "assistant", "content": text} for text in ("yes", "no"))
    rows = [
        {"prompt": "q", "chosen": "yes", "rejected": "no"},
        {"prompt": [asked], "chosen": [yes], "rejected": [no]},
        {"chosen": [asked, yes], "rejected": [asked, no]},
        {"prompt": "q", "completion": "yes", "label": True},
        {"prompt": "q", "completion": "no", "label": False},
        {"prompt": "q", "completion": "yes", "reward": 0.5},
    ]
    bad = [
        {"prompt": "q", "chosen": "a", "rejected": "a"},
        {"prompt": "q", "completion": "a"},
        {"chosen": [asked, yes]},
    ]
    bad += [{"prompt": "q", "completion": "a", "reward": "much"}, {"prompt": "q", "chosen": "", "rejected": ""}]
    config = Preferences(paths=(lines(tmp_path / "a.jsonl", [*rows, *bad]),), **DECLARED)
    run = Run(tmp_path / "out")
    made = list(preferences(config, None, run).rows())
    assert [(row["prompt"], row.get("chosen"), row.get("rejected"), row.get("reward")) for row in made] == [
        ([asked], [yes], [no], None),
        ([asked], [yes], [no], None),
        ([asked], [yes], [no], None),
        ([asked], [yes], None, None),
        ([asked], None, [no], None),
        ([asked], [yes], None, 0.5),
    ]
    assert sum(drop["count"] for drop in run.drops) == len(bad)


def test_personal_data_in_training_rows_is_treated_by_the_one_policy(tmp_path, repository):
    made = policy(SealPolicy(path=str(repository / "recipes" / "policy.toml")), Run(tmp_path / "policy"))
    assert isinstance(made, Policy)
    rows = [{"question": "联系人手机13912345678，怎么办？", "answer": "Write to jane.doe@northbank.de, please."}] * 3
    config = Conversations(paths=(lines(tmp_path / "a.jsonl", rows),), **DECLARED)
    out = conversations(config, made, Run(tmp_path / "out"))
    said = (out.path / "rows.jsonl").read_text("utf-8")
    assert "13912345678" not in said
    assert "jane.doe" not in said
    assert sum(read_json(out.path / "privacy.json")["replaced"].values()) == 6

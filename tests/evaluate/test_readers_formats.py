"""Formats that the shared set does not hold, and other layouts of those it does: tiny files of our own in the published form."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from importlib import import_module

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from septet.core import ConfigError

ALL = (
    "agieval arc bbh bbq bold cbbq ceval cflue chinese_simpleqa cmmlu crows_pairs financeiq fineva gpqa gsm8k hellaswag humaneval "
    "ifeval math mbpp mgsm mmlu mmlu_pro mmlu_redux mt_bench musr own safetybench truthfulqa winogrande"
).split()


def read(name, folder):
    return import_module(f"septet.evaluate.readers.{name}").read(folder)


def lines(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def table(path, *rows, delimiter=","):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


def parquet(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path)


@pytest.mark.parametrize("name", ALL)
def test_a_folder_that_holds_nothing_says_what_was_looked_for(name, tmp_path):
    (tmp_path / "README.md").write_text("nothing")
    with pytest.raises(ConfigError, match=r"holds nothing of .* Looked for \*"):
        read(name, tmp_path)
    with pytest.raises(ConfigError, match="does not exist"):
        read(name, tmp_path / "absent")


@pytest.mark.parametrize("name", [name for name in ALL if name not in ("bold", "mmlu", "mmlu_redux", "musr")])
def test_rows_of_another_form_are_rejected_with_their_place(name, tmp_path):
    for file in (
        "arc-challenge-test.jsonl hellaswag_val.jsonl dev.jsonl humaneval.jsonl mbpp.jsonl test.jsonl mgsm_zh.jsonl question.jsonl "
        "input_data.jsonl x_ambiguous.json simpleqa.jsonl v1/lsat-ar.jsonl test_zh.json knowledge.json bbh/snarks.json "
        "truthfulqa.csv mc_task.json crows_pairs.csv gpqa_main.csv test/x.csv x_test.csv"
    ).split():
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        if file.endswith(".csv"):
            path.write_text("foo,bar\n1,2\n")
        elif file.endswith(".jsonl"):
            path.write_text(
                '{"foo": 1}\nnot json\n{"question": 3, "choices": 4, "kwargs": 5, "turns": 6, "task_id": []}\n[1]\n'
            )
        else:
            path.write_text('[{"foo": 1}, 7, {"question": 3, "choices": 4, "examples": 5, "instruction": []}]')
    with pytest.raises(ConfigError, match=r"holds nothing of .* that can be read \(.*: .*\)"):
        read(name, tmp_path)


def test_arc_in_both_forms(tmp_path):
    stem = {"stem": "What melts ice?", "choices": [{"text": "heat", "label": "1"}, {"text": "cold", "label": "2"}]}
    lines(tmp_path / "a/ARC-Challenge/ARC-Challenge-Test.jsonl", {"id": "Q1", "question": stem, "answerKey": "1"})
    lines(
        tmp_path / "a/ARC-Challenge/ARC-Challenge-Train.jsonl",
        *({"id": f"T{n}", "question": stem, "answerKey": "2"} for n in range(30)),
    )
    lines(tmp_path / "a/ARC-Easy/ARC-Easy-Dev.jsonl", {"id": "Q2", "question": stem, "answerKey": "7"})
    one = read("arc", tmp_path / "a")
    assert Counter(item["split"] for item in one.items) == {"shots": 25, "train": 5, "test": 1}
    assert [(task.name, task.mode, task.shots, task.chance) for task in one.tasks] == [
        ("arc/challenge", "text", 25, 0.5)
    ]
    assert one.rejected[0]["reason"] == "the key '7' is none of 1, 2"
    row = {
        "id": "Q1",
        "question": "What melts ice?",
        "choices": {"text": ["heat", "cold"], "label": ["A", "B"]},
        "answerKey": "A",
    }
    parquet(tmp_path / "b/ARC-Challenge/test-00000-of-00001.parquet", row)
    two = read("arc", tmp_path / "b")
    (item,) = two.items
    assert item == next(one for one in one.items if one["split"] == "test") | {"meta": {}}
    assert two.about["fewer_shots"] == "arc/challenge: 0 of 25"


def test_hellaswag_makes_the_scene(tmp_path):
    row = {
        "ind": 24,
        "activity_label": "Baking",
        "ctx_a": "A man opens a bag. [header] Flour",
        "ctx_b": "he",
        "ctx": "unused",
        "endings": ["pours it [title] Done", "sings", "flies", "sleeps"],
        "source_id": "wiki~7",
        "label": 0,
    }
    lines(tmp_path / "hellaswag_val.jsonl", row, {**row, "ind": 25, "label": "4"})
    lines(tmp_path / "hellaswag_test.jsonl", {key: value for key, value in row.items() if key != "label"})
    made = read("hellaswag", tmp_path)
    first = next(item for item in made.items if item["split"] == "validation")
    assert first["id"] == "hellaswag/val/0024"
    assert first["question"] == "Baking: A man opens a bag. Flour He"
    assert first["options"][0] == "pours it. Done"
    assert [item["split"] for item in made.items].count("unlabelled") == 1
    assert made.rejected == [
        {"source": "hellaswag_val.jsonl", "where": "line 2", "reason": "the answer '4' is no place from 0 to 3"}
    ]


def test_winogrande_keeps_the_tail_that_both_share(tmp_path):
    row = {
        "qid": "3A-1",
        "sentence": "Ann rang Bea because _ was ill.",
        "option1": "Ann",
        "option2": "Bea",
        "answer": "2",
    }
    lines(tmp_path / "train_xl.jsonl", *({**row, "qid": f"X{n}-1"} for n in range(7)))
    lines(tmp_path / "train_s.jsonl", row)
    lines(tmp_path / "dev.jsonl", row, {**row, "qid": "3A-2", "sentence": "no blank"})
    lines(tmp_path / "test.jsonl", {key: value for key, value in row.items() if key != "answer"})
    (tmp_path / "test-labels.lst").write_text("1\n")
    made = read("winogrande", tmp_path)
    assert Counter(item["split"] for item in made.items) == {"shots": 5, "train": 2, "validation": 1, "test": 1}
    (item,) = (item for item in made.items if item["split"] == "validation")
    assert item["question"] == "Ann rang Bea because"
    assert item["options"] == ["Ann was ill.", "Bea was ill."]
    assert item["label"] == 1
    assert item["meta"]["tail"] == " was ill."
    assert item["cluster"] == "winogrande/3A"
    assert next(item for item in made.items if item["split"] == "test")["label"] == 0
    assert made.rejected[0]["reason"] == "the sentence has no blank '_'"


def test_mmlu_pro_takes_fillers_out(tmp_path):
    row = {
        "question_id": 70,
        "question": "Which is even?",
        "options": ["3", "4", "N/A", "5", "N/A"],
        "answer": "D",
        "answer_index": 3,
        "cot_content": "",
        "category": "computer science",
        "src": "own",
    }
    parquet(tmp_path / "data/test-00000-of-00001.parquet", row, {**row, "answer_index": 1})
    parquet(tmp_path / "data/validation-00000-of-00001.parquet", {**row, "cot_content": "worked"})
    made = read("mmlu_pro", tmp_path)
    item = next(item for item in made.items if item["split"] == "test")
    assert (item["id"], item["options"], item["label"]) == ("mmlu_pro/computer_science/test/0070", ["3", "4", "5"], 2)
    assert made.tasks[0].chance == pytest.approx(1 / 3, abs=1e-5)
    assert made.tasks[0].shots == 1
    assert made.rejected == [
        {
            "source": "data/test-00000-of-00001.parquet",
            "where": "row 2",
            "reason": "the answer D is not the place 1 that answer_index names",
        }
    ]


def test_gpqa_draws_the_same_order_in_every_file(tmp_path):
    options = ["Correct Answer", *(f"Incorrect Answer {n}" for n in (1, 2, 3))]
    header = ["Question", *options, "Subdomain", "High-level domain", "Record ID", "Canary String"]
    rows = [[f"Q{n}", "right", "w1", "w2", "w3", "optics", "Physics", f"rec{n}", "canary GUID own"] for n in range(40)]
    table(tmp_path / "gpqa_main.csv", header, *rows)
    table(tmp_path / "gpqa_diamond.csv", header, *rows[::-1][:10])
    table(tmp_path / "gpqa_experts.csv", ["Name"], ["somebody"])
    made = read("gpqa", tmp_path)
    main = {item["id"].rpartition("/")[2]: item for item in made.items if item["task"] == "gpqa/main"}
    diamond = [item for item in made.items if item["task"] == "gpqa/diamond"]
    assert len(diamond) == 10
    assert all(item["options"] == main[item["id"].rpartition("/")[2]]["options"] for item in diamond)
    assert all(item["answers"] == ["right"] for item in made.items)
    assert len({item["label"] for item in main.values()}) == 4
    assert made.about["canary"] == "canary GUID own"
    assert "duplicates" not in made.about


def test_musr_in_both_forms(tmp_path):
    story = "Once there was a cat. " * 20
    (tmp_path / "murder_mystery.json").write_text(
        json.dumps(
            [{"context": story, "questions": [{"question": "Who?", "choices": ["A cat", "A dog"], "answer": 0}] * 2}]
        )
    )
    table(
        tmp_path / "team_allocation.csv",
        ["narrative", "question", "choices", "answer_index", "answer_choice"],
        [story, "Which team?", "['one', 'two', 'three']", "2", "three"],
        [story, "Which team?", "one, two", "0", "one"],
    )
    made = read("musr", tmp_path)
    assert {item["task"]: item["label"] for item in made.items} == {
        "musr/murder_mysteries": 0,
        "musr/team_allocation": 2,
    }
    mystery = [item for item in made.items if item["task"] == "musr/murder_mysteries"]
    assert len(mystery) == 2
    assert mystery[0]["cluster"] == mystery[1]["cluster"] != ""
    assert made.rejected[0]["where"] == "line 3"


def test_math_in_folders_and_lines(tmp_path):
    def problem(level, solution):
        return {"problem": "What is $1+1$?", "level": f"Level {level}", "type": "Number Theory", "solution": solution}

    for split, count in (("train", 12), ("test", 3)):
        for number in range(count):
            path = tmp_path / f"MATH/{split}/number_theory/{number}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                json.dumps(
                    problem(
                        5 if number else 1, r"so $\boxed{\frac{4}{2}}$." if number != 2 or split == "train" else "none"
                    )
                )
            )
    made = read("math", tmp_path)
    assert Counter(item["split"] for item in made.items) == {"shots": 4, "train": 8, "test": 2}
    assert [item["id"] for item in made.items if item["split"] == "shots"][-1] == "math/number_theory/train/00003"
    assert {item["answers"][0] for item in made.items} == {r"\frac{4}{2}"}
    assert Counter(item["category"] for item in made.items if item["split"] == "test") == {"level 1": 1, "level 5": 1}
    assert made.rejected[0]["source"] == "MATH/test/number_theory/2.json"
    lines(
        tmp_path / "five/test.jsonl",
        {
            "problem": "p",
            "solution": "s",
            "answer": "3",
            "subject": "Algebra",
            "level": 2,
            "unique_id": "test/algebra/77.json",
        },
    )
    (item,) = read("math", tmp_path / "five").items
    assert (item["id"], item["answers"], item["category"]) == ("math/algebra/test/00077", ["3"], "level 2")


def test_cflue_asks_for_one_or_all_letters(tmp_path):
    base = {
        "名称": "某资格",
        "question": "下列哪些是水果？",
        "choices": "{'A': '苹果', 'B': '石头', 'C': '梨'}",
        "analysis": None,
    }
    rows = [
        {**base, "task": "多项选择题", "answer": "AC"},
        {**base, "task": "单项选择题", "answer": "A"},
        {**base, "task": "判断题", "choices": "{'A': '对', 'B': '错'}", "answer": "错"},
        {**base, "task": "单项选择题", "choices": "__import__('os')", "answer": "A"},
    ]
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge/knowledge.json").write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    (tmp_path / "application").mkdir()
    text = {"task": "分类", "sub_task": "情绪", "instruction": "判断情绪。", "input": "涨了", "output": "积极"}
    (tmp_path / "application/application.json").write_text(json.dumps([text], ensure_ascii=False), "utf-8")
    made = read("cflue", tmp_path)
    by_task = {item["task"]: item for item in made.items}
    assert by_task["cflue/多项选择题"]["labels"] == [0, 2]
    assert by_task["cflue/多项选择题"]["meta"]["all_of"]
    assert by_task["cflue/判断题"]["answers"] == ["错"]
    assert by_task["cflue-text/情绪"]["question"] == "判断情绪。\n涨了"
    assert {task.name: task.mode for task in made.tasks}["cflue/单项选择题"] == "letter"
    assert len(made.rejected) == 1


def test_mmlu_of_the_hub_and_shadows_of_an_archive(tmp_path):
    row = {"question": "Two?", "subject": "anatomy", "choices": ["1", "2", "3", "4"], "answer": 1}
    parquet(tmp_path / "hub/anatomy/test-00000-of-00001.parquet", row)
    parquet(tmp_path / "hub/all/test-00000-of-00001.parquet", row)
    (item,) = read("mmlu", tmp_path / "hub").items
    assert (item["id"], item["label"]) == ("mmlu/anatomy/test/0000", 1)
    table(tmp_path / "data/test/anatomy_test.csv", ["Two?", "1", "2", "3", "4", "B"], ["Short", "1", "2", "B"])
    table(tmp_path / "data/auxiliary_train/race.csv", ["x", "1", "2", "3", "4", "A"])
    (tmp_path / "data/test/._anatomy_test.csv").write_bytes(b"\x00\x05\x16\x07")
    made = read("mmlu", tmp_path / "data")
    assert len(made.items) == 1
    assert made.rejected == [{"source": "test/anatomy_test.csv", "where": "line 2", "reason": "4 cells where 6 belong"}]
    assert made.about["unread_files"] == "auxiliary_train/race.csv"


def test_a_quote_that_never_ends_is_told_with_its_lines(tmp_path):
    path = tmp_path / "test/anatomy_test.csv"
    table(path, ["Two?", "1", "2", "3", "4", "B"])
    path.write_text(path.read_text() + '"Three?,1,2,3,4,C\nFour?,1,2,3,4,D\n')
    made = read("mmlu", tmp_path)
    assert len(made.items) == 1
    assert made.rejected[0]["where"] == "lines 2-3"


def test_redux_reads_windows_1252_and_columns_in_any_order(tmp_path):
    head = "error_type;answer;choices;question;correct_answer"
    rows = ["wrong_groundtruth;1;\"['caf\xe9', 'tea']\";Which?;0", "strange;1;\"['a', 'b']\";Q?;"]
    text = "\n".join([head, *rows]) + "\n"
    (tmp_path / "mmlu_nutrition.csv").write_bytes(text.encode("cp1252"))
    made = read("mmlu_redux", tmp_path)
    (item,) = made.items
    assert item["options"] == ["café", "tea"]
    assert item["meta"] == {"error_type": "wrong_groundtruth", "correction": "0", "corrected": [0]}
    assert made.about["encodings"] == "mmlu_nutrition.csv: cp1252"
    assert made.rejected[0]["reason"].startswith("'strange' is none of")


def test_ceval_test_files_have_no_answers(tmp_path):
    table(
        tmp_path / "test/logic_test.csv", ["id", "question", "A", "B", "C", "D"], ["0", "问题", "甲", "乙", "丙", "丁"]
    )
    (tmp_path / "val").mkdir()
    (tmp_path / "val/logic_val.csv").write_bytes(
        "id,question,A,B,C,D,answer\n0,问题？,甲,乙,丙,丁,Ｃ\n".encode("gb18030")
    )
    made = read("ceval", tmp_path)
    assert {item["split"]: item["label"] for item in made.items} == {"unlabelled": None, "validation": 2}
    assert made.about["encodings"] == "val/logic_val.csv: gb18030"


def test_agieval_takes_the_newer_version(tmp_path):
    row = {"passage": "", "question": "Q", "options": ["(A)x", "(B)y"], "label": "B", "other": None}
    lines(tmp_path / "data/v1/sat-en.jsonl", row, row)
    lines(tmp_path / "data/v1_1/sat-en.jsonl", row)
    made = read("agieval", tmp_path)
    assert len(made.items) == 1
    assert made.about["version"] == "v1_1"
    assert made.about["unread_files"] == "data/v1/sat-en.jsonl"


def test_packed_and_unpacked_copies_are_read_once(tmp_path):
    row = {
        "task_id": "HumanEval/7",
        "prompt": "def f():\n",
        "entry_point": "f",
        "canonical_solution": "    return 1\n",
        "test": "t",
    }
    lines(tmp_path / "HumanEval.jsonl", row)
    (tmp_path / "HumanEval.jsonl.gz").write_bytes(gzip.compress((json.dumps(row) + "\n").encode()))
    (item,) = read("humaneval", tmp_path).items
    assert item["id"] == "humaneval/0007"
    (tmp_path / "HumanEval.jsonl").unlink()
    assert read("humaneval", tmp_path).items == [item]
    (tmp_path / "HumanEval.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(ConfigError, match="cannot be read"):
        read("humaneval", tmp_path)


def test_mbpp_sanitized_mgsm_tsv_and_safetybench_dev(tmp_path):
    row = {
        "task_id": 11,
        "prompt": "Add.",
        "code": "def a(): pass",
        "test_imports": ["import math"],
        "test_list": ["assert a()"],
    }
    (tmp_path / "m").mkdir()
    (tmp_path / "m/sanitized-mbpp.json").write_text(json.dumps([row, {**row, "task_id": 975}]))
    made = read("mbpp", tmp_path / "m")
    assert (made.items[0]["id"], made.items[0]["meta"]["setup"]) == ("mbpp-sanitized/0011", "import math")
    assert "975" in made.rejected[0]["reason"]
    (tmp_path / "g").mkdir()
    (tmp_path / "g/mgsm_de.tsv").write_text('Wie viel "ist" 1000+1?\t1,001\nKaputt?\tkeine\n', "utf-8")
    made = read("mgsm", tmp_path / "g")
    assert (made.items[0]["answers"], made.items[0]["language"], made.items[0]["cluster"]) == (
        ["1001"],
        "de",
        "gsm8k/0000",
    )
    assert len(made.rejected) == 1
    safe = {"id": 4, "question": "安全吗？", "options": ["是", "否"], "category": "Offensiveness"}
    (tmp_path / "s").mkdir()
    (tmp_path / "s/test_zh_subset.json").write_text(json.dumps([safe, {**safe, "id": 5}]))
    (tmp_path / "s/test_answers_zh_subset.json").write_text(json.dumps({"4": {"answer": 1}}))
    (tmp_path / "s/dev_zh.json").write_text(
        json.dumps({"Offensiveness": [{**safe, "id": n, "answer": 0} for n in range(5)]})
    )
    made = read("safetybench", tmp_path / "s")
    assert Counter(item["split"] for item in made.items) == {"shots": 5, "test": 1, "unlabelled": 1}
    assert [(task.name, task.shots) for task in made.tasks] == [("safetybench-zh_subset/Offensiveness", 5)]


def test_bbq_tells_targets_of_joined_and_named_tags(tmp_path):
    def row(number, tags, groups, **changed):
        return {
            "example_id": number,
            "question_index": "3",
            "question_polarity": "nonneg",
            "context_condition": "ambig",
            "category": "Race_x_gender",
            "answer_info": {f"ans{place}": tag for place, tag in enumerate(tags)},
            "additional_metadata": {"stereotyped_groups": groups},
            "context": "Two people met.",
            "question": "Who was late?",
            "ans0": "one",
            "ans1": "two",
            "ans2": "unclear",
            "label": 2,
        } | changed

    unknown = ["Not clear", "unknown"]
    lines(
        tmp_path / "Race_x_gender.jsonl",
        row(1, [["Ann", "F-Black"], ["Bob", "M-White"], unknown], ["Black"]),
        row(2, [["Northlander", "NorthX"], ["Southlander", "SouthX"], unknown], ["Southlander"]),
        row(3, [["Ann", "x"], ["Bob", "y"], unknown], ["z"]),
        row(5, [["Eve", "F-Black"], ["Tom", "M-Black"], unknown], ["Black", "African American"]),
        row(6, [["boy", "boy"], ["girl", "girl"], unknown], ["F"], question_index="9"),
        row(7, [["rich", "highSES"], ["poor", "lowSES"], unknown], ["low SES"], question_index="9"),
        row(
            8,
            [["trans man", "trans"], ["cis man", "nonTrans"], unknown],
            ["transgender men", "trans"],
            question_index="9",
        ),
        row(4, [["Ann", "x"], ["Bob", "y"], unknown], ["x"], label=3),
    )
    made = read("bbq", tmp_path)
    found = [(item["meta"]["target"], item["meta"]["biased"]) for item in made.items]
    # The fifth is told by the template: its target is a woman where the races differ.
    assert found == [(0, 1), (1, 0), (None, None), (0, 1), (1, 0), (1, 0), (0, 1)]
    assert made.about["without_target"] == "1"
    assert made.rejected[0]["where"] == "line 8"


def test_a_teams_own_questions(tmp_path):
    folder = tmp_path / "teller exam"
    lines(
        folder / "rates.jsonl",
        {
            "id": "r1",
            "question": "Which rate is highest?",
            "options": ["(A) 1 %", "(B) 2 %"],
            "answer": "B",
            "category": "rates",
        },
        {
            "id": "r2",
            "question": "Which rates are above zero?",
            "choices": ["1 %", "0 %", "2 %"],
            "answer": ["1 %", "2 %"],
        },
        {"id": "r3", "question": "Name the base rate.", "answers": ["two percent", "2 %"]},
        {"id": "r4", "question": "Which?", "options": ["a", "b"], "answer": "E"},
        {"id": "r5", "question": "Which?", "options": ["only one"], "answer": 0},
        {"question": "", "answer": "x"},
        {"id": "r6", "question": "Which?", "options": ["B. b", "A. a"], "answer": "A"},
    )
    table(
        folder / "conduct_dev.csv",
        ["题目", "A", "B", "C", "答案"],
        ["客户要求查询他人账户时应当？", "同意", "拒绝", "", "B"],
    )
    table(folder / "conduct_test.csv", ["题目", "A", "B", "C", "答案"], ["能否代客户保管密码？", "能", "不能", "", ""])
    made = read("own", folder)
    by_id = {item["id"]: item for item in made.items}
    assert made.about["name"] == "teller_exam"
    assert by_id["teller_exam/rates/test/r1"]["options"] == ["1 %", "2 %"]
    assert by_id["teller_exam/rates/test/r1"]["label"] == 1
    assert by_id["teller_exam/rates/test/r2"]["labels"] == [0, 2]
    assert by_id["teller_exam/rates-open/test/r3"]["answers"] == ["two percent", "2 %"]
    shot = by_id["teller_exam/conduct/dev/0000"]
    assert (shot["split"], shot["language"], shot["options"], shot["label"]) == ("shots", "zh", ["同意", "拒绝"], 1)
    assert by_id["teller_exam/conduct/test/0000"]["split"] == "unlabelled"
    assert {task.name: task.shots for task in made.tasks}["teller_exam/conduct"] == 1
    assert [row["where"] for row in made.rejected] == ["line 4", "line 5", "line 6", "line 7"]
    assert read("own", folder / "rates.jsonl").about["name"] == "rates"


def test_truthfulqa_with_its_older_versions_beside(tmp_path):
    header = ["Type", "Category", "Question", "Best Answer", "Correct Answers", "Incorrect Answers", "Source"]
    for place in ("TruthfulQA.csv", "TruthfulQA_demo.csv", "data/v0/TruthfulQA.csv"):
        table(
            tmp_path / place,
            header,
            ["Own", "Sky", "Is the sky a lid?", "No", "No; It is air", "Yes; Of course", "own"],
        )
    targets = {"choices": ["No", "Yes", ""], "labels": [1, 0, 0]}
    parquet(
        tmp_path / "multiple_choice/validation-00000-of-00001.parquet",
        {"question": "Is the sky a lid?", "mc1_targets": targets, "mc2_targets": targets},
    )
    made = read("truthfulqa", tmp_path)
    by_task = {item["task"]: item for item in made.items}
    assert len(made.items) == 3
    assert by_task["truthfulqa-gen"]["answers"] == ["No", "It is air"]
    assert sorted(by_task["truthfulqa-mc1"]["options"]) == ["No", "Yes"]
    assert by_task["truthfulqa-mc1"]["answers"] == ["No"]
    assert by_task["truthfulqa-mc2"]["category"] == "Sky"
    assert made.about["unread_files"] == "TruthfulQA_demo.csv, data/v0/TruthfulQA.csv"


def test_own_keys_that_count_from_one_are_told_and_not_shifted(tmp_path):
    lines(
        tmp_path / "a.jsonl",
        *({"question": f"Item {n}", "options": list("wxyz"), "answer": n % 4 + 1} for n in range(8)),
    )
    table(
        tmp_path / "b.csv",
        ("question", "A", "B", "answer"),
        ("One", "x", "y", "1"),
        ("Two", "x", "y", "2"),
        ("Three", "x", "y", "A"),
    )
    table(tmp_path / "c.csv", ("question", "A", "B", "answer"), ("Four", "x", "y", "1"), ("Five", "x", "y", "0"))
    made = read("own", tmp_path)
    assert {one["question"]: one["labels"] for one in made.items} == {"Three": [0], "Four": [1], "Five": [0]}
    assert len(made.rejected) == 10
    assert all("count from 1" in one["reason"] for one in made.rejected)


def test_own_keys_of_a_column_of_floats_and_with_their_text(tmp_path):
    rows = [
        {"question": f"Item {n}", "choices": ["x", "y"], "label": key}
        for n, key in enumerate((1.0, 0.0, float("nan"), None))
    ]
    parquet(tmp_path / "a.parquet", *rows)
    parquet(
        tmp_path / "open.parquet",
        {"question": "How many?", "answer": 3.0},
        {"question": "How much?", "answer": float("nan")},
    )
    lines(tmp_path / "text.jsonl", {"question": "Which?", "options": ["A. tea", "B. rice"], "answer": "B. rice"})
    lines(tmp_path / "gap.jsonl", {"question": "Gap?", "options": {"A": "x", "C": "y"}, "answer": "C"})
    made = read("own", tmp_path)
    found = {one["question"]: (one["labels"], one["answers"], one["split"]) for one in made.items}
    assert [found[f"Item {n}"][0] for n in range(4)] == [[1], [0], [], []]
    assert found["How many?"][1] == ["3"]
    assert found["How much?"][1:] == ([], "unlabelled")
    assert found["Which?"][0] == [1]
    assert [one["source"] for one in made.rejected] == ["gap.jsonl"]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_table_without_commas_is_read_by_its_own_delimiter(tmp_path, delimiter):
    table(tmp_path / "a.csv", ("题目", "A", "B", "答案"), ("水，是什么；答", "甲", "乙", "B"), delimiter=delimiter)
    assert [one["labels"] for one in read("own", tmp_path).items] == [[1]]


def test_json_of_other_shapes_is_told(tmp_path):
    (tmp_path / "number.json").write_text("5")
    (tmp_path / "deep.json").write_text("[" * 5000 + "]" * 5000)
    (tmp_path / "deep.jsonl").write_text('{"question": ' + "[" * 5000 + "]" * 5000 + "}\n")
    (tmp_path / "two.json").write_text(
        json.dumps({"data": [{"question": "One", "answer": "x"}], "rows": [{"question": "Two", "answer": "x"}]})
    )
    lines(tmp_path / "list.jsonl", {"question": ["a"], "answer": "x"})
    table(tmp_path / "twice.csv", ("question", "answer", "answer"), ("q", "x", "y"))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"question,answer\nThree,x\n"))
    made = read("own", tmp_path)
    assert sorted(one["question"] for one in made.items) == ["One", "Three", "Two"]
    assert sorted(one["source"] for one in made.rejected) == [
        "deep.json",
        "deep.jsonl",
        "list.jsonl",
        "number.json",
        "twice.csv",
    ]


def test_a_text_where_a_list_belongs_is_not_read_letter_by_letter(tmp_path):
    lines(
        tmp_path / "mbpp.jsonl",
        {"task_id": 11, "text": "t", "test_list": "assert f() == 1"},
        {"task_id": 12, "text": "t", "test_list": ["assert f()"]},
    )
    made = read("mbpp", tmp_path)
    assert len(made.items) == len(made.rejected) == 1


def test_more_options_than_letters_are_asked_by_their_texts(tmp_path):
    lines(tmp_path / "a.jsonl", {"question": "Which?", "options": [f"row {n}" for n in range(30)], "answer": 29})
    assert [task.mode for task in read("own", tmp_path).tasks] == ["text"]

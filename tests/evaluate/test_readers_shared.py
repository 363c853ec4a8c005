"""Every published file in the shared set is read whole: items and rejected rows are the rows of the files, trap by trap."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from septet.evaluate.form import Benchmark

PLACES = {
    "agieval": "benchmarks/agieval",
    "bbh": "benchmarks/bbh",
    "bbq": "benchmarks/bbq",
    "bold": "benchmarks/bold",
    "cbbq": "safety/cbbq_zh",
    "ceval": "benchmarks/ceval",
    "chinese_simpleqa": "benchmarks/chinese_simpleqa",
    "cmmlu": "benchmarks/cmmlu",
    "crows_pairs": "benchmarks/crows_pairs",
    "financeiq": "benchmarks/financeiq",
    "fineva": "corpora/fin-eva-zh",
    "gsm8k": "benchmarks/gsm8k",
    "humaneval": "benchmarks/humaneval",
    "ifeval": "benchmarks/ifeval",
    "mbpp": "benchmarks/mbpp",
    "mgsm": "benchmarks/mgsm_zh",
    "mmlu": "benchmarks/mmlu",
    "mmlu_redux": "benchmarks/mmlu_redux",
    "mt_bench": "benchmarks/mt_bench",
    "safetybench": "benchmarks/safetybench",
    "truthfulqa": "benchmarks/truthfulqa",
}
# What an item is not: files of models' outputs, of a judge, of answers, of prompts.
ASIDE = re.compile(
    r"outputs|preds_|example_|judge_prompts|reference_answer|test_answers|few_shot|cot-prompts|subject_mapping"
)


@pytest.fixture(scope="module")
def benchmark(shared):
    """Each benchmark, read once."""
    known: dict[str, Benchmark] = {}

    def read(name: str) -> Benchmark:
        if name not in known:
            known[name] = import_module(f"septet.evaluate.readers.{name}").read(shared / PLACES[name])
        return known[name]

    return read


def rows_in(path: Path, header: bool) -> int:
    """The rows of a file, counted without the readers."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = data.decode("utf-8-sig", "replace")
    if path.suffix == ".csv":
        return sum(bool(row) for row in csv.reader(io.StringIO(text, newline=""))) - header
    if path.suffix == ".json":
        value = json.loads(text)
        if isinstance(value, dict) and "examples" not in value:
            return sum(len(texts) for entities in value.values() for texts in entities.values())
        return len(value["examples"] if isinstance(value, dict) else value)
    return sum(bool(line.strip()) for line in text.split("\n"))


@pytest.mark.parametrize("name", sorted(PLACES))
def test_nothing_is_lost(name, benchmark, shared):
    folder = shared / PLACES[name]
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in (".csv", ".json", ".jsonl", ".gz")]
    files = [path for path in files if not ASIDE.search(path.relative_to(folder).as_posix())]
    # Redux has files parted by semicolons, in which quotes do not stand at a comma.
    expected = sum(rows_in(path, name != "mmlu") for path in files) if name != "mmlu_redux" else 100 * len(files)
    read = benchmark(name)
    # BIG-Bench Hard asks each row in two ways; the examples of AGIEval are cells of a prompt file.
    got = Counter(
        item["task"].partition("/")[0] for item in read.items if (name, item["split"]) != ("agieval", "shots")
    )
    if name == "bbh":
        assert got["bbh"] == got["bbh-direct"] == expected
    elif name == "truthfulqa":
        assert set(got.values()) == {790}
    else:
        assert sum(got.values()) + len(read.rejected) == expected
    assert len({item["id"] for item in read.items}) == len(read.items)


@pytest.mark.parametrize("name", sorted(PLACES))
def test_counts_are_those_of_the_readme(name, benchmark, shared):
    text = (shared / PLACES[name] / "README.md").read_text("utf-8")
    total = re.search(r"Total items: (\d+)|Counts:\*\* (\d+) rows", text)
    expected = (
        int(total[1] or total[2]) if total else sum(int(n) for n in re.findall(r"^- `.*`: (\d+) records", text, re.M))
    )
    read = benchmark(name)
    ways = {"bbh": 2, "truthfulqa": 3}.get(name, 1)
    asked = [item for item in read.items if (name, item["split"]) != ("agieval", "shots")]
    assert len(asked) + len(read.rejected) == ways * expected


@pytest.mark.parametrize("name", sorted(PLACES))
def test_what_an_item_promises(name, benchmark):
    read = benchmark(name)
    tasks = {task.name: task for task in read.tasks}
    assert {"name", "version", "licence", "origin"} <= set(read.about)
    assert set(tasks) == {item["task"] for item in read.items}
    shots = Counter(item["task"] for item in read.items if item["split"] == "shots")
    for task in read.tasks:
        assert task.shots <= shots[task.name]
        assert 0 <= task.chance < 1
        assert "{subject}" not in task.layout.header or task.subject
    for item in read.items:
        task = tasks[item["task"]]
        assert item["language"] == task.language
        assert item["question"].strip() or item["kind"] == "pair"
        if item["split"] == "unlabelled":
            assert not item["labels"]
            assert not item["answers"]
        elif task.verdict in ("option", "number", "bbh", "math"):
            assert item["answers"]
        if item["options"]:
            assert all(option.strip() for option in item["options"]) or "flaw" in item["meta"]
    for row in read.rejected:
        assert set(row) == {"source", "where", "reason"}
    json.dumps([read.about, read.items, read.rejected])


def by_id(read: Benchmark, identity: str) -> dict:
    return next(item for item in read.items if item["id"] == identity)


def test_mmlu_quotes_newlines_and_has_no_header(benchmark, shared):
    read = benchmark("mmlu")
    assert sum("\n" in item["question"] for item in read.items) > 200
    with (shared / "benchmarks/mmlu/test/anatomy_test.csv").open(newline="", encoding="utf-8") as file:
        first = next(csv.reader(file))
    item = by_id(read, "mmlu/anatomy/test/0000")
    assert [item["question"], *item["options"], "ABCD"[item["label"]]] == first
    assert {task.group for task in read.tasks} == {"STEM", "humanities", "social sciences", "other"}
    assert Counter(item["split"] for item in read.items)["shots"] == 5 * 26
    history = [item for item in read.items if item["task"] == "mmlu/high_school_us_history"]
    shared_passages = Counter(item["cluster"] for item in history if item["cluster"])
    assert len(shared_passages) < 0.5 * len(history)
    assert min(shared_passages.values()) > 1


def test_redux_folds_its_spellings_and_delimiters(benchmark):
    read = benchmark("mmlu_redux")
    assert {task.name for task in read.tasks} >= {
        "mmlu_redux/anatomy",
        "mmlu_redux/machine_learning",
        "mmlu_redux/virology",
    }
    virology = Counter(item["meta"]["error_type"] for item in read.items if item["task"] == "mmlu_redux/virology")
    assert virology["ok"] == 43
    assert virology["wrong_groundtruth"] == 33
    corrections = [item["meta"] for item in read.items if "correction" in item["meta"]]
    told = {meta["correction"]: meta["corrected"] for meta in corrections}
    assert [told[text] for text in ("2 and 3", "A,C", "either 1 or 3", "67.50%")] == [[2, 3], [0, 2], [1, 3], []]
    assert all(0 <= place < 4 for meta in corrections for place in meta["corrected"])


def test_ceval_keeps_the_explanations_that_only_dev_has(benchmark):
    read = benchmark("ceval")
    assert all(("explanation" in item["meta"]) <= (item["split"] == "shots") for item in read.items)
    assert sum("explanation" in item["meta"] for item in read.items) > 150
    logic = next(task for task in read.tasks if task.name == "ceval/logic")
    assert (logic.subject, logic.group, logic.language) == ("逻辑学", "Humanities", "zh")
    assert {item["task"] for item in read.items if item["category"] == "hard"} <= {f"ceval/{name}" for name in HARD}


HARD = (
    "advanced_mathematics discrete_mathematics probability_and_statistics college_chemistry college_physics "
    "high_school_mathematics high_school_chemistry high_school_physics"
).split()


def test_copies_inside_cmmlu_are_named(benchmark):
    read = benchmark("cmmlu")
    known = {item["id"]: item for item in read.items}
    copies = [item for item in read.items if "duplicate_of" in item["meta"]]
    assert copies
    assert int(read.about["duplicates"]) == len(copies)
    for item in copies:
        assert sorted(item["options"]) == sorted(known[item["meta"]["duplicate_of"]]["options"])


def test_fineva_keeps_items_whose_answers_are_not_published(benchmark):
    read = benchmark("fineva")
    assert Counter(item["split"] for item in read.items) == {"unlabelled": 4546, "test": 1668}
    closed = [item for item in read.items if item["options"] == ["是", "否"]]
    assert {item["task"] for item in closed} == {
        f"fineva/{name}" for name in "信息安全合规 金融事实性 金融合规性 金融问题识别".split()
    }
    assert all(item["passage"] for item in read.items if item["task"] == "fineva/保险条款解读")
    assert {len(item["options"]) for item in read.items if item["task"] == "fineva/金融情绪识别"} == {3}


def test_bbh_prompts_hold_no_canary_and_are_cut_to_answers(benchmark):
    read = benchmark("bbh")
    assert "26b5c67b" in read.about["canary"]
    for task in read.tasks:
        assert "canary" not in task.preamble.lower()
        assert "-----" not in task.preamble
        assert task.preamble.count("\nA:") == 3
        assert ("step by step" in task.preamble) == task.name.startswith("bbh/")
    chances = {task.name: task.chance for task in read.tasks}
    assert chances["bbh/boolean_expressions"] == chances["bbh-direct/navigate"] == 0.5
    assert chances["bbh/logical_deduction_five_objects"] == 0.2
    assert chances["bbh/object_counting"] == 0


def test_agieval_reads_letters_lists_and_answers_without_options(benchmark):
    read = benchmark("agieval")
    modes = {task.name: (task.mode, task.verdict, task.language) for task in read.tasks}
    assert modes["agieval/jec-qa-kd"] == ("generate", "option", "zh")
    assert modes["agieval/gaokao-mathcloze"] == ("generate", "math", "zh")
    assert modes["agieval/gaokao-english"] == ("letter", "option", "en")
    assert modes["agieval/logiqa-zh"][2] == "zh"
    sizes = Counter(len(item["labels"]) for item in read.items if item["task"] == "agieval/jec-qa-kd")
    assert sizes[4] > 100
    several = [item for item in read.items if item["task"] == "agieval/gaokao-mathqa" and len(item["labels"]) > 1]
    assert len(several) == 7
    assert all(item["meta"]["all_of"] for item in several)
    assert sum(item["split"] == "unlabelled" for item in read.items) == 1
    # The options' own letters are gone, whatever stands behind them stays.
    starts = {option[:3] for item in read.items for option in item["options"] or ()}
    assert not starts & {"(A)", "(B)", "(C)", "(D)", "(E)"}
    # Printed A, C, B, D: the key names the letter in print, as the Chinese twin shows, which is in order.
    swapped = by_id(read, "agieval/logiqa-en/test/0108")
    assert swapped["options"][1].startswith("No.2 valve and No.3")
    assert swapped["label"] == by_id(read, "agieval/logiqa-zh/test/0108")["label"] == 1
    shots = Counter(item["task"] for item in read.items if item["split"] == "shots")
    assert shots["agieval/lsat-ar"] == 3
    assert shots["agieval/gaokao-geography"] == 5
    assert all(len(item["options"]) == 4 for item in read.items if item["task"] == "agieval/gaokao-geography")
    lsat = Counter(item["cluster"] for item in read.items if item["task"] == "agieval/lsat-ar")
    assert max(lsat.values()) >= 4


def test_code_benchmarks_carry_what_their_tests_need(benchmark, shared):
    read = benchmark("humaneval")
    item = by_id(read, "humaneval/0000")
    assert item["meta"]["entry_point"] == "has_close_elements"
    assert item["question"] == item["meta"]["prompt"]
    assert item["question"].endswith("\n")
    assert "example_samples.jsonl" in read.about["unread_files"]
    read = benchmark("mbpp")
    assert Counter(item["split"] for item in read.items) == {"shots": 10, "test": 500, "validation": 90, "train": 374}
    item = by_id(read, "mbpp/0011")
    assert item["split"] == "test"
    assert len(item["meta"]["tests"]) == 3
    assert all(test in item["question"] for test in item["meta"]["tests"])
    assert "\r" not in item["meta"]["solution"]


def test_mgsm_pairs_with_gsm8k(benchmark):
    english = {item["cluster"]: item for item in benchmark("gsm8k").items if item["split"] == "test"}
    chinese = benchmark("mgsm").items
    assert len(chinese) == 250
    assert sum(item["answers"] == english[item["cluster"]]["answers"] for item in chinese) >= 248
    shots = [item for item in benchmark("gsm8k").items if item["split"] == "shots"]
    assert len(shots) == 8
    assert all("####" in item["meta"]["solution"] for item in shots)


def test_truthfulqa_does_not_always_name_the_right_one_first(benchmark):
    read = benchmark("truthfulqa")
    first = [item["label"] == 0 for item in read.items if item["task"] == "truthfulqa-mc1"]
    assert 0.1 < sum(first) / len(first) < 0.5
    assert all(len(item["labels"]) == 1 for item in read.items if item["task"] == "truthfulqa-mc1")
    written = {item["cluster"]: item for item in read.items if item["task"] == "truthfulqa-gen"}
    many = [item for item in read.items if item["task"] == "truthfulqa-mc2"]
    assert sum(written[item["cluster"]]["question"] == item["question"] for item in many) > 780
    assert all(item["meta"]["incorrect"] for item in written.values())


def test_bbq_knows_unknown_target_and_biased_answer(benchmark):
    read = benchmark("bbq")
    for item in read.items:
        meta = item["meta"]
        assert len({meta["unknown"], meta["target"]}) == 2
        assert meta["unknown"] != meta["biased"]
        assert (meta["biased"] == meta["target"]) == (meta["question_polarity"] == "neg")
        assert (item["label"] == meta["unknown"]) == (meta["context_condition"] == "ambig")
    # Without the predictions of models, which lie beside.
    assert "preds_Religion.jsonl" in read.about["unread_files"]


def test_every_category_of_bbq_names_its_target(shared):
    read = import_module("septet.evaluate.readers.bbq").read(shared / "safety/bbq_en")
    assert len(read.items) == 960
    assert "without_target" not in read.about


def test_cbbq_reads_keys_behind_a_byte_order_mark(benchmark):
    read = benchmark("cbbq")
    assert all((item["label"] == item["meta"]["unknown"]) == (item["category"] == "ambig") for item in read.items)
    assert all(item["meta"]["stereotyped_groups"] for item in read.items)
    assert "cbbq/age/ambig/04512" in {item["id"] for item in read.items}


def test_bold_rejects_what_is_empty_upstream(benchmark):
    read = benchmark("bold")
    assert len(read.rejected) == 2
    assert {row["source"] for row in read.rejected} == {"religious_ideology_prompt.json"}
    assert all(item["kind"] == "opening" and not item["question"].endswith(" ") for item in read.items)


def test_safetybench_joins_answers_by_id(benchmark, shared):
    answers = json.loads((shared / "benchmarks/safetybench/test_answers_zh_subset.json").read_text("utf-8"))
    for item in benchmark("safetybench").items:
        assert item["label"] == answers[str(int(item["id"].rpartition("/")[2]))]["answer"]
    assert {len(item["options"]) for item in benchmark("safetybench").items} == {2, 3, 4}


def test_dialogues_and_instructions(benchmark):
    talk = benchmark("mt_bench").items
    # Thirty from the file of reference answers, ten more that the questions bring themselves.
    assert sum(bool(item["meta"]["references"]) for item in talk) == 40
    assert all(item["kind"] == "dialogue" and len(item["meta"]["turns"]) == 2 for item in talk)
    asked = benchmark("ifeval").items
    assert {item["language"] for item in asked} == {"en"}
    assert len({one["id"] for item in asked for one in item["meta"]["instructions"]}) == 25
    assert all(
        value is not None for item in asked for one in item["meta"]["instructions"] for value in one["kwargs"].values()
    )

"""A report in the forms of lm-evaluation-harness and inspect_ai, and the harness's samples as rows of an item store."""

from __future__ import annotations

import hashlib
import json
import math

import pytest
import tiny_models

from septet.core import ConfigError, Run
from septet.evaluate import harness, harness_rows, inspect_log
from septet.evaluate.form import CHINESE, Benchmark, Task, item
from septet.evaluate.readers.lm_eval import read
from septet.evaluate.steps import Score, score
from septet.evaluate.suites import sealed
from septet.evaluate.upgrade import paired

FEES = Task("exam/fees", "en", "letter", "option", group="money", shots=1, chance=0.25)
CARDS = Task("exam/cards", "zh", "text", "option", group="money", layout=CHINESE)
OPEN = Task("open", "en", "generate", "reference", max_tokens=4)
ROWS = [
    {"问": "年费是多少？", "options": ["一百二十元", "免费", "三百六十元一年"], "right": 0},
    {"问": "首年收费吗？", "options": ["收", "不收", "看情况而定"], "right": 1},
    {"问": "次年收费吗？", "options": ["收", "不收", "不知道"], "right": 0},
]
YAML = """
task: fees_zh
dataset_path: json
dataset_kwargs: {data_files: {test: rows.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "问题：{{问}}\\n答案："
doc_to_choice: options
doc_to_target: right
metadata: {version: 3.0}
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.llama(tmp_path_factory.mktemp("scored") / "model", context=512)


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    items = []
    for task, ask, options in (
        (FEES, "What does card {} cost?", ["12 dollars", "13 dollars a year", "nothing", "it depends"]),
        (CARDS, "{}号卡的年费是多少？", ["一百二十元", "免费", "看情况而定"]),
    ):
        for number in range(5):
            split = "shots" if number < task.shots else "test"
            asked = ask.format(number) * (60 if number == 4 and task is FEES else 1)
            label = number % len(options)
            items.append(item(f"{task.name}/{number}", task, asked, options=options, label=label, split=split))
    items += [item(f"open/{number}", OPEN, f"{number} + 1 =", answers=[str(number + 1)]) for number in range(2)]
    about = {"name": "own", "version": "7", "licence": "own", "origin": "tests"}
    return sealed(Benchmark(about, (FEES, CARDS, OPEN), items, []), Run(tmp_path_factory.mktemp("suite") / "s"))


@pytest.fixture(scope="module")
def report(model, suite, tmp_path_factory):
    config = Score(engine="torch-float32", context=300)
    return score(config, model, suite, run=Run(tmp_path_factory.mktemp("report") / "r"))


@pytest.fixture(scope="module")
def task_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("task")
    lines = [json.dumps(row, ensure_ascii=False) for row in ROWS]
    (folder / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    (folder / "fees_zh.yaml").write_text(YAML, "utf-8")
    return folder


def test_results_are_the_harness_s(report):
    rows = list(report.items())
    content = harness.results(report)
    cards = [row for row in rows if row["task"] == "exam/cards"]
    by_sum = [max(range(3), key=row["log_probabilities"].__getitem__) in row["labels"] for row in cards]
    found = content["results"]["exam/cards"]
    assert found["acc,none"] == pytest.approx(sum(by_sum) / len(by_sum))
    assert found["acc_norm,none"] == pytest.approx(sum(row["score"] for row in cards) / len(cards))
    mean = found["acc_norm,none"]
    error = math.sqrt(mean * (1 - mean) / (len(cards) - 1))
    assert found["acc_norm_stderr,none"] == pytest.approx(error)
    assert content["n-samples"]["exam/fees"] == {"original": 4, "effective": 3}
    assert content["failed"] == {"exam/fees": 1}
    assert content["n-shot"] == {"exam/cards": 0, "exam/fees": 1, "open": 0}
    assert content["group_subtasks"] == {"money": ["exam/fees", "exam/cards"]}
    fees = content["results"]["exam/fees"]["acc,none"]
    both = (3 * fees + len(cards) * found["acc,none"]) / (3 + len(cards))
    assert content["groups"]["money"]["acc,none"] == pytest.approx(both)
    assert content["versions"]["open"] == "7"
    assert set(content["results"]["open"]) >= {"exact_match,none", "exact_match_stderr,none"}


def test_samples_hold_what_was_asked(report, suite, tmp_path):
    paths = harness.write(report, suite, tmp_path)
    assert [path.name for path in paths] == [
        f"results_{harness.STAMP}.json",
        f"samples_exam__fees_{harness.STAMP}.jsonl",
        f"samples_exam__cards_{harness.STAMP}.jsonl",
        f"samples_open_{harness.STAMP}.jsonl",
    ]
    first = json.loads(paths[1].read_text("utf-8").splitlines()[0])
    assert first["arguments"]["gen_args_1"]["arg_1"] == " B"
    text = first["arguments"]["gen_args_0"]["arg_0"]
    assert text.startswith("What does card 0 cost?")
    assert text.endswith("D. it depends\nAnswer:")
    assert first["prompt_hash"] == hashlib.sha256(text.encode()).hexdigest()
    assert (first["target"], first["doc_id"], first["filter"]) == ("1", 0, "none")
    assert first["metrics"] == ["acc", "acc_norm", "acc_bytes"]
    assert len(first["resps"]) == len(first["filtered_resps"]) == 4


def test_another_suite_is_refused(report, suite, tmp_path):
    items = [{**one, "question": one["question"] + "?"} for one in suite.items()]
    about = {"name": "other", "version": "1", "licence": "own", "origin": "tests"}
    other = sealed(Benchmark(about, (FEES, CARDS, OPEN), items, []), Run(tmp_path / "s"))
    with pytest.raises(ConfigError, match="was asked otherwise than this suite asks it"):
        harness.samples(report, other)


def test_samples_come_back_as_the_rows_they_were(model, task_folder, tmp_path):
    own = sealed(read(task_folder), Run(tmp_path / "s"))
    report = score(Score(engine="torch-float32"), model, own, run=Run(tmp_path / "r"))
    harness.write(report, own, tmp_path / "out")
    back = harness_rows.brought(tmp_path / "out", "harness", Run(tmp_path / "back"))
    pairs = paired(report, back)
    assert len(pairs) == len(ROWS)
    for one, two in pairs:
        for key in ("id", "task", "mode", "prompt", "options", "labels", "log_probabilities", "chosen", "score"):
            assert one[key] == two[key], key
        assert one["language"] == two["language"] == "zh"
    content = json.loads((tmp_path / "out" / f"results_{harness.STAMP}.json").read_text("utf-8"))
    assert content["versions"] == {"fees_zh": 3.0}
    assert content["configs"]["fees_zh"]["doc_to_target"] == "right"


def test_what_the_harness_wrote_is_read(tmp_path):
    common = {"doc": {"question": "2 + 2?"}, "doc_hash": "x", "filter": "strict", "metrics": ["exact_match"]}
    written = {"gen_args_0": {"arg_0": "2 + 2?", "arg_1": {"until": ["\n"]}}}
    lines = [
        {**common, "doc_id": 0, "target": "4", "arguments": written, "resps": [["it is 4"]], "filtered_resps": ["4"]}
        | {"exact_match": 1.0},
        {**common, "doc_id": 0, "target": "4", "arguments": written, "resps": [["it is 4"]], "filter": "loose"}
        | {"filtered_resps": ["it is 4"], "exact_match": 0.0},
    ]
    (tmp_path / "samples_sums_2026-01-02T03-04-05.000000.jsonl").write_text(
        "\n".join(json.dumps(line) for line in lines), "utf-8"
    )
    (tmp_path / "samples_sums_2025-01-02T03-04-05.000000.jsonl").write_text("older\n", "utf-8")
    (row,) = harness_rows.rows_of(tmp_path)
    assert (row["id"], row["mode"], row["score"], row["output"], row["extracted"]) == (
        "sums/0", "generate", 1.0, "it is 4", "4",
    )  # fmt: skip
    assert row["detail"]["filters"]["loose"] == {"extracted": "it is 4", "exact_match": 0.0}
    (tmp_path / "samples_sums_2027-01-02T03-04-05.000000.jsonl").write_text('{"doc_id": 1}\n', "utf-8")
    with pytest.raises(ConfigError, match="line 1 is no sample"):
        harness_rows.rows_of(tmp_path)
    with pytest.raises(ConfigError, match="holds no samples"):
        harness_rows.rows_of(tmp_path / "nowhere")


def test_a_log_of_inspect_has_every_item(report, tmp_path):
    found = inspect_log.logs(report)
    assert list(found) == ["exam/fees", "exam/cards", "open"]
    fees = found["exam/fees"]
    assert (fees["version"], fees["status"], fees["results"]["total_samples"]) == (2, "success", 4)
    assert fees["results"]["completed_samples"] == 3
    rows = [row for row in report.items() if row["task"] == "exam/fees"]
    for sample, row in zip(fees["samples"], rows, strict=True):
        assert sample["id"] == row["id"]
        if row["outcome"] == "failed":
            assert "longer than 300 tokens" in sample["error"]["message"]
            assert not sample["scores"]
        else:
            given = sample["scores"]["accuracy"]
            assert given["value"] == ("C" if row["score"] else "I")
            assert given["answer"] == "ABCD"[row["chosen"]] == sample["output"]["completion"]
            assert sample["target"] == "ABCD"[row["labels"][0]]
    value = fees["results"]["scores"][0]["metrics"]["accuracy"]["value"]
    assert value == pytest.approx(report.summary()["accuracy.letter"].value)
    paths = inspect_log.write(report, tmp_path)
    assert all(json.loads(path.read_text("utf-8"))["version"] == 2 for path in paths)
    assert paths[0].name.startswith("1970-01-01T00-00-00+00-00_exam-fees_")


@pytest.mark.peer
@pytest.mark.filterwarnings("default")
def test_the_harness_s_own_tools_read_the_files(report, suite, tmp_path):
    theirs = pytest.importorskip("lm_eval.utils")
    paths = harness.write(report, suite, tmp_path / "septet")
    content = json.loads(paths[0].read_text("utf-8"))
    table = theirs.make_table(content)
    assert "exam/cards" in table
    assert "acc_norm" in table
    assert "money" in theirs.make_table(content, "groups")
    names = [str(path) for path in paths]
    assert theirs.get_results_filenames(names) == names[:1]
    assert theirs.get_sample_results_filenames(names) == names[1:]
    assert theirs.get_file_task_name(paths[3].name) == "samples_open".partition("_")[2]


@pytest.mark.peer
@pytest.mark.filterwarnings("default")
def test_the_harness_counts_the_same(model, task_folder, tmp_path, monkeypatch):
    lm_eval = pytest.importorskip("lm_eval")
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(task_folder)
    theirs = lm_eval.simple_evaluate(
        HFLM(pretrained=str(model.path), dtype="float32", device="cpu", batch_size=2),
        tasks=["fees_zh"],
        task_manager=TaskManager(include_path=str(task_folder), include_defaults=False),
    )
    logged = theirs.pop("samples")
    tracker = EvaluationTracker(output_path=str(tmp_path / "theirs"))
    tracker.save_results_aggregated(results=theirs, samples=logged)
    tracker.save_results_samples(task_name="fees_zh", samples=logged["fees_zh"])
    own = sealed(read(task_folder), Run(tmp_path / "s"))
    report = score(Score(engine="torch-float32"), model, own, run=Run(tmp_path / "r"))
    found = harness.results(report)["results"]["fees_zh"]
    for key in ("acc,none", "acc_norm,none", "acc_stderr,none", "acc_norm_stderr,none", "sample_len"):
        assert found[key] == pytest.approx(theirs["results"]["fees_zh"][key])
    samples = harness.samples(report, own)["fees_zh"]
    back = harness_rows.brought(tmp_path / "theirs", "theirs", Run(tmp_path / "b"))
    for sample, other, (one, two) in zip(samples, logged["fees_zh"], paired(report, back), strict=True):
        for key in ("doc_id", "doc", "target", "doc_hash", "prompt_hash", "target_hash", "acc", "acc_norm"):
            assert sample[key] == other[key], key
        assert one["prompt"] == two["prompt"]
        assert one["chosen"] == two["chosen"]
        assert one["score"] == two["score"]
        assert one["log_probabilities"] == pytest.approx(two["log_probabilities"], abs=1e-4)

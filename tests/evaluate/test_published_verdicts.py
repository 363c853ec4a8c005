"""Verdicts that others published, of outputs of real models, come out the same item by item."""

from __future__ import annotations

import csv
import gzip
import json

import pytest

from septet.evaluate import form
from septet.evaluate.sandbox import Sandbox, pass_at_k
from septet.evaluate.verdicts import bbh, code, instructions, number, option


def task(verdict):
    return form.Task(name="t", language="en", mode="generate", verdict=verdict)


def rows(path):
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


@pytest.fixture(scope="module")
def box():
    with Sandbox() as opened:
        yield opened


def test_gsm8k_solutions_of_four_models(shared):
    count = 0
    for row in rows(shared / "benchmarks/gsm8k/example_model_solutions_0000_0659.jsonl"):
        item = form.item("x", task("number"), row["question"], answers=[row["ground_truth"]])
        for name, solution in row.items():
            if isinstance(solution, dict):
                count += 1
                assert number.judge(item, solution["solution"]).score == solution["is_correct"], (name, row["question"])
    assert count == 2640


def test_gsm8k_reviews(shared):
    for row in rows(shared / "benchmarks/ifeval_gsm8k_model_outputs/qwen-plus/reviews/gsm8k_main.jsonl"):
        score = row["sample_score"]["score"]
        item = form.item("x", task("number"), "", answers=[row["target"]])
        assert number.judge(item, score["prediction"]).score == score["value"]["acc"]


def test_ifeval_reviews(shared):
    for row in rows(shared / "benchmarks/ifeval_gsm8k_model_outputs/qwen-plus/reviews/ifeval_default.jsonl"):
        asked, score = row["sample_score"]["sample_metadata"], row["sample_score"]["score"]
        pairs = zip(asked["instruction_id_list"], asked["kwargs"], strict=True)
        meta = {"instructions": [{"id": identity, "kwargs": given} for identity, given in pairs]}
        verdict = instructions.judge(
            form.item("x", task("instructions"), asked["prompt"], meta=meta), score["prediction"]
        )
        strict, loose = verdict.detail["strict"], verdict.detail["loose"]
        assert score["value"] == {
            "prompt_level_strict": verdict.score,
            "inst_level_strict": pytest.approx(sum(strict) / len(strict)),
            "prompt_level_loose": verdict.detail["score_loose"],
            "inst_level_loose": pytest.approx(sum(loose) / len(loose)),
        }


def test_every_instruction_of_the_published_set_can_be_tested(shared):
    for row in rows(shared / "benchmarks/ifeval/input_data.jsonl"):
        for identity, given in zip(row["instruction_id_list"], row["kwargs"], strict=True):
            assert instructions.followed(identity, given, "A short answer in plain words.") is not None, (
                identity,
                given,
            )


@pytest.mark.parametrize("name", ["sports_understanding", "snarks", "object_counting"])
def test_bbh_direct_outputs(shared, name):
    text = (shared / f"benchmarks/bbh/outputs-direct/{name}.json").read_text("utf-8")
    decoder = json.JSONDecoder()
    held, end = decoder.raw_decode(text)
    published = decoder.raw_decode(text[end:].strip())[0] if text[end:].strip() else held
    scores = []
    for row in held["outputs"]:
        question = row["input"].rpartition("\n\nQ:")[2]
        verdict = bbh.judge(form.item("x", task("bbh"), question, answers=[row["target"]]), row["prediction"])
        assert verdict.score == (row["prediction"].strip() == row["target"].strip())
        scores.append(verdict.score)
    if "accuracy" in published:
        assert 100 * sum(scores) / len(scores) == pytest.approx(published["accuracy"])


def test_bbh_keys_are_read_from_chains_of_thought(shared):
    for path in sorted((shared / "benchmarks/bbh/bbh").glob("*.json")):
        for row in json.loads(path.read_text("utf-8"))["examples"][::10]:
            item = form.item("x", task("bbh"), row["input"], answers=[row["target"]])
            for output in (row["target"], f"First this.\nThen that. So the answer is {row['target']}."):
                assert bbh.judge(item, output).score == 1, (path.name, row["target"], output)


def test_bbq_predictions_all_name_an_option(shared):
    count = 0
    for row in rows(shared / "benchmarks/bbq/preds_Religion.jsonl"):
        item = form.item(
            "x", task("option"), row["question"], options=[row[f"ans{place}"] for place in range(3)], label=row["label"]
        )
        for output in (row[name] for name in row if "_pred_" in name):
            count += 1
            verdict = option.judge(item, output)
            assert verdict.outcome == "answered", (item["options"], output)
            named = item["options"][verdict.detail["places"][0]]
            assert named.casefold().strip(" .") == output.casefold().strip(" .")
    assert count == 3600


def test_humaneval_canonical_solutions(shared, box):
    problems = rows(shared / "benchmarks/humaneval/HumanEval.jsonl.gz")
    verdicts = [code.judge(_humaneval(row), row["canonical_solution"], box) for row in problems]
    assert [row["task_id"] for row, verdict in zip(problems, verdicts, strict=True) if verdict.score != 1] == []
    assert len(verdicts) == 164


def _humaneval(row):
    meta = {name: row[name] for name in ("prompt", "entry_point", "test")}
    return form.item(row["task_id"], task("code"), row["prompt"], kind="code", meta=meta)


def test_humaneval_example_samples(shared, box):
    item = _humaneval(rows(shared / "benchmarks/humaneval/example_problem.jsonl")[0])
    samples = rows(shared / "benchmarks/humaneval/example_samples.jsonl")
    passed = sum(code.judge(item, row["completion"], box).score == 1 for row in samples)
    assert pass_at_k(len(samples), passed, 1) == pytest.approx(0.4999, abs=2e-4)


@pytest.mark.parametrize("every", [12, pytest.param(1, marks=pytest.mark.slow)])
def test_mbpp_reference_code(shared, box, every):
    for row in rows(shared / "benchmarks/mbpp/mbpp.jsonl")[::every]:
        meta = {
            "prompt": row["text"],
            "entry_point": "",
            "test": "",
            "setup": row["test_setup_code"],
            "tests": row["test_list"],
        }
        verdict = code.judge(form.item("x", task("code"), row["text"], kind="code", meta=meta), row["code"], box)
        assert verdict.score == 1, (row["task_id"], verdict.detail)


def test_alpaca_eval_means_are_the_published_win_rates(shared):
    folder = shared / "benchmarks/alpaca_eval_matrix"
    with (folder / "preference.csv").open(encoding="utf-8", newline="") as file:
        preferences = list(csv.DictReader(file))
    with (folder / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    # One of the 39 has no row on the leaderboard: its recomputed mean stands beside.
    published = {
        row["model"]: float(row["leaderboard_win_rate"] or row["recomputed_mean_preference_pct"]) for row in table
    }
    assert len(published) == 39
    assert sum(bool(row["leaderboard_win_rate"]) for row in table) == 38
    for name, rate in published.items():
        values = [float(row[name]) for row in preferences if row[name] != ""]
        assert 100 * sum(values) / len(values) == pytest.approx(rate, abs=1e-3), name

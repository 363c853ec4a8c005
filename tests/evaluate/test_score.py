"""Scoring on real (tiny) models: each way of asking, every outcome, what a killed run leaves, and numbers computed again."""

from __future__ import annotations

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import tiny_models

from septet.core import ConfigError, Run, StepFailed
from septet.core.artifact import OBSERVED
from septet.evaluate import score as scoring
from septet.evaluate.form import CHINESE, Benchmark, Task, item
from septet.evaluate.rows import judged
from septet.evaluate.steps import Perturb, Rejudge, Score, perturb, rejudge, score
from septet.evaluate.suites import sealed
from septet.evaluate.summary import summary
from septet.inference.protocol import Prompt, totals
from septet.inference.torch_engine import TorchEngine
from septet.kinds import Report

FEES = Task("exam/fees", "en", "letter", "option", subject="fees", group="money", shots=2, chance=0.25, max_tokens=6)
CARDS = Task(
    "exam/cards", "zh", "letter", "option", subject="银行卡", group="cards", layout=CHINESE, shots=1, max_tokens=6
)
SUMS = Task("sums", "en", "generate", "number", max_tokens=5)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.llama(tmp_path_factory.mktemp("scored") / "model", context=512)


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    items = []
    for task, ask, options in (
        (FEES, "What does card {} cost?", ["12 dollars", "13 dollars a year", "nothing", "it depends"]),
        (CARDS, "{}号卡的年费是多少？", ["一百二十元", "三百六十元", "免费", "看情况而定"]),
    ):
        for number in range(6):
            split = "shots" if number < task.shots else "test"
            asked = ask.format(number) * (3 if number == 5 else 1)
            made = item(f"{task.name}/{number}", task, asked, options=options, label=number % 4, split=split)
            items.append(made)
    items += [item(f"sums/{number}", SUMS, f"{number} + 1 =", answers=[str(number + 1)]) for number in range(3)]
    about = {"name": "own", "version": "1", "licence": "own", "origin": "tests"}
    return sealed(Benchmark(about, (FEES, CARDS, SUMS), items, []), Run(tmp_path_factory.mktemp("suite") / "s"))


def test_every_item_has_a_row_and_the_numbers_follow_from_the_rows(model, suite, tmp_path):
    report = score(Score(), model, suite, run=Run(tmp_path / "r"))
    rows = list(report.items())
    assert [row["id"] for row in rows] == [row["id"] for row in suite.items() if row["split"] == "test"]
    assert summary(rows) == report.summary()
    found = report.summary()
    assert found["accuracy.letter"].n == 9
    assert found["accuracy.letter.zh"].n == 5
    assert found["accuracy.letter.exam/fees"].n == 4
    assert found["accuracy.letter.money"].n == 4
    assert found["accuracy.generate"].n == 3
    assert not [name for name in found if name == "accuracy"], "a number without its mode mixes modes"
    assert {row["outcome"] for row in rows if row["mode"] == "letter"} == {"answered"}
    observed = [json.loads(line) for line in (report.path / OBSERVED).read_text("utf-8").splitlines()]
    assert [row["id"] for row in observed] == [row["id"] for row in rows]
    again = score(Score(), model, suite, run=Run(tmp_path / "again"))
    assert again.digest() == report.digest()


@pytest.mark.parametrize("mode", ["letter", "text"])
def test_likelihoods_are_those_of_the_whole_text(model, suite, tmp_path, mode):
    report = score(Score(mode=mode, tasks=("exam/*",), engine="torch-float32"), model, suite, run=Run(tmp_path / "r"))
    items = {one["id"]: one for one in suite.items()}
    engine = TorchEngine(model, "float32")
    for row in report.items():
        one = items[row["id"]]
        task = {FEES.name: FEES, CARDS.name: CARDS}[row["task"]]
        shots = [other for other in items.values() if other["task"] == task.name and other["split"] == "shots"]
        blank = " " if task is FEES else ""
        ask = "Answer:" if task is FEES else "答案："
        text = ""
        for other in [*shots, one]:
            lines = [f"{letter}. {option}" for letter, option in zip("ABCD", other["options"], strict=True)]
            text += "\n".join([other["question"], *(lines if mode == "letter" else []), ask])
            if other is not one:
                text += (
                    blank + ("ABCD"[other["label"]] if mode == "letter" else other["options"][other["label"]]) + "\n\n"
                )
        ends = [blank + end for end in ("ABCD" if mode == "letter" else one["options"])]
        whole = [engine.codec.encode(text + end) for end in ends]
        alone = engine.codec.encode(text)
        own = min(next((at for at in range(len(alone)) if alone[at] != ids[at]), len(alone)) for ids in whole)
        expected = totals(engine, Prompt(tuple(whole[0][:own])), [ids[own:] for ids in whole])
        assert row["log_probabilities"] == pytest.approx(expected, abs=1e-4)
        sizes = [len(option) if mode == "text" else 1 for option in one["options"]]
        best = max(range(4), key=lambda at: row["log_probabilities"][at] / sizes[at])
        assert row["chosen"] == best
        assert row["score"] == (best == one["label"])


def test_short_answers_have_exact_match_and_f1(tmp_path):
    row = {
        "measure": "exact_match",
        "mode": "generate",
        "language": "zh",
        "task": "t",
        "cluster": "",
        "outcome": "answered",
    }
    rows = [
        {**row, "id": "a", "score": 1.0, "detail": {"f1": 1.0}},
        {**row, "id": "b", "score": 0.0, "detail": {"f1": 0.5}},
    ]
    found = summary(rows)
    assert (found["exact_match.generate"].value, found["f1.generate"].value, found["f1.generate.zh"].value) == (
        0.5,
        0.75,
        0.75,
    )


def test_a_collection_has_the_leaderboards_numbers(model, suite, tmp_path):
    about = {"name": "open-llm-v2", "version": "1", "licence": "own", "origin": "tests"}
    items = [one for one in suite.items() if one["task"] != "sums"]
    made = sealed(Benchmark(about, (FEES, CARDS), items, []), Run(tmp_path / "s"))
    found = score(Score(), model, made, run=Run(tmp_path / "r")).summary()
    fees, cards = (found[f"accuracy.letter.{task.name}"].value for task in (FEES, CARDS))
    wanted = (max(0.0, (fees - 0.25) / 0.75) + cards) / 2
    assert found["open-llm-v2"].value == found["open-llm-v2.exam"].value == pytest.approx(wanted)


def test_several_samples_of_an_item_have_a_mean_and_pass_at_k(model, suite, tmp_path):
    config = Score(tasks=("sums",), samples=3, temperature=1.0)
    report = score(config, model, suite, run=Run(tmp_path / "r"))
    rows = list(report.items())
    assert all(len(row["samples"]) == 3 for row in rows)
    assert len({one["output"] for row in rows for one in row["samples"]}) > 3, "each sample has a seed of its own"
    again = score(config, model, suite, run=Run(tmp_path / "again"))
    assert again.digest() == report.digest()
    turned = [{**row, "samples": [{**one, "output": row["references"][0]} for one in row["samples"]]} for row in rows]
    kept = Report.write(tmp_path / "kept", "score", {}, turned, (), report.content["facts"])
    judged_again = rejudge(Rejudge(), kept, suite, Run(tmp_path / "judged"))
    assert [row["score"] for row in judged_again.items()] == [1.0, 1.0, 1.0]
    programs = [
        {**row, "measure": "pass_at_1", "samples": [{"score": float(at < 2)} for at in range(4)]} for row in rows
    ]
    assert summary(programs)["pass_at_4.generate"].value == 1
    with pytest.raises(ConfigError, match="all the same"):
        score(Score(tasks=("sums",), samples=2), model, suite, run=Run(tmp_path / "greedy"))


def test_a_limit_takes_items_with_their_twins(model, suite, tmp_path):
    twins = perturb(Perturb(kinds=("filler", "option_order"), limit=2), suite, Run(tmp_path / "twins"))
    report = score(Score(tasks=("exam/*",), limit=3), model, twins, run=Run(tmp_path / "r"))
    rows = list(report.items())
    own = {row["id"] for row in rows if not row["twin_of"]}
    assert len(own) == 6
    kinds = [(row["twin_of"], row["perturbation"]) for row in rows if row["twin_of"]]
    assert len(kinds) == len({*kinds}) == 8
    assert {one for one, _ in kinds} <= own
    assert report.summary()["accuracy.letter"].n == 6, "twins are no items of their own"


def test_a_killed_run_asks_only_what_is_missing(model, suite, tmp_path, monkeypatch):
    monkeypatch.setattr(scoring, "_TOGETHER", 1)
    whole = list(score(Score(), model, suite, run=Run(tmp_path / "whole")).items())
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    marked = {**whole[0], "category": "from before the kill"}
    (scratch / "items.jsonl").write_text(json.dumps(marked) + "\n" + json.dumps(whole[1])[:50], "utf-8")
    resumed = list(score(Score(), model, suite, run=Run(tmp_path / "resumed", scratch)).items())
    assert resumed[0]["category"] == "from before the kill"
    assert resumed[1:] == whole[1:]


def test_what_fails_is_neither_right_nor_wrong(model, suite, tmp_path):
    run = Run(tmp_path / "r")
    report = score(Score(tasks=("exam/*",), context=56, shots=1), model, suite, run=run)
    rows = list(report.items())
    failed = [row for row in rows if row["outcome"] == "failed"]
    assert failed
    assert len(failed) < len(rows)
    assert all(row["score"] is None and "longer than 56 tokens" in row["reason"] for row in failed)
    found = report.summary()
    assert found["accuracy.letter"].n == len(rows) - len(failed)
    assert found["accuracy.letter.at_worst"].n == len(rows)
    assert found["failed"].value == pytest.approx(len(failed) / len(rows))
    assert any("failed" in note for note in report.content["notes"])


def test_numbers_that_are_none_are_failures(model, suite, tmp_path, monkeypatch):
    import torch

    def broken(model, _):
        engine = TorchEngine(model)
        with torch.no_grad():
            for weight in engine._module.parameters():
                weight.fill_(math.nan)
        return engine

    monkeypatch.setattr(scoring, "load", broken)
    with pytest.raises(StepFailed, match="all 9 items failed: the model's output is not a number"):
        score(Score(tasks=("exam/*",)), model, suite, run=Run(tmp_path / "r"))


def test_one_item_that_cannot_be_asked_fails_alone(model, suite, tmp_path):
    items = [*suite.items()]
    items[-1] = {**items[-1], "task": "exam/fees"}
    about = {"name": "odd", "version": "1", "licence": "own", "origin": "tests"}
    odd = sealed(
        Benchmark(about, (FEES,), [one for one in items if one["task"] == "exam/fees"], []), Run(tmp_path / "s")
    )
    rows = list(score(Score(), model, odd, run=Run(tmp_path / "r")).items())
    assert [row["outcome"] for row in rows] == ["answered"] * 4 + ["failed"]
    assert "has no options to compare" in rows[-1]["reason"]


def test_verdicts_are_given_again_without_the_model(model, suite, tmp_path):
    first = score(Score(), model, suite, run=Run(tmp_path / "r"))
    rows = [
        {**row, "output": "the answer is 2", "finish": "stop"} if row["task"] == "sums" else row
        for row in first.items()
    ]
    kept = Report.write(tmp_path / "kept", "score", summary(rows), rows, (), first.content["facts"])
    again = rejudge(Rejudge(), kept, suite, Run(tmp_path / "again"))
    judged = {row["id"]: row["score"] for row in again.items() if row["task"] == "sums"}
    assert judged == {"sums/0": 0.0, "sums/1": 1.0, "sums/2": 0.0}
    assert again.summary()["accuracy.generate"].value == pytest.approx(1 / 3)
    same = rejudge(Rejudge(), first, suite, Run(tmp_path / "same"))
    assert list(same.items()) == list(first.items())


def test_outcomes_of_what_is_written_are_told_apart(suite):
    task = scoring.tasks_of(suite)["sums"]
    one = next(row for row in suite.items() if row["task"] == "sums")
    for raw, outcome, value in (
        (scoring.Raw("1", "stop"), "answered", 1.0),
        (scoring.Raw("  \n", "stop"), "empty", 0.0),
        (scoring.Raw("let me think about", "length"), "truncated", 0.0),
        (scoring.Raw("I do not know", "stop"), "unparsed", 0.0),
        (scoring.Raw(failure="timed out"), "failed", None),
    ):
        found = judged(one, task, "generate", raw, "none")
        assert (found["outcome"], found["score"]) == (outcome, value), raw


def test_scores_stand_on_clean_items_beside_all(model, suite, tmp_path):
    said = [
        {"suite": "own", "id": row["id"], "verdict": ("clean", "contaminated", "not testable")[number % 3]}
        for number, row in enumerate(suite.items())
        if row["task"] != "sums"
    ]
    contamination = Report.write(tmp_path / "c", "contamination", {}, said)
    found = score(Score(), model, suite, contamination, run=Run(tmp_path / "r")).summary()
    sizes = [found[f"accuracy.letter.{name}"].n for name in ("clean", "contaminated", "not_testable")]
    assert sum(sizes) == found["accuracy.letter"].n
    assert found["accuracy.generate.not_scanned"].n == 3


def test_a_run_stops_when_the_score_is_known(model, tmp_path):
    items = [item(f"many/{at}", SUMS, f"{at} - {at} =", answers=["0"], split="test") for at in range(300)]
    about = {"name": "many", "version": "1", "licence": "own", "origin": "tests"}
    suite = sealed(Benchmark(about, (SUMS,), items, []), Run(tmp_path / "s"))
    earlier = Report.write(
        tmp_path / "e", "e", {}, [{"id": one["id"], "score": at % 2} for at, one in enumerate(items)]
    )
    config = Score(within=6, max_tokens=1)
    report = score(config, model, suite, earlier=(earlier,), run=Run(tmp_path / "r"))
    told = report.content["facts"]["within"]
    measure = report.summary()["accuracy.generate.of_all"]
    assert told["asked"] == len(list(report.items())) == measure.n < told["of"] == 300
    assert (measure.high - measure.low) / 2 <= 0.06
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    kept = list(report.items())[:40]
    (scratch / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept), "utf-8")
    again = score(config, model, suite, earlier=(earlier,), run=Run(tmp_path / "again", scratch))
    assert [row["id"] for row in again.items()] == [row["id"] for row in report.items()]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (Score(within=1), "these tasks have 2: accuracy.generate, accuracy.letter"),
        (Score(tasks=("exam/fee",)), "Did you mean 'exam/fees'"),
        (Score(tasks=("sums",), mode="letter"), "has no options to compare"),
        (Score(tasks=("exam/fees",), shots=3), "has 2 solved examples, not 3"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(model, suite, tmp_path, config, message):
    with pytest.raises(ConfigError, match=message):
        score(config, model, suite, run=Run(tmp_path / "r"))


class Server(BaseHTTPRequestHandler):
    """An endpoint for chat that fails for some questions, and names a few of the likeliest tokens for others."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = asked["messages"][-1]["content"].rpartition("\n\n")[2]
        if "card 2" in text:
            self.send_response(400)
            self.end_headers()
            return
        top = [{"token": " B", "logprob": -0.5}, {"token": "B", "logprob": -2.0}, {"token": "A", "logprob": -1.5}]
        logs = {"content": [{"token": " B", "logprob": -0.5, "top_logprobs": top}]}
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": "B"},
            "finish_reason": "length",
            "logprobs": logs,
        }
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"id": "1", "choices": [choice]}).encode())

    def log_message(self, *_):
        pass


def test_an_endpoint_scores_letters_by_one_request_an_item(model, suite, tmp_path, monkeypatch):
    pytest.importorskip("openai", reason="the package openai is not installed: pip install 'septet[client]'")
    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("SEPTET_ENDPOINT", f"http://127.0.0.1:{server.server_port}/v1")
    try:
        config = Score(tasks=("exam/fees",), engine="endpoint", chat=True)
        report = score(config, model, suite, run=Run(tmp_path / "r"))
        rows = {row["id"]: row for row in report.items()}
        both = math.log(math.exp(-0.5) + math.exp(-2.0))
        assert rows["exam/fees/3"]["log_probabilities"] == pytest.approx([-1.5, both, -2.0, -2.0], abs=1e-4)
        assert rows["exam/fees/3"]["bound"]
        assert rows["exam/fees/2"]["outcome"] == "failed"
        assert "the endpoint failed" in rows["exam/fees/2"]["reason"]
        with pytest.raises(ConfigError, match="does not tell the probability"):
            score(
                Score(tasks=("exam/fees",), engine="endpoint", chat=True, mode="text"),
                model, suite, run=Run(tmp_path / "t"),
            )  # fmt: skip
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_endpoint_that_is_not_there_ends_the_run(model, suite, tmp_path, monkeypatch):
    pytest.importorskip("openai", reason="the package openai is not installed: pip install 'septet[client]'")
    monkeypatch.setenv("SEPTET_ENDPOINT", "http://127.0.0.1:9/v1")
    monkeypatch.setattr(scoring, "_HOPELESS", 2)
    with pytest.raises(StepFailed, match="the first 2 items failed: the endpoint failed"):
        score(Score(tasks=("exam/fees",), engine="endpoint", chat=True), model, suite, run=Run(tmp_path / "r"))

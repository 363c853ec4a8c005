"""Gemma 3 270M learns finance and instructions from a few thousand rows: by LoRA, in full, and as it is served afterwards.

    SEPTET_SHARED=FOLDER  python benchmarks/run.py finance

Rows: questions of Fin-Eva with their right letter, intents of Banking77, answers from financial reports (TAT-QA), open answers
of DISC-FinLLM, BELLE and self-instruct. Held out: questions of the first three; a report is on one side only. Exact match
counts an answer that is the reference but for blanks, case and punctuation. The model that LoRA made is folded, written as
GGUF in 16 and 8 bits and asked the same through llama.cpp, which is what a release serves;
all others answer in float32.

`SEPTET_BENCH_MODEL` names a model folder in place of Gemma, `SEPTET_BENCH_SHARE` (1: all) makes it small.
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import adapters

from septet import statistics
from septet.compress.steps import Merge, Quantise, merge, quantise
from septet.core import Run
from septet.files import read_json, write_json
from septet.kinds import Adapter, Conversations, Model
from septet.train import steps

SHARE = float(os.environ.get("SEPTET_BENCH_SHARE", "1"))
CORPORA = adapters.SHARED / "corpora"
ARMS: dict[str, tuple[Any, Any]] = {
    "LoRA": (steps.lora, steps.Lora(batch=16)),
    "all weights": (steps.finetune, steps.FineTune(batch=8, accumulate=4, learning_rate=5e-5)),
}
FAMILIES = {
    "fin-eva": ("Fin-Eva, zh", 160, 4000),
    "banking": ("Banking77, en", 80, 1200),
    "tatqa": ("TAT-QA, en", 60, 400),
}
_LONGEST = 400
"""Characters of an open row: longer ones would take most of the time."""


def measure() -> list[str]:
    if not (CORPORA / "fin-eva-zh").is_dir():
        return [f"Not measured: {CORPORA} holds no Fin-Eva; name the folder with SEPTET_SHARED."]
    with tempfile.TemporaryDirectory(prefix="septet-bench-") as scratch:
        place = Path(scratch)
        counts = _lay_out(place)
        model = adapters._model(place)
        said = {}
        for name in ("base", *ARMS):
            done = subprocess.run(
                [sys.executable, __file__, name, str(model), str(place)], stdout=subprocess.PIPE, text=True, check=True
            )
            said |= json.loads(done.stdout.splitlines()[-1])
        return table(read_json(place / "questions.json"), counts, said)


def table(questions: list[dict[str, Any]], counts: dict[str, int], said: dict[str, dict[str, Any]]) -> list[str]:
    """One line an arm; what it gains on base is paired, question by question."""
    lines = [
        f"Rows: {', '.join(f'{count} of {name}' for name, count in counts.items())}; once. Intervals of 95 %.",
        "",
        f"| model | {' | '.join(title for title, *_ in FAMILIES.values())} | gain on base | same answers as LoRA | CPU s | loss |",
        f"|---|{'---|' * len(FAMILIES)}---|---|---|---|",
    ]
    right = {
        name: [_right(*both) for both in zip(questions, one["answers"], strict=True)] for name, one in said.items()
    }
    for name, one in said.items():
        cells = []
        for family in FAMILIES:
            hits = [hit for hit, asked in zip(right[name], questions, strict=True) if asked["family"] == family]
            cells.append(_shown(statistics.share(sum(hits), len(hits))))
        gained = statistics.gain([*map(float, right["base"])], [*map(float, right[name])])
        same = sum(a == b for a, b in zip(one["answers"], said["LoRA"]["answers"], strict=True))
        cells += [_shown(gained) if name != "base" else "-", f"{same} of {len(questions)}" if "LoRA" in name else "-"]
        lines.append(f"| {name} | {' | '.join(cells)} | {one.get('seconds', '-')} | {one.get('loss', '-')} |")
    return lines


def _right(asked: dict[str, Any], answer: str) -> bool:
    return adapters._plain(answer) == adapters._plain(asked["messages"][1]["content"])


def _shown(measure: Any) -> str:
    return f"{measure.value:.2f} [{measure.low:.2f}, {measure.high:.2f}]"


def _lay_out(place: Path) -> dict[str, int]:
    chance = random.Random(1)
    rows: list[dict[str, Any]] = []
    questions: list[dict[str, Any]] = []
    counts = {}
    for (name, (_, asked, most)), made in zip(
        FAMILIES.items(), (_fin_eva(), _banking(), list(adapters._tatqa(chance))), strict=True
    ):
        train, test = adapters.parted(made, _some(most), _some(asked), chance)
        questions += [{**one, "family": name} for one in test]
        rows += train
        counts[name] = len(train)
    instructions = list(_instructions())
    rows += instructions[: _some(len(instructions))]
    counts["open answers"] = len(rows) - sum(counts.values())
    Conversations.write(place / "rows", rows)
    write_json(place / "questions.json", questions)
    return counts


def _some(count: int) -> int:
    return max(4, round(count * SHARE))


def _fin_eva() -> list[dict[str, Any]]:
    rows = []
    for path in sorted((CORPORA / "fin-eva-zh").glob("*/*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            read = list(csv.DictReader(file))
        for row in read:
            options = [(letter, row[letter]) for letter in "ABCD" if row.get(letter)]
            context = f"{row['context']}\n" if row.get("context") else ""
            listed = "\n".join(f"{letter}. {text}" for letter, text in options)
            text = f"{context}问题：{row['question']}\n{listed}\n答案："
            if row["answer"] in dict(options) and len(text) <= _LONGEST:
                rows.append(adapters._row(f"{path.stem}-{row['id']}", row["question"], text, row["answer"]))
    return rows


def _banking() -> list[dict[str, Any]]:
    with (CORPORA / "banking77-en" / "train.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    return [
        adapters._row(str(number), row["text"], f"Customer: {row['text']}\nIntent:", row["category"].replace("_", " "))
        for number, row in enumerate(read)
    ]


def _instructions() -> Iterator[dict[str, Any]]:
    for number, (question, answer) in enumerate(_pairs()):
        if answer.strip() and len(question) + len(answer) <= _LONGEST:
            yield adapters._row(f"open-{number}", question, question, answer)


def _pairs() -> Iterator[tuple[str, str]]:
    for name in ("consulting", "task", "computing"):
        for row in json.loads((CORPORA / "disc-fin-sft-zh" / f"{name}_part.json").read_text("utf-8")):
            yield f"{row['instruction']}\n{row.get('input', '')}".strip(), row["output"]
    for name in ("self-instruct-seed_tasks.en", "belle-seed_tasks.zh"):
        for line in (CORPORA / "instructions-en-zh" / f"{name}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            yield f"{row['instruction']}\n{row['instances'][0]['input']}".strip(), row["instances"][0]["output"]
    for line in (CORPORA / "instructions-en-zh" / "belle-eval_set.zh.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        yield row["question"], row["std_answer"]


def _one(name: str, model: Model, place: Path) -> dict[str, Any]:
    """Train one arm and ask it; LoRA as it is served as well."""
    from septet.inference.llamacpp import LlamaCppEngine
    from septet.inference.torch_engine import TorchEngine

    if name == "base":
        return {name: {"answers": _answers(TorchEngine(model, "float32"), place)}}
    step, config = ARMS[name]
    start = time.process_time()
    made = step(config, model, Conversations(place / "rows"), Run(place / f"out-{name}"))
    log = read_json(made.path / "training.json")
    loss = f"{log['validation_loss_before']:.2f} to {log['validation_loss_after']:.2f}"
    told = {"seconds": round(time.process_time() - start), "loss": loss}
    if isinstance(made, Model):
        return {name: {"answers": _answers(TorchEngine(made, "float32"), place), **told}}
    said = {name: {"answers": _answers(TorchEngine(model, "float32").with_adapter(Adapter(made.path)), place), **told}}
    merged = merge(Merge(), model, made, Run(place / "merged"))
    for bits, form in ((16, "f16"), (8, "q8_0")):
        served = quantise(Quantise(format=form), merged, Run(place / form))
        said[f"LoRA, served in {bits} bits"] = {"answers": _answers(LlamaCppEngine(served), place)}
    return said


def _answers(engine: Any, place: Path) -> list[str]:
    from septet.inference.protocol import Options

    prompts = [engine.codec.prompt(one["messages"][:1]) for one in read_json(place / "questions.json")]
    return [one.text for one in engine.generate(prompts, Options(max_tokens=40, stop=("\n",)))]


if __name__ == "__main__":
    print(json.dumps(_one(sys.argv[1], Model(Path(sys.argv[2])), Path(sys.argv[3]))))

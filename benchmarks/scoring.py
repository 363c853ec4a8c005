"""Scoring by likelihood beside lm-evaluation-harness: the same task files, items, model and thread, in float32.

    SEPTET_SHARED=FOLDER  SEPTET_BENCH_MODELS='FOLDER;FOLDER'  SEPTET_PEER_LM_EVAL=PYTHON  python benchmarks/run.py scoring

SEPTET_PEER_LM_EVAL has lm_eval and torch installed. Each arm is a process of its own (`scoring_arms.py`) on one thread, arms take
turns SEPTET_BENCH_REPEATS times (3), and the middle counts. Imports, the model and the reading of files are counted apart from the
scoring, in CPU seconds. The harness runs Hugging Face with batches of 8, and Septet the step `evaluate.score` whole, with its store
of items. SEPTET_BENCH_ITEMS (120) items are asked of each benchmark, 40 a subject, as a whole subject has them; a random Llama of
six million weights stands beside the real models, and SEPTET_BENCH_TASKS may name fewer benchmarks. The harness is asked once
more in float64, which tells whose rounding a difference is.
"""

from __future__ import annotations

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from septet.core import Run
from septet.kinds import Tokenizer

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("SEPTET_SHARED", HERE.parents[1] / "shared"))
ITEMS = int(os.environ.get("SEPTET_BENCH_ITEMS", "120"))
REPEATS = int(os.environ.get("SEPTET_BENCH_REPEATS", "3"))
PEER = os.environ.get("SEPTET_PEER_LM_EVAL", "")
_EACH = 40
_SHOTS = 5
_LETTERS = "{{question}}\\nA. {{options[0]}}\\nB. {{options[1]}}\\nC. {{options[2]}}\\nD. {{options[3]}}\\n"
TASKS = {
    "mmlu_letters": ("MMLU, 5 examples, letters", "mmlu", f"{_LETTERS}Answer:", '["A", "B", "C", "D"]'),
    "mmlu_texts": ("MMLU, 5 examples, whole texts", "mmlu", "{{question}}\\nAnswer:", "options"),
    "ceval_letters": ("C-Eval, 5 examples, letters", "ceval", f"{_LETTERS}答案：", '["A", "B", "C", "D"]'),
}
HEADERS = {
    "mmlu": "The following are questions with one right answer.",
    "ceval": "以下是单项选择题，每题只有一个正确答案。",
}


def measure() -> list[str]:
    if not (SHARED / "benchmarks").is_dir() or not PEER:
        return [
            "Not measured: name the data with SEPTET_SHARED, and with SEPTET_PEER_LM_EVAL a Python that has lm_eval."
        ]
    chosen = os.environ.get("SEPTET_BENCH_TASKS", " ".join(TASKS)).split()
    lines = [
        "| model | benchmark | items | lm_eval, CPU s an item | Septet, CPU s an item | Septet is faster by | "
        "memory at most, MB: lm_eval, Septet | before scoring, CPU s: lm_eval, Septet | "
        "log-probabilities differ by at most | from float64 by at most: lm_eval, Septet | same answers |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory(prefix="septet-bench-") as scratch:
        place = Path(scratch)
        subjects = {name: task_files(place / name, name) for name in chosen}
        models = [Path(one) for one in os.environ.get("SEPTET_BENCH_MODELS", "").split(";") if one]
        for model in [random_llama(place), *models]:
            for name in chosen:
                said: dict[str, list[dict[str, Any]]] = {"lm_eval": [], "septet": []}
                for _ in range(REPEATS):
                    for arm, results in said.items():
                        results.append(one(arm, place / name, model, subjects[name]))
                exact = one("exact", place / name, model, subjects[name])["items"]
                lines.append(row(model, TASKS[name][0], said, exact))
                print(lines[-1], file=sys.stderr, flush=True)
    return lines


def row(model: Path, title: str, said: dict[str, list[dict[str, Any]]], exact: dict[str, list[float]]) -> str:
    """A line of the table: the middle of the rounds; differences are the largest of all items."""
    theirs, ours = said["lm_eval"], said["septet"]
    count = len(theirs[0]["items"])
    if theirs[0]["items"].keys() != ours[0]["items"].keys():
        raise SystemExit(f"{title}: the arms asked other items")
    speed = {arm: statistics.median(each["cpu"] for each in rounds) / count for arm, rounds in said.items()}
    before = {arm: statistics.median(each["before"] for each in rounds) for arm, rounds in said.items()}
    memory = {arm: max(each["memory_mb"] for each in rounds) for arm, rounds in said.items()}
    pairs = [(theirs[0]["items"][key], ours[0]["items"][key]) for key in theirs[0]["items"]]
    apart = max(abs(a - b) for one, two in pairs for a, b in zip(one, two, strict=True))
    a_token = max(
        abs(a - b) / size
        for (one, two), sizes in zip(pairs, (ours[0]["tokens"][key] for key in theirs[0]["items"]), strict=True)
        for a, b, size in zip(one, two, sizes, strict=True)
    )
    off = {
        arm: max(abs(a - b) for key, true in exact.items() for a, b in zip(rounds[0]["items"][key], true, strict=True))
        for arm, rounds in said.items()
    }
    same = sum(one.index(max(one)) == two.index(max(two)) for one, two in pairs)
    return (
        f"| {model.name} | {title} | {count} | {speed['lm_eval']:.4f} | {speed['septet']:.4f} | "
        f"{speed['lm_eval'] / speed['septet']:.1f} | {memory['lm_eval']:,.0f}, {memory['septet']:,.0f} | "
        f"{before['lm_eval']:.1f}, {before['septet']:.1f} | {apart:.1e} ({a_token:.1e} a token) | "
        f"{off['lm_eval']:.1e}, {off['septet']:.1e} | {same}/{count} |"
    )


def one(arm: str, folder: Path, model: Path, names: list[str]) -> dict[str, Any]:
    python = sys.executable if arm == "septet" else PEER
    command = [python, str(HERE / "scoring_arms.py"), arm, str(folder), str(model), ",".join(names)]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(folder / "cache"),
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
    }
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if made.returncode:
        raise SystemExit(f"{arm} failed:\n{made.stdout[-2000:]}\n{made.stderr[-4000:]}")
    return dict(json.loads(made.stdout.strip().splitlines()[-1]))


def task_files(folder: Path, name: str) -> list[str]:
    """Task files in the harness's form, one a subject, with their items as JSON lines. Returns the tasks' names."""
    _, benchmark, text, choices = TASKS[name]
    folder.mkdir()
    left, names = ITEMS, []
    subjects = subjects_of(benchmark)
    # Evenly over the alphabet: a subject's examples may be short or long, and what is shared is worth as much.
    apart = max(1, len(subjects) // (-(-ITEMS // _EACH) + 1))
    for subject, items, shots in [*subjects[apart::apart], *subjects]:
        if left <= 0:
            break
        task = f"{name}_{subject}"
        if task in names:
            continue
        asked = items[: min(left, _EACH)]
        left -= len(asked)
        files = {}
        for split, rows in (("test", asked), ("dev", shots[:_SHOTS])):
            path = folder / f"{task}_{split}.jsonl"
            path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
            files[split] = str(path)
        lines = {
            "task": task,
            "dataset_path": "json",
            "dataset_kwargs": json.dumps({"data_files": files}),
            "test_split": "test",
            "fewshot_split": "dev",
            "fewshot_config": "{sampler: first_n}",
            "num_fewshot": str(_SHOTS),
            "output_type": "multiple_choice",
            "description": f'"{HEADERS[benchmark]}\\n\\n"',
            "doc_to_text": f'"{text}"',
            "doc_to_choice": choices,
            "doc_to_target": "right",
            "metric_list": "[{metric: acc, aggregation: mean, higher_is_better: true}]",
        }
        (folder / f"{task}.yaml").write_text("\n".join(f"{key}: {value}" for key, value in lines.items()), "utf-8")
        names.append(task)
    return names


def subjects_of(benchmark: str) -> list[tuple[str, list[dict[str, Any]], list[dict[str, Any]]]]:
    """Subjects with their items and solved examples."""
    split = {"mmlu": "test", "ceval": "val"}[benchmark]
    root = SHARED / "benchmarks" / benchmark
    found = []
    for path in sorted((root / split).glob("*.csv")):
        subject = path.stem.removesuffix(f"_{split}")
        found.append((subject, rows_of(path), rows_of(root / "dev" / f"{subject}_dev.csv")))
    return found


def rows_of(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    if lines[0][:2] == ["id", "question"]:
        lines = [line[1:] for line in lines[1:]]
    return [
        {"question": line[0].strip(), "options": line[1:5], "right": "ABCD".index(line[5].strip())} for line in lines
    ]


def random_llama(folder: Path) -> Path:
    """Six million random weights, and a tokenizer of 12,000 pieces trained on the benchmarks' own text."""
    from tokenizers import Tokenizer as Library
    from tokenizers import decoders, models, pre_tokenizers, trainers

    from septet.model.steps import Decoder, decoder

    texts = [
        f"{row['question']}\n{option}"
        for benchmark in ("mmlu", "ceval")
        for _, items, _ in subjects_of(benchmark)
        for row in items
        for option in row["options"]
    ]
    library = Library(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    special = ["<|pad|>", "<|begin|>", "<|end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=12000, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    library.train_from_iterator(texts, trainer)
    place = folder / "tokenizer"
    place.mkdir()
    library.save(str(place / "tokenizer.json"))
    names = dict(zip(("pad_token", "bos_token", "eos_token"), special, strict=True))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
    (place / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
    wanted = Decoder(layers=6, width=256, heads=4, kv_heads=2, context=4096, seed=1)
    return decoder(wanted, Tokenizer(place), Run(folder / "random-llama")).path

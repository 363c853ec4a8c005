"""What each means of training faster or in less memory does here, to one decoder of 10 million parameters.

    SEPTET_BENCH_CORPUS=FOLDER  python benchmarks/run.py levers

Every arm is a process of its own on one thread that pretrains on the same rows through the step itself; arms take turns. CPU
seconds without the first steps, memory at most, and the loss of the last step, which tells what an arm costs in quality.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

STEPS = int(os.environ.get("SEPTET_BENCH_STEPS", "12"))
ROUNDS = int(os.environ.get("SEPTET_BENCH_ROUNDS", "3"))
BATCH = 8
ARMS: dict[str, dict[str, Any]] = {
    "float32": {"precision": "float32"},
    "bfloat16": {"precision": "bfloat16"},
    "bfloat16, two parts of a step": {"precision": "bfloat16", "accumulate": 2},
    "bfloat16, eight parts of a step": {"precision": "bfloat16", "accumulate": 8},
    "bfloat16, layers computed again": {"precision": "bfloat16", "checkpointing": True},
    "bfloat16, torch's compiler": {"precision": "bfloat16", "compile": True},
}


def measure() -> list[str]:
    where = os.environ.get("SEPTET_BENCH_CORPUS")
    if not where:
        return ["Not measured: SEPTET_BENCH_CORPUS names no corpus; see `benchmarks/corpus.py`."]
    with tempfile.TemporaryDirectory(prefix="septet-bench-") as scratch:
        folder = Path(scratch)
        prepare(folder, Path(where))
        said: dict[str, list[dict[str, Any]]] = {arm: [] for arm in ARMS}
        for _ in range(ROUNDS):
            for arm, settings in ARMS.items():
                said[arm].append(one(folder, settings))
    lines = [
        f"{BATCH} rows of 512 tokens a step, {STEPS} steps.",
        "",
        "| | tokens a CPU s | against float32 | memory at most, MB | loss of the last step |",
        "|---|---|---|---|---|",
    ]
    first = speed(said["float32"])
    for arm, rounds in said.items():
        memory = statistics.median(round_["memory_mb"] for round_ in rounds)
        loss = rounds[0]["losses"][-1]
        lines.append(f"| {arm} | {speed(rounds):,.0f} | {speed(rounds) / first:.2f} | {memory:,.0f} | {loss:.3f} |")
    return lines


def speed(rounds: list[dict[str, Any]]) -> float:
    return statistics.median(BATCH * 512 / cpu for round_ in rounds for cpu in round_["cpu"][3:])


def prepare(folder: Path, corpus: Path) -> None:
    from septet.core import Run
    from septet.data.steps import Pack, TrainTokenizer, pack, tokenizer
    from septet.kinds import Corpus
    from septet.model.steps import Decoder, decoder

    part = sorted((corpus / "corpus").glob("part-*.parquet"))[0]
    (folder / "texts").mkdir()
    shutil.copyfile(part, folder / "texts" / part.name)
    texts = Corpus(folder / "texts")
    made = tokenizer(TrainTokenizer(vocabulary=8192), texts, Run(folder / "tokenizer"))
    pack(Pack(sequence=512), texts, made, Run(folder / "tokens"))
    shape = Decoder(layers=8, width=256, heads=4, feed_forward=1024, context=512)
    decoder(shape, made, Run(folder / "model"))


def one(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="septet-bench-") as out:
        command = [sys.executable, __file__, str(folder), out, json.dumps(settings)]
        made = subprocess.run(
            command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
        )
    if made.returncode:
        raise SystemExit(f"{settings} failed:\n{made.stderr[-3000:]}")
    return dict(json.loads(made.stdout.strip().splitlines()[-1]))


def arm(folder: Path, out: Path, settings: dict[str, Any]) -> None:
    from septet.core import Run
    from septet.kinds import Model, Tokens
    from septet.train.steps import Pretrain, pretrain

    cpu: list[float] = []
    losses: list[float] = []
    last = [time.process_time()]

    def said(event: Any) -> None:
        if event.kind == "metric" and event.metric == "loss":
            now = time.process_time()
            cpu.append(now - last[0])
            losses.append(event.value)
            last[0] = now

    config = Pretrain(steps=STEPS, batch=BATCH, held_out=0.0, **settings)
    pretrain(config, Model(folder / "model"), Tokens(folder / "tokens"), Run(out / "out", emit=said))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": cpu, "losses": losses, "memory_mb": memory}))


if __name__ == "__main__":
    arm(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))

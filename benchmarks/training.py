"""Training speed beside its peers, on the same rows, weights and schedule: decoders of 10 and 50 million parameters at 512 tokens.

    SEPTET_BENCH_CORPUS=FOLDER  SEPTET_PEER_TRL=PYTHON  SEPTET_PEER_LITGPT=PYTHON  python benchmarks/run.py training

SEPTET_PEER_TRL has torch, transformers, trl, accelerate and datasets installed, SEPTET_PEER_LITGPT litgpt. Every arm is a
process of its own on one thread (`training_arms.py`), which says of each step its loss and CPU seconds from the end of the
step before; arms take turns, the first steps of each are left out, and the middle of the rest counts. Septet is measured
through its own loop, with clipping, events and all. The peak is that of bfloat16 products of 2048 x 1024 x 1024 in the same run.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("SEPTET_BENCH_ROUNDS", "3"))
STEPS = int(os.environ.get("SEPTET_BENCH_STEPS", "10"))
SEQUENCE, BATCH = 512, 4
SIZES = {
    "10M": {
        "hidden_size": 256,
        "intermediate_size": 1024,
        "num_hidden_layers": 8,
        "num_attention_heads": 4,
        "vocab_size": 8192,
    },
    "50M": {
        "hidden_size": 512,
        "intermediate_size": 1408,
        "num_hidden_layers": 12,
        "num_attention_heads": 8,
        "vocab_size": 16384,
    },
}
PEERS = {
    "trainer": os.environ.get("SEPTET_PEER_TRL", ""),
    "trl": os.environ.get("SEPTET_PEER_TRL", ""),
    "litgpt": os.environ.get("SEPTET_PEER_LITGPT", ""),
}
NAMES = {
    "septet": "Septet",
    "trainer": "HF Trainer, bf16",
    "trl": "TRL SFTTrainer, bf16",
    "litgpt": "litgpt, bf16-true",
}


def measure() -> list[str]:
    where = os.environ.get("SEPTET_BENCH_CORPUS")
    if not where:
        return [
            "Not measured: SEPTET_BENCH_CORPUS names no corpus; build one with `python benchmarks/corpus.py FOLDER`."
        ]
    lines: list[str] = []
    for size, shape in SIZES.items():
        with tempfile.TemporaryDirectory(prefix="septet-bench-") as scratch:
            folder = Path(scratch)
            prepare(folder, Path(where), shape)
            lines += ["", f"### {size}, rows of {SEQUENCE} tokens without padding, {BATCH} a step, one thread", ""]
            lines += full_rows(folder)
            lines += ["", f"### {size}, documents as they come, {BATCH * SEQUENCE} tokens a step or about as many", ""]
            lines += as_they_come(folder)
    return lines[1:]


def prepare(folder: Path, corpus: Path, shape: dict[str, int]) -> None:
    """Weights, a tokenizer, full rows and whole documents of a corpus in both languages."""
    import pyarrow.parquet as pq
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    from septet.model.torch_folder import new_module, write_module

    texts = pq.read_table(sorted((corpus / "corpus").glob("*.parquet"))[0], columns=["text"])["text"].to_pylist()[:6000]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        texts[:3000],
        trainers.BpeTrainer(
            vocab_size=shape["vocab_size"], special_tokens=["<s>", "</s>", "<pad>"], show_progress=False
        ),
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    documents = [[0, *encoded.ids, 1] for encoded in tokenizer.encode_batch(texts)]
    flat = np.array([token for document in documents for token in document], np.int64)
    rows = flat[: len(flat) // SEQUENCE * SEQUENCE].reshape(-1, SEQUENCE)
    np.save(folder / "rows.npy", rows[np.random.default_rng(0).permutation(len(rows))[: (STEPS + 4) * BATCH]])
    pieces = [document[:SEQUENCE] for document in documents]
    (folder / "documents.json").write_text(json.dumps(pieces[: (STEPS + 4) * BATCH * 8]))
    config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        **shape,
        "num_key_value_heads": shape["num_attention_heads"],
        "head_dim": shape["hidden_size"] // shape["num_attention_heads"],
        "max_position_embeddings": SEQUENCE,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 2,
    }
    write_module(new_module(config, 0).state_dict(), config, folder, "float32")


def one(arm: str, folder: Path, data: str) -> dict[str, Any]:
    """What one process of an arm says: CPU seconds, tokens and loss of each step, and the memory it took at most."""
    python = PEERS.get(arm) or sys.executable
    command = [python, str(HERE / "training_arms.py"), arm, str(folder), data, str(STEPS), str(BATCH)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if made.returncode:
        raise SystemExit(f"{arm} failed:\n{made.stdout[-2000:]}\n{made.stderr[-4000:]}")
    return dict(json.loads(made.stdout.strip().splitlines()[-1]))


def in_turn(arms: list[str], folder: Path, data: str) -> dict[str, list[dict[str, Any]]]:
    said: dict[str, list[dict[str, Any]]] = {arm: [] for arm in arms}
    for _ in range(ROUNDS):
        for arm in arms:
            said[arm].append(one(arm, folder, data))
    return said


def speed(rounds: list[dict[str, Any]]) -> float:
    """Tokens a CPU second: the middle of all steps but the first three of each round."""
    return statistics.median(
        tokens / cpu for said in rounds for tokens, cpu in list(zip(said["tokens"], said["cpu"], strict=True))[3:]
    )


def full_rows(folder: Path) -> list[str]:
    arms = ["septet", *(arm for arm in ("trainer", "trl", "litgpt") if PEERS[arm])]
    said = in_turn(arms, folder, "rows")
    mine = said["septet"][0]
    peak = statistics.median(one("peak", folder, "rows")["flops"] for _ in range(3))
    lines = [
        f"{mine['parameters'] / 1e6:.1f} million parameters, {mine['flops'] / 1e6:.0f} MFLOP a token, both ways;"
        f" bfloat16 products reach {peak / 1e9:.0f} GFLOP a CPU second.",
        "",
        "| | tokens a CPU s | Septet is faster by | share of the peak | memory at most, MB | loss of the last step |",
        "|---|---|---|---|---|---|",
    ]
    for arm in arms:
        own = speed(said[arm])
        lines.append(
            f"| {NAMES[arm]} | {own:,.0f} | {speed(said['septet']) / own:.2f} | {own * mine['flops'] / peak:.0%} | "
            f"{max(one['memory_mb'] for one in said[arm]):,.0f} | {said[arm][0]['losses'][-1]:.4f} |"
        )
    for arm in arms[1:]:
        if arm == "litgpt":
            continue
        apart = max(abs(a - b) for a, b in zip(said["septet"][0]["losses"], said[arm][0]["losses"], strict=True))
        lines += [
            "",
            f"Loss curves of Septet and {NAMES[arm]} differ by {apart:.4f} at most over {len(mine['losses'])} steps.",
        ]
    if "litgpt" in arms:
        lines += [
            "",
            "litgpt starts from weights of its own and does not tie its output layer: its loss is another run's.",
        ]
    return lines


def as_they_come(folder: Path) -> list[str]:
    arms = ["septet", *(arm for arm in ("trainer",) if PEERS[arm])]
    said = in_turn(arms, folder, "documents")
    lines = ["| | tokens of text a CPU s | Septet is faster by |", "|---|---|---|"]
    return lines + [
        f"| {NAMES[arm]} | {speed(said[arm]):,.0f} | {speed(said['septet']) / speed(said[arm]):.2f} |" for arm in arms
    ]

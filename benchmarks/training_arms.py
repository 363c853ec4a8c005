"""One arm of `training.py`: trains a few steps with one library and says of each its loss, tokens and CPU seconds.

python training_arms.py ARM FOLDER rows|documents STEPS BATCH
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

LEARNING_RATE, CLIP, DECAY, BETAS = 5e-4, 1.0, 0.1, (0.9, 0.95)


class Steps:
    """CPU seconds, tokens and losses of the steps so far."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.tokens: list[int] = []
        self.losses: list[float] = []
        self._last = time.process_time()

    def done(self, tokens: int, loss: float) -> None:
        now = time.process_time()
        self.cpu.append(now - self._last)
        self.tokens.append(tokens)
        self.losses.append(loss)
        self._last = now


def septet(folder: Path, data: str, steps: int, batch: int, seen: Steps) -> dict[str, Any]:
    from septet.core import Run
    from septet.kinds import Model
    from septet.train.batches import Batch
    from septet.train.loop import Settings, train
    from septet.train.objectives import cross_entropy
    from septet.train.optimiser import Decay
    from septet.train.trainable import trainable

    class Given:
        per_epoch = steps

        def batches(self, step: int) -> list[Batch]:
            rows = texts_of(folder, data, step, batch)
            self.read = sum(map(len, rows))
            return [Batch.of(rows, None, [f"row {step * batch + at}" for at in range(len(rows))])]

    given = Given()

    def said(event: Any) -> None:
        if event.kind == "metric" and event.metric == "loss":
            seen.done(given.read, event.value)

    module = trainable(Model(folder), "bfloat16")
    settings = Settings(steps, LEARNING_RATE, 0.0, "constant", 1.0, Decay(DECAY, CLIP, *BETAS), spike=0.0)
    with tempfile.TemporaryDirectory() as scratch:
        train(module, given, cross_entropy(module), settings, Run(Path(scratch) / "out", emit=said))
    config = json.loads((folder / "config.json").read_text())
    return {
        "parameters": sum(weight.numel() for weight in module.parameters()),
        "flops": flops(config, sum(weight.numel() for weight in module.parameters())),
    }


def flops(config: dict[str, int], parameters: int) -> float:
    """Forwards and backwards, a token: 6 a parameter, and 6 a layer, width and half the row for causal attention."""
    attention = 6 * config["num_hidden_layers"] * config["hidden_size"] * config["max_position_embeddings"]
    return 6.0 * parameters + attention


def texts_of(folder: Path, data: str, step: int, batch: int) -> list[list[int]]:
    if data == "rows":
        return np.load(folder / "rows.npy", mmap_mode="r")[step * batch : (step + 1) * batch].tolist()
    documents = json.loads((folder / "documents.json").read_text())
    return documents[step * batch * 4 : (step + 1) * batch * 4]


def trainer(folder: Path, data: str, steps: int, batch: int, seen: Steps) -> dict[str, Any]:
    from transformers import AutoModelForCausalLM, DataCollatorForSeq2Seq, PreTrainedTokenizerFast, Trainer

    module = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    rows = [row for step in range(steps) for row in texts_of(folder, data, step, batch)]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>", eos_token="</s>"
    )
    made = Trainer(
        module,
        arguments(len(rows) // steps, steps),
        train_dataset=[{"input_ids": row, "labels": row, "attention_mask": [1] * len(row)} for row in rows],
        data_collator=DataCollatorForSeq2Seq(tokenizer, padding=True),
        callbacks=[watcher(seen, [sum(map(len, texts_of(folder, data, step, batch))) for step in range(steps)])],
    )
    made._get_train_sampler = in_order(made)  # the same rows at the same steps
    made.train()
    return {}


def trl(folder: Path, data: str, steps: int, batch: int, seen: Steps) -> dict[str, Any]:
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
    from trl import SFTConfig, SFTTrainer

    module = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    rows = [row for step in range(steps) for row in texts_of(folder, data, step, batch)]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>", eos_token="</s>"
    )
    given = arguments(batch, steps).to_dict()
    kept = {name: given[name] for name in KEPT}
    made = SFTTrainer(
        module,
        args=SFTConfig(**kept, max_length=len(rows[0]), packing=False, gradient_checkpointing=False),
        train_dataset=Dataset.from_dict({"input_ids": rows}),
        processing_class=tokenizer,
        callbacks=[watcher(seen, [batch * len(rows[0])] * steps)],
    )
    made._get_train_sampler = in_order(made)
    made.train()
    return {}


KEPT = (
    "output_dir per_device_train_batch_size max_steps use_cpu bf16 report_to save_strategy logging_steps disable_tqdm "
    "learning_rate warmup_steps lr_scheduler_type weight_decay max_grad_norm adam_beta1 adam_beta2 optim logging_strategy"
).split()


def in_order(made: Any) -> Any:
    from torch.utils.data import SequentialSampler

    return lambda *_: SequentialSampler(made.train_dataset)


def arguments(batch: int, steps: int) -> Any:
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=batch,
        max_steps=steps,
        use_cpu=True,
        bf16=True,
        report_to=[],
        save_strategy="no",
        logging_strategy="steps",
        logging_steps=1,
        disable_tqdm=True,
        learning_rate=LEARNING_RATE,
        warmup_steps=0,
        lr_scheduler_type="constant",
        weight_decay=DECAY,
        max_grad_norm=CLIP,
        adam_beta1=BETAS[0],
        adam_beta2=BETAS[1],
        optim="adamw_torch_fused",
    )


def watcher(seen: Steps, tokens: list[int]) -> Any:
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        def on_log(self, *given: Any, logs: Any = None, **_: Any) -> None:
            state = given[1]
            if "loss" in logs:
                seen.done(tokens[state.global_step - 1], float(logs["loss"]))

    return Watcher()


def litgpt(folder: Path, data: str, steps: int, batch: int, seen: Steps) -> dict[str, Any]:
    import lightning
    from litgpt.config import Config
    from litgpt.model import GPT
    from litgpt.utils import chunked_cross_entropy

    shape = json.loads((folder / "config.json").read_text())
    config = Config(
        name="bench",
        block_size=shape["max_position_embeddings"],
        vocab_size=shape["vocab_size"],
        padded_vocab_size=shape["vocab_size"],
        n_layer=shape["num_hidden_layers"],
        n_head=shape["num_attention_heads"],
        n_embd=shape["hidden_size"],
        intermediate_size=shape["intermediate_size"],
        rotary_percentage=1.0,
        parallel_residual=False,
        bias=False,
        norm_class_name="RMSNorm",
        mlp_class_name="LLaMAMLP",
    )
    fabric = lightning.Fabric(accelerator="cpu", devices=1, precision="bf16-true")
    with fabric.init_module():
        module = GPT(config)
    optimiser = torch.optim.AdamW(module.parameters(), LEARNING_RATE, BETAS, weight_decay=DECAY, fused=True)
    module, optimiser = fabric.setup(module, optimiser)
    for step in range(steps):
        ids = torch.tensor(texts_of(folder, data, step, batch))
        loss = chunked_cross_entropy(module(ids)[:, :-1], ids[:, 1:], chunk_size=0)
        fabric.backward(loss)
        fabric.clip_gradients(module, optimiser, max_norm=CLIP)
        optimiser.step()
        optimiser.zero_grad()
        seen.done(ids.numel(), loss.item())
    return {}


def peak(*_: Any) -> dict[str, Any]:
    """FLOP of bfloat16 products a CPU second."""
    x, w = torch.randn(2048, 1024).bfloat16(), torch.randn(1024, 1024).bfloat16()
    found = []
    for _ in range(40):
        start = time.process_time()
        x @ w.T
        found.append(2 * 2048 * 1024 * 1024 / (time.process_time() - start))
    return {"flops": float(np.median(found))}


def main() -> None:
    torch.set_num_threads(1)
    arm, folder, data, steps, batch = sys.argv[1:]
    seen = Steps()
    arms = {"septet": septet, "trainer": trainer, "trl": trl, "litgpt": litgpt, "peak": peak}
    more = arms[arm](Path(folder), data, int(steps), int(batch), seen)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": seen.cpu, "tokens": seen.tokens, "losses": seen.losses, "memory_mb": memory, **more}))


if __name__ == "__main__":
    main()

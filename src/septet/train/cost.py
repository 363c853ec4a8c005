"""What training will take, before it starts: operations and memory from the sizes, time from a short product of matrices here.

It is a rough figure: half as much or twice as much is possible. Nothing heavy is imported, since a plan is made in a moment.
"""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from septet.core import Cost
from septet.files import read_json
from septet.kinds import Conversations, Model, Tokens
from septet.model.codec import Codec
from septet.model.flops import flops
from septet.model.memory import NUMBER_BYTES, Layout, training
from septet.model.sizing import num_parameters

if TYPE_CHECKING:
    from septet.train.steps import Pretrain
    from septet.train.steps.tuning import FineTune, Lora

_USED = 0.6
"""Share of the speed of products that training reaches."""
_LIBRARIES_MB, _START_S = 700.0, 8.0
"""What torch and transformers take before the first step."""
_SAMPLE = 64


def of_pretraining(config: Pretrain, model: Model, tokens: Tokens) -> Cost:
    """Of `train.pretrain` on these inputs."""
    meta = tokens.meta
    read = config.steps * config.batch * meta["sequence"]
    batch = config.batch // config.accumulate
    return _cost(read, batch, meta["sequence"], model, config.precision, 0, config.checkpointing)


def of_tuning(config: FineTune | Lora, model: Model, rows: Conversations, rank: int) -> Cost:
    """Of a fine-tuning on these inputs; the length of the rows is that of the first ones."""
    codec = Codec(model.path)
    count = sum(1 for _ in rows.rows())
    some = [codec.conversation(row["messages"])[0] for row in itertools.islice(rows.rows(), _SAMPLE)]
    kept = [len(ids) for ids in some if len(ids) <= config.max_tokens] or [config.max_tokens]
    length = max(1, round(sum(kept) / len(kept)))
    read = round(config.epochs * count * (1 - config.held_out)) * length
    return _cost(read, max(1, config.batch // config.accumulate), length, model, config.precision, rank, False)


def _cost(read: int, batch: int, sequence: int, model: Model, precision: str, rank: int, checkpointing: bool) -> Cost:
    shape = read_json(model.path / "config.json")
    half = precision == "bfloat16" or (precision == "auto" and _multiplies_bfloat16())
    precision = "bfloat16" if half else "float32"
    needed = flops(shape, sequence, rank, checkpointing).training * read
    memory = training(shape, Layout(batch, sequence, precision, checkpointing, rank))
    reading = num_parameters(shape) * NUMBER_BYTES[precision]
    return Cost(
        seconds=_START_S + needed / (_products_a_second() * (2 if half else 1) * _USED),
        memory_mb=_LIBRARIES_MB + (memory.resident + reading) / 1e6,
    )


def _products_a_second() -> float:
    """Operations a second of float32 products, all cores together."""
    import numpy as np

    width = 768
    x: Any = np.ones((width, width), np.float32)
    taken = []
    for _ in range(4):
        started = time.perf_counter()
        x @ x
        taken.append(time.perf_counter() - started)
    return 2.0 * width**3 / min(taken)


def _multiplies_bfloat16() -> bool:
    """As `processor.multiplies_bfloat16`, without torch."""
    try:
        return "avx512_bf16" in Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return False

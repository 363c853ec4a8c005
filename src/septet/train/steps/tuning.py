"""Fine-tuning on conversations: all weights, or one of the ways to learn few numbers beside them.

The loss is taken on what the assistant says.
"""

from __future__ import annotations

from septet.core import Config, Cost, Run, field, step
from septet.kinds import Adapter, Conversations, Model
from septet.train.steps.words import PRECISION, PRECISIONS, RATE, SCHEDULE, SCHEDULES


class Tuning(Config):
    """What every fine-tuning is told."""

    epochs: float = field(1.0, "Passes over the rows.", gt=0)
    batch: int = field(4, "Conversations a step.", ge=1)
    accumulate: int = field(1, "Parts in which a step's conversations are read, to save memory.", ge=1)
    learning_rate: float = field(5e-4, RATE, gt=0)
    warmup: float = field(0.03, "Share of the steps in which the rate climbs.", ge=0, le=1)
    schedule: str = field(
        "cosine",
        SCHEDULE,
        choices=SCHEDULES,
    )
    weight_decay: float = field(0.0, "Decay of matrices towards zero, per unit of learning rate.", ge=0)
    clip: float = field(1.0, "Largest norm of the gradient; 0: no limit.", ge=0)
    average: float = field(
        0.0,
        "Share of the old in a running mean of the weights, which is what is kept; 0: the last weights.",
        ge=0,
        lt=1,
    )
    max_tokens: int = field(1024, "Longest conversation; longer ones are dropped and counted.", ge=8)
    held_out: float = field(0.05, "Share of the rows kept for the validation loss.", ge=0, lt=1)
    look_every: int = field(0, "Steps between two looks at the validation loss; 0: only before and after.", ge=0)
    spike: float = field(6.0, "Stop when the loss stays above so many times its median; 0: never.", ge=0)
    precision: str = field("auto", PRECISION, choices=PRECISIONS)
    seed: int = field(0, "Seed of new weights, of the held-out rows and of the order of the others.", ge=0)


class FineTune(Tuning):
    """Fine-tune all weights on conversations."""

    learning_rate: float = field(2e-5, RATE, gt=0)


class Lora(Tuning):
    """Fine-tune low-rank adapters on conversations."""

    rank: int = field(16, "Rank of the adapters.", ge=1)
    alpha: int = field(32, "Scale of the adapters, as a multiple of 1/rank.", ge=1)
    dropout: float = field(0.0, "Share of an adapter's inputs left out at random.", ge=0, lt=1)
    targets: str = field(
        "all-linear",
        "Which linear layers are adapted; the output layer never is.",
        choices=("all-linear", "attention", "mlp"),
    )
    dora: bool = field(False, "Learn the length of each row of a weight apart from its direction (DoRA).")
    quantised: bool = field(False, "Hold the model itself in 4 bits (QLoRA). Needs an NVIDIA GPU and bitsandbytes.")


class Bottleneck(Tuning):
    """Fine-tune small layers set between the model's own."""

    placement: str = field(
        "pfeiffer",
        "Where they stand: pfeiffer, after each feed-forward part; houlsby, after attention as well.",
        choices=("pfeiffer", "houlsby"),
    )
    reduction: int = field(16, "The model's width over the width of the small layer.", ge=1)
    activation: str = field("relu", "What stands between its two matrices.", choices=("relu", "gelu", "silu"))
    learning_rate: float = field(1e-3, RATE, gt=0)


class Prompt(Tuning):
    """Fine-tune what stands before each text: virtual tokens, or keys and values of each layer."""

    method: str = field(
        "prompt",
        "What is learnt. prompt: embeddings of virtual tokens. p-tuning: the same, made by a small network. p-tuning-v2: keys "
        "and values in each layer. prefix: the same, made by a small network.",
        choices=("prompt", "p-tuning", "p-tuning-v2", "prefix"),
    )
    virtual_tokens: int = field(20, "How many of them.", ge=1)
    hidden: int = field(128, "Width of the small network of p-tuning and prefix; it is not kept.", ge=1)
    learning_rate: float = field(1e-2, RATE, gt=0)


class Ia3(Tuning):
    """Fine-tune one factor for each key, value and feed-forward feature."""

    learning_rate: float = field(1e-2, RATE, gt=0)


def _cost(config: FineTune | Lora, model: Model, rows: Conversations) -> Cost:
    from septet.train import cost

    return cost.of_tuning(config, model, rows, config.rank if isinstance(config, Lora) else 0)


@step("train.finetune", version=1, cost=_cost)
def finetune(config: FineTune, model: Model, rows: Conversations, run: Run) -> Model:
    """Fine-tune all weights on conversations. Resumes after a kill in the same bits."""
    from septet.train.tuning import fit as tuning

    tuning.finetune(config, model, rows, run)
    return Model(run.out)


@step("train.lora", version=3, cost=_cost)
def lora(config: Lora, model: Model, rows: Conversations, run: Run) -> Adapter:
    """Fine-tune low-rank adapters on conversations. Resumes after a kill in the same bits."""
    from septet.train.tuning import fit as tuning

    tuning.lora(config, model, rows, run)
    return Adapter(run.out)


@step("train.adapter", version=1)
def adapter(config: Bottleneck, model: Model, rows: Conversations, run: Run) -> Adapter:
    """Fine-tune bottleneck adapters on conversations. Resumes after a kill in the same bits."""
    from septet.train.tuning import fit as tuning

    tuning.bottleneck(config, model, rows, run)
    return Adapter(run.out)


@step("train.prompt", version=1)
def prompt(config: Prompt, model: Model, rows: Conversations, run: Run) -> Adapter:
    """Fine-tune virtual tokens or prefixes on conversations. Resumes after a kill in the same bits."""
    from septet.train.tuning import fit as tuning

    tuning.prompt(config, model, rows, run)
    return Adapter(run.out)


@step("train.ia3", version=1)
def ia3(config: Ia3, model: Model, rows: Conversations, run: Run) -> Adapter:
    """Fine-tune factors of keys, values and features on conversations. Resumes after a kill in the same bits."""
    from septet.train.tuning import fit as tuning

    tuning.ia3(config, model, rows, run)
    return Adapter(run.out)

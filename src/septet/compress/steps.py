"""Compression: fold an adapter into its model and take it out, make the weights small, and say what that cost."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import Adapter, Model, Report, Suite


class Merge(Config):
    """Fold an adapter into the weights of its model."""


class Unmerge(Config):
    """Take an adapter out of the weights that it was folded into."""


class Quantise(Config):
    """Write a model as a GGUF file with small weights."""

    format: str = field(
        "q8_0", "Weights: q8_0 is 8 bits in blocks of 32, f16 is half precision.", choices=("q8_0", "f16")
    )


class Cost(Config):
    """Compare two forms of one model: size, tokens, answers, perplexity."""

    items: int = field(12, "Questions of the suite that are asked and whose reference answers are scored.", ge=1)
    tokens: int = field(24, "Tokens that each golden prompt and question is continued by.", ge=1)
    seed: int = field(0, "Seed of the choice of questions and of the intervals.", ge=0)


@step("compress.merge", version=1)
def merge(config: Merge, model: Model, adapter: Adapter, run: Run) -> Model:  # noqa: ARG001 - a step has a config
    """Change the weights as the adapter does: low-rank products, row lengths, factors."""
    from septet.compress import merging

    merging.merge(model, adapter, run)
    return Model(run.out)


@step("compress.unmerge", version=1)
def unmerge(config: Unmerge, model: Model, adapter: Adapter, run: Run) -> Model:  # noqa: ARG001 - a step has a config
    """Change the weights back, up to rounding."""
    from septet.compress import merging

    merging.unmerge(model, adapter, run)
    return Model(run.out)


@step("compress.quantise", version=1)
def quantise(config: Quantise, model: Model, run: Run) -> Model:
    """Write the GGUF form: weights, tokenizer, chat template and stop ids in one file, the tokenizer's own files beside it."""
    from septet.compress import gguf_export

    gguf_export.export(model, config.format, run)
    return Model(run.out)


@step("compress.report", version=4)
def report(config: Cost, before: Model, after: Model, suite: Suite, run: Run) -> Report:
    """Say what compression saved and what it cost. Speeds are observed, since they differ from run to run."""
    from septet.compress import cost

    return cost.report(config, before, after, suite, run)

"""How much of which data set a model is shown, and in which order."""

from __future__ import annotations

import msgspec

from septet.core import Config, Run, field, step
from septet.kinds import Corpus, Report, Tokenizer


class Shares(Config):
    """What a mixture is made by, planned or written."""

    weights: dict[str, float] = field(
        msgspec.field(default_factory=dict), "Data set to its weight; one that is not named gets none. Empty: by size."
    )
    temperature: float = field(1.0, "Without weights, shares go by size to the power of 1 / temperature.", gt=0)
    budget: int = field(0, "Tokens of the mixture; 0: as many as there are.", ge=0)
    epochs: float = field(4.0, "How often a data set is shown at most.", gt=0)
    caps: dict[str, float] = field(
        msgspec.field(default_factory=dict), "Data set to another bound on how often it is shown."
    )


class MixturePlan(Shares):
    """Plan a mixture, to look at before it is written."""

    parameters: int = field(0, "Parameters of the model to come, for advice; 0: no advice.", ge=0)


@step("data.mixture_plan", version=1)
def mixture_plan(
    config: MixturePlan, corpora: tuple[Corpus, ...], tokenizer: Tokenizer | None = None, *, run: Run
) -> Report:
    """Report what a mixture would hold: tokens, share and epochs of each data set, and what that says of the model's size."""
    from septet.data import mixture as work

    counted = work.count(corpora, tokenizer, run)
    shares = work.plan(counted, config.weights, config.temperature, config.budget, config.epochs, config.caps)
    return work.report(counted, shares, config.parameters, run)


class Mixture(Shares):
    """Mix data sets."""

    seed: int = field(1, "Seed of choice and order.", ge=0)


@step("data.mixture", version=1)
def mixture(config: Mixture, corpora: tuple[Corpus, ...], tokenizer: Tokenizer | None = None, *, run: Run) -> Corpus:
    """Write documents of several data sets in the order in which a model is to see them."""
    from septet.data import mixture as work

    counted = work.count(corpora, tokenizer, run)
    shares = work.plan(counted, config.weights, config.temperature, config.budget, config.epochs, config.caps)
    return work.write(corpora, counted, shares, config.seed, run)

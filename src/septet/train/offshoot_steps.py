"""Training of models beside text: speech."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import Model, Recordings

_PRECISIONS = ("auto", "bfloat16", "float32")


class Speech(Config):
    """Train all weights of a speech model on recordings: the words after the sound."""

    steps: int = field(200, "Number of optimiser steps.", ge=1)
    batch: int = field(8, "Recordings a step.", ge=1)
    learning_rate: float = field(5e-4, "Peak of the learning rate; 1e-5 for a model that has learnt already.", gt=0)
    warmup: float = field(0.05, "Share of the steps in which the rate climbs.", ge=0, le=1)
    weight_decay: float = field(0.01, "Decay of matrices towards zero, per unit of learning rate.", ge=0)
    spec_augment: bool = field(False, "Hide bands and stretches of the sound while training.")
    held_out: float = field(0.1, "Share of the recordings kept for the word error rate.", ge=0, lt=1)
    asked: int = field(16, "Recordings learnt from whose word error rate is reported beside; 0: none.", ge=0)
    look_every: int = field(0, "Steps from one look at the word error rate to the next; 0: none.", ge=0)
    spike: float = field(4.0, "Stop when the loss stays above so many times its median; 0: never.", ge=0)
    precision: str = field(
        "auto",
        "Precision of weights and products; auto: bfloat16 where the processor multiplies it.",
        choices=_PRECISIONS,
    )
    seed: int = field(0, "Seed of the order of the recordings and of what is kept or hidden.", ge=0)


@step("train.speech", version=1)
def speech(config: Speech, model: Model, recordings: Recordings, run: Run) -> Model:
    """Train a speech model on recordings with their transcripts. Resumes after a kill in the same bits."""
    from septet.train import speech as training

    training.teach(config, model, recordings, run)
    return Model(run.out)

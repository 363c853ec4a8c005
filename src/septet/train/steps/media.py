"""Training of models beside text: speech, pictures."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import Model, Pictures, Recordings
from septet.train.steps.words import PRECISIONS, RATE


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
        choices=PRECISIONS,
    )
    seed: int = field(0, "Seed of the order of the recordings and of what is kept or hidden.", ge=0)


@step("train.speech", version=1)
def speech(config: Speech, model: Model, recordings: Recordings, run: Run) -> Model:
    """Train a speech model on recordings with their transcripts. Resumes after a kill in the same bits."""
    from septet.train.media import speech as training

    training.teach(config, model, recordings, run)
    return Model(run.out)


class ImageCodes(Config):
    """Train what turns pictures into codes and back: discrete ones for tokens, latents for diffusion."""

    steps: int = field(300, "Number of optimiser steps.", ge=1)
    batch: int = field(32, "Pictures a step.", ge=1)
    learning_rate: float = field(2e-3, RATE, gt=0)
    warmup: float = field(0.05, "Share of the steps in which the rate climbs.", ge=0, le=1)
    weight_decay: float = field(0.0, "Decay of matrices towards zero, per unit of learning rate.", ge=0)
    average: float = field(
        0.0, "Share of the old in a running mean of the weights, which is kept; 0: none.", ge=0, lt=1
    )
    held_out: float = field(0.1, "Share of the pictures kept for the reconstruction error.", ge=0, lt=1)
    spike: float = field(0.0, "Stop when the loss stays above so many times its median; 0: never.", ge=0)
    seed: int = field(0, "Seed of the order of the pictures and of the noise.", ge=0)


@step("train.image_codes", version=1)
def image_codes(config: ImageCodes, model: Model, pictures: Pictures, run: Run) -> Model:
    """Train the autoencoder of a model that draws, which train.image then leaves as it is."""
    from septet.train.media import pictures as training

    training.teach_codes(config, model, pictures, run)
    return Model(run.out)


class Image(Config):
    """Train what draws: the decoder of codes on the next code, the network of diffusion on the noise."""

    steps: int = field(500, "Number of optimiser steps.", ge=1)
    batch: int = field(32, "Pictures a step.", ge=1)
    learning_rate: float = field(1e-3, RATE, gt=0)
    warmup: float = field(0.05, "Share of the steps in which the rate climbs.", ge=0, le=1)
    weight_decay: float = field(0.01, "Decay of matrices towards zero, per unit of learning rate.", ge=0)
    average: float = field(
        0.0, "Share of the old in a running mean of the weights, which is kept; 0: none.", ge=0, lt=1
    )
    empty: float = field(0.1, "For diffusion: share of the captions left out, which guidance needs.", ge=0, lt=1)
    spike: float = field(0.0, "Stop when the loss stays above so many times its median; 0: never.", ge=0)
    seed: int = field(0, "Seed of the order of the pictures and of the noise.", ge=0)


@step("train.image", version=1)
def image(config: Image, model: Model, pictures: Pictures, run: Run) -> Model:
    """Train a model that draws, whose codes train.image_codes has taught. Resumes after a kill in the same bits."""
    from septet.train.media import pictures as training

    training.teach(config, model, pictures, run)
    return Model(run.out)

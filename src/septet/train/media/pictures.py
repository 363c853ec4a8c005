"""Training models that draw: first what turns pictures into codes and back, then what makes codes after a caption.

A decoder of codes learns them as text: the loss is that of every language model, over the codes alone. Diffusion learns what in a
noisy latent is noise (https://arxiv.org/abs/2006.11239); a share of the captions is left out, so that guidance knows both ways.
All that is drawn by chance stands in the batch, as a function of the step.

Shapes: R pictures, C channels, H and W pixels, N codes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from septet.core import ConfigError, MissingExtra, Run, StepFailed
from septet.kinds import Model, Pictures
from septet.model.folder import carry, changed
from septet.model.painter import (
    DiffusionPainter,
    Painter,
    TokenPainter,
    caption_ids,
    read_captions,
    read_painter,
    schedule,
    write_painter,
)
from septet.model.processor import repeatable
from septet.train.attention import ATTENTION, register
from septet.train.batches import Batch, Order
from septet.train.loop import Outcome, Settings, train
from septet.train.objectives import cross_entropy
from septet.train.optimiser import Decay
from septet.train.trainable import write_log

if TYPE_CHECKING:
    from septet.train.steps.media import Image, ImageCodes

_AT_ONCE = 64
_KL = 1e-4
"""How much latents are drawn to a normal distribution: little, they are scaled afterwards."""


@dataclass(frozen=True)
class Drawn:
    """`pictures` (R, C, H, W) from -1 to 1, their captions' ids, and what chance drew: `noise` as large as the latents, and
    `times` (R,)."""

    pictures: torch.Tensor
    captions: tuple[tuple[int, ...], ...]
    noise: torch.Tensor
    times: torch.Tensor
    rows: tuple[str, ...]
    num_tokens: int
    weight: int


class PictureRows:
    """Pictures in an order that changes with each pass, for `train.loop`."""

    def __init__(self, read: _Read, config: dict[str, Any], batch: int, seed: int, empty: float = 0.0) -> None:
        self._read, self._config, self._seed, self._empty = read, config, seed, empty
        self._order = Order(len(read.names), batch, seed)

    @property
    def per_epoch(self) -> int:
        return self._order.per_epoch

    def batches(self, step: int) -> list[Drawn]:
        chosen = self._order.chosen(step)
        chance = np.random.default_rng([self._seed, step, 1])
        latent = self._config["codes"].get("latent_channels", 1)
        noise = chance.standard_normal((len(chosen), latent, self._config["side"], self._config["side"]), "float32")
        times = chance.integers(0, schedule()["num_train_timesteps"], len(chosen))
        empty = chance.random(len(chosen)) < self._empty
        captions = [
            (self._config["vocabulary"],) if left_out else tuple(self._read.captions[index])
            for index, left_out in zip(chosen, empty, strict=True)
        ]
        return [
            Drawn(
                self._read.pictures[torch.from_numpy(chosen)],
                tuple(captions),
                torch.from_numpy(noise),
                torch.from_numpy(times),
                tuple(self._read.names[index] for index in chosen),
                len(chosen) * self._config["side"] ** 2,
                len(chosen),
            )
        ]


class CodeRows:
    """The same pictures as texts: a caption, the mark that ends it, the codes of its picture."""

    def __init__(self, read: _Read, codes_RN: torch.Tensor, config: dict[str, Any], batch: int, seed: int) -> None:
        self._order = Order(len(read.names), batch, seed)
        mark = config["vocabulary"]
        self._texts = [
            [*caption, mark, *codes]
            for caption, codes in zip(read.captions, (codes_RN + mark + 1).tolist(), strict=True)
        ]
        self._num_codes, self._names = codes_RN.shape[1], read.names

    @property
    def per_epoch(self) -> int:
        return self._order.per_epoch

    def batches(self, step: int) -> list[Batch]:
        chosen = self._order.chosen(step)
        texts = [self._texts[index] for index in chosen]
        wrote = [[place >= len(text) - self._num_codes for place in range(len(text))] for text in texts]
        return [Batch.of(texts, wrote, [self._names[index] for index in chosen])]


def teach_codes(config: ImageCodes, model: Model, pictures: Pictures, run: Run) -> None:
    """Train what turns pictures into codes and back, and write the model."""
    painter, shape, read = _begin(model, pictures, config.held_out, config.seed, run)
    kept, held = read
    before = reconstruction_error(painter, held or kept)
    painter.requires_grad_(False)
    painter.codes.requires_grad_(True)
    rows = PictureRows(kept, shape, config.batch, config.seed)
    trained = train(painter.codes, rows, _restoring(painter), _settings(config), run)
    after = reconstruction_error(painter, held or kept)
    if isinstance(painter, DiffusionPainter):
        shape["scale"] = _scale(painter, kept)
    where = "that were not trained on" if held else "that were trained on"
    run.note(f"squared error of pictures {where}, from -1 to 1: {before:.4f} -> {after:.4f}")
    write_painter(painter, shape, run.out)
    carry(model.path, run.out, changed(model.card, "codes of pictures trained"))
    write_log(trained, {"reconstruction_before": before, "reconstruction_after": after}, run)


def teach(config: Image, model: Model, pictures: Pictures, run: Run) -> None:
    """Train what makes codes after a caption, with codes that stay as they are, and write the model."""
    painter, shape, (kept, _) = _begin(model, pictures, 0.0, config.seed, run)
    painter.requires_grad_(False)
    if isinstance(painter, TokenPainter):
        with torch.no_grad(), repeatable():
            codes_RN = torch.cat([painter.codes.codes(part) for part in kept.pictures.split(_AT_ONCE)])
        register()
        painter.decoder.set_attn_implementation(ATTENTION)
        painter.decoder.requires_grad_(True)
        rows: PictureRows = CodeRows(kept, codes_RN, shape, config.batch, config.seed)
        trained = train(painter.decoder, rows, cross_entropy(painter.decoder), _settings(config), run)
    else:
        painter.unet.requires_grad_(True)
        painter.text.requires_grad_(True)
        rows = PictureRows(kept, shape, config.batch, config.seed, config.empty)
        trained = train(painter, rows, _denoising(painter, shape["scale"]), _settings(config), run)
    run.note(f"loss {np.mean(trained.losses[:10]):.3f} -> {np.mean(trained.losses[-10:]):.3f}")
    write_painter(painter, shape, run.out)
    carry(model.path, run.out, changed(model.card, "trained on pictures with captions"))
    write_log(trained, {}, run)


def reconstruction_error(painter: Painter, read: _Read) -> float:
    """The mean squared error of pictures that were turned into codes and back; values go from -1 to 1."""
    back = painter.codes.reconstruction if isinstance(painter, TokenPainter) else painter.reconstruction
    with torch.no_grad(), repeatable():
        parts = [((back(part) - part) ** 2).flatten(1).mean(1) for part in read.pictures.split(_AT_ONCE)]
    return float(torch.cat(parts).double().mean())


def _restoring(painter: Painter) -> Callable[[Drawn], Outcome]:
    def loss(batch: Drawn) -> Outcome:
        if isinstance(painter, TokenPainter):
            return Outcome(((painter.codes.reconstruction(batch.pictures) - batch.pictures) ** 2).mean())
        latents = painter.codes.encode(batch.pictures).latent_dist
        made = painter.codes.decode(latents.mean + latents.std * batch.noise).sample
        return Outcome(((made - batch.pictures) ** 2).mean() + _KL * latents.kl().mean() / latents.mean[0].numel())

    return loss


def _denoising(painter: DiffusionPainter, scale: float) -> Callable[[Drawn], Outcome]:
    from diffusers import DDPMScheduler

    scheduler: Any = DDPMScheduler(**schedule())

    def loss(batch: Drawn) -> Outcome:
        with torch.no_grad():
            latents = painter.codes.encode(batch.pictures).latent_dist.mean * scale
            noisy = scheduler.add_noise(latents, batch.noise, batch.times)
            wanted = scheduler.get_velocity(latents, batch.noise, batch.times)
        found = painter.unet(noisy, batch.times, **read_captions(painter, batch.captions)).sample
        return Outcome(((found - wanted) ** 2).mean())

    return loss


def _scale(painter: DiffusionPainter, read: _Read) -> float:
    """What brings the latents to a deviation of 1, as the noise has."""
    with torch.no_grad(), repeatable():
        latents = [painter.codes.encode(part).latent_dist.mean for part in read.pictures.split(_AT_ONCE)]
    return round(1 / max(1e-6, float(torch.cat(latents).double().std())), 6)


def _settings(config: Image | ImageCodes) -> Settings:
    return Settings(
        steps=config.steps,
        learning_rate=config.learning_rate,
        warmup=config.warmup,
        decay=Decay(weight_decay=config.weight_decay, average=config.average),
        spike=config.spike,
        seed=config.seed,
    )


@dataclass(frozen=True)
class _Read:
    """`pictures` (R, C, H, W) from -1 to 1, with the ids of their captions and their names."""

    pictures: torch.Tensor
    captions: Sequence[Sequence[int]]
    names: Sequence[str]

    def of(self, chosen: np.ndarray) -> _Read:
        captions, names = [self.captions[index] for index in chosen], [self.names[index] for index in chosen]
        return _Read(self.pictures[torch.from_numpy(chosen)], captions, names)


def _begin(
    model: Model, pictures: Pictures, held_out: float, seed: int, run: Run
) -> tuple[Painter, dict[str, Any], tuple[_Read, _Read | None]]:
    """The modules, their config, and the pictures to learn from and to keep. Raises ConfigError where sizes differ."""
    painter, shape = read_painter(model)
    read = _pictures(pictures, model, shape, run)
    order = np.random.default_rng(seed).permutation(len(read.names))
    count = round(len(order) * held_out)
    if count == len(order):
        raise StepFailed("no picture is left to learn from", "Lower held_out, or bring more pictures")
    run.note(f"{len(order) - count} pictures to learn from, {count} kept")
    return painter, shape, (read.of(np.sort(order[count:])), read.of(np.sort(order[:count])) if count else None)


def _pictures(pictures: Pictures, model: Model, shape: dict[str, Any], run: Run) -> _Read:
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise MissingExtra("pillow", "image") from error
    rows = list(pictures.rows())
    size, mode = shape["size"], "L" if shape["channels"] == 1 else "RGB"
    if not rows or any((row["width"], row["height"]) != (size, size) for row in rows):
        raise ConfigError(f"the model draws {size} by {size} pixels", f"Read the pictures with size = {size}")
    values = np.stack([np.asarray(Image.open(BytesIO(row["png"])).convert(mode)) for row in rows]).astype("float32")
    values = values[:, None] if mode == "L" else values.transpose(0, 3, 1, 2)
    captions, cut = caption_ids([row["caption"] for row in rows], model, shape)
    if cut:
        run.note(f"{cut} captions are longer than the {shape['caption']} tokens that the model reads, and were cut")
    return _Read(torch.from_numpy(values / 127.5 - 1), captions, [row["source"] for row in rows])

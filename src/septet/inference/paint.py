"""Pictures from captions, by either kind of painter, and many of them as one picture.

Guidance (https://arxiv.org/abs/2207.12598) goes from what is drawn after the empty caption past what is drawn after the caption.

Shapes: R pictures, C channels, H and W pixels, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from septet.core import ConfigError, MissingExtra
from septet.kinds import Model
from septet.model.painter import (
    DiffusionPainter,
    TokenPainter,
    caption_ids,
    read_captions,
    read_painter,
    schedule,
)
from septet.model.processor import repeatable

if TYPE_CHECKING:
    from PIL.Image import Image


def paint(
    model: Model,
    captions: Sequence[str],
    seed: int = 0,
    steps: int = 50,
    guidance: float = 3.0,
    temperature: float = 1.0,
) -> np.ndarray:
    """A picture for each caption, (R, H, W, C) uint8: a function of the model, the captions in their order and the settings.

    `steps` of removing noise and `guidance` are for diffusion, `temperature` for codes.
    """
    painter, config = read_painter(model)
    ids, cut = caption_ids(captions, model, config)
    if cut:
        raise ConfigError(
            f"the model reads {config['caption']} tokens of a caption, and this one has more", "Shorten it"
        )
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad(), repeatable():
        if isinstance(painter, TokenPainter):
            made = _by_codes(painter, config, ids, chance, temperature)
        else:
            made = _from_noise(painter, config, ids, chance, steps, guidance)
    scaled = ((made.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).numpy()


def grid(pictures_RHWC: np.ndarray) -> Image:
    """Pictures side by side in rows, about as many rows as columns, with a grey line between."""
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise MissingExtra("pillow", "image") from error
    count, height, width, channels = pictures_RHWC.shape
    columns = math.ceil(math.sqrt(count))
    whole = np.full((-(-count // columns) * (height + 1) - 1, columns * (width + 1) - 1, channels), 128, "uint8")
    for number, picture in enumerate(pictures_RHWC):
        top, left = number // columns * (height + 1), number % columns * (width + 1)
        whole[top : top + height, left : left + width] = picture
    return Image.fromarray(whole[:, :, 0] if channels == 1 else whole)


def _by_codes(
    painter: TokenPainter, config: dict[str, Any], ids: list[list[int]], chance: torch.Generator, temperature: float
) -> torch.Tensor:
    """Captions of one length are written together; none needs padding then."""
    if temperature <= 0:
        raise ConfigError("the temperature must be above 0", "At 0 every picture of a caption would be the same")
    first = config["vocabulary"] + 1
    codes_RN = torch.zeros(len(ids), config["side"] ** 2, dtype=torch.long)
    for length in sorted({len(one) for one in ids}):
        rows = [row for row, one in enumerate(ids) if len(one) == length]
        read, cache = torch.tensor([[*ids[row], config["vocabulary"]] for row in rows]), None
        for place in range(codes_RN.shape[1]):
            out = painter.decoder(input_ids=read, past_key_values=cache, use_cache=True, logits_to_keep=1)
            cache = out.past_key_values
            shares = (out.logits[:, -1, first:].float() / temperature).softmax(-1)
            read = torch.multinomial(shares, 1, generator=chance)
            codes_RN[rows, place] = read[:, 0]
            read = read + first
    return painter.codes.pictures(codes_RN, config["side"])


def _from_noise(
    painter: DiffusionPainter,
    config: dict[str, Any],
    ids: list[list[int]],
    chance: torch.Generator,
    steps: int,
    guidance: float,
) -> torch.Tensor:
    """DDIM (https://arxiv.org/abs/2010.02502): after the first noise nothing is left to chance."""
    from diffusers import DDIMScheduler

    scheduler: Any = DDIMScheduler(**schedule(), clip_sample=False)
    scheduler.set_timesteps(steps)
    told = read_captions(painter, [*ids, *([config["vocabulary"]] for _ in ids)])
    latents = torch.randn(len(ids), painter.unet.config.in_channels, config["side"], config["side"], generator=chance)
    for time in scheduler.timesteps:
        noise = painter.unet(torch.cat((latents, latents)), time, **told).sample
        with_caption, without = noise.chunk(2)
        latents = scheduler.step(without + guidance * (with_caption - without), time, latents).prev_sample
    made: torch.Tensor = painter.codes.decode(latents / config["scale"]).sample
    return made

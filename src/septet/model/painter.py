"""Models that draw: pictures as codes after a text (DALL-E, https://arxiv.org/abs/2102.12092), and pictures from noise in a
latent space (Stable Diffusion, https://arxiv.org/abs/2112.10752). A folder: config.json with the parts' own, one file of weights.

The discrete codes are those of finite scalar quantisation (https://arxiv.org/abs/2309.15505): a code book of all roundings of a few
numbers, learnt straight through the rounding, of which no entry can fall out of use. The autoencoder, the network and the schedules
of diffusion are those of the diffusers library.

Shapes: R pictures, C channels, H and W pixels, h and w places of the code, D its numbers, T tokens of a caption.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from septet.core import ConfigError, MissingExtra
from septet.files import read_json, write_json
from septet.kinds import Model
from septet.model import architecture
from septet.model.torch_folder import new_module

if TYPE_CHECKING:
    from septet.model.steps import Image

_TRAIN_STEPS = 1000


class DiscreteCodes(nn.Module):
    """A small convolutional autoencoder whose code at each place is one of `num_codes`."""

    def __init__(self, channels: int, width: int, reduction: int, levels: Sequence[int]) -> None:
        super().__init__()
        halvings = reduction.bit_length() - 1
        down = [nn.Conv2d(channels, width, 3, padding=1), nn.SiLU()]
        up: list[nn.Module] = [nn.Conv2d(len(levels), width, 3, padding=1), nn.SiLU(), _Residual(width)]
        for _ in range(halvings):
            down += [nn.Conv2d(width, width, 4, 2, 1), nn.SiLU()]
            up += [nn.ConvTranspose2d(width, width, 4, 2, 1), nn.SiLU()]
        self.encoder = nn.Sequential(*down, _Residual(width), nn.Conv2d(width, len(levels), 1))
        self.decoder = nn.Sequential(*up, nn.Conv2d(width, channels, 3, padding=1))
        self.levels = tuple(levels)
        self._top: torch.Tensor
        self.register_buffer("_top", torch.tensor(levels, dtype=torch.float32)[:, None, None] - 1, persistent=False)

    def quantised(self, pictures_RCHW: torch.Tensor) -> torch.Tensor:
        """The rounded numbers at each place, (R, D, h, w), from 0 to a level less one; the gradient passes the rounding."""
        free = torch.sigmoid(self.encoder(pictures_RCHW)) * self._top
        return free + (free.round() - free).detach()

    def decoded(self, rounded_RDhw: torch.Tensor) -> torch.Tensor:
        """Pictures (R, C, H, W), about -1 to 1."""
        made: torch.Tensor = self.decoder(rounded_RDhw / self._top * 2 - 1)
        return made

    def codes(self, pictures_RCHW: torch.Tensor) -> torch.Tensor:
        """The number of the code at each place, row by row: (R, h*w)."""
        rounded = self.quantised(pictures_RCHW).round().long()
        found = torch.zeros_like(rounded[:, 0])
        for place, level in enumerate(self.levels):
            found = found * level + rounded[:, place]
        return found.flatten(1)

    def pictures(self, codes_RN: torch.Tensor, side: int) -> torch.Tensor:
        """The other way round."""
        numbers = []
        for level in reversed(self.levels):
            numbers.append(codes_RN % level)
            codes_RN = codes_RN // level
        return self.decoded(torch.stack(numbers[::-1], 1).float().unflatten(2, (side, side)))

    def reconstruction(self, pictures_RCHW: torch.Tensor) -> torch.Tensor:
        """As they come back from their codes."""
        return self.decoded(self.quantised(pictures_RCHW))


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, width, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.as_tensor(self.layers(x))


class TokenPainter(nn.Module):
    """Codes of pictures, and a decoder that writes them after the tokens of a caption."""

    def __init__(self, config: Mapping[str, Any], seed: int) -> None:
        super().__init__()
        codes = config["codes"]
        self.codes = DiscreteCodes(config["channels"], codes["width"], config["reduction"], codes["levels"])
        self.decoder = new_module(dict(config["decoder"]), seed)


class DiffusionPainter(nn.Module):
    """An autoencoder of pictures, an encoder of captions, and a network that finds the noise in a latent."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        try:
            from diffusers import AutoencoderKL, UNet2DConditionModel
        except ModuleNotFoundError as error:
            raise MissingExtra(error.name or "diffusers", "image") from error
        from transformers import BertConfig, BertModel

        settings = {key: value for key, value in config["text"].items() if key != "model_type"}
        # What diffusers gives has no types that a checker could read.
        self.codes: Any = AutoencoderKL(**config["codes"])
        self.text = BertModel(BertConfig(**settings), add_pooling_layer=False)
        self.unet: Any = UNet2DConditionModel(**config["unet"])

    def reconstruction(self, pictures_RCHW: torch.Tensor) -> torch.Tensor:
        """As they come back from the middle of their latents."""
        decoded: torch.Tensor = self.codes.decode(self.codes.encode(pictures_RCHW).latent_dist.mode()).sample
        return decoded


Painter = TokenPainter | DiffusionPainter


def shape(config: Image, vocabulary: int) -> dict[str, Any]:
    """config.json. Raises ConfigError for sizes that do not fit each other. The empty caption is the id above the vocabulary."""
    if config.size % config.reduction or config.width % config.heads or config.width % 16:
        raise ConfigError(
            "size must be a multiple of reduction, width one of heads and of 16",
            "Change size, reduction, width or heads",
        )
    side = config.size // config.reduction
    common = {
        "model_type": architecture.PAINTERS[config.kind],
        "size": config.size,
        "channels": config.channels,
        "reduction": config.reduction,
        "side": side,
        "caption": config.caption,
        "vocabulary": vocabulary,
    }
    blocks = config.reduction.bit_length()
    if config.kind == "tokens":
        num_codes = 1
        for level in config.levels:
            num_codes *= level
        return {
            **common,
            "num_codes": num_codes,
            "codes": {"width": config.code_width, "levels": list(config.levels)},
            "decoder": {
                "model_type": "llama",
                "architectures": ["LlamaForCausalLM"],
                "vocab_size": vocabulary + 1 + num_codes,
                "hidden_size": config.width,
                "intermediate_size": 4 * config.width,
                "num_hidden_layers": config.layers,
                "num_attention_heads": config.heads,
                "num_key_value_heads": config.heads,
                "max_position_embeddings": config.caption + 1 + side * side,
                "tie_word_embeddings": False,
            },
        }
    widths = [config.code_width] * blocks
    norms = 8 if config.code_width % 8 == 0 else 1
    picture = {"in_channels": config.channels, "out_channels": config.channels, "sample_size": config.size}
    cross = [f"CrossAttn{way}Block2D" for way in ("Down", "Up")]
    return {
        **common,
        "scale": 1.0,
        "codes": {
            **picture,
            "down_block_types": ["DownEncoderBlock2D"] * blocks,
            "up_block_types": ["UpDecoderBlock2D"] * blocks,
            "block_out_channels": widths,
            "layers_per_block": 1,
            "latent_channels": config.latent,
            "norm_num_groups": norms,
            "mid_block_add_attention": False,
        },
        "text": {
            "model_type": "bert",
            "vocab_size": vocabulary + 1,
            "hidden_size": config.width,
            "intermediate_size": 4 * config.width,
            "num_hidden_layers": 1,
            "num_attention_heads": config.heads,
            "max_position_embeddings": config.caption,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
        },
        "unet": {
            "sample_size": side,
            "in_channels": config.latent,
            "out_channels": config.latent,
            "down_block_types": [cross[0], "DownBlock2D"],
            "up_block_types": ["UpBlock2D", cross[1]],
            "block_out_channels": [config.width, 2 * config.width],
            "layers_per_block": config.layers,
            "cross_attention_dim": config.width,
            "class_embed_type": "projection",
            "projection_class_embeddings_input_dim": config.width,
            "attention_head_dim": config.heads,
            "norm_num_groups": 8,
        },
    }


def new_painter(config: Mapping[str, Any], seed: int) -> Painter:
    """The modules of a config, with the same random weights for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokens = config["model_type"] == architecture.PAINTERS["tokens"]
        painter: Painter = TokenPainter(config, seed) if tokens else DiffusionPainter(config)
    return painter.eval()


def read_painter(model: Model) -> tuple[Painter, dict[str, Any]]:
    """The modules of a folder and their config, on the CPU. Raises ConfigError for another kind of model or broken weights."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    model.check()
    config: dict[str, Any] = read_json(model.path / "config.json")
    if architecture.kind(config) != architecture.PAINTER:
        raise ConfigError(f"{model.path} holds no model that draws", "model.image makes one")
    painter = new_painter(config, 0)
    try:
        painter.load_state_dict(load_file(model.path / "model.safetensors"))
    except (SafetensorError, RuntimeError) as error:
        raise ConfigError(f"the model in {model.path} cannot be read: {error}", "Make it again") from error
    return painter.eval(), config


def write_painter(painter: Painter, config: Mapping[str, Any], folder: Path) -> None:
    """config.json and model.safetensors: the same bytes for the same weights."""
    from safetensors.torch import save_file

    kept = {name: weight.detach().cpu().contiguous() for name, weight in sorted(painter.state_dict().items())}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    write_json(folder / "config.json", dict(config))


def caption_ids(captions: Sequence[str], model: Model, config: Mapping[str, Any]) -> tuple[list[list[int]], int]:
    """The tokens of captions, and how many captions were cut to as many tokens as the model reads. An empty one is the id
    above the vocabulary alone."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model.path / "tokenizer.json"))
    ids = [tokenizer.encode(text, add_special_tokens=False).ids or [config["vocabulary"]] for text in captions]
    most = config["caption"]
    return [one[:most] for one in ids], sum(len(one) > most for one in ids)


def read_captions(painter: DiffusionPainter, ids: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
    """What the network is told of captions: each token (R, T, D), where there is one (R, T), and their mean (R, D), which reaches
    every place at once, as in SDXL (https://arxiv.org/abs/2307.01952): without it a small network takes far longer to heed them."""
    where = painter.text.device
    longest = max(map(len, ids))
    padded = torch.tensor([list(one) + [0] * (longest - len(one)) for one in ids], device=where)
    seen = torch.tensor([[True] * len(one) + [False] * (longest - len(one)) for one in ids], device=where)
    told: torch.Tensor = painter.text(input_ids=padded, attention_mask=seen).last_hidden_state
    mean = (told * seen[..., None]).sum(1) / seen.sum(1, keepdim=True)
    return {"encoder_hidden_states": told, "encoder_attention_mask": seen, "class_labels": mean}


def schedule() -> dict[str, Any]:
    """How noise is added (https://arxiv.org/abs/2102.09672), for the schedulers of diffusers. The network says the velocity, noise
    against picture (https://arxiv.org/abs/2202.00512): from the noise alone, the first steps multiply its errors."""
    return {
        "num_train_timesteps": _TRAIN_STEPS,
        "beta_schedule": "squaredcos_cap_v2",
        "prediction_type": "v_prediction",
    }


def num_parameters(painter: Painter) -> int:
    return sum(one.numel() for one in painter.parameters())

"""Models: a new decoder with random weights, or weights that somebody else trained."""

from __future__ import annotations

from septet.core import Config, External, Run, field, step
from septet.kinds import Model, Tokenizer


class Decoder(Config):
    """A new decoder of the Llama type with random weights."""

    layers: int = field(4, "Number of layers.", ge=1)
    width: int = field(256, "Width of the residual stream; a multiple of 32.", ge=32)
    heads: int = field(4, "Number of attention heads.", ge=1)
    kv_heads: int = field(0, "Number of key and value heads, a divisor of heads; 0: as many as heads.", ge=0)
    feed_forward: int = field(
        0, "Width of the feed-forward layers; 0: 8/3 of width, rounded up to a multiple of 32.", ge=0
    )
    context: int = field(512, "Longest sequence, in tokens.", ge=8)
    rope_theta: float = field(10000.0, "Base of the rotary position angles.", gt=1)
    seed: int = field(0, "Seed of the random weights.", ge=0)
    name: str = field("decoder", "Name on the model card.")


class Load(Config):
    """Weights that were trained elsewhere, checked by their hash."""

    source: External = field(doc="A folder or .gguf file, package:NAME of an installed package, or hub:ORG/NAME.")
    sha256: str = field("", "Hash of the weight file; required for a package.")
    revision: str = field("", "Commit id of a hub source, 40 hex digits.")
    form: str = field(
        "safetensors",
        "Form of the result: safetensors can be trained, gguf is kept quantised.",
        choices=("safetensors", "gguf"),
    )
    name: str = field("", "Name on the model card; empty: what the source says.")
    licence: str = field("", "Licence of the weights; empty: what the source says.")


@step("model.decoder", version=1)
def decoder(config: Decoder, tokenizer: Tokenizer, run: Run) -> Model:
    """Make a decoder from its sizes: config.json, random weights from the seed, the tokenizer's files."""
    from septet.model import build

    build.decoder(config, tokenizer.path, run)
    return Model(run.out)


@step("model.load", version=1)
def load(config: Load, run: Run) -> Model:
    """Bring weights into the store: verify, convert, complete with chat template, stop ids and golden prompts."""
    from septet.model import build, sources

    found = sources.find(config.source, config.sha256, config.revision, run)
    build.loaded(config, found, run)
    return Model(run.out)

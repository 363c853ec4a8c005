"""Models: a new one with random weights, or weights that somebody else trained."""

from __future__ import annotations

from typing import Literal

from septet.core import Config, External, Run, field, step
from septet.kinds import Adapter, Model, Tokenizer


class Decoder(Config):
    """A new decoder with random weights: it continues a text."""

    kind: str = field(
        "llama",
        "Family: llama, gpt (GPT-2: learned positions), qwen (Qwen3: normed queries and keys), moe (Qwen3 with experts).",
        choices=("llama", "gpt", "qwen", "moe"),
    )
    layers: int = field(4, "Number of layers.", ge=1)
    width: int = field(256, "Width of the residual stream; a multiple of 32.", ge=32)
    heads: int = field(4, "Number of attention heads.", ge=1)
    kv_heads: int = field(0, "Number of key and value heads, a divisor of heads; 0: as many as heads.", ge=0)
    feed_forward: int = field(
        0,
        "Width of the feed-forward layers, for moe of each expert; 0: 8/3 of width, rounded up to a multiple of 32, for gpt "
        "4 times width.",
        ge=0,
    )
    experts: int = field(4, "Experts of a layer, for moe.", ge=2)
    experts_per_token: int = field(2, "Experts that a token is sent to, for moe.", ge=1)
    context: int = field(512, "Longest sequence, in tokens.", ge=8)
    rope_theta: float = field(10000.0, "Base of the rotary position angles.", gt=1)
    dropout: float = field(0.0, "Share of the residual stream dropped in training; only gpt has one.", ge=0, lt=1)
    seed: int = field(0, "Seed of the random weights.", ge=0)
    name: str = field("decoder", "Name on the model card.")


class Encoder(Config):
    """A new encoder with random weights: it reads a text in both directions and fills in masked tokens."""

    kind: str = field(
        "bert",
        "Family: bert, or modernbert (rotary positions, gated layers, windows in two layers of three).",
        choices=("bert", "modernbert"),
    )
    layers: int = field(4, "Number of layers.", ge=1)
    width: int = field(256, "Width of the residual stream.", ge=8)
    heads: int = field(4, "Number of attention heads.", ge=1)
    feed_forward: int = field(0, "Width of the feed-forward layers; 0: bert 4 times width, modernbert 8/3.", ge=0)
    context: int = field(512, "Longest sequence, in tokens.", ge=8)
    window: int = field(128, "Tokens that a windowed layer of modernbert sees, half to each side.", ge=2)
    dropout: float = field(0.0, "Share of activations dropped in training, outside attention.", ge=0, lt=1)
    seed: int = field(0, "Seed of the random weights.", ge=0)
    name: str = field("encoder", "Name on the model card.")


class EncoderDecoder(Config):
    """A new encoder-decoder with random weights: it reads one text and writes another."""

    kind: str = field(
        "t5",
        "Family: t5 (relative positions, spans behind sentinels), or bart (learned positions, masked spans).",
        choices=("t5", "bart"),
    )
    layers: int = field(4, "Number of encoder layers.", ge=1)
    decoder_layers: int = field(0, "Number of decoder layers; 0: as many as encoder layers.", ge=0)
    width: int = field(256, "Width of the residual stream.", ge=8)
    heads: int = field(4, "Number of attention heads.", ge=1)
    feed_forward: int = field(
        0, "Width of the feed-forward layers; 0: t5 (gated) 8/3 of width, bart 4 times width.", ge=0
    )
    context: int = field(512, "Longest sequence of each side, in tokens.", ge=8)
    sentinels: int = field(64, "Ids reserved at the top of the vocabulary to stand for spans, for t5.", ge=1)
    dropout: float = field(
        0.0, "Share of activations dropped in training; only bart has one outside attention.", ge=0, lt=1
    )
    seed: int = field(0, "Seed of the random weights.", ge=0)
    name: str = field("encoder-decoder", "Name on the model card.")


class Speech(Config):
    """A new speech model with random weights: it writes down what is said."""

    layers: int = field(4, "Number of encoder layers, and of decoder layers.", ge=1)
    width: int = field(256, "Width of the residual stream.", ge=8)
    heads: int = field(4, "Number of attention heads.", ge=1)
    feed_forward: int = field(0, "Width of the feed-forward layers; 0: 4 times width.", ge=0)
    mels: int = field(80, "Bands of the spectrogram.", ge=8, le=128)
    seconds: int = field(30, "Length of the stretch of sound that is read at once.", ge=1, le=30)
    context: int = field(448, "Longest transcript of a stretch, in tokens.", ge=8)
    dropout: float = field(0.0, "Share of activations dropped in training, outside attention.", ge=0, lt=1)
    seed: int = field(0, "Seed of the random weights.", ge=0)
    name: str = field("speech", "Name on the model card.")


class Image(Config):
    """A new model with random weights that draws what a caption says."""

    kind: str = field(
        "diffusion",
        "tokens: a decoder writes the picture's codes after the caption (DALL-E); diffusion: noise is taken out of a latent "
        "(Stable Diffusion).",
        choices=("tokens", "diffusion"),
    )
    size: int = field(32, "Width and height of a picture, in pixels; a multiple of reduction.", ge=8)
    channels: Literal[1, 3] = field(1, "Colours of a picture: 1 is grey, 3 red, green and blue.")
    reduction: Literal[2, 4, 8] = field(4, "Pixels to a side of one place of the code.")
    code_width: int = field(32, "Width of the autoencoder's layers.", ge=8)
    levels: tuple[int, ...] = field(
        (4, 4, 4, 4), "For tokens: levels of each number of a code; their product is the code book."
    )
    latent: int = field(4, "For diffusion: numbers at each place of the latent.", ge=1)
    layers: int = field(2, "Layers of the decoder, or of each block of the network that takes out noise.", ge=1)
    width: int = field(64, "Width of the decoder, or of that network's first block; a multiple of 16.", ge=16)
    heads: int = field(4, "Number of attention heads.", ge=1)
    caption: int = field(16, "Tokens of a caption that are read at most.", ge=1)
    seed: int = field(0, "Seed of the random weights.", ge=0)
    name: str = field("painter", "Name on the model card.")


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


class Attach(Config):
    """Let a model carry an adapter, unmerged."""


@step("model.decoder", version=1)
def decoder(config: Decoder, tokenizer: Tokenizer, run: Run) -> Model:
    """Make a decoder from its sizes: config.json, random weights from the seed, the tokenizer's files."""
    from septet.model import build

    build.decoder(config, tokenizer.path, run)
    return Model(run.out)


@step("model.encoder", version=1)
def encoder(config: Encoder, tokenizer: Tokenizer, run: Run) -> Model:
    """Make an encoder from its sizes. A tokenizer without a mask token gets an id for it above its vocabulary."""
    from septet.model import build

    build.encoder(config, tokenizer.path, run)
    return Model(run.out)


@step("model.encoder_decoder", version=1)
def encoder_decoder(config: EncoderDecoder, tokenizer: Tokenizer, run: Run) -> Model:
    """Make an encoder-decoder from its sizes, with ids above the tokenizer's vocabulary for what stands for hidden spans."""
    from septet.model import build

    build.encoder_decoder(config, tokenizer.path, run)
    return Model(run.out)


@step("model.speech", version=1)
def speech(config: Speech, tokenizer: Tokenizer, run: Run) -> Model:
    """Make a Whisper from its sizes, with tokens for language and task above the tokenizer's vocabulary."""
    from septet.model import build

    build.speech(config, tokenizer.path, run)
    return Model(run.out)


@step("model.image", version=1)
def image(config: Image, tokenizer: Tokenizer, run: Run) -> Model:
    """Make a model that draws from its sizes; train.image_codes and then train.image teach it."""
    from septet.model import build

    build.image(config, tokenizer.path, run)
    return Model(run.out)


@step("model.load", version=2)
def load(config: Load, run: Run) -> Model:
    """Bring weights into the store: verify, convert, complete with chat template, stop ids and golden prompts."""
    from septet.model import build, sources

    found = sources.find(config.source, config.sha256, config.revision, run)
    build.loaded(config, found, run)
    return Model(run.out)


@step("model.attach", version=1)
def attach(config: Attach, model: Model, adapter: Adapter, run: Run) -> Model:  # noqa: ARG001 - a step has a config
    """Set an adapter of any method on a model: who answers with it, measures it or releases it has both."""
    from septet.model import adapter as adapters

    adapters.attach(model, adapter, run)
    return Model(run.out)

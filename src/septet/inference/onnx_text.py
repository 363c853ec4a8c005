"""A text model in ONNX form beside its tokenizer: token ids in, the first output as an array."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from septet.core import ConfigError, MissingExtra

_LONGEST = 512
_THREADS = 4


class OnnxText:
    """`model.onnx` and `tokenizer.json` of a folder. Raises ConfigError where one is missing or broken."""

    def __init__(self, folder: Path) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtra("onnxruntime", "rerank") from None
        from tokenizers import Tokenizer

        for name in ("model.onnx", "tokenizer.json"):
            if not (folder / name).is_file():
                raise ConfigError(f"{folder} holds no {name}", "Export the model to ONNX, with its tokenizer beside it")
        options = onnxruntime.SessionOptions()
        # More threads than cores cost a factor, not a share.
        options.intra_op_num_threads = min(_THREADS, os.cpu_count() or 1)
        # Threads that spin while they wait take the CPU from what else runs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {one.name for one in self._session.get_inputs()}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST)

    def __call__(self, text: str, beside: str | None = None) -> Any:
        """The first output for one text, or for a pair of texts; of what is too long the longer one is cut."""
        import numpy as np

        read = self._tokenizer.encode(text, beside)
        given = {"input_ids": read.ids, "attention_mask": read.attention_mask, "token_type_ids": read.type_ids}
        feed = {name: np.array([ids], np.int64) for name, ids in given.items() if name in self._inputs}
        return self._session.run(None, feed)[0]

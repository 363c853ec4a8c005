"""Reading a GGUF file: its header as plain values, its tensors as dequantised arrays.

The header is read here, in one pass over the mapped file: the reader of the `gguf` package builds an array object for
each of the 262,144 tokens of a Gemma vocabulary and takes 10 s where this takes 0.4 s (2026-11, one core of an EPYC).
What the bytes of a quantised block mean is the package's knowledge, and stays there.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from septet.core import ConfigError, MissingExtra

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_MAX_DIMENSIONS = 8
_GROUP_ELEMENTS = 1 << 17
"""Elements dequantised at once: the package works on 16 rows at a time, too few when a row is one token's embedding."""


@dataclass(frozen=True)
class TensorInfo:
    """Where a tensor lies. `shape` is in the order of numpy: rows first."""

    name: str
    shape: tuple[int, ...]
    type: int
    offset: int


class GgufFile:
    """An opened GGUF file. Raises ConfigError when the file is not GGUF, is cut off, or holds what no version knows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.stat().st_size < 24:
            raise ConfigError(
                f"{path.name} is not a GGUF file: it has only {path.stat().st_size} bytes", "Fetch the file again"
            )
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._at = 0
        try:
            self.metadata, self.tensors = self._header()
        except (struct.error, IndexError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{path.name} is a broken GGUF file: its header ends or misreads at byte {self._at} ({error})",
                "Fetch the file again",
            ) from error

    def get(self, key: str, default: Any = None) -> Any:
        """A metadata value; `{arch}` in the key stands for the architecture's name."""
        return self.metadata.get(key.replace("{arch}", str(self.metadata.get("general.architecture"))), default)

    def array(self, info: TensorInfo) -> np.ndarray:
        """The tensor as float32, dequantised."""
        try:
            from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
            from gguf.quants import dequantize
        except ModuleNotFoundError as error:
            raise MissingExtra("gguf", "models") from error
        kind = GGMLQuantizationType(info.type)
        block, size = GGML_QUANT_SIZES[kind]
        count = int(np.prod(info.shape))
        raw = np.frombuffer(self._bytes, np.uint8, count // block * size, self._tensor_start + info.offset)
        if kind in (GGMLQuantizationType.F32, GGMLQuantizationType.F16):
            return (
                raw.view(np.float32 if kind == GGMLQuantizationType.F32 else np.float16)
                .astype(np.float32)
                .reshape(info.shape)
            )
        group = _GROUP_ELEMENTS if count % _GROUP_ELEMENTS == 0 else info.shape[-1]
        flat: np.ndarray = dequantize(raw.reshape(-1, group // block * size), kind)
        return flat.reshape(info.shape)

    def close(self) -> None:
        self._bytes.close()

    def _header(self) -> tuple[dict[str, Any], list[TensorInfo]]:
        if self._bytes[:4] != _MAGIC:
            raise ConfigError(
                f"{self.path.name} is not a GGUF file: it starts with {self._bytes[:4]!r}",
                "Give a .gguf file or a folder with config.json",
            )
        self._at = 4
        (version,) = self._take("<I")
        if version not in _VERSIONS:
            raise ConfigError(
                f"{self.path.name} is GGUF version {version}", f"Versions {_VERSIONS} are read; convert the file"
            )
        num_tensors, num_values = self._take("<QQ")
        metadata = {}
        for _ in range(num_values):
            key = self._string()
            metadata[key] = self._value(self._take("<I")[0])
        tensors = [self._tensor() for _ in range(num_tensors)]
        alignment = int(metadata.get("general.alignment", 32))
        self._tensor_start = (self._at + alignment - 1) // alignment * alignment
        self._check_lengths(tensors)
        return metadata, tensors

    def _check_lengths(self, tensors: list[TensorInfo]) -> None:
        from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

        for info in tensors:
            try:
                block, size = GGML_QUANT_SIZES[GGMLQuantizationType(info.type)]
            except ValueError as error:
                raise ConfigError(
                    f"{self.path.name}: the tensor {info.name} has the unknown type {info.type}",
                    "Update the gguf package, or convert the file",
                ) from error
            end = self._tensor_start + info.offset + int(np.prod(info.shape)) // block * size
            if end > len(self._bytes):
                raise ConfigError(
                    f"{self.path.name} is cut off: the tensor {info.name} ends at byte {end}, the file at {len(self._bytes)}",
                    "Fetch the file again",
                )

    def _tensor(self) -> TensorInfo:
        name = self._string()
        (num_dimensions,) = self._take("<I")
        if num_dimensions > _MAX_DIMENSIONS:
            raise IndexError(f"a tensor of {num_dimensions} dimensions")
        shape = self._take(f"<{num_dimensions}Q")
        kind, offset = self._take("<IQ")
        return TensorInfo(name, tuple(reversed(shape)), kind, offset)

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            inner, count = self._take("<IQ")
            if inner in _SCALARS:
                return list(self._take(f"<{count}{_SCALARS[inner]}"))
            read: Callable[[], Any] = self._string if inner == _STRING else lambda: self._value(inner)
            return [read() for _ in range(count)]
        if kind not in _SCALARS:
            raise IndexError(f"a value of the unknown type {kind}")
        return self._take("<" + _SCALARS[kind])[0]

    def _string(self) -> str:
        (length,) = self._take("<Q")
        start = self._at
        if start + length > len(self._bytes):
            raise IndexError(f"a text of {length} bytes")
        self._at = start + length
        return self._bytes[start : self._at].decode("utf-8")

    def _take(self, layout: str) -> tuple[Any, ...]:
        size = struct.calcsize(layout)
        if self._at + size > len(self._bytes):
            raise IndexError(f"{size} bytes more were expected")
        values = struct.unpack_from(layout, self._bytes, self._at)
        self._at += size
        return values

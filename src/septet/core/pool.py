"""The pieces of one step, done side by side: the same function over many plain values.

A function is known by its place in a module and a piece by its JSON, so that both go to another process or machine
without pickle, and a piece means the same wherever it is done.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import msgspec


class Pool(Protocol):
    """Where pieces are done. Results come back in the order of the pieces."""

    workers: int
    """How many pieces are under way at once."""
    memory_mb: int
    """What all of them together may hold in memory; 0: no bound was set."""

    def map(self, place: str, pieces: Sequence[bytes]) -> Iterator[bytes]: ...


class Serial:
    """One piece after the other, where the step runs."""

    workers = 1

    def __init__(self, memory_mb: int = 0) -> None:
        self.memory_mb = memory_mb

    def map(self, place: str, pieces: Sequence[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield call(place, piece)


def place_of(function: Callable[..., Any]) -> str:
    """`module:name` of a function at the top of a module."""
    if "." in function.__qualname__ or "<" in function.__qualname__:
        raise TypeError(f"{function.__qualname__} is not at the top of a module: another process cannot find it")
    return f"{function.__module__}:{function.__name__}"


def function_at(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def call(place: str, piece: bytes) -> bytes:
    """Do one piece in this process: JSON in, JSON out."""
    return msgspec.json.encode(function_at(place)(msgspec.json.decode(piece)))

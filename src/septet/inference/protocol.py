"""What runs a model: one Protocol, several makers.

A caller makes prompts with the model's own codec and gives token ids, so that every engine reads the same. Third parties
bring an engine through the entry point group `septet.inference`: a function `(model: Model) -> Engine`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from septet.core import ConfigError, StepFailed, plugins
from septet.kinds import Model
from septet.model.codec import Codec, Prompt
from septet.model.folder import check_chats, check_golden

GROUP = "septet.inference"

__all__ = [
    "GROUP",
    "Asked",
    "Completion",
    "Engine",
    "Likelihood",
    "Options",
    "Piece",
    "Prompt",
    "Unscored",
    "load",
    "totals",
]


@dataclass(frozen=True)
class Options:
    """How to continue a prompt. Temperature 0 is greedy and always the same; above it, the seed decides."""

    max_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    """Texts that end an answer and are not part of it, beside the model's own stop ids. One counts only once something
    other than blanks has been written: a base model asked for a line often begins with a line break."""


@dataclass(frozen=True)
class Completion:
    """A finished continuation. `finish`: `stop`, or `length` when max_tokens or the context ended it."""

    text: str
    ids: tuple[int, ...]
    finish: str
    prompt_tokens: int
    told: int = 0
    """How many tokens it has, of an engine that keeps their ids to itself."""

    @property
    def tokens(self) -> int:
        return len(self.ids) or self.told


@dataclass(frozen=True)
class Piece:
    """A stretch of a continuation as it comes. `finish` is empty until the last one."""

    text: str
    finish: str = ""


@dataclass(frozen=True)
class Asked:
    """A prompt, and continuations of it whose probability is wanted, as token ids."""

    prompt: Prompt
    continuations: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Likelihood:
    """The natural logarithm of the probability of each token of a continuation.

    `greedy`: whether each was the likeliest. `bound`: the number is one that the true one does not exceed, because an endpoint
    names the likeliest tokens only.
    """

    log_probabilities: tuple[float, ...]
    greedy: bool = False
    bound: bool = False

    @property
    def total(self) -> float:
        return sum(self.log_probabilities)


@dataclass(frozen=True)
class Unscored:
    """A question that could not be scored, and why: too long, an endpoint that failed."""

    reason: str


@runtime_checkable
class Engine(Protocol):
    """A loaded model. Safe to call from several threads; calls may wait for each other."""

    name: str
    codec: Codec

    def generate(self, prompts: Sequence[Prompt], options: Options) -> list[Completion]:
        """Continue each prompt. The result of one does not depend on which others stand beside it, but for rounding."""

    def stream(self, prompt: Prompt, options: Options) -> Generator[Piece, None, None]:
        """Continue one prompt piece by piece. Closing the generator stops the work."""

    def score(self, asked: Sequence[Asked]) -> Iterator[tuple[int, list[Likelihood] | Unscored]]:
        """The likelihoods of each question's continuations with its place, in the order in which they come.

        All that is to be asked together is best asked together: an engine may read once what the prompts share. Raises
        ConfigError when the engine cannot tell such probabilities at all.
        """

    def close(self) -> None:
        """Free what the engine holds. It cannot be used afterwards."""


def load(model: Model, engine: str = "auto") -> Engine:
    """Load a model. `auto` takes llama.cpp for the GGUF form and torch for safetensors.

    Raises ConfigError for a model that is no decoder, for an unknown engine, one that cannot run this form, and a model whose
    golden prompts do not come out as when it was made; MissingExtra when the engine's package is missing.
    """
    model.check()
    check_chats(model.path)
    if engine == "auto":
        engine = "llamacpp" if model.form == "gguf" else "torch"
    made = plugins.load(GROUP, engine)(model)
    if not isinstance(made, Engine):
        raise ConfigError(f"the inference engine '{engine}' lacks a method of the protocol", "Mend the plugin")
    check_golden(made.codec)
    return made


def totals(engine: Engine, prompt: Prompt, continuations: Sequence[Sequence[int]]) -> list[float]:
    """The log-probability of each continuation of one prompt, summed over its tokens. Raises StepFailed where there is none."""
    ((_, found),) = engine.score([Asked(prompt, tuple(tuple(ids) for ids in continuations))])
    if isinstance(found, Unscored):
        raise StepFailed(f"a text could not be scored: {found.reason}", "Shorten the item, or leave it out")
    return [one.total for one in found]


class StopText:
    """Watches a stream for stop texts: lets through what cannot be the beginning of one, and cuts at the first."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self._begun = self._shown = False
        self.stopped = False

    def feed(self, text: str) -> str:
        """What may be shown now."""
        if self.stopped:
            return ""
        self._held += text
        if not self._begun:
            self._begun = bool(self._held.strip())
            if not self._begun:
                return ""
        start = len(self._held) - len(self._held.lstrip()) if not self._shown else 0
        found = [at for stop in self._stops if (at := self._held.find(stop, start)) >= 0]
        if found:
            self.stopped = True
            shown, self._held = self._held[: min(found)], ""
            return shown
        keep = max((n for stop in self._stops for n in range(1, len(stop)) if self._held.endswith(stop[:n])), default=0)
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        self._shown = self._shown or bool(shown.strip())
        return shown

    def rest(self) -> str:
        """What was held back when the stream ended by itself."""
        shown, self._held = ("", "") if self.stopped else (self._held, "")
        return shown

"""A model's tokenizer and chat template, read from its folder: messages to token ids, token ids to text.

The same in each form of a model, because both forms carry the same files; an engine is given ids and need not agree on
how to make them. The tokenizers library is loaded when the first codec is made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from septet.core import ConfigError, MissingExtra
from septet.model.template import Message, render

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BRACKETED = re.compile(r"<[^<>\s]{1,64}>|\[[^\[\]\s]{1,64}\]")


@dataclass(frozen=True)
class Prompt:
    """What an engine is given: token ids, and the messages they were made of, which a remote endpoint wants instead."""

    ids: tuple[int, ...]
    messages: tuple[Message, ...] = ()


class Codec:
    """Reads `tokenizer.json`, `tokenizer_config.json`, `chat_template.jinja` and `generation_config.json` of a folder.

    Raises ConfigError when one is missing or broken.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config: dict[str, Any] = _json(folder / "tokenizer_config.json")
        self.defaults: dict[str, Any] = _json(folder / "generation_config.json")
        self.template = _text(folder / "chat_template.jinja")
        self.bos_token = token_name(self.config.get("bos_token"))
        self.eos_token = token_name(self.config.get("eos_token"))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        try:
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise MissingExtra("tokenizers", "models") from error
        path = self.folder / "tokenizer.json"
        if not path.is_file():
            raise ConfigError(f"{self.folder} holds no tokenizer.json", "Use a model folder with its tokenizer")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception for each kind of broken file
            raise ConfigError(f"{path} cannot be read: {error}", "Fetch the model again") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    @cached_property
    def stop_ids(self) -> tuple[int, ...]:
        """The ids that end an answer."""
        ids = self.defaults.get("eos_token_id", [])
        return tuple(ids) if isinstance(ids, list) else (ids,)

    @cached_property
    def pad_id(self) -> int:
        """An id to fill rows with; it is always masked, so any will do."""
        found = self.defaults.get("pad_token_id")
        return int(found) if found is not None else (self.stop_ids or (0,))[0]

    def render(self, messages: Sequence[Message], *, generate: bool = True) -> str:
        """The text of a conversation. Special tokens written inside a message are broken up, so that nobody can forge a turn."""
        safe = [{**message, "content": self.disarm(message["content"])} for message in messages]
        return render(safe, self.template, bos_token=self.bos_token, eos_token=self.eos_token, generate=generate)

    def encode(self, text: str) -> list[int]:
        """The ids of a text as it stands: nothing is added, special tokens count."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of several texts, as `encode` would make them one by one."""
        return [list(one.ids) for one in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    @cached_property
    def begins_with(self) -> tuple[int, ...]:
        """The ids that stand before a text that is no chat, such as the token that begins a text: those that the tokenizer puts
        there of its own accord, or as its config says (`add_bos_token`)."""
        alone = self.tokenizer.encode("a", add_special_tokens=True).ids
        own = self.tokenizer.encode("a", add_special_tokens=False).ids
        place = next((at for at in range(len(alone)) if alone[at : at + len(own)] == own), 0)
        begins = self.tokenizer.token_to_id(self.bos_token) if self.config.get("add_bos_token") else None
        return tuple(alone[:place]) or (() if begins is None else (begins,))

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids, without special tokens."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def prompt(self, messages: Sequence[Message]) -> Prompt:
        """The prompt after which the assistant's answer begins."""
        return Prompt(tuple(self.encode(self.render(messages))), tuple(messages))

    def conversation(self, messages: Sequence[Message]) -> tuple[list[int], list[bool]]:
        """The ids of a whole conversation, and which of them the assistant wrote (its end of turn included).

        Up to each answer the ids are those that `prompt` makes, as they will be when the model is asked.
        """
        ids: list[int] = []
        wrote: list[bool] = []
        done = ""
        for index, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            before = self.render(messages[:index])
            after = self.render(messages[: index + 1], generate=False)
            if not (before.startswith(done) and after.startswith(before)):
                raise ConfigError(
                    "the chat template writes a turn differently once it has been answered",
                    "Use a template in which a conversation only grows",
                )
            after = after[: self._end_of_turn(after, len(before))]
            asked = self.encode(before[len(done) :])
            both = self.encode(after[len(done) :])
            joined = both[: len(asked)] == asked
            answer = both[len(asked) :] if joined else self.encode(after[len(before) :])
            ids += asked + answer
            wrote += [False] * len(asked) + [True] * len(answer)
            done = after
        return ids, wrote

    def continuation(self, messages: Sequence[Message], answer: str) -> list[int]:
        """The ids of an answer as they would follow the prompt of `messages`, without the end of the turn: what is scored."""
        ids, wrote = self.conversation([*messages, {"role": "assistant", "content": answer}])
        start = len(wrote) - next((at for at, own in enumerate(reversed(wrote)) if not own), len(wrote))
        return [token for token in ids[start:] if token not in self.stop_ids]

    def _end_of_turn(self, text: str, start: int) -> int:
        """Where the first stop token after `start` ends; the end of the text when there is none."""
        ends = []
        for token in self.stop_ids:
            word = self.tokenizer.id_to_token(token) or ""
            found = text.find(word, start) if word else -1
            if found >= 0:
                ends.append(found + len(word))
        return min(ends, default=len(text))

    def decoder(self) -> Callable[[int], str]:
        """A function that is given ids one by one and returns the text that each completes; empty while a character's
        bytes are still coming."""
        from tokenizers.decoders import DecodeStream

        stream = DecodeStream(skip_special_tokens=True)
        return lambda token: stream.step(self.tokenizer, token) or ""

    def disarm(self, text: str) -> str:
        """The text with a blank inside whatever would be read as a special token."""
        special = self._special
        text = _BRACKETED.sub(lambda match: _broken(match[0]) if match[0] in special else match[0], text)
        for odd in self._odd:
            text = text.replace(odd, _broken(odd))
        return text

    @cached_property
    def _special(self) -> frozenset[str]:
        return frozenset(token.content for token in self.tokenizer.get_added_tokens_decoder().values() if token.special)

    @cached_property
    def _odd(self) -> tuple[str, ...]:
        return tuple(sorted(token for token in self._special if not _BRACKETED.fullmatch(token)))


def token_name(value: Any) -> str:
    """A token as tokenizer_config.json names it: as text, or as a table with `content`."""
    return str(value["content"]) if isinstance(value, dict) else str(value or "")


def _broken(token: str) -> str:
    return f"{token[0]} {token[1:]}"


def _text(path: Path) -> str:
    if not path.is_file():
        raise ConfigError(
            f"{path.parent} holds no {path.name}", "Load the model through model.load, which adds what is missing"
        )
    return path.read_text(encoding="utf-8")


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(_text(path)))
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}", "Fetch the model again") from error

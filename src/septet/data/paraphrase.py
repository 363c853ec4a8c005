"""A text said again by a model: in other words, or through another language and back.

The model is one of the store under any engine, or one behind an OpenAI-compatible endpoint. What it answers is checked by
whoever asks: this file knows only what to say to it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from septet.inference.endpoint import KEY, EndpointEngine
from septet.inference.protocol import Options, Prompt, load
from septet.kinds import Model

_REWRITE = {
    "en": "Say the following text in other words. Keep its meaning, its language, every number and every name. "
    "Answer with the new text alone.\n\n{text}",
    "zh": "请用不同的措辞改写下面的文字，意思、语言、数字和名称都不能变，只回答改写后的文字。\n\n{text}",
}
_TRANSLATE = "Translate the following text into {language}. Answer with the translation alone.\n\n{text}"
_LANGUAGES = {"en": "English", "zh": "Chinese", "de": "German", "fr": "French", "es": "Spanish", "ja": "Japanese"}
_QUOTES = ('""', "“”", "「」", "''")


class Said(NamedTuple):
    """An answer, and whether it came to its end."""

    text: str
    whole: bool


class Speaker:
    """A model that says texts again. `name` is what rows are marked with."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._temperature = float(settings["temperature"])
        if settings["endpoint"]:
            self.name = str(settings["served_as"])
            key = os.environ.get(KEY, "none")
            # An endpoint makes ids of messages by itself: it needs no codec.
            self._engine: Any = EndpointEngine(None, settings["endpoint"], self.name, key)
            return
        model = Model(Path(settings["model"]))
        self.name = str(model.card.get("name", "model"))
        self._engine = load(model, settings["engine"])

    def paraphrase(self, text: str, language: str, seed: int) -> Said:
        """The text in other words of the same language."""
        return self._ask(_REWRITE["zh" if language == "zh" else "en"].format(text=text), len(text), seed)

    def back(self, text: str, language: str, pivot: str, seed: int) -> Said:
        """The text translated into `pivot` and back; without a pivot, Chinese goes through English and all else through Chinese."""
        own = "zh" if language == "zh" else language if language in _LANGUAGES else "en"
        through = pivot or ("en" if own == "zh" else "zh")
        there = self._translate(text, through, seed)
        if not there.text or not there.whole:
            return there
        return self._translate(there.text, own, seed)

    def _translate(self, text: str, language: str, seed: int) -> Said:
        named = _LANGUAGES.get(language, language)
        return self._ask(_TRANSLATE.replace("{language}", named).replace("{text}", text), 2 * len(text), seed)

    def _ask(self, said: str, length: int, seed: int) -> Said:
        messages = [{"role": "user", "content": said}]
        codec = self._engine.codec
        prompt = Prompt((), tuple(messages)) if codec is None else codec.prompt(messages)  # type: ignore[arg-type]
        # A Chinese character is at most about two tokens.
        options = Options(max_tokens=64 + 2 * length, temperature=self._temperature, seed=seed)
        (answer,) = self._engine.generate([prompt], options)
        return Said(_bare(answer.text), answer.finish != "length")


def _bare(text: str) -> str:
    """An answer without blanks and without quotes around the whole of it."""
    text = text.strip()
    for pair in _QUOTES:
        if len(text) > 2 and text[0] == pair[0] and text[-1] == pair[1] and pair[1] not in text[1:-1]:
            text = text[1:-1].strip()
    return text

"""Chinese in the other script: traditional characters for simplified ones, and the other way round, by OpenCC's phrases."""

from __future__ import annotations

import functools
from collections.abc import Callable
from random import Random

from septet.core import MissingExtra
from septet.evaluate.perturb import hidden


def traditional(text: str, language: str, draw: Random) -> str:
    """The text in traditional characters. Raises MissingExtra without OpenCC: a part of the characters would be another text."""
    del language, draw
    return _converted(text, "s2t")


def simplified(text: str, language: str, draw: Random) -> str:
    """The text in simplified characters. Raises MissingExtra without OpenCC."""
    del language, draw
    return _converted(text, "t2s")


def _converted(text: str, way: str) -> str:
    text, taken = hidden.fixed(text, numbers=False, quoted=False)
    # A title in brackets is the same title in either script.
    taken = [_converter(way)(one) if one.startswith("《") else one for one in taken]
    return hidden.shown(_converter(way)(text), taken)


@functools.cache
def _converter(way: str) -> Callable[[str], str]:
    try:
        import opencc
    except ImportError:
        raise MissingExtra("opencc", "data") from None
    convert: Callable[[str], str] = opencc.OpenCC(way).convert
    return convert

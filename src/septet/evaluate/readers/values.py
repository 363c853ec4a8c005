"""What stands in the cells of published files: letters, places, lists written as Python or JSON, yes and no."""

from __future__ import annotations

import ast
import random
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import msgspec

from septet.evaluate.form import LETTERS
from septet.evaluate.readers.reading import Unreadable


def text_of(value: Any, name: str) -> str:
    """A text that must not be empty; a number is written out, a list is none. Raises Unreadable."""
    if isinstance(value, list | tuple | dict):
        raise Unreadable(f"'{name}' is a list or an object where a text belongs")
    text = "" if value is None else str(value).strip()
    if not text:
        raise Unreadable(f"'{name}' is empty")
    return text


def place_of(letter: Any, count: int) -> int | None:
    """The place that a letter names (`B`, `(b)`, `Ｂ`, `B.`), or None where the cell is empty. Raises Unreadable."""
    text = unicodedata.normalize("NFKC", "" if letter is None else str(letter)).strip()
    if not text:
        return None
    bare = re.sub(r"[\s().、,:：。]", "", text).upper()
    if len(bare) != 1 or bare not in LETTERS[:count]:
        raise Unreadable(f"the answer '{text[:40]}' is none of the letters {_range(count)}")
    return LETTERS.index(bare)


def _range(count: int) -> str:
    return f"{LETTERS[0]}-{LETTERS[:count][-1:]}"


def places_of(label: Any, count: int) -> list[int]:
    """The places of one or several letters: `B`, `ABD`, `A B D`, `A,C`, or a list of letters. None and empty are no place."""
    parts = label if isinstance(label, list | tuple) else [label]
    text = "".join("" if part is None else str(part) for part in parts)
    bare = re.sub(r"[\s().、,，;；:：。和与及]", "", unicodedata.normalize("NFKC", text)).upper()
    if any(letter not in LETTERS[:count] for letter in bare):
        raise Unreadable(f"the answer '{text[:40]}' is not made of the letters {_range(count)}")
    return sorted({LETTERS.index(letter) for letter in bare})


def index_of(value: Any, count: int) -> int | None:
    """A place written as a number from 0 (an int, `2`, `2.0`), or None where the cell is empty. Raises Unreadable."""
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    if isinstance(value, bool) or not re.fullmatch(r"\d+(\.0+)?", text) or int(float(text)) >= count:
        raise Unreadable(f"the answer '{text[:40]}' is no place from 0 to {count - 1}")
    return int(float(text))


def list_of(value: Any, name: str) -> list[Any]:
    """A list, also where it is written as text in the manner of Python or of JSON. Raises Unreadable."""
    found = literal(value, name)
    if not isinstance(found, list | tuple):
        raise Unreadable(f"'{name}' is no list: {str(value)[:60]}")
    return list(found)


def literal(value: Any, name: str) -> Any:
    """A value that may be written as text in the manner of Python or of JSON. Nothing is run. Raises Unreadable."""
    if not isinstance(value, str):
        return value
    # JSON first: Python would read its pairs of surrogates as two broken characters.
    for decode in (msgspec.json.decode, ast.literal_eval):
        try:
            return decode(value.strip())
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    raise Unreadable(f"'{name}' is neither a Python nor a JSON value: {value[:60]}")


_MARK = re.compile(r"[(（]?\s*([A-Z])\s*(?:[)）.．、:：?？]\s*|\s(?=\S))")
"""The letter that an option carries itself: `(A)`, `A.`, `B、`, `C: `, `D? ` (a colon that was lost), `A text`."""


def letters_of(options: Sequence[Any]) -> list[str]:
    """The letters that the options carry themselves, in their order, where each letter from A stands once; else none."""
    marks = [_MARK.match(str(one).strip()) for one in options]
    letters = [mark[1] for mark in marks if mark]
    return letters if sorted(letters) == list(LETTERS[: len(options)]) else []


def bare_options(options: Sequence[Any]) -> list[str]:
    """Options without the letters that they carry themselves, in the order of those letters: a key names the letter in print.

    Where only some carry one, those that stand in brackets in their own place are taken off, if they are half of the options.
    """
    texts = [str(one).strip() for one in options]
    letters = letters_of(texts)
    if letters:
        cut = {letter: _MARK.sub("", text, count=1).strip() for letter, text in zip(letters, texts, strict=True)}
        return [cut[letter] for letter in sorted(cut)]
    marks = [re.match(rf"[(（]{LETTERS[place]}[)）]\s*", text) for place, text in enumerate(texts[: len(LETTERS)])]
    if len(texts) > len(LETTERS) or sum(map(bool, marks)) * 2 < len(texts):
        return texts
    return [text[mark.end() :] if mark else text for text, mark in zip(texts, marks, strict=True)]


def drawn(identity: str, options: Sequence[str]) -> list[int]:
    """An order of options that depends on the item's id alone, for formats that always name the right one first."""
    order = list(range(len(options)))
    random.Random(identity).shuffle(order)  # noqa: S311 - an order, not a secret
    return order

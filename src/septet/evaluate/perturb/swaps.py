"""Words for other words, all at once: each place is read once, and what was put in is not read again.

Latin words count whole and in any case, and keep their capitals. Chinese words are found longest first; `spared` names longer
words that hold one by chance.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping


@functools.lru_cache(64)
def _pattern(words: tuple[str, ...], fold: bool) -> re.Pattern[str]:
    ordered = sorted(words, key=lambda one: (-len(one), one))
    latin = [re.escape(one) for one in ordered if one.isascii()]
    other = [re.escape(one) for one in ordered if not one.isascii()]
    parts = [rf"(?<![A-Za-z0-9'’])(?:{'|'.join(latin)})(?![A-Za-z0-9])"] if latin else []
    if other:
        # A look at the first character spares trying every word at every place.
        firsts = "".join(sorted({re.escape(one[0]) for one in ordered if not one.isascii()}))
        parts.append(f"(?=[{firsts}])(?:{'|'.join(other)})")
    return re.compile("|".join(parts) or r"(?!)", re.IGNORECASE if fold else 0)


def found(text: str, words: Iterable[str], spared: Iterable[str] = (), fold: bool = True) -> list[tuple[int, int, str]]:
    """Start, end and the word as listed of each word of the list in a text."""
    listed = tuple(words)
    skipped = frozenset(spared)
    pattern = _pattern((*listed, *skipped), fold)
    places = []
    for match in pattern.finditer(text):
        word = match[0].lower() if fold and match[0].isascii() else match[0]
        if word not in skipped:
            places.append((*match.span(), word))
    return places


def swapped(
    text: str, places: Iterable[tuple[int, int, str]], new: Callable[[int, int, str], str] | Mapping[str, str]
) -> str:
    """The text with what stands at these places replaced; a capital stays a capital."""
    pieces, at = [], 0
    for start, end, word in places:
        put = new[word] if isinstance(new, Mapping) else new(start, end, word)
        old = text[start:end]
        if old.isascii() and put.isascii() and put.islower():
            put = (
                put.upper() if len(old) > 1 and old.isupper() else put[0].upper() + put[1:] if old[0].isupper() else put
            )
        pieces += [text[at:start], put]
        at = end
    return "".join([*pieces, text[at:]])

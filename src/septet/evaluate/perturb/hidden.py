"""What a perturbation must not touch is taken out of the text first, and put back afterwards.

Each stretch leaves one character of a private plane behind (Unicode, plane 15), which is no letter, no blank and no mark: no kind
changes it or looks for words across it. Hiding may be done twice: what was hidden before stays hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_FIRST, _LAST = 0xF0000, 0xFFFFD
_STAND_IN = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")

# Each run of letters is entered at its start alone: a long one is not read again from every place in it.
_WRITTEN = r"""
    ```[^\x1e]*?(?:```|\Z|(?=\x1e))                         # code between fences; \x1e parts texts
  | `[^`\n]+`
  | ^(?:>>>|[ ]{4,}|\t|(?:def|class|import|from|return|for|while|if|else|print)\b(?=[^\n]*[:(=]))[^\n]*$
  | \$\$.+?\$\$ | \$(?!\s)[^$\n]+?(?<!\s)\$               # formulas in TeX
  | \\\(.+?\\\) | \\\[.+?\\\] | \\begin\{(?P<env>[a-zA-Z*]+)\}.*?\\end\{(?P=env)\}
  | \\[a-zA-Z]+(?:\{[^{}\n]*\})*
  | (?:https?://|www\.)[!-~]+ | (?<![\w.+-])[\w.+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+
  | <[/A-Za-z][^<>\n]*> | \{[^{}\n]*\} | _+
  | (?<!\w)[A-Za-z]\w*\([^()\n]*\) | (?<![A-Za-z0-9])[A-Za-z0-9]+_[A-Za-z0-9_]+  # calls and names of code
  | 《[^《》\n]*》                                         # titles of works
  | (?<![A-Za-z0-9.()\[\]])(?:[A-Za-z0-9.()\[\]]+[ ]?[=+*/^<>≤≥≠≈×÷±∑√∈⊂∪∩→∧∨¬][=]?[ ]?)+[A-Za-z0-9.()\[\]]+
  | (?<![A-Za-z0-9.()])[A-Za-z0-9.()]+(?:[ ]-[ ]|(?<=\d)[-−])[A-Za-z0-9.()]*\d[A-Za-z0-9.()]*
"""
_FIXED = re.compile(_WRITTEN, re.VERBOSE | re.DOTALL | re.MULTILINE | re.ASCII)
_NUMBER = re.compile(
    r"(?<![A-Za-z])[A-Za-z]*[0-9０-９](?:[A-Za-z0-9０-９.,:′″/-]*[A-Za-z0-9０-９])?(?:%|℃|°[CF]?|[ ]?[a-zµ]{1,3}\b)?",
    re.ASCII,
)
_QUOTED = re.compile(r"(?<![\w'])'[^'\n]{1,40}'(?![\w'])|\[[^\[\]\n]{1,40}\]|[\"“「『][^\"“”「」『』\n]{1,40}[\"”」』]")


def fixed(text: str, numbers: bool = True, quoted: bool = True) -> tuple[str, list[str]]:
    """The text without code, formulas, addresses, blanks to fill and titles, and with `numbers` without numbers and their units,
    with `quoted` without short quotations and what stands in square brackets; and what was taken out."""
    taken: list[str] = []
    text = _taken(text, [_FIXED], taken)
    if quoted:
        text = _taken(text, [_QUOTED], taken)
    if numbers:
        text = _taken(text, [_NUMBER], taken)
    return text, taken


def words(text: str, keep: Iterable[str]) -> tuple[str, list[str]]:
    """The text without these words and phrases (of two characters or more, whole words where they are of Latin letters)."""
    taken: list[str] = []
    wanted = sorted({one for one in keep if len(one.strip()) >= 2}, key=lambda one: (-len(one), one))
    if wanted:
        choice = "|".join(re.escape(one) for one in wanted)
        pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{choice})(?![A-Za-z0-9])", re.IGNORECASE)
        text = _taken(text, [pattern], taken)
    return text, taken


def shown(text: str, taken: Sequence[str]) -> str:
    """The text with what was taken out put back. The last that was hidden comes back first."""
    first = _FIRST + _held(text) - len(taken) + 1
    for place in range(len(taken) - 1, -1, -1):
        text = text.replace(chr(first + place), taken[place])
    return text


def _held(text: str) -> int:
    """The number of the last stand-in of a text, -1 where there is none."""
    return max((ord(one) for one in _STAND_IN.findall(text)), default=_FIRST - 1) - _FIRST


def _taken(text: str, patterns: Sequence[re.Pattern[str]], taken: list[str]) -> str:
    for pattern in patterns:
        first = _FIRST + _held(text) + 1

        def stand_in(match: re.Match[str], first: int = first, start: int = len(taken)) -> str:
            if first + len(taken) - start > _LAST:
                return match[0]
            taken.append(match[0])
            return chr(first + len(taken) - 1 - start)

        text = pattern.sub(stand_in, text)
    return text

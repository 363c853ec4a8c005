"""Digits, letters and marks of Chinese text in the other width, as an input method with the wrong setting writes them.

Wide and narrow forms are the same characters to a reader (Unicode, UAX 11): folded by NFKC, the text says what it said. Formulas,
code and addresses stay narrow, for there width does matter.
"""

from __future__ import annotations

import re
from random import Random

from septet.evaluate.perturb import hidden

_NARROW = {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)}
_WIDE = {narrow: wide for wide, narrow in _NARROW.items()}
_MARKS = re.compile("[，：；！？（）]")
_WRITTEN = re.compile("[0-9A-Za-z]+|[,:;!?()]")


def width(text: str, language: str, draw: Random) -> str:
    """Wide marks made narrow, and narrow letters, digits and marks made wide; where the text has both, each or both as drawn."""
    del language
    text, taken = hidden.fixed(text, numbers=False, quoted=False)
    marks, written = bool(_MARKS.search(text)), bool(_WRITTEN.search(text))
    way = draw.choice(("marks", "written", "both")) if marks and written else "both"
    wide = {one: _WIDE[one] for one in _WIDE if _WRITTEN.fullmatch(one)} if way != "marks" else {}
    narrow = {one: _NARROW[one] for one in "，：；！？（）"} if way != "written" else {}
    return hidden.shown("".join((wide | narrow).get(one, one) for one in text), taken)

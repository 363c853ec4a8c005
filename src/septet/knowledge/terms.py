"""The words a full-text index holds: what a Chinese or English question and a text must share to meet.

Folded first (width, case, traditional to simplified). Latin words stand as they are, cut where a name joins several
(`septet.steps`, `max_bytes`), with a light plural fold. Chinese stands as pairs of neighbouring characters, which need
no dictionary and find every substring of two characters or more.
"""

from __future__ import annotations

import re

from septet.detect.normalise import normalise

_RUN = re.compile(r"[a-z0-9]+|[\u3400-\u9fff\uf900-\ufaff\u3041-\u30ff\uac00-\ud7a3]+")
_CITED = re.compile(r"第[零〇一二两三四五六七八九十百千0-9]+[条章节款]")
# Words that nearly every text and question share, so that they only cost time.
_STOP = frozenset(
    """a an and are as at be by do does for from how i in is it its of on or that the this to was what when where which who
    will with you your can""".split()
)


def terms(text: str) -> list[str]:
    """The terms of a text or a question, in order and with repeats."""
    folded = normalise(text).text
    # An article is cited by its number, whose pairs of characters stand in every other number: it is a term as a whole.
    found = [match.group() for match in _CITED.finditer(folded)]
    for match in _RUN.finditer(folded):
        run = match.group()
        if run[0] < "\u0080":
            if run not in _STOP:
                found.append(_singular(run))
        elif len(run) == 1:
            found.append(run)
        else:
            found += [run[i : i + 2] for i in range(len(run) - 1)]
    return found


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]
    return word

"""Words, sentences and paragraphs of a text, by rules of its script and without a download.

A word is a run of letters, digits and underscores, as IFEval counts; a Chinese or Japanese character is a word by itself. A
sentence ends at `.`, `!`, `?` or `…` before a blank, or at `。！？` anywhere; not at an abbreviation, an initial, a decimal point,
or the number of a list item. Text that no mark ends (a last line) is one sentence more.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])\w)+")
_END = re.compile(r"[。！？｡]+[”’」』）\"')\]]*|[.!?…]+[\"'”’)\]*_]*(?=\s|$|[\u3400-\u9fff])")
_ABBREVIATIONS = set(
    "mr mrs ms dr prof sr jr st vs etc e.g i.e cf al inc ltd co corp dept est approx rev hon gen col sgt capt lt mt "
    "a.m p.m u.s u.k jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
# After these a sentence can end: it does where the next word begins with a capital.
_ENDING = {"etc", "a.m", "p.m", "inc", "ltd", "co", "corp", "jr", "sr", "u.s", "u.k", "al"}


def words(text: str) -> list[str]:
    """The words of a text; each Chinese or Japanese character is one."""
    return _WORD.findall(text)


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with its end mark."""
    found, start = [], 0
    for match in _END.finditer(text):
        if match[0].startswith(".") and not match[0].startswith("..") and not _ends(text, start, match):
            continue
        found.append(text[start : match.end()].strip())
        start = match.end()
    found.append(text[start:].strip())
    return [one for one in found if re.search(r"\w", one)]


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether one full stop ends a sentence."""
    before = text[max(start, match.start() - 80) : match.start()]
    last = re.search(r"[\w.]+$", before)
    word = last[0].casefold() if last else ""
    if word.isdigit() and not before[: -len(word)].rpartition("\n")[2].strip(" \t*_#-"):
        return False  # `1.` at the head of a line
    following = text[match.end() :].lstrip()
    if re.fullmatch(r"[a-z]", word) and word != "i" and last is not None and last[0].isupper():
        return False  # an initial
    if word in ("no", "nos", "vol", "fig", "figs", "p", "pp"):
        return not following[:1].isdigit()
    if word in _ABBREVIATIONS:
        return word in _ENDING and (not following or following[0].isupper())
    return True


def parts(text: str, divider: str) -> list[str] | None:
    """The parts between dividers (a regular expression); None where one in the middle is empty. Empty ends do not count."""
    found = re.split(divider, text)
    kept = [one for one in found if one.strip()]
    empty_inside = any(not one.strip() for one in found[1:-1])
    return None if empty_inside else kept

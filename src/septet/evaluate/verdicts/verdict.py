"""The form of a verdict, and what all verdicts do with an output first: cut off what the model thought before it answered."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Literal

import msgspec

Outcome = Literal["answered", "empty", "unparsed"]

# A template may have opened the thinking in the prompt, so that the output holds its end alone.
_THOUGHT = re.compile(r"(?s)^.*(?:</(?:think|thinking|thought|reasoning)>|◁/think▷|<\|channel\|>final<\|message\|>)")
_THINKING = re.compile(r"<(?:think|thinking|thought|reasoning)>|◁think▷|<\|channel\|>analysis<\|message\|>")
READ = 8000
_RUNS = re.compile(r"((.)\2{99})\2+", re.DOTALL)
_MARKS = re.compile(r"\*\*|__|`|(?m:^\s{0,3}#{1,6}\s+(?=\S))")


class Verdict(msgspec.Struct, frozen=True):
    """What an output is worth. An output that is empty or in which no answer is found scores 0 and says so in `outcome`, so that
    no denominator loses it and no report need count it as a wrong answer."""

    outcome: Outcome
    extracted: str
    """The answer that was found, as the item would write it."""
    score: float | None
    """From 0 to 1; None where the item has no key or the verdict cannot be given here."""
    detail: dict[str, Any] = {}


def said(output: str) -> str:
    """The output without the thinking before it. Thinking that never ends leaves nothing: there is no answer yet."""
    rest = _THOUGHT.sub("", output, count=1)
    opened = _THINKING.search(rest)
    return rest[: opened.start()] if opened else rest


def plain(output: str) -> str:
    """The end of what was said, in half-width characters and without the marks of Markdown. An answer stands at the end: no more
    than the last `READ` characters are looked at, and runs of one character are cut, so that a looping model costs no more."""
    ended = _RUNS.sub(r"\1", said(output).strip()[-READ:])
    return _MARKS.sub("", unicodedata.normalize("NFKC", ended)).strip()


def nothing(output: str, keyed: bool = True) -> Verdict | None:
    """The verdict on an output that says nothing; None where it says something."""
    score = 0.0 if keyed else None
    if not output.strip():
        return Verdict("empty", "", score, {})
    if not said(output).strip():
        return Verdict("unparsed", "", score, {"reason": "it ends while thinking"})
    return None


def boxed(text: str) -> list[str]:
    r"""What stands in each `\boxed{...}` or `\fbox{...}`, nested braces and all: the last twenty. One that never
    closes is left out."""
    found = []
    for opening in list(re.finditer(r"\\(?:boxed|fbox)\s*", text))[-20:]:
        at = opening.end()
        if at >= len(text) or text[at] != "{":
            single = re.match(r"[0-9A-Za-z]", text[at:])
            found += [single[0]] if single else []
            continue
        depth = 0
        for place in range(at, len(text)):
            depth += {"{": 1, "}": -1}.get(text[place], 0) if text[place - 1] != "\\" else 0
            if depth == 0:
                found.append(text[at + 1 : place])
                break
    return found

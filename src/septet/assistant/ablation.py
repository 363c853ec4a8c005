"""One answer's citations put to the test: the question is asked again without each passage that it cites.

The same reader asks, of the same day. The answer must change or be withdrawn. Where it stays and another passage bears it out,
that one says the same. These answers are not logged: nobody was given them. What was said earlier in the conversation is not
asked again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from septet.assistant.answer import Options
from septet.assistant.assistant import Assistant
from septet.detect.access import ALL, Reader

_NUMBERS = re.compile(r"\s*\[\d{1,3}\]")


class Ablated(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an answer without the passages of one chunk: `withdrawn`, `changed`, `borne elsewhere`, or `same`."""

    numbers: tuple[int, ...]
    chunk: str
    outcome: str
    text: str


def ablate(assistant: Assistant, answer: Mapping[str, Any]) -> Iterator[Ablated]:
    """Ask again without each chunk that a logged answer cites (`trace.answer_body` gives it), one after the other."""
    cited: dict[str, list[int]] = {}
    for one in answer["citations"]:
        cited.setdefault(one["chunk"], []).append(one["number"])
    asked = [{"role": "user", "content": answer["question"]}]
    options = Options(as_of=str(answer.get("as_of", "")))
    reader = Reader(clearance=str(answer.get("clearance", ALL)))
    for chunk, numbers in cited.items():
        again = assistant.answer(asked, options, reader, without=(chunk,), log=False)
        same = _bare(again.text) == _bare(answer["text"])
        outcome = (
            "withdrawn"
            if again.abstained
            else "changed"
            if not same
            else "borne elsewhere"
            if again.supported
            else "same"
        )
        yield Ablated(numbers=tuple(numbers), chunk=chunk, outcome=outcome, text=again.text)


def _bare(text: str) -> str:
    return re.sub(r"\W", "", _NUMBERS.sub("", text)).casefold()

"""Without what it cites, an answer is withdrawn, changes, or stands on another passage."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from septet.assistant.ablation import ablate

BODY = {
    "question": "What does it cost?",
    "text": "It costs 12 dollars. [1] It is blue. [2]",
    "citations": [{"chunk": "a", "number": 1}, {"chunk": "b", "number": 2}, {"chunk": "a", "number": 3}],
}


class Again:
    """An assistant that says what it is told to, and remembers what was withheld."""

    def __init__(self, **said):
        self.said = SimpleNamespace(**{"text": "", "abstained": False, "supported": False, **said})
        self.asked = []

    def answer(self, messages, options, reader, without=(), log=True):
        self.asked.append((messages[0]["content"], tuple(without), log))
        self.how = options.as_of, reader.clearance
        return self.said


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"text": "The documents do not say.", "abstained": True}, "withdrawn"),
        ({"text": "It costs 13 dollars. [1]", "supported": True}, "changed"),
        ({"text": "It costs 12 dollars. [2] It is blue. [1]", "supported": True}, "borne elsewhere"),
        ({"text": "It costs 12 dollars. It is blue."}, "same"),
    ],
)
def test_each_cited_chunk_is_withheld_once(said, outcome):
    again = Again(**said)
    found = list(ablate(again, BODY))
    assert again.asked == [("What does it cost?", ("a",), False), ("What does it cost?", ("b",), False)]
    assert [one.numbers for one in found] == [(1, 3), (2,)]
    assert {one.outcome for one in found} == {outcome}
    assert again.how == ("", "*")


def test_the_same_reader_asks_of_the_same_day():
    again = Again(text="x", abstained=True)
    list(ablate(again, {**BODY, "as_of": "2024-11-24", "clearance": "internal"}))
    assert again.how == ("2024-11-24", "internal")

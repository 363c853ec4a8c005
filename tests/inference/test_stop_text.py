import re

from hypothesis import given
from hypothesis import strategies as st

from septet.inference.protocol import StopText

STOPS = ("\n", "END", "EN.")
PIECES = st.lists(st.text(alphabet="EN.Da \n", max_size=6), max_size=12)


@given(PIECES)
def test_the_cut_does_not_depend_on_how_the_text_comes(pieces):
    whole, parted = StopText(STOPS), StopText(STOPS)
    text = "".join(pieces)
    expected = whole.feed(text) + whole.rest()
    found = "".join(parted.feed(piece) for piece in pieces) + parted.rest()
    assert (found, parted.stopped) == (expected, whole.stopped)
    begun = len(text) - len(text.lstrip())
    match = re.search("|".join(map(re.escape, STOPS)), text[begun:])
    assert expected == (text[: begun + match.start()] if match else text)


def test_a_line_break_before_the_answer_does_not_end_it():
    watch = StopText(("\n",))
    assert watch.feed("\n") == ""
    assert watch.feed("42") == "\n42"
    assert watch.feed("\nmore") == ""
    assert watch.stopped

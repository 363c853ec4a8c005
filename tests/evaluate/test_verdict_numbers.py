"""Numbers, mathematical answers, BBH and short answers: what is read, what is equal, what is not."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.evaluate import form
from septet.evaluate.verdicts import arithmetic, bbh, math, number, reference

NUMBERS = [
    ("so\n#### 1,234", "1234"),
    ("The answer is $18.", "18"),
    ("It is 3, so 5 + 13 = 18", "18"),
    ("答案是 18 元", "18"),
    ("答案是１８元。", "18"),
    ("共1.8万元", "18000"),
    ("2亿", "200000000"),
    ("\\boxed{\\frac{1}{2}}", "0.5"),
    ("1/2", "0.5"),
    ("-5", "-5"),
    ("10-5=5", "5"),
    ("50%", "50"),
    ("50%", "0.5"),
    ("The answer is 18 dollars because 3 eggs were eaten", "18"),
    ("answer: 5+3=8", "8"),
    ("The answer is 2.50.", "2.5"),
    ("\\boxed{1{,}234}", "1234"),
    ("$\\boxed{\\$1,200.00}$", "1200"),
    ("一共有十八个", "18"),
    ("三百零五", "305"),
    ("一万二千", "12000"),
    ("<think>#### 3</think>The answer is 4", "4"),
    ("x = −7", "-7"),
    ("The answer is 3 1/2", "3.5"),
    ("1e3", "1000"),
    ("Final answer: 2 million", "2000000"),
    ("18 (not 20) A: 18", "18"),
    ("A: 18", "18"),
    ("\\(\\boxed{-3}\\)", "-3"),
    ("**18**", "18"),
    ("The answer is **$1,080**.", "1080"),
    ("She has 7.", "7"),
    ("所以她每天赚 9 * 2 = 18 美元。\n答案：18", "18"),
    ("answer is -$5", "-5"),
    ("$-5$", "-5"),
    ("\\text{The answer is } 42", "42"),
    ("\\boxed{42 \\text{ apples}}", "42"),
    ("Therefore, the total is 60. That took 3 days. The answer is 60.", "60"),
    ("#### 18 dollars", "18"),
    ("####18", "18"),
    ("It costs $5.00/day so the answer is $35", "35"),
    ("第1步是3个，答案是五个", "5"),
]
EQUAL = [
    ("\\frac{1}{2}", "0.5"),
    ("\\dfrac12", "\\frac{1}{2}"),
    ("1/2", "\\frac 1 2"),
    ("\\sqrt{8}", "2\\sqrt{2}"),
    ("2\\sqrt2", "2\\sqrt{2}"),
    ("90^\\circ", "90"),
    ("90^{\\circ}", "90°"),
    ("5\\text{ cm}", "5"),
    ("5 \\text{ cm}^2", "5"),
    ("5 cm", "5"),
    ("x=5", "5"),
    ("x \\in [1,2]", "[1,2]"),
    ("1,234", "1234"),
    ("1{,}234", "1234"),
    ("(1,2)", "( 1, 2 )"),
    ("\\left(1,\\frac12\\right)", "(1, 0.5)"),
    ("\\{1,2\\}", "\\{2,1\\}"),
    ("50\\%", "50"),
    ("50%", "0.5"),
    ("1\\frac{1}{2}", "1.5"),
    ("1 1/2", "\\frac{3}{2}"),
    ("[0,\\infty)", "[0,∞)"),
    ("(-\\infty, 2) \\cup (3,\\infty)", "(-\\infty,2)\\cup(3,\\infty)"),
    ("x^2+2x+1", "(x+1)^2"),
    ("\\frac{\\sqrt{3}}{2}", "\\frac{1}{2}\\sqrt{3}"),
    ("\\text{Evelyn}", "Evelyn"),
    ("\\text{(A)}", "A"),
    ("(C)", "C"),
    ("\\$18", "18"),
    ("18 元", "18"),
    ("１８", "18"),
    ("2\\pi", "2π"),
    ("\\pi r^2", "r^2\\pi"),
    ("3 \\pm \\sqrt{2}", "3-\\sqrt{2}, 3+\\sqrt{2}"),
    ("1, 2", "2,1"),
    ("1 and 2", "1,2"),
    ("1 \\text{ or } 2", "2, 1"),
    ("y = 2x + 3", "y=3+2x"),
    ("2x+3", "y=2x+3"),
    ("\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}"),
    ("10^{10}", "10000000000"),
    ("2^{\\frac{1}{2}}", "\\sqrt{2}"),
    ("\\sqrt[3]{8}", "2"),
    ("5!", "120"),
    ("-\\frac{3}{4}", "\\frac{-3}{4}"),
    ("-0.75", "-\\frac34"),
    ("\\frac{a}{b}", "a/b"),
    ("\\mathrm{Yes}", "yes"),
    ("6 \\text{ square meters}", "6"),
    ("6\\,\\text{m}", "6"),
    ("3", "3"),
    ("0.5", "\\frac{2}{4}"),
    ("4.0", "4"),
    ("f(x)=x^2", "x^2"),
    ("\\log_2 8", "\\log_28"),
    ("1010_2", "1010_{2}"),
    ("\\cos\\theta", "\\cos \\theta"),
    ("|x|", "\\left|x\\right|"),
    ("(0.5, 1]", "(\\frac{1}{2},1]"),
    ("x<5", "x < 5"),
    ("x \\leq 5", "x≤5"),
    ("(−1，2)", "(-1,2)"),
    ("e^{2}", "e^2"),
    ("30度", "30"),
    ("5厘米", "5"),
    ("3x", "3 \\cdot x"),
    ("i", "i"),
    ("2+3i", "3i+2"),
    ("12,345.6", "12345.6"),
    ("$12$", "12"),
    ("100,000", "100000"),
    ("\\frac{\\frac{1}{2}}{3}", "1/6"),
    ("11\\sqrt{2}", "11 \\sqrt{2}"),
]
UNEQUAL = [
    ("1", "2"),
    ("0.33", "1/3"),
    ("(1,2)", "(2,1)"),
    ("(1,2)", "[1,2]"),
    ("[1,2)", "[1,2]"),
    ("\\{1,2\\}", "\\{1,3\\}"),
    ("x^2", "x^3"),
    ("1,2", "1,2,3"),
    ("A", "B"),
    ("50%", "5"),
    ("\\sqrt{2}", "1.414"),
    ("10^{12}", "1000000000001"),
    ("x=5", "x=6"),
    ("2x+3", "2x-3"),
    ("x<5", "x>5"),
    ("", "1"),
    ("1", "-1"),
    ("9^{9^{9^9}}", "1"),
    ("12", "1,2"),
    ("Evelyn", "Eve"),
    ("sin(x)", "cos(x)"),
    ("1/0", "1/0+1"),
    ("5", "x"),
    ("170!^{170!}", "1"),
    ("(1,2,3)", "(1,2)"),
    ("\\infty", "-\\infty"),
    ("1 1/2", "11/2"),
]
ANSWERS = [
    ("So \\boxed{\\frac{a}{b}}.", "\\frac{a}{b}"),
    ("The answer is $\\frac{1}{2}$.", "\\frac{1}{2}"),
    ("答案是 3", "3"),
    ("we get $x = 5$", "5"),
    ("3", "3"),
    ("The final answer is: 12.", "12"),
    ("thus $y=\\{1,2\\}$ hence $z=7$.", "7"),
    ("\\boxed{1} then \\boxed{2", "1"),
    ("答案为：$3\\sqrt{2}$。", "3\\sqrt{2}"),
]


def asked(verdict, key, question="", **more):
    task = form.Task(name="t", language="en", mode="generate", verdict=verdict)
    return form.item("x", task, question, answers=[key] if key else [], **more)


@pytest.mark.parametrize(("output", "key"), NUMBERS)
def test_numbers(output, key):
    verdict = number.judge(asked("number", key), output)
    assert verdict.score == 1, verdict


@pytest.mark.parametrize(
    ("output", "key", "outcome"),
    [
        ("17", "18", "answered"),
        ("0.33", "1/3", "answered"),
        ("no idea", "3", "unparsed"),
        ("", "3", "empty"),
        ("<think>3", "3", "unparsed"),
        ("1/0", "3", "unparsed"),
        ("1.8万元", "1.8", "answered"),
        ("半小时", "0", "unparsed"),
    ],
)
def test_numbers_that_are_others(output, key, outcome):
    verdict = number.judge(asked("number", key), output)
    assert (verdict.outcome, verdict.score) == (outcome, 0)


def test_a_number_in_the_unit_of_the_question():
    assert number.judge(asked("number", "1.8", "一共是多少万元？"), "1.8万元").score == 1


@given(
    st.fractions(max_denominator=1).filter(lambda one: abs(one) < 10**12),
    st.sampled_from(["{}", "so {}.", "#### {}", "答案是{}元"]),
)
def test_whole_numbers_come_back(value, words):
    assert number.answer(words.format(f"{int(value):,}"))[0]["value"] == value


@given(st.integers(0, 99_999_999))
def test_chinese_numerals_come_back(value):
    digits, units = "零一二三四五六七八九", ["", "十", "百", "千"]

    def four(part):
        words = ""
        for place, digit in enumerate(f"{part:04d}"):
            if digit != "0":
                words += digits[int(digit)] + units[3 - place]
            elif words and not words.endswith("零"):
                words += "零"
        return words.rstrip("零")

    high, low = divmod(value, 10_000)
    text = (four(high) + "万" if high else "") + ("零" if high and 0 < low < 1000 else "") + (four(low) if low else "")
    assert number.answer(f"共{text or '零'}个")[0]["value"] == value


@given(st.text(max_size=60))
def test_any_output_is_judged(output):
    for judge in (number.judge, math.judge, reference.judge, bbh.judge):
        verdict = judge(asked("", "12"), output)
        assert verdict.score in (0.0, 1.0)
        assert judge(asked("", ""), output).score is None


@pytest.mark.parametrize(("one", "two"), EQUAL)
def test_mathematics_that_is_equal(one, two):
    assert math.same(one, two)
    assert math.same(two, one)


@pytest.mark.parametrize(("one", "two"), [*UNEQUAL, ("(" * 200, "1"), ("1" * 500, "1"), ("-" * 300 + "1", "2")])
def test_mathematics_that_is_not(one, two):
    assert not math.same(one, two)
    assert not math.same(two, one)


@pytest.mark.parametrize(("output", "answer"), ANSWERS)
def test_where_the_answer_stands(output, answer):
    assert math.answer(output) == answer


def test_a_mathematical_answer_is_judged():
    item = asked("math", r"So it is $\boxed{\frac{3}{4}}$.")
    assert math.judge(item, r"We find $x = \boxed{0.75}$.").score == 1
    assert math.judge(item, "答案是 $3/4$。").score == 1
    assert math.judge(asked("math", "$2$;$3$"), "The answer is $2$; $3$.").score == 1
    assert math.judge(item, "I do not know that at all, and neither do you or any other person").outcome == "unparsed"


@given(st.integers(-999, 999), st.integers(1, 999), st.integers(0, 40))
def test_arithmetic_is_exact(one, two, power):
    assert arithmetic.value(f"({one}/{two})*{two}") == one
    assert arithmetic.value(f"2^{power}-1") == Fraction(2**power - 1)
    assert math.same(rf"\frac{{{one}}}{{{two}}}", f"{one}/{two}")


@pytest.mark.parametrize(
    ("output", "key", "score"),
    [
        ("(B)", "(B)", 1),
        ("B", "(B)", 1),
        ("We think. So the answer is (B).", "(B)", 1),
        ("So the answer is a fox.", "(B)", 1),
        ("(A)", "(B)", 0),
        ("Yes", "yes", 1),
        ("So the answer is No.", "Yes", 0),
        ("No, it is not so.", "no", 1),
        ("The argument is deductively invalid.", "invalid", 1),
        ("not (True) = False. So the answer is False.", "False", 1),
        ("12\n\nQ: How many?\nA: 13", "12", 1),
        ("So the answer is -1,234.", "-1234", 1),
        ("所以答案是：否", "no", 1),
        ("So the answer is ant bee cat.", "ant bee cat", 1),
        ("ant cat bee", "ant bee cat", 0),
        ("] ) >", "])>", 1),
        ("dearest wind, & fire", "dearest wind, & fire", 1),
    ],
)
def test_bbh(output, key, score):
    question = "Which one?\nOptions:\n(A) a dog\n(B) a fox"
    assert bbh.judge(asked("bbh", key, question), output).score == score


def test_bbh_says_what_it_cannot_read():
    assert bbh.judge(asked("bbh", "yes"), "perhaps").outcome == "unparsed"
    assert bbh.judge(asked("bbh", "(A)", "Options:\n(A) x\n(B) y"), "I cannot tell").outcome == "unparsed"


def test_short_answers():
    assert reference.judge(asked("reference", "故宫博物院"), "答案是：故宫博物院。").score == 1
    assert reference.judge(asked("reference", "8600"), "8600 [1]").score == 1
    assert reference.judge(asked("reference", "免费"), "免费[1][12]。").score == 1
    assert reference.judge(asked("reference", "a[1]"), "a[2]").score == 0, "the reference has such a mark: it counts"
    verdict = reference.judge(asked("reference", "the Palace Museum"), "The answer is the old Palace Museum")
    assert verdict.score == 0
    assert 0.7 < verdict.detail["f1"] < 1


@pytest.mark.parametrize("piece", ["1", "the answer is ", "答案是不知道，", "(", "\\boxed{", "[", "<<", "A "])
def test_a_model_that_repeats_itself_gets_a_verdict(piece):
    for judge in (number.judge, math.judge, reference.judge, bbh.judge):
        assert judge(asked("", "12"), piece * 20_000).score == 0


@pytest.mark.parametrize(
    ("output", "value"),
    [
        ("一共1万2千元", 12000),
        ("总额为3亿5000万元", 350_000_000),
        ("共1万2000米", 12000),
        ("答案是三分之一", Fraction(1, 3)),
        ("答案是3分之2", Fraction(2, 3)),
        ("第1万名和3千名", 3000),
        ("他有3万，5个人分", 5),
    ],
)
def test_chinese_numbers_in_steps_and_parts(output, value):
    assert number.answer(output)[0]["value"] == value


@pytest.mark.parametrize(
    ("output", "key", "right"),
    [
        ("-5", "5", False),
        ("3.5", "35", False),
        ("The answer is 3.5.", "3.5", True),
        ("答案：３．５", "3.5", True),
        ("C++", "C", False),
        ("c++.", "C++", True),
        ("+", "-", False),
        ("x + y", "x+y", True),
        ("- 5 apples", "5 apples", True),
        ("1914-1918", "1914–1918", True),
        ("《红楼梦》。", "红楼梦", True),
        ("U.S.A.", "USA", True),
        ("Vitamin A", "vitamin", False),
        ("The", "A", False),
        ("the 'Eiffel Tower'", "Eiffel Tower", True),
    ],
)
def test_signs_that_make_another_answer_count(output, key, right):
    item = {"answers": [key]}
    assert reference.judge(item, output).score == float(right)


def test_a_short_sentence_gives_its_number():
    assert math.answer("答：共需要 12 天。") == "12"
    assert math.answer("It takes her 12 days.") == "12"
    assert math.answer("x + 12") == "x + 12"

"""Bad items are found by what they show and by how models answer them; against experts' labels the item alone says little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.core import ConfigError
from septet.evaluate.growth.flaws import flaws, score
from septet.evaluate.growth.suspects import FLAGGED, both, suspects
from septet.evaluate.readers import mmlu_redux


def item(question, options, label=0, **more):
    return {"id": question, "question": question, "options": options, "label": label, **more}


def found(question, options, label=0, **more):
    return {flaw.name for flaw in flaws(item(question, options, label, **more))}


GOOD = (
    item("Which of these metals is liquid at room temperature?", ["Mercury", "Iron", "Copper", "Zinc"]),
    item("The bank records the loan as", ["an asset.", "a liability.", "equity.", "revenue."]),
    item("Find the sum of the first ten natural numbers.", ["55", "45", "50", "60"]),
    item(
        "下列关于存款保险的说法，正确的是____。",
        ["最高偿付限额为人民币五十万元", "由借款人投保", "只保外币", "由证监会管理"],
    ),
    item(
        "《商业银行法》规定，设立全国性商业银行的注册资本最低限额为（  ）", ["十亿元", "一亿元", "五千万元", "五亿元"]
    ),
    item(
        "Statement 1 | Every square is a rhombus. Statement 2 | Every rhombus is a square.",
        ["True, False", "False, True"],
    ),
    item("What is the value of x + y?", ["1", "2", "3", "12"]),
    item("Which cross gives only tall plants?", ["Aabb", "aabb", "AAbb", "AaBb"]),
    item("Round 4.803 to two decimal places.", ["4.81", "4.80", "5.0", "4.8"]),
    item("把下列三种宗教按产生的先后排列：①佛教②基督教③伊斯兰教", ["①②③", "②①③", "③①②", "②③①"]),
    item("患者心电图示窦性心律不齐，应首先检查什么？", ["甲状腺功能", "血脂", "尿常规", "肝功能"]),
    item("甲、乙两数之比是多少？", ["1:2", "2:1", "1:3", "3:1"]),
    item("How large a share of the trees was felled?", ["1/3", "0.3", "3%", "1/30"]),
)


@pytest.mark.parametrize("one", GOOD, ids=lambda one: one["question"][:12])
def test_good_items_are_let_alone(one):
    assert flaws(one) == []


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("same options", item("Which is right?", ["Net income", "net income.", "Cash", "Debt"])),
        ("same options", item("哪一项正确？", ["净利润", "净利润。", "现金", "负债"])),
        ("equal values", item("How much is it?", ["1/2", "0.50", "0.4", "3"])),
        ("equal values", item("占比是多少？", ["50%", "０.５", "0.4", "3"])),
        ("equal values", item("How much is it?", ["1,000 kg", "1000 kg", "10 kg", "1 kg"])),
        ("empty option", item("Which is right?", ["a cat", " ", "a dog", "a cow"])),
        ("key outside", item("Which is right?", ["a cat", "a dog"], 2)),
        ("no key", item("Which is right?", ["a cat", "a dog"], None)),
        ("one option", item("Which is right?", ["a cat"])),
        ("empty question", item("  ", ["a cat", "a dog"])),
        ("missing reference", item("According to the passage, who sold the house?", ["Ann", "Ben", "Cy", "Di"])),
        ("missing reference", item("What is the area of the triangle shown above?", ["5", "6", "7", "8"])),
        ("missing reference", item("如图所示，阴影部分的面积是多少？", ["5", "6", "7", "8"])),
        ("missing reference", item("根据这段短文，作者的态度是什么？", ["赞成", "反对", "中立", "怀疑"])),
        ("missing list", item("Loans are risky for banks when rates rise.", ["1, 2", "1, 3", "2, 3", "1, 2, 3"])),
        ("missing list", item("下列哪些说法正确？", ["①②", "①③", "②③", "①②③"])),
        ("stands for others", item("Which is right?", ["All of the above", "a cat", "a dog", "a cow"])),
        ("stands for others", item("哪一项正确？", ["以上都是", "猫", "狗", "牛"])),
        ("names other options", item("Which is right?", ["a cat", "a dog", "Both A and B", "a cow"])),
        ("names other options", item("哪一项正确？", ["猫", "狗", "A和B都对", "牛"])),
        ("option made a date", item("Which age group is the largest?", ["Under 5", "14-May", "15-49", "over 50"])),
        (
            "option cut off",
            item("Who is at risk?", ["Farmers in the north and", "the south", "Only the traders", "Only the bankers"]),
        ),
        (
            "nothing asked",
            item("The tax on capital was raised in the year of the reform.", ["5 %", "6 %", "7 %", "8 %"]),
        ),
        ("bound to a time", item("Who is currently the head of the bank?", ["Ann", "Ben", "Cy", "Di"])),
        ("bound to a time", item("目前的存款准备金率是多少？", ["5%", "6%", "7%", "8%"])),
        ("broken characters", item("What did the \ufffdAct\ufffd change?", ["Tax", "Law", "Rent", "Pay"])),
    ],
)
def test_what_an_item_shows_is_named(name, one):
    assert name in {flaw.name for flaw in flaws(one)}
    assert all(flaw.reason and 0 < flaw.weight < 1 for flaw in flaws(one))


def test_a_passage_or_a_list_that_is_there_is_not_missed():
    question = "According to the passage, who sold the house?"
    assert "missing reference" in found(question, ["Ann", "Ben"])
    assert "missing reference" not in found(question, ["Ann", "Ben"], passage="Ben sold his house to Ann.")
    listed = "Which are assets? 1. Cash 2. Debt 3. Land"
    assert "missing list" not in found(listed, ["1, 2", "1, 3", "2, 3", "1, 2, 3"])
    assert "missing list" not in found("哪些是资产？①现金 ②负债 ③土地", ["①②", "①③", "②③", "①②③"])
    # At its usual place, 'all of the above' is a smaller fault.
    last, first = (
        item("Which is right?", options)
        for options in (["x1", "y1", "All of the above"], ["All of the above", "x1", "y1"])
    )
    assert score(flaws(last)) < FLAGGED <= score(flaws(first))


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=5), st.integers(-1, 5))
def test_no_text_breaks_the_look(question, options, label):
    every = flaws(item(question, options, label))
    assert 0 <= score(every) <= 1
    assert flaws({"question": question, "options": None, "label": None}) is not None


def test_the_item_alone_against_the_labels_of_experts(shared):
    """Measured 2026-11-29: AUC 0.57, precision 0.72 at the mark of 0.25, recall 0.12. Most bad items do not show it."""
    items = mmlu_redux.read(shared / "benchmarks/mmlu_redux").items
    bad = np.array([one["category"] not in ("ok", "expert") for one in items])
    scores = np.array([score(flaws(one)) for one in items])
    assert len(items) > 1150
    random = np.random.default_rng(1)
    drawn = [area(scores[at], bad[at]) for at in random.integers(0, len(items), (200, len(items)))]
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert low > 0.5
    assert low < area(scores, bad) < high
    flagged = scores >= FLAGGED
    assert bad[flagged].mean() > 0.5
    assert flagged[bad].mean() > 0.1
    assert flagged[~bad].mean() < 0.02


def area(scores, bad):
    above = scores[bad][:, None] - scores[~bad]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))


def exam(random, count=120, models=8, wrong_keys=()):
    """An exam and answers of models of which the first are the strongest; the keys of some items are wrong on purpose."""
    truth = random.integers(0, 4, count)
    items, answers = [], {f"m{at}": {} for at in range(models)}
    for at in range(count):
        key = (truth[at] + 1) % 4 if at in wrong_keys else truth[at]
        items.append(
            {
                "id": f"q{at}",
                "question": f"Which of these is number {at}?",
                "options": ["w", "x", "y", "z"],
                "label": int(key),
            }
        )
        for model in range(models):
            right = random.random() < 0.9 - 0.06 * model
            answers[f"m{model}"][f"q{at}"] = int(truth[at] if right else random.integers(0, 4))
    return items, answers


def test_wrong_keys_are_found_by_models_that_agree_against_them():
    wrong = {5, 17, 40, 77, 101}
    items, answers = exam(np.random.default_rng(1), wrong_keys=wrong)
    listed = suspects(items, answers)
    first = {one.item for one in listed[: len(wrong)]}
    assert first == {f"q{at}" for at in wrong}
    assert all(one.score > 0.5 for one in listed[: len(wrong)])
    assert any("same option" in reason for reason in listed[0].reasons)
    assert sum(one.score >= FLAGGED for one in listed) <= 2 * len(wrong)


def test_two_models_and_unread_answers_say_nothing_against_an_item():
    items, answers = exam(np.random.default_rng(2), wrong_keys={3})
    assert suspects(items) == []
    assert suspects(items, {name: answers[name] for name in ("m0", "m1")}) == []
    silent = {name: dict.fromkeys(given) for name, given in answers.items()}
    assert suspects(items, silent) == []
    with pytest.raises(ConfigError, match="same id"):
        suspects([items[0], items[0]])


def test_an_item_that_only_weak_models_solve_is_suspect():
    items, answers = exam(np.random.default_rng(3), models=12)
    for at, chosen in enumerate(answers.values()):
        chosen["q0"] = (items[0]["label"] + (1 + at % 3 if at < 6 else 0)) % 4
    reasons = {one.item: one.reasons for one in suspects(items, answers)}
    assert any("better models miss it" in reason for reason in reasons["q0"])


def test_scores_are_told_with_and_without_flagged_items():
    told = both(["甲", "乙", "丙", "丁"], [1.0, 0.0, 1.0, 1.0], ["乙", "not asked"])
    assert told["all"].value == 0.75
    assert (told["unflagged"].value, told["unflagged"].n) == (1.0, 3)
    assert (told["flagged"].value, told["flagged"].n) == (0.0, 1)
    assert both(["a"], [1.0], ["a"])["unflagged"].n == 0
    with pytest.raises(ConfigError, match="one score"):
        both(["a"], [1.0, 0.0], [])

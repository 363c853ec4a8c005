"""Perturbed twins: the same draw the same text, what must stay stays, keys follow their options, in Chinese and in English."""

from __future__ import annotations

import random
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.core import ConfigError, Run
from septet.evaluate.form import CHINESE, Benchmark, Task, item
from septet.evaluate.perturb import KINDS, hidden, perturbed, suite
from septet.evaluate.perturb.options import ordered
from septet.evaluate.readers import bbq, ceval, cmmlu, mgsm, mmlu
from septet.evaluate.suites import sealed

EN = Task("shop/en", "en", "letter", "option")
ZH = Task("shop/zh", "zh", "letter", "option", layout=CHINESE)
OPEN = Task("shop/open", "zh", "generate", "reference", layout=CHINESE)

ENGLISH = item(
    "shop/en/1",
    EN,
    "Emily and her brother Kevin do not agree. Which fee does the plain card carry after 3.5 years if $a_1 + 2$ is paid in `cash`?",
    options=["12 dollars", "nothing at all", "plain paper", "360 dollars"],
    label=2,
    meta={"unknown": 1, "groups": ["one", "two", "three", "four"]},
)
CHINESE_ITEM = item(
    "shop/zh/1",
    ZH,
    "小明和他的妈妈问王先生：普通卡的年费是120元吗？《收费办法》说 x + y = 10 时首年免收。",
    options=["免收", "一百二十元", "看情况而定", "三百六十元"],
    label=1,
)


def one(name, given):
    (twin,) = perturbed([given], [name], 3)
    return twin


ASKED = [name for name, kind in KINDS.items() if name not in ("option_order", "circular", "simplified")]


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("of", [ENGLISH, CHINESE_ITEM], ids=["en", "zh"])
def test_a_twin_is_its_original_asked_otherwise(name, of):
    if KINDS[name].languages and of["language"] not in KINDS[name].languages:
        assert perturbed([of], [name]) == []
        return
    twin = one(name, of)
    assert twin["id"] == f"{of['id']}~{name}"
    assert twin["meta"] == of["meta"] | {"twin_of": of["id"], "perturbation": name}
    assert twin["question"] != of["question"]
    assert twin["labels"] == of["labels"]
    assert one(name, of) == twin
    for kept in ("3.5", "$a_1 + 2$", "`cash`") if of is ENGLISH else ("x + y = 10",):
        assert kept in twin["question"]
    changed = {key for key in of if twin[key] != of[key]}
    allowed = {"id", "meta", "question"} | ({"options", "answers"} if name == "traditional" else set())
    assert changed <= allowed


def test_kinds_say_what_they_do():
    def asked(name, of):
        return one(name, of)["question"]

    assert "don't agree" in asked("contractions", ENGLISH)
    assert asked("gender", ENGLISH).startswith("Geoffrey and his sister Heather do not agree.")
    assert asked("gender", CHINESE_ITEM).startswith("小红和她的爸爸问王女士：")
    assert "普通卡的年費是120元嗎？《收費辦法》說" in asked("traditional", CHINESE_ITEM)
    people = asked("dialect_names", CHINESE_ITEM)
    assert "小明" not in people
    assert "王先生" not in people
    assert re.search(r".先生", people)
    assert asked("filler", CHINESE_ITEM).endswith(CHINESE_ITEM["question"])
    back = one("simplified", one("traditional", CHINESE_ITEM) | {"meta": {}})
    assert back["question"] == CHINESE_ITEM["question"]
    wide = asked("width", CHINESE_ITEM)
    assert unicodedata.normalize("NFKC", wide) == unicodedata.normalize("NFKC", CHINESE_ITEM["question"])
    blank = asked("spacing", CHINESE_ITEM)
    assert re.sub(r"\s", "", blank) == re.sub(r"\s", "", CHINESE_ITEM["question"])
    sound = asked("homophones", CHINESE_ITEM)
    assert len(sound) == len(CHINESE_ITEM["question"])
    assert 1 <= sum(a != b for a, b in zip(sound, CHINESE_ITEM["question"], strict=True)) <= 4


@pytest.mark.parametrize(
    ("text", "language", "swapped"),
    [
        (
            "He gave his book to her, and she gave hers to him.",
            "en",
            "She gave her book to him, and he gave his to her.",
        ),
        ("Mr. Smith said he's late.", "en", "Ms. Smith said she's late."),
        ("The theory of the other weather bothers none.", "en", None),
        ("Emily Bronten wrote it, and Emily is known.", "en", None),
        ("Why did Lincoln free them in 1863, if he wanted to?", "en", None),
        ("孔子说他三十岁而立，这位历史人物多大年纪去世？", "zh", None),
        ("How does the uterus grow while she rests?", "en", None),
        ("他说其他人不在，女儿和她的丈夫来了。", "zh", "她说其他人不在，儿子和他的妻子来了。"),
        ("吉他和其他乐器的价格", "zh", None),
        ("孕妇和她的医生", "zh", None),
        ("女职工三百人，男职工二百人，男女之比是多少？", "zh", None),
        ("Which share of women is employed?", "en", None),
    ],
)
def test_gender_is_swapped_throughout_or_not_at_all(text, language, swapped):
    task = ZH if language == "zh" else EN
    of = item("x", task, text, options=["是" if language == "zh" else "yes", "no"], label=0)
    made = perturbed([of], ["gender"])
    assert [twin["question"] for twin in made] == ([swapped] if swapped else [])


def test_people_are_the_same_in_question_and_options():
    of = item(
        "x",
        EN,
        "Who is older, Emily or Claire? Dr. Patel knows.",
        options=["Emily", "Claire", "They are alike"],
        label=0,
    )
    for seed in range(8):
        (twin,) = perturbed([of], ["dialect_names"], seed)
        first, second = twin["options"][:2]
        assert twin["question"].startswith(f"Who is older, {first} or {second}? Dr. ")
        assert first != second
        assert not {first, second} & {"Emily", "Claire"}
        assert "Patel" not in twin["question"]
        assert twin["answers"] == [first]
        assert twin["options"][2] == "They are alike"


def test_peoples_and_full_names_are_no_given_names():
    for text in ("云南有傣族、阿昌族和布朗族。", "曾志伟演过什么？", "What did Claire Underhill say to Claire?"):
        language = "en" if text.isascii() else "zh"
        assert (
            perturbed([item("x", Task("t", language, "letter", "option"), text, options=["a", "b"])], ["dialect_names"])
            == []
        )


def test_a_passage_goes_on_to_hold_its_answer():
    of = item(
        "x", OPEN, "首年的年费怎么收？", passage="普通卡首年免收年费，第二年起按标准收取。", answers=["首年免收年费"]
    )
    for seed in range(10):
        for twin in perturbed([of], ["homophones", "spacing"], seed):
            assert "首年免收年费" in twin["passage"]
    twin = one("traditional", of)
    assert twin["answers"] == ["首年免收年费", "首年免收年費"]
    assert "首年免收年費" in twin["passage"]


def test_what_is_its_wording_has_no_twin():
    code = item("c", EN, "def add(a, b):", kind="code")
    pair = item("p", EN, "", options=["He is late.", "She is late."], kind="pair")
    shot = {**ENGLISH, "split": "shots"}
    assert perturbed([code, pair, shot, *perturbed([ENGLISH], ["typos"])], list(KINDS)) == []
    listed = "Which is cheap?\nOptions:\n(A) the plain card\n(B) the golden card"
    of = item("b", EN, listed, answers=["(A)"])
    for twin in perturbed([of], ["typos", "case", "spacing"]):
        assert twin["question"].endswith("\nOptions:\n(A) the plain card\n(B) the golden card")


def test_the_key_follows_its_option():
    for seed in range(5):
        (twin,) = perturbed([ENGLISH], ["option_order"], seed)
        assert twin["options"][twin["label"]] == "plain paper"
        assert twin["label"] != 2
        assert twin["labels"] == [twin["label"]]
        assert twin["options"][twin["meta"]["unknown"]] == "nothing at all"
        by_option = dict(zip(twin["options"], twin["meta"]["groups"], strict=True))
        assert by_option == dict(zip(ENGLISH["options"], ENGLISH["meta"]["groups"], strict=True))
    turns = perturbed([ENGLISH], ["circular"])
    assert [twin["id"] for twin in turns] == [f"shop/en/1~circular{turn}" for turn in (1, 2, 3)]
    assert sorted(twin["label"] for twin in turns) == [0, 1, 3]
    for words in (["a", "b", "以上都对"], ["one", "two", "None of the above"], ["x", "Both A and C"]):
        assert perturbed([item("o", EN, "What?", options=words, label=0)], ["option_order", "circular"]) == []


@given(st.permutations(range(5)), st.sets(st.integers(0, 4), min_size=1), st.integers(0, 4))
def test_any_order_keeps_what_is_right(order, labels, unknown):
    of = item("x", EN, "?", options=list("vwxyz"), labels=labels, meta={"unknown": unknown, "target": None})
    made = ordered(of, order)
    assert {made["options"][place] for place in made["labels"]} == {of["options"][place] for place in labels}
    assert made["options"][made["label"]] == of["options"][of["label"]]
    assert made["options"][made["meta"]["unknown"]] == of["options"][unknown]
    assert made["meta"]["target"] is None


TEXTS = st.text(
    alphabet=st.sampled_from("abcXyz 019.,%$`{}_=+()\n年费他不是的王先生The never do not :：；“”《》"), max_size=80
)


@given(TEXTS, st.sampled_from(["en", "zh", "mixed"]), st.sampled_from(sorted(KINDS)), st.integers(0, 99))
@settings(max_examples=300)
def test_digits_and_lines_stay_and_a_draw_is_repeated(text, language, name, seed):
    task = Task("t", language, "letter", "option")
    of = item("x", task, text, options=["right", "wrong"], label=1)
    made = perturbed([of], [name], seed)
    assert perturbed([of], [name], seed) == made
    for twin in made:
        folded = unicodedata.normalize("NFKC", twin["question"])
        assert re.findall(r"\d", folded) == re.findall(r"\d", unicodedata.normalize("NFKC", text))
        assert twin["question"].count("\n") == text.count("\n")
        assert twin["options"][twin["label"]] == "wrong"


@given(st.text(max_size=60), st.lists(st.text(max_size=5), max_size=4))
def test_what_is_hidden_comes_back(text, words):
    outer, first = hidden.words(text, words)
    inner, second = hidden.fixed(outer)
    assert hidden.shown(hidden.shown(inner, second), first) == text


def test_long_runs_are_read_once():
    for run in ("a" * 50_000, "1" * 50_000, "a.b(" * 10_000, "年" * 20_000, "$" * 5_000, "'" * 5_000, "{" * 5_000):
        outer, taken = hidden.fixed(run)
        assert hidden.shown(outer, taken) == run


def test_a_suite_keeps_its_own_items_and_counts(tmp_path):
    items = [ENGLISH, CHINESE_ITEM, item("s", EN, "What?", options=["a", "b"], label=0, split="shots")]
    about = {"name": "own", "version": "1", "licence": "own", "origin": "tests"}
    own = sealed(Benchmark(about, (EN, ZH), items, []), Run(tmp_path / "own"))
    run = Run(tmp_path / "twins")
    made = suite(own, ["typos", "homophones", "option_order"], 1, 0, run)
    rows = list(made.items())
    assert rows[:3] == items
    assert [row["id"] for row in rows[3:]] == [
        "shop/en/1~typos", "shop/en/1~option_order", "shop/zh/1~homophones", "shop/zh/1~option_order"
    ]  # fmt: skip
    assert made.about["perturbations"]["typos"] == {"items": 1, "unchanged": 1}
    assert made.about["tasks"] == own.about["tasks"]
    with pytest.raises(ConfigError, match="no perturbation 'typo'"):
        suite(own, ["typo"], 1, 0, Run(tmp_path / "no"))
    with pytest.raises(ConfigError, match="already holds 'shop/en/1~typos'"):
        suite(made, ["typos"], 1, 0, Run(tmp_path / "twice"))


def test_published_benchmarks_have_twins_that_keep_their_keys(shared):
    draw = random.Random(5)
    benchmarks = shared / "benchmarks"
    for read, folder in ((mmlu, "mmlu"), (cmmlu, "cmmlu"), (ceval, "ceval"), (mgsm, "mgsm_zh"), (bbq, "bbq")):
        every = [row for row in read.read(benchmarks / folder).items if row["split"] in ("test", "validation")]
        items = {row["id"]: row for row in draw.sample(every, min(60, len(every)))}
        made = perturbed(items.values(), list(KINDS))
        assert len(made) > 2 * len(items)
        for twin in made:
            of = items[twin["meta"]["twin_of"]]
            if twin["meta"]["perturbation"] in ("option_order", "circular"):
                assert {twin["options"][at] for at in twin["labels"]} == {of["options"][at] for at in of["labels"]}
                continue
            assert twin["labels"] == of["labels"]
            for name in ("passage", "question"):
                digits = (re.findall(r"\d", unicodedata.normalize("NFKC", side[name])) for side in (twin, of))
                assert len({tuple(found) for found in digits}) == 1
            if twin["meta"]["perturbation"] not in ("traditional", "simplified", "gender", "dialect_names"):
                assert (twin["options"], twin["answers"]) == (of["options"], of["answers"])

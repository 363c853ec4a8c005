"""Evaluation items in corpora: planted ones found, quotations not taken for them, short ones not called clean."""

from __future__ import annotations

import csv
import json
import random
import re

import numpy as np
import pytest
from corpora import written
from hypothesis import given
from hypothesis import strategies as st

from septet.core import ConfigError, Run
from septet.data.steps import Contamination, Decontaminate, contamination, decontaminate
from septet.kernels.arrow import texts_of
from septet.kernels.grams import grams_of, look_up, table
from septet.kinds import Suite

ENGLISH = [
    "A customer opens a savings account with two hundred euros and pays in fifty euros on the first day of every month; how "
    "much stands in the account after one year when no interest is paid and nothing is taken out of it?",
    "Which of these four papers must a small company hand in when it asks its bank for a loan that is secured by a house?",
]
CHINESE = [
    "某客户在银行存入人民币十万元，定期三年，年利率为百分之二点七五，到期后连同利息全部转存一年，请问最后可以取出多少钱？",
    "下列关于个人住房贷款提前还款的说法中，哪一项不符合合同中有关违约金的约定，并请说明理由以及适用的条款？",
]
SHORT = ["What is a bank?", "什么是银行？", "请解释一下什么叫做活期存款账户"]


def suite(path) -> Suite:
    items = [
        {"id": f"q{number}", "question": text, "options": None}
        for number, text in enumerate([*ENGLISH, *CHINESE, *SHORT])
    ]
    return Suite.write(path, items, {"name": "exam", "version": "1"})


FILLER = "The weather of that week was mild, and nobody in the branch could remember a quieter Monday. "
FUELL = "那一周天气很好，营业厅里谁也想不起来还有哪个星期一比这更安静。"


def test_planted_items_are_found_in_both_languages_and_short_ones_are_not_called_clean(tmp_path):
    texts = [
        FILLER + ENGLISH[0].upper().replace(",", " ,") + FILLER,
        FUELL + CHINESE[0].replace("，", "， ") + FUELL,
        FILLER * 3,
        FUELL * 3 + "什么是银行？" + SHORT[2],
        FILLER + "how much stands in the account after one year when no interest is paid and nothing is" + FILLER,
    ]
    report = contamination(
        Contamination(),
        written(tmp_path / "in", texts, parts=2),
        suites=(suite(tmp_path / "suite"),),
        run=Run(tmp_path / "out"),
    )
    verdicts = {item["id"]: (item["verdict"], item["rows"]) for item in report.items()}
    assert verdicts == {
        "q0": ("contaminated", 1),
        "q1": ("clean", 0),
        "q2": ("contaminated", 1),
        "q3": ("clean", 0),
        "q4": ("not testable", 0),
        "q5": ("not testable", 0),
        "q6": ("contaminated", 1),
    }
    figures = report.summary()
    assert figures["exam contaminated"].value == pytest.approx(3 / 5)
    assert figures["exam not testable"].value == pytest.approx(2 / 7)
    assert figures["exam zh contaminated"].n == 3


def test_thirteen_chinese_characters_touch_an_item_and_prove_nothing(tmp_path):
    texts = [FUELL + CHINESE[0][:14] + FUELL, FUELL + CHINESE[1][:12] + FUELL]
    corpus = written(tmp_path / "in", texts, parts=2)
    report = contamination(Contamination(), corpus, suites=(suite(tmp_path / "suite"),), run=Run(tmp_path / "out"))
    found = {item["id"]: item for item in report.items()}
    assert (found["q2"]["verdict"], found["q2"]["rows"], found["q2"]["covered"]) == ("touched", 0, 0.0)
    assert 0 < found["q2"]["screened"] < 0.1
    assert (found["q3"]["verdict"], found["q3"]["screened"]) == ("clean", 0.0)
    assert found["q0"]["screened"] == found["q0"]["covered"] == 0.0


def test_documents_are_left_out_or_flagged(tmp_path):
    texts = [FILLER + ENGLISH[1], FILLER, CHINESE[1]]
    corpus = written(tmp_path / "in", texts, parts=2)
    dropped = decontaminate(Decontaminate(), corpus, (suite(tmp_path / "suite"),), run=Run(tmp_path / "drop"))
    assert [row["id"] for row in dropped.rows()] == ["d1"]
    assert {(row["rule"], row["detail"], row["value"]) for row in dropped.dropped()} == {
        ("holds items of exam", "item q1", 1.0),
        ("holds items of exam", "item q3", 1.0),
    }
    flagged = decontaminate(
        Decontaminate(action="flag"), corpus, (suite(tmp_path / "again"),), run=Run(tmp_path / "flag")
    )
    marks = {row["id"]: json.loads(row["meta"])["contamination"] for row in flagged.rows() if row["meta"]}
    assert {identity: mark[0]["item"] for identity, mark in marks.items()} == {"d0": "q1", "d2": "q3"}


def windows_of(text: str, size: int) -> list[tuple[str, ...]]:
    """Windows of tokens, written as plainly as may be: folded words, and single Chinese characters."""
    tokens = re.findall("[0-9a-zé]+|[\u3040-\ud7ff]", re.sub("[\uff00-\uffef]", " ", text).lower().replace("É", "é"))
    return [tuple(tokens[k : k + size]) for k in range(len(tokens) - size + 1)]


@given(
    st.lists(st.text(alphabet="ab1 .,é\u00a0一二三。，ＡＢ\n", min_size=1, max_size=60), min_size=1, max_size=4),
    st.lists(st.text(alphabet="ab1 .,é\u00a0一二三。，\n", max_size=40), min_size=1, max_size=4),
)
def test_the_scan_finds_all_windows_of_items_and_no_other(items, texts):
    """Windows of two, three and five tokens against a plain search over tuples of words."""
    sizes = (2, 3, 5)
    wanted = [sizes[number % 3] for number in range(len(items))]
    hashes, tails, ends, tokens = grams_of(texts_of(items), wanted, 2)
    used = [size if count >= size else 2 for size, count in zip(wanted, tokens.tolist(), strict=True)]
    known, number = table(hashes, tails, np.repeat(used, np.diff(ends)), sizes)
    owned = [set(windows_of(item, size)) for item, size in zip(items, used, strict=True)]
    assert np.diff(ends).tolist() == [len(one) for one in owned]
    assert known.count == len(set().union(*owned))
    text, gram = look_up(texts_of([*texts, *items]), known)
    for row, one in enumerate([*texts, *items]):
        here = set(gram[text == row].tolist())
        for item, windows in enumerate(owned):
            mine = set(number[ends[item] : ends[item + 1]].tolist())
            assert len(mine & here) == len(windows & {w for size in sizes for w in windows_of(one, size)})


def test_an_item_without_text_is_named(tmp_path):
    items = tmp_path / "items.jsonl"
    items.write_text('{"id": 1, "frage": "x"}\n', "utf-8")
    with pytest.raises(ConfigError, match="no text in question"):
        contamination(
            Contamination(paths=(str(items),)), written(tmp_path / "in", ["a"], parts=2), run=Run(tmp_path / "out")
        )


def test_real_suites_planted_in_real_text(tmp_path, shared):
    """GSM8K and CMMLU items, planted in statutes and prose: all are found, and few others."""
    draw = random.Random(4)
    items = []
    for path in sorted((shared / "benchmarks" / "gsm8k").glob("*.jsonl"))[:1]:
        for line in path.read_text("utf-8").splitlines()[:400]:
            items.append({"id": f"g{len(items)}", "question": json.loads(line)["question"]})
    for path in sorted((shared / "benchmarks" / "cmmlu").rglob("*.csv"))[:40]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in list(csv.DictReader(file))[:20]:
                options = [row[name] for name in "ABCD" if row.get(name)]
                items.append({"id": f"c{len(items)}", "question": row["Question"], "options": options})
    assert len(items) > 500
    laws = [path.read_text("utf-8") for path in sorted((shared / "corpora" / "zh-laws").rglob("*.md"))[:150]]
    planted = draw.sample(range(len(items)), 100)
    texts = [
        *laws,
        *(
            laws[number % 100][:500] + "\n" + items[one]["question"] + "\n" + "\n".join(items[one].get("options") or [])
            for number, one in enumerate(planted)
        ),
    ]
    made = Suite.write(tmp_path / "suite", items, {"name": "real", "version": "1"})
    report = contamination(
        Contamination(), written(tmp_path / "in", texts, parts=2), suites=(made,), run=Run(tmp_path / "out")
    )
    verdicts = {item["id"]: item["verdict"] for item in report.items()}
    testable = [one for one in planted if verdicts[items[one]["id"]] != "not testable"]
    assert len(testable) > 85
    assert all(verdicts[items[one]["id"]] == "contaminated" for one in testable)
    others = [identity for identity, verdict in verdicts.items() if verdict == "contaminated"]
    assert len(others) <= len(testable) + 0.02 * len(items)

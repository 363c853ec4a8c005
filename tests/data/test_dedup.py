"""Duplicates: exact, near and verified, in Chinese and English, against a brute-force truth."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.core import Run
from septet.data.neardup import near_duplicates
from septet.data.steps import Deduplicate, Read, deduplicate, read


def tokens(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+|[\u3400-\u9fff]", text.lower())


def jaccard(one: str, other: str) -> float:
    def shingles(text):
        found = tokens(text)
        return {tuple(found[i : i + 5]) for i in range(max(1, len(found) - 4))}

    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


def altered(text: str, share: float, draw: random.Random) -> str:
    words = tokens(text)
    for index in range(len(words)):
        if draw.random() < share:
            words[index] = draw.choice(["changed", "改", "other", "换"])
    return " ".join(words)


def corpus(draw: random.Random) -> list[str]:
    english = "bank account ledger entry record model answer source policy chunk release gate digest store file".split()
    chinese = "账本条目记录模型回答来源策略文本发布门禁摘要制品文件银行客户贷款利率合同期限"
    texts = []
    for number in range(40):
        alphabet = english if number % 2 else list(chinese)
        base = " ".join(draw.choice(alphabet) + str(draw.randint(0, 30)) * (number % 2) for _ in range(120))
        texts.append(base if number % 2 else base.replace(" ", ""))
        texts += [altered(base, share, draw) for share in (0.005, 0.02, 0.3)]
    return texts


def test_what_is_removed_is_like_what_is_kept_and_little_is_missed():
    texts = corpus(random.Random(7))
    found = near_duplicates(texts, 0.8, range(len(texts)))
    removed = {one.copy for one in found}
    for one in found:
        assert one.kept not in removed
        assert jaccard(texts[one.copy], texts[one.kept]) >= 0.8
        assert one.similarity == pytest.approx(jaccard(texts[one.copy], texts[one.kept]), abs=1e-6)
    kept = [index for index in range(len(texts)) if index not in removed]
    missed = sum(jaccard(texts[a], texts[b]) >= 0.8 for n, a in enumerate(kept) for b in kept[n + 1 :])
    assert missed <= 0.02 * len(removed) + 1
    assert len(removed) > 40


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=8))
def test_any_texts_are_survived(texts):
    found = near_duplicates(texts, 0.8, range(len(texts)))
    assert all(one.similarity >= 0.8 and one.copy != one.kept for one in found)


def test_one_changed_character_between_statutes_is_a_near_duplicate_and_is_kept_beside(tmp_path):
    law = "第一条 为了规范商业银行的行为，提高信贷资产质量，加强监督管理，保障商业银行的稳健运行，制定本法。" * 3
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(law, "utf-8")
    (tmp_path / "in" / "b.txt").write_text(law.replace("稳健", "稳妥", 1), "utf-8")
    (tmp_path / "in" / "c.txt").write_text(law.replace("，", "， "), "utf-8")
    (tmp_path / "in" / "d.txt").write_text("Something else entirely, in another language.", "utf-8")
    source = read(Read(paths=(str(tmp_path / "in"),), licence="x"), Run(tmp_path / "corpus"))
    made = deduplicate(Deduplicate(), source, Run(tmp_path / "unique"))
    rows = sorted(row["source"] for row in made.rows())
    dropped = {row["source"]: (row["rule"], row["value"]) for row in made.dropped()}
    assert len(rows) == 2
    assert "d.txt" in rows
    assert sum(rule.startswith("exact duplicate of") for rule, _ in dropped.values()) == 1
    assert sum(rule.startswith("near duplicate of") for rule, _ in dropped.values()) == 1
    assert all(0.8 <= value <= 1 for _, value in dropped.values())
    strict = deduplicate(Deduplicate(similarity=1.0), source, Run(tmp_path / "strict"))
    assert strict.count() == 3

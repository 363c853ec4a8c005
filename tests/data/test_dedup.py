"""Duplicates: exact, near and verified, in Chinese and English, against a brute-force truth."""

from __future__ import annotations

import random
import re
import tempfile
from pathlib import Path

import pytest
from corpora import written
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.core import Run
from septet.data.duplicates import Side, find
from septet.data.sketches import parts
from septet.data.steps import Deduplicate, Read, Sketch, deduplicate, read, sketch
from septet.kinds import Corpus


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


def pairs(path, texts) -> list[tuple[int, int, float]]:
    """(left out, kept, similarity), the first of several kept."""
    run = Run(path / "run")
    made = written(path / "corpus", texts)
    found = find([Side(made, parts(made, run))], 0, range(len(texts)), 0.8, run)
    return [
        (copy, int(kept), float(value))
        for copy, (kept, value) in enumerate(zip(found.partner, found.similarity, strict=True))
        if kept >= 0
    ]


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


def test_what_is_removed_is_like_what_is_kept_and_little_is_missed(tmp_path):
    texts = corpus(random.Random(7))
    found = pairs(tmp_path, texts)
    removed = {copy for copy, _, _ in found}
    for copy, other, similarity in found:
        assert other not in removed
        assert jaccard(texts[copy], texts[other]) >= 0.8
        assert similarity == pytest.approx(jaccard(texts[copy], texts[other]), abs=1e-6)
    kept = [index for index in range(len(texts)) if index not in removed]
    missed = sum(jaccard(texts[a], texts[b]) >= 0.8 for n, a in enumerate(kept) for b in kept[n + 1 :])
    assert missed <= 0.02 * len(removed) + 1
    assert len(removed) > 40


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=8))
def test_any_texts_are_survived(texts):
    with tempfile.TemporaryDirectory() as folder:
        found = pairs(Path(folder), texts)
    assert all(similarity >= 0.8 and copy != kept for copy, kept, similarity in found)


def test_one_changed_character_between_statutes_is_a_near_duplicate_and_is_kept_beside(tmp_path):
    law = "第一条 为了规范商业银行的行为，提高信贷资产质量，加强监督管理，保障商业银行的稳健运行，制定本法。" * 3
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(law, "utf-8")
    (tmp_path / "in" / "b.txt").write_text(law.replace("稳健", "稳妥", 1), "utf-8")
    (tmp_path / "in" / "c.txt").write_text(law.replace("，", "， "), "utf-8")
    (tmp_path / "in" / "d.txt").write_text("Something else entirely, in another language.", "utf-8")
    source = read(Read(paths=(str(tmp_path / "in"),), licence="x", origin="private"), Run(tmp_path / "corpus"))
    made = deduplicate(Deduplicate(), source, run=Run(tmp_path / "unique"))
    rows = sorted(row["source"] for row in made.rows())
    dropped = {row["source"]: (row["rule"], row["value"], row["detail"]) for row in made.dropped()}
    assert len(rows) == 2
    assert "d.txt" in rows
    assert sorted(rule for rule, _, _ in dropped.values()) == ["exact duplicate", "near duplicate"]
    assert all(detail.startswith("of ") and detail[3:] in rows for _, _, detail in dropped.values())
    assert all(0.8 <= value <= 1 for _, value, _ in dropped.values())
    strict = deduplicate(Deduplicate(similarity=1.0), source, run=Run(tmp_path / "strict"))
    assert strict.count() == 3


def test_a_new_delivery_is_compared_with_what_is_known_without_reading_that_again(tmp_path):
    draw = random.Random(3)
    texts = corpus(draw)
    known = written(tmp_path / "known", texts[:60], dataset="known")
    marks = sketch(Sketch(), known, run=Run(tmp_path / "marks"))
    fresh = ["A sentence that nobody has written before, about ledgers and llamas and the weather of last May."]
    delivery = written(tmp_path / "delivery", [texts[0], altered(texts[4], 0.005, draw), *fresh], dataset="delivery")
    run = Run(tmp_path / "merged")
    made = deduplicate(Deduplicate(), delivery, None, (known,), (marks,), run=run)
    assert [row["text"] for row in made.rows()] == fresh
    details = {row["id"]: row["detail"] for row in made.dropped()}
    assert details["delivery0"].startswith("of known-")
    assert not (run.scratch / "known-0").exists(), "the known corpus was sketched again"
    again = deduplicate(Deduplicate(), delivery, None, (known,), run=Run(tmp_path / "again"))
    assert [row["id"] for row in again.rows()] == [row["id"] for row in made.rows()]


def test_which_copy_stays_is_chosen(tmp_path):
    text = "The overdraft fee is nine euros a month and is charged on the first working day of the next month."
    rows = list(written(tmp_path / "one", [text, text, text + " Thank you."]).rows())
    rows[1] |= {"retrieved": "2026-01-01", "trust": 0.4}
    rows[0] |= {"retrieved": "2025-01-01", "trust": 0.9}
    rows[2] |= {"retrieved": "2024-01-01", "trust": 0.1}
    made = Corpus.write(tmp_path / "in", rows)
    for keep, kept in (("first", "d0"), ("longest", "d2"), ("newest", "d1"), ("trusted", "d0")):
        unique = deduplicate(Deduplicate(keep=keep, similarity=0.7), made, run=Run(tmp_path / keep))
        assert [row["id"] for row in unique.rows()] == [kept], keep


def test_a_chain_of_small_changes_stays_unless_chains_are_asked_for(tmp_path):
    words = [f"word{number}" for number in range(300)]
    chain = []
    for step in range(6):
        chain.append(" ".join(words))
        for index in range(step * 8, step * 8 + 8):
            words[index] = f"other{index}"
    assert jaccard(chain[0], chain[1]) >= 0.8 > jaccard(chain[0], chain[5])
    corpus_ = written(tmp_path / "in", chain)
    kept = deduplicate(Deduplicate(keep="first"), corpus_, run=Run(tmp_path / "kept"))
    assert 1 < kept.count() < 6
    one = deduplicate(Deduplicate(keep="first", chains=True), corpus_, run=Run(tmp_path / "one"))
    assert [row["id"] for row in one.rows()] == ["d0"]
    assert all(row["value"] >= 0.8 for row in one.dropped())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("银行 卡", "银行卡", True),
        ("ＡＢＣ１２", "abc12", True),
        ("to day", "today", False),
        ("a  b\tc", "a b c", True),
        ("第 1 条", "第1条", True),
        ("é a", "éa", False),
        ("one. two", "one.two", True),
    ],
)
def test_what_a_reader_sees_makes_an_exact_copy(one, other, same):
    from septet.kernels.arrow import texts_of
    from septet.kernels.sketch import sketch as sketched

    exact = sketched(texts_of([one, other])).exact
    assert (exact[:, 0] == exact[:, 1]).all() == same

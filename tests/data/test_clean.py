"""Cleaning: what is mended and taken out, what stays, and the way back from every character to the file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.core import Run, StepFailed
from septet.data.clean import Cleaning, clean
from septet.data.steps.quality import Clean
from septet.data.steps.quality import clean as step
from septet.detect import boilerplate, edits, repair
from septet.files import read_json, read_lines
from septet.kinds import Corpus


def row(number, text, **more):
    return {
        "id": f"d{number}",
        "text": text,
        "source": "a.txt",
        "source_digest": "x",
        "start": 0,
        "end": len(text),
        "language": "en",
        "licence": "x",
        "origin": "private",
        "access": "internal",
        "transforms": ["data.read"],
        **more,
    }


PIECES = [
    "A plain sentence of the manual.\n",
    "本手册说明贷款的审批流程。\n",
    "We use cookies to improve your visit. Accept all cookies\n",
    "版权所有 某某公司\n",
    "\n",
    "\r\n",
    "zero\u200bwidth and \ufeffmarks\n",
    "cafe\u0301 au lait\n",
    "contractÃ©e\n",
    "電腦與軟體\n",
    "\x07bell",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.booleans(), st.booleans())
def test_every_kept_character_leads_back_to_where_it_stood(text, simplified, c4):
    made = clean(text, Cleaning(simplified=simplified, c4_lines=c4))
    at = shift = 0
    for start, end, length in made.edits:
        assert made.text[at + shift : start + shift] == text[at:start]
        at, shift = end, shift + length - (end - start)
    assert made.text[at + shift :] == text[at:]
    again = clean(made.text, Cleaning(simplified=simplified, c4_lines=c4))
    assert again.text == made.text
    assert not again.removed


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_survived(text):
    made = clean(text, Cleaning(c4_lines=False))
    at = shift = 0
    for start, end, length in made.edits:
        assert made.text[at + shift : start + shift] == text[at:start]
        at, shift = end, shift + length - (end - start)
    assert made.text[at + shift :] == text[at:]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("Accept all cookies", "boilerplate.cookies"),
        ("This website uses cookies to give you the best experience.", "boilerplate.cookies"),
        ("© 2021 Example Inc. All rights reserved.", "boilerplate.rights"),
        ("版权所有 © 某某银行股份有限公司", "boilerplate.rights"),
        ("京ICP备12345678号-1", "boilerplate.rights"),
        ("请先登录", "boilerplate.login"),
        ("登录后查看全文", "boilerplate.login"),
        ("Log in", "boilerplate.login"),
        ("Back to top", "boilerplate.navigation"),
        ("上一篇：关于放假的通知", "boilerplate.navigation"),
        ("扫码关注公众号", "boilerplate.sharing"),
        ("责任编辑：王某", "boilerplate.credits"),
        ("Please enable JavaScript to view this page.", "boilerplate.scripts"),
        # Text that speaks of the same things.
        ("The bank's privacy policy is reviewed once a year by the data protection officer.", ""),
        ("A cookie is a small file that a web site stores in the reader's browser.", ""),
        ("软件的版权所有者可以许可他人使用该软件，并有权获得报酬。", ""),
        ("用户登录后，系统应当记录登录时间和地址，并保存六个月以上。", ""),
        ("Click here and then on Save, and the new account is stored.", ""),
        ("点击这里打开设置页面，然后选择“语言”，再按保存。", ""),
        ("编辑应当核对引文的出处。", ""),
        ("The program is written in JavaScript and runs in the browser.", ""),
        ("Sign in sheets are kept for two years at the front desk of each branch office.", ""),
    ],
)
def test_boilerplate_goes_and_text_about_it_stays(line, rule):
    assert boilerplate.rule_of(line) == rule


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("The cafÃ© is â€œopenâ€\x9d", "The café is “open”"),
        ("本行贷款利率的详细说明".encode()[:30].decode("gb18030"), "本行贷款利率的详细说"),
        ("本行贷款利率的说明".encode().decode("gb18030", "ignore"), "本行贷款利率的说\ufffd"),
        ("中文手册".encode().decode("latin-1"), "中文手册"),
        ("联通公司的正常文本", "联通公司的正常文本"),
        ("naïve café, déjà vu", "naïve café, déjà vu"),
        ("鐨是一个生僻字，浣也是。", "鐨是一个生僻字，浣也是。"),
    ],
)
def test_wrong_decodings_are_undone(broken, whole):
    assert repair.repaired(broken) == whole


def test_headers_and_footers_go_and_articles_stay(tmp_path):
    rows = []
    for page in range(1, 6):
        body = f"第{page * 3}条\nText of page {page} that differs: {'abcde'[page - 1]}."
        text = f"Annual Manual of the Bank\n{body}\nPage {page} of 5"
        rows.append(row(page, text, source="m.pdf", page=page, where=f"page {page}"))
    rows.append(row(9, "Annual Manual of the Bank\nAnother file.", source="other.pdf", page=1))
    made = step(Clean(), Corpus.write(tmp_path / "in", rows), Run(tmp_path / "out"))
    found = {one["id"]: one for one in made.rows()}
    assert found["d2"]["text"] == "第6条\nText of page 2 that differs: b.\n"
    assert found["d9"]["text"].startswith("Annual Manual")
    before = edits.original(edits.decode(found["d2"]["edits"]), 0, 3)
    assert rows[1]["text"][before[0] : before[1]] == "第6条"
    removed = list(read_lines(tmp_path / "out" / "removed.jsonl"))
    assert {one["rule"] for one in removed} == {"header or footer"}
    assert read_json(tmp_path / "out" / "clean.json")["counts"]["line: header or footer"] == 10
    kept = step(Clean(pages=0), Corpus.write(tmp_path / "in2", rows), Run(tmp_path / "out2"))
    assert all("Annual Manual" in one["text"] for one in kept.rows())


def test_what_is_taken_out_is_counted_and_shown_and_an_empty_document_is_left_out(tmp_path):
    corpus = Corpus.write(
        tmp_path / "in",
        [
            row(1, "A line of text that stays here.\nAccept all cookies\nour secret phrase"),
            row(2, "Accept all cookies\n\n\n"),
            row(3, "Plain."),
        ],
    )
    run = Run(tmp_path / "out")
    made = step(Clean(phrases=("secret phrase",)), corpus, run)
    assert [one["text"] for one in made.rows()] == ["A line of text that stays here.\n", "Plain."]
    (gone,) = made.dropped()
    assert (gone["id"], gone["rule"]) == ("d2", "nothing left")
    assert gone["text"].startswith("Accept")
    assert {"rule": "line: boilerplate.cookies", "count": 2, "where": "removed.jsonl"} in run.drops
    assert {one["rule"] for one in read_lines(tmp_path / "out" / "removed.jsonl")} == {
        "boilerplate.cookies",
        "boilerplate.own",
    }
    assert [one["edits"] for one in made.rows()][1] == ""
    with pytest.raises(StepFailed, match="nothing was left of 1"):
        step(Clean(), Corpus.write(tmp_path / "one", [row(1, "Accept all cookies")]), Run(tmp_path / "none"))


def test_rules_of_c4_keep_sentences():
    text = "Home\nThe first sentence has a mark.\nToo short.\nno mark at the end here\n中文的句子也有句号。\n"
    text += "We use cookies here a lot."
    made = clean(text, Cleaning(c4_lines=True, boilerplate=False))
    assert made.text == "The first sentence has a mark.\n中文的句子也有句号。\n"
    assert [rule for rule, _ in made.removed] == ["c4.terminal", "c4.words", "c4.terminal", "c4.policy"]

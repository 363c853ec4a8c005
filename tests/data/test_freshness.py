"""Versions of documents: which is the later, what is left out or flagged, what they say differently; and the judge."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.core import ConfigError, Run, StepFailed
from septet.data import judged
from septet.data.steps.validity import Freshness, Judge, freshness, judge
from septet.detect import policy as policies
from septet.detect.span import Span
from septet.detect.versions import base_of, dates_of, newer, statements, version_of
from septet.files import read_json, read_lines
from septet.kinds import Corpus, Policy


def row(number, source, text, **more):
    return {
        "id": f"d{number}",
        "text": text,
        "source": source,
        "source_digest": "x",
        "start": 0,
        "end": len(text),
        "language": "zh",
        "licence": "x",
        "origin": "private",
        "access": "internal",
        "transforms": ["data.read"],
        **more,
    }


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("员工手册（2023年修订）", "员工手册"),
        ("中华人民共和国公司法(2018-10-26)", "公司法"),
        ("Staff Manual v2.1 (draft)", "staffmanual"),
        ("staff_manual_20200131", "staffmanual"),
        ("Staff Manual, 3rd edition", "staffmanual"),
        ("信贷办法（征求意见稿）", "信贷办法"),
        ("Annual Report 2022", "annualreport2022"),
        ("第二十三次会议纪要", "第二十三次会议纪要"),
    ],
)
def test_a_title_without_its_marks(name, base):
    assert base_of(name) == base


def test_dates_are_read_in_both_languages():
    assert dates_of("2018年10月26日 修正") == ["2018-10-26"]
    assert dates_of("Effective January 5, 2021 and 7 Mar 2022; 2020/1/2; 20191231") == [
        "2021-01-05",
        "2022-03-07",
        "2020-01-02",
        "2019-12-31",
    ]
    assert dates_of("order 20201399 of 2021-13-45") == []


def test_the_later_version_is_told():
    def told(one, other):
        return newer(version_of(one, "", ""), version_of(other, "", ""))

    assert told("手册（2023年修订）", "手册（2021年修订）") == 1
    assert told("Manual v2.9", "Manual v2.10") == -1
    assert told("办法（征求意见稿）", "办法") == -1
    assert told("Manual", "Manual") == 0
    assert told("周报(2023-02-06)", "周报(2023-01-30)") == 0
    head = "信贷管理办法\n2019年5月1日发布 2022年8月9日修订\n"
    assert version_of("信贷管理办法", "x.txt", head).date == "2022-08-09"
    assert version_of("Terms", "", "Terms\nEffective date: March 1, 2024\nVersion 3.2").number == (3, 2)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.text(max_size=60))
def test_any_title_and_text_is_survived(text, title):
    version_of(title, f"{title}.pdf", text)
    assert all(frame and values for frame, values, _ in statements(text))


def law(number, days, rate, extra=""):
    articles = [
        f"第{n}条 本行办理第{n}类业务时，应当按照审慎经营的原则，对客户的身份、用途和还款来源逐项核实并留存记录。"
        for n in range(1, 12)
    ]
    articles.insert(3, f"第十五条 客户提出异议的，本行应当在{days}日内书面答复。")
    articles.append(f"第二十条 逾期利率不得超过年利率{rate}%。")
    return f"信贷管理办法\n{number}\n" + "\n".join(articles) + extra


def test_superseded_documents_are_left_out_or_flagged_and_differences_reported(tmp_path):
    rows = [
        row(1, "办法(2019-05-01).md", law("2019年5月1日发布", "三十", "8.5")),
        row(2, "办法(2022-08-09).md", law("2022年8月9日修订", "十五", "8.5")),
        row(3, "办法(2021-01-01).md", law("2021年1月1日修订", "二十", "9")),
        row(4, "别的(2023-01-01).md", "另一份文件的内容，与信贷无关，只是日期更新。" * 3),
        row(5, "办法(2024-01-01).md", "完全不同的内容，只有名称相同，因此不是新的版本。" * 6),
        row(7, "meeting minutes 2023-01-05.txt", "The board met and approved the budget of the year."),
        row(8, "meeting minutes 2023-02-05.txt", "The board met and approved the budget of the year."),
        row(6, "manual (withdrawn).txt", "A manual that is no longer in use."),
    ]
    corpus = Corpus.write(tmp_path / "in", rows)
    made = freshness(Freshness(), corpus, Run(tmp_path / "out"))
    gone = {one["id"]: one for one in made.dropped()}
    assert {name: one["rule"] for name, one in gone.items()} == {
        "d1": "superseded",
        "d3": "superseded",
        "d6": "withdrawn",
    }
    assert gone["d1"]["detail"] == "by 办法(2022-08-09).md of 2022-08-09"
    assert 0.3 < gone["d1"]["value"] <= 1
    differences = list(read_lines(tmp_path / "out" / "contradictions.jsonl"))
    assert {(d["one"]["values"][0], d["other"]["values"][0]) for d in differences} >= {
        ("十五", "三十"),
        ("8.5%", "9%"),
    }
    # The minutes are alike, and reported as undecided.
    decided = [[pair["decided"] for pair in one["pairs"]] for one in read_json(tmp_path / "out" / "versions.json")]
    assert [False] in decided
    flagged = freshness(Freshness(action="flag"), corpus, Run(tmp_path / "flag"))
    notes = {one["id"]: one["transforms"][-1] for one in flagged.rows()}
    assert notes["d1"] == "data.freshness (superseded by 办法(2022-08-09).md of 2022-08-09)"
    assert notes["d2"] == "data.freshness"


def test_trust_breaks_a_tie_and_a_version_not_yet_in_force_replaces_nothing(tmp_path):
    text = law("", "三十", "8")
    rows = [row(1, "a/办法汇编.md", text, trust=0.9), row(2, "b/办法汇编.md", text.replace("三十", "六十"), trust=0.4)]
    made = freshness(Freshness(), Corpus.write(tmp_path / "in", rows), Run(tmp_path / "out"))
    assert [one["id"] for one in made.rows()] == ["d1"]
    equal = [{**one, "trust": 1.0} for one in rows]
    made = freshness(Freshness(), Corpus.write(tmp_path / "in2", equal), Run(tmp_path / "out2"))
    assert made.count() == 2
    assert len(list(read_lines(tmp_path / "out2" / "contradictions.jsonl"))) == 1
    later = [
        row(1, "办法(2022-08-09).md", law("2022年8月9日发布，自2023年1月1日起施行", "十五", "8")),
        row(2, "办法(2019-05-01).md", law("2019年5月1日发布", "三十", "8")),
    ]
    corpus = Corpus.write(tmp_path / "in3", later)
    assert freshness(Freshness(as_of="2022-12-01"), corpus, Run(tmp_path / "out3")).count() == 2
    assert freshness(Freshness(as_of="2023-02-01"), corpus, Run(tmp_path / "out4")).count() == 1
    with pytest.raises(ConfigError, match="as_of"):
        freshness(Freshness(as_of="soon"), corpus, Run(tmp_path / "out5"))


def test_dated_versions_of_real_statutes(shared, tmp_path):
    folder = shared / "corpora" / "zh-laws"
    files = [
        file
        for name in ("公司法", "反洗钱法", "会计法", "广告法", "宪法修正案")
        for file in sorted(folder.rglob(f"{name}*.md"))
        if file.name[len(name)] in "(（."
    ]
    if len(files) < 8:
        pytest.skip("the dated statutes are not in this copy of zh-laws")
    rows = [row(n, str(file.relative_to(folder)), file.read_text("utf-8")) for n, file in enumerate(files)]
    made = freshness(Freshness(), Corpus.write(tmp_path / "in", rows), Run(tmp_path / "out"))
    gone = {one["source"].rsplit("/")[-1] for one in made.dropped()}
    assert {"公司法(2018-10-26).md", "反洗钱法(2006-10-31).md", "会计法(2017-11-04).md"} <= gone
    assert not [name for name in gone if "修正案" in name or "2024" in name or "2023" in name]


@pytest.fixture
def policy(repository, tmp_path):
    (tmp_path / "policy").mkdir()
    loaded = policies.load(repository / "recipes" / "policy.toml")
    (tmp_path / "policy" / "policy.json").write_bytes(policies.encode(loaded))
    return Policy(tmp_path / "policy")


def flat_earth(text):
    start = text.find("平的")
    return [Span(start, start + 2, "judge.false", 0.9, "earth"), Span(0, 1, "pii.x", 1.0)] if start >= 0 else []


def test_a_judge_reviews_or_leaves_out_and_sees_a_sample(policy, tmp_path, monkeypatch):
    monkeypatch.setattr(judged.plugins, "load", lambda group, name: {"earth": flat_earth}[name])
    rows = [row(n, f"{n}.txt", "地球是平的。" if n % 4 == 0 else "地球是圆的。") for n in range(80)]
    corpus = Corpus.write(tmp_path / "in", rows)
    kept = judge(Judge(detector="earth"), corpus, policy, Run(tmp_path / "a"))
    assert kept.count() == 80
    found = list(read_lines(tmp_path / "a" / "review.jsonl"))
    assert len(found) == 20
    assert found[0]["text"] == "平的"
    made = judge(Judge(detector="earth", action="drop"), corpus, policy, Run(tmp_path / "b"))
    assert {(one["rule"], one["value"], one["detail"]) for one in made.dropped()} == {("judge.false", 0.9, "earth")}
    run = Run(tmp_path / "c")
    judge(Judge(detector="earth", share=0.3), corpus, policy, run)
    shown = int(run.notes[-1].split()[0])
    assert 10 <= shown <= 40
    shuffled = list(rows)
    random.Random(1).shuffle(shuffled)
    again = Run(tmp_path / "d")
    judge(Judge(detector="earth", share=0.3), Corpus.write(tmp_path / "in2", shuffled), policy, again)
    assert again.notes[-1] == run.notes[-1]
    with pytest.raises(StepFailed, match="all of 1"):
        judge(
            Judge(detector="earth", action="drop"),
            Corpus.write(tmp_path / "one", rows[:1]),
            policy,
            Run(tmp_path / "e"),
        )

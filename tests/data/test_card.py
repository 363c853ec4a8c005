"""The data card: its figures are those of the rows, both pages say all of it, and no personal value shows anywhere in it."""

from __future__ import annotations

import json
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from septet.core import ConfigError, Run
from septet.core import recipe as recipes
from septet.core.lineage import beside
from septet.core.runner import Runner
from septet.data import card_page
from septet.data.steps import Card, Measure, card, measure
from septet.kinds import Corpus, DataCard, Report, Signals
from septet.kinds import Measure as Figure

MAIL = "li.hua.1987@branch-office.cn"
MOBILE = "13912345678"
GOOD = (
    "The handbook explains how a loan is approved and who signs the contract. Interest is paid at the end of every quarter, "
    "and the rate is set by the board. A customer who wants to close an account sends a letter to the branch."
)
GUTE = (
    "本手册说明贷款如何审批，以及合同由谁签署。利息在每个季度末支付，利率由银行的董事会确定。"
    "客户如果要注销账户，应当提交书面申请。"
)


def row(number: int, text: str, **more):
    return {
        "id": f"d{number}", "text": text, "dataset": "rules", "source": f"f{number}.txt", "source_digest": "x", "start": 0,
        "end": len(text), "language": "en", "licence": "CC-BY-4.0", "origin": "public", "access": "internal",
        "retrieved": "2026-11-01", "transforms": ["data.read"], **more,
    }  # fmt: skip


@pytest.fixture
def corpus(tmp_path):
    rows = [
        row(1, GOOD, meta=json.dumps({"date": "2019-05-02"})),
        row(2, GUTE, language="zh", dataset="规章", licence="", meta=json.dumps({"date": "2021年3月"})),
        row(3, GOOD + " Again.", parent="d1", edits="[[0, 1, 2]]", transforms=["data.read", "data.mask (2 spans)"]),
        row(4, "Plain.", source=f"mails/{MAIL}.eml", access="public"),
    ]
    dropped = [
        row(10, f"Write to {MAIL} or call {MOBILE} at once.", rule="gopher.words", value=9.0, detail=f"of {MAIL}"),
        row(11, "x" * 155 + f" {MOBILE} and the rest", rule="gopher.words", value=3.0, detail=""),
        row(12, "A vile sentence that was removed.", rule="toxicity:hate", value=0.9, detail="hate"),
    ]
    return Corpus.write(tmp_path / "corpus", rows, dropped)


class Page(HTMLParser):
    """Tags must nest, ids be met once, and nothing may be fetched from anywhere."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.heads, self.text = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        assert tag not in ("script", "link", "img", "iframe")
        if tag not in self.VOID:
            self.open.append(tag)
        self.ids += [known["id"]] if "id" in known else []
        self.links += [known["href"]] if "href" in known else []
        self.heads += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)


def read_page(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text("utf-8"))
    assert page.open == []
    assert len(set(page.ids)) == len(page.ids)
    assert page.heads[0] == 1
    assert all(later - earlier <= 1 for earlier, later in zip(page.heads, page.heads[1:], strict=False))
    return page


def test_the_figures_are_those_of_the_rows(corpus, tmp_path):
    made = card(Card(name="Rules"), corpus, run=Run(tmp_path / "card"))
    composition = made.content["composition"]
    assert composition["rows"] == 4
    assert composition["characters"] == sum(len(one["text"]) for one in corpus.rows())
    assert (composition["rows_with_edits"], composition["rows_made_of_others"]) == (1, 1)
    by = {name: {one["value"]: one["rows"] for one in group["table"]} for name, group in composition["by"].items()}
    assert by["language"] == {"en": 3, "zh": 1}
    assert by["licence"] == {"CC-BY-4.0": 3, "": 1}
    assert by["access"] == {"internal": 3, "public": 1}
    assert by["year"] == {"": 2, "2019": 1, "2021": 1}
    assert by["retrieved"] == {"2026": 4}
    assert made.content["transforms"][:2] == [
        {"transform": "data.read", "rows": 4},
        {"transform": "data.mask", "rows": 1},
    ]
    assert {(one["rule"], one["count"]) for one in made.content["left_out"]} == {
        ("gopher.words", 2),
        ("toxicity:hate", 1),
    }


def test_long_tables_are_cut_and_the_rest_is_summed_up(tmp_path):
    corpus = Corpus.write(tmp_path / "c", [row(n, "text " * (n + 1)) for n in range(30)])
    by = card(Card(name="Many", listed=7), corpus, run=Run(tmp_path / "card")).content["composition"]["by"]["source"]
    assert (by["values"], len(by["table"]), by["others"]["rows"]) == (30, 7, 23)
    assert sum(one["characters"] for one in by["table"]) + by["others"]["characters"] == sum(
        5 * (n + 1) for n in range(30)
    )


def test_no_personal_value_shows_in_the_card(corpus, tmp_path):
    made = card(Card(name="Rules"), corpus, run=Run(tmp_path / "card"))
    everything = "".join(path.read_text("utf-8") for path in sorted(made.path.iterdir()))
    assert MAIL not in everything
    # Nor a part of a number that the end of an example cuts through.
    assert MOBILE[:4] not in everything
    assert "vile" not in everything
    examples = {one["rule"]: one["examples"] for one in made.content["left_out"]}
    assert examples["toxicity:hate"] == []
    assert len(examples["gopher.words"]) == 2
    assert any("[EMAIL]" in one["text"] for one in examples["gopher.words"])
    assert made.content["hidden"]["spans"] >= 4


def test_examples_are_at_most_so_many_and_the_same_each_time(corpus, tmp_path):
    one = card(Card(name="Rules", examples=1), corpus, run=Run(tmp_path / "a"))
    again = card(Card(name="Rules", examples=1), corpus, run=Run(tmp_path / "b"))
    assert one.digest() == again.digest()
    assert sum(len(rule["examples"]) for rule in one.content["left_out"]) == 1
    none = card(Card(name="Rules", examples=0), corpus, run=Run(tmp_path / "c"))
    assert sum(len(rule["examples"]) for rule in none.content["left_out"]) == 0


def test_texts_of_private_rows_are_not_shown(tmp_path):
    gone = row(5, "What Terence wrote to his aunt.", origin="private", rule="gopher.words", value=6.0, detail="")
    corpus = Corpus.write(tmp_path / "c", [row(1, GOOD)], [gone])
    made = card(Card(name="Letters"), corpus, run=Run(tmp_path / "card"))
    everything = "".join(path.read_text("utf-8") for path in sorted(made.path.iterdir()))
    assert "Terence" not in everything
    assert made.content["left_out"][0]["examples"][0]["value"] == 6.0
    shown = card(Card(name="Letters", shown=("private",)), corpus, run=Run(tmp_path / "shown"))
    assert "Terence" in shown.content["left_out"][0]["examples"][0]["text"]


def test_both_pages_are_whole_and_escape_what_comes_from_data(tmp_path):
    nasty = "<img src=x onerror=alert(1)>"
    corpus = Corpus.write(tmp_path / "c", [row(1, GOOD, dataset=nasty, licence='"><script>')])
    made = card(Card(name=nasty, purpose="a & b"), corpus, run=Run(tmp_path / "card"))
    pages = {tongue: read_page(made.path / f"card.{tongue}.html") for tongue in ("en", "zh")}
    assert pages["en"].ids == pages["zh"].ids
    assert pages["en"].heads == pages["zh"].heads
    for tongue, other in (("en", "zh"), ("zh", "en")):
        links = pages[tongue].links
        assert [link for link in links if not link.startswith("#")] == [f"card.{other}.html"]
        assert {link[1:] for link in links if link.startswith("#")} <= set(pages[tongue].ids)
        assert nasty in "".join(pages[tongue].text)
    spoken = "".join(pages["zh"].text)
    assert "构成" in spoken
    assert "Composition" not in spoken


def test_every_word_is_there_in_both_languages():
    tables = {tongue: card_page.words(tongue) for tongue in card_page.LANGUAGES}
    assert tables["en"].keys() == tables["zh"].keys()
    for key, text in tables["en"].items():
        assert sorted(re.findall(r"\{\d\}", text)) == sorted(re.findall(r"\{\d\}", tables["zh"][key])), key
    source = Path(card_page.__file__).read_text("utf-8")
    for key in tables["en"]:
        table, _, name = key.partition(".")
        assert name in source or table in ("by", "column"), key


def test_signals_of_before_a_filter_are_found_by_id(corpus, tmp_path):
    wide = Corpus.write(tmp_path / "wide", [*corpus.rows(), row(77, GOOD * 3), row(78, GUTE * 2, language="zh")])
    signals = measure(Measure(), wide, run=Run(tmp_path / "signals"))
    quality = card(Card(name="Rules"), corpus, None, signals, run=Run(tmp_path / "card")).content["quality"]
    assert quality["rows"] == 4
    words = quality["by_language"]["en"]["gopher.words"]
    assert words["n"] == 3
    assert words["quantiles"][0] <= words["quantiles"][2] <= words["quantiles"][4]
    other = Corpus.write(tmp_path / "other", [row(99, GOOD)])
    with pytest.raises(ConfigError, match="of another corpus"):
        card(Card(name="Rules"), other, None, Signals(signals.path), run=Run(tmp_path / "no"))


RECIPE = """
[policy]
step = "trust.policy"
path = "policy.toml"
[raw]
step = "data.read"
paths = ["papers"]
licence = "CC0-1.0"
origin = "public"
dataset = "papers"
consent = "contract"
[filtered]
step = "data.filter"
corpus = "@raw"
policy = "@policy"
[masked]
step = "data.mask"
corpus = "@filtered"
policy = "@policy"
[card]
step = "data.card"
corpus = "@masked"
policy = "@policy"
name = "Papers"
"""


def test_a_card_in_a_recipe_tells_every_step_and_what_each_left_out(workspace, repository, tmp_path):
    papers = tmp_path / "papers"
    papers.mkdir()
    for number in range(4):
        (papers / f"good{number}.txt").write_text(f"{GOOD} It is copy {number}. Write to {MAIL}.", "utf-8")
    (papers / "short.txt").write_text(f"Call {MOBILE}.", "utf-8")
    (papers / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    (tmp_path / "policy.toml").write_text((repository / "recipes" / "policy.toml").read_text("utf-8"), "utf-8")
    (tmp_path / "r.toml").write_text(RECIPE, "utf-8")
    records = Runner(workspace).run(recipes.load(tmp_path / "r.toml"))
    content = DataCard(workspace.store.folder(records["card"])).content
    assert [one["step"] for one in content["lineage"]["steps"]] == [
        "data.mask", "data.filter", "trust.policy", "data.read",
    ]  # fmt: skip
    assert content["fingerprint"] == records["masked"].fingerprint
    assert content["lineage"]["not_here"] == []
    left = {(one["step"], one["rule"]): one for one in content["left_out"]}
    assert left["data.filter", "gopher.words"]["count"] == 1
    assert "[MOBILE]" in left["data.filter", "gopher.words"]["examples"][0]["text"]
    assert any(step == "data.read" and one["examples"] for (step, _), one in left.items())
    assert content["safety"]["privacy"][0]["replaced"] == {"email": 4}
    assert content["terms"][0]["consent"] == "contract"
    text = json.dumps(content, ensure_ascii=False)
    assert str(tmp_path) not in text
    assert MAIL not in text
    assert MOBILE not in text
    # A source that is gone from the store is said to be gone.
    workspace.store.remove(records["raw"])
    _, missing = beside(workspace.store.folder(records["masked"]))
    assert missing == [records["raw"].fingerprint]


def test_reports_are_shown_with_their_intervals(corpus, tmp_path):
    report = Report.write(
        tmp_path / "report", "overlap", {"a in b": Figure(0.25, 0.2, 0.31, 400, "share")}, notes=["one"]
    )
    made = card(Card(name="Rules"), corpus, None, None, (report,), run=Run(tmp_path / "card"))
    assert made.content["reports"][0]["summary"]["a in b"]["n"] == 400
    assert "0.25 (0.2–0.31), n = 400 share" in "".join(read_page(made.path / "card.en.html").text)


def test_the_words_hold_no_markup(repository):
    for tongue in card_page.LANGUAGES:
        text = (repository / "src" / "septet" / "data" / "card_words" / f"{tongue}.toml").read_text("utf-8")
        assert "<" not in text
        assert tomllib.loads(text)


def test_an_empty_corpus_has_a_card(tmp_path):
    content = card(Card(name="Nothing"), Corpus.write(tmp_path / "c", []), run=Run(tmp_path / "card")).content
    assert content["composition"]["rows"] == 0
    assert content["left_out"] == []

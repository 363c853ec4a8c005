"""Made rows: marked, guarded, with their labels; classes balanced; models asked over a real connection."""

from __future__ import annotations

import json
import random
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from corpora import written
from hypothesis import given, settings
from hypothesis import strategies as st
from shape_corpora import sentences

from septet.core import ConfigError, Run, StepFailed
from septet.core.pool import Serial
from septet.data.balance import targets
from septet.data.rewrite import pieces, rewritten
from septet.data.steps import Augment, Balance, augment, balance
from septet.detect import edits
from septet.kernels.likeness import form

WORDS = ("swap", "delete", "insert", "synonym")
SYNONYMS = {"card": ["plastic"], "arrived": ["come"], "ordered": ["requested"], "支行": ["分行"], "利率": ["息率"]}
READABLE = st.text(st.sampled_from("ab Cd12 ，。不没有卡费年\n.!'-é𠀀"), max_size=60)


@given(READABLE)
def test_pieces_make_the_text_up_again(text):
    assert "".join(word for word, _ in pieces(text)) == text


@settings(deadline=None)
@given(READABLE, st.sampled_from(WORDS), st.floats(0.05, 1), st.integers(0, 99))
def test_numbers_and_negations_stay(text, method, strength, seed):
    found = rewritten(text, method, strength, {"ab": ["xy"], "卡": ["证"]}, random.Random(seed))
    if found is not None:
        assert re.findall(r"\d", found) == re.findall(r"\d", text)
        assert [found.count(one) for one in "不没\n，"] == [text.count(one) for one in "不没\n，"]


@pytest.mark.parametrize("text", ["I did not lose 3 cards, and I won't.", "我没有丢失3张卡，也不会再申请。"])
def test_what_a_method_leaves_alone(text):
    for seed in range(30):
        for method in ("swap", "delete"):
            found = rewritten(text, method, 0.5, {}, random.Random(seed))
            assert found != text
            for word in ("not", "3", "won't") if text[0] == "I" else ("没有", "3", "不会"):
                assert word in found
            assert found.count(",") + found.count("，") == 1
            assert "  " not in found


@settings(deadline=None)
@given(READABLE, READABLE)
def test_form_is_a_likeness(one, other):
    assert form(one, one) == 1.0
    assert 0 <= form(one, other) <= 1
    assert form(one, other) == pytest.approx(form(other, one))


def test_form_sees_order():
    assert form("the card did not come", "the card did not come!") == 1.0
    assert form("red fox sees white cat", "white fox sees red cat") == pytest.approx(0.6)
    assert form("银行卡", "银行证") == pytest.approx(2 / 3)


def corpus_of(path, language="en", count=60):
    found = sentences(language, count, 3)
    return written(path, [text for text, _ in found], [label for _, label in found], language=language)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("method", WORDS)
def test_each_made_row_is_marked(tmp_path, language, method):
    file = tmp_path / "synonyms.toml"
    file.write_text("[synonyms]\n" + "".join(f'"{k}" = {json.dumps(v)}\n' for k, v in SYNONYMS.items()), "utf-8")
    corpus = corpus_of(tmp_path / "in", language)
    config = Augment(method=method, copies=2, encoder="hashing", synonyms=str(file), least_like=0.3)
    run = Run(tmp_path / "out")
    made = augment(config, corpus, run=run)
    before = {row["id"]: row for row in corpus.rows()}
    rows = list(made.rows())
    new = [row for row in rows if row["parent"]]
    assert [row for row in rows if not row["parent"]] == list(before.values())
    assert len(new) > 20
    assert len({row["id"] for row in rows}) == len(rows)
    for row in new:
        origin = before[row["parent"]]
        meta = json.loads(row["meta"])
        assert meta["synthetic"] is True
        assert meta["method"] == method
        assert meta["label"] == json.loads(origin["meta"])["label"]
        assert row["transforms"] == [f"data.augment ({method})"]
        assert form(row["text"], origin["text"]) < 0.98
        assert edits.original(edits.decode(row["edits"]), 3, 4) == (0, len(origin["text"]))
    order = [row["parent"] or row["id"] for row in rows]
    assert order == sorted(order, key=lambda one: int(one[1:])), "a made row stands behind its parent"
    unmade = sum(int(note.split()[0]) for note in run.notes if "not made" in note)
    assert len(new) + len(list(made.dropped())) + unmade == 120


def test_a_synonym_takes_the_place_and_the_case(tmp_path):
    lines = tmp_path / "synonyms.jsonl"
    lines.write_text('{"word": "Bank", "synonyms": ["lender"]}\n{"word": "年费", "synonyms": ["年度费用"]}\n', "utf-8")
    corpus = written(tmp_path / "in", ["Bank fees rise each year.", "这张卡的年费由银行收取。", "Nothing here"])
    run = Run(tmp_path / "out")
    config = Augment(method="synonym", synonyms=str(lines), encoder="hashing", least_like=0.1)
    new = [row["text"] for row in augment(config, corpus, run=run).rows() if row["parent"]]
    assert new == ["Lender fees rise each year.", "这张卡的年度费用由银行收取。"]
    assert any("nothing to change" in note for note in run.notes)


def test_neighbours_of_the_vocabulary(tmp_path):
    texts = ["the transfers were delayed", "a transfer was delayed", "this transfer is delayed"] * 3
    corpus = written(tmp_path / "in", texts)
    config = Augment(method="synonym", neighbours=True, encoder="hashing", near=0.5, strength=0.3, least_like=0.1)
    new = [row["text"] for row in augment(config, corpus, run=Run(tmp_path / "out")).rows() if row["parent"]]
    assert "the transfer were delayed" in new


def test_the_guard_refuses_and_keeps_what_it_refused(tmp_path):
    long = " ".join(f"word{chr(97 + k % 26)}{chr(97 + k // 26)}" for k in range(300))
    corpus = written(tmp_path / "in", [long, "sell the red card now"])
    run = Run(tmp_path / "out")
    made = augment(Augment(method="delete", strength=0.001, encoder="hashing", least_like=0.95), corpus, run=run)
    refused = {row["parent"]: row for row in made.dropped()}
    assert refused["d0"]["rule"] == "too like its origin"
    assert refused["d0"]["value"] == pytest.approx(299 / 300)
    assert refused["d1"]["rule"] == "too unlike its origin"
    assert refused["d1"]["value"] < 0.95
    assert {drop["rule"]: drop["count"] for drop in run.drops} == {"too like its origin": 1, "too unlike its origin": 1}


def test_rows_of_a_class_and_rows_that_were_made(tmp_path):
    corpus = corpus_of(tmp_path / "in", count=200)
    config = Augment(method="swap", copies=0, by="meta.label", copies_of={"rate": 0.5}, encoder="hashing", least_like=0)
    first = augment(config, corpus, run=Run(tmp_path / "out"))
    new = [row for row in first.rows() if row["parent"]]
    assert {json.loads(row["meta"])["label"] for row in new} == {"rate"}
    of = sum(json.loads(row["meta"])["label"] == "rate" for row in corpus.rows())
    assert 0.3 * of < len(new) < 0.7 * of
    again = augment(Augment(method="delete", encoder="hashing", least_like=0), first, run=Run(tmp_path / "again"))
    assert not [row for row in again.rows() if "+swap" in row["parent"]], "what was made is not built on"


def test_memory_and_seed(tmp_path):
    corpus = corpus_of(tmp_path / "in")
    config = Augment(method="swap", encoder="hashing", least_like=0.2)
    one = list(augment(config, corpus, run=Run(tmp_path / "a")).rows())
    assert list(augment(config, corpus, run=Run(tmp_path / "b", pool=Serial(memory_mb=64))).rows()) == one
    other = Augment(method="swap", encoder="hashing", least_like=0.2, seed=2)
    assert list(augment(other, corpus, run=Run(tmp_path / "c")).rows()) != one


def test_a_template_is_filled_from_meta(tmp_path):
    metas = [json.dumps({"product": "gold card", "fee": 30}), json.dumps({"product": "loan"})]
    corpus = written(tmp_path / "in", ["one", "two"], meta=metas)
    config = Augment(method="template", templates=("The {product} costs {fee} a year.", "{product}：{text}"), copies=2)
    run = Run(tmp_path / "out")
    new = [row for row in augment(config, corpus, run=run).rows() if row["parent"]]
    assert [row["text"] for row in new] == ["The gold card costs 30 a year.", "gold card：one", "loan：two"]
    assert json.loads(new[0]["meta"])["fee"] == 30
    assert any("1 rows were not made: an entry" in note for note in run.notes)


class Model(BaseHTTPRequestHandler):
    """Speaks the protocol: says again what it is shown by rules that a test can foresee."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = asked["messages"][-1]["content"]
        head, _, text = said.partition("\n\n")
        self.server.asked.append((head, text, asked))
        finish = "stop"
        if "broken" in text:
            answer, finish = text[:4], "length"
        elif "silent" in text:
            answer = "  "
        elif "Chinese" in head:
            answer = "译：" + text
        elif "English" in head:
            answer = "back: " + text.removeprefix("译：")
        elif "改写" in head:
            answer = f"“换言之，{text}”"
        else:
            answer = text.replace("30", "40") if "wrong" in text else f"\nIn short: {text}\n"
        body = {
            "id": "1",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": finish}],
        }
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def served():
    pytest.importorskip("openai", reason="the package openai is not installed: pip install 'septet[client]'")
    server = HTTPServer(("127.0.0.1", 0), Model)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", server.asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_model_says_it_in_other_words(tmp_path, served):
    address, asked = served
    texts = ["The fee is 30 euro.", "The wrong fee is 30 euro.", "a broken text", "a silent text", "年费是三十元。"]
    corpus = written(tmp_path / "in", texts, ["x"] * 5, language=["en", "en", "en", "en", "zh"])
    config = Augment(method="paraphrase", endpoint=address, served_as="tiny", encoder="hashing", least_like=0.3)
    run = Run(tmp_path / "out")
    made = augment(config, corpus, run=run)
    new = {row["parent"]: row for row in made.rows() if row["parent"]}
    assert {key: row["text"] for key, row in new.items()} == {
        "d0": "In short: The fee is 30 euro.",
        "d4": "换言之，年费是三十元。",
    }
    assert json.loads(new["d0"]["meta"]) == {"label": "x", "method": "paraphrase", "model": "tiny", "synthetic": True}
    assert {row["parent"]: row["rule"] for row in made.dropped()} == {
        "d1": "other numbers than its origin",
        "d2": "answer cut off",
        "d3": "no answer",
    }
    assert asked[0][2]["model"] == "tiny"
    assert asked[0][2]["seed"] != asked[1][2]["seed"]


def test_a_model_translates_there_and_back(tmp_path, served):
    address, asked = served
    corpus = written(tmp_path / "in", ["The card was lost abroad."])
    config = Augment(
        method="back_translation", endpoint=address, served_as="tiny", encoder="hashing", least_like=0.3, temperature=0
    )
    (new,) = [row for row in augment(config, corpus, run=Run(tmp_path / "out")).rows() if row["parent"]]
    assert new["text"] == "back: The card was lost abroad."
    assert [("Chinese" in head, text) for head, text, _ in asked] == [
        (True, "The card was lost abroad."),
        (False, "译：The card was lost abroad."),
    ]


def test_what_is_missing_is_said(tmp_path):
    corpus = written(tmp_path / "in", ["one two"])
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"word": "a", "synonyms": "b"}\n', "utf-8")
    for config, said in (
        (Augment(method="paraphrase"), "needs one model"),
        (Augment(method="paraphrase", endpoint="http://localhost:9/v1"), "served_as is empty"),
        (Augment(method="synonym"), "no synonyms"),
        (Augment(method="template"), "templates is empty"),
        (Augment(method="synonym", synonyms=str(bad)), "'a' has no list of synonyms"),
    ):
        with pytest.raises(ConfigError, match=said):
            augment(config, corpus, run=Run(tmp_path / "out"))
    nobody = Augment(method="paraphrase", endpoint="http://127.0.0.1:9/v1", served_as="x", least_like=0)
    pytest.importorskip("openai", reason="the package openai is not installed: pip install 'septet[client]'")
    with pytest.raises(StepFailed, match="the endpoint failed"):
        augment(nobody, corpus, run=Run(tmp_path / "nobody"))


LABELS = ["a"] * 100 + ["b"] * 20 + ["c"] * 5 + [""] * 3


@pytest.mark.parametrize(
    ("method", "ratio", "after"),
    [
        ("under", 1, {"a": 5, "b": 5, "c": 5}),
        ("under", 3, {"a": 15, "b": 15, "c": 5}),
        ("over", 1, {"a": 100, "b": 100, "c": 55}),
        ("over", 2, {"a": 100, "b": 50, "c": 50}),
        ("both", 1, {"a": 21, "b": 21, "c": 21}),
    ],
)
def test_classes_are_balanced(tmp_path, method, ratio, after):
    corpus = written(tmp_path / "in", [f"text {number}" for number in range(128)], LABELS)
    run = Run(tmp_path / "out")
    made = balance(Balance(method=method, ratio=ratio), corpus, run=run)
    rows, gone = list(made.rows()), list(made.dropped())
    assert Counter(json.loads(row["meta"])["label"] for row in rows) == {**after, "": 3}
    assert len({row["id"] for row in rows}) == len(rows)
    again = [row for row in rows if row["parent"]]
    for row in again:
        assert row["id"].startswith(row["parent"] + "#")
        assert json.loads(row["meta"])["synthetic"] is True
    assert {row["id"] for row in rows if not row["parent"]} | {row["id"] for row in gone} == {
        f"d{n}" for n in range(128)
    }
    assert all("kept" in row["detail"] for row in gone)
    if method == "over" and ratio == 1:
        assert any("most_repeats" in note for note in run.notes)


def test_balance_by_a_column_and_without_classes(tmp_path):
    corpus = written(tmp_path / "in", ["x"] * 9, language=["en"] * 6 + ["zh"] * 3)
    made = balance(Balance(by="language", method="under"), corpus, run=Run(tmp_path / "out"))
    assert Counter(row["language"] for row in made.rows()) == {"en": 3, "zh": 3}
    with pytest.raises(ConfigError, match="has 1 classes"):
        balance(Balance(by="dataset"), corpus, run=Run(tmp_path / "none"))


@given(
    st.lists(st.integers(1, 5000), min_size=2, max_size=10),
    st.sampled_from(["under", "over", "both"]),
    st.floats(1, 20),
    st.integers(0, 50),
)
def test_the_ratio_holds_wherever_repeats_allow(sizes, method, ratio, most):
    found = targets(sizes, method, ratio, most)
    assert (found >= 1).all()
    assert all(after <= size * (1 + most) for after, size in zip(found, sizes, strict=True))
    limited = [after for after, size in zip(found, sizes, strict=True) if after == size * (1 + most)]
    if method == "under" or not limited:
        # Whole rows cannot meet a ratio more closely than by one row on either side.
        assert found.max() <= ratio * found.min() + ratio + 1

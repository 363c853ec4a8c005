"""Impact: everything that holds a source, a document or a person's value is named, nothing else is, and the value never is."""

from __future__ import annotations

import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.cli.main import main
from septet.core import ConfigError
from septet.core import recipe as recipes
from septet.core.fingerprint import fingerprint
from septet.core.runner import Runner
from septet.core.store import Record
from septet.files import write_json
from septet.kinds import Corpus, Report
from septet.operate.impact import impact
from septet.operate.subject import find, pattern_of

MAIL = "qin.yue.1990@branch-office.cn"
NAME = "秦月朗"
RULES = (
    "# Opening hours\n\nThe branch opens at nine in the morning and closes at five in the afternoon on every working day. "
    "A card that was lost is blocked by calling the service line at any hour of the day.\n"
)
LETTER = (
    f"# A letter\n\nThe customer {NAME} writes that the letter of the third of May never came, and asks for a copy of it. "
    f"Please answer to {MAIL} within ten working days, and keep a copy of the answer in the file of the customer.\n"
)
SHORT = f"Call back {NAME}.\n"

RECIPE = """
[policy]
step = "trust.policy"
path = "policy.toml"
[rules]
step = "data.read"
paths = ["rules"]
licence = "own"
origin = "private"
[mail]
step = "data.read"
paths = ["mail"]
licence = "own"
origin = "private"
dataset = "letters"
[mixed]
step = "data.mixture"
corpora = ["@rules", "@mail"]
[filtered]
step = "data.filter"
corpus = "@mixed"
policy = "@policy"
[masked]
step = "data.mask"
corpus = "@filtered"
policy = "@policy"
[only_rules]
step = "data.clean"
corpus = "@rules"
[tokenizer]
step = "data.tokenizer"
corpus = "@only_rules"
vocabulary = 300
[tokens]
step = "data.pack"
corpus = "@masked"
tokenizer = "@tokenizer"
sequence = 64
"""


@pytest.fixture
def place(tmp_path, repository):
    for name, text in (("rules/hours.md", RULES), ("mail/letter.md", LETTER), ("mail/short.txt", SHORT)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "policy.toml").write_text((repository / "recipes" / "policy.toml").read_text("utf-8"), "utf-8")
    (tmp_path / "r.toml").write_text(RECIPE, "utf-8")
    return tmp_path


@pytest.fixture
def made(workspace, place):
    return Runner(workspace).run(recipes.load(place / "r.toml"))


def hits(workspace, what, sort=""):
    found = impact(workspace, find(workspace, what, sort))
    return {hit.name.removeprefix("r/"): hit for hit in found.hits}, found


def seal(workspace, name, step, kind, inputs, write):
    """An artifact put into the store by hand, as a step of another package would make it."""
    store = workspace.store
    with store.draft() as draft:
        write(draft)
        files = store.hash_files(draft)
        record = Record(
            step=step, version=1, fingerprint=fingerprint(step, 1, {"name": name}, inputs), kind=kind,
            config={"name": name}, inputs=inputs, outside={}, files=files, digest=store.digest(files),
            made={"time": "2026-11-24T08:00:00.000Z", "seconds": 1.0}, observed={}, drops=[], notes=[],
        )  # fmt: skip
        store.seal(draft, record)
    workspace.enter(record)
    workspace.name(f"r/{name}", record)
    return record


def test_a_source_is_followed_row_by_row(workspace, place, made):
    found, _ = hits(workspace, "letter.md")
    assert {name: (hit.rows, hit.left_out) for name, hit in found.items()} == {
        "mail": (1, 0), "mixed": (1, 0), "filtered": (1, 0), "masked": (1, 0), "tokens": (found["tokens"].rows, 0),
    }  # fmt: skip
    assert found["tokens"].rows >= 1
    assert found["tokens"].how == "rows"
    assert found["masked"].through == [made["filtered"].fingerprint]
    # A path and the bytes of a copy lead to the same rows.
    assert hits(workspace, str(place / "mail" / "letter.md"))[0].keys() == found.keys()
    (place / "copy of it.txt").write_text(LETTER, "utf-8")
    assert hits(workspace, str(place / "copy of it.txt"))[0].keys() == found.keys()
    (place / "mail" / "letter.md").unlink()
    assert hits(workspace, str(place / "mail" / "letter.md"))[0].keys() == found.keys()


def test_a_source_that_was_left_out_reaches_nothing_behind(workspace, made):
    found, _ = hits(workspace, "short.txt")
    assert {name: (hit.rows, hit.left_out) for name, hit in found.items()} == {
        "mail": (1, 0), "mixed": (1, 0), "filtered": (0, 1),
    }  # fmt: skip


def test_a_data_set_and_a_document(workspace, made):
    found, _ = hits(workspace, "letters")
    assert found["mixed"].rows == 2
    assert "tokenizer" not in found
    row = next(one for one in Corpus(workspace.store.folder(made["mail"])).rows() if one["source"] == "letter.md")
    by_id, said = hits(workspace, row["id"])
    assert said.sort == "document"
    assert by_id.keys() == hits(workspace, "letter.md")[0].keys()
    rules, _ = hits(workspace, "hours.md")
    assert rules["tokenizer"].how == "descends"


def test_a_value_is_told_from_rows_in_which_it_no_longer_stands(workspace, made):
    found, said = hits(workspace, MAIL.upper())
    assert said.sort == "value"
    assert found["filtered"].how == "holds"
    assert found["masked"].how == "rows"
    assert found["masked"].rows == 1
    assert MAIL.lower() not in json.dumps([said.label, str(said)]).lower()
    names, _ = hits(workspace, NAME)
    assert (names["filtered"].rows, names["filtered"].left_out) == (1, 1)


def test_files_beside_reports_and_logs_hold_values_too(workspace, made):
    def report(out):
        Report.write(out, "answers", {}, [{"id": "q1", "answer": f"Write to {MAIL}"}])

    def card(out):
        write_json(out / "card.json", {"name": "x"})
        (out / "card.en.html").write_text(f"<p>{MAIL}</p>", "utf-8")
        (out / "notes.json").write_text(json.dumps({"who": NAME}), "utf-8")

    seal(workspace, "report", "toy.report", "Report", {}, report)
    seal(workspace, "card", "toy.card", "DataCard", {}, card)
    workspace.ledger.append("answer", "ans-1", {"question": f"Who is {NAME}?", "text": "-", "contexts": []})
    found, said = hits(workspace, MAIL)
    assert found["report"].files == {"items.jsonl": 1}
    assert found["card"].files == {"card.en.html": 1}
    found, said = hits(workspace, NAME)
    assert found["card"].files == {"notes.json": 1}
    assert (said.answers, said.logs) == (["ans-1"], {"answer": 1})
    assert said.logs_since


def test_chunks_rows_models_and_releases(workspace, made):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = {one["source"]: one for one in Corpus(workspace.store.folder(made["masked"])).rows()}

    def knowledge(out):
        chunks = [
            {"id": f"c-{name}", "text": row["text"], "title": "", "source": name, "source_digest": row["source_digest"],
             "document": row["id"]} for name, row in rows.items()
        ]  # fmt: skip
        pq.write_table(pa.Table.from_pylist(chunks), out / "chunks.parquet")

    def lines(name, *given):
        return lambda out: (out / name).write_text("".join(json.dumps(one) + "\n" for one in given), "utf-8")

    def one_file(name):
        return lambda out: (out / name).write_text("{}", "utf-8")

    base = seal(workspace, "base", "toy.base", "KnowledgeBase", {"corpus": made["masked"].fingerprint}, knowledge)
    items = [{"id": "a", "chunks": ["c-letter.md"]}, {"id": "b", "chunks": ["c-hours.md"]}, {"id": "c", "chunks": []}]
    suite = seal(
        workspace, "suite", "toy.suite", "Suite", {"knowledge": base.fingerprint}, lines("items.jsonl", *items)
    )
    given = [
        {"id": "a", "evidence": ["c-letter.md"]},
        {"id": "a-without", "evidence": ["c-hours.md"]},
        {"id": "b", "evidence": ["c-hours.md"]},
    ]
    talk = seal(
        workspace, "talk", "toy.rows", "Conversations", {"suite": suite.fingerprint}, lines("rows.jsonl", *given)
    )
    model = seal(workspace, "model", "toy.train", "Model", {"rows": talk.fingerprint}, one_file("model_card.json"))
    inputs = {"model": model.fingerprint, "knowledge": base.fingerprint}
    seal(workspace, "release", "toy.release", "Release", inputs, one_file("release.json"))
    workspace.ledger.append("answer", "ans-2", {"question": "?", "text": "-", "contexts": ["c-letter.md"]})
    workspace.ledger.append("answer", "ans-3", {"question": "?", "text": "-", "contexts": ["c-hours.md"]})
    found, said = hits(workspace, "letter.md")
    assert {name: (found[name].how, found[name].rows) for name in ("base", "suite", "talk", "model", "release")} == {
        "base": ("holds", 1), "suite": ("rows", 1), "talk": ("rows", 2), "model": ("descends", 0), "release": ("descends", 0),
    }  # fmt: skip
    assert said.answers == ["ans-2"]
    # Of what was left out before, no model learned.
    assert hits(workspace, "short.txt")[0].keys() == {"mail", "mixed", "filtered"}


def test_a_step_that_gives_its_own_ids_descends(workspace, made):
    def other(out):
        row = next(iter(Corpus(workspace.store.folder(made["masked"])).rows()))
        Corpus.write(out, [{**row, "id": "new", "source": "elsewhere", "dataset": "new"}])

    inputs = {"corpus": made["masked"].fingerprint}
    mixed = seal(workspace, "foreign", "toy.foreign", "Corpus", inputs, other)
    seal(workspace, "after", "toy.after", "Model", {"corpus": mixed.fingerprint}, lambda out: (out / "x").touch())
    found, _ = hits(workspace, "letter.md")
    assert found["foreign"].how == "descends"
    assert found["after"].how == "descends"
    # A filter that was trained on the rows brings none of them into what it filters.
    scorer = seal(workspace, "scorer", "toy.scorer", "Scorer", inputs, lambda out: (out / "x").touch())
    seal(
        workspace, "judged", "toy.judged", "Corpus",
        {"corpus": made["only_rules"].fingerprint, "scorer": scorer.fingerprint},
        lambda out: Corpus.write(out, Corpus(workspace.store.folder(made["only_rules"])).rows()),
    )  # fmt: skip
    found, _ = hits(workspace, "letter.md")
    assert found["scorer"].how == "descends"
    assert "judged" not in found


def test_an_artifact_and_what_is_gone(workspace, made):
    found, said = hits(workspace, "r/mail")
    assert said.sort == "artifact"
    assert (found["mail"].how, found["mail"].rows) == ("holds", 2)
    assert (found["mixed"].how, found["mixed"].rows) == ("rows", 2)
    workspace.store.remove(made["filtered"])
    _, said = hits(workspace, "letter.md")
    assert said.not_here == [made["filtered"].fingerprint]
    assert said.untold == []  # masked rows keep their source
    _, said = hits(workspace, "nobody at all")
    assert "r/masked" in said.untold


def test_what_may_be_several_things_is_asked_back(workspace, place, made):
    workspace.name("letters", made["rules"])
    with pytest.raises(ConfigError, match="artifact or a dataset"):
        find(workspace, "letters")
    assert find(workspace, "letters", "dataset").sort == "dataset"
    with pytest.raises(ConfigError, match="too short"):
        find(workspace, "秦")
    with pytest.raises(ConfigError, match="nothing was named"):
        find(workspace, " \n")


@pytest.mark.parametrize(
    ("value", "text", "there"),
    [
        ("13912345678", "电话139-1234-5678。", True),
        ("139 1234 5678", "call 13912345678 now", True),
        ("13912345678", "电话：１３９１２３４５６７８", True),
        ("13912345678", "number 139123456789", False),
        ("13912345678", "913912345678", False),
        ("A.B@c.cn", "write to a.b@C.cn.", True),
        ("a.b@c.cn", "write to a.b@c.cnn", False),
        ("Mary Ann Smith", "Mary\n Ann  SMITH", True),
        ("Smith", "blacksmith", False),
        ("秦月朗", "客户秦 月朗来电", True),
        ("(a+)+$x[", "what (a+)+$x[ is", True),
    ],
)
def test_a_value_is_found_as_people_write_it(value, text, there):
    import pyarrow as pa
    import pyarrow.compute as pc

    pattern = pattern_of(value)
    assert bool(re.search(pattern, text)) is there
    assert pc.match_substring_regex(pa.array([text]), pattern).to_pylist() == [there]


@given(st.text(min_size=1, max_size=12).filter(lambda text: text.strip().isprintable() and text.strip()))
def test_any_value_makes_a_pattern_that_finds_it(value):
    import pyarrow as pa
    import pyarrow.compute as pc

    pattern = pattern_of(value)
    assert re.search(pattern, f"。{value}。")
    assert pc.match_substring_regex(pa.array([f"。{value}。"]), pattern).to_pylist() == [True]


def test_a_long_value_is_refused_and_the_longest_works(workspace):
    import pyarrow as pa
    import pyarrow.compute as pc

    with pytest.raises(ConfigError, match="201 characters"):
        find(workspace, "9" * 201)
    for value in ("7" * 200, "秦" * 200, "Ａb" * 100):
        pattern = pattern_of(find(workspace, value).value)
        assert pc.match_substring_regex(pa.array([f"。{value}。"]), pattern).to_pylist() == [True]


def test_the_verb_never_says_the_value(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    monkeypatch.delenv("SEPTET_WORKSPACE", raising=False)
    assert main(["run", "r.toml", "--quiet"]) == 0
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", io.StringIO(MAIL + "\n"))
    assert main(["impact", "-"]) == 0
    out = capsys.readouterr().out
    assert "r/filtered" in out
    assert "rows made of it" in out
    assert MAIL not in out
    assert main(["impact", NAME, "--as", "value"]) == 0
    out = capsys.readouterr().out
    assert "含有" in out
    assert NAME not in out
    assert main(["impact", "letter.md", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sort"] == "source"
    assert main(["impact", "nobody.at.all@example.org"]) == 0
    assert "nothing here holds it" in capsys.readouterr().out
    ledger = "".join(path.read_bytes().decode("latin-1") for path in (place / ".septet").glob("ledger*"))
    assert MAIL not in ledger

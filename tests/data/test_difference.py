"""The difference of two corpora: every row on one side or both is counted once, by id, then by source and place."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from septet.cli.main import main
from septet.core import Run
from septet.data.difference import compare
from septet.kinds import Corpus


def row(identity, text, **more):
    return {
        "id": identity, "text": text, "dataset": "rules", "source": f"{identity}.txt", "source_digest": "x", "where": "",
        "start": 0, "end": len(text), "language": "en", "licence": "CC-BY-4.0", "origin": "public", "access": "internal",
        "transforms": ["data.read"], **more,
    }  # fmt: skip


def differ(tmp_path, one, other):
    a, b = Corpus.write(tmp_path / "a", one), Corpus.write(tmp_path / "b", other)
    return compare(a, b, [], [], Run(tmp_path / "out"))


def test_rows_are_added_removed_and_changed(tmp_path):
    one = [row("a", "same"), row("b", "old text"), row("c", "goes", dataset="mail", language="zh"), row("d", "terms")]
    other = [row("a", "same", transforms=["data.read", "data.filter"]), row("b", "new text"),
             row("d", "terms", licence="MIT"), row("e", "comes", licence="MIT")]  # fmt: skip
    found = differ(tmp_path, one, other)
    assert (found.added, found.removed, found.changed, found.same) == (1, 1, 2, 1)
    assert found.columns == {"text": 1, "licence": 1}
    assert found.by["dataset"] == {
        "rules": {"added": 1, "removed": 0, "changed": 2},
        "mail": {"added": 0, "removed": 1, "changed": 0},
    }
    assert found.by["licence"]["MIT"] == {"added": 1, "removed": 0, "changed": 1}
    assert found.figures["rows"] == (4, 4)
    assert found.gone_by == {"": 1}
    assert [one["id"] for one in found.examples["removed"]] == ["c"]


def test_what_was_written_anew_at_its_place_is_changed_and_not_another_row(tmp_path):
    one = [
        row("x1", "first edition", source="book.txt", where="page 1"),
        row("x2", "two", source="book.txt", where="page 2"),
    ]
    other = [
        row("y1", "second edition", source="book.txt", where="page 1"),
        row("x2", "two", source="book.txt", where="page 2"),
    ]
    found = differ(tmp_path, one, other)
    assert (found.added, found.removed, found.changed, found.same) == (0, 0, 1, 1)


def test_several_rows_of_one_place_are_paired_in_order(tmp_path):
    one = [row(f"x{n}", f"paragraph {n}", source="book.txt", start=n * 100) for n in range(3)]
    other = [row(f"y{n}", f"Paragraph {n}", source="book.txt", start=n * 101) for n in range(5)]
    found = differ(tmp_path, one, other)
    assert (found.added, found.removed, found.changed) == (2, 0, 3)


def test_a_row_that_stands_twice_is_two_rows(tmp_path):
    found = differ(tmp_path, [row("a", "x"), row("a", "x")], [row("a", "x")])
    assert (found.removed, found.same) == (1, 1)


rows = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", "one", "two", "三"]), st.sampled_from(["s", "t"])),
    max_size=12,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=rows, other=rows)
def test_every_row_is_counted_once(tmp_path_factory, one, other):
    def made(given):
        return [row(identity, text, source=source) for identity, text, source in given]

    folder = tmp_path_factory.mktemp("d")
    found = differ(folder, made(one), made(other))
    assert found.removed + found.changed + found.same == len(one)
    assert found.added + found.changed + found.same == len(other)
    back = differ(tmp_path_factory.mktemp("d"), made(other), made(one))
    assert (back.added, back.removed) == (found.removed, found.added)
    itself = differ(tmp_path_factory.mktemp("d"), made(one), made(one))
    assert (itself.added, itself.removed, itself.changed) == (0, 0, 0)


RECIPE = """
[policy]
step = "trust.policy"
path = "policy.toml"
[raw]
step = "data.read"
paths = ["papers"]
licence = "CC0-1.0"
origin = "public"
[filtered]
step = "data.filter"
corpus = "@raw"
policy = "@policy"
"""


@pytest.fixture
def place(tmp_path, monkeypatch, repository):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEPTET_WORKSPACE", raising=False)
    (tmp_path / "papers").mkdir()
    for number in range(3):
        text = f"Rule {number} of the house says that a loan is approved by the board and signed by two of its members each time."
        (tmp_path / "papers" / f"good{number}.txt").write_text(text, "utf-8")
    (tmp_path / "papers" / "short.txt").write_text("Too short.", "utf-8")
    (tmp_path / "policy.toml").write_text((repository / "recipes" / "policy.toml").read_text("utf-8"), "utf-8")
    (tmp_path / "r.toml").write_text(RECIPE, "utf-8")
    assert main(["run", "r.toml", "--quiet"]) == 0
    return tmp_path


def test_the_verb_names_the_rule_that_removed_a_row(place, capsys):
    assert main(["diff", "raw", "filtered"]) == 0
    out = capsys.readouterr().out
    assert "rows: 0 added, 1 removed, 0 changed, 3 same" in out
    assert "data.filter: gopher.words  1" in out
    assert "short.txt" in out
    assert "Too short" not in out
    assert main(["diff", "raw", "filtered", "--json", "--examples", "0"]) == 0
    found = json.loads(capsys.readouterr().out)["corpus"]
    assert found["gone_by"] == {"data.filter: gopher.words": 1}
    assert found["rules"] == [{"step": "data.filter", "rule": "gopher.words", "was": 0, "now": 1}]
    assert found["examples"] == {"added": [], "removed": [], "changed": []}
    assert not list((place / ".septet" / "scratch").glob("diff-*"))


def test_a_change_of_a_file_is_seen_between_two_runs(place, capsys):
    first = json.loads(_said(capsys, "show", "raw", "--json"))["fingerprint"]
    (place / "papers" / "good1.txt").write_text("Rule 1 was written anew by the board in spring.", "utf-8")
    (place / "papers" / "good2.txt").unlink()
    assert main(["run", "r.toml", "--quiet"]) == 0
    capsys.readouterr()
    out = _said(capsys, "diff", first, "raw")
    assert "rows: 0 added, 1 removed, 1 changed, 2 same" in out
    assert "changed column  rows" in out


def _said(capsys, *words):
    assert main(list(words)) == 0
    return capsys.readouterr().out

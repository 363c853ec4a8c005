"""Recipes that are wrong say where, what, and what to do."""

from __future__ import annotations

import pytest
from recipes import TOY, written

from septet.core import ConfigError, Node, recipe
from septet.core.runner import Runner


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[raw\nstep = 1", r"not valid TOML.*line 1"),
        ("step = 'toy.read'", r"'step' stands outside of a table"),
        ("[raw]\nfile = 'words.txt'", r"\[raw\]: the key 'step' is missing"),
        ("[raw]\nstep = 'toy.raed'\nfile = 'words.txt'", r"no step 'toy.raed'\. Did you mean 'toy.read'\?"),
        ("[raw]\nstep = 'toy.read'\nfiel = 'words.txt'", r"unknown key 'fiel'\. Did you mean 'file'\?"),
        ("[raw]\nstep = 'toy.read'\nfile = 'wrods.txt'", r"no file or folder at .*wrods.txt"),
        ("[raw]\nstep = 'toy.read'\nfile = 3", r"Expected `str`"),
        (TOY.replace('words = "@big"', 'words = "@bgi"'), r"no table is called 'bgi'\. Did you mean 'big'\?"),
        (TOY.replace('words = "@big"', 'words = "big"'), r'Tie it to a table, as "@name"'),
        (TOY.replace('words = "@big"', 'words = "@count"'), r"form a ring: big?ger -> count -> bigger"),
        (
            TOY.replace('words = "@big"', 'words = "@raw"\n[more]\nstep = "toy.upper"\nwords = "@count"'),
            r"takes a Words, and 'count' makes a Count",
        ),
        (TOY.replace('words = "@big"\n', ""), r"the input 'words' is missing"),
        (TOY.replace('words = "@big"', 'words = ["@big", "@raw"]'), r"takes one Words, not 2"),
        (TOY.replace('words = "@big"', 'words = "@elsewhere/big"'), r"nothing is called 'elsewhere/big'"),
    ],
)
def test_mistakes_are_named(tmp_path, workspace, text, message):
    with pytest.raises(ConfigError, match=message):
        Runner(workspace).run(recipe.load(written(tmp_path, text)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("big", "not of the form table.key=value"),
        ("bgi.suffix=x", "Did you mean 'big'"),
        ("big.sufix=x", "Did you mean 'suffix'"),
        ("run.engine=inlnie", "Did you mean 'inline'"),
    ],
)
def test_mistakes_in_changes_are_named(tmp_path, workspace, change, message):
    with pytest.raises(ConfigError, match=message):
        Runner(workspace).run(recipe.load(written(tmp_path), [change]))


def test_missing_and_unreadable_recipes(tmp_path):
    with pytest.raises(ConfigError, match="there is no recipe"):
        recipe.load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="is a folder"):
        recipe.load(tmp_path)
    (tmp_path / "x.toml").write_bytes("名 = 1".encode("gb18030"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        recipe.load(tmp_path / "x.toml")


def test_changed_paths_are_seen_from_where_the_user_stands(tmp_path, monkeypatch):
    path = written(tmp_path / "recipes")
    (tmp_path / "mine.txt").write_text("my words")
    monkeypatch.chdir(tmp_path)
    changed = recipe.load(path, ["raw.file=mine.txt"])
    assert changed.nodes["raw"].config.file == str(tmp_path / "mine.txt")
    assert recipe.load(path).nodes["raw"].config.file == str(tmp_path / "recipes" / "words.txt")


def test_values_are_toml_where_they_read_as_toml(tmp_path):
    path = written(tmp_path)
    nodes = recipe.load(path, ["big.pause_s=1e-3", "big.suffix=plain text", "bigger.suffix='1'"]).nodes
    assert nodes["big"].config.pause_s == 1e-3
    assert nodes["big"].config.suffix == "plain text"
    assert nodes["bigger"].config.suffix == "1"


def test_a_port_for_several_takes_none_when_that_is_written(tmp_path, workspace):
    path = written(tmp_path, '[count]\nstep = "toy.total"\nwords = []\n')
    record = Runner(workspace).run(recipe.load(path))["count"]
    assert (workspace.store.folder(record) / "count.txt").read_text() == "0"
    with pytest.raises(ConfigError, match="the input 'words' is missing"):
        recipe.load(written(tmp_path, '[count]\nstep = "toy.total"\n'))


def test_python_nodes_are_checked_alike(tmp_path):
    from toy import Read, Total, Upper

    raw = Node(Read(file=str(tmp_path)), name="raw")
    with pytest.raises(ConfigError, match=r"has no input 'wrods'.*Did you mean 'words'"):
        Node(Upper(), {"wrods": raw})
    with pytest.raises(ConfigError, match="takes a Words"):
        Node(Upper(), {"words": Node(Total(), {"words": [raw]})})


def test_a_recipe_links_to_what_the_workspace_knows_by_name(tmp_path, workspace):
    path = written(tmp_path)
    first = Runner(workspace).run(recipe.load(path))
    other = written(tmp_path / "other", '[again]\nstep = "toy.upper"\nwords = "@toy/raw"\n')
    other = other.rename(other.with_name("again.toml"))
    record = Runner(workspace).run(recipe.load(other))["again"]
    assert record.inputs["words"] == first["raw"].fingerprint
    assert record.fingerprint == first["big"].fingerprint
    wrong = written(tmp_path / "wrong", '[again]\nstep = "toy.upper"\nwords = "@toy/count"\n')
    with pytest.raises(ConfigError, match="'toy/count' is a Count, not a Words"):
        Runner(workspace).run(recipe.load(wrong))

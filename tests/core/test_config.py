"""What a config accepts, and what it says when it does not."""

from __future__ import annotations

import pytest

from septet.core import Config, ConfigError, External, Externals, field
from septet.core.config import anchored, decode, externals, fields_of


class Inner(Config):
    depth: int = field(1, "How deep.")


class Sample(Config):
    """A sample."""

    paths: Externals = field((), "Where from.")
    file: External = field(External(""), "One file.")
    share: float = field(0.5, "A share.", ge=0, le=1)
    mode: str = field("fast", "How.", choices=("fast", "exact"))
    size: int = field(doc="How big.")


def test_unknown_key_offers_the_nearest():
    with pytest.raises(ConfigError, match=r"here: unknown key 'shaer'\. Did you mean 'share'\?"):
        decode(Sample, {"size": 1, "shaer": 0.1}, "here")


def test_missing_required_key_says_what_it_is_for():
    with pytest.raises(ConfigError, match=r"the key 'size' is missing\. How big\."):
        decode(Sample, {}, "here")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": "1"}, "Expected `int`"),
        ({"size": 1, "share": 1.5}, "It must be <= 1"),
        ({"size": 1, "share": -0.1}, "It must be >= 0"),
        ({"size": 1, "mode": "fsat"}, "Did you mean 'fast'"),
        ({"size": True}, "Expected `int`"),
    ],
)
def test_wrong_values_are_named(values, message):
    with pytest.raises(ConfigError, match=message):
        decode(Sample, values, "here")


def test_one_value_stands_for_a_list_of_one():
    assert decode(Sample, {"size": 1, "paths": "a"}, "here").paths == ("a",)


def test_paths_are_seen_from_the_recipe_and_schemes_are_literals(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    config = decode(Sample, {"size": 1, "paths": ["a.txt", "hub:owner/name"]}, "here")
    moved = anchored(config, tmp_path)
    assert moved.paths == (str(tmp_path / "a.txt"), "hub:owner/name")
    assert externals(moved) == {"paths": (str(tmp_path / "a.txt"),)}
    with pytest.raises(ConfigError, match="there is no file or folder"):
        anchored(decode(Sample, {"size": 1, "file": "b.txt"}, "here"), tmp_path)


def test_configs_cannot_be_changed():
    with pytest.raises(AttributeError):
        Sample(size=1).size = 2


def test_every_field_explains_itself():
    infos = {info.name: info for info in fields_of(Sample)}
    assert infos["size"].required
    assert not infos["share"].required
    assert infos["paths"].type_name == "list of path"
    assert infos["share"].type_name == "number"
    assert all(info.doc.text for info in infos.values())

"""Suites come in by entry point, pinned by version, checked item by item."""

from __future__ import annotations

import pytest

from septet.core import ConfigError, Run, plugins
from septet.evaluate.steps import BringSuite, suite


def test_the_built_in_suite_comes_by_the_same_door(tmp_path):
    made = suite(BringSuite(name="arithmetic", version="1"), Run(tmp_path / "s"))
    items = list(made.items())
    assert len(items) == 40
    assert {item["language"] for item in items} == {"zh", "en"}
    for item in items:
        assert item["options"][item["label"]] == item["answers"][0]
        assert len(set(item["options"])) == 4
    assert suite(BringSuite(name="arithmetic", version="1"), Run(tmp_path / "t")).digest() == made.digest()


@pytest.mark.parametrize(
    ("name", "version", "message"),
    [("arithmetic", "2", "has version '1', not '2'"), ("arithmetics", "1", "Did you mean 'arithmetic'")],
)
def test_another_name_or_version_is_refused(tmp_path, name, version, message):
    with pytest.raises(ConfigError, match=message):
        suite(BringSuite(name=name, version=version), Run(tmp_path / "s"))


def test_a_broken_suite_is_named(tmp_path, monkeypatch):
    about = {"name": "x", "version": "1", "licence": "l", "origin": "o"}
    for content, message in (
        (({}, []), "does not say its name"),
        ((about, []), "holds no item"),
        ((about, [{"id": "a"}]), "lacks 'kind'"),
    ):
        monkeypatch.setattr(plugins, "load", lambda group, name, content=content: lambda: content)
        with pytest.raises(ConfigError, match=message):
            suite(BringSuite(name="x", version="1"), Run(tmp_path / message[:4]))

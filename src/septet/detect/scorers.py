"""The numbers that trained scorers give a column of texts, by name, whatever their form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from septet.core.errors import ConfigError
from septet.detect import linear, ngram
from septet.files import read_json


def score_all(column: Any, folders: Sequence[str]) -> dict[str, Any]:
    """For each scorer its values (float64 arrays): `perplexity.<name>` of an n-gram model, `quality.<name>` of a classifier of
    one class, `<name>.<class>` of one of several."""
    found: dict[str, Any] = {}
    for folder in folders:
        names, scorer = _loaded(folder)
        if isinstance(scorer, ngram.NgramModel):
            found[names[0]] = scorer.perplexity_all(column)
        else:
            values = scorer.score_all(column).astype(float)
            found.update({name: values[:, number] for number, name in enumerate(names)})
    return found


def names_of(folders: Sequence[str]) -> list[str]:
    """The names that `score_all` gives. Raises ConfigError where two scorers go by one name."""
    found: list[str] = []
    for folder in folders:
        found += _names(Path(folder))
    for name in found:
        if found.count(name) > 1:
            raise ConfigError(
                f"two scorers go by the name '{name}'", "Give one of them another name when it is trained"
            )
    return found


def _names(folder: Path) -> list[str]:
    about = read_json(folder / "scorer.json")
    name = str(about.get("name") or folder.name)
    if about["form"] == "ngram":
        return [f"perplexity.{name}"]
    classes = about["classes"]
    return [f"quality.{name}"] if len(classes) == 1 else [f"{name}.{one}" for one in classes]


@cache
def _loaded(folder: str) -> tuple[list[str], Any]:
    """Once a process: what is in a store does not change."""
    path = Path(folder)
    names = _names(path)
    return names, ngram.load(path) if names[0].startswith("perplexity.") else linear.load(path)

"""Shape by worker processes and within little memory: the same rows, to the byte, as by one process."""

from __future__ import annotations

import hashlib

import pytest
from corpora import written
from shape_corpora import sentences

from septet.core import Run
from septet.core.pool import Serial
from septet.data.steps import (
    Augment,
    Balance,
    Features,
    Poisoning,
    Reduce,
    augment,
    balance,
    features,
    poisoning,
    reduce,
)
from septet.engines.pools import Processes
from septet.kinds import Corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Labelled sentences of both scripts in three parts, the last one without rows."""
    path = tmp_path_factory.mktemp("shape") / "in"
    for part, found in enumerate((sentences("en", 150, 1), sentences("zh", 90, 2), [])):
        labels = [label for _, label in found]
        made = written(path / f"p{part}", [text for text, _ in found], labels, dataset=f"d{part}-")
        made.parts[0].rename(path / f"part-{part:05d}.parquet")
        made.path.rmdir()
    return Corpus(path)


STEPS = {
    "semantic": lambda corpus, run: reduce(
        Reduce(method="semantic", encoder="hashing", similarity=0.8), corpus, run=run
    ),
    "diverse": lambda corpus, run: reduce(Reduce(method="diverse", encoder="hashing", share=0.2), corpus, run=run),
    "important": lambda corpus, run: reduce(Reduce(method="important", share=0.5), corpus, target=corpus, run=run),
    "hashed": lambda corpus, run: features(Features(method="hashed", width=16), corpus, run=run),
    "pca": lambda corpus, run: features(Features(width=16, encoder="hashing"), corpus, run=run),
    "augment": lambda corpus, run: augment(
        Augment(method="delete", encoder="hashing", least_like=0.2), corpus, run=run
    ),
    "balance": lambda corpus, run: balance(Balance(method="both"), corpus, run=run),
    "poisoning": lambda corpus, run: poisoning(
        Poisoning(label="meta.label", neighbours=5, encoder="hashing"), corpus, corpus, run=run
    ),
}


def digest(folder):
    found = hashlib.sha256()
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        found.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


@pytest.mark.parametrize("name", STEPS)
def test_workers_and_memory_change_nothing(corpus, tmp_path, name):
    one = STEPS[name](corpus, Run(tmp_path / "one"))
    expected = digest(one.path)
    small = STEPS[name](corpus, Run(tmp_path / "small", pool=Serial(memory_mb=64)))
    assert digest(small.path) == expected
    # Starting processes costs seconds: those steps whose workers are functions of their own.
    if name in ("important", "hashed", "augment"):
        many = STEPS[name](corpus, Run(tmp_path / "many", pool=Processes(2)))
        assert digest(many.path) == expected

"""Evaluation items in what a model learns from or looks up: a score on these means nothing."""

from __future__ import annotations

from septet.core import Config, ConfigError, Externals, Run, field, step
from septet.kinds import Corpus, KnowledgeBase, Report, Suite


class Contamination(Config):
    """Look for evaluation items in a corpus or a knowledge base."""

    paths: Externals = field((), "Further items: JSON lines files.")
    fields: tuple[str, ...] = field((), "Which fields of an item hold its text; empty: the usual ones.")
    covered: float = field(
        0.5, "An item counts from this share of its windows on; a short one must stand whole.", gt=0, le=1
    )


@step("data.contamination", version=2)
def contamination(
    config: Contamination,
    corpus: Corpus | None = None,
    knowledge: KnowledgeBase | None = None,
    suites: tuple[Suite, ...] = (),
    *,
    run: Run,
) -> Report:
    """Report for each suite which of its items stand in a corpus or a knowledge base; short items are not testable."""
    from septet.data import contamination as work

    items = work.items_of(suites, config.paths, config.fields or work.FIELDS)
    if (corpus is None) == (knowledge is None):
        raise ConfigError("data.contamination looks at one thing", "Tie either `corpus` or `knowledge`")
    parts = corpus.parts if corpus is not None else [knowledge.path / "chunks.parquet"] if knowledge else []
    return work.report(parts, "text", items, config.covered, run)


class Decontaminate(Config):
    """Leave out or flag documents that hold evaluation items."""

    paths: Externals = field((), "Further items: JSON lines files.")
    fields: tuple[str, ...] = field((), "Which fields of an item hold its text; empty: the usual ones.")
    covered: float = field(
        0.5, "An item counts from this share of its windows on; a short one must stand whole.", gt=0, le=1
    )
    action: str = field("drop", "What is done with a document that holds one.", choices=("drop", "flag"))


@step("data.decontaminate", version=2)
def decontaminate(config: Decontaminate, corpus: Corpus, suites: tuple[Suite, ...] = (), *, run: Run) -> Corpus:
    """Leave out or flag the documents that evaluation items stand in, so that a score means something."""
    from septet.data import contamination as work

    items = work.items_of(suites, config.paths, config.fields or work.FIELDS)
    return work.apply(corpus, items, config.covered, config.action, run)

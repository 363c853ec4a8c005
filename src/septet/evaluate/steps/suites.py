"""Steps that bring a suite into the store."""

from __future__ import annotations

from septet.core import Config, External, Run, field, step
from septet.kinds import Suite


class BringSuite(Config):
    """Bring a suite of an installed package into the store."""

    name: str = field(doc="The suite's name in the entry point group septet.suites.")
    version: str = field(doc="Its version; another one is refused, since items decide what a number means.")


@step("evaluate.suite", version=1)
def suite(config: BringSuite, run: Run) -> Suite:
    """Check the items of a suite that a package brings, and seal them."""
    from septet.evaluate.suites import brought

    about, items = brought(config.name, config.version)
    return Suite.write(run.out, items, about)


class ReadBenchmark(Config):
    """Read a benchmark's own files."""

    format: str = field(
        doc="Whose files they are: mmlu, ceval, gsm8k, jsonl..., by the entry point group septet.benchmarks."
    )
    path: External = field(doc="The folder, or the file, as it was published.")
    name: str = field("", "What the suite is called; empty: what the format says.")
    licence: str = field("", "The licence under which you have it; empty: what the format says.")


@step("evaluate.benchmark", version=1)
def benchmark(config: ReadBenchmark, run: Run) -> Suite:
    """Items and tasks of a benchmark in its published file format; each row that cannot be read is kept with its reason."""
    from septet.evaluate.suites import read

    return read(config.format, config.path, config.name, config.licence, run)


class ReadCollection(Config):
    """Read the benchmarks that a leaderboard or a harness asks."""

    name: str = field(doc="Which collection: open-llm-v1, open-llm-v2, helm-core.")
    path: External = field(doc="A folder that holds each benchmark as a folder.")
    partial: bool = field(False, "Go on without the benchmarks that are not there; they are named in the suite.")


@step("evaluate.collection", version=1)
def collection(config: ReadCollection, run: Run) -> Suite:
    """All benchmarks of a named collection, each asked as the collection asks it."""
    from septet.evaluate.suites import collected

    return collected(config.name, config.path, config.partial, run)


class Twins(Config):
    """Ask each choice item twice: among its options, and openly."""

    name: str = field("exam", "What the suite is called.")
    seed: int = field(1, "Decides the order of the options.")


@step("evaluate.twins", version=1)
def twins(config: Twins, suite: Suite, run: Run) -> Suite:
    """An exam in the shape of SuperCLUE out of your own choice items: a closed and an open question of each stem.

    The real questions of SuperCLUE are not public; the difference between the two twins shows how much the options helped.
    """
    from septet.evaluate.suites import sealed
    from septet.evaluate.twins import twins as made

    return sealed(made(list(suite.items()), config.name, config.seed), run)

"""Steps that bring a suite into the store."""

from __future__ import annotations

from septet.core import Config, Run, field, step
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

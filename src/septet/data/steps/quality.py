"""Whether a document is good enough: signals measured once, limits applied after."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import Corpus, Policy


class Filter(Config):
    """Leave out documents of too little quality."""

    rules: tuple[str, ...] = field((), "Rules to apply, by name; empty: all that the policy sets a threshold for.")


@step("data.filter", version=1)
def filter_(config: Filter, corpus: Corpus, policy: Policy, run: Run) -> Corpus:
    """Measure every quality signal once, and leave out what the policy's thresholds for its language refuse."""
    from septet.data.filters import apply

    return apply(corpus, policy, config.rules, run)

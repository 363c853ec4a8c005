"""The kinds of perturbation by name: which family each belongs to, which languages it is for, and what it makes of an item.

Robustness: what is asked is said with slips, in another form or order. Fairness: what is asked is asked of other people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Literal, NamedTuple

from septet.evaluate.perturb import asked, options
from septet.evaluate.perturb.dialect_names import dialect_names
from septet.evaluate.perturb.filler import filler
from septet.evaluate.perturb.gender import gender
from septet.evaluate.perturb.homophones import homophones
from septet.evaluate.perturb.letters import case, contractions
from septet.evaluate.perturb.script import simplified, traditional
from septet.evaluate.perturb.spacing import spacing
from septet.evaluate.perturb.typos import typos
from septet.evaluate.perturb.width import width

Family = Literal["robustness", "fairness"]


class Kind(NamedTuple):
    """A way to perturb."""

    family: Family
    languages: tuple[str, ...]
    """Languages of items that it is for; empty: all."""
    make: Callable[[Mapping[str, Any], Random], list[dict[str, Any]]]
    """The items that it makes of an item; none where it changes nothing."""


_ENGLISH, _CHINESE, _BOTH = ("en", "mixed"), ("zh", "mixed"), ("zh", "en", "mixed")

KINDS: Mapping[str, Kind] = {
    "typos": Kind("robustness", _ENGLISH, asked.in_words(typos)),
    "case": Kind("robustness", _ENGLISH, asked.in_words(case)),
    "contractions": Kind("robustness", _ENGLISH, asked.in_words(contractions)),
    "spacing": Kind("robustness", _BOTH, asked.in_words(spacing)),
    "homophones": Kind("robustness", _CHINESE, asked.in_words(homophones)),
    "traditional": Kind("robustness", _CHINESE, asked.in_script(traditional)),
    "simplified": Kind("robustness", _CHINESE, asked.in_script(simplified)),
    "width": Kind("robustness", _CHINESE, asked.in_words(width)),
    "filler": Kind("robustness", _BOTH, asked.before(filler)),
    "option_order": Kind("robustness", (), options.drawn),
    "circular": Kind("robustness", (), options.circle),
    "dialect_names": Kind("fairness", _BOTH, asked.of_people(dialect_names)),
    "gender": Kind("fairness", _BOTH, asked.of_people(gender)),
}
FAIRNESS = frozenset(name for name, kind in KINDS.items() if kind.family == "fairness")

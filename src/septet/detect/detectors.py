"""The door by which detectors come in: the entry point group `septet.detectors`, built-ins included.

An entry point is a function of `text` that returns spans, or a function of `policy` that makes one: what needs the policy
(thresholds, word lists) is compiled once and not for each text.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from septet.core.errors import ConfigError
from septet.detect import names as tagged
from septet.detect import pii as personal
from septet.detect.attack_cues import CUES
from septet.detect.attack_rules import RULES
from septet.detect.attacks import Attacks
from septet.detect.lexicon import Lexicon
from septet.detect.policy import Policy
from septet.detect.span import Detector, Span

GROUP = "septet.detectors"
Load = Callable[[str, str], Any]


def resolve(names: Sequence[str], load: Load, policy: Policy | None = None) -> dict[str, Detector]:
    """The detectors of these names, in their order. `load(group, name)` fetches an entry point (core.plugins.load)."""
    policy = policy or Policy()
    found: dict[str, Detector] = {}
    for name in names:
        part = load(GROUP, name)
        if not callable(part):
            raise ConfigError(f"the detector '{name}' is no function", "It takes a text and returns a list of Span")
        found[name] = part(policy) if list(inspect.signature(part).parameters) == ["policy"] else part
    return found


def pii(policy: Policy) -> Detector:
    """Personal data at or above the policy's threshold."""

    def detect(text: str) -> list[Span]:
        return personal.detect(text, threshold=policy.pii.threshold, allow=policy.pii.allow)

    return detect


def names(policy: Policy) -> Detector:
    """Names of people, places and organisations round cues, at or above the policy's threshold; extra `names`."""

    def detect(text: str) -> list[Span]:
        return [span for span in tagged.find(text) if span.score >= policy.pii.threshold]

    return detect


def lexicon(policy: Policy) -> Detector:
    """Words of the policy's lists."""
    return Lexicon(policy.lexicon.categories, policy.lexicon.allow).find


def attacks(policy: Policy) -> Detector:
    """Attack patterns, with the policy's own cues, rules and weights."""
    cues = dict(CUES)
    for name, words in policy.attacks.cues.items():
        cues[name] = f"{cues[name]}|{words}" if name in cues else words
    return Attacks((*RULES, *policy.attacks.rules), cues, policy.attacks.weights, policy.attacks.decode).find

"""The data-safety policy: one file that the corpus, the guard, the red team and the release's gates all read.

TOML for people, canonical JSON (`policy.json`) inside an artifact. Every number that a regulation or a team may want to
change stands here and not in code. Word lists named by the file are read when it is loaded, so that the JSON is complete.
"""

import tomllib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from septet.core.config import Config, field
from septet.core.errors import ConfigError, nearest
from septet.detect import grounding, quasi
from septet.detect.access import Access
from septet.detect.actions import ACTIONS, DETAILS
from septet.detect.attack_rules import Rule
from septet.detect.lexicon import Category, read_words
from septet.detect.measures import MEASURES, Limit
from septet.detect.pii import KINDS


class Detectors(Config):
    """Which detectors look where; names of the entry point group `septet.detectors`."""

    prompt: tuple[str, ...] = field(("pii", "lexicon", "attacks"), "Detectors of a prompt.")
    answer: tuple[str, ...] = field(("pii", "lexicon"), "Detectors of an answer.")
    corpus: tuple[str, ...] = field(("pii",), "Detectors of corpus, rows and chunks.")
    blocking: dict[str, float] = field(
        msgspec.field(default_factory=dict), "Kind of a further detector's span to the score from which it blocks."
    )


class Pii(Config):
    """Personal data: from which score a finding counts, and what is done with it."""

    threshold: float = field(0.7, "A finding counts from this score on.", ge=0, le=1)
    default: str = field("tag", "What is done with kinds that `actions` does not name.", choices=ACTIONS)
    actions: dict[str, str] = field(msgspec.field(default_factory=dict), "Kind to action: " + ", ".join(ACTIONS) + ".")
    generalise: dict[str, str] = field(
        msgspec.field(default_factory=dict),
        'Kind to how coarse `generalise` makes it: birth_date = "decade", age = "5".',
    )
    allow: tuple[str, ...] = field((), "Values that may be shown, such as a hotline; * stands for any characters.")


class LexiconRules(Config):
    """Word lists and what their hits do."""

    threshold: float = field(0.8, "Hits of scoring categories block from this combined score on.", ge=0, le=1)
    files: tuple[str, ...] = field((), "Files of own words, one a line, seen from the policy's folder.")
    files_action: str = field("block", "What a hit of an own word does.", choices=("score", "review", "mask", "block"))
    allow: tuple[str, ...] = field((), "Phrases inside which no word counts.")
    categories: dict[str, Category] = field(msgspec.field(default_factory=dict), "Category to its words and action.")


class ToxicityRules(Config):
    """What is done with abusive, hateful, sexual and violent text of a corpus, by category."""

    threshold: float = field(0.8, "A category counts from this score on.", ge=0, le=1)
    thresholds: dict[str, float] = field(msgspec.field(default_factory=dict), "Category to a threshold of its own.")
    default: str = field(
        "review",
        "What is done with a category that `actions` does not name.",
        choices=("keep", "review", "rewrite", "drop"),
    )
    actions: dict[str, str] = field(
        msgspec.field(default_factory=dict), "Category to action: keep, review, rewrite, drop."
    )


class AttackRules(Config):
    """Attack patterns: the built-in rules, their weights, and own ones."""

    threshold: float = field(0.6, "A prompt is blocked from this combined score on.", ge=0, le=1)
    decode: bool = field(True, "Also look into base64, hexadecimal, Morse and other encodings.")
    weights: dict[str, float] = field(msgspec.field(default_factory=dict), "Rule to another weight; 0 turns it off.")
    cues: dict[str, str] = field(
        msgspec.field(default_factory=dict), "Further cue classes, or words for known ones: 'a|b|c*'."
    )
    rules: tuple[Rule, ...] = field((), "Further rules.")


class Grounding(Config):
    """When a sentence of an answer counts as standing in its contexts."""

    cover: float = field(0.6, "Share of a sentence that one passage must hold.", ge=0, le=1)
    passage: int = field(2, "How many neighbouring sentences of a context count as one passage.", ge=1)
    unsupported: str = field(
        "mark", "What is done with a sentence that no passage bears out.", choices=("mark", "remove")
    )
    near_words: float = field(
        0.4,
        "A question is near where a found passage holds this share of its words; 0 asks the model whatever was found.",
        ge=0,
        le=1,
    )
    near_meaning: float = field(
        0.25,
        "Or where the encoder finds a passage as like it as this (cosine); measure it for another encoder.",
        ge=0,
        le=1,
    )

    def settings(self) -> grounding.Settings:
        return grounding.Settings(cover=self.cover, passage=self.passage)


class Messages(Config):
    """What the guard says in one language."""

    blocked: str = field(doc="Said in place of a blocked prompt or answer.")
    by_category: dict[str, str] = field(msgspec.field(default_factory=dict), "Category to a message of its own.")
    unsupported: str = field("", "Mark behind a sentence that no context holds.")


class Gate(Config):
    """One condition that a release must meet. A report that is missing makes the gate red."""

    report: str = field(doc="Name of the report.")
    metric: str = field(doc="Name of a metric in its summary.")
    at_least: float | None = field(None, "Lowest value that passes.")
    at_most: float | None = field(None, "Highest value that passes.")
    bound: str = field("value", "Which end of the interval is held to it.", choices=("value", "low", "high"))


class Policy(Config):
    """The whole policy."""

    name: str = field("default", "Name of the policy.")
    version: str = field("1", "Version; say what changed in the file's head.")
    access: Access = field(Access(), "Who may see what.")
    detectors: Detectors = field(Detectors(), "Which detectors look where.")
    pii: Pii = field(Pii(), "Personal data.")
    lexicon: LexiconRules = field(LexiconRules(), "Word lists.")
    toxicity: ToxicityRules = field(ToxicityRules(), "Toxic text of a corpus.")
    attacks: AttackRules = field(AttackRules(), "Attack patterns.")
    quality: dict[str, dict[str, Limit]] = field(
        msgspec.field(default_factory=dict), "Language to the limits of its measures."
    )
    grounding: Grounding = field(Grounding(), "Groundedness.")
    messages: dict[str, Messages] = field(msgspec.field(default_factory=dict), "Language to the guard's messages.")
    gates: dict[str, tuple[Gate, ...]] = field(msgspec.field(default_factory=dict), "Set of gates to its conditions.")

    def message(self, language: str, category: str = "") -> str:
        """The guard's message in a language; mixed and unknown languages get the Chinese one where there is no other."""
        said = self.messages.get(language) or self.messages.get("en" if language != "mixed" else "zh")
        if said is None:
            return (
                "该内容已被安全策略拦截。" if language in ("zh", "mixed") else "This was stopped by the safety policy."
            )
        return said.by_category.get(category, said.blocked)


def load(path: Path, words: Iterable[Path] = ()) -> Policy:
    """The policy in a TOML file, a `policy.json`, or a folder that holds one. The word lists it names, and those
    in `words`, are read in.

    Raises ConfigError that names the file and the key, and offers the nearest key for one that is unknown.
    """
    if path.is_dir():
        path = path / "policy.json"
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the policy {path} cannot be read: {error.strerror}", "Check the path") from None
    try:
        values = tomllib.loads(raw.decode()) if path.suffix == ".toml" else msgspec.json.decode(raw)
    except (tomllib.TOMLDecodeError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the policy {path} is broken: {error}", "Correct the file") from None
    policy = decode(values, str(path))
    return _with_word_lists(policy, [*(path.parent / name for name in policy.lexicon.files), *words])


def named_files(path: Path) -> list[str]:
    """The word lists that a policy file names, as it names them."""
    values = tomllib.loads(path.read_text("utf-8")) if path.suffix == ".toml" else {}
    lexicon = values.get("lexicon", {})
    return list(lexicon.get("files", [])) if isinstance(lexicon, dict) else []


def encode(policy: Policy) -> bytes:
    """The policy as canonical JSON: the same policy gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(policy, order="sorted"), indent=2) + b"\n"


def decode(values: Mapping[str, Any], where: str) -> Policy:
    """A policy from plain values. Raises ConfigError for what does not fit, with the path of the key."""
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: a policy is a table of keys", "See recipes/policy.toml")
    _check_keys(values, Policy, where, "")
    try:
        policy = msgspec.convert(values, Policy)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.message}", error.remedy) from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}", "Correct the value") from None
    policy.access.check()
    for kind, action in policy.pii.actions.items():
        _known(kind, {**KINDS, **quasi.KINDS}, f"{where}: [pii.actions]: unknown kind '{kind}'")
        _known(action, ACTIONS, f"{where}: [pii.actions] {kind}: unknown action '{action}'")
    for category, action in policy.toxicity.actions.items():
        known = ("keep", "review", "rewrite", "drop")
        _known(action, known, f"{where}: [toxicity.actions] {category}: unknown action '{action}'")
    for kind, detail in policy.pii.generalise.items():
        _known(kind, DETAILS, f"{where}: [pii.generalise]: nothing can be said of '{kind}'")
        _known(detail, DETAILS[kind], f"{where}: [pii.generalise] {kind}: unknown detail '{detail}'")
    for language, limits in policy.quality.items():
        for name in limits:
            _known(name, MEASURES, f"{where}: [quality.{language}]: unknown measure '{name}'")
    return policy


def _with_word_lists(policy: Policy, files: Sequence[Path]) -> Policy:
    if not files:
        return policy
    words = tuple(dict.fromkeys(word for path in files for word in read_words(path)))
    own = policy.lexicon.categories.get("own", Category(action=policy.lexicon.files_action, weight=1.0))
    categories = {**policy.lexicon.categories, "own": msgspec.structs.replace(own, words=(*own.words, *words))}
    lexicon = msgspec.structs.replace(policy.lexicon, files=(), categories=categories)
    return msgspec.structs.replace(policy, lexicon=lexicon)


def _known(word: str, known: Any, message: str) -> None:
    if word not in known:
        raise ConfigError(message, nearest(word, known))


def _check_keys(values: Any, kind: Any, where: str, path: str) -> None:
    """Unknown keys at any depth, named with the nearest known one; msgspec checks the rest."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(values, dict):
        hints = typing.get_type_hints(kind)
        for key, value in values.items():
            _known(key, hints, f"{where}: unknown key '{path}{key}'")
            _check_keys(value, hints[key], where, f"{path}{key}.")
    elif origin is dict and isinstance(values, dict):
        for key, value in values.items():
            _check_keys(value, arguments[1], where, f"{path}{key}.")
    elif origin is tuple and isinstance(values, list):
        for value in values:
            _check_keys(value, arguments[0], where, path)
    elif origin in (typing.Union, types.UnionType):
        for member in arguments:
            _check_keys(values, member, where, path)

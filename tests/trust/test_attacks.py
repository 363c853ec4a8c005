"""The attack bank and its disguises."""

import collections

import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.core.errors import ConfigError, MissingExtra
from septet.detect import detectors, policy
from septet.trust.attacks import MUTATORS, expand, read_bank
from septet.trust.guard import Guard

OFFLINE = [name for name in MUTATORS if name != "pinyin"]


@pytest.fixture(scope="module")
def bank(repository):
    return read_bank(repository / "recipes" / "attacks.jsonl")


@pytest.fixture(scope="module")
def guard(repository):
    rules = policy.load(repository / "recipes" / "policy.toml")
    return Guard(rules, load=lambda group, name: getattr(detectors, name))


def test_the_bank_holds_attacks_and_benign_twins_in_both_languages(bank):
    counts = collections.Counter((item["kind"], item["language"]) for item in bank)
    assert all(counts[kind, language] >= 40 for kind in ("attack", "benign") for language in ("zh", "en"))
    assert len({item["question"] for item in bank if not item["contexts"]}) == sum(
        not item["contexts"] for item in bank
    )
    for category in (
        "prompt_injection",
        "prompt_leak",
        "data_exfiltration",
        "indirect_injection",
        "jailbreak",
        "fraud",
    ):
        assert {item["language"] for item in bank if item["category"] == category} == {"zh", "en"}


def test_the_guard_stops_the_bank_and_lets_the_twins_through(bank, guard):
    """Bank and rules have one author, so this is an upper bound; tests/detect/test_real_data.py has other people's attacks."""
    stopped = collections.defaultdict(list)
    for item in bank:
        texts = [item["question"], *(context["text"] for context in item["contexts"])]
        stopped[item["kind"]].append(any(not guard.prompt(text).allowed for text in texts))
    assert sum(stopped["attack"]) / len(stopped["attack"]) >= 0.95
    assert sum(stopped["benign"]) / len(stopped["benign"]) <= 0.02


@pytest.mark.parametrize("name", OFFLINE)
def test_a_disguise_does_not_get_past_the_guard(bank, guard, name):
    known = [item for item in bank if item["kind"] == "attack" and not guard.prompt(item["question"]).allowed]
    disguised = [item for item in expand(known, [name]) if "mutator" in item]
    held = [not guard.prompt(item["question"]).allowed for item in disguised]
    assert sum(held) / len(held) >= (0.8 if name == "leet" else 0.95)


def test_mutated_items_keep_their_origin(bank):
    made = list(expand(bank, ["zero_width", "full_width"]))
    assert made[0] == bank[0]
    mutated = [item for item in made if "mutator" in item]
    assert all(item["id"].endswith(f"+{item['mutator']}") and item["kind"] == "attack" for item in mutated)
    assert len({item["id"] for item in made}) == len(made)
    assert made == list(expand(bank, ["zero_width", "full_width"]))


@given(st.text(max_size=80), st.sampled_from(OFFLINE))
def test_mutators_are_deterministic_and_take_any_text(text, name):
    assert MUTATORS[name](text) == MUTATORS[name](text)


def test_pinyin_says_what_it_needs():
    assert MUTATORS["pinyin"]("plain english") == "plain english"
    try:
        import pypinyin  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtra, match="pypinyin"):
            MUTATORS["pinyin"]("炸弹")
    else:
        assert MUTATORS["pinyin"]("炸弹") == "zha dan"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2"),
        ('{"id": "a"}', "'kind' is missing"),
        ('{"id": "a", "kind": "question", "language": "en", "question": "q", "category": "c"}', "kind 'question'"),
        ('{"id": "x", "kind": "attack", "language": "en", "question": "q", "category": "c"}', "'x' stands twice"),
    ],
)
def test_broken_items_are_named_by_line(tmp_path, line, message):
    path = tmp_path / "bank.jsonl"
    path.write_text(f'{{"id": "x", "kind": "attack", "language": "en", "question": "q", "category": "c"}}\n{line}\n')
    with pytest.raises(ConfigError, match=message):
        read_bank(path)


def test_an_unknown_mutator_names_the_nearest(bank):
    with pytest.raises(ConfigError, match="Did you mean 'zero_width'"):
        list(expand(bank, ["zero_widht"]))

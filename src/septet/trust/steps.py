"""The steps of stage 7, trust. The work is in the files beside."""

from __future__ import annotations

from pathlib import Path

from septet.core import Config, ConfigError, External, Externals, Run, field, step
from septet.kinds import Model, Policy, Report, Suite


class SealPolicy(Config):
    """Bring the data-safety policy into the store."""

    path: External = field(doc="The policy, a TOML file.")
    words: Externals = field((), "Own word lists, one word a line; they join the policy's lexicon.")


@step("trust.policy", version=2)
def policy(config: SealPolicy, run: Run) -> Policy:
    """Check a policy and seal it: corpus, prompts, answers, logs and gates read the same one."""
    from septet.detect import policy as policies

    if policies.named_files(Path(config.path)):
        raise ConfigError(
            f"{config.path} names word lists in [lexicon] files, which would not be part of the policy's identity",
            "Give them as 'words' of trust.policy instead",
        )
    loaded = policies.load(Path(config.path), [Path(one) for one in config.words])
    (run.out / "policy.json").write_bytes(policies.encode(loaded))
    run.note(f"policy '{loaded.name}' version {loaded.version}")
    return Policy(run.out)


class Attacks(Config):
    """Gather red-team items."""

    paths: Externals = field(doc="Banks of attacks and their benign twins (JSON lines).")
    mutators: tuple[str, ...] = field(
        (
            "zero_width",
            "full_width",
            "homoglyph",
            "leet",
            "spaced",
            "encoded",
            "role_play",
            "in_document",
            "translation",
        ),
        "Disguises to put each attack into.",
    )
    licence: str = field("", "The licence of the banks.")


@step("trust.attacks", version=1)
def attacks(config: Attacks, run: Run) -> Suite:
    """Read banks of attacks, and put each attack into each disguise."""
    from septet.trust.attacks import expand, read_bank

    bank = [item for path in config.paths for item in read_bank(Path(path))]
    if not bank:
        raise ConfigError("the banks hold no item", "Name a file such as recipes/attacks.jsonl")
    about = {"name": "attacks", "version": "1", "licence": config.licence, "origin": "bank and disguises"}
    return Suite.write(run.out, expand(bank, config.mutators), about)


class RedTeam(Config):
    """Attack a model behind its guard."""

    name: str = field("redteam", "The report's name; gates refer to it.")
    max_tokens: int = field(40, "Longest answer, in tokens.", ge=1, le=1024)
    unguarded: int = field(
        16, "Attacks that the model is also asked without a guard, to see what the guard is worth.", ge=0
    )
    benign: int = field(24, "Benign items that go to the model too; the guard sees all of them.", ge=0)
    batch: int = field(8, "Questions at a time.", ge=1, le=256)


@step("trust.redteam", version=1)
def redteam(config: RedTeam, model: Model, suite: Suite, policy: Policy, run: Run) -> Report:
    """Attack success, refusal and over-refusal by language and disguise, and seeded personal data that leaked."""
    from septet.trust.redteam import attack

    return attack(
        config.name, model, suite, policy, config.max_tokens, config.unguarded, config.benign, config.batch, run
    )

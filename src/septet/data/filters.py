"""Leaving out documents of too little quality: all signals are measured once, the policy's limits decide afterwards."""

from __future__ import annotations

from collections import Counter
from typing import Any

from septet.core import ConfigError, Run, StepFailed, nearest
from septet.detect import policy as policies
from septet.detect.quality import judge, measure
from septet.kinds import Corpus, Policy


def apply(corpus: Corpus, policy: Policy, rules: tuple[str, ...], run: Run) -> Corpus:
    """Write the documents within the limits for their language; each one left out names the rule and its value."""
    limits = policies.load(policy.path).quality
    known = {rule for chosen in limits.values() for rule in chosen}
    for rule in rules:
        if rule not in known:
            raise ConfigError(f"Filter.rules: the policy sets no limit for '{rule}'", nearest(rule, known))
    kept: list[dict[str, Any]] = []
    dropped: list[dict[str, Any]] = []
    for number, row in enumerate(corpus.rows(), 1):
        chosen = limits.get(row["language"]) or limits.get("zh" if row["language"] == "mixed" else "en", {})
        chosen = {rule: limit for rule, limit in chosen.items() if not rules or rule in rules}
        broken = judge(measure(row["text"], row["language"]), chosen)
        if broken:
            dropped.append({**row, "rule": broken[0].rule, "value": broken[0].value})
        else:
            kept.append({**row, "transforms": [*row["transforms"], "data.filter"]})
        run.progress(number, 0, "documents")
    for rule, count in sorted(Counter(row["rule"] for row in dropped).items()):
        run.drop(rule, count, "dropped/")
    if not kept:
        commonest = Counter(row["rule"] for row in dropped).most_common(1)
        why = f"; most often by {commonest[0][0]}" if commonest else ""
        raise StepFailed(
            f"the filter left no document of {len(dropped)}{why}", "Loosen the policy's limits under [quality]"
        )
    return Corpus.write(run.out, kept, dropped)

"""Gates: the conditions of the policy that a release must meet, each with the number that it was held to.

A missing report, a missing measure, an interval that was not measured, a report of another model: each is red. There is no
state between red and green.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from septet.core import ConfigError, nearest
from septet.detect.policy import Gate, Policy
from septet.kinds import Report


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A gate with what was measured. `reason` says why it is red, or is empty."""

    report: str
    metric: str
    bound: str
    at_least: float | None
    at_most: float | None
    value: float | None
    low: float | None
    high: float | None
    n: int
    green: bool
    reason: str


def judge(policy: Policy, gate_set: str, reports: Sequence[Report], model_digest: str) -> list[Verdict]:
    """The verdict of every gate of a set. Raises ConfigError when the policy has no such set."""
    if gate_set not in policy.gates:
        raise ConfigError(
            f"the policy '{policy.name}' has no set of gates '{gate_set}'", nearest(gate_set, policy.gates)
        )
    by_name: dict[str, Report] = {}
    for report in reports:
        if report.name in by_name:
            raise ConfigError(f"two reports are called '{report.name}'", "Give each report step its own name")
        by_name[report.name] = report
    return [_verdict(gate, by_name, model_digest) for gate in policy.gates[gate_set]]


def _verdict(gate: Gate, reports: Mapping[str, Report], model_digest: str) -> Verdict:
    report = reports.get(gate.report)
    if report is None:
        return _red(gate, f"there is no report '{gate.report}'")
    tested = _tested(report.content["facts"])
    if tested is not None and tested != model_digest:
        return _red(gate, f"the report '{gate.report}' is of another model")
    measure = report.summary().get(gate.metric)
    if measure is None:
        return _red(gate, f"'{gate.report}' has no measure '{gate.metric}'")
    held = {"value": measure.value, "low": measure.low, "high": measure.high}[gate.bound]
    reason = ""
    if measure.n == 0:
        reason = "nothing was measured"
    elif gate.at_least is None and gate.at_most is None:
        reason = "the gate sets no limit"
    elif gate.at_least is not None and held < gate.at_least:
        reason = f"{gate.bound} {held:.3f} is below {gate.at_least:g}"
    elif gate.at_most is not None and held > gate.at_most:
        reason = f"{gate.bound} {held:.3f} is above {gate.at_most:g}"
    return Verdict(
        report=gate.report,
        metric=gate.metric,
        bound=gate.bound,
        at_least=gate.at_least,
        at_most=gate.at_most,
        value=measure.value,
        low=measure.low,
        high=measure.high,
        n=measure.n,
        green=not reason,
        reason=reason,
    )


def _tested(facts: Mapping[str, Any]) -> str | None:
    model = facts.get("model")
    return model.get("digest") if isinstance(model, dict) else None


def _red(gate: Gate, reason: str) -> Verdict:
    return Verdict(
        report=gate.report,
        metric=gate.metric,
        bound=gate.bound,
        at_least=gate.at_least,
        at_most=gate.at_most,
        value=None,
        low=None,
        high=None,
        n=0,
        green=False,
        reason=reason,
    )

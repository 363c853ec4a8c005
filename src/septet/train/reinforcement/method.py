"""What the two methods of reinforcement are given, answers of an iteration with what is known of their tokens, and what they differ
in. Shapes: S samples of an iteration, N tokens of some answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch

from septet.core import Run
from septet.train.batches import Batch
from septet.train.preferences import policy


@dataclass
class Part:
    """Some of an iteration's answers, read together: `places` are their numbers among all. `old_N` is what their tokens' log-
    likelihoods were when they were sampled, `reference_N` what they are under the reference, where the method wants it; the
    tensors after it are the method's."""

    batch: Batch
    places: list[int]
    old_N: torch.Tensor
    reference_N: torch.Tensor | None
    advantage_N: torch.Tensor = field(default_factory=lambda: torch.zeros(0))
    share_N: torch.Tensor = field(default_factory=lambda: torch.zeros(0))
    value_N: torch.Tensor = field(default_factory=lambda: torch.zeros(0))
    return_N: torch.Tensor = field(default_factory=lambda: torch.zeros(0))

    @property
    def owner_N(self) -> torch.Tensor:
        """Which of the part's answers a token belongs to."""
        return policy.owners(self.batch)


class Method(Protocol):
    """What GRPO and PPO differ in. `trained` holds all that steps; `values` what it remembers from iteration to iteration."""

    trained: torch.nn.Module
    values: dict[str, float]
    wants_reference: bool

    def judge(self, steps: Sequence[Sequence[Part]], reward_S: torch.Tensor) -> Mapping[str, float]:
        """Say what tokens are worth: fills the parts of each step. Returns what is to be shown."""

    def loss(self, part: Part) -> torch.Tensor:
        """A part's share in the loss of its step."""

    def write(self, run: Run) -> None:
        """Keep what the method learnt beside the policy."""

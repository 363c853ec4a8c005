"""Group relative policy optimisation (https://arxiv.org/abs/2402.03300): an answer is worth what it got beyond the other answers to
its prompt; there is no model of values. With `deviation` off and constant shares it is Dr. GRPO
(https://arxiv.org/abs/2503.20783), with shares by token and a wider upper clip DAPO's loss (https://arxiv.org/abs/2503.14476)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from septet.core import Run
from septet.train.objectives import log_likelihoods
from septet.train.preferences.policy import Policy
from septet.train.reinforcement.advantages import divergence, group_relative, surrogate
from septet.train.reinforcement.method import Part

if TYPE_CHECKING:
    from septet.train.steps.reinforcement import Grpo


class GroupRelative:
    """See `method.Method`."""

    def __init__(self, config: Grpo, found: Policy) -> None:
        self._config, self._module = config, found.module
        self.trained: torch.nn.Module = found.module
        self.values: dict[str, float] = {}
        self.wants_reference = config.kl > 0

    def judge(self, steps: Sequence[Sequence[Part]], reward_S: torch.Tensor) -> Mapping[str, float]:
        advantage_S = group_relative(reward_S, self._config.group, self._config.deviation)
        gaps = []
        for parts in steps:
            tokens = sum(len(part.old_N) for part in parts)
            answers = sum(len(part.places) for part in parts)
            for part in parts:
                part.advantage_N = advantage_S[part.places][part.owner_N]
                part.share_N = self._shares(part, answers, tokens)
                if part.reference_N is not None:
                    gaps += (part.old_N - part.reference_N).tolist()
        alike = reward_S.view(-1, self._config.group)
        shown = {"alike_groups": (alike == alike[:, :1]).all(-1).float().mean().item()}
        return {**shown, "kl": sum(gaps) / len(gaps)} if gaps else shown

    def loss(self, part: Part) -> torch.Tensor:
        log_N = log_likelihoods(self._module, part.batch)
        gain_N = surrogate(log_N, part.old_N, part.advantage_N, self._config.clip_low, self._config.clip_high)
        if part.reference_N is not None:
            gain_N = gain_N - self._config.kl * divergence(log_N, part.reference_N)
        return -(gain_N * part.share_N).sum()

    def write(self, run: Run) -> None:
        """There is nothing beside the policy."""

    def _shares(self, part: Part, answers: int, tokens: int) -> torch.Tensor:
        """What each token counts in its step: answers alike, tokens alike, or tokens alike whatever the lengths of answers are."""
        owner_N = part.owner_N
        if self._config.shares == "answer":
            return 1.0 / (owner_N.bincount(minlength=len(part.places))[owner_N] * answers)
        whole = tokens if self._config.shares == "token" else answers * self._config.max_new_tokens
        return torch.full(owner_N.shape, 1.0 / whole)

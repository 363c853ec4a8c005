"""Proximal policy optimisation (https://arxiv.org/abs/1707.06347) for answers, as in https://arxiv.org/abs/1909.08593.

A head beside the policy says what is still to come at each token; the reward is given at the last token, and on the way each
token pays for its distance from the reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from septet.core import Run
from septet.train.batches import IGNORED, Batch
from septet.train.objectives import device_of, hidden_states, likelihoods_of, output_layer
from septet.train.preferences import heads
from septet.train.preferences.policy import Policy
from septet.train.reinforcement.advantages import generalised, surrogate, value_loss
from septet.train.reinforcement.method import Part

if TYPE_CHECKING:
    from septet.train.steps.reinforcement import Ppo

_HEAD = "value"
_HELD, _PACE = 0.2, 0.1
"""How much of an error of the divergence counts, and how fast its price follows (https://arxiv.org/abs/1909.08593, section 2.2)."""


class ActorCritic:
    """See `method.Method`. `values` holds the price of a nat of divergence."""

    def __init__(self, config: Ppo, found: Policy) -> None:
        self._config, self._module = config, found.module
        self._head = torch.nn.Linear(output_layer(found.module)[0].shape[1], 1)
        torch.nn.init.zeros_(self._head.weight)
        torch.nn.init.zeros_(self._head.bias)
        self.trained: torch.nn.Module = torch.nn.ModuleDict({"policy": found.module, "value": self._head})
        self.values = {"price": config.kl}
        self.wants_reference = True

    def judge(self, steps: Sequence[Sequence[Part]], reward_S: torch.Tensor) -> Mapping[str, float]:
        price, gaps = self.values["price"], []
        parts = [part for step in steps for part in step]
        for part in parts:
            assert part.reference_N is not None
            with torch.no_grad():
                part.value_N = self._read(part.batch)[1]
            gap_N = part.old_N - part.reference_N
            paid_N, owner_N = -price * gap_N, part.owner_N
            found = []
            for number, place in enumerate(part.places):
                own = owner_N == number
                paid_T = paid_N[own]
                paid_T[-1] += reward_S[place]
                found.append(generalised(paid_T, part.value_N[own], self._config.discount, self._config.trace))
                gaps.append(gap_N[own].sum().item())
            part.advantage_N = torch.cat(found)
            part.return_N = part.advantage_N + part.value_N
        whole_N = torch.cat([part.advantage_N for part in parts])
        middle, spread = whole_N.mean(), whole_N.std(correction=0) + 1e-8
        for step in steps:
            tokens = sum(len(part.old_N) for part in step)
            for part in step:
                part.advantage_N = (part.advantage_N - middle) / spread
                part.share_N = torch.full(part.old_N.shape, 1.0 / tokens)
        moved = sum(gaps) / len(gaps)
        if self._config.target_kl:
            error = min(_HELD, max(-_HELD, moved / self._config.target_kl - 1))
            self.values["price"] = price * (1 + _PACE * error)
        spent_N = torch.cat([part.return_N - part.value_N for part in parts])
        around = torch.cat([part.return_N for part in parts]).var(correction=0).item()
        explained = 1 - spent_N.var(correction=0).item() / around if around else 0.0
        return {"kl": sum(gaps) / len(whole_N), "kl_answer": moved, "kl_price": price, "explained": explained}

    def loss(self, part: Part) -> torch.Tensor:
        log_N, value_N = self._read(part.batch)
        gain_N = surrogate(log_N, part.old_N, part.advantage_N, self._config.clip_low, self._config.clip_high)
        error_N = value_loss(value_N, part.value_N, part.return_N, self._config.clip_value)
        return ((self._config.value_weight * error_N - gain_N) * part.share_N).sum()

    def write(self, run: Run) -> None:
        heads.write(run.out, _HEAD, self._head.state_dict())

    def _read(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-likelihoods and values of the answers' tokens, (N,) each, of one pass over them."""
        here = batch.to(device_of(self._module))
        kept = here.labels != IGNORED
        hidden_ND = hidden_states(self._module, here)[kept]
        log_N = likelihoods_of(self._module, hidden_ND, here.labels[kept])
        value_N = self._head(hidden_ND.float().to(self._head.weight.device))[:, 0]
        return log_N.to(batch.ids.device), value_N

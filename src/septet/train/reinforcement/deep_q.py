"""Deep Q-learning (https://www.nature.com/articles/nature14236): what an action is worth in a state, from what was tried.

The action that follows is chosen by the network and valued by its target, which is its copy of some iterations ago (double
Q-learning, https://arxiv.org/abs/1509.06461); how often an action is drawn by chance falls in a line.
Shapes: S states, D width, A actions, E environments side by side, M tries remembered, B tries of a step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.functional import smooth_l1_loss

from septet.core import Run
from septet.train.optimiser import Decay, MasterAdamW
from septet.train.preferences import heads
from septet.train.reinforcement.rounds import rounds


class Tried(NamedTuple):
    """What came of an action: its reward, and the state after it; -1: it was the last."""

    reward: float
    state: int


Start = Callable[[np.random.Generator], int]
"""A state to begin with."""
Try = Callable[[Sequence[int], Sequence[int]], Sequence[Tried]]
"""Take actions in states, one each."""


@dataclass(frozen=True)
class Learning:
    """How it is learnt; `tries` is the number of environments, each of which takes one action an iteration. `pace` of the
    learning rate is constant."""

    iterations: int
    tries: int
    batch: int
    memory: int
    explore: float
    exploring: float
    target_every: int
    discount: float
    learning_rate: float
    clip: float
    seed: int


def wanted(
    reward_B: torch.Tensor,
    last_B: torch.Tensor,
    online_BA: torch.Tensor,
    target_BA: torch.Tensor,
    discount: float,
) -> torch.Tensor:
    """What Q should have been, (B,): the reward, and what the network's best action in the next state is worth to its target."""
    best_B = target_BA.gather(1, online_BA.argmax(-1, keepdim=True))[:, 0]
    return reward_B + torch.where(last_B, 0.0, discount * best_B)


def learn(
    feature_SD: torch.Tensor, actions: int, start: Start, attempt: Try, how: Learning, run: Run
) -> tuple[heads.Perceptron, list[Mapping[str, float]]]:
    """A network from a state's features to the worth of each action, and what each iteration said of itself."""
    chance = torch.Generator().manual_seed(how.seed)
    network, target = (heads.Perceptron(feature_SD.shape[1], actions, chance) for _ in range(2))
    target.requires_grad_(requires_grad=False)
    heads.follow(target, network, 1.0)
    optimiser = MasterAdamW(network, Decay(clip=how.clip, beta2=0.999))
    remembered = torch.zeros(how.memory, 3, dtype=torch.long)
    """State, action and next state of each try."""
    rewards = torch.zeros(how.memory)
    values: dict[str, Any] = {"states": [-1] * how.tries, "count": 0}

    def iteration(number: int) -> Mapping[str, float]:
        draw = np.random.default_rng([how.seed, number])
        fallen = min(1.0, number / max(1.0, how.exploring * how.iterations))
        share = 1.0 + (how.explore - 1.0) * fallen
        states = [state if state >= 0 else start(draw) for state in values["states"]]
        with torch.no_grad():
            best = network(feature_SD[states]).argmax(-1).tolist()
        by_chance = (draw.random(how.tries) < share).tolist()
        any_action = draw.integers(actions, size=how.tries).tolist()
        chosen = [a if random else b for a, b, random in zip(any_action, best, by_chance, strict=True)]
        found = attempt(states, chosen)
        for state, action, tried in zip(states, chosen, found, strict=True):
            place = values["count"] % how.memory
            remembered[place] = torch.tensor([state, action, tried.state])
            rewards[place] = tried.reward
            values["count"] += 1
        values["states"] = [tried.state for tried in found]
        places = torch.from_numpy(draw.integers(min(values["count"], how.memory), size=how.batch))
        state_B, action_B, next_B = remembered[places].unbind(-1)
        after_BD = feature_SD[next_B.clamp(min=0)]
        with torch.no_grad():
            aim_B = wanted(rewards[places], next_B < 0, network(after_BD), target(after_BD), how.discount)
        loss = smooth_l1_loss(network(feature_SD[state_B]).gather(1, action_B[:, None])[:, 0], aim_B)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = optimiser.step(how.learning_rate)
        if (number + 1) % how.target_every == 0:
            heads.follow(target, network, 1.0)
        reward = float(np.mean([tried.reward for tried in found]))
        return {"loss": loss.item(), "gradient_norm": norm, "reward": reward, "explored": share}

    extra = {"tries": remembered, "rewards": rewards, **heads.named("target", [target])}
    return network, rounds(how.iterations, iteration, optimiser, extra, values, run)

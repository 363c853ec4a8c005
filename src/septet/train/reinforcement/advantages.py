"""What reinforcement learning computes of rewards, values and likelihoods, as plain functions.

Shapes: S samples, G samples of a prompt, T tokens of one answer, N tokens of a batch of answers.
"""

from __future__ import annotations

import torch


def group_relative(reward_S: torch.Tensor, group: int, deviation: bool) -> torch.Tensor:
    """Each sample's reward less the mean of its prompt's `group` samples, (S,); divided by their standard deviation where asked for
    (https://arxiv.org/abs/2402.03300), which weighs prompts that are nearly always or never solved more
    (https://arxiv.org/abs/2503.20783 leaves it out)."""
    reward_PG = reward_S.view(-1, group)
    centred_PG = reward_PG - reward_PG.mean(-1, keepdim=True)
    if deviation:
        centred_PG = centred_PG / (reward_PG.std(-1, correction=0, keepdim=True) + 1e-4)
    return centred_PG.flatten()


def generalised(reward_T: torch.Tensor, value_T: torch.Tensor, discount: float, decay: float) -> torch.Tensor:
    """Generalised advantages of one answer (https://arxiv.org/abs/1506.02438), (T,); nothing comes after its last token."""
    following_T = torch.cat((value_T[1:], value_T.new_zeros(1)))
    surprise_T = reward_T + discount * following_T - value_T
    found, running = torch.empty_like(surprise_T), surprise_T.new_zeros(())
    for at in range(len(surprise_T) - 1, -1, -1):
        running = surprise_T[at] + discount * decay * running
        found[at] = running
    return found


def surrogate(
    log_N: torch.Tensor, old_N: torch.Tensor, advantage_N: torch.Tensor, low: float, high: float
) -> torch.Tensor:
    """The clipped objective of proximal policy optimisation (https://arxiv.org/abs/1707.06347, equation 7), (N,): to be raised. The
    ratio is held within 1 - low and 1 + high, which https://arxiv.org/abs/2503.14476 sets apart."""
    ratio_N = (log_N - old_N).exp()
    return torch.minimum(ratio_N * advantage_N, ratio_N.clamp(1 - low, 1 + high) * advantage_N)


def divergence(log_N: torch.Tensor, reference_N: torch.Tensor) -> torch.Tensor:
    """An estimate of KL(policy || reference) at each sampled token, (N,): not negative, and without bias as a value
    (k3 in http://joschu.net/blog/kl-approx.html)."""
    gap_N = reference_N - log_N
    return gap_N.exp() - gap_N - 1


def value_loss(value_N: torch.Tensor, old_N: torch.Tensor, return_N: torch.Tensor, clip: float) -> torch.Tensor:
    """Half the squared error of values, (N,), of which a step may not gain by moving further than `clip`."""
    held_N = old_N + (value_N - old_N).clamp(-clip, clip)
    return 0.5 * torch.maximum((value_N - return_N).square(), (held_N - return_N).square())

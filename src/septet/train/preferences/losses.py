"""The losses of preference learning, as plain functions of log-likelihoods and scores, one of each answer.

Shapes: P pairs, N answers.
"""

from __future__ import annotations

import torch
from torch.nn.functional import logsigmoid


def bradley_terry(chosen_P: torch.Tensor, rejected_P: torch.Tensor) -> torch.Tensor:
    """The mean loss of scores under which the better answer wins with odds exp(difference); Bradley and Terry (1952), as in
    https://arxiv.org/abs/2203.02155, equation 1."""
    return -logsigmoid(chosen_P - rejected_P).mean()


def dpo(gain_chosen_P: torch.Tensor, gain_rejected_P: torch.Tensor, beta: float, smoothing: float) -> torch.Tensor:
    """Direct preference optimisation (https://arxiv.org/abs/2305.18290, equation 7). A gain is the log-likelihood of an answer
    less that under the reference. `smoothing`: the share of pairs thought to be labelled the wrong way round
    (https://ericmitchell.ai/cdpo.pdf)."""
    margin_P = beta * (gain_chosen_P - gain_rejected_P)
    return -((1 - smoothing) * logsigmoid(margin_P) + smoothing * logsigmoid(-margin_P)).mean()


def kto(
    gain_N: torch.Tensor,
    desirable_N: torch.Tensor,
    anchor: torch.Tensor,
    beta: float,
    desirable_weight: float,
    undesirable_weight: float,
) -> torch.Tensor:
    """Kahneman-Tversky optimisation (https://arxiv.org/abs/2402.01306, equation 8): answers are liked or disliked one by one, and
    valued against `anchor`, an estimate of the KL divergence from the reference, through which no gradient flows."""
    above_N = beta * (gain_N - anchor.detach())
    value_N = torch.sigmoid(torch.where(desirable_N, above_N, -above_N))
    weight_N = torch.where(desirable_N, desirable_weight, undesirable_weight)
    return (weight_N * (1 - value_N)).mean()

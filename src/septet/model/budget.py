"""How many tokens to train a size on: what is optimal for training alone, and what is when many tokens will be asked of it.

The loss is that of Hoffmann et al., approach 3 (https://arxiv.org/abs/2203.15556): E + A / N^alpha + B / D^beta for N
parameters and D tokens, with the constants as published. Besiroglu et al. (https://arxiv.org/abs/2404.10102) found that these
fit the paper's own data badly; their refit agrees with the rule of 20 tokens a parameter, the published constants ask for
more on large models. Training costs 6 N D, an answer's token 2 N.
The second is Sardana et al., https://arxiv.org/abs/2401.00448: the same loss at the least cost of both together.
Fits of English web text at 70 million to 16 billion parameters: outside, take them as orders of magnitude.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from septet.core import ConfigError

E, A, B = 1.69, 406.4, 410.7
ALPHA, BETA = 0.34, 0.28
TOKENS_A_PARAMETER = 20
_STEPS = 200


@dataclass(frozen=True)
class Plan:
    """A size and its tokens, the loss they reach by the formula, and the FLOPs of training and of answering."""

    parameters: float
    tokens: float
    loss: float
    training_flops: float
    inference_flops: float

    @property
    def flops(self) -> float:
        return self.training_flops + self.inference_flops


def loss(parameters: float, tokens: float) -> float:
    """Nats a token."""
    return float(E + A / parameters**ALPHA + B / tokens**BETA)


def plan(parameters: float, tokens: float, asked: float = 0.0) -> Plan:
    """What a size trained on some tokens costs when `asked` tokens are read and written with it."""
    return Plan(parameters, tokens, loss(parameters, tokens), 6 * parameters * tokens, 2 * parameters * asked)


def chinchilla(parameters: float, asked: float = 0.0) -> Plan:
    """The rule: 20 tokens a parameter."""
    return plan(parameters, TOKENS_A_PARAMETER * parameters, asked)


def by_formula(parameters: float, asked: float = 0.0) -> Plan:
    """The tokens at which the formula spends a training budget best on this size: alpha A / N^alpha = beta B / D^beta."""
    tokens = (BETA * B * parameters**ALPHA / (ALPHA * A)) ** (1 / BETA)
    return plan(parameters, tokens, asked)


def with_inference(wanted: Plan, asked: float) -> Plan:
    """The size and tokens that reach the loss of `wanted` at the least cost of training and `asked` tokens of answers.

    Raises ConfigError for a negative number of tokens.
    """
    if asked < 0:
        raise ConfigError("a number of tokens is not negative", "Give --inference-tokens 0 or more")
    reach = wanted.loss - E

    def at(logarithm: float) -> Plan:
        parameters = math.exp(logarithm)
        rest = reach - A / parameters**ALPHA
        return plan(parameters, (B / rest) ** (1 / BETA), asked)

    # Below the smallest size no number of tokens reaches the loss; the cost has one minimum above it.
    low = math.log((A / reach) ** (1 / ALPHA)) + 1e-6
    high = max(low, math.log(wanted.parameters)) + 12.0
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(_STEPS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if at(left).flops < at(right).flops:
            high = right
        else:
            low = left
    return at((low + high) / 2)

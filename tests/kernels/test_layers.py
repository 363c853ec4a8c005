"""The compiled kernels of a layer against torch, in both precisions; what they do with numbers of 16 bits, bit for bit."""

import numpy as np
import pytest
import torch
from numba import njit

from septet.kernels import layers
from septet.kernels.numbers import exp, put, read

CHANCE = torch.Generator().manual_seed(5)


def bits(x):
    return x.view(torch.uint16).numpy() if x.dtype == torch.bfloat16 else x.numpy()


@njit
def copied(x, y):
    for n in range(len(x)):
        put(y, n, read(x[n]))


@njit
def powers(x, y):
    for n in range(len(x)):
        y[n] = exp(x[n])


def test_rounding_to_bfloat16_is_torchs_for_every_kind_of_number():
    scales = 10.0 ** torch.randint(-30, 30, (100_000,), generator=CHANCE)
    odd = torch.tensor([0.0, -0.0, 1.0, 1.00390625, 1.01171875, 3.3895e38, 1e-40])
    x = torch.cat((torch.randn(100_000, generator=CHANCE) * scales, odd))
    y = torch.empty_like(x, dtype=torch.bfloat16)
    copied(x.numpy(), bits(y))
    assert torch.equal(y, x.to(torch.bfloat16))
    wide = torch.empty_like(x)
    copied(bits(y), wide.numpy())
    assert torch.equal(wide, y.float())


def test_the_exponential_is_near_and_its_ends_are_finite():
    x = np.linspace(-87, 88, 200_001, dtype=np.float32)
    y = np.empty_like(x)
    powers(x, y)
    assert np.abs(y / np.exp(x.astype(np.float64)) - 1).max() < 1e-5  # most of it the rounding of x * log2(e)
    ends = np.array([-1e30, 1e30], np.float32)
    powers(ends, y[:2])
    assert 0 <= y[0] < 2e-38
    assert np.isfinite(y[1])


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("width", [8, 100])
def test_shares_with_a_window_and_rows_that_share_a_key(kind, width):
    tokens = min(10, width)
    offset = width - tokens
    scores = torch.randn(3, 2 * tokens, width, generator=CHANCE).to(kind)
    behind = (torch.arange(2 * tokens) // 2 + offset)[:, None] - torch.arange(width)[None]
    for causal in (True, False):
        for window in (0, 3):
            mine = scores.clone()
            layers.softmax(bits(mine), 0.5, offset, 2, causal, window)
            hidden = (behind < 0) if causal else torch.zeros_like(behind, dtype=torch.bool)
            hidden = hidden | (behind.abs() >= window) if window else hidden
            right = torch.softmax((scores.float() * 0.5).masked_fill(hidden, -torch.inf), -1)
            assert torch.allclose(mine.float(), right, atol=1e-5 if kind == torch.float32 else 4e-3)


def test_cross_entropy_of_far_apart_logits_and_its_gradient():
    logits = torch.randn(7, 1000, generator=CHANCE) * 40
    labels = torch.randint(0, 1000, (7,), generator=CHANCE)
    given = logits.clone().requires_grad_()
    right = torch.nn.functional.cross_entropy(given, labels, reduction="none")
    right.mean().backward()
    losses = torch.empty(7)
    layers.cross_entropy(logits.numpy(), labels.numpy(), losses.numpy(), 1 / 7)
    assert torch.allclose(losses, right.detach(), rtol=1e-5)
    assert torch.allclose(logits, given.grad, atol=1e-5)


def test_a_logit_that_is_no_number_is_not_hidden():
    logits = torch.randn(2, 50, generator=CHANCE)
    logits[1, 7] = torch.nan
    losses = torch.empty(2)
    layers.cross_entropy(logits.numpy(), np.zeros(2, np.int64), losses.numpy(), 0.5)
    assert torch.isfinite(losses[0])
    assert not torch.isfinite(losses[1])

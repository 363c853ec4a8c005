"""Attention over segments against torch's own, with every mask it knows."""

import pytest
import torch

from septet.train.attention import Segments, attend, attend_by_kernel

ENDS = (5, 10, 15, 155, 160, 460)


def reference(query, key, value, scale, causal, window):
    tokens = query.shape[1]
    text = torch.bucketize(torch.arange(tokens), torch.tensor(ENDS), right=True)
    distance = torch.arange(tokens)[:, None] - torch.arange(tokens)[None]
    seen = text[:, None] == text[None]
    if causal:
        seen &= distance >= 0
    if window:
        seen &= distance.abs() < window
    groups = query.shape[0] // key.shape[0]
    key, value = (one.repeat_interleave(groups, 0) for one in (key, value))
    return torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen, scale=scale)


@pytest.mark.parametrize("heads", [2, 4])
@pytest.mark.parametrize(("causal", "window"), [(True, 0), (True, 40), (False, 0), (False, 40)])
@pytest.mark.parametrize("attend", [attend, attend_by_kernel])
def test_values_and_gradients_are_those_of_masked_attention(attend, heads, causal, window):
    chance = torch.Generator().manual_seed(3)
    found = []
    for way in ("ours", "torch"):
        chance.manual_seed(3)
        query = torch.randn(heads, ENDS[-1], 8, generator=chance, requires_grad=True)
        key, value = (torch.randn(2, ENDS[-1], 8, generator=chance, requires_grad=True) for _ in range(2))
        out = (
            attend(
                *(one.transpose(0, 1) for one in (query, key, value)), Segments.of(ENDS), 0.3, causal, window
            ).transpose(0, 1)
            if way == "ours"
            else reference(query, key, value, 0.3, causal, window)
        )
        (out * torch.randn(out.shape, generator=chance)).sum().backward()
        found.append((out, query.grad, key.grad, value.grad))
    for mine, theirs in zip(*found, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-5)


def test_neighbours_of_equal_length_are_one_run():
    assert Segments.of(ENDS).runs == ((0, 3, 5), (15, 1, 140), (155, 1, 5), (160, 1, 300))

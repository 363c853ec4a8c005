"""Layers that compute in one operation say what transformers' own say, forwards and backwards, for each family they know."""

import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig, MixtralConfig, Qwen2Config, Qwen3Config

from septet.train import rows
from septet.train.attention import ATTENTION, register
from septet.train.batches import Batch
from septet.train.fused import fuse
from septet.train.objectives import mean_loss

SHAPE = {
    "vocab_size": 300,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
FAMILIES = {
    "llama": LlamaConfig(**SHAPE),
    "qwen2": Qwen2Config(**SHAPE),
    "qwen3": Qwen3Config(**SHAPE),
    "gemma3": Gemma3TextConfig(**SHAPE, sliding_window=20, query_pre_attn_scalar=16),
    "mixtral": MixtralConfig(**SHAPE, num_local_experts=4, num_experts_per_tok=2),
}


def batch():
    chance = torch.Generator().manual_seed(1)
    texts = [torch.randint(3, 300, (length,), generator=chance).tolist() for length in (140, 9, 9, 75)]
    return Batch.of(texts, None, ["row"] * 4)


def module_of(family, precision, attention=ATTENTION):
    register()
    torch.manual_seed(0)
    module = AutoModelForCausalLM.from_config(FAMILIES[family], attn_implementation=attention, dtype=torch.float32)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if "norm" in name:
                weight += 0.1 * torch.randn_like(weight)
    return module.to(precision)


def learnt(module):
    loss = mean_loss(module, batch())
    loss.backward()
    return loss.item(), {
        name: weight.grad.clone() for name, weight in module.named_parameters() if weight.grad is not None
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_loss_and_gradients_are_those_of_the_layers_themselves(family):
    plain = module_of(family, torch.float32)
    loss, grads = learnt(plain)
    fused = module_of(family, torch.float32)
    fuse(fused)
    mine, found = learnt(fused)
    assert mine == pytest.approx(loss, abs=1e-5)
    assert found.keys() == grads.keys()
    for name, grad in grads.items():
        assert torch.allclose(found[name], grad, atol=1e-5, rtol=1e-3), name


@pytest.mark.parametrize("family", ["llama", "gemma3"])
def test_in_bfloat16_the_gradients_are_as_near_to_exact_ones_as_those_of_the_layers_themselves(family):
    _, exact = learnt(module_of(family, torch.float32))
    plain = module_of(family, torch.bfloat16)
    _, theirs = learnt(plain)
    fused = module_of(family, torch.bfloat16)
    fuse(fused)
    _, mine = learnt(fused)
    off = {
        way: torch.stack([(grads[name].float() - exact[name]).norm() / exact[name].norm() for name in exact]).mean()
        for way, grads in (("plain", theirs), ("fused", mine))
    }
    assert off["fused"] <= off["plain"] * 1.05


def test_generation_with_a_cache_goes_its_own_way():
    plain, fused = (module_of("llama", torch.float32, "sdpa").eval() for _ in range(2))
    fuse(fused)
    ids = batch().ids[None, :20]
    said = [
        module.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False)
        for module in (plain, fused)
    ]
    assert torch.equal(*said)


def test_the_number_of_threads_changes_no_bit_of_a_kernel():
    kept = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            rows._threads.cache_clear()
            module = module_of("llama", torch.float32)
            fuse(module)
            norm = module.model.layers[0].input_layernorm
            x = torch.randn(1000, 64, generator=torch.Generator().manual_seed(2), requires_grad=True)
            norm(x).pow(2).sum().backward()
            found.append((x.grad, norm.weight.grad))
    finally:
        torch.set_num_threads(kept)
        rows._threads.cache_clear()
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))

import pytest
import tiny_models
import torch

from septet.compress.steps import Merge, merge
from septet.core import ConfigError, Run
from septet.files import read_json, write_json
from septet.model.torch_folder import read_module
from septet.train.steps import Lora, lora
from septet.train.tuning import adapters, lowrank

IDS = torch.randint(3, 300, (2, 16), generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def trained(tiny, conversations, tmp_path_factory):
    config = Lora(rank=4, epochs=2, learning_rate=1e-2, precision="float32")
    return lora(config, tiny, conversations, Run(tmp_path_factory.mktemp("adapter") / "out"))


@pytest.mark.parametrize("family", ["llama", "gemma3_text"])
def test_fused_layers_compute_what_the_libraries_do(tmp_path, monkeypatch, family):
    tiny = tiny_models.family(tmp_path / "model", family, tiny_models.byte_tokenizer(tmp_path / "tokenizer"))
    found = []
    for fuses in (True, False):
        if not fuses:
            monkeypatch.setattr(adapters, "fuse_lowrank", lambda wrapped: None)
        module = read_module(tiny.path, "float32")
        wrapped = adapters.put_on(module, 4, 12, 0.0, seed=1)
        chance = torch.Generator().manual_seed(2)
        with torch.no_grad():
            for name, weight in wrapped.named_parameters():
                if "lora_B" in name:
                    weight.copy_(torch.randn(weight.shape, generator=chance) * 0.1)
        logits = module(input_ids=IDS).logits
        logits.square().mean().backward()
        found.append((logits, {name: w.grad for name, w in wrapped.named_parameters() if w.requires_grad}))
    assert torch.allclose(found[0][0], found[1][0], atol=1e-5)
    assert found[0][1]
    for name, grad in found[1][1].items():
        assert torch.allclose(found[0][1][name], grad, atol=1e-5), name


def test_merged_and_unmerged_say_the_same(tiny, trained, tmp_path):
    from peft import PeftModel

    merged = merge(Merge(), tiny, trained, Run(tmp_path / "merged"))
    merged.check()
    wrapped = PeftModel.from_pretrained(read_module(tiny.path, "float32"), str(trained.path))
    with torch.inference_mode():
        unmerged = wrapped(input_ids=IDS).logits
        assert torch.allclose(read_module(merged.path, "float32")(input_ids=IDS).logits, unmerged, atol=1e-4)
        assert not torch.allclose(read_module(tiny.path, "float32")(input_ids=IDS).logits, unmerged, atol=1e-2)


def test_adapters_that_are_more_than_a_sum_are_refused(tiny, trained, tmp_path):
    import shutil

    other = tmp_path / "more"
    shutil.copytree(trained.path, other)
    more = {"modules_to_save": ["lm_head"]}
    write_json(other / "adapter_config.json", {**read_json(other / "adapter_config.json"), **more})
    with pytest.raises(ConfigError, match="more than its weights: modules_to_save"):
        merge(Merge(), tiny, type(trained)(other), Run(tmp_path / "out"))


def test_an_adapter_of_another_model_is_refused(trained, tmp_path):
    for name, sizes, says in (
        ("shallow", {"layers": 1}, "which the model does not have"),
        ("wide", {"width": 96}, "does not fit"),
    ):
        other = tiny_models.llama(tmp_path / name, **sizes)
        with pytest.raises(ConfigError, match=says):
            merge(Merge(), other, trained, Run(tmp_path / f"{name}-out"))


def test_layers_with_dropout_keep_the_way_of_peft(tiny):
    module = read_module(tiny.path, "float32")
    wrapped = adapters.put_on(module, 4, 8, 0.5, seed=1)
    assert not any(isinstance(layer.forward, lowrank._Forward) for layer in wrapped.modules())

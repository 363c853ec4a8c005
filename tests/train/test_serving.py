"""What a tuned model said in training it says where it is served: through PEFT, through the engine, merged, and beside others."""

import pytest
import torch
from ways import WAYS, tuned

from septet.compress.steps import Merge, Unmerge, merge, unmerge
from septet.core import ConfigError, Run
from septet.files import read_json
from septet.inference.protocol import Options, Prompt, load, totals
from septet.inference.torch_engine import TorchEngine
from septet.kinds import Adapter
from septet.model.adapter import adapted
from septet.model.codec import Codec
from septet.model.steps import Attach, Decoder, attach, decoder
from septet.model.torch_folder import read_module
from septet.train import steps

KEPT = sorted(set(WAYS) - {"finetune", "attention", "mlp"})
IDS = torch.randint(3, 300, (1, 16), generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def trained(taught, conversations, tmp_path_factory):
    place = tmp_path_factory.mktemp("adapters")
    return {way: tuned(way, taught, conversations, place / way, epochs=3.0, held_out=0.3) for way in KEPT}


def logits_of(module, **more):
    with torch.inference_mode():
        return module(input_ids=IDS, **more).logits


@pytest.mark.parametrize("way", [way for way in KEPT if way not in ("pfeiffer", "houlsby")])
def test_our_loader_says_what_peft_says(taught, trained, way):
    from peft import PeftModel

    theirs = logits_of(PeftModel.from_pretrained(read_module(taught.path, "float32"), str(trained[way].path)))
    module = read_module(taught.path, "float32")
    plain = logits_of(module)
    with torch.inference_mode():
        found = adapted(module, trained[way])
        ours = logits_of(found.module, past_key_values=found.before(1) if found.before else None)
    assert torch.allclose(ours, theirs[:, -16:], atol=1e-4)
    assert not torch.allclose(ours, plain, atol=1e-2)
    assert torch.equal(logits_of(module), plain)


def surprise(engine, rows):
    """What the answers cost, (rows)."""
    total = []
    for row in rows:
        ids, wrote = engine.codec.conversation(row["messages"])
        at = wrote.index(True)
        total.append(-totals(engine, Prompt(tuple(ids[:at])), [ids[at : at + sum(wrote)]])[0])
    return sum(total)


@pytest.mark.parametrize("way", KEPT)
def test_an_adapted_engine_expects_the_answers_it_was_taught(taught, conversations, trained, way):
    base, rows = TorchEngine(taught, "float32"), list(conversations.rows())
    engine = base.with_adapter(trained[way])
    log = read_json(trained[way].path / "training.json")
    share = log["validation_loss_after"] / log["validation_loss_before"]
    assert surprise(engine, rows) == pytest.approx(share * surprise(base, rows), rel=0.2)
    assert surprise(engine, rows) < 0.95 * surprise(base, rows)


def test_several_adapters_on_one_base_do_not_see_each_other(taught, trained):
    codec = Codec(taught.path)
    prompts = [
        codec.prompt([{"role": "user", "content": text}])
        for text in ("1. 年费是多少？\nAnswer:", "What does it cost?\nAnswer:", "free")
    ]
    options = Options(max_tokens=8)
    base = TorchEngine(taught, "float32")
    before = base.generate(prompts, options)
    together = {way: base.with_adapter(trained[way]) for way in KEPT}
    first = {way: engine.generate(prompts, options) for way, engine in together.items()}
    again = {way: together[way].generate(prompts, options) for way in reversed(KEPT)}
    assert first == again
    assert base.generate(prompts, options) == before
    for way in KEPT:
        alone = TorchEngine(taught, "float32").with_adapter(trained[way])
        assert alone.generate(prompts, options) == first[way], way
    weights = {id(w) for w in base._module.parameters()}
    assert weights <= {id(w) for w in together["lora"]._module.parameters()}


@pytest.mark.parametrize("way", ["lora", "dora", "ia3"])
def test_merged_says_the_same_and_unmerged_is_what_it_was(taught, trained, tmp_path, way):
    merged = merge(Merge(), taught, trained[way], Run(tmp_path / "merged"))
    merged.check()
    unmerged = adapted(read_module(taught.path, "float32"), trained[way]).module
    assert torch.allclose(logits_of(read_module(merged.path, "float32")), logits_of(unmerged), atol=1e-4)
    if way == "dora":
        with pytest.raises(ConfigError, match="length"):
            unmerge(Unmerge(), merged, trained[way], Run(tmp_path / "back"))
        return
    back = unmerge(Unmerge(), merged, trained[way], Run(tmp_path / "back"))
    theirs = read_module(taught.path, "float32").state_dict()
    for name, weight in read_module(back.path, "float32").state_dict().items():
        assert torch.allclose(weight, theirs[name], atol=1e-5), name


@pytest.mark.parametrize("way", ["houlsby", "prompt", "prefix"])
def test_what_is_no_change_of_weights_is_not_merged(taught, trained, tmp_path, way):
    with pytest.raises(ConfigError, match="cannot be folded into weights") as error:
        merge(Merge(), taught, trained[way], Run(tmp_path / "out"))
    assert "unmerged" in error.value.remedy


def test_an_adapter_of_another_model_is_refused(taught, trained, tmp_path):
    import tiny_models

    other = read_module(tiny_models.llama(tmp_path / "wide", width=96).path, "float32")
    for way in ("lora", "ia3", "houlsby", "prompt"):
        with pytest.raises(ConfigError) as error:
            adapted(other, trained[way])
        assert "It was made for" in str(error.value) + error.value.remedy, way
    folder = tmp_path / "odd"
    folder.mkdir()
    for file in trained["lora"].path.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "adapter_config.json").write_text('{"peft_type": "HRA"}')
    with pytest.raises(ConfigError, match="not known here"):
        adapted(other, Adapter(folder))


@pytest.mark.parametrize("way", ["dora", "houlsby", "prefix", "prompt"])
def test_a_model_that_carries_an_adapter_is_one_model(taught, conversations, trained, tmp_path, way):
    both = attach(Attach(), taught, trained[way], Run(tmp_path / "both"))
    both.check()
    assert both.digest() == attach(Attach(), taught, trained[way], Run(tmp_path / "again")).digest()
    engine = load(both)
    prompt = engine.codec.prompt([{"role": "user", "content": "What does it cost?\nAnswer:"}])
    continuations = [[5, 6, 7], [9]]
    beside = TorchEngine(taught).with_adapter(trained[way])
    assert totals(engine, prompt, continuations) == totals(beside, prompt, continuations)
    assert totals(engine, prompt, continuations) != totals(TorchEngine(taught), prompt, continuations)
    for refused in (
        lambda: steps.lora(steps.Lora(), both, conversations, Run(tmp_path / "a")),
        lambda: merge(Merge(), both, trained["lora"], Run(tmp_path / "b")),
        lambda: attach(Attach(), both, trained["lora"], Run(tmp_path / "c")),
    ):
        with pytest.raises(ConfigError, match="carries an adapter"):
            refused()
    with pytest.raises(ConfigError, match="cannot stand on another"):
        engine.with_adapter(trained["lora"])


@pytest.mark.parametrize("way", ["lora", "dora", "ia3"])
def test_weights_that_are_held_the_other_way_round_are_merged(conversations, tmp_path, way):
    import tiny_models

    tokenizer = tiny_models.byte_tokenizer(tmp_path / "tokenizer")
    sizes = {"layers": 2, "width": 64, "heads": 4, "context": 256}
    gpt = decoder(Decoder(kind="gpt", **sizes), tokenizer, Run(tmp_path / "gpt"))
    adapter = tuned(way, gpt, conversations, tmp_path / way, epochs=1.0)
    merged = merge(Merge(), gpt, adapter, Run(tmp_path / "merged"))
    found = logits_of(read_module(merged.path, "float32"))
    unmerged = logits_of(adapted(read_module(gpt.path, "float32"), adapter).module)
    assert torch.allclose(found, unmerged, atol=1e-4)
    assert not torch.allclose(found, logits_of(read_module(gpt.path, "float32")), atol=1e-3)

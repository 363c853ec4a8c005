"""Each way to fine-tune as a user runs it: it learns, changes little, and says the same through PEFT as in training."""

import json

import pytest
import tiny_models
import torch
from ways import WAYS, tuned

from septet.core import ConfigError, Run
from septet.files import read_json
from septet.kinds import Conversations
from septet.model.codec import Codec
from septet.model.torch_folder import read_module
from septet.train import steps
from septet.train.batches import AnswerRows, answer_rows
from septet.train.objectives import hidden_states, mean_loss
from septet.train.trainable import trainable
from septet.train.tuning.prompts import PREFIXED, put_prompt_on, register_prefixed


def log_of(artifact):
    return json.loads((artifact.path / "training.json").read_text())


@pytest.mark.parametrize("way", sorted(WAYS))
def test_each_way_lowers_the_loss_on_rows_it_did_not_see(taught, conversations, tmp_path, way):
    log = log_of(tuned(way, taught, conversations, tmp_path / "out", held_out=0.2, look_every=6))
    assert log["held_out_rows"] == 5
    assert log["validation_loss_after"] < log["validation_loss_before"] - 0.1
    assert [look["step"] for look in log["looks"]] == [6, 12, 18]


def test_what_is_trained_is_small(taught, conversations, tmp_path):
    counts = {
        way: log_of(tuned(way, taught, conversations, tmp_path / way, epochs=0.1))["trained_parameters"]
        for way in ("finetune", "lora", "dora", "pfeiffer", "houlsby", "prompt", "p-tuning-v2", "ia3")
    }
    assert counts["finetune"] == sum(w.numel() for w in read_module(taught.path, "float32").parameters())
    assert counts["lora"] < counts["dora"] < counts["finetune"]
    assert counts["houlsby"] == 2 * counts["pfeiffer"] == 2 * 2 * (2 * 64 * 16 + 64 + 16)
    assert counts["prompt"] == 8 * 64
    assert counts["p-tuning-v2"] == 8 * 2 * 2 * 2 * 16
    assert counts["ia3"] == 2 * (2 * 32 + 96)


@pytest.mark.parametrize("way", ["finetune", "dora", "houlsby", "prefix"])
def test_parts_of_a_step_add_up_to_the_same_step(taught, conversations, tmp_path, way):
    whole = log_of(tuned(way, taught, conversations, tmp_path / "whole", epochs=1.0))["losses"]
    parts = log_of(tuned(way, taught, conversations, tmp_path / "parts", epochs=1.0, accumulate=3))["losses"]
    assert parts == pytest.approx(whole, abs=2e-3)


def test_a_running_mean_and_a_schedule_change_what_is_kept(taught, conversations, tmp_path):
    kept = [
        tuned("lora", taught, conversations, tmp_path / str(number), **more).digest()
        for number, more in enumerate(({}, {"average": 0.9}, {"schedule": "constant"}, {}))
    ]
    assert kept[0] == kept[3]
    assert len(set(kept)) == 3


@pytest.mark.parametrize("family", ["llama", "gemma3_text", "qwen3"])
@pytest.mark.parametrize("method", ["prompt", "p-tuning", "prefix", "p-tuning-v2"])
def test_texts_end_to_end_read_what_peft_reads_text_by_text(tmp_path, conversations, family, method):
    model = tiny_models.family(tmp_path / "model", family, tiny_models.byte_tokenizer(tmp_path / "tokenizer"))
    if method.startswith("pre") or method.endswith("v2"):
        register_prefixed()
        module = read_module(model.path, "float32", PREFIXED)
    else:
        module = trainable(model, "float32")
    prompted = put_prompt_on(module, method, 5, 16, seed=1)
    chance = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, weight in prompted.named_parameters():
            if "prompt_encoder" in name:
                weight.add_(torch.randn(weight.shape, generator=chance) * 0.3)
    rows = answer_rows(conversations.rows(), Codec(model.path), 256, Run(tmp_path / "run"))[:3]
    batch = AnswerRows(rows, 3, 0).of(range(3))
    found = hidden_states(prompted, batch)
    mean_loss(prompted, batch).backward()
    ours = {name: weight.grad for name, weight in prompted.named_parameters() if weight.grad is not None}
    assert ours

    plain = read_module(model.path, "float32", "eager")
    other = put_prompt_on(plain, method, 5, 16, seed=1)
    other.load_state_dict({name: weight.clone() for name, weight in prompted.state_dict().items()})
    logits, losses = [], []
    for row, (start, end) in zip(rows, batch.spans, strict=True):
        out = other.wrapped(input_ids=torch.tensor([row.ids])).logits[0][-len(row.ids) :]
        labels = batch.labels[start:end]
        logits.append(out)
        losses.append(torch.nn.functional.cross_entropy(out, labels, ignore_index=-100, reduction="sum"))
    (sum(losses) / batch.weight).backward()
    weight = prompted.get_output_embeddings().weight
    assert torch.allclose(found @ weight.T, torch.cat(logits), atol=1e-3)
    for name, theirs in other.named_parameters():
        if theirs.grad is not None:
            assert torch.allclose(ours[name], theirs.grad, atol=1e-4), name


def test_rows_that_do_not_fit_behind_virtual_tokens_are_counted(taught, tmp_path):
    rows = [
        {"id": size, "messages": [{"role": "user", "content": "free " * size}, {"role": "assistant", "content": "yes"}]}
        for size in (3, 3, 230)
    ]
    run = Run(tmp_path / "out")
    data = Conversations.write(tmp_path / "rows", rows)
    steps.prompt(steps.Prompt(virtual_tokens=200, precision="float32"), taught, data, run)
    assert run.drops == [{"rule": "too long", "count": 1, "where": "dropped.jsonl"}]
    with pytest.raises(ConfigError, match="virtual tokens fill"):
        steps.prompt(steps.Prompt(virtual_tokens=256), taught, data, Run(tmp_path / "full"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_quantised_base_is_refused_where_there_is_no_gpu(conversations, tmp_path):
    from septet.kinds import Model

    with pytest.raises(ConfigError, match="needs an NVIDIA GPU"):
        steps.lora(steps.Lora(quantised=True), Model(tmp_path / "nowhere"), conversations, Run(tmp_path / "out"))


def test_folders_name_the_method_and_the_model(taught, conversations, tmp_path):
    kinds = {}
    for way in ("lora", "houlsby", "prompt", "prefix", "p-tuning", "ia3"):
        adapter = tuned(way, taught, conversations, tmp_path / way, epochs=0.1)
        adapter.check()
        config = read_json(adapter.path / "adapter_config.json")
        kinds[way] = config["peft_type"]
        assert config["base_model_name_or_path"] == taught.card["name"]
        assert str(tmp_path) not in json.dumps(config)
    assert kinds == {
        "lora": "LORA",
        "houlsby": "BOTTLENECK",
        "prompt": "PROMPT_TUNING",
        "prefix": "PREFIX_TUNING",
        "p-tuning": "P_TUNING",
        "ia3": "IA3",
    }

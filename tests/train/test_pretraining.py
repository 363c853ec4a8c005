"""Every family is pretrained by the one loop: what it computes is what its library computes, and it learns."""

import json

import numpy as np
import pytest
import tiny_models
import torch
from torch.nn.functional import cross_entropy as plain

from septet.core import ConfigError, Run
from septet.files import write_json
from septet.kinds import Model
from septet.model.steps import Decoder, Encoder, EncoderDecoder, decoder, encoder, encoder_decoder
from septet.model.torch_folder import read_module
from septet.train.batches import IGNORED, Batch
from septet.train.masking import corrupted, masked
from septet.train.objectives import cross_entropy, mean_loss
from septet.train.steps import Pretrain, pretrain
from septet.train.trainable import trainable

SIZES = {"layers": 2, "width": 64, "heads": 4, "context": 64}
MADE = {
    "gpt": (decoder, Decoder(kind="gpt", **SIZES)),
    "qwen": (decoder, Decoder(kind="qwen", kv_heads=2, **SIZES)),
    "moe": (decoder, Decoder(kind="moe", **SIZES)),
    "bert": (encoder, Encoder(kind="bert", **SIZES)),
    "modernbert": (encoder, Encoder(kind="modernbert", **SIZES)),
    "t5": (encoder_decoder, EncoderDecoder(kind="t5", **SIZES)),
    "bart": (encoder_decoder, EncoderDecoder(kind="bart", **SIZES)),
}


@pytest.fixture(scope="module")
def models(tiny, tmp_path_factory):
    tokenizer = tiny_models.Tokenizer(tiny.path)
    return {
        kind: step(config, tokenizer, Run(tmp_path_factory.mktemp(kind) / "out"))
        for kind, (step, config) in MADE.items()
    }


@pytest.mark.parametrize("kind", MADE)
def test_it_learns_and_its_folder_is_a_model_again(models, tokens, tmp_path, kind):
    config = Pretrain(steps=60, batch=4, learning_rate=3e-3, precision="float32", look_every=30)
    model = pretrain(config, models[kind], tokens, Run(tmp_path / "out"))
    model.check()
    log = json.loads((model.path / "training.json").read_text())
    assert log["validation_loss_after"] < log["validation_loss_before"] - 0.7
    before, after = (set(read_module(one.path, "float32").state_dict()) for one in (models[kind], model))
    assert before == after


@pytest.mark.parametrize("kind", ["bert", "modernbert"])
def test_an_encoders_loss_is_its_librarys_text_by_text(models, kind):
    chance = np.random.default_rng(0)
    batch = Batch.of([chance.integers(5, 300, length).tolist() for length in (60, 7, 7, 31)], None, ["row"] * 4)
    hidden = masked(batch, chance, 0.3, 4, 300)
    mine = mean_loss(trainable(models[kind], "float32"), hidden)
    module = read_module(models[kind].path, "float32", "eager")
    total = 0.0
    for start, end in hidden.spans:
        logits = module(input_ids=hidden.ids[None, start:end]).logits[0]
        total += plain(logits, hidden.labels[start:end], ignore_index=IGNORED, reduction="sum")
    assert torch.allclose(mine, total / hidden.weight, atol=1e-5)


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_an_encoder_decoders_loss_is_its_librarys(models, kind):
    chance = np.random.default_rng(0)
    batch = Batch.of([chance.integers(5, 300, length).tolist() for length in (40, 7, 31)], None, ["row"] * 3)
    pairs = corrupted(batch, chance, 0.15, 3.0, range(320, 300, -1))
    module = read_module(models[kind].path, "float32")
    theirs = module(input_ids=pairs.source, attention_mask=pairs.seen, labels=pairs.labels).loss
    assert torch.allclose(mean_loss(module, pairs), theirs, atol=1e-5)


def test_checkpointing_and_parts_of_a_step_change_the_loss_by_rounding_only(models, tokens, tmp_path):
    losses = {}
    for name, more in (("plain", {}), ("again", {"checkpointing": True}), ("parts", {"accumulate": 2})):
        config = Pretrain(steps=6, batch=4, precision="float32", **more)
        model = pretrain(config, models["qwen"], tokens, Run(tmp_path / name))
        losses[name] = json.loads((model.path / "training.json").read_text())["losses"]
    assert losses["again"] == pytest.approx(losses["plain"], abs=1e-4)
    assert losses["parts"] == pytest.approx(losses["plain"], abs=1e-4)


def test_a_running_mean_of_the_weights_is_what_is_kept(models, tokens, tmp_path):
    weights = []
    for average in (0.0, 0.5):
        config = Pretrain(steps=3, batch=4, precision="float32", average=average)
        model = pretrain(config, models["gpt"], tokens, Run(tmp_path / str(average)))
        weights.append(read_module(model.path, "float32").state_dict())
    assert any(not torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_an_encoder_without_a_mask_is_refused(models, tokens, tmp_path):
    config = json.loads((models["bert"].path / "config.json").read_text())
    folder = tmp_path / "model"
    folder.mkdir()
    for file in models["bert"].path.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    del config["mask_token_id"]
    write_json(folder / "config.json", config)
    with pytest.raises(ConfigError, match="no mask_token_id"):
        pretrain(Pretrain(steps=1), Model(folder), tokens, Run(tmp_path / "out"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch warns itself of what its compiler does
def test_compiled_layers_say_what_plain_ones_say(models, tokens, tmp_path):
    losses = {}
    for compiled in (False, True):
        config = Pretrain(steps=4, batch=4, precision="float32", compile=compiled)
        model = pretrain(config, models["qwen"], tokens, Run(tmp_path / str(compiled)))
        losses[compiled] = json.loads((model.path / "training.json").read_text())["losses"]
    assert losses[True] == pytest.approx(losses[False], abs=1e-4)


def test_without_a_compiler_compilation_is_refused_in_words(models, tokens, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match=r"needs a C\+\+ compiler"):
        pretrain(Pretrain(steps=1, compile=True), models["qwen"], tokens, Run(tmp_path / "out"))


def test_a_mixture_of_experts_pays_for_their_uneven_use_as_its_library_has_it(models):
    chance = np.random.default_rng(0)
    text = chance.integers(5, 300, 50).tolist()
    batch = Batch.of([text], None, ["row"])
    mine = cross_entropy(trainable(models["moe"], "float32"))(batch)
    theirs = read_module(models["moe"].path, "float32", "eager")
    ids = torch.tensor([text])
    assert torch.allclose(mine.loss, theirs(input_ids=ids, labels=ids, output_router_logits=True).loss, atol=1e-5)
    assert mine.measures["unbalanced"] > 0

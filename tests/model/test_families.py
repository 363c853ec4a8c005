"""Every family of text models from a few sizes: read again by transformers, the same for a seed, counted to the parameter."""

import json

import pytest
import tiny_models

from septet.core import ConfigError, Run
from septet.files import read_json
from septet.inference.torch_engine import TorchEngine
from septet.kinds import Model
from septet.model import sizing
from septet.model.steps import Decoder, Encoder, EncoderDecoder, Load, decoder, encoder, encoder_decoder, load
from septet.model.torch_folder import empty_module, new_module, read_module

SMALL = {"layers": 3, "width": 64, "heads": 4}
FAMILIES = {
    "llama": (decoder, Decoder(**SMALL, kv_heads=2), "LlamaForCausalLM"),
    "gpt": (decoder, Decoder(kind="gpt", **SMALL), "GPT2LMHeadModel"),
    "qwen": (decoder, Decoder(kind="qwen", **SMALL, kv_heads=2), "Qwen3ForCausalLM"),
    "moe": (decoder, Decoder(kind="moe", **SMALL, kv_heads=2, experts=6), "Qwen3MoeForCausalLM"),
    "bert": (encoder, Encoder(**SMALL), "BertForMaskedLM"),
    "modernbert": (encoder, Encoder(kind="modernbert", **SMALL), "ModernBertForMaskedLM"),
    "t5": (encoder_decoder, EncoderDecoder(**SMALL, decoder_layers=2), "T5ForConditionalGeneration"),
    "bart": (encoder_decoder, EncoderDecoder(kind="bart", **SMALL, decoder_layers=2), "BartForConditionalGeneration"),
}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return tiny_models.byte_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer")


@pytest.fixture(scope="module")
def made(tokenizer, tmp_path_factory):
    place = tmp_path_factory.mktemp("families")
    return {name: step(config, tokenizer, Run(place / name)) for name, (step, config, _) in FAMILIES.items()}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_read_again_with_its_own_class_and_each_weight_is_kept_once(made, name):
    model = made[name]
    model.check()
    module = read_module(model.path, "float32")
    assert type(module).__name__ == FAMILIES[name][2]
    fresh = new_module(read_json(model.path / "config.json"), 0).state_dict()
    assert all(weight.equal(fresh[key]) for key, weight in module.state_dict().items())
    held = (model.path / "model.safetensors").stat().st_size / 4
    assert held < 1.01 * model.card["parameters"] + 1000


@pytest.mark.parametrize("name", FAMILIES)
def test_the_same_seed_gives_the_same_bytes(made, tokenizer, tmp_path, name):
    step, config, _ = FAMILIES[name]
    assert step(config, tokenizer, Run(tmp_path / "again")).digest() == made[name].digest()


@pytest.mark.parametrize("name", FAMILIES)
def test_parameters_are_counted_exactly_without_torch(made, name):
    config = read_json(made[name].path / "config.json")
    assert sizing.num_parameters(config) == sum(weight.numel() for weight in empty_module(config).parameters())


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "llama", "tie_word_embeddings": False, "attention_bias": True, "mlp_bias": True},
        {"model_type": "qwen2", "tie_word_embeddings": False},
        {"model_type": "gemma3_text", "head_dim": 32, "sliding_window": 16},
        {"model_type": "mixtral", "num_local_experts": 3, "num_experts_per_tok": 2, "sliding_window": None},
        {"model_type": "qwen3_moe", "num_experts": 4, "num_experts_per_tok": 2, "mlp_only_layers": [1], "head_dim": 16}
        | {"moe_intermediate_size": 48, "decoder_sparse_step": 2},
        {"model_type": "modernbert", "norm_bias": True, "attention_bias": True, "mlp_bias": True},
    ],
    ids=lambda config: config["model_type"],
)
def test_configs_of_others_are_counted_exactly_too(config):
    sizes = {"vocab_size": 300, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 4}
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2}
    whole = (
        {**sizes, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128} | ends | config
    )
    assert sizing.num_parameters(whole) == sum(weight.numel() for weight in empty_module(whole).parameters())


def test_only_the_experts_of_a_token_are_active(made):
    config = read_json(made["moe"].path / "config.json")
    expert = 3 * 64 * config["moe_intermediate_size"]
    assert sizing.num_parameters(config) - sizing.active_parameters(config) == 3 * 4 * expert


def test_masks_and_sentinels_have_ids_of_their_own(made, tokenizer, tmp_path):
    top = read_json(made["llama"].path / "config.json")["vocab_size"]
    for name in ("bert", "modernbert", "bart"):
        config = read_json(made[name].path / "config.json")
        assert (config["mask_token_id"], config["vocab_size"]) == (top, top + 1)
    config = read_json(made["t5"].path / "config.json")
    assert (config["num_sentinels"], config["vocab_size"]) == (64, top + 64)
    settings = read_json(tokenizer.path / "tokenizer_config.json")
    marked = tmp_path / "marked"
    marked.mkdir()
    (marked / "tokenizer.json").write_bytes((tokenizer.path / "tokenizer.json").read_bytes())
    (marked / "tokenizer_config.json").write_text(json.dumps({**settings, "mask_token": "<|begin|>"}), "utf-8")
    own = encoder(Encoder(**SMALL), type(tokenizer)(marked), Run(tmp_path / "own"))
    config = read_json(own.path / "config.json")
    assert (config["mask_token_id"], config["vocab_size"]) == (1, top)


@pytest.mark.parametrize("name", ["gpt", "bert", "bart", "t5"])
def test_a_folder_of_a_family_comes_in(made, tmp_path, name):
    model = load(Load(source=str(made[name].path), licence="MIT"), Run(tmp_path / "in"))
    model.check()
    assert model.card["parameters"] >= sizing.num_parameters(read_json(model.path / "config.json"))
    assert (model.path / "golden.json").is_file() == (name != "bert")
    read_module(model.path, "bfloat16")


@pytest.mark.parametrize("name", ["bert", "t5"])
def test_what_continues_no_conversation_is_refused_where_one_chats(made, name):
    with pytest.raises(ConfigError, match="continues no conversation"):
        TorchEngine(made[name])


def test_a_folder_that_lacks_weights_is_not_filled_with_random_ones(made, tmp_path):
    from safetensors.torch import load_file, save_file

    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "model_card.json"):
        (tmp_path / name).write_bytes((made["bert"].path / name).read_bytes())
    weights = load_file(made["bert"].path / "model.safetensors")
    kept = {name: weight for name, weight in weights.items() if not name.startswith("cls.")}
    save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ConfigError, match=r"lacks .* weights, the first: cls"):
        read_module(Model(tmp_path).path, "float32")


@pytest.mark.parametrize(
    ("step", "config", "says"),
    [
        (decoder, Decoder(kind="llama", dropout=0.1), "no dropout"),
        (decoder, Decoder(kind="gpt", kv_heads=2), "share no keys"),
        (decoder, Decoder(kind="moe", experts=2, experts_per_token=3), "cannot ask 3 of 2"),
        (encoder, Encoder(width=66, heads=4), "does not split"),
        (encoder_decoder, EncoderDecoder(dropout=0.1), "acts on attention"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(tokenizer, tmp_path, step, config, says):
    with pytest.raises(ConfigError, match=says):
        step(config, tokenizer, Run(tmp_path / "model"))

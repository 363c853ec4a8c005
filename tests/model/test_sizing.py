"""What a size costs: held to torch's own counters, to PEFT, and to arithmetic that a reader can do."""

import pytest
import tiny_models
import torch
from peft import LoraConfig, get_peft_model
from test_families import FAMILIES
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from septet.core import ConfigError, Run
from septet.files import read_json
from septet.kinds import Model
from septet.model import activations, architecture, budget, flops, memory, sizing, table
from septet.model.torch_folder import empty_module, new_module
from septet.train.batches import Batch
from septet.train.objectives import cross_entropy, hidden_states
from septet.train.trainable import trainable

READ_ALONE = ("llama", "gpt", "qwen", "moe", "bert", "modernbert")
SEQUENCE = 256


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("sizing")
    tokenizer = tiny_models.byte_tokenizer(place / "tokenizer")
    return {name: step(config, tokenizer, Run(place / name)).path for name, (step, config, _) in FAMILIES.items()}


def labelled(texts):
    """Texts with a label at every token, as the counts have it."""
    batch = Batch.of([[5 + token % 90 for token in range(SEQUENCE)]] * texts, None, ["row"] * texts)
    return Batch(batch.ids, batch.ids, batch.ends, batch.rows)


@pytest.mark.parametrize("name", ["llama", "gpt", "qwen", "modernbert"])
def test_operations_are_those_that_torch_counts(made, name):
    config = read_json(made[name] / "config.json")
    module, batch = trainable(Model(made[name]), "bfloat16").train(), labelled(2)
    said = flops.flops(config, SEQUENCE)
    with FlopCounterMode(display=False) as counter:
        cross_entropy(module)(batch).loss.backward()
    assert counter.get_total_flops() / batch.num_tokens == pytest.approx(said.training, rel=0.01)


@pytest.mark.parametrize("name", READ_ALONE)
def test_what_is_kept_for_the_gradient_is_what_autograd_keeps(made, name):
    config = read_json(made[name] / "config.json")
    module, batch = trainable(Model(made[name]), "bfloat16").train(), labelled(2)
    own = {weight.untyped_storage().data_ptr() for weight in module.parameters()}
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor):
        where = tensor.untyped_storage().data_ptr()
        if where not in own:
            kept[where] = tensor
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        hidden_states(module, batch)
    said = activations.saved_bytes(sizing.Shape.of(config), batch.num_tokens, SEQUENCE, 2)
    assert said == pytest.approx(sum(one.untyped_storage().nbytes() for one in kept.values()), rel=0.1)


@pytest.mark.filterwarnings("ignore:.*_pattern keys")  # PEFT names experts before it finds them
@pytest.mark.parametrize("name", FAMILIES)
def test_adapters_have_as_many_parameters_as_peft_makes(made, name):
    config = read_json(made[name] / "config.json")
    wrapped = get_peft_model(
        new_module(config, 0), LoraConfig(r=4, target_modules="all-linear", fan_in_fan_out=name == "gpt")
    )
    assert wrapped.get_nb_trainable_parameters()[0] == memory.trained_parameters(config, 4)


def test_a_sequence_twice_as_long_doubles_attention_alone(made):
    config = read_json(made["llama"] / "config.json")
    short, long = flops.flops(config, 1024), flops.flops(config, 2048)
    assert long.forward - long.forward_attention == short.forward - short.forward_attention
    assert long.forward_attention / short.forward_attention == pytest.approx(2, rel=0.1)
    again = flops.flops(config, 1024, checkpointing=True)
    assert 4 / 3 * 0.9 < again.training / short.training < 4 / 3


def test_the_cache_knows_shared_heads_and_windows(made):
    config = read_json(made["llama"] / "config.json")
    assert memory.cache_bytes(config, 100, 3) == 3 * 100 * 3 * 2 * (2 * 16) * 2
    windowed = {**config, "model_type": "mistral", "sliding_window": 40}
    assert memory.cache_bytes(windowed, 100, 3) == memory.cache_bytes(config, 40, 3)
    assert memory.cache_bytes(read_json(made["bert"] / "config.json"), 100, 3) == 0


def test_shards_divide_what_their_stage_says(made):
    config = read_json(made["llama"] / "config.json")
    whole = memory.training(config, memory.Layout())
    stages = [memory.training(config, memory.Layout(shards=4, zero=stage)) for stage in range(4)]
    assert [whole.optimiser / one.optimiser for one in stages] == [1, 4, 4, 4]
    assert [whole.gradients / one.gradients for one in stages] == [1, 1, 4, 4]
    assert [whole.weights / one.weights for one in stages] == [1, 1, 1, 4]
    lean = memory.training(config, memory.Layout(checkpointing=True))
    assert lean.activations < whole.activations / 2
    assert memory.training(config, memory.Layout(rank=4)).optimiser < whole.optimiser / 5
    with pytest.raises(ConfigError, match="among shards"):
        memory.Layout(zero=2)


def test_the_formula_gives_the_loss_of_its_paper():
    """Chinchilla itself: 70 billion parameters, 1.4 trillion tokens; Hoffmann et al. give 1.94 by their formula."""
    plan = budget.chinchilla(70e9)
    assert (plan.tokens, round(plan.loss, 2)) == (1.4e12, 1.94)
    best = budget.by_formula(1e9)
    same = [budget.plan(1e9 * factor, best.tokens / factor) for factor in (0.9, 1.1)]
    assert all(other.loss > best.loss for other in same)


def test_more_use_asks_for_a_smaller_model_trained_for_longer():
    wanted = budget.chinchilla(1e9)
    plans = [budget.with_inference(wanted, asked) for asked in (0, 1e10, 1e12)]
    assert plans[0].parameters > plans[1].parameters > plans[2].parameters
    assert plans[0].tokens < plans[1].tokens < plans[2].tokens
    for plan, asked in zip(plans, (0, 1e10, 1e12), strict=True):
        assert plan.loss == pytest.approx(wanted.loss)
        assert plan.flops <= budget.chinchilla(1e9, asked).flops
        for factor in (0.95, 1.05):
            size = plan.parameters * factor
            tokens = (budget.B / (wanted.loss - budget.E - budget.A / size**budget.ALPHA)) ** (1 / budget.BETA)
            assert budget.plan(size, tokens, asked).flops > plan.flops


def test_an_unknown_decoder_is_estimated_and_a_config_without_sizes_is_refused(made):
    config = {**read_json(made["llama"] / "config.json"), "model_type": "olmo2", "architectures": ["Olmo2ForCausalLM"]}
    counted = sum(weight.numel() for weight in empty_module(config).parameters())
    assert sizing.num_parameters(config) == pytest.approx(counted, rel=0.01)
    with pytest.raises(ConfigError, match="names no num_hidden_layers"):
        sizing.num_parameters({"model_type": "resnet"})


def test_the_table_names_every_kind_that_a_step_makes():
    from septet.core import plugins

    steps = plugins.steps()
    named = {family.step for family in table.FAMILIES if family.step}
    for name in ("decoder", "encoder", "encoder_decoder"):
        kinds = next(info for info in steps[f"model.{name}"].fields if info.name == "kind").doc.choices
        assert {f"model.{name} kind={kind}" for kind in kinds} <= named
    assert {one.partition(" ")[0] for one in named} <= set(steps)
    assert architecture.kind({"model_type": "bert"}) == architecture.ENCODER

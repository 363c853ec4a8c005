"""Preference learning as a user runs it: it learns what was preferred, on prompts it has not seen, and nothing from noise."""

import json
import math
import random

import pytest
import torch

from septet.core import ConfigError, Run
from septet.kinds import Measure, Preferences
from septet.train.preferences import losses as preference_losses
from septet.train.preferences import reward_model
from septet.train.preferences.rows import parted
from septet.train.steps import Dpo, Kto, Reward, dpo, kto, reward

GOOD = ("12 dollars", "一百二十元", "the plain card", "首年免收")
BAD = ("is it? no", "多少？不", "what question", "问题是")


def pairs(count: int, noise: bool = False, single: bool = False) -> list[dict]:
    """Good answers against bad ones; as noise, either way round by chance."""
    chance = random.Random(5)
    rows = []
    for number in range(count):
        sides = [chance.choice(GOOD), chance.choice(BAD)]
        if noise:
            chance.shuffle(sides)
        turns = {
            key: [{"role": "assistant", "content": text}]
            for key, text in zip(("chosen", "rejected"), sides, strict=True)
        }
        if single:
            turns.pop(chance.choice(("chosen", "rejected")))
        question = {"role": "user", "content": f"{number} {chance.randrange(1000)}. What does the card cost?"}
        rows.append({"id": f"row-{number}", "prompt": [question], **turns})
    return rows


@pytest.fixture(scope="module")
def clear(tmp_path_factory):
    return Preferences.write(tmp_path_factory.mktemp("clear"), pairs(72))


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    return Preferences.write(tmp_path_factory.mktemp("noise"), pairs(72, noise=True))


def measured(model) -> dict[str, Measure]:
    log = json.loads((model.path / "training.json").read_text())
    return {name: Measure(**measure) for name, measure in log["measures"].items()}


COMMON = {"held_out": 0.4, "batch": 8, "precision": "float32", "learning_rate": 5e-3}


@pytest.mark.parametrize("rank", [0, 4])
def test_dpo_learns_what_was_preferred_and_says_how_far_it_moved(tiny, clear, tmp_path, rank):
    notes = Run(tmp_path / "out")
    model = dpo(Dpo(rank=rank, epochs=3, supervised=0.1, **COMMON), tiny, clear, notes)
    model.check()
    found = measured(model)
    assert found["gain_accuracy"].low > 0.7
    assert found["gain_margin"].low > 0
    assert found["preference_accuracy_after"].value > found["preference_accuracy_before"].value
    assert 0 < found["kl"].value < 20
    assert any(note.startswith("held-out kl") for note in notes.notes)
    assert model.card["changes"] == ["trained on preferences (dpo)"]


@pytest.mark.parametrize("step", [(dpo, Dpo), (kto, Kto)], ids=["dpo", "kto"])
def test_shuffled_preferences_teach_nothing(tiny, noise, tmp_path, step):
    function, config = step
    found = measured(function(config(rank=4, epochs=3, **COMMON), tiny, noise, Run(tmp_path / "out")))
    assert found["gain_accuracy"].low < 0.5 < found["gain_accuracy"].high


def test_kto_learns_from_answers_that_have_no_partner(tiny, tmp_path):
    rows = Preferences.write(tmp_path / "rows", pairs(90, single=True))
    model = kto(Kto(rank=0, epochs=4, **COMMON), tiny, rows, Run(tmp_path / "out"))
    found = measured(model)
    assert found["gain_auc"].low > 0.6
    assert "gain_accuracy" not in found


def test_a_reward_model_tells_better_from_worse_and_is_read_again(tiny, clear, noise, tmp_path):
    model = reward(Reward(epochs=3, **COMMON), tiny, clear, Run(tmp_path / "out"))
    found = measured(model)
    assert found["preference_accuracy_after"].low > 0.7
    assert found["margin_after"].low > 0
    module = reward_model.read(model, "float32")
    assert not any(weight.requires_grad for weight in module.parameters())
    with pytest.raises(ConfigError, match="has no head 'reward'"):
        reward_model.read(tiny, "float32")
    control = measured(reward(Reward(epochs=3, **COMMON), tiny, noise, Run(tmp_path / "control")))
    assert control["preference_accuracy_after"].low < 0.5 < control["preference_accuracy_after"].high


def test_the_same_inputs_give_the_same_bytes_with_or_without_a_kept_reference(tiny, clear, tmp_path):
    config = Dpo(rank=2, epochs=0.5, batch=4, accumulate=2)
    first = dpo(config, tiny, clear, Run(tmp_path / "a", tmp_path / "kept"))
    assert (tmp_path / "kept" / "reference.safetensors").is_file()
    again = dpo(config, tiny, clear, Run(tmp_path / "b", tmp_path / "kept"))
    anew = dpo(config, tiny, clear, Run(tmp_path / "c"))
    assert first.digest() == again.digest() == anew.digest()


def test_rows_that_cannot_be_compared_are_counted_and_kept(tiny, tmp_path):
    rows = pairs(8)
    rows[1]["rejected"] = rows[1]["chosen"]
    rows[2].pop("chosen")
    rows[3]["chosen"] = [{"role": "assistant", "content": "dollars " * 300}]
    run = Run(tmp_path / "out")
    dpo(Dpo(rank=2, held_out=0.0), tiny, Preferences.write(tmp_path / "rows", rows), run)
    assert {one["rule"]: one["count"] for one in run.drops} == {"equal answers": 1, "one answer only": 1, "too long": 1}
    kept = [json.loads(line)["id"] for line in (run.out / "dropped.jsonl").read_text().splitlines()]
    assert kept == ["row-1", "row-2", "row-3"]
    with pytest.raises(ConfigError, match="none of 1 rows"):
        dpo(Dpo(), tiny, Preferences.write(tmp_path / "few", rows[1:2]), Run(tmp_path / "none"))


def test_a_prompt_is_on_one_side_of_the_split():
    prompts = [(number % 7,) for number in range(28)]
    trained, held = parted(prompts, 0.3, 1)
    assert sorted([*trained, *held]) == list(range(28))
    assert len(held) == 8
    assert not {prompts[place] for place in trained} & {prompts[place] for place in held}


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_losses_are_those_of_the_papers():
    better, worse = torch.tensor([0.3, -1.2]), torch.tensor([-0.4, 0.5])
    gaps = [0.7, -1.7]
    expected = -sum(math.log(sigmoid(gap)) for gap in gaps) / 2
    assert preference_losses.bradley_terry(better, worse).item() == pytest.approx(expected, rel=1e-6)
    expected = -sum(0.9 * math.log(sigmoid(0.2 * gap)) + 0.1 * math.log(sigmoid(-0.2 * gap)) for gap in gaps) / 2
    assert preference_losses.dpo(better, worse, 0.2, 0.1).item() == pytest.approx(expected, rel=1e-6)
    liked = torch.tensor([True, False])
    found = preference_losses.kto(better, liked, torch.tensor(0.25), 0.5, 1.5, 2.0)
    expected = (1.5 * (1 - sigmoid(0.5 * (0.3 - 0.25))) + 2.0 * (1 - sigmoid(0.5 * (0.25 + 1.2)))) / 2
    assert found.item() == pytest.approx(expected, rel=1e-6)

"""Reinforcement as a user runs it: rewards rise on prompts it has not seen, chance teaches nothing, a kill changes nothing."""

import json
import math
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from septet.core import ConfigError, Run
from septet.kinds import Conversations, Measure, Model, Preferences
from septet.model.codec import Codec
from septet.train.batches import AnswerRows, answer_rows
from septet.train.loop import Settings, train
from septet.train.objectives import cross_entropy
from septet.train.preferences import policy
from septet.train.reinforcement import advantages
from septet.train.steps import Grpo, Ppo, Reward, grpo, ppo, reward

LETTERS = "ABCD"


def asked(count: int, answer: str = "", seed: int = 1) -> list[dict]:
    """Questions with one letter as reference: always the same, or by chance."""
    chance = random.Random(seed)
    return [
        {
            "id": f"row-{number}",
            "messages": [
                {"role": "user", "content": f"{chance.randrange(10**6)}. What does the card cost?"},
                {"role": "assistant", "content": answer or chance.choice(LETTERS)},
            ],
        }
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def guessing(tiny, tmp_path_factory):
    """A model that answers with one of four letters, by chance."""
    run = Run(tmp_path_factory.mktemp("guessing") / "model")
    found = policy.opened(tiny, 0, 1, 0, "float32")
    rows = answer_rows(asked(256), Codec(tiny.path), 256, run)
    settings = Settings(steps=60, learning_rate=5e-3, spike=0.0)
    train(found.module, AnswerRows(rows, 16, 0), cross_entropy(found.module), settings, run)
    policy.written(found, "taught to guess", run)
    return Model(run.out)


@pytest.fixture(scope="module")
def always_b(tmp_path_factory):
    return Conversations.write(tmp_path_factory.mktemp("always"), asked(120, "B", seed=2))


def measured(model: Model) -> dict[str, Measure]:
    log = json.loads((model.path / "training.json").read_text())
    return {name: Measure(**measure) for name, measure in log["measures"].items()}


COMMON = {"held_out": 0.5, "max_new_tokens": 4, "precision": "float32", "learning_rate": 2e-3, "rewards": ("choice",)}
GRPO = Grpo(iterations=12, prompts=4, group=8, rank=0, **COMMON)
PPO = Ppo(iterations=12, prompts=32, rank=0, **COMMON)


@pytest.mark.parametrize("method", [(grpo, GRPO), (ppo, PPO)], ids=["grpo", "ppo"])
def test_the_reward_rises_on_prompts_it_was_not_trained_on(guessing, always_b, tmp_path, method):
    step, config = method
    model = step(config, guessing, always_b, None, Run(tmp_path / "out"))
    model.check()
    found = measured(model)
    assert found["reward_before"].value < 0.6
    assert found["reward_gained"].low > 0.2
    assert 0 < found["kl"].value < 5
    samples = [json.loads(line) for line in (model.path / "samples.jsonl").read_text("utf-8").splitlines()]
    assert len(samples) == 60
    assert math.isclose(sum(one["reward"] for one in samples) / 60, found["reward_after"].value)


@pytest.mark.parametrize("method", [(grpo, GRPO), (ppo, PPO)], ids=["grpo", "ppo"])
def test_references_by_chance_teach_nothing(guessing, tmp_path, method):
    step, config = method
    rows = Conversations.write(tmp_path / "rows", asked(120, seed=3))
    found = measured(step(config, guessing, rows, None, Run(tmp_path / "out")))
    assert found["reward_gained"].low < 0 < found["reward_gained"].high


def test_a_reward_model_can_be_the_judge(guessing, always_b, tmp_path):
    chance = random.Random(4)
    turns = [
        {
            "prompt": row["messages"][:1],
            "chosen": [{"role": "assistant", "content": "B"}],
            "rejected": [{"role": "assistant", "content": chance.choice("ACD")}],
        }
        for row in asked(64, seed=5)
    ]
    pairs = Preferences.write(tmp_path / "pairs", turns)
    config = Reward(epochs=2, learning_rate=3e-3, precision="float32")
    judge = reward(config, guessing, pairs, Run(tmp_path / "judge"))
    config = Ppo(iterations=10, prompts=32, rank=0, kl=1.0, target_kl=1.5, **(COMMON | {"rewards": ()}))
    model = ppo(config, guessing, always_b, judge, Run(tmp_path / "out"))
    samples = [json.loads(line) for line in (model.path / "samples.jsonl").read_text("utf-8").splitlines()]
    assert sum("B" in one["answer"] for one in samples) > 40
    assert measured(model)["reward_gained"].low > 0
    with pytest.raises(ConfigError, match="nothing says what a good answer is"):
        ppo(config, guessing, always_b, None, Run(tmp_path / "none"))
    with pytest.raises(ConfigError, match="has no head 'reward'"):
        ppo(config, guessing, always_b, guessing, Run(tmp_path / "none"))


@pytest.mark.parametrize("shares", ["token", "constant"])
def test_the_variants_learn_as_well(guessing, always_b, tmp_path, shares):
    config = Grpo(
        **(COMMON | {"rewards": ("choice", "length:1-3"), "weights": (1.0, 0.2)}),
        iterations=16,
        prompts=4,
        rank=0,
        kl=0.0,
        clip_high=0.28,
        passes=2,
        steps=2,
        shares=shares,
        deviation=False,
    )
    assert measured(grpo(config, guessing, always_b, None, Run(tmp_path / "out")))["reward_gained"].low > 0.1


METHODS = {
    "grpo": (grpo, Grpo(iterations=5, prompts=2, group=4, passes=2, steps=2, rank=2, **COMMON)),
    "ppo": (ppo, Ppo(iterations=5, prompts=8, target_kl=0.1, rank=0, **COMMON)),
}
CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
import test_reinforce
from septet.core import Run
from septet.kinds import Conversations, Model
from septet.train.reinforcement import rounds
rounds._SAVE_EVERY_S = 0.0
which, model, data, out, scratch = sys.argv[2:]
step, config = test_reinforce.METHODS[which]
run = Run(out, scratch, emit=lambda event: print(event.kind, event.metric, event.at, flush=True))
step(config, Model(model), Conversations(data), None, run)
"""


@pytest.mark.parametrize("which", ["grpo", "ppo"])
def test_a_killed_run_ends_in_the_bits_of_one_that_was_not(guessing, always_b, tmp_path, which):
    step, config = METHODS[which]
    step(config, guessing, always_b, None, Run(tmp_path / "whole"))
    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent), which, str(guessing.path), str(always_b.path)]
    command += [str(tmp_path / "killed"), str(tmp_path / "kept")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        for line in killed.stdout:
            if line.startswith("metric loss 3"):
                os.kill(killed.pid, signal.SIGKILL)
                break
    assert killed.returncode == -signal.SIGKILL
    seen = []
    step(config, guessing, always_b, None, Run(tmp_path / "killed", tmp_path / "kept", emit=seen.append))
    assert next(event.at for event in seen if event.metric == "loss") in (2, 3, 4)
    names = sorted(str(file.relative_to(tmp_path / "whole")) for file in (tmp_path / "whole").rglob("*.*"))
    for name in names:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes(), name


def test_rows_that_are_no_questions_are_counted_and_kept(guessing, tmp_path):
    rows = asked(6, "B")
    rows[0]["messages"].pop()
    rows[1]["messages"][0]["content"] = "What? " * 200
    run = Run(tmp_path / "out")
    config = Grpo(iterations=1, prompts=2, group=2, rank=2, **(COMMON | {"held_out": 0.0}))
    grpo(config, guessing, Conversations.write(tmp_path / "rows", rows), None, run)
    assert {one["rule"]: one["count"] for one in run.drops} == {"no reference answer": 1, "too long": 1}
    assert len((run.out / "dropped.jsonl").read_text().splitlines()) == 2


def test_advantages_are_those_of_the_papers():
    found = advantages.group_relative(torch.tensor([1.0, 0.0, 0.0, 5.0, 5.0, 5.0]), 3, deviation=False)
    assert found.tolist() == pytest.approx([2 / 3, -1 / 3, -1 / 3, 0, 0, 0])
    found = advantages.group_relative(torch.tensor([1.0, 0.0]), 2, deviation=True)
    assert found.tolist() == pytest.approx([1.0, -1.0], abs=1e-3)

    rewards, values = [0.0, 1.0, 2.0], [0.5, -0.5, 0.25]
    surprises = [rewards[t] + 0.9 * [*values, 0.0][t + 1] - values[t] for t in range(3)]
    expected = [sum((0.9 * 0.8) ** (l - t) * surprises[l] for l in range(t, 3)) for t in range(3)]  # noqa: E741
    found = advantages.generalised(torch.tensor(rewards), torch.tensor(values), 0.9, 0.8)
    assert found.tolist() == pytest.approx(expected, rel=1e-5)

    log, old = torch.log(torch.tensor([1.5, 0.5, 1.1])), torch.zeros(3)
    advantage = torch.tensor([1.0, -1.0, 2.0])
    assert advantages.surrogate(log, old, advantage, 0.2, 0.2).tolist() == pytest.approx([1.2, -0.8, 2.2])
    assert advantages.divergence(torch.tensor([0.0]), torch.tensor([0.5])).item() == pytest.approx(math.exp(0.5) - 1.5)
    found = advantages.value_loss(torch.tensor([1.0]), torch.tensor([0.0]), torch.tensor([1.0]), 0.2)
    assert found.item() == pytest.approx(0.5 * 0.8**2)


def test_k3_is_the_divergence_on_the_whole():
    ours, theirs = (torch.randn(50, generator=torch.Generator().manual_seed(seed)).log_softmax(-1) for seed in (1, 2))
    exact = (ours.exp() * (ours - theirs)).sum()
    assert (ours.exp() * advantages.divergence(ours, theirs)).sum() == pytest.approx(exact.item(), rel=1e-4)

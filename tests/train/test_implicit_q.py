"""Implicit Q-learning finds what a decision problem is worth whose solution is known, and which answers are better."""

import json
import random

import numpy as np
import pytest
import torch

from septet.core import ConfigError, Run
from septet.kinds import Measure, Preferences
from septet.model.codec import Codec
from septet.train.optimiser import Decay, MasterAdamW
from septet.train.reinforcement import implicit_q
from septet.train.sampling import sample
from septet.train.steps import Ilql, ilql
from septet.train.trainable import trainable

STATES, GAMMA, EXPECTILE = 4, 0.9, 0.9
GO, STAY, LEAVE = range(3)


def outcome(state: int, action: int) -> tuple[float, int]:
    """A corridor: the reward is at its end; staying costs a little, leaving gives a little."""
    if action == LEAVE:
        return 0.2, -1
    if action == STAY:
        return -0.1, state
    return (1.0, -1) if state == STATES - 1 else (0.0, state + 1)


def solved() -> tuple[np.ndarray, np.ndarray]:
    """Q and V where V is the expectile of Q over actions taken by chance, to a fixed point."""
    value = np.zeros(STATES)
    for _ in range(500):
        q = np.array(
            [
                [
                    got + (GAMMA * value[after] if after >= 0 else 0.0)
                    for got, after in (outcome(s, a) for a in range(3))
                ]
                for s in range(STATES)
            ]
        )
        for _ in range(50):
            weight = np.where(q < value[:, None], 1 - EXPECTILE, EXPECTILE)
            value = (weight * q).sum(1) / weight.sum(1)
    return q, value


def walked(count: int) -> implicit_q.Steps:
    """Walks by chance, as a data set."""
    chance = random.Random(1)
    seen, done, got, last = [], [], [], []
    for _ in range(count):
        state = chance.randrange(STATES)
        while state >= 0:
            action = chance.randrange(3)
            reward, after = outcome(state, action)
            seen.append(state)
            done.append(action)
            got.append(reward)
            last.append(after < 0)
            state = after
    hidden = torch.eye(STATES)[seen]
    return implicit_q.Steps(hidden, torch.tensor(done), torch.tensor(got), torch.tensor(last))


def test_it_finds_the_values_of_a_problem_whose_solution_is_known():
    q, value = solved()
    steps = walked(600)
    learner = implicit_q.ImplicitQ(STATES, 3, 0)
    optimiser = MasterAdamW(learner, Decay(clip=0.0, beta2=0.999))
    for _ in range(600):
        learner.loss(steps, GAMMA, EXPECTILE, 0.0).backward()
        optimiser.step(1e-2)
        learner.follow(0.1)
    with torch.no_grad():
        np.testing.assert_allclose(learner.worth(torch.eye(STATES)).numpy(), q, atol=0.05)
        np.testing.assert_allclose(learner.value(torch.eye(STATES))[:, 0].numpy(), value, atol=0.05)
        leaned = learner.lean(8.0)(torch.eye(STATES), torch.full((STATES, 3), -np.log(3.0)))
    assert leaned.argmax(-1).tolist() == [GO] * STATES


def test_the_loss_is_that_of_the_paper():
    learner = implicit_q.ImplicitQ(2, 3, 1)
    chance = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for head in (*learner.q, learner.value):
            head[2].weight.copy_(torch.randn(head[2].weight.shape, generator=chance))
    learner.follow(1.0)
    steps = implicit_q.Steps(
        torch.tensor([[0.3, -1.0], [2.0, 0.5]]),
        torch.tensor([2, 0]),
        torch.tensor([0.0, 1.0]),
        torch.tensor([False, True]),
    )
    with torch.no_grad():
        q = [head(steps.hidden_ND) for head in learner.q]
        value = learner.value(steps.hidden_ND)[:, 0]
        expected = 0.0
        for row, action in enumerate((2, 0)):
            error = min(q[0][row, action], q[1][row, action]) - value[row]
            expected += (0.7 if error >= 0 else 0.3) * error**2 / 2
            aim = 0.9 * value[1] if row == 0 else 1.0
            for one in q:
                expected += (aim - one[row, action]) ** 2 / 2
                expected += 0.25 * (one[row].logsumexp(0) - one[row, action]) / 2
    assert learner.loss(steps, 0.9, 0.7, 0.25).item() == pytest.approx(float(expected), rel=1e-5)


GOOD, BAD = ("12 dollars", "一百二十元"), ("is it? no", "多少？不")


def single(count: int) -> list[dict]:
    chance = random.Random(2)
    made = []
    for number in range(count):
        answer = chance.choice(GOOD + BAD)
        question = {"role": "user", "content": f"{chance.randrange(10**6)}. What does the card cost?"}
        turn = [{"role": "assistant", "content": answer}]
        made.append({"id": str(number), "prompt": [question], "chosen": turn, "reward": float(answer in GOOD)})
    return made


def paired(count: int, noise: bool) -> list[dict]:
    chance = random.Random(3)
    made = []
    for _ in range(count):
        sides = [chance.choice(GOOD), chance.choice(BAD)]
        if noise:
            chance.shuffle(sides)
        question = {"role": "user", "content": f"{chance.randrange(10**6)}. What does the card cost?"}
        good, bad = ([{"role": "assistant", "content": side}] for side in sides)
        made.append({"prompt": [question], "chosen": good, "rejected": bad})
    return made


CONFIG = Ilql(epochs=6, learning_rate=3e-3, held_out=0.4, precision="float32", conservative=0.02)


def measured(model) -> dict[str, Measure]:
    log = json.loads((model.path / "training.json").read_text())
    return {name: Measure(**measure) for name, measure in log["measures"].items()}


def test_better_answers_are_worth_more_and_decoding_leans_to_them(tiny, tmp_path):
    data = Preferences.write(tmp_path / "rows", paired(100, noise=False))
    model = ilql(CONFIG, tiny, data, Run(tmp_path / "out"))
    model.check()
    found = measured(model)
    assert found["worth_accuracy"].low > 0.7
    assert found["kl"].low > 0
    learner, module, codec = implicit_q.read(model), trainable(model, "float32"), Codec(model.path)
    question = [{"role": "user", "content": "What does the card cost?"}]
    prompts = [list(codec.prompt(question).ids)] * 60
    firsts = {
        codec.conversation([*question, {"role": "assistant", "content": text}])[0][len(prompts[0])] for text in GOOD
    }
    plain, leaned = (
        sum(one.ids[0] in firsts for one in sample(module, prompts, 1, 1.0, 3, (), adjust))
        for adjust in (None, learner.lean(24.0))
    )
    assert leaned > plain + 10
    with pytest.raises(ConfigError, match="has no head 'implicit_q'"):
        implicit_q.read(tiny)


def test_shuffled_preferences_teach_nothing(tiny, tmp_path):
    data = Preferences.write(tmp_path / "rows", paired(100, noise=True))
    found = measured(ilql(CONFIG, tiny, data, Run(tmp_path / "out")))
    assert found["worth_accuracy"].low < 0.5 < found["worth_accuracy"].high


def test_rewards_of_single_answers_are_enough(tiny, tmp_path):
    data = Preferences.write(tmp_path / "rows", single(80))
    config = Ilql(epochs=1, held_out=0.0, precision="float32")
    digests = {ilql(config, tiny, data, Run(tmp_path / name)).digest() for name in "ab"}
    assert len(digests) == 1

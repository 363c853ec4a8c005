"""Deep Q-learning finds the optimal values of a problem whose solution is known, and which action suits a question."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from septet.core import ConfigError, Run
from septet.kinds import Conversations, Measure, Model
from septet.train.reinforcement import chooser, deep_q
from septet.train.steps import Dqn, dqn

STATES, GAMMA = 5, 0.9


def outcome(state: int, action: int) -> tuple[float, int]:
    """A corridor: one action leads on, to a reward at its end; the other ends it at once with a small one."""
    if action == 0:
        return 0.5, -1
    return (1.0, -1) if state == STATES - 1 else (0.0, state + 1)


def solved() -> np.ndarray:
    """The optimal Q by iterating over values."""
    value = np.zeros(STATES)
    for _ in range(100):
        q = np.array(
            [
                [got + (GAMMA * value[after] if after >= 0 else 0) for got, after in (outcome(s, a) for a in range(2))]
                for s in range(STATES)
            ]
        )
        value = q.max(1)
    return q


HOW = deep_q.Learning(
    iterations=700,
    tries=4,
    batch=32,
    memory=500,
    explore=0.3,
    exploring=0.8,
    target_every=10,
    discount=GAMMA,
    learning_rate=1e-2,
    clip=10.0,
    seed=1,
)


def test_it_finds_the_optimal_values(tmp_path):
    def attempt(states, actions):
        return [deep_q.Tried(*outcome(state, action)) for state, action in zip(states, actions, strict=True)]

    network, history = deep_q.learn(
        torch.eye(STATES), 2, lambda draw: int(draw.integers(STATES)), attempt, HOW, Run(tmp_path / "out")
    )
    with torch.no_grad():
        found = network(torch.eye(STATES)).numpy()
    np.testing.assert_allclose(found, solved(), atol=0.06)
    assert found.argmax(-1).tolist() == solved().argmax(-1).tolist()
    assert [history[at]["explored"] for at in (0, 560, 699)] == pytest.approx([1.0, 0.3, 0.3])


def test_the_target_values_the_action_that_the_network_chooses():
    online, target = torch.tensor([[1.0, 2.0], [0.0, 9.0]]), torch.tensor([[5.0, 0.5], [1.0, 1.0]])
    found = deep_q.wanted(torch.tensor([0.1, 0.2]), torch.tensor([False, True]), online, target, 0.9)
    assert found.tolist() == pytest.approx([0.1 + 0.9 * 0.5, 0.2])


def asked(count: int, by_chance: bool = False) -> list[dict]:
    """Chinese questions are answered by A, English ones by B; or either, by chance."""
    chance = random.Random(6)
    rows = []
    for _ in range(count):
        chinese = chance.random() < 0.5
        text = "普通卡的年费是多少？" if chinese else "What does the card cost?"
        letter = chance.choice("AB") if by_chance else "A" if chinese else "B"
        question = {"role": "user", "content": f"{chance.randrange(10**6)} {text}"}
        rows.append({"messages": [question, {"role": "assistant", "content": letter}]})
    return rows


CONFIG = Dqn(
    actions=("A", "B"),
    rewards=("choice",),
    iterations=150,
    tries=8,
    learning_rate=5e-3,
    held_out=0.4,
    max_new_tokens=4,
    precision="float32",
)


def measured(model) -> dict[str, Measure]:
    log = json.loads((model.path / "training.json").read_text())
    return {name: Measure(**measure) for name, measure in log["measures"].items()}


@pytest.fixture(scope="module")
def questions(tmp_path_factory):
    return Conversations.write(tmp_path_factory.mktemp("questions"), asked(100))


def test_the_action_that_suits_is_chosen_for_questions_not_seen(tiny, questions, tmp_path):
    model = dqn(CONFIG, tiny, questions, None, Run(tmp_path / "out"))
    model.check()
    found = measured(model)
    assert found["gained_on_best_action"].low > 0.1
    assert found["reward"].value > 0.9
    choosing = chooser.Chooser(model, "float32")
    assert choosing.choose([row["messages"][:1] for row in asked(10)]) == [
        row["messages"][1]["content"] for row in asked(10)
    ]
    with pytest.raises(ConfigError, match="has no head 'choice'"):
        chooser.Chooser(tiny, "float32")


def test_references_by_chance_teach_nothing(tiny, tmp_path):
    rows = Conversations.write(tmp_path / "rows", asked(100, by_chance=True))
    found = measured(dqn(CONFIG, tiny, rows, None, Run(tmp_path / "out")))
    assert found["gained_on_chance"].low < 0 < found["gained_on_chance"].high


def test_templates_are_tried_by_asking_the_model(tiny, questions, tmp_path):
    config = Dqn(
        actions=("{}", "Answer with a letter. {}", "A"),
        rewards=("choice",),
        iterations=5,
        max_new_tokens=4,
        precision="float32",
    )
    digests = {dqn(config, tiny, questions, None, Run(tmp_path / name)).digest() for name in "ab"}
    assert len(digests) == 1
    assert chooser.asked("Answer: {}", [{"role": "user", "content": "why?"}]) == [
        {"role": "user", "content": "Answer: why?"}
    ]
    with pytest.raises(ConfigError, match="nothing to choose"):
        dqn(Dqn(actions=("A",), rewards=("choice",)), tiny, questions, None, Run(tmp_path / "none"))


CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
import test_deep_q
from septet.core import Run
from septet.kinds import Conversations, Model
from septet.train.reinforcement import rounds
rounds._SAVE_EVERY_S = 0.0
model, data, out, scratch = sys.argv[2:]
run = Run(out, scratch, emit=lambda event: print(event.kind, event.metric, event.at, flush=True))
test_deep_q.dqn(test_deep_q.CONFIG, Model(model), Conversations(data), None, run)
"""


def test_a_killed_run_ends_in_the_bits_of_one_that_was_not(tiny, questions, tmp_path):
    whole = dqn(CONFIG, tiny, questions, None, Run(tmp_path / "whole"))
    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent), str(tiny.path), str(questions.path)]
    command += [str(tmp_path / "killed"), str(tmp_path / "kept")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        for line in killed.stdout:
            if line.startswith("metric loss 40"):
                os.kill(killed.pid, signal.SIGKILL)
                break
    assert killed.returncode == -signal.SIGKILL
    seen = []
    again = dqn(CONFIG, tiny, questions, None, Run(tmp_path / "killed", tmp_path / "kept", emit=seen.append))
    assert next(event.at for event in seen if event.metric == "loss") > 30
    assert whole.digest() == Model(again.path).digest()

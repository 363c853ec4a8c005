"""Choosing among templates or answers by deep Q-learning: the state is what a frozen model makes of the question.

A question is one decision, so that what an action is worth is the reward it is expected to bring; `deep_q` itself knows longer
episodes. Shapes: S questions, D width, A actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from septet.core import ConfigError, Run
from septet.files import read_json, write_json
from septet.kinds import Conversations, Measure, Model
from septet.model.codec import Codec
from septet.model.processor import precision_of, repeatable
from septet.statistics import difference, mean
from septet.train.batches import Batch
from septet.train.objectives import hidden_states
from septet.train.preferences import heads, policy
from septet.train.preferences.rows import parted
from septet.train.reinforcement import deep_q
from septet.train.reinforcement.questions import Question, Score, questions_of, write_history
from septet.train.sampling import sample
from septet.train.trainable import check_trainable, trainable

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from septet.train.steps.offline import Dqn

_HEAD = "choice"
_ACTIONS = "actions.json"
_READ = 16


class Chooser:
    """The head that `train.dqn` put beside a model, with the model that reads for it."""

    def __init__(self, model: Model, precision: str) -> None:
        self._weights = heads.read(model.path, _HEAD, "train.dqn")
        self._codec = Codec(model.path)
        self._module = trainable(model, precision_of(precision))
        self.actions: list[str] = read_json(model.path / "heads" / _ACTIONS)
        width = self._weights["middle"].shape[0]
        self._network = heads.Perceptron(width, len(self.actions), torch.Generator())
        self._network.load_state_dict({name: self._weights[name] for name in self._network.state_dict()})

    def choose(self, conversations: Sequence[Sequence[dict[str, str]]]) -> list[str]:
        """The best action for each conversation that ends with a question."""
        ids = [self._codec.prompt(messages).ids for messages in conversations]
        feature_SD = (_features(self._module, ids) - self._weights["middle"]) / self._weights["spread"]
        with repeatable(), torch.no_grad():
            return [self.actions[place] for place in self._network(feature_SD).argmax(-1).tolist()]


def asked(action: str, messages: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The messages with a template around the last one."""
    *before, last = messages
    return [*before, {**last, "content": action.replace("{}", last["content"])}]


def fit(config: Dqn, model: Model, rows: Conversations, score: Score, run: Run) -> None:
    """Train the head and write it beside the model. Raises ConfigError when there is nothing to choose or to ask."""
    if len(set(config.actions)) < 2:
        raise ConfigError(f"{len(set(config.actions))} different actions leave nothing to choose", "Give two or more")
    check_trainable(model)
    codec, module = Codec(model.path), trainable(model, precision_of(config.precision))
    room = policy.longest(model, config.max_prompt + config.max_new_tokens) - config.max_new_tokens
    longest = max((action for action in config.actions if "{}" in action), key=len, default="")
    room -= len(codec.encode(longest))
    questions = questions_of(rows.rows(), codec, min(config.max_prompt, room), run)
    trained_on, held = parted([question.ids for question in questions], config.held_out, config.seed)
    feature_SD = _features(module, [question.ids for question in questions])
    middle_D = feature_SD[trained_on].mean(0)
    spread_D = feature_SD[trained_on].std(0, correction=0) + 1e-6
    worth = _Worth(questions, config, codec, module, score)
    how = deep_q.Learning(
        iterations=config.iterations,
        tries=config.tries,
        batch=config.batch,
        memory=config.memory,
        explore=config.explore,
        exploring=config.exploring,
        target_every=config.target_every,
        discount=0.0,
        learning_rate=config.learning_rate,
        clip=config.clip,
        seed=config.seed,
    )
    network, history = deep_q.learn(
        (feature_SD - middle_D) / spread_D,
        len(config.actions),
        lambda draw: trained_on[int(draw.integers(len(trained_on)))],
        lambda states, actions: [deep_q.Tried(reward, -1) for reward in worth.of(states, actions)],
        how,
        run,
    )
    measures: dict[str, Measure] = {}
    if held:
        with repeatable(), torch.no_grad():
            chosen = network(((feature_SD - middle_D) / spread_D)[held]).argmax(-1).tolist()
        table_SA = np.array([worth.of(held, [action] * len(held)) for action in range(len(config.actions))]).T
        measures = _compared(table_SA, chosen)
    policy.told(measures, run)
    heads.beside(model, run.out, "a head that chooses among actions stands beside it")
    heads.write(run.out, _HEAD, {**network.state_dict(), "middle": middle_D, "spread": spread_D})
    write_json(run.out / "heads" / _ACTIONS, list(config.actions))
    write_history(history, {"questions": len(trained_on), "held_out": len(held), "measures": measures}, run)


class _Worth:
    """The reward of an action for a question; each is found once, because the likeliest answer is the same each time."""

    def __init__(
        self, questions: Sequence[Question], config: Dqn, codec: Codec, module: PreTrainedModel, score: Score
    ) -> None:
        self._questions, self._config, self._codec, self._module = questions, config, codec, module
        self._score = score
        self._found: dict[tuple[int, int], float] = {}

    def of(self, states: Sequence[int], actions: Sequence[int]) -> list[float]:
        pairs = list(zip(states, actions, strict=True))
        missing = sorted({pair for pair in pairs if pair not in self._found})
        if missing:
            answers = self._answers(missing)
            scores = self._score([self._questions[state] for state, _ in missing], answers)
            self._found.update((pair, sum(one)) for pair, one in zip(missing, scores, strict=True))
        return [self._found[pair] for pair in pairs]

    def _answers(self, pairs: Sequence[tuple[int, int]]) -> list[str]:
        made = {pair: self._config.actions[pair[1]] for pair in pairs}
        asking = [pair for pair in pairs if "{}" in made[pair]]
        prompts = [self._codec.prompt(asked(made[pair], self._questions[pair[0]].messages)).ids for pair in asking]
        if asking:
            sampled = sample(self._module, prompts, self._config.max_new_tokens, 0.0, 0, self._codec.stop_ids)
            made.update((pair, self._codec.decode(one.ids)) for pair, one in zip(asking, sampled, strict=True))
        return [made[pair] for pair in pairs]


def _features(module: PreTrainedModel, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
    """What the model makes of each prompt: the hidden state of its last token, (S, D) float32."""
    found = []
    with repeatable(), torch.no_grad():
        for start in range(0, len(prompts), _READ):
            batch = Batch.of(prompts[start : start + _READ], None, [])
            found.append(hidden_states(module, batch)[torch.tensor(batch.ends) - 1].float())
    return torch.cat(found)


def _compared(table_SA: np.ndarray[Any, Any], chosen: Sequence[int]) -> dict[str, Measure]:
    """The reward of what is chosen, beside choosing by chance and beside the one action that is best on these questions."""
    got = table_SA[np.arange(len(chosen)), list(chosen)].tolist()
    by_chance, fixed = table_SA.mean(1).tolist(), table_SA[:, int(table_SA.mean(0).argmax())].tolist()
    return {
        "reward": mean(got),
        "reward_by_chance": mean(by_chance),
        "reward_of_best_action": mean(fixed),
        "gained_on_chance": difference(by_chance, got),
        "gained_on_best_action": difference(fixed, got),
    }

"""Implicit language Q-learning (https://arxiv.org/abs/2206.11871): from answers with rewards, without sampling a single one, learn
what each next token is worth, and lean towards the better ones when decoding.

The state is the text so far, read by the frozen model; the action is the next token; the reward comes with the last one. Twin
heads give Q, of which the lower counts, by targets that follow slowly; V is an upper expectile of Q over what the data did
(https://arxiv.org/abs/2110.06169), so that no token is valued that was never seen.
Shapes: N tokens of some answers, R rows, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn.functional import cross_entropy

from septet.core import Run
from septet.files import write_json
from septet.kinds import Measure, Model, Preferences
from septet.model.codec import Codec
from septet.model.processor import precision_of, repeatable
from septet.statistics import mean
from septet.train.batches import IGNORED, AnswerRow, Batch, Shuffled
from septet.train.loop import Settings, learning_rate
from septet.train.objectives import device_of, hidden_states, output_layer
from septet.train.optimiser import Decay, MasterAdamW
from septet.train.preferences import heads, policy
from septet.train.preferences.measures import told_apart
from septet.train.preferences.rows import parted, preference_rows
from septet.train.reinforcement.rounds import rounds
from septet.train.sampling import Adjust
from septet.train.trainable import check_trainable, trainable

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from septet.train.steps.offline import Ilql

_HEAD = "implicit_q"


class Steps(NamedTuple):
    """Decisions in their order: what was seen, done and got, and which of them end an answer."""

    hidden_ND: torch.Tensor
    action_N: torch.Tensor
    reward_N: torch.Tensor
    last_N: torch.Tensor


class ImplicitQ(torch.nn.Module):
    """Twin Q heads with their targets, and a V head. float32."""

    def __init__(self, width: int, actions: int, seed: int) -> None:
        super().__init__()
        chance = torch.Generator().manual_seed(seed)
        self.q = torch.nn.ModuleList(heads.Perceptron(width, actions, chance) for _ in range(2))
        self.target = torch.nn.ModuleList(heads.Perceptron(width, actions, chance) for _ in range(2))
        self.value = heads.Perceptron(width, 1, chance)
        self.target.requires_grad_(requires_grad=False)
        self.follow(1.0)

    def follow(self, share: float) -> None:
        for target, source in zip(self.target, self.q, strict=True):
            heads.follow(target, source, share)

    def worth(self, hidden_RD: torch.Tensor) -> torch.Tensor:
        """Q of each action by the lower target, (R, V)."""
        first, second = (target(hidden_RD) for target in self.target)
        return torch.minimum(first, second)

    def loss(self, steps: Steps, discount: float, expectile: float, conservative: float) -> torch.Tensor:
        """Equations 3 and 4 of the paper: V leans to the upper expectile of Q, Q to the reward and the V that follows; the last
        term keeps the Q of actions that were not taken down."""
        taken = steps.action_N[:, None]
        value_N = self.value(steps.hidden_ND)[:, 0]
        with torch.no_grad():
            above_N = self.worth(steps.hidden_ND).gather(1, taken)[:, 0]
            after_N = torch.where(steps.last_N, 0.0, value_N.roll(-1))
            wanted_N = steps.reward_N + discount * after_N
        error_N = above_N - value_N
        loss: torch.Tensor = (torch.where(error_N < 0, 1 - expectile, expectile) * error_N.square()).mean()
        for head in self.q:
            q_NV = head(steps.hidden_ND)
            loss = loss + (wanted_N - q_NV.gather(1, taken)[:, 0]).square().mean()
            if conservative:
                loss = loss + conservative * cross_entropy(q_NV, steps.action_N)
        return loss

    def lean(self, beta: float) -> Adjust:
        """What adds beta (Q - V) to log-probabilities: for `sampling.sample`."""

        def adjust(hidden_RD: torch.Tensor, log_RV: torch.Tensor) -> torch.Tensor:
            hidden_RD = hidden_RD.to(next(self.value.parameters()).device, torch.float32)
            lead_RV: torch.Tensor = self.worth(hidden_RD) - self.value(hidden_RD)
            return log_RV + beta * lead_RV.to(log_RV.device)

        return adjust


def read(model: Model) -> ImplicitQ:
    """The heads that `train.ilql` put beside a model. Raises ConfigError for a model without them."""
    weights = heads.read(model.path, _HEAD, "train.ilql")
    made = ImplicitQ(weights["target.0.0.weight"].shape[1], weights["target.0.2.weight"].shape[0], 0)
    own = made.state_dict()
    made.load_state_dict({name: weights.get(name, weights.get(name.replace("q.", "target.", 1))) for name in own})
    return made.requires_grad_(requires_grad=False)


def fit(config: Ilql, model: Model, rows: Preferences, run: Run) -> None:
    """Train the heads and write them beside the model. Raises ConfigError when no answer can be learnt from."""
    check_trainable(model)
    module = trainable(model, precision_of(config.precision))
    module.requires_grad_(requires_grad=False)
    most = policy.longest(model, config.max_tokens)
    kept = preference_rows(rows.rows(), Codec(model.path), most, paired=False, run=run)
    trained_on, held = parted([row.prompt for row in kept], config.held_out, config.seed)
    answers: list[tuple[AnswerRow, float]] = []
    for row in (kept[place] for place in trained_on):
        liked = 1.0 if row.reward is None else float(row.reward)
        answers += [(answer, liked if answer is row.chosen else 0.0) for answer in row.answers]
    vocabulary, width = output_layer(module)[0].shape
    learner = ImplicitQ(width, vocabulary, config.seed)
    optimiser = MasterAdamW(learner, Decay(clip=config.clip, beta2=0.999))

    def of(places: Sequence[int]) -> Steps:
        chosen = [answers[place] for place in places]
        return _steps(module, policy.batch_of([one for one, _ in chosen]), [got for _, got in chosen])

    data = Shuffled(len(answers), config.batch, config.seed, 1, of)
    count = max(1, round(config.epochs * data.per_epoch))
    pace = Settings(count, config.learning_rate, config.warmup)

    def iteration(number: int) -> Mapping[str, float]:
        (steps,) = data.batches(number)
        loss = learner.loss(steps, config.discount, config.expectile, config.conservative)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = optimiser.step(learning_rate(pace, number))
        learner.follow(config.polyak)
        return {"loss": loss.item(), "gradient_norm": norm}

    kept_out = [kept[place] for place in held]
    tested = [answer for row in kept_out for answer in row.answers]
    sizes, liked_ones = (
        [len(row.answers) for row in kept_out],
        [a is row.chosen for row in kept_out for a in row.answers],
    )
    measures: dict[str, Measure] = {}
    history = rounds(count, iteration, optimiser, heads.named("target", list(learner.target)), {}, run)
    if tested:
        measures |= told_apart(_worths(module, learner, tested, config.batch), liked_ones, sizes, "worth")
        measures["kl"] = _moved(module, learner, tested, config)
    policy.told(measures, run)
    heads.beside(model, run.out, "heads of implicit language Q-learning stand beside it")
    weights = {name: weight for name, weight in learner.state_dict().items() if not name.startswith("q.")}
    heads.write(run.out, _HEAD, weights)
    curve = [round(one["loss"], 5) for one in history]
    write_json(run.out / "training.json", {"losses": curve, "held_out": len(held), "measures": measures})


def _steps(module: PreTrainedModel, batch: Batch, rewards: Sequence[float]) -> Steps:
    """The decisions of some answers; the reward comes with the last of each."""
    owner_N = policy.owners(batch)
    last_N = torch.cat((owner_N[1:] != owner_N[:-1], torch.ones(1, dtype=torch.bool)))
    reward_N = torch.where(last_N, torch.tensor(rewards)[owner_N], 0.0)
    labelled = batch.labels != IGNORED
    with torch.no_grad():
        hidden_ND = hidden_states(module, batch)[labelled].float()
    return Steps(hidden_ND, batch.labels[labelled], reward_N, last_N)


def _worths(module: PreTrainedModel, learner: ImplicitQ, answers: Sequence[AnswerRow], rows: int) -> list[float]:
    """The mean Q of each answer's tokens."""
    found: list[float] = []
    with repeatable(), torch.no_grad():
        for start in range(0, len(answers), rows):
            batch = policy.batch_of(answers[start : start + rows])
            steps = _steps(module, batch, [0.0] * len(batch.ends))
            q_N = learner.worth(steps.hidden_ND).gather(1, steps.action_N[:, None])[:, 0]
            found += (policy.text_sums(q_N, batch) / policy.text_sums(torch.ones_like(q_N), batch)).tolist()
    return found


def _moved(module: PreTrainedModel, learner: ImplicitQ, answers: Sequence[AnswerRow], config: Ilql) -> Measure:
    """KL of what is decoded with `beta` from the model itself, per token of some answers."""
    adjust, values, texts = learner.lean(config.beta), list[float](), list[str]()
    weight_VD, bias_V = output_layer(module)
    with repeatable(), torch.no_grad():
        for number, answer in enumerate(answers):
            batch = policy.batch_of([answer]).to(device_of(module))
            hidden_ND = hidden_states(module, batch)[batch.labels != IGNORED]
            log_NV = torch.nn.functional.linear(hidden_ND, weight_VD, bias_V).float().log_softmax(-1)
            leaned_NV = adjust(hidden_ND, log_NV).log_softmax(-1)
            values += (leaned_NV.exp() * (leaned_NV - log_NV)).sum(-1).tolist()
            texts += [str(number)] * len(hidden_ND)
    return mean(values, "nats a token", texts)

"""Learning from preferences and rewards: each way on held-out prompts of real text, beside a control that must not learn.

    SEPTET_SHARED=FOLDER  python benchmarks/run.py preferences

DPO trains Gemma 3 270M on reading comprehension (CMRC 2018): the right answer against another stretch of the same passage of the
same length. PPO and GRPO train it to name the intent of a question to a bank (Banking77) after a short fine-tuning on a few; DQN
chooses one by what Gemma makes of the question. The reward model, KTO and ILQL train a small decoder, made here from half of the
passages, on the other half: the sentence that follows against itself with its characters in disorder. The control has its
preferences turned by chance, or its references dealt out anew.

`SEPTET_BENCH_MODEL` names a model folder in place of Gemma, `SEPTET_BENCH_SHARE` (1: all) makes it small, and
`SEPTET_BENCH_WAYS` (`dpo;grpo`) chooses ways.
"""

from __future__ import annotations

import csv
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import adapters

from septet.core import Run
from septet.data.steps import Pack, TrainTokenizer, pack, tokenizer
from septet.kinds import Conversations, Corpus, Model, Preferences
from septet.model.steps import Decoder, decoder
from septet.train import steps

SHARE = float(os.environ.get("SEPTET_BENCH_SHARE", "1"))
WAYS = ("reward", "dpo", "kto", "ilql", "ppo", "grpo", "dqn")
_INTENTS = 8


def measure() -> list[str]:
    if not (adapters.SHARED / "corpora" / "cmrc2018-zh").is_dir():
        return [f"Not measured: {adapters.SHARED} holds no corpora; name the folder with SEPTET_SHARED."]
    wanted = os.environ.get("SEPTET_BENCH_WAYS", "")
    lines = [
        "Intervals of 95 %; KL to the model as it was, in nats a token, on held-out prompts.",
        "",
        "| way | measured on held-out prompts | before | after | KL | control | CPU seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory(prefix="septet-bench-") as scratch:
        bench = _Bench(Path(scratch))
        for way in WAYS:
            if not wanted or way in wanted.split(";"):
                lines.append(bench.line(way))
    return lines


class _Bench:
    """Models are made when a way first wants them."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._made: dict[str, Model] = {}
        passages = sorted(set(_passages()))
        random.Random(1).shuffle(passages)
        passages = passages[: _some(len(passages))]
        self._read, self._kept = passages[: len(passages) // 2], passages[len(passages) // 2 :]

    def line(self, way: str) -> str:
        start = time.process_time()
        run: Callable[[bool], Model] = lambda control: getattr(self, f"_{way}")(control)  # noqa: E731
        what, before, after = {
            "reward": ("preference accuracy", "preference_accuracy_before", "preference_accuracy_after"),
            "dpo": ("chosen gains more", "", "gain_accuracy"),
            "kto": ("chosen gains more", "", "gain_accuracy"),
            "ilql": ("chosen is worth more", "", "worth_accuracy"),
            "ppo": ("intent right", "reward_before", "reward_after"),
            "grpo": ("intent right", "reward_before", "reward_after"),
            "dqn": ("intent right", "reward_of_best_action", "reward"),
        }[way]
        found = _measures(run(False))
        seconds = time.process_time() - start
        control = _measures(run(True))
        gained = "reward_gained" if "reward_gained" in control else "gained_on_chance" if way == "dqn" else ""
        against = f"{'gains ' if gained else ''}{_shown(control[gained or after])}"
        kl = _shown(found["kl"]) if "kl" in found else "-"
        return (
            f"| {way} | {what} | {_shown(found[before]) if before else '0.50'} | {_shown(found[after])} | {kl} | {against} "
            f"| {seconds:,.0f} |"
        )

    def _reward(self, control: bool) -> Model:
        config = steps.Reward(epochs=2, batch=16, learning_rate=3e-4, held_out=0.25)
        return steps.reward(config, self._small, self._pairs("reward", _orders(self._kept), control), self._run())

    def _kto(self, control: bool) -> Model:
        config = steps.Kto(epochs=2, rank=0, batch=32, learning_rate=1e-4, held_out=0.25)
        return steps.kto(config, self._small, self._pairs("kto", _orders(self._kept), control), self._run())

    def _ilql(self, control: bool) -> Model:
        config = steps.Ilql(batch=32, held_out=0.25)
        return steps.ilql(config, self._small, self._pairs("ilql", _orders(self._kept), control), self._run())

    def _dpo(self, control: bool) -> Model:
        config = steps.Dpo(epochs=1, batch=8, accumulate=2, held_out=0.25)
        rows = _spans(_cut(_questions(), 400))
        return steps.dpo(config, self._gemma, self._pairs("dpo", rows, control), self._run())

    def _ppo(self, control: bool) -> Model:
        config = steps.Ppo(
            rewards=("exact",),
            iterations=_some(40),
            prompts=64,
            passes=1,
            max_new_tokens=12,
            learning_rate=2e-4,
            held_out=0.3,
        )
        return steps.ppo(config, self._clerk, self._intents("ppo", control), None, self._run())

    def _grpo(self, control: bool) -> Model:
        config = steps.Grpo(
            rewards=("exact",),
            iterations=_some(40),
            prompts=8,
            group=8,
            max_new_tokens=12,
            learning_rate=2e-4,
            held_out=0.3,
        )
        return steps.grpo(config, self._clerk, self._intents("grpo", control), None, self._run())

    def _intents(self, way: str, control: bool) -> Conversations:
        return self._asked(f"{way}-intents", _cut(_banking()[0][_some(24) :], 500), control)

    def _dqn(self, control: bool) -> Model:
        rows, intents = _banking()
        config = steps.Dqn(actions=intents, rewards=("exact",), iterations=_some(1500), held_out=0.3)
        return steps.dqn(config, self._gemma, self._asked("banking", rows, control), None, self._run())

    @property
    def _gemma(self) -> Model:
        if "gemma" not in self._made:
            self._made["gemma"] = Model(adapters._model(self._place))
        return self._made["gemma"]

    @property
    def _clerk(self) -> Model:
        """Gemma after a short fine-tuning on a few other questions to a bank: it knows how an intent is named."""
        if "clerk" not in self._made:
            rows = Conversations.write(self._place / "clerk", _banking()[0][: _some(24)])
            self._made["clerk"] = steps.finetune(steps.FineTune(epochs=2), self._gemma, rows, self._run())
        return self._made["clerk"]

    @property
    def _small(self) -> Model:
        """A decoder of a few million weights, pretrained for a minute or two."""
        if "small" not in self._made:
            rows = [
                {"id": str(number), "text": text, "language": "zh", "licence": "CC BY-SA 4.0", "origin": "collected"}
                for number, text in enumerate(self._read)
            ]
            rows = [{**row, "source": "cmrc2018", "source_digest": "", "access": "public", "start": 0} for row in rows]
            corpus = Corpus.write(
                self._place / "corpus", ({**row, "end": len(row["text"]), "transforms": []} for row in rows)
            )
            cutter = tokenizer(TrainTokenizer(vocabulary=4096), corpus, self._run())
            made = decoder(Decoder(layers=6, width=256, heads=4, context=256), cutter, self._run())
            tokens = pack(Pack(sequence=256), corpus, cutter, self._run())
            config = steps.Pretrain(steps=_some(400), batch=8)
            self._made["small"] = steps.pretrain(config, made, tokens, self._run())
        return self._made["small"]

    def _run(self) -> Run:
        return Run(tempfile.mkdtemp(dir=self._place))

    def _pairs(self, name: str, rows: Sequence[dict[str, Any]], control: bool) -> Preferences:
        chance = random.Random(7)
        turned = [
            {**row, "chosen": row["rejected"], "rejected": row["chosen"]} if control and chance.random() < 0.5 else row
            for row in rows
        ]
        return Preferences.write(self._place / f"{name}-{control}", turned)

    def _asked(self, name: str, rows: Sequence[dict[str, Any]], control: bool) -> Conversations:
        answers = [row["messages"][-1] for row in rows]
        if control:
            random.Random(7).shuffle(answers)
        dealt = [{**row, "messages": [row["messages"][0], answer]} for row, answer in zip(rows, answers, strict=True)]
        return Conversations.write(self._place / f"{name}-{control}", dealt)


def _passages() -> Iterator[str]:
    for name in ("cmrc2018_dev_part.json", "cmrc2018_trial.json"):
        read = json.loads((adapters.SHARED / "corpora" / "cmrc2018-zh" / name).read_text("utf-8"))
        for document in read["data"]:
            yield from (paragraph["context"] for paragraph in document["paragraphs"])


def _questions() -> list[dict[str, Any]]:
    """Reading comprehension in an order by passage, so that a cut parts passages but for one."""
    return sorted(adapters._cmrc(random.Random(1)), key=lambda row: (row["document"], row["id"]))


def _orders(passages: Sequence[str]) -> list[dict[str, Any]]:
    """A sentence, the one that follows, and that one with its characters in disorder."""
    chance, rows = random.Random(2), []
    for passage in passages:
        sentences = [sentence + "。" for sentence in passage.split("。") if 8 <= len(sentence) <= 60]
        for before, after in zip(sentences[::2], sentences[1::2], strict=False):
            broken = list(after)
            chance.shuffle(broken)
            rows.append(_pair(before, after, "".join(broken)))
    return _cut(rows, 1000)


def _spans(questions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The right answer, and another stretch of the same passage of the same length."""
    chance, rows = random.Random(2), []
    for row in questions:
        question, answer = (message["content"] for message in row["messages"])
        context = question.partition("：")[2].partition("\n问题：")[0]
        starts = [at for at in range(len(context) - len(answer)) if context[at : at + len(answer)] != answer]
        if starts:
            at = chance.choice(starts)
            rows.append(_pair(question, answer, context[at : at + len(answer)]))
    return rows


def _pair(question: str, chosen: str, rejected: str) -> dict[str, Any]:
    turns = {"chosen": chosen, "rejected": rejected}
    prompt = [{"role": "user", "content": question}]
    return {"prompt": prompt, **{key: [{"role": "assistant", "content": text}] for key, text in turns.items()}}


def _banking() -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Questions to a bank with one of a few intents, which are drawn by chance."""
    with (adapters.SHARED / "corpora" / "banking77-en" / "train.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    intents = tuple(random.Random(1).sample(sorted({row["category"] for row in read}), _INTENTS))
    kept = [row for row in read if row["category"] in intents]
    random.Random(2).shuffle(kept)
    return [
        {
            "messages": [
                {"role": "user", "content": row["text"]},
                {"role": "assistant", "content": row["category"].replace("_", " ")},
            ]
        }
        for row in _cut(kept, 800)
    ], tuple(intent.replace("_", " ") for intent in intents)


def _some(count: int) -> int:
    return max(2, round(count * SHARE))


def _cut(rows: Sequence[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    return list(rows[: max(32, round(count * SHARE))])


def _measures(model: Model) -> dict[str, dict[str, float]]:
    log: dict[str, Any] = json.loads((model.path / "training.json").read_text("utf-8"))
    found: dict[str, dict[str, float]] = log["measures"]
    return found


def _shown(measure: dict[str, float]) -> str:
    return f"{measure['value']:.2f} [{measure['low']:.2f}, {measure['high']:.2f}]"

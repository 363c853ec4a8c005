"""Asking a judge about answers, and what came back: a verdict, or why there is none.

A judge is any engine. It writes its reason and a verdict, or the likelihood of the verdicts is compared, which is cheaper and
always gives one. Of a pair it is asked in both orders: only a verdict that holds in both counts as a win (Zheng et al., 2023,
arXiv 2306.05685), and one that turns with the order is a tie that is counted. A judge that says nothing, nonsense or two things,
that is cut off or fails, gives no score: its outcome says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from septet.core import ConfigError
from septet.evaluate import asking
from septet.evaluate.asking import Raw
from septet.evaluate.form import Task
from septet.evaluate.judge.reading import addresses_judge, likeliest, verdict_of
from septet.evaluate.judge.rubric import Rubric
from septet.evaluate.judge.wording import Case, choices
from septet.evaluate.judge.wording import asking as worded
from septet.evaluate.prompts import Question
from septet.evaluate.verdicts.verdict import said as said_of
from septet.inference.protocol import Engine, Options

By = Literal["generation", "likelihood"]
Outcome = Literal["judged", "empty", "truncated", "unparsed", "failed", "answer empty", "answer failed"]
OUTCOMES: tuple[Outcome, ...] = ("judged", "empty", "truncated", "unparsed", "failed", "answer empty", "answer failed")


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a judge is asked."""

    by: By = "generation"
    chat: bool = True
    max_tokens: int = 512
    batch: int = 8
    seed: int = 1


class Said(msgspec.Struct, frozen=True):
    """One asking of a judge. Of a pair, `verdict` is of the answers as they were shown."""

    prompt: str
    """The digest of what the judge read."""
    outcome: Outcome
    verdict: str
    reason: str = ""
    output: str = ""
    probabilities: dict[str, float] = {}
    bound: bool = False
    """Whether an endpoint named the likeliest verdicts only."""
    tokens: int = 0
    prompt_tokens: int = 0


class Judgement(msgspec.Struct, frozen=True):
    """What a judge says of a row. `outcome`: `judged`; what became of the judge's output (`empty`, `truncated`, `unparsed`,
    `failed`); or that there was nothing to judge (`answer empty`, which is the worst verdict, and `answer failed`, which is
    none)."""

    id: str
    outcome: Outcome
    verdict: str
    score: float | None
    """From 0 to 1; of a pair, that of the first answer."""
    reason: str = ""
    asked: tuple[Said, ...] = ()
    """What was asked and said, once for each order."""
    position_inconsistent: bool = False
    """Whether the verdict on a pair turned with its order."""
    addresses_judge: bool = False
    """Whether an answer states a verdict itself."""


def judge(engine: Engine, rows: Sequence[Mapping[str, Any]], rubric: Rubric, way: Way | None = None) -> list[Judgement]:
    """What the judge says of each row, in their order.

    A row has `id`, `question`, `output`, and where there are any `references`, `history` (earlier turns, each a question and its
    answer) and `outcome` (`failed`: it has no answer). For a pair it has `other`, the second answer, and `other_outcome`.

    Raises ConfigError for a row without a reference where the rubric compares with one.
    """
    way = way or Way()
    found: dict[int, Judgement] = {}
    cases: list[tuple[int, Case]] = []
    for place, row in enumerate(rows):
        settled = _settled(row, rubric)
        if settled is not None:
            found[place] = settled
            continue
        cases += [(place, case) for case in _cases(row, rubric)]
    said = _asked(engine, [case for _, case in cases], rubric, way)
    by_place: dict[int, list[Said]] = {}
    for (place, _), one in zip(cases, said, strict=True):
        by_place.setdefault(place, []).append(one)
    for place, some in by_place.items():
        row = rows[place]
        sways = any(addresses_judge(shown(row.get(key)), rubric) for key in ("output", "other"))
        made = (
            _of_pair(str(row["id"]), some, rubric) if rubric.kind == "pair" else _of_one(str(row["id"]), some, rubric)
        )
        found[place] = msgspec.structs.replace(made, addresses_judge=sways)
    return [found[place] for place in range(len(rows))]


def shown(output: object) -> str:
    """What a judge sees of an output: what was said, without the thinking before it."""
    return said_of(str(output or "")).strip()


def _settled(row: Mapping[str, Any], rubric: Rubric) -> Judgement | None:
    """What needs no judge: an answer that is missing or empty."""
    identity = str(row["id"])
    pair = rubric.kind == "pair"
    if row.get("outcome") == "failed" or (pair and row.get("other_outcome") == "failed"):
        return Judgement(identity, "answer failed", "", None, str(row.get("reason") or "the answer failed"))
    empty = [not shown(row.get(key)) for key in (("output", "other") if pair else ("output",))]
    if not any(empty):
        return None
    if pair:
        verdict = "TIE" if all(empty) else "B" if empty[0] else "A"
    else:
        verdict = "NOT_ATTEMPTED" if rubric.kind == "reference" else rubric.verdicts[0]
    return Judgement(identity, "answer empty", verdict, rubric.score(verdict))


def _cases(row: Mapping[str, Any], rubric: Rubric) -> list[Case]:
    references = tuple(str(one) for one in row.get("references") or () if str(one).strip())
    if rubric.kind == "reference" and not references:
        raise ConfigError(
            f"{row['id']} has no reference, and the rubric '{rubric.name}' compares with one",
            "Use a rubric of the kind 'scale', or give the suite its references",
        )
    history = tuple((str(asked), str(answered)) for asked, answered in row.get("history") or ())
    question = "\n".join(filter(None, (str(row.get("passage") or ""), str(row["question"]))))
    one = shown(row["output"])
    if rubric.kind != "pair":
        return [Case(question, (one,), references, history)]
    other = shown(row["other"])
    return [Case(question, (one, other), references, history), Case(question, (other, one), references, history)]


def _asked(engine: Engine, cases: Sequence[Case], rubric: Rubric, way: Way) -> list[Said]:
    """What the judge says of each case."""
    task = Task("judge", rubric.language, "generate" if way.by == "generation" else "letter", "option")
    blank = "" if rubric.language == "zh" else " "
    ends = tuple(blank + one for one in choices(rubric)) if way.by == "likelihood" else ()
    questions = []
    for place, case in enumerate(cases):
        made = worded(case, rubric, engine.codec, way.by)
        questions.append(Question({"id": f"{place:09d}"}, task, task.mode, made.text, ends, 0))
    found: dict[int, Said] = {}
    for question, raw, _ in _answers(engine, questions, way):
        found[int(question.item["id"])] = _said(question, raw, rubric)
    return [found[place] for place in range(len(cases))]


def _answers(engine: Engine, questions: Sequence[Question], way: Way) -> Iterator[tuple[Question, Raw, float]]:
    if way.by == "likelihood":
        return asking.likelihoods(engine, questions, way.chat)
    # A judge that opens a fence goes on with material of its own.
    options = Options(max_tokens=way.max_tokens, seed=way.seed, stop=("\n<<<",))
    return asking.generated(engine, questions, way.chat, options, way.batch)


def _said(question: Question, raw: Raw, rubric: Rubric) -> Said:
    if raw.failure:
        return Said(question.digest, "failed", "", raw.failure, tokens=raw.tokens, prompt_tokens=raw.read)
    if question.ends:
        verdict, shares = likeliest(raw.log_probabilities, rubric)
        shares = {name: round(share, 6) for name, share in shares.items()}
        return Said(question.digest, "judged", verdict, "", "", shares, raw.bound, raw.tokens, raw.read)
    verdict, reason = verdict_of(raw.output, rubric)
    outcome: Outcome = "judged"
    if not verdict:
        outcome = "empty" if not raw.output.strip() else "truncated" if raw.finish == "length" else "unparsed"
    return Said(question.digest, outcome, verdict, reason, raw.output, tokens=raw.tokens, prompt_tokens=raw.read)


def _of_one(identity: str, said: Sequence[Said], rubric: Rubric) -> Judgement:
    (one,) = said
    score = rubric.score(one.verdict) if one.outcome == "judged" else None
    return Judgement(
        identity, one.outcome, one.verdict, score, "" if one.outcome == "judged" else one.reason, tuple(said)
    )


_TURNED = {"A": "B", "B": "A", "TIE": "TIE"}


def _of_pair(identity: str, said: Sequence[Said], rubric: Rubric) -> Judgement:
    first, second = said
    lost = next((one for one in said if one.outcome != "judged"), None)
    if lost is not None:
        return Judgement(identity, lost.outcome, "", None, lost.reason, tuple(said))
    turned = first.verdict != _TURNED[second.verdict]
    verdict = "TIE" if turned else first.verdict
    return Judgement(identity, "judged", verdict, rubric.score(verdict), "", tuple(said), turned)


def preference(judgement: Judgement) -> float | None:
    """How far the judge prefers the first answer of a pair, from 0 to 1: the mean over both orders, of the verdicts or, where
    their likelihood was asked, of their probabilities. None where there is no verdict."""
    if judgement.score is None or not judgement.asked:
        return judgement.score
    values = []
    for one, side in zip(judgement.asked, ("A", "B"), strict=True):
        shares = one.probabilities or {one.verdict: 1.0}
        values.append(shares.get(side, 0.0) + shares.get("TIE", 0.0) / 2)
    return sum(values) / len(values)


def expected(judgement: Judgement, rubric: Rubric) -> float | None:
    """The mean score over the probabilities of the verdicts, from 0 to 1, as G-Eval has it; without probabilities, the score."""
    if rubric.kind == "pair" or judgement.score is None or not judgement.asked or not judgement.asked[0].probabilities:
        return judgement.score
    return sum(share * rubric.score(verdict) for verdict, share in judgement.asked[0].probabilities.items())

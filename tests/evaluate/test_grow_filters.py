"""What is sieved out of a grown exam, each with its reason: doubles, tells, training data, and what solvers say."""

from __future__ import annotations

import random

import pytest
import tiny_models
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.core import ConfigError
from septet.evaluate.growth.filter import ambiguous, contaminated, duplicates, placed, tells, untold
from septet.evaluate.growth.generate import made, tasks
from septet.evaluate.growth.grow import grow
from septet.evaluate.growth.solve import by_solvers, solve
from septet.evaluate.growth.spans import Span
from septet.inference.protocol import Likelihood, Unscored, load
from septet.kinds import Report


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return load(tiny_models.llama(tmp_path_factory.mktemp("sieved") / "model", context=2048), "torch-float32")


def choice(identity, question="Which option fills the gap in this sentence?\nIt is open for ____ a week.", answer="30 hours",
           wrong=("12 hours", "40 hours", "55 hours"), kind="choice", language="en", document=None):  # fmt: skip
    text = question.split("\n")[-1].replace("____", answer)
    document = document or {"id": f"d{identity}", "text": text}
    span = Span(document["text"].index(text), document["text"].index(text) + len(text))
    return made("exam", kind, language, document, str(identity), question, answer, wrong, span, "quantity", "rule")


def test_doubles_are_found_to_the_letter_and_nearly():
    ask = "填空\n{}的顾客可以在收到商品以后的____以内持小票无理由退货，逾期的不予受理，另有约定的除外。"
    items = [
        choice(1, ask.format("海港店"), "三十日", ("十日", "六十日", "九十日"), language="zh"),
        choice(2, ask.format("海港店"), "三十日", ("十日", "六十日", "九十日"), language="zh"),
        choice(3, ask.format("海港店") + "（新）", "三十日", ("十日", "六十日", "九十日"), language="zh"),
        choice(4, ask.format("海港店"), "三十日", (), "cloze", "zh"),
        choice(
            5,
            "填空\n会员积分自获得之日起满____未使用的自动清零，不另行通知。",
            "三十日",
            ("十日", "六十日", "九十日"),
            language="zh",
        ),
    ]
    kept, gone = duplicates(items)
    assert [one["meta"]["span"] for one in kept] == ["1", "4", "5"]
    assert gone[0]["reason"] == f"the same question as {items[0]['id']}"
    assert gone[1]["reason"].startswith(f"nearly the question {items[0]['id']}")
    assert not duplicates(items[:1], items[3:4])[1], "a written question is no double of a choice"
    assert duplicates(items[:1], [{**items[0], "id": "old"}])[1][0]["reason"] == "the same question as old"


@settings(max_examples=60)
@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=24), max_size=12), st.sampled_from([0.5, 0.8, 1.0]))
def test_near_doubles_are_those_of_all_pairs(texts, near):
    items = [choice(at, f"{text}?", "x") for at, text in enumerate(texts)]
    found = {one["meta"]["span"] for one in duplicates(items, near=near)[0]}

    def grams(text):
        text = f"{text}?"
        return {text[at : at + 5] for at in range(max(1, len(text) - 4))}

    kept = []
    for at, text in enumerate(texts):
        likeness = [len(grams(text) & grams(texts[other])) / len(grams(text) | grams(texts[other])) for other in kept]
        if text not in [texts[other] for other in kept] and not any(one >= near for one in likeness):
            kept.append(at)
    assert found == {str(at) for at in kept}


def test_ambiguous_items_go():
    good = choice(1)
    other = choice(2, wrong=("a week", "40 hours", "55 hours"))
    same = choice(3, wrong=("40 hours", "40  hours", "55 hours"))
    bare = {**choice(4), "answers": ["31 hours"]}
    kept, gone = ambiguous([good, other, same, bare])
    assert kept == [good]
    assert [row["reason"] for row in gone] == [
        "the option 'a week' stands in the evidence too",
        "two options are the same",
        "the evidence does not hold the answer",
    ]


def test_a_right_option_that_is_too_often_the_longest_is_brought_to_chance():
    draw = random.Random(4)
    items = []
    for at in range(400):
        wrong = [f"{draw.randrange(10, 99)} hours" for _ in range(3)]
        answer = "one hundred and two hours" if at % 2 else f"{draw.randrange(10, 99)} hours"
        items.append(choice(at, answer=answer, wrong=wrong))
    before = tells(items)
    assert before["longest"].low > 0.5
    kept, gone = untold(items)
    after = tells(kept)
    assert after["longest"].low <= 0.25
    assert len(kept) + len(gone) == 400
    assert all("longest" in row["reason"] for row in gone)
    assert len(kept) >= 200
    assert untold(items) == (kept, gone)
    even = [choice(at, answer="10 hours", wrong=("11 hours", "12 hours", "13 hours")) for at in range(50)]
    assert untold(even) == (even, [])


def test_the_right_option_stands_everywhere_equally_often():
    items = [choice(at) for at in range(41)]
    out = placed(items, seed=3)
    counts = [sum(one["label"] == place for one in out) for place in range(4)]
    assert sorted(counts) == [10, 10, 10, 11]
    for before, after in zip(items, out, strict=True):
        assert sorted(after["options"]) == sorted(before["options"])
        assert after["options"][after["label"]] == "30 hours"
        assert after["labels"] == [after["label"]]
    assert placed(items, seed=3) == out
    assert len({tuple(one["options"]) for one in out}) > 8


def test_what_training_data_held_goes(tmp_path):
    items = [choice(at) for at in range(4)]
    said = [
        {"id": items[at]["id"], "verdict": verdict}
        for at, verdict in enumerate(("clean", "contaminated", "not testable"))
    ]
    kept, gone = contaminated(items, Report.write(tmp_path / "c", "scan", {}, said))
    assert [one["meta"]["contamination"] for one in kept] == ["clean", "not testable", "not scanned"]
    assert gone == [{"source": "d1", "where": items[1]["id"], "reason": "it stands in the data of the report 'scan'"}]


class Solver:
    """An engine that scores letters by a function of the prompt's text: it finds, knows or guesses."""

    name = "solver"

    def __init__(self, codec, think):
        self.codec, self.think = codec, think

    def score(self, asked):
        for place, one in enumerate(asked):
            text = self.codec.decode(one.prompt.ids)
            options = [line.split(". ", 1)[1] for line in text.splitlines() if line[1:3] == ". "]
            worth = self.think(text, options)
            yield place, Unscored("too long") if worth is None else [Likelihood((one,)) for one in worth]

    def generate(self, prompts, options):
        raise NotImplementedError

    def stream(self, prompt, options):
        raise NotImplementedError

    def close(self):
        pass


def reads(text, options):
    """Finds the option that stands in the passage; else it likes the first letter a little."""
    before = text.split("\nA. ")[0]
    return [5.0 if option in before else 0.1 * (option == options[0]) for option in options]


def knows(text, options):
    return [5.0 * (option == "30 hours") for option in options]


def test_items_that_do_not_need_their_document_go(engine):
    items = placed([choice(at) for at in range(5)])
    known = {task.name: task for task in tasks(items)}
    texts = {one["meta"]["document"]: one["evidence"]["quote"] for one in items}
    kept, gone = by_solvers(items, known, texts, [Solver(engine.codec, reads)])
    assert not gone
    assert all(one["meta"]["solved"]["with_document"][0] > 0.9 for one in kept)
    assert all(one["meta"]["solved"]["without"][0] < 0.4 for one in kept)
    assert by_solvers(items, known, texts, [Solver(engine.codec, knows)])[1][0]["reason"].startswith(
        "it is answered without its document (chance of the right option 0.9"
    )
    both = [Solver(engine.codec, reads), Solver(engine.codec, knows)]
    assert "without its document" in by_solvers(items, known, texts, both)[1][0]["reason"]
    letters = Solver(engine.codec, lambda text, options: [1.0, 0, 0, 0])
    assert by_solvers(items, known, texts, [letters])[1][0]["reason"].startswith("the solvers do not agree")
    wrong = Solver(engine.codec, lambda text, options: [5.0 * (one == "12 hours") for one in options])
    assert by_solvers(items, known, texts, [wrong])[1][0]["reason"].startswith("the solvers do not find")
    assert by_solvers(items, known, texts, [Solver(engine.codec, reads), wrong])[1][0]["reason"].startswith(
        "the solvers do not agree"
    )
    lost = Solver(engine.codec, lambda text, options: None)
    assert by_solvers(items, known, texts, [lost])[1][0]["reason"] == "it could not be asked: too long"
    with pytest.raises(ConfigError, match="no model is there"):
        by_solvers(items, known, texts, [])
    with pytest.raises(ConfigError, match="the document of exam-choice/en/0 is not there"):
        by_solvers(items, known, {}, [letters])


def test_a_long_document_is_shown_around_its_evidence(engine):
    seen = []

    def look(text, options):
        seen.append(text)
        return reads(text, options)

    one = choice(1)
    sentence = one["evidence"]["quote"]
    document = {"id": "long", "text": "x" * 3000 + sentence + "y" * 3000}
    item = choice(1, document=document)
    known = {task.name: task for task in tasks([item])}
    kept, _ = by_solvers([item], known, {"long": document["text"]}, [Solver(engine.codec, look)], window=200)
    assert kept
    assert sentence in seen[0]
    assert 150 < len(seen[0].split("\nWhich option")[0]) <= 200


def test_a_real_model_solves_in_two_orders(engine):
    items = placed([choice(at) for at in range(3)])
    found = solve(engine, items, {task.name: task for task in tasks(items)})
    for one in found:
        assert len(one.orders) == 2
        assert sum(one.chances) == pytest.approx(1)


def test_twins_go_together(engine):
    documents = [
        {
            "id": str(number),
            "text": f"商店{chr(0x4E00 + number)}规定顾客可以在{number}日以内持小票办理退货并且全额退款。",
            "language": "zh",
        }
        for number in range(11, 31)
    ]
    whole = grow(documents, "shop", "2026-11-29")
    assert len(whole.items) == 40

    def stumbles(text, options):
        return None if "15日" in text.split("\nA. ")[0] else reads(text, options)

    some = grow(documents, "shop", "2026-11-29", solvers=[Solver(engine.codec, stumbles)])
    assert len(some.items) == 38
    reasons = [row["reason"] for row in some.rejected]
    assert any("could not be asked" in reason for reason in reasons)
    assert any(reason.startswith("its twin") for reason in reasons)
    renewed = grow(
        documents, "shop", "2026-12-30", earlier=[one for one in whole.items if one["meta"]["document"] in ("11", "12")]
    )
    assert len(renewed.items) == 36

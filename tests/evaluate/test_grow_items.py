"""Items out of documents: by rule on documents of our own and on real ones, and by a model in a strict form."""

from __future__ import annotations

import json

import pytest
import tiny_models
from hypothesis import given
from hypothesis import strategies as st

from septet.core import ConfigError, Run, StepFailed
from septet.evaluate.growth import written
from septet.evaluate.growth.filter import tells
from septet.evaluate.growth.generate import generate, tasks
from septet.evaluate.growth.grow import grow
from septet.evaluate.growth.spans import Span, folded, sentences, values
from septet.evaluate.growth.written import checked, located, parsed
from septet.evaluate.score import evaluate
from septet.evaluate.steps import Score
from septet.evaluate.suites import sealed
from septet.inference.protocol import Completion, load


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.llama(tmp_path_factory.mktemp("grown") / "model", context=2048)


def own_documents():
    chinese = [
        ("存款", "客户存入款项满{}日的，银行按照活期利率另加零点一个百分点计算利息并一次付清。", range(11, 41, 3)),
        ("挂失", "持卡人丢失卡片以后应当在{}小时以内向银行书面挂失，逾期造成的损失由本人承担。", range(12, 72, 6)),
        ("转账", "单笔转账金额超过{}万元的，柜员须请客户出示身份证件并当面核对转账的用途。", range(5, 55, 5)),
    ]
    english = [
        (
            "Returns",
            "A customer who is not content may send the parcel back within {} days and is refunded in full.",
            range(14, 64, 5),
        ),
        (
            "Fees",
            "The bank charges a fee of ${} for each paper statement that a customer orders at the counter.",
            range(3, 43, 4),
        ),
        (
            "Cards",
            "A lost card is replaced free of charge when the holder tells the branch within {} hours of the loss.",
            range(6, 66, 6),
        ),
    ]
    made = []
    for language, groups in (("zh", chinese), ("en", english)):
        for title, sentence, numbers in groups:
            for number in numbers:
                # Each document is about a branch of its own, so that no two say one sentence with two values.
                branch = chr(ord("A") + number % 26) + chr(ord("a") + number // 26)
                lead = f"{branch}分行的" if language == "zh" else f"At the branch {branch} it is so: "
                made.append(
                    {
                        "id": f"{language}-{title}-{number}",
                        "text": f"# {title}\n\n{lead}{sentence.format(number)}\n",
                        "language": language,
                        "title": title,
                        "source": f"{title}.md",
                    }
                )
    return made


def test_values_are_found_with_their_types_in_both_languages():
    text = (
        "自2024年7月1日起，满三十个工作日的按百分之五计息，上限为五千元，依照《存款办法》执行，每页30日。第三年不计。"
    )
    span = Span(0, len(text))
    found = {one.text: one.type.split(":")[0] for one in values(text, span, "zh")}
    assert found == {
        "2024年7月1日": "date",
        "三十个工作日": "quantity",
        "百分之五": "percent",
        "五千元": "money",
        "《存款办法》": "title",
        "30日": "quantity",
    }
    text = 'On March 3, 2024 the Equal Housing Act set a fee of $1,200, or 4.5 percent, due in ten business days; see "free look".'
    found = {one.text: one.type.split(":")[0] for one in values(text, Span(0, len(text)), "en")}
    assert found == {
        "March 3, 2024": "date",
        "Equal Housing Act": "name",
        "$1,200": "money",
        "4.5 percent": "percent",
        "ten business days": "quantity",
        "free look": "term",
    }
    keys = [one.key for text in ("满30日。", "满三十日。") for one in values(text, Span(0, len(text)), "zh")]
    assert keys == ["30", "30"]


def test_sentences_are_those_of_running_text():
    text = (
        "# A heading. Not this\n\nThe fee is due at 9 a.m. on Monday, as Mr. Li said. It is\nwrapped over lines.\n\n"
        "| a table. | of cells. |\n\n```\ncode. more code.\n```\n\n- An item that is a sentence.\n- an item\n\n"
        "第三条　银行应当公示。\n第四条 不得收费。"
    )
    found = [text[span.start : span.end] for span in sentences(text)]
    assert found == [
        "The fee is due at 9 a.m. on Monday, as Mr. Li said.",
        "It is\nwrapped over lines.",
        "An item that is a sentence.",
        "银行应当公示。",
        "不得收费。",
    ]


@given(st.text(alphabet="一二三十日年元。，“”《》 \nAb1.$%`#|-(（", max_size=120), st.sampled_from(["zh", "en"]))
def test_spans_lie_in_any_text(text, language):
    end = 0
    for span in sentences(text):
        assert end <= span.start < span.end <= len(text)
        end = span.end
        last = span.start
        for one in values(text, span, language):
            assert last <= one.start < one.end <= span.end
            assert text[one.start : one.end] == one.text
            last = one.end


def test_items_stand_on_their_evidence():
    documents = own_documents()
    texts = {one["id"]: one["text"] for one in documents}
    items, rejected = generate(documents, "own")
    assert not rejected
    assert len(items) == 2 * len(documents)
    for one in items:
        evidence = one["evidence"]
        quote = texts[evidence["document"]][evidence["start"] : evidence["end"]]
        assert quote == evidence["quote"]
        assert one["answers"][0] in quote
        assert one["answers"][0] not in one["question"].split("\n")[-1]
        assert "____" in one["question"]
        if one["kind"] == "choice":
            assert len({*one["options"]}) == 4
            assert not any(wrong in quote for wrong in one["options"][1:])
    assert {task.name for task in tasks(items)} == {
        f"own-{kind}/{language}" for kind in ("choice", "cloze") for language in ("zh", "en")
    }
    again, _ = generate(documents[::-1], "own")
    assert {one["id"]: one for one in again} == {one["id"]: one for one in items}
    fewer, _ = generate(documents, "own", count=5, kinds=("cloze",))
    assert len(fewer) == 5


def test_what_cannot_be_asked_is_rejected_by_name():
    documents = [
        {"id": "a", "text": "本行规定满三十日的存款按照约定利率计息并且不收取任何手续费。", "language": "zh"},
        {"id": "b", "text": "本行规定满六十日的存款按照约定利率计息并且不收取任何手续费。", "language": "zh"},
        {"id": "c", "text": "本行没有其他规定，柜员应当向客户说明情况并且认真做好记录。", "language": "zh"},
        {"id": "d", "text": " ", "language": "zh"},
        {"id": "e", "text": "Der Kunde zahlt binnen dreissig Tagen.", "language": "de"},
        {"id": "f", "text": "持卡人应当在十二小时以内向银行书面挂失，否则损失由持卡人本人承担。", "language": "zh"},
    ]
    items, rejected = generate(documents, "own")
    assert not items
    reasons = {row["where"].split("/")[0]: row["reason"] for row in rejected}
    assert "with another value" in reasons["a"]
    assert "with another value" in reasons["b"]
    assert reasons["c"] == "no sentence states a value to ask for"
    assert reasons["d"] == "it is empty"
    assert "neither Chinese nor English" in reasons["e"]
    assert "0 other values of the type 'quantity:小时:words'" in reasons["f"]
    with pytest.raises(ConfigError, match="documents share an id, such as 'a'"):
        generate([documents[0], documents[0]], "own")
    with pytest.raises(ConfigError, match="kind 'essay'"):
        generate(documents, "own", kinds=("essay",))


def test_each_sentence_of_a_mixed_document_is_asked_in_its_language():
    lines = [
        f"{chr(0x4E00 + n)}号柜台自收到书面申请之日起{n}日以内把余额退还给客户。\n"
        f"Counter {chr(64 + n)} pays the balance out within {n} hours of a written request."
        for n in range(11, 19)
    ]
    items, _ = generate([{"id": "m", "text": "\n\n".join(lines), "language": "mixed"}], "mixed", per_document=20)
    assert {one["task"] for one in items} == {
        f"mixed-{kind}/{language}" for kind in ("choice", "cloze") for language in ("zh", "en")
    }
    assert all(("日" in option) == (one["language"] == "zh") for one in items for option in one["options"] or ())


def test_a_grown_exam_is_dated_and_can_be_scored(model, tmp_path):
    exam = grow(own_documents(), "bank", "2026-11-29", solvers=())
    assert exam.about["version"] == "2026-11-29"
    assert exam == grow(own_documents(), "bank", "2026-11-29")
    assert {one["language"] for one in exam.items} == {"zh", "en"}
    suite = sealed(exam, Run(tmp_path / "s"))
    config = Score(tasks=("bank-choice/*",), limit=5)
    report = evaluate(config, model, suite, None, (), Run(tmp_path / "r"))
    assert report.summary()["accuracy.letter"].n == 10
    with pytest.raises(ConfigError, match="'tomorrow' is no date"):
        grow(own_documents(), "bank", "tomorrow")
    with pytest.raises(ConfigError, match="no item of the exam 'bank' is left of 0"):
        grow([], "bank", "2026-11-29")


def real_documents(shared, which):
    folder = shared / "corpora"
    if which == "laws":
        for path in sorted((folder / "zh-laws").rglob("*.md"))[:260]:
            text = path.read_text("utf-8")
            if path.name != "README.md":
                yield {
                    "id": str(path.relative_to(folder)),
                    "text": text.split("<!-- INFO END -->")[-1],
                    "title": text.split("\n")[0].strip("# "),
                    "language": "zh",
                }
    elif which == "rules":
        with (folder / "us-bank-regulations" / "paragraphs.jsonl").open(encoding="utf-8") as file:
            for row in map(json.loads, file):
                yield {
                    "id": row["id"],
                    "text": row["text"],
                    "title": row["section"],
                    "source": row["document"],
                    "language": "en",
                }
    else:
        for path in sorted((folder / "debian-docs-en-zh" / "faq").glob("*.txt")):
            yield {"id": path.name, "text": path.read_text("utf-8"), "title": "Debian FAQ"}


@pytest.mark.parametrize(("which", "least"), [("laws", 500), ("rules", 400), ("faq", 4)])
def test_items_of_real_documents_hold_their_answers_and_give_nothing_away(shared, which, least):
    documents = list(real_documents(shared, which))
    exam = grow(documents, "real", "2026-11-29", per_document=3 if which != "faq" else 50)
    texts = {one["id"]: one["text"] for one in documents}
    assert len(exam.items) >= least
    for one in exam.items:
        evidence = one["evidence"]
        assert texts[evidence["document"]][evidence["start"] : evidence["end"]] == evidence["quote"]
        assert folded(one["answers"][0]) in folded(evidence["quote"])
    found = tells(exam.items)
    if which != "faq":
        for rule in ("longest", "shortest", "commonest", "place"):
            assert found[rule].low <= found["chance"].value, rule
        labels = [one["label"] for one in exam.items if one["kind"] == "choice"]
        counts = [labels.count(place) for place in range(4)]
        assert max(counts) - min(counts) <= 1
    assert all(row["reason"] for row in exam.rejected)


GOOD = """QUESTION: How long may a parcel be returned at the Harbour shop?
ANSWER: 30 days
WRONG: 14 days
WRONG: 60 days
WRONG: one year
EVIDENCE: Customers of the Harbour shop may return a parcel within 30 days."""
TEXT = "About us.\n\nCustomers of the Harbour  shop may return a parcel\nwithin 30 days. Nothing else is said."
ZH = """问题：海港店的包裹几天内可以退回？
答案：三十日
错误选项：十五日
错误选项：六十日
错误选项：一年
证据：海港店的顾客可以在三十日内退回包裹。"""


def test_a_draft_is_read_and_its_evidence_found():
    draft = parsed(f"<think>hm</think>```\n{GOOD}\n```", "en")
    span = checked(draft, TEXT, "en")
    assert TEXT[span.start : span.end] == "Customers of the Harbour  shop may return a parcel\nwithin 30 days."
    assert checked(parsed(ZH, "zh"), "一、海港店的顾客可以\n在三十日内退回包裹。", "zh") == Span(2, 21)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("QUESTION:", "Sure! QUESTION:"), "the form is broken by the line"),
        (("WRONG: one year\n", ""), "holds 2 WRONG, not 3"),
        (("ANSWER: 30 days", "ANSWER:"), "holds 0 ANSWER, not 1"),
        (("within 30 days.", "within thirty days."), "word for word"),
        (("ANSWER: 30 days", "ANSWER: 45 days"), "the answer does not stand in the evidence"),
        (("How long", "Is it 30 days or how long"), "the question holds the answer"),
        (("How long", "According to the text, how long"), "points at the document"),
        (("WRONG: 14 days", "WRONG: 60  days"), "two options are the same"),
        (("WRONG: 14 days", "WRONG: a parcel"), "'a parcel' stands in the evidence too"),
        (
            (
                "EVIDENCE: Customers of the Harbour shop may return a parcel within 30 days.",
                "EVIDENCE: within 30 days.",
            ),
            "characters long",
        ),
    ],
)
def test_a_draft_that_is_not_borne_out_is_rejected_with_its_reason(change, reason):
    draft = parsed(GOOD.replace(*change), "en")
    found = draft if isinstance(draft, str) else checked(draft, TEXT, "en")
    assert isinstance(found, str)
    assert reason in found


@given(st.text(alphabet="ab Ａ。\n ﬁ", max_size=30), st.data())
def test_a_quote_is_found_where_it_stands(text, data):
    start = data.draw(st.integers(0, len(text)))
    quote = text[start : data.draw(st.integers(start, len(text)))]
    span = located(quote, text)
    if quote.split():
        assert span is not None
        assert located(text[span.start : span.end], text) == span


class Writer:
    """An engine that answers each prompt by a function of it."""

    name = "writer"

    def __init__(self, codec, speak):
        self.codec, self.speak = codec, speak

    def generate(self, prompts, options):
        return [Completion(self.speak(one.messages[-1]["content"]), (1,), "stop", 1) for one in prompts]

    def stream(self, prompt, options):
        raise NotImplementedError

    def score(self, asked):
        raise NotImplementedError

    def close(self):
        pass


def test_a_model_writes_items_and_what_it_makes_up_is_kept_out(model):
    codec = load(model).codec

    def speak(text):
        if "boom" in text:
            raise StepFailed("too long", "Shorten it")
        assert "<|end|>" not in text
        return ZH if "海港店" in text else GOOD

    documents = [
        {"id": "a", "text": TEXT + " <|end|>", "language": "en"},
        {"id": "b", "text": "Nothing about parcels.", "language": "en"},
        {"id": "c", "text": "海港店的顾客可以在三十日内退回包裹。", "language": "zh"},
        {"id": "d", "text": "boom", "language": "en"},
        {"id": "e", "text": "", "language": "en"},
    ]
    exam = grow(documents, "shop", "2026-11-29", writer=Writer(codec, speak), chat=True)
    assert [one["task"] for one in exam.items] == ["shop-choice/en", "shop-open/en", "shop-choice/zh", "shop-open/zh"]
    assert exam.items[0]["options"][exam.items[0]["label"]] == "30 days"
    reasons = {row["where"]: row["reason"] for row in exam.rejected}
    assert "word for word" in reasons["b"]
    assert "too long" in reasons["d"]
    assert "empty" in reasons["e"]
    _, rejected = written.write(load(model), documents[:1], "shop", max_tokens=8)
    assert "(cut off at max_tokens)" in rejected[0]["reason"]

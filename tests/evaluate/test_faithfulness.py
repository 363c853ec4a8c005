"""An answer is asked for again without what it cites: it changes, is withdrawn, or is borne out elsewhere."""

from __future__ import annotations

import pytest
import tiny_models

from septet.core import Run
from septet.detect.grounding import Settings
from septet.detect.policy import Gate
from septet.detect.policy import Policy as Rules
from septet.evaluate import faithfulness as asking
from septet.evaluate.steps import Faithfulness, faithfulness
from septet.kinds import Suite
from septet.operate.gates import judge

FEE = {"chunk": "c1", "title": "Fees", "text": "The plain card costs 12 dollars a year."}
SAME = {"chunk": "c2", "title": "Prices", "text": "A year of the plain card costs 12 dollars."}
OTHER = {"chunk": "c3", "title": "Hours", "text": "The branch opens at nine."}


@pytest.mark.parametrize(
    ("after", "left", "found"),
    [
        ("", [OTHER], asking.WITHDRAWN),
        ("The documents do not say.", [OTHER], asking.WITHDRAWN),
        ("资料中没有答案。", [OTHER], asking.WITHDRAWN),
        ("It opens at nine.", [OTHER], asking.CHANGED),
        ("It costs 12 dollars.", [OTHER], asking.SAME),
        ("It costs 12 dollars.", [SAME], asking.ELSEWHERE),
    ],
)
def test_what_became_of_an_answer(after, left, found):
    assert asking.outcome("It costs 12 dollars.", after, left, Settings()) == found


def test_those_that_another_passage_bears_out_are_counted_by_themselves():
    rows = [
        {"language": "en", "outcome": one}
        for one in (asking.WITHDRAWN, asking.CHANGED, asking.SAME, asking.ELSEWHERE, asking.CHANGED)
    ]
    found = asking.summary(rows)
    assert (found["citation_faithfulness"].value, found["citation_faithfulness"].n) == (0.75, 4)
    assert (found["withdrawn_by_check"].value, found["borne_elsewhere"].n) == (0.25, 5)
    assert found["citation_faithfulness.zh"].n == 0


def test_a_model_without_citations_is_named(tmp_path):
    model = tiny_models.llama(tmp_path / "model")
    item = {
        "id": "q", "kind": "question", "language": "en", "question": "What does it cost?", "answers": ["12 dollars"],
        "evidence": None, "split": "test", "category": "", "contexts": [FEE, OTHER], "chunks": ["c1"], "options": None,
        "label": None,
    }  # fmt: skip
    suite = Suite.write(tmp_path / "suite", [item], {"name": "s", "version": "1"})
    report = faithfulness(Faithfulness(max_tokens=4), model, suite, None, Run(tmp_path / "run"))
    assert "no answer of the model carries a citation" in report.content["notes"][0]
    assert report.summary()["citation_faithfulness"].n == 0
    gate = Gate(report="faithfulness", metric="citation_faithfulness", at_least=0.0)
    (verdict,) = judge(Rules(gates={"release": (gate,)}), "release", [report], model.digest())
    assert not verdict.green
    assert verdict.reason == "nothing was measured"


def test_every_cited_passage_is_withheld_once(tmp_path, monkeypatch):
    """The real loop over a model whose answers are known: it quotes the first passage that it is given."""
    items = [
        {
            "id": f"q{number}", "kind": "question", "language": language, "question": "What?", "answers": ["x"], "contexts": given,
        }
        for number, (language, given) in enumerate([("en", [FEE, OTHER]), ("en", [FEE, SAME]), ("zh", [OTHER, FEE])])
    ]  # fmt: skip
    suite = Suite.write(tmp_path / "suite", items, {"name": "s", "version": "1"})
    model = tiny_models.llama(tmp_path / "model")
    monkeypatch.setattr(asking, "_ask", lambda engine, pairs, config, run, what: [g[0]["text"] for _, g in pairs])
    report = faithfulness(Faithfulness(), model, suite, None, Run(tmp_path / "run"))
    assert [row["without"] for row in report.items()] == ["c1", "c1", "c3"]
    assert report.summary()["citation_faithfulness"].value == 1.0
    assert report.content["facts"]["model"]["digest"] == model.digest()

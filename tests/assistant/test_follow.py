"""Answers follow the documents: a changed file changes them, and their trace leads to what was read."""

from __future__ import annotations

import pytest
from test_access import Echo, _model, seal

from septet.assistant import Assistant, Options
from septet.assistant import assistant as rooms
from septet.core import recipe as recipes
from septet.core.runner import Runner
from septet.core.workspace import Workspace
from septet.files import write_json
from septet.kinds import KnowledgeBase, Model
from septet.knowledge.living import Living
from septet.operate import publish
from septet.operate.erase import erase
from septet.operate.subject import find
from septet.operate.trace import trace_answer

RECIPE = (
    'name = "kb"\n[docs]\nstep = "data.read"\npaths = ["docs"]\nlicence = "own"\norigin = "private"\n'
    '[knowledge]\nstep = "data.knowledge"\ncorpus = "@docs"\nencoder = "hashing"\n'
)
ASK = [{"role": "user", "content": "补办银行卡的费用是多少？"}]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(rooms, "load", lambda model: Echo())
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "fees.md").write_text("# 收费办法\n\n## 补卡\n\n补办银行卡的费用为 15 元。\n", "utf-8")
    (tmp_path / "docs" / "hours.md").write_text("# 营业时间\n\n## 工作日\n\n营业厅上午九点开门。\n", "utf-8")
    (tmp_path / "r.toml").write_text(RECIPE, "utf-8")
    with Workspace(tmp_path / ".septet") as workspace:
        recipe = recipes.load(tmp_path / "r.toml")
        base = Runner(workspace).run(recipe)["knowledge"]
        model = seal(workspace, "served", "model.load", "Model", {}, _model, {"source": ["package:toy"]})
        policy = seal(
            workspace, "policy", "trust.policy", "Policy", {}, lambda out: write_json(out / "policy.json", {}), {}
        )
        for name, updates in (("living", "follow"), ("pinned", "pinned")):
            content = {
                "name": name,
                "settings": {"top": 3, "context_tokens": 2000, "max_tokens": 2000},
                "model": {"digest": Model(workspace.store.folder(model)).digest()},
                "knowledge": {"digest": KnowledgeBase(workspace.store.folder(base)).digest(), "updates": updates},
            }
            inputs = {"model": model.fingerprint, "knowledge": base.fingerprint, "policy": policy.fingerprint}
            record = seal(
                workspace, name, "operate.release", "Release", inputs,
                lambda out, content=content: write_json(out / "release.json", content), {},
            )  # fmt: skip
            publish.publish(workspace, record)
        yield tmp_path, workspace, Living(workspace, recipe)


def test_a_changed_file_changes_the_answer_of_an_assistant_that_is_open(place):
    folder, workspace, living = place
    with_updates, without = Assistant.open(workspace, "living"), Assistant.open(workspace, "pinned")
    assert "15 元" in with_updates.answer(ASK).text
    (folder / "docs" / "fees.md").write_text("# 收费办法\n\n## 补卡\n\n补办银行卡的费用为 20 元。\n", "utf-8")
    living.update()
    now = with_updates.answer(ASK)
    assert "20 元" in now.text
    assert "15 元" not in now.text
    assert now.revision == 1
    assert "15 元" in with_updates.answer(ASK, Options(as_of="2020-01-01")).text
    assert "15 元" in without.answer(ASK).text
    assert without.answer(ASK).revision == 0
    links = trace_answer(workspace, now.id)
    assert [link.state for link in links if link.what == "file" and "fees.md" in link.detail] == ["same"]
    assert any(link.what == "revision" and link.detail.startswith("1 of the knowledge") for link in links)
    with_updates.close()
    without.close()


def test_after_an_erasure_a_release_is_still_the_one_that_was_tested(place):
    workspace = place[1]
    assistant = Assistant.open(workspace, "living")
    assert "九点" in said(assistant, "营业厅几点开门？")
    erase(workspace, find(workspace, "hours.md", "source"))
    assert "九点" not in said(assistant, "营业厅几点开门？")
    assistant.close()
    for name in ("living", "pinned"):
        opened = Assistant.open(workspace, name)
        assert "九点" not in said(opened, "营业厅几点开门？")
        assert "15 元" in opened.answer(ASK).text
        opened.close()


def said(assistant, question):
    done = assistant.answer([{"role": "user", "content": question}])
    return done.text + str(done.contexts)

"""The recipe of an exam at toy size: grown out of documents, asked of a tiny model in both its forms, and measured."""

from __future__ import annotations

import json

import tiny_models

from septet.core import lineage
from septet.core.artifact import OBSERVED
from septet.core.recipe import load
from septet.core.runner import Runner
from septet.core.workspace import Workspace
from septet.kinds import Report, Suite


def test_an_exam_is_grown_asked_and_measured(repository, tmp_path):
    tokenizer = tiny_models.byte_tokenizer(tmp_path / "tokenizer", 900)
    model = tiny_models.llama(tmp_path / "tiny", tokenizer, context=2048)
    changes = [f"base.source={json.dumps(str(model.path))}", "base.sha256=", "items.count=24", "twins.limit=4"]
    recipe = load(repository / "recipes" / "exam.toml", changes)
    with Workspace(tmp_path / ".septet") as workspace:
        runner = Runner(workspace)
        records = runner.run(recipe)
        assert all(planned.hit for planned in runner.plan(recipe))
        found = {name: workspace.store.folder(record) for name, record in records.items()}
        assert lineage.verify(workspace) == []
        seconds = found["letters"] / OBSERVED
        seconds.chmod(0o644)
        seconds.write_text(seconds.read_text("utf-8").replace("0.", "9.", 1), "utf-8")
        problems = lineage.verify(workspace)
        assert [OBSERVED in f"{one.where} {one.what}" for one in problems] == [True], (
            "seconds are sealed, if not identity"
        )
    items = list(Suite(found["items"]).items())
    assert {one["language"] for one in items} == {"zh", "en"}
    letters = Report(found["letters"])
    assert letters.summary()["accuracy.letter"].n == len(items)
    verdicts = ("clean", "touched", "contaminated", "not_testable")
    by_verdict = [letters.summary().get(f"accuracy.letter.{verdict}") for verdict in verdicts]
    assert sum(one.n for one in by_verdict if one) == len(items)
    assert any(name.startswith("robustness.") for name in Report(found["seven"]).summary())
    assert Report(found["seven"]).content["facts"]["model"]["digest"] == letters.content["facts"]["model"]["digest"]
    upgrade = Report(found["upgrade"])
    assert upgrade.content["facts"]["verdict"] in ("go", "no-go")
    assert set(upgrade.content["facts"]["capabilities"]) == {"zh", "en"}
    assert "agreement" in Report(found["ways"]).summary()
    calibrated = list(Report(found["calibration"]).items())
    assert len(calibrated) == len(items)

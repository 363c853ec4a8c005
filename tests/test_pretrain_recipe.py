"""The recipe of the three families at toy size: each learns, and a second run has nothing to do."""

from __future__ import annotations

import json

from septet.core.recipe import load
from septet.core.runner import Runner
from septet.core.workspace import Workspace

TOY = {"tokenizer.vocabulary": 1024, "tokens.sequence": 64}
SIZES = {"layers": 1, "width": 64, "heads": 2, "context": 64}


def test_every_family_learns_from_the_handbook(repository, tmp_path):
    page = tmp_path / "page.md"
    pages = sorted((repository / "docs" / "handbook").rglob("*.md"))[:6]
    page.write_text("\n\n".join(one.read_text("utf-8") for one in pages), "utf-8")
    changes = [f"docs.paths={json.dumps([str(page)])}", *(f"{key}={value}" for key, value in TOY.items())]
    for name in ("decoder", "encoder", "both"):
        changes += [f"{name}.{key}={value}" for key, value in SIZES.items()]
    changes += [f"{name}.steps=30" for name in ("continues", "fills", "restores")]
    recipe = load(repository / "recipes" / "pretrain.toml", changes)
    with Workspace(tmp_path / ".septet") as workspace:
        runner = Runner(workspace)
        records = runner.run(recipe)
        assert all(planned.hit for planned in runner.plan(recipe))
        for name in ("continues", "fills", "restores"):
            log = json.loads((workspace.store.folder(records[name]) / "training.json").read_text())
            assert log["validation_loss_after"] < log["validation_loss_before"] - 0.5, name
        more = load(repository / "recipes" / "pretrain.toml", [*changes, "continues.steps=300000"])
        planned = {one.name: one for one in runner.plan(more)}
        assert planned["continues"].expected
        assert planned["continues"].seconds > 100
        assert planned["continues"].peak_memory_mb > 500
        assert not planned["fills"].expected

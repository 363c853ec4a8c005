"""A changed default or version is a reviewed difference."""

from __future__ import annotations

import json
import runpy


def test_default_fingerprints_are_the_reviewed_ones(repository):
    written = runpy.run_path(str(repository / "tests" / "golden" / "write.py"))
    golden = json.loads((repository / "tests" / "golden" / "fingerprints.json").read_text())
    assert written["fingerprints"]() == golden, (
        "a step's default, version or field changed: say so in CHANGELOG.md and run python tests/golden/write.py"
    )

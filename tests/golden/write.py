"""Writes `fingerprints.json`: the fingerprint of every built-in step with its defaults. Run it when a default changes on purpose.

python tests/golden/write.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from septet.core import plugins
from septet.core.fingerprint import fingerprint

GOLDEN = Path(__file__).with_name("fingerprints.json")
STAGES = ("data", "model", "train", "compress", "evaluate", "operate", "trust")


def fingerprints() -> dict[str, str]:
    """Step to fingerprint: defaults where there are some, fixed values for what is required, no inputs."""
    found = {}
    for name, step in plugins.steps().items():
        if name.partition(".")[0] not in STAGES:
            continue
        values = {info.name: _plain(info.default) if not info.required else "given" for info in step.fields}
        found[name] = fingerprint(name, step.version, values, {})
    return found


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(fingerprints(), indent=1, sort_keys=True) + "\n")
    print(f"{len(fingerprints())} fingerprints in {GOLDEN}")

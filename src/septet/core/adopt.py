"""Taking in an artifact that was made elsewhere: it is copied, hashed and sealed like any other, with its origin."""

from __future__ import annotations

import shutil
import time

from septet.core.artifact import Artifact
from septet.core.errors import ConfigError
from septet.core.fingerprint import fingerprint
from septet.core.runner import made_now
from septet.core.store import Record, full_disk_named
from septet.core.workspace import Workspace

STEP = "adopted"


def adopt(workspace: Workspace, artifact: Artifact, name: str, licence: str = "", origin: str = "") -> Record:
    """Copy a folder into the store and let `adopted/<name>` stand for it. Its identity is the digest of its content."""
    if not name or "/" in name:
        raise ConfigError(f"'{name}' cannot be a name", "Use letters, digits and dashes")
    artifact.check()
    store = workspace.store
    began = time.monotonic()
    with store.draft() as draft:
        with full_disk_named(store.root):
            shutil.copytree(artifact.path, draft, dirs_exist_ok=True)
        files = store.hash_files(draft)
        config = {"content": store.digest(files), "kind": artifact.kind(), "licence": licence, "origin": origin}
        mark = fingerprint(STEP, 1, config, {}, workspace.settings.digest)
        record = store.find(STEP, mark)
        if record is None:
            record = Record(
                step=STEP,
                version=1,
                fingerprint=mark,
                kind=artifact.kind(),
                config=config,
                inputs={},
                outside={"folder": [str(artifact.path.absolute())]},
                files=files,
                digest=store.digest(files),
                made=made_now(time.monotonic() - began, 0.0),
                observed={},
                drops=[],
                notes=[],
            )
            store.seal(draft, record)
    workspace.enter(record)
    workspace.name(f"{STEP}/{name}", record)
    return record

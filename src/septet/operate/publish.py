"""Signing a release into the ledger, and finding the one to serve.

The key is an Ed25519 key of the workspace (`release.key`, mode 0600, made on first use). What is signed is the release's
fingerprint and the digest of its files; `verify` needs the public key alone, which stands in the entry.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from septet.core import ConfigError, MissingExtra, StoreError, nearest
from septet.core.fingerprint import canonical
from septet.core.ledger import Problem
from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.kinds import Release


def publish(workspace: Workspace, record: Record) -> dict[str, Any]:
    """Enter a sealed release in the ledger under its name, signed. Entering it again changes nothing."""
    known = workspace.ledger.latest("release", _name(workspace, record))
    if known is not None:
        body = workspace.ledger.body(known)
        if body is not None and body["fingerprint"] == record.fingerprint:
            return body
    name = _name(workspace, record)
    key = _key(workspace.root / "release.key")
    said = {"name": name, "fingerprint": record.fingerprint, "step": record.step, "digest": record.digest}
    body = {
        **said,
        "public_key": key.public_key().public_bytes_raw().hex(),
        "signature": key.sign(canonical(said)).hex(),
    }
    workspace.ledger.append("release", name, body)
    return body


def find(workspace: Workspace, wanted: str = "") -> Record:
    """The release of a name, of a fingerprint, or the newest one. Only what was published, and whose signature holds.

    Raises ConfigError where there is none, StoreError where the signature or the store does not bear it out.
    """
    newest: dict[str, dict[str, Any]] = {}
    for entry, body in workspace.ledger.bodies(workspace.ledger.entries("release")):
        newest.pop(entry.subject, None)
        newest[entry.subject] = body
    if not newest:
        raise ConfigError("the workspace holds no release", "Make one with: septet run recipes/quickstart.toml")
    if not wanted:
        body = list(newest.values())[-1]
    elif wanted in newest:
        body = newest[wanted]
    else:
        bodies = [b for _, b in workspace.ledger.bodies(workspace.ledger.entries("release"))]
        mark = wanted.partition(":")[2] or wanted
        fits = {
            b["fingerprint"]: b
            for b in bodies
            if len(mark) >= 6 and b["fingerprint"].partition(":")[2].startswith(mark)
        }
        if len(fits) != 1:
            raise ConfigError(f"there is no release '{wanted}'", nearest(wanted, newest))
        body = next(iter(fits.values()))
    problem = check(body)
    if problem:
        raise StoreError(f"the release '{body['name']}' {problem}", "Do not serve it; look with: septet verify")
    record = workspace.store.find(body["step"], body["fingerprint"])
    if record is None:
        raise StoreError(f"the release '{body['name']}' is gone from the store", "Run its recipe again")
    return record


def check(body: dict[str, Any]) -> str:
    """What is wrong with a release entry's signature, or nothing."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise MissingExtra("cryptography", "sign") from None
    said = {key: body[key] for key in ("name", "fingerprint", "step", "digest")}
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(body["public_key"]))
        key.verify(bytes.fromhex(body["signature"]), canonical(said))
    except (InvalidSignature, ValueError):
        return "has a signature that does not hold"
    return ""


def verify_signatures(workspace: Workspace) -> list[Problem]:
    """Every release entry whose signature does not hold."""
    problems = []
    for entry, body in workspace.ledger.bodies(workspace.ledger.entries("release")):
        wrong = check(body)
        if wrong:
            problems.append(Problem(f"ledger entry {entry.seq} (release {entry.subject})", wrong))
    return problems


def _name(workspace: Workspace, record: Record) -> str:
    return str(Release(workspace.store.folder(record)).content["name"])


def _key(path: Path) -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise MissingExtra("cryptography", "sign") from None
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key.private_bytes_raw())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process made one first: use that
        finally:
            draft.unlink()
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())

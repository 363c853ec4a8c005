"""A workspace: one folder with the store, the ledger, the runs' events and the locks. Nothing to install or start.

.septet/
  workspace.toml     the digest algorithm, and the URLs when the ledger or the store live elsewhere
  store/             sealed artifacts           ledger.sqlite, ledger.head
  runs/<id>.jsonl    events of each run         scratch/, locks/, cache/
"""

from __future__ import annotations

import fcntl
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from septet.core.config import Config, decode, field
from septet.core.errors import ConfigError, StoreError, nearest
from septet.core.fingerprint import ALGORITHMS, ContentHasher
from septet.core.ledger import Ledger
from septet.core.store import Record, Store, full_disk_named

FOLDER = ".septet"


class Settings(Config):
    """What `workspace.toml` may say. The environment variables SEPTET_LEDGER and SEPTET_STORE win over it."""

    digest: str = field("sha256", "The digest algorithm of new records: sha256 or sm3.", choices=ALGORITHMS)
    ledger: str = field("", "URL of the ledger (postgresql://...); empty: SQLite in the workspace.")
    store: str = field("", "URL of object storage behind the local store (s3://bucket/folder); empty: none.")


class Workspace:
    """An open workspace. Made on first use; safe to open from several processes at once."""

    def __init__(self, root: Path, settings: Settings | None = None) -> None:
        self.root = root
        with full_disk_named(root):
            try:
                for folder in ("store", "runs", "locks", "scratch"):
                    (root / folder).mkdir(parents=True, exist_ok=True)
            except PermissionError:
                raise StoreError(f"the workspace {root} cannot be written", "Choose another with --workspace") from None
            except (FileExistsError, NotADirectoryError):
                raise StoreError(f"the workspace {root} is not a folder", "Choose another with --workspace") from None
        self.settings = settings or _settings(root)
        algorithm = self.settings.digest
        self.store = Store(root / "store", os.environ.get("SEPTET_STORE", self.settings.store), algorithm)
        url = os.environ.get("SEPTET_LEDGER", self.settings.ledger) or root / "ledger.sqlite"
        self.ledger = Ledger(url, root / "ledger.head", algorithm)
        self.hasher = ContentHasher(root / "cache" / "content.json", algorithm)

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def scratch(self, fingerprint: str) -> Path:
        return self.root / "scratch" / fingerprint.replace(":", "-")

    @contextmanager
    def lock(self, fingerprint: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the right to make one artifact. A second process waits, and then finds it made. A kill frees the lock."""
        path = self.root / "locks" / fingerprint.replace(":", "-")
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def enter(self, record: Record) -> None:
        """Enter a sealed artifact in the ledger, unless it is there."""
        if self.ledger.latest("sealed", record.fingerprint) is not None and not self._removed(record.fingerprint):
            return
        body = {
            "step": record.step,
            "kind": record.kind,
            "digest": record.digest,
            "record": self.store.record_digest(record),
        }
        self.ledger.append("sealed", record.fingerprint, body)

    def _removed(self, fingerprint: str) -> bool:
        removed, sealed = self.ledger.latest("removed", fingerprint), self.ledger.latest("sealed", fingerprint)
        return removed is not None and (sealed is None or removed.seq > sealed.seq)

    def name(self, name: str, record: Record) -> None:
        """Let a name stand for an artifact from now on. Names have a history: the ledger keeps each move."""
        entry = self.ledger.latest("name", name)
        if entry is not None:
            body = self.ledger.body(entry)
            if body is not None and body["fingerprint"] == record.fingerprint:
                return
        self.ledger.append("name", name, {"fingerprint": record.fingerprint, "step": record.step, "kind": record.kind})

    def names(self) -> dict[str, Mapping[str, Any]]:
        """Every name and what it stands for now."""
        found: dict[str, Mapping[str, Any]] = {}
        for entry, body in self.ledger.bodies(self.ledger.entries("name")):
            found[entry.subject] = body
        return {name: body for name, body in found.items() if body.get("fingerprint")}

    def resolve(self, text: str) -> Record:
        """The record that a name, a fingerprint or the beginning of one stands for."""
        names = self.names()
        if text in names:
            body = names[text]
            record = self.store.find(str(body["step"]), str(body["fingerprint"]))
            if record is None:
                raise StoreError(
                    f"'{text}' stands for {body['fingerprint']}, which the store no longer holds", "Run again"
                )
            return record
        tables = [name for name in names if name.rpartition("/")[2] == text]
        if len(tables) == 1:
            return self.resolve(tables[0])
        if len(tables) > 1:
            raise ConfigError(
                f"'{text}' may mean several artifacts: {', '.join(sorted(tables))}", "Write the whole name"
            )
        wanted = text.partition(":")[2] or text
        if len(wanted) >= 6 and all(c in "0123456789abcdef" for c in wanted):
            found = [
                record for record in self.store.records() if record.fingerprint.partition(":")[2].startswith(wanted)
            ]
            if len(found) == 1:
                return found[0]
            if len(found) > 1:
                raise ConfigError(f"'{text}' begins the fingerprint of {len(found)} artifacts", "Write more of it")
        raise ConfigError(f"nothing is called '{text}'", nearest(text, names) if names else "Run a recipe first")

    def close(self) -> None:
        self.hasher.keep()
        self.ledger.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def find(start: Path | None = None) -> Path:
    """The workspace folder to use: SEPTET_WORKSPACE, else the nearest `.septet` above, else a new one here."""
    given = os.environ.get("SEPTET_WORKSPACE")
    if given:
        return Path(given).expanduser().absolute()
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    return start / FOLDER


def _settings(root: Path) -> Settings:
    path = root / "workspace.toml"
    if not path.exists():
        return Settings()
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}", "Correct it, or remove it to use the defaults") from None
    return decode(Settings, values, str(path))

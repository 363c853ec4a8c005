"""The store: sealed artifacts, each a plain folder `<step>/<fingerprint>/` with its `record.json`.

An artifact is whole or it is not there: files are written to a draft folder on the same disk and hashed, `record.json`
is written last, the folder is renamed into place. With a URL of object storage, which has no rename, the record is the
commit marker: it is uploaded last, and a folder without one does not exist.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from septet.core.artifact import OBSERVED, RECORD
from septet.core.errors import MissingExtra, StoreError, nearest
from septet.core.fingerprint import digest, digest_file, digest_tree, files_below
from septet.core.ledger import Problem

_REPLACED = "replaced-"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileFacts(msgspec.Struct, frozen=True):
    """A file of an artifact: its digest and its length in bytes."""

    digest: str
    bytes: int


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence of one sealed artifact.

    `config` is the identity (outside files by content); `outside` says which paths they had, for people. What may
    differ between two runs of the same step (times, speeds, versions) stands in `made` and `observed`, outside of
    `digest`, which covers the files alone.
    """

    step: str
    version: int
    fingerprint: str
    kind: str
    config: dict[str, Any]
    inputs: dict[str, str | list[str]]
    outside: dict[str, list[str]]
    files: dict[str, FileFacts]
    digest: str
    made: dict[str, Any]
    observed: dict[str, float | int | str]
    drops: list[dict[str, Any]]
    notes: list[str]

    def parents(self) -> list[str]:
        """Fingerprints of all inputs, in the order of the ports."""
        found: list[str] = []
        for tied in self.inputs.values():
            found += [tied] if isinstance(tied, str) else tied
        return found

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files.values())


class Store:
    """Artifacts in a local folder, and, when a URL is given, in object storage behind it."""

    def __init__(self, root: Path, url: str = "", algorithm: str = "sha256") -> None:
        self.root = root
        self.algorithm = algorithm
        self._remote = _Remote(url) if url else None

    def path(self, step: str, fingerprint: str) -> Path:
        return self.root / step / fingerprint.replace(":", "-")

    def find(self, step: str, fingerprint: str) -> Record | None:
        """The record of an artifact, or None. An artifact that is only in object storage is brought here first."""
        folder = self.path(step, fingerprint)
        if not (folder / RECORD).exists() and self._remote is not None:
            self._fetch(step, fingerprint)
        return self._read(folder) if (folder / RECORD).exists() else None

    def get(self, fingerprint: str) -> Record:
        """The record of a fingerprint, whichever step made it. Raises StoreError when there is none."""
        name = fingerprint.replace(":", "-")
        for folder in sorted(self.root.glob(f"*/{name}*")):
            if (folder / RECORD).exists() and not folder.parent.name.startswith("."):
                return self._read(folder)
        if self._remote is not None:
            for step in self._remote.steps_of(name):
                record = self.find(step, fingerprint)
                if record:
                    return record
        raise StoreError(f"the store holds no artifact {fingerprint}", "List what there is with: septet ls")

    def folders(self, step: str | None = None) -> list[tuple[str, str, Path]]:
        """Step, fingerprint and folder of everything sealed here, by their places alone: no record is read."""
        found = []
        for folder in sorted(self.root.glob(f"{step or '*'}/*")):
            if (folder / RECORD).exists() and not folder.parent.name.startswith("."):
                found.append((folder.parent.name, folder.name.replace("-", ":", 1), folder))
        return found

    def records(self, step: str | None = None) -> list[Record]:
        """All records here, or those of one step, oldest first."""
        found = [self._read(folder) for _, _, folder in self.folders(step)]
        return sorted(found, key=lambda record: (str(record.made.get("time", "")), record.fingerprint))

    def folder(self, record: Record) -> Path:
        return self.path(record.step, record.fingerprint)

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A new folder on the store's disk. What is still in it at the end is removed."""
        drafts = self.root / ".drafts"
        with full_disk_named(self.root):
            drafts.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=drafts))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def sweep_drafts(self) -> int:
        """Remove drafts that killed processes left. Only for `gc`, which nothing else runs beside."""
        left = list((self.root / ".drafts").glob("*")) if (self.root / ".drafts").exists() else []
        for folder in left:
            shutil.rmtree(folder, ignore_errors=True)
        return len(left)

    def hash_files(self, folder: Path) -> dict[str, FileFacts]:
        """Digest and length of each file below a folder. Links are refused: an artifact must hold its own bytes."""
        found = {}
        for name, path in files_below(folder):
            if name == RECORD:
                continue
            if path.is_symlink():
                raise StoreError(f"{name} is a link", "An artifact must hold its own bytes: write a copy")
            found[name] = FileFacts(digest=digest_file(path, self.algorithm), bytes=path.stat().st_size)
        return found

    def digest(self, files: Mapping[str, FileFacts]) -> str:
        return digest_tree({name: facts.digest for name, facts in files.items() if name != OBSERVED}, self.algorithm)

    def seal(self, draft: Path, record: Record) -> str:
        """Move a draft into the store under its record, and return the record's own digest.

        When another process sealed the same fingerprint first, its artifact stays and the draft is left to be removed.
        """
        target = self.path(record.step, record.fingerprint)
        with full_disk_named(self.root):
            _complete(draft, record, _encoded(record))
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                draft.rename(target)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            _flush(target.parent)
        if self._remote is not None:
            self._remote.upload(target, f"{record.step}/{target.name}")
        return self.record_digest(record)

    def replace(self, record: Record, draft: Path, note: str, enter: Callable[[Record, str], None]) -> Record:
        """Put other files in the place of an artifact's own, under the same fingerprint: what erasure leaves of it.

        `enter(new, digest of its record)` writes it into the ledger before the files are there. A kill after that leaves the
        old files, which `verify` then names, and erasing again mends it.
        """
        files = self.hash_files(draft)
        new = msgspec.structs.replace(record, files=files, digest=self.digest(files), notes=[*record.notes, note])
        data = _encoded(new)
        target = self.folder(record)
        enter(new, digest(data, self.algorithm))
        with full_disk_named(self.root):
            _complete(draft, new, data)
            old = Path(tempfile.mkdtemp(prefix=_REPLACED, dir=draft.parent))
            target.rename(old / "old")
            draft.rename(target)
            _flush(target.parent)
            shutil.rmtree(old)
        if self._remote is not None:
            key = f"{record.step}/{target.name}"
            self._remote.remove(key)
            self._remote.upload(target, key)
        return new

    def sweep_replaced(self) -> None:
        """Remove what a kill left of artifacts whose files were replaced: what was to be erased may be in it."""
        for folder in (self.root / ".drafts").glob(f"{_REPLACED}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def record_digest(self, record: Record) -> str:
        return digest((self.folder(record) / RECORD).read_bytes(), self.algorithm)

    def remove(self, record: Record) -> None:
        """Take an artifact out, here and in object storage. The record goes first, so that no half artifact is seen."""
        folder = self.folder(record)
        if self._remote is not None:
            self._remote.remove(f"{record.step}/{folder.name}")
        (folder / RECORD).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    def verify(self, step: str, fingerprint: str, sealed: Mapping[str, str] | None) -> list[Problem]:
        """Re-hash one artifact against its record, and its record against what the ledger says was sealed.

        Each problem names the artifact and the file. A record that was changed is not believed in anything.
        """
        folder = self.path(step, fingerprint)
        label = f"{step} {fingerprint}"
        data = (folder / RECORD).read_bytes()
        if sealed is None:
            return [Problem(label, "has no entry in the ledger; run its recipe again to enter it")]
        if digest(data, sealed["record"].partition(":")[0]) != sealed["record"]:
            return [Problem(f"{label}: {RECORD}", "was changed: the ledger holds another digest for it")]
        record = self._read(folder)
        problems = []
        present = dict(files_below(folder))
        for name, facts in record.files.items():
            if name not in present:
                problems.append(Problem(f"{label}: {name}", "is missing"))
            elif digest_file(present[name], facts.digest.partition(":")[0]) != facts.digest:
                problems.append(Problem(f"{label}: {name}", "was changed: its digest does not match the record"))
        for name in present:
            if name != RECORD and name not in record.files:
                problems.append(Problem(f"{label}: {name}", "is not part of the artifact"))
        return problems

    def _read(self, folder: Path) -> Record:
        try:
            return msgspec.json.decode((folder / RECORD).read_bytes(), type=Record)
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(
                f"{folder / RECORD} cannot be read: {error}",
                "It was changed or broken; remove the folder and run again",
            ) from None

    def _fetch(self, step: str, fingerprint: str) -> None:
        remote = self._remote
        target = self.path(step, fingerprint)
        key = f"{step}/{target.name}"
        if remote is None or not remote.holds(key):
            return
        with self.draft() as draft, full_disk_named(self.root):
            remote.download(key, draft)
            record = self._read(draft)
            for name, facts in record.files.items():
                if digest_file(draft / name, facts.digest.partition(":")[0]) != facts.digest:
                    raise StoreError(
                        f"{key}/{name} came damaged from the store's URL", "Fetch again, or restore it there"
                    )
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                draft.rename(target)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise


class _Remote:
    """Object storage through fsspec. The record goes up last and comes down last: it is the commit marker."""

    def __init__(self, url: str) -> None:
        try:
            import fsspec
        except ImportError:
            raise MissingExtra("fsspec", "remote") from None
        try:
            # What was listed is not remembered: another machine may have sealed or removed something since.
            self._fs, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except (ValueError, ImportError) as error:
            raise StoreError(
                f"the store's URL {url} cannot be used: {error}", nearest(url.partition(":")[0], ["s3", "gs", "file"])
            ) from None

    def holds(self, key: str) -> bool:
        return bool(self._fs.exists(f"{self._root}/{key}/{RECORD}"))

    def steps_of(self, name: str) -> list[str]:
        found = self._fs.glob(f"{self._root}/*/{name}*/{RECORD}")
        return sorted(str(path).rsplit("/", 3)[1] for path in found)

    def upload(self, folder: Path, key: str) -> None:
        if self.holds(key):
            return
        for name, path in [*((n, p) for n, p in files_below(folder) if n != RECORD), (RECORD, folder / RECORD)]:
            place = f"{self._root}/{key}/{name}"
            self._fs.makedirs(place.rsplit("/", 1)[0], exist_ok=True)
            self._fs.put_file(str(path), place)

    def download(self, key: str, folder: Path) -> None:
        prefix = f"{self._root}/{key}"
        for place in self._fs.find(prefix):
            name = str(place)[len(str(self._fs._strip_protocol(prefix))) :].lstrip("/")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            self._fs.get_file(place, str(folder / name))

    def remove(self, key: str) -> None:
        place = f"{self._root}/{key}"
        if self._fs.exists(f"{place}/{RECORD}"):
            self._fs.rm_file(f"{place}/{RECORD}")
        if self._fs.exists(place):
            self._fs.rm(place, recursive=True)


@contextmanager
def full_disk_named(root: Path) -> Iterator[None]:
    """Turns the system's word for a full disk into one that says where and what to do. Nothing half-written is sealed."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreError(
                f"no space is left on the disk of {root}",
                "Free some (see: septet gc), then run again: finished steps are kept",
            ) from error
        raise


def _encoded(record: Record) -> bytes:
    return msgspec.json.format(msgspec.json.encode(record, order="sorted"), indent=1) + b"\n"


def _complete(draft: Path, record: Record, data: bytes) -> None:
    """Make a draft ready to be moved: its files on disk and read-only, its record last."""
    for name in record.files:
        _flush(draft / name)
        (draft / name).chmod(0o444)
    with (draft / RECORD).open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    _flush(draft)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

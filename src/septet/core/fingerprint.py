"""Identity: what a step's result is a function of, as one digest. See docs/design/0001-identity.md for the reasons.

A fingerprint holds the step's name and version, every field of its config (defaults too, outside files by the hash of
their content) and the fingerprints of its inputs. It never holds a path of the store, a device, an engine or a number
of workers. Digests name their algorithm (`sha256:...`, `sm3:...`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from septet.core.config import Config, externals
from septet.core.errors import ConfigError, StoreError

ALGORITHMS = ("sha256", "sm3")
_BLOCK = 1 << 20


def canonical(value: Any) -> bytes:
    """One byte sequence for one value: JSON, keys sorted, no blanks, UTF-8. Numbers as the shortest form that reads back."""
    return msgspec.json.encode(value, order="sorted")


def digest(data: bytes, algorithm: str = "sha256") -> str:
    """The digest of some bytes, with the name of its algorithm in front."""
    hasher = _hasher(algorithm)
    hasher.update(data)
    return f"{algorithm}:{hasher.hexdigest()}"


def digest_file(path: Path, algorithm: str = "sha256") -> str:
    """The digest of a file's bytes, read in blocks."""
    hasher = _hasher(algorithm)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            hasher.update(block)
    return f"{algorithm}:{hasher.hexdigest()}"


def digest_tree(files: Mapping[str, str], algorithm: str = "sha256") -> str:
    """The digest of a folder: of its relative names and the digests of its files. Times and modes do not count."""
    return digest(canonical({name: files[name] for name in sorted(files)}), algorithm)


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Relative name (`/` between parts) and path of each file below a folder, in the order of the names."""
    found = []
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            path = Path(root) / name
            found.append((path.relative_to(folder).as_posix(), path))
    yield from sorted(found)


def visible_files(place: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of a file, or of each file below a folder. Hidden files and folders (`.git`) are not part of a folder."""
    if not place.is_dir():
        yield place.name, place
        return
    for name, path in files_below(place):
        if not any(part.startswith(".") for part in name.split("/")):
            yield name, path


class ContentHasher:
    """Hashes files outside the store, and remembers each by size and time of change so that a plan need not read again.

    The memory is a convenience: it is keyed by path, size, inode and nanoseconds, and losing it costs only time.
    """

    def __init__(self, memory: Path | None = None, algorithm: str = "sha256") -> None:
        self.algorithm = algorithm
        self._memory = memory
        self._known: dict[str, str] = {}
        self._fresh = False
        if memory is not None and memory.exists():
            try:
                self._known = msgspec.json.decode(memory.read_bytes(), type=dict[str, str])
            except (OSError, msgspec.DecodeError):
                self._known = {}

    def file(self, path: Path) -> str:
        facts = path.stat()
        key = f"{self.algorithm}|{path.absolute()}|{facts.st_size}|{facts.st_ino}|{facts.st_mtime_ns}"
        if key not in self._known:
            self._known[key] = digest_file(path, self.algorithm)
            self._fresh = True
        return self._known[key]

    def path(self, path: Path, counts: Callable[[str], bool] | None = None) -> str:
        """The digest of a file, or of a folder as a tree: of those of its files whose names count. Hidden files and folders
        (`.git`) are not part of a folder."""
        if path.is_dir():
            visible = visible_files(path)
            files = {name: self.file(file) for name, file in visible if counts is None or counts(name)}
            return digest_tree(files, self.algorithm)
        if not path.exists():
            raise ConfigError(f"there is no file or folder at {path}", "Check the path")
        return self.file(path)

    def keep(self) -> None:
        """Write the memory down, if it grew. A folder that cannot be written is no reason to fail a plan."""
        if self._memory is None or not self._fresh:
            return
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            draft = self._memory.with_suffix(f".{os.getpid()}")
            draft.write_bytes(msgspec.json.encode(self._known))
            draft.replace(self._memory)
        except OSError:
            return
        self._fresh = False


def identity_of(config: Config, hasher: ContentHasher) -> dict[str, Any]:
    """The config as the fingerprint sees it: literals as they are, each outside path replaced by its content's digest."""
    plain: dict[str, Any] = msgspec.to_builtins(config)
    for name, paths in externals(config).items():
        value = plain[name]
        digests = {one: hasher.path(Path(one), config.counts) for one in paths}
        if isinstance(value, str):
            plain[name] = {"content": digests[value]}
        else:
            plain[name] = [{"content": digests[one]} if one in digests else one for one in value]
    return plain


def fingerprint(
    step: str,
    version: int,
    identity: Mapping[str, Any],
    inputs: Mapping[str, str | Iterable[str]],
    algorithm: str = "sha256",
) -> str:
    """The digest of what a step's result is a function of. `inputs` maps a port to the fingerprint(s) tied to it."""
    tied = {port: one if isinstance(one, str) else list(one) for port, one in inputs.items()}
    return digest(canonical({"step": step, "version": version, "config": identity, "inputs": tied}), algorithm)


def short(value: str) -> str:
    """A digest as people read it: the first twelve hexadecimal digits."""
    return value.partition(":")[2][:12] or value[:12]


def _hasher(algorithm: str) -> Any:
    if algorithm not in ALGORITHMS:
        raise ConfigError(f"unknown digest algorithm '{algorithm}'", f"Known: {', '.join(ALGORITHMS)}")
    try:
        return hashlib.new(algorithm)
    except ValueError:
        raise StoreError(
            f"this Python's OpenSSL has no '{algorithm}'", "Use sha256, or a Python built with an OpenSSL that has it"
        ) from None

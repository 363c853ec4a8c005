"""A file as readers see it: a name, its first bytes, and its content as a stream or as a whole. Members of archives too.

Nothing is unpacked to disk. A member is read once, from front to back; who needs all of it at once takes `data()`, which is
bounded.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from septet.data.readers.row import Item, Told, Unreadable

# How much is looked at to tell formats, encodings and dialects apart (bytes).
HEAD = 64 << 10
# A format that has to be read as a whole (PDF, Office, HTML) is not read past this (bytes).
MAX_WHOLE = 256 << 20


# Bounds of what is unpacked from one file, nested archives and attachments together (chosen: far above honest archives).
MAX_MEMBERS, MAX_DEPTH, MAX_TOTAL = 200_000, 4, 256 << 30


class Budget:
    """What may still be unpacked from one outer file. Raises Unreadable when it is spent."""

    def __init__(self) -> None:
        self.members = MAX_MEMBERS
        self.bytes = MAX_TOTAL

    def member(self) -> None:
        self.members -= 1
        if self.members < 0:
            raise Unreadable(f"holds more than the bound of {MAX_MEMBERS:,} members", "too large")

    def spend(self, size: int) -> None:
        self.bytes -= size
        if self.bytes < 0:
            raise Unreadable(f"unpacks to more than the bound of {MAX_TOTAL >> 20} MiB", "too large")


class File:
    """A file on disk, or a member of another one (`path` is None and `stream` is read once)."""

    def __init__(
        self,
        name: str,
        told: Told,
        *,
        path: Path | None = None,
        stream: BinaryIO | None = None,
        size: int = -1,
        depth: int = 0,
        span: tuple[int, int] | None = None,
        kind: str = "",
        budget: Budget | None = None,
    ) -> None:
        self.name = name
        self.told = told
        self.path = path
        self.depth = depth
        self.budget = budget or Budget()
        self._whole: bytes | None = None
        self.kind = kind
        """A media type that a container declares for it, where one does."""
        self.charset = ""
        """A character set that a container declares for it, where one does."""
        self.span = span
        """First byte and end of the stretch of lines to read, where a large file is read in pieces."""
        self.size = path.stat().st_size if path is not None else size
        if path is not None:
            with path.open("rb") as opened:
                self.head = opened.read(HEAD)
        else:
            self._rest = stream if stream is not None else io.BytesIO()
            self.head = _exactly(self._rest, HEAD)

    def member(self, name: str, stream: BinaryIO, size: int = -1, kind: str = "") -> File:
        """A file inside this one. Raises Unreadable where archives lie too deep in each other, or are too many."""
        if self.depth >= MAX_DEPTH:
            raise Unreadable(f"lies deeper than the bound of {MAX_DEPTH} archives in each other", "too large")
        self.budget.member()
        return File(name, self.told, stream=stream, size=size, depth=self.depth + 1, kind=kind, budget=self.budget)

    def of_bytes(self, name: str, data: bytes, kind: str = "") -> File:
        """A member whose bytes are at hand."""
        return self.member(name, io.BytesIO(data), len(data), kind)

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()

    def stream(self) -> BinaryIO:
        """The content from its first byte. To be closed by the reader; a member gives it once."""
        if self.path is not None:
            return self.path.open("rb")
        if self._whole is not None:
            return io.BytesIO(self._whole)
        return io.BufferedReader(_Rejoined(self.head, self._rest), 1 << 18)

    def data(self, limit: int = 0) -> bytes:
        """All bytes. Raises Unreadable past the bound of what is held at once."""
        limit = limit or MAX_WHOLE
        if self._whole is not None:
            return self._whole
        with self.stream() as opened:
            found = opened.read(limit + 1)
        if len(found) > limit:
            raise Unreadable(f"is larger than the bound of {limit >> 20} MiB for files of its type", "too large")
        if self.path is None:
            self._whole = found
        return found

    def seekable(self) -> BinaryIO:
        """The content as a stream that can go back: the file itself, or the bytes of a member."""
        return self.path.open("rb") if self.path is not None else io.BytesIO(self.data())

    def nested(self, where: str, rows: Rows) -> Iterator[Item]:
        """What this member holds, each place with `where` in front."""
        for item in rows(self):
            yield item._replace(where=f"{where} > {item.where}" if item.where else where)


class _Rejoined(io.RawIOBase):
    """What was looked at already, then the rest."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = memoryview(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._head:
            size = min(len(buffer), len(self._head))
            buffer[:size] = self._head[:size]
            self._head = self._head[size:]
            return size
        found = self._rest.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    parts = []
    while size > 0 and (found := stream.read(size)):
        parts.append(found)
        size -= len(found)
    return b"".join(parts)


def shown(name: str) -> str:
    """A member's name as it stands in `where`: nothing in it can be taken for a path of this machine or a separator."""
    name = re.sub("[\x00-\x1f\x7f]", "", name).replace("\\", "/").replace(" > ", " ")
    return "/".join(part for part in name.split("/") if part not in ("", ".", ".."))[:400] or "unnamed"


def named_once(names: list[str]) -> list[str]:
    """Names of members, a repeated one with its number."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


Rows = Callable[[File], Iterator[Item]]
"""The door through which a container hands a member on: `registry.rows`."""

"""Archives: zip, tar, and single files packed by gzip, bzip2, xz or zstd. Members are read as streams, in archives too.

Nothing is unpacked to disk, so a member's name is a name and no path. Bounded in members, depth, total size and the ratio
of unpacked to packed, against archives made to fill a machine.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from septet.core import MissingExtra
from septet.data.readers.encoding import decode
from septet.data.readers.file import Budget, File, Rows, named_once, shown
from septet.data.readers.row import Item, Reject, Unreadable, parsing

# Past the first stretch, nothing honest unpacks to so many times its packed size (text by xz or zstd stays below 60).
MAX_RATIO, RATIO_FROM = 250, 64 << 20
_ERRORS = (zlib.error, lzma.LZMAError, EOFError, OSError, zipfile.BadZipFile, tarfile.TarError, NotImplementedError)
_PACKED = {
    ".gz": "",
    ".bz2": "",
    ".xz": "",
    ".zst": "",
    ".tgz": ".tar",
    ".tbz2": ".tar",
    ".txz": ".tar",
    ".tzst": ".tar",
}


class _Bounded(io.RawIOBase):
    """An unpacked stream that stops at the bounds. What unpacking throws comes out as Unreadable."""

    def __init__(self, stream: Any, packed: int, budget: Budget) -> None:
        self._stream = stream
        self._packed = packed
        self._budget = budget
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            found = self._stream.read(len(buffer))
        except _ERRORS as error:
            raise Unreadable(f"cannot be unpacked: {error}", "unreadable") from None
        except RuntimeError as error:  # zipfile: a password, or an unknown method
            raise Unreadable(f"cannot be unpacked: {error}", "encrypted") from None
        except Exception as error:
            # zstandard is imported only where a file needs it, so its error is told by name; any other goes on.
            if type(error).__name__ != "ZstdError":
                raise
            raise Unreadable(f"cannot be unpacked: {error}", "unreadable") from None
        self._read += len(found)
        self._budget.spend(len(found))
        if self._packed > 0 and self._read > RATIO_FROM and self._read > MAX_RATIO * self._packed:
            raise Unreadable(f"unpacks to more than {MAX_RATIO} times its size", "too large")
        buffer[: len(found)] = found
        return len(found)


def _bounded(stream: Any, packed: int, file: File) -> BinaryIO:
    return io.BufferedReader(_Bounded(stream, packed, file.budget), 1 << 18)


def packing_of(head: bytes) -> str:
    """`gz`, `bz2`, `xz` or `zst` by the first bytes, or an empty text."""
    marks = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zst"))
    return next((name for mark, name in marks if head.startswith(mark)), "")


def opened(stream: BinaryIO, packing: str) -> Any:
    """A stream of what was packed. Raises MissingExtra for zstd without its package."""
    if packing == "gz":
        return gzip.GzipFile(fileobj=stream)
    if packing == "bz2":
        return bz2.BZ2File(stream)
    if packing == "xz":
        return lzma.LZMAFile(stream)
    try:
        import zstandard
    except ImportError:
        raise MissingExtra("zstandard", "data") from None
    return zstandard.ZstdDecompressor(max_window_size=1 << 28).stream_reader(stream, read_across_frames=True)


def peek(head: bytes) -> bytes:
    """The first unpacked bytes of a packed file, as far as its own first bytes give them."""
    try:
        return bytes(opened(io.BytesIO(head), packing_of(head)).read(512))
    # A head that cannot be unpacked says nothing of its kind; the reader that opens the whole file says what is wrong.
    except (*_ERRORS, MissingExtra):
        return b""
    except Exception as error:
        if type(error).__name__ != "ZstdError":
            raise
        return b""


def read_packed(file: File, rows: Rows) -> Iterator[Item]:
    """One packed file. Its rows stand at their place in it, as if it were not packed."""
    path = PurePosixPath(file.name)
    inner = path.stem + _PACKED.get(path.suffix.lower(), path.suffix)
    with file.stream() as raw:
        stream = _bounded(opened(raw, packing_of(file.head)), file.size, file)
        member = file.member(inner, stream)
        yield from rows(member)


def is_tar(head: bytes) -> bool:
    """Whether a file is a tar archive (POSIX ustar or GNU)."""
    return head[257:262] == b"ustar"


def read_tar(file: File, rows: Rows) -> Iterator[Item]:
    """Each regular file of a tar archive, in one pass. Links, devices and folders hold no text of their own."""
    seen: Counter[str] = Counter()
    with file.stream() as stream:
        try:
            archive = tarfile.open(fileobj=stream, mode="r|")  # noqa: SIM115 (closed with its stream)
        except tarfile.TarError as error:
            raise Unreadable(f"is not a readable tar archive: {error}") from None
        while True:
            try:
                entry = archive.next()
            except (tarfile.TarError, EOFError, OSError, ValueError) as error:
                raise Unreadable(f"is a broken tar archive: {error}") from None
            if entry is None:
                break
            archive.members = []  # type: ignore[attr-defined]  # or a million members are remembered
            if entry.isdir():
                continue
            where = f"member {shown(entry.name)}"
            seen[where] += 1
            where = where if seen[where] == 1 else f"{where} ({seen[where]})"
            if not entry.isreg():
                yield Reject(where, "is a link or a device, not a file", "not a file")
                continue
            content = archive.extractfile(entry)
            assert content is not None
            yield from _member(file, entry.name, _bounded(content, 0, file), entry.size, where, rows)


def read_zip(file: File, rows: Rows) -> Iterator[Item]:
    """Each file of a zip archive. Names without the UTF-8 flag may be in a Chinese encoding, and are read so."""
    with file.seekable() as stream:
        with parsing("zip archive"):
            archive = zipfile.ZipFile(stream)
            entries = [entry for entry in archive.infolist() if not entry.filename or not entry.is_dir()]
        if not entries:
            raise Unreadable("is an empty archive", "empty")
        places = named_once([f"member {shown(_name(entry))}" for entry in entries])
        for place, (where, entry) in enumerate(zip(places, entries, strict=True)):
            name = _name(entry)
            if entry.flag_bits & 1:
                yield Reject(where, "is protected by a password", "encrypted")
                continue
            try:
                content = archive.open(entry)
            except (*_ERRORS, RuntimeError, ValueError) as error:
                yield Reject(where, f"cannot be unpacked: {error}")
                continue
            with content:
                packed = max(1, entry.compress_size)
                yield from _member(file, name, _bounded(content, packed, file), entry.file_size, where, rows)
            if file.budget.members < 0 or file.budget.bytes < 0:
                left = len(entries) - place - 1
                if left:
                    yield Reject("", "the members after that are left out", "too large", left)
                return


def _member(file: File, name: str, stream: BinaryIO, size: int, where: str, rows: Rows) -> Iterator[Item]:
    if any(part.startswith(".") or part == "__MACOSX" for part in shown(name).split("/")):
        yield Reject(where, "is a hidden file, which is no part of a source", "hidden")
        return
    try:
        yield from file.member(name, stream, size).nested(where, rows)
    except Unreadable as error:
        yield Reject(where, str(error), error.rule)


def _name(entry: zipfile.ZipInfo) -> str:
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    try:
        return decode(entry.filename.encode("cp437"))
    except (UnicodeEncodeError, Unreadable):
        return entry.filename

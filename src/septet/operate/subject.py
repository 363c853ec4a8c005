"""Whom or what a question of `impact` is about: a source, a document, a data set, an artifact, or a person's value.

A value is looked for in text by one pattern for Arrow (RE2, linear time) and for Python: without case, in full and half width,
with or without separators between digits and blanks between Chinese characters, and never inside a longer number or word.
Homoglyphs and encodings are not undone. Nothing here says a value: `label` names its kind and length.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from septet.core import ConfigError, StoreError
from septet.core.fingerprint import digest_file
from septet.core.store import Record
from septet.core.workspace import Workspace
from septet.detect import pii
from septet.kinds import Corpus

MEDIA = ("Recordings", "Pictures")
"""Kinds whose rows are more than text."""
SORTS = ("source", "document", "dataset", "artifact", "value")
_LONGEST = 200
"""A longer pattern may pass the memory that RE2 allows itself, and its message would say the value."""
_GAP = "[-\\s.()·\u00a0\u2010-\u2015\uff0d]{0,2}"
_BLANK = "[\\s\u200b\u3000]?"
BLOT = "\u2588"
"""What covers a character of an erased value."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """`sort` is one of SORTS. `label` may be shown and logged; `value` may not, where the sort is `value`."""

    sort: str
    label: str
    value: str
    digest: str = ""
    """Of a source that was given as a file: the digest of its bytes, so that copies under other names are found."""
    names: tuple[str, ...] = ()
    """What a source that was given as a path is called in the corpora that read it."""


def find(workspace: Workspace, what: str, sort: str = "") -> Subject:
    """The subject that a text stands for. What is known as no source, document, data set or artifact is a value.

    Raises ConfigError where the text may be several of these, or is too short to be looked for.
    """
    what = what.strip()
    if not what:
        raise ConfigError("nothing was named", "Name a source, a document's id, a data set, an artifact or a value")
    if sort == "value":
        return _value(what)
    digest, names = _digest(what), _names(workspace, what)
    if sort in ("source", "document", "dataset"):
        return _told(sort, what, digest, names)
    record = _artifact(workspace, what)
    if sort == "artifact":
        if record is None:
            raise ConfigError("no artifact is called so", "List them with: septet ls artifacts")
        return Subject(sort="artifact", label=what, value=record.fingerprint)
    fits = {"artifact"} if record is not None else set()
    fits |= _columns_with(workspace, what, digest, names)
    if len(fits) > 1:
        raise ConfigError(f"this may be a {' or a '.join(sorted(fits))}", f"Say which: --as {sorted(fits)[0]}")
    if not fits:
        return _value(what)
    sort = fits.pop()
    if record is not None:
        return Subject(sort=sort, label=what, value=record.fingerprint)
    return _told(sort, what, digest, names)


def hidden(text: str) -> str:
    """A name without the personal data in it."""
    out, at = [], 0
    for span in pii.detect(text, threshold=0.5):
        out += [text[at : span.start], f"[{span.kind}]"]
        at = span.end
    return "".join(out) + text[at:]


def pattern_of(value: str) -> str:
    """The pattern of a value, for RE2 and for Python's `re`. A match may hold a character before and behind that bounds it."""
    return _pattern(value, "(?:^|[^0-9A-Za-z\uff10-\uff19])", "(?:$|[^0-9A-Za-z\uff10-\uff19])")


def blot(text: str, subject: Subject) -> str:
    """The text with each character of the subject's value covered, so that every other one stands where it stood."""
    return _exact(subject.value).sub(lambda match: BLOT * len(match[0]), text)


@cache
def _exact(value: str) -> re.Pattern[str]:
    return re.compile(_pattern(value, "(?<![0-9A-Za-z\uff10-\uff19])", "(?![0-9A-Za-z\uff10-\uff19])"))


def _pattern(value: str, before: str, behind: str) -> str:
    given = value.strip()
    forms = dict.fromkeys((unicodedata.normalize("NFKC", given).strip() or given, given))
    return "(?i)" + "|".join(_form(text, before, behind) for text in forms)


def _form(text: str, before: str, behind: str) -> str:
    text = re.sub(r"(?<=\d)[-\s.()·]+(?=\d)", "", text) if _is_number(text) else text
    parts = []
    for place, character in enumerate(text):
        after = text[place + 1] if place + 1 < len(text) else ""
        if character.isspace():
            parts.append("\\s+" if not text[place - 1].isspace() else "")
            continue
        parts.append(_either_width(character))
        if character.isdigit() and after.isdigit():
            parts.append(_GAP)
        elif _is_han(character) and _is_han(after):
            parts.append(_BLANK)
    first = before if text[0].isascii() and text[0].isalnum() else ""
    last = behind if text[-1].isascii() and text[-1].isalnum() else ""
    return f"(?:{first}{''.join(parts)}{last})"


def source_fits(column: Any, digests: Any, subject: Subject) -> Any:
    """Which rows are of a source: by its name, by the end of its path, or by the digest of the file."""
    import pyarrow as pa
    import pyarrow.compute as pc

    fits = pc.is_in(column, value_set=pa.array([subject.value, *subject.names]))
    if not subject.value.startswith("/"):
        fits = pc.or_(fits, pc.ends_with(column, "/" + subject.value))
    if subject.digest and digests is not None:
        fits = pc.or_(fits, pc.equal(digests, subject.digest))
    return pc.fill_null(fits, False)


def corpora(workspace: Workspace) -> Iterable[tuple[Record, Corpus]]:
    """Every corpus of the local store, of speech and pictures too: their rows name their sources alike."""
    for record in workspace.store.records():
        if record.kind in ("Corpus", *MEDIA):
            yield record, Corpus(workspace.store.folder(record))


def _told(sort: str, what: str, digest: str, names: tuple[str, ...]) -> Subject:
    if sort != "source":
        digest, names = "", ()
    return Subject(sort=sort, label=hidden(what), value=what, digest=digest, names=names)


def _value(what: str) -> Subject:
    text = unicodedata.normalize("NFKC", what).strip()
    if len(text) < (2 if any(_is_han(c) for c in text) else 4):
        raise ConfigError("the value is too short to be looked for", "Give a whole name, number or address")
    if len(text) > _LONGEST:
        raise ConfigError(f"the value has {len(text)} characters", f"Give a part of it, of {_LONGEST} at most")
    kinds = sorted({span.kind for span in pii.detect(what, threshold=0.3)})
    return Subject(sort="value", label=f"{', '.join(kinds) or 'text'}, {len(what)} characters", value=what)


def _digest(what: str) -> str:
    try:
        path = Path(what).expanduser()
        return digest_file(path) if path.is_file() else ""
    except (OSError, ValueError, RuntimeError):
        return ""  # no path at all: too long, or with a character that no path has


def _names(workspace: Workspace, what: str) -> tuple[str, ...]:
    """What a path is called in a corpus that read it, or a folder above it."""
    path = Path(what)
    found = []
    for record in workspace.store.records() if path.is_absolute() else ():
        for given in (one for paths in record.outside.values() for one in paths):
            if path == Path(given):
                found.append(path.name)
            elif path.is_relative_to(given):
                found.append(path.relative_to(given).as_posix())
    return tuple(dict.fromkeys(found))


def _artifact(workspace: Workspace, what: str) -> Record | None:
    try:
        return workspace.resolve(what)
    except (ConfigError, StoreError):
        return None


def _columns_with(workspace: Workspace, what: str, digest: str, names: tuple[str, ...]) -> set[str]:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found: set[str] = set()
    probe = Subject(sort="source", label="", value=what, digest=digest, names=names)
    for _, corpus in corpora(workspace):
        for part in [*corpus.parts, *sorted((corpus.path / "dropped").glob("part-*.parquet"))]:
            there = [
                name
                for name in ("id", "source", "dataset", "source_digest")
                if name in pq.ParquetFile(part).schema_arrow.names
            ]
            for batch in pq.ParquetFile(part).iter_batches(columns=there):
                for sort, name in (("document", "id"), ("dataset", "dataset")):
                    if sort not in found and name in there and pc.any(pc.equal(batch[name], what)).as_py():
                        found.add(sort)
                digests = batch["source_digest"] if "source_digest" in there else None
                if "source" not in found and pc.any(source_fits(batch["source"], digests, probe)).as_py():
                    found.add("source")
    return found


def _either_width(character: str) -> str:
    code = ord(character)
    if not 0x21 <= code <= 0x7E:
        return re.escape(character)
    return f"[{re.escape(character)}{chr(code + 0xFEE0)}]"


def _is_number(text: str) -> bool:
    return sum(c.isdigit() for c in text) >= 5 and not any(c.isalpha() for c in text.replace("x", "").replace("X", ""))


def _is_han(character: str) -> bool:
    return bool(character) and "\u3400" <= character <= "\u9fff"

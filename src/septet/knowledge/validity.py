"""From when to when a document holds: what it says of itself, what its source declares, and which later version replaced it.

Days are ISO dates; "" is open on its side. A document is valid on a day where `valid_from <= day < valid_to`. Of rules that are
in force in one version at a time (`detect.versions`) the earlier version ends where the later one begins. Two documents are
versions of one only where they share a name without its marks and enough of their text.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from zlib import crc32

import msgspec

from septet.core import ConfigError
from septet.detect.versions import Version, dates_of, newer, version_of

_LIKE = 0.2
"""Share of the smaller document's words that another of its name must hold to be a version of it."""
NEWEST = "9999-12-31"
"""A day on which the last version of each document holds: for what must not depend on the day it is made."""
NEVER = "0001-01-01"
"""The end of a version of which a later one exists, without a day on which that began."""
_FROM = ("valid_from", "effective", "effective_date", "effective_from", "生效日期", "施行日期", "实施日期")
_TO = ("valid_to", "valid_until", "expires", "expiry_date", "失效日期", "废止日期", "有效期至")
_LINE = re.compile(rf"^[\s*_>|-]*({'|'.join((*_FROM, *_TO))})[*_]*\s*[:：|]\s*(.+)$", re.MULTILINE | re.IGNORECASE)
_HEAD, _TAIL = 1500, 1000
_IN_FORCE = re.compile(
    r"自.{4,24}?起(?:施行|生效|实施|执行)"
    r"|(?:effective|in force|apply|applies|takes? effect)\s+(?:on|from|as of|with effect from)?\s*.{6,24}",
    re.IGNORECASE,
)


Key = tuple[str, str]
"""What a document goes by: its data set, and its source in that."""


class Held(msgspec.Struct, kw_only=True):
    """What is known of one document. `family` is its name without marks, "" for what is no rules; `words` a quarter of its words
    as numbers."""

    key: Key
    family: str
    version: Version
    valid_from: str
    valid_to: str
    words: frozenset[int]

    @property
    def label(self) -> str:
        """The version in words: a date or a number, and whether it is a draft."""
        number = ".".join(map(str, self.version.number))
        named = self.version.date or (f"v{number}" if number else "")
        return f"{named} draft".strip() if self.version.draft else named


def declared(meta: str) -> tuple[str, str]:
    """From when to when a row holds by the facts that came with it, a JSON object; "" where they do not say."""
    said = _declared(meta)
    return _day(said, _FROM), _day(said, _TO)


def held(key: Key, title: str, text: str, meta: str, words: Iterable[str]) -> Held:
    """What one document says of its validity: in what came with it, in its first lines (`valid_from: ...`, `生效日期：...`), and,
    for rules, in the sentence that puts them into force."""
    version = version_of(title, key[1], text)
    said = {**_lines(text[:_HEAD]), **_declared(meta)}
    return Held(
        key=key,
        family=version.keys[0] if version.rules and version.keys else "",
        version=version,
        valid_from=_day(said, _FROM) or (_begins(version, text[-_TAIL:]) if version.rules else ""),
        valid_to=_day(said, _TO) or (NEVER if version.withdrawn else ""),
        words=frozenset(mark for word in words if not (mark := crc32(word.encode())) & 3)
        if version.rules
        else frozenset(),
    )


def settle(documents: Sequence[Held]) -> dict[Key, str]:
    """The documents that later versions replaced, each with the day on which it ended."""
    ended: dict[Key, str] = {}
    families: dict[str, list[Held]] = {}
    for one in documents:
        if one.family:
            families.setdefault(one.family, []).append(one)
    for versions in families.values():
        for old in versions:
            later = [
                new for new in versions if new is not old and newer(new.version, old.version) > 0 and _like(new, old)
            ]
            # A draft ends nothing but an earlier draft.
            later = [new for new in later if not new.version.draft or old.version.draft]
            if later:
                begins = min((day for new in later if (day := new.valid_from or new.version.date)), default=NEVER)
                ended[old.key] = begins
    return ended


def day_of(given: str) -> str:
    """A day as ISO date; "" is today, where the caller stands. Raises ConfigError for what is no day."""
    if not given:
        return datetime.date.today().isoformat()
    try:
        return datetime.date.fromisoformat(given).isoformat()
    except ValueError:
        raise ConfigError(f"'{given}' is not a day", "Write it as 2026-11-24") from None


def _like(one: Held, other: Held) -> bool:
    small = min(len(one.words), len(other.words))
    return small == 0 or len(one.words & other.words) >= _LIKE * small


def _lines(head: str) -> dict[str, str]:
    return {found[1].lower(): found[2] for found in _LINE.finditer(head)}


def _begins(version: Version, tail: str) -> str:
    """The day on which a version of rules comes into force. An amended text still names the day of the first one: then it is the
    day of the amendment."""
    told = [day for found in _IN_FORCE.finditer(tail) for day in dates_of(found[0])]
    return max((*told, version.in_force, version.date))


def _declared(meta: str) -> dict[str, str]:
    try:
        read = msgspec.json.decode(meta or "{}")
    except msgspec.DecodeError:
        return {}
    return {str(key): str(value) for key, value in read.items()} if isinstance(read, dict) else {}


def _day(said: dict[str, str], names: Sequence[str]) -> str:
    for name in names:
        value = said.get(name, "")
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return value
        found = dates_of(value)
        if found:
            return found[0]
    return ""

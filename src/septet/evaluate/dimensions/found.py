"""What a look at rows found: numbers with intervals, what could not be measured and why, and what else was settled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from septet.kinds import Measure

Row = Mapping[str, Any]


@dataclass
class Found:
    """Filled by one side's measuring. `rows` holds what is told of single items, by id."""

    measures: dict[str, Measure] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def stands(self) -> bool:
        """Whether anything was measured."""
        return bool(self.measures)

    def tell(self, row: Row, values: Mapping[str, Any]) -> None:
        """Say something of an item."""
        self.rows.setdefault(str(row["id"]), {}).update(values)


def own(rows: Iterable[Row]) -> list[Row]:
    """The rows of items that are no twin."""
    return [row for row in rows if not row.get("twin_of")]


def cluster(row: Row) -> str:
    """What an item stands on: its errors go with those of the others there."""
    return str(row.get("cluster") or row.get("twin_of") or row["id"])


def meta(row: Row) -> Mapping[str, Any]:
    """What the item said besides; a row of an older store has none."""
    return row.get("meta") or {}


def by(rows: Iterable[Row], key: Callable[[Row], str]) -> list[tuple[str, list[Row]]]:
    """The rows by a key, in the order of the keys; those whose key is '' are left out."""
    parts: dict[str, list[Row]] = {}
    for row in rows:
        name = key(row)
        if name:
            parts.setdefault(name, []).append(row)
    return sorted(parts.items())


def with_languages(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """All rows under '', and where there are several languages those of each under `.zh`, `.en`..."""
    parts = by(rows, lambda row: str(row["language"]))
    return [("", list(rows)), *((f".{language}", some) for language, some in parts if len(parts) > 1)]

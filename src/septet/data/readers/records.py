"""From a record (a JSON object, a row of a table) to a text: which columns make it, and what the others become.

The user names the columns; else the usual names of a text column are looked for; else the whole record becomes one
`name: value` line a column.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from septet.data.readers.row import Item, Reject, Row, Told, as_meta, cleaned

TEXT_COLUMNS = tuple("text content body raw_content document article passage 正文 内容 文本 全文".split())
TITLE_COLUMNS = ("title", "标题", "题目", "headline", "subject")
# A column of another type than these is written out in the text and is no fact for `meta`.
_SCALARS = (str, int, float, bool)
_encode = msgspec.json.Encoder(enc_hook=str, decimal_format="string").encode

Maker = Callable[[Mapping[str, Any], str], Item]


class _Plan(NamedTuple):
    """How records with the same columns are read."""

    texts: tuple[str, ...]
    title: str
    rest: tuple[str, ...]
    whole: bool
    missing: str


def maker(told: Told, stem: str) -> Maker:
    """The function that turns a record and its place into a row or a reject. `stem` is the title where none is given."""
    plans: dict[tuple[str, ...], _Plan] = {}
    checked = bool(told.id_column or told.licence_column or told.source_column)

    def make(record: Mapping[str, Any], where: str) -> Item:
        keys = tuple(record)
        plan = plans.get(keys)
        if plan is None:
            if len(plans) > 1000:  # records whose names are data: no memory of them
                plans.clear()
            plan = plans[keys] = _plan(keys, told)
        if plan.missing:
            return Reject(where, f"has no column '{plan.missing}'", "column missing")
        licence = source = ""
        if checked:
            for column, rule in (
                (told.id_column, "no id"),
                (told.licence_column, "no licence"),
                (told.source_column, "no source"),
            ):
                if column and not as_text(record[column]).strip():
                    return Reject(where, f"its column '{column}' is empty", rule)
            licence = as_text(record[told.licence_column]).strip() if told.licence_column else ""
            source = as_text(record[told.source_column]).strip() if told.source_column else ""
            if told.id_column:
                where = f"{where} (id {' '.join(as_text(record[told.id_column]).split())[:100]})"
        if len(plan.texts) == 1:
            value = record[plan.texts[0]]
            text = value if type(value) is str else as_text(value)
        elif plan.whole:
            text = lines_of({key: record[key] for key in plan.texts})
        else:
            text = "\n\n".join(part for key in plan.texts if (part := as_text(record[key]).strip()))
        if not text or text.isspace():
            return Reject(where, "holds no text", "empty")
        title = " ".join(as_text(record[plan.title]).split())[:200] if plan.title else ""
        meta = ""
        if plan.rest:
            facts = {key: record[key] for key in plan.rest}
            if plan.whole:
                facts = {key: value for key, value in facts.items() if value != "" and isinstance(value, _SCALARS)}
            try:
                meta = _encode(facts).decode()
            except (TypeError, ValueError):
                meta = cleaned(as_meta({key: as_text(value) for key, value in facts.items()}))
        return Row(text, title or stem, where, 0, 0, meta, "", source, licence)

    return make


def _plan(keys: tuple[str, ...], told: Told) -> _Plan:
    needed = [one for one in (told.id_column, told.licence_column, told.source_column) if one]
    missing = next((one for one in (*told.text_columns, *needed) if one not in keys), "")
    lower = {key.strip().lower(): key for key in reversed(keys) if isinstance(key, str)}
    title = next((lower[name] for name in TITLE_COLUMNS if name in lower), "")
    texts = told.text_columns
    if not texts:
        texts = tuple(lower[name] for name in TEXT_COLUMNS if name in lower)[:1]
    apart = {*needed}
    whole = not texts
    if whole:
        texts = tuple(key for key in keys if key not in apart)
        whole = len(texts) > 1
        title = title if whole else ""
    rest = tuple(key for key in keys if (whole or key not in texts) and key not in apart and (whole or key != title))
    return _Plan(texts, title, rest, whole, missing)


def as_text(value: Any) -> str:
    """A value as it is read: lists of scalars with commas, objects as lines, dates in ISO 8601."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, int | decimal.Decimal):
        return str(value)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    if isinstance(value, Mapping):
        return lines_of(value)
    if isinstance(value, list | tuple):
        if all(isinstance(one, _SCALARS) or one is None for one in value):
            short = all(len(one) < 40 for one in value if isinstance(one, str))
            return (", " if short else "\n").join(as_text(one) for one in value if one is not None)
        return "\n".join(as_text(one) for one in value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"({len(value)} bytes)"
    return str(value)


def lines_of(record: Mapping[str, Any]) -> str:
    """A record as `name: value` lines, nested ones set in by two blanks. Empty values are left out."""
    lines = []
    for key, value in record.items():
        text = as_text(value).strip()
        if not text:
            continue
        if isinstance(value, Mapping | list | tuple) and "\n" in text:
            inner = "\n".join("  " + line for line in text.split("\n"))
            lines.append(f"{key}:\n{inner}")
        else:
            lines.append(f"{key}: {text}" if key else text)
    return "\n".join(lines)

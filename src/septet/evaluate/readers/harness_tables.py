"""The rows of a task of lm-evaluation-harness, as the package `datasets` would hand them to its templates, from local files alone.

CSV is read as pandas reads it: `NA`, `None`, `null` and their like are nothing (a template then writes `None`), and a column of
numbers becomes numbers (`0.50` is written `0.5`). Whether a column is one of numbers is told by all splits together, where pandas
asks each file by itself: text in one split and numbers in another are refused there. JSON fills keys that a row lacks with nothing.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from septet.core import ConfigError
from septet.files import read_parquet

Rows = list[dict[str, Any]]
_BUILDERS = ("csv", "json", "parquet", "text")
_NOTHING = frozenset(
    {
        "",
        *"#N/A #NA -1.#IND -1.#QNAN -NaN -nan 1.#IND 1.#QNAN <NA> N/A NA NULL NaN None n/a nan null".split(),
        "#N/A N/A",
    }
)
_TRUTH = {**dict.fromkeys(("True", "TRUE", "true"), True), **dict.fromkeys(("False", "FALSE", "false"), False)}
_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)
_NUMBER = re.compile(
    r"\s*[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|inf(?:inity)?)\s*", re.I
)
_CSV = "sep delimiter names column_names header usecols skiprows keep_default_na na_values encoding quotechar dtype".split()
_FREE = ("data_files", "data_dir", "trust_remote_code", "revision", "split", "cache_dir", "download_mode")
"""Settings of the loading itself, which say nothing of how a row is read; `trust_remote_code` runs nothing here."""
_OTHER_NAMES = {
    "validation": ("validation", "valid", "val", "dev"),
    "train": ("train", "training"),
    "test": ("test", "testing", "eval", "evaluation"),
}


def splits(config: Mapping[str, Any], folder: Path, wanted: Sequence[str]) -> dict[str, Rows]:
    """The rows of the splits that are wanted. Paths are relative to the folder of the task's file, or to one above it.

    Raises ConfigError for a data set of the hub, files that are not there, and settings of reading that are not known here.
    """
    path, kwargs = str(config.get("dataset_path") or ""), dict(config.get("dataset_kwargs") or {})
    task = config.get("task")
    place = None if path in _BUILDERS else _local(path, folder)
    if path not in _BUILDERS and (place is None or not place.is_dir()):
        names = ", ".join(f"{name}: FILE.parquet" for name in wanted)
        raise ConfigError(
            f"the task '{task}' reads the data set '{path}', which is no folder here",
            f"Fetch its files and write dataset_path: parquet, dataset_kwargs: {{data_files: {{{names}}}}}",
        )
    if place is None and not kwargs.get("data_files") and kwargs.get("data_dir"):
        place = _local(str(kwargs["data_dir"]), folder)
    if place is not None:
        own = place / str(config.get("dataset_name") or "")
        files = {split: _of_split(own if own.is_dir() else place, split) for split in wanted}
    else:
        files = _data_files(kwargs.get("data_files"), folder, str(task))
    for split in wanted:
        if not files.get(split):
            raise ConfigError(f"the task '{task}' has no file of the split '{split}'", "Name it in data_files")
    if place is not None and path not in _BUILDERS:
        path = _builder(files)
    known = {"csv": _CSV, "json": ["field"], "text": ["keep_linebreaks"], "parquet": ["columns"]}[path]
    odd = sorted(set(kwargs) - {*known, *_FREE})
    if odd:
        raise ConfigError(
            f"the task '{task}': the setting '{odd[0]}' of reading {path} is not known", "Prepare the file without it"
        )
    # Of the splits that are not wanted, those decide too whether a column is one of numbers.
    found = {split: [_read(path, one, kwargs) for one in some] for split, some in files.items() if some}
    if path == "csv":
        _typed([row for parts in found.values() for part in parts for row in part], kwargs)
    else:
        _filled([row for parts in found.values() for part in parts for row in part])
    return {split: [row for part in found[split] for row in part] for split in wanted}


def _local(name: str, folder: Path) -> Path | None:
    """Where a relative path is: beside the task's file, or below a folder above it."""
    if Path(name).is_absolute():
        return Path(name) if Path(name).exists() else None
    absolute = folder.resolve()
    return next((above / name for above in (absolute, *absolute.parents) if name and (above / name).exists()), None)


def _data_files(told: Any, folder: Path, task: str) -> dict[str, list[Path]]:
    if not told:
        raise ConfigError(f"the task '{task}' names no files", "Write dataset_kwargs: {data_files: {test: FILE}}")
    found: dict[str, list[Path]] = {}
    for split, names in (told if isinstance(told, dict) else {"train": told}).items():
        for name in [names] if isinstance(names, str) else names:
            if "://" in str(name):
                raise ConfigError(f"the task '{task}' reads {name} from the network", "Fetch it and name the file")
            single = _local(str(name), folder)
            several = [] if single else _several(str(name), folder)
            if not single and not several:
                raise ConfigError(
                    f"the task '{task}': {name} is not below {folder}", "Bring the file, or correct its name"
                )
            found.setdefault(str(split), []).extend([single] if single else several)
    return found


def _several(pattern: str, folder: Path) -> list[Path]:
    absolute = folder.resolve()
    for above in (absolute, *absolute.parents):
        found = sorted(above.glob(pattern)) if set("*?[") & set(pattern) and not Path(pattern).is_absolute() else []
        if found:
            return [path for path in found if path.is_file()]
    return []


def _of_split(folder: Path, split: str) -> list[Path]:
    """The files of a folder that bear the name of a split, or one that `datasets` takes for it."""
    there = [one for one in sorted(folder.rglob("*")) if one.is_file() and _kind(one)]
    for names in ((split,), _OTHER_NAMES.get(split, ())):
        found = [
            one
            for one in there
            if set(names) & set(re.split(r"[^a-z0-9]+", one.relative_to(folder).as_posix().lower()))
        ]
        if found:
            return found
    return []


def _kind(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    ends = {".csv": "csv", ".jsonl": "json", ".json": "json", ".parquet": "parquet", ".txt": "text"}
    return ends.get(Path(name).suffix, "")


def _builder(files: Mapping[str, Sequence[Path]]) -> str:
    kinds = sorted({_kind(one) for some in files.values() for one in some})
    if len(kinds) != 1:
        raise ConfigError(f"the folder holds files of several formats: {', '.join(kinds)}", "Name them in data_files")
    return kinds[0]


def _read(builder: str, path: Path, kwargs: Mapping[str, Any]) -> Rows:
    try:
        if builder == "parquet":
            columns = kwargs.get("columns")
            return [{key: row[key] for key in columns or row} for row in read_parquet([path])]
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = raw.decode(str(kwargs.get("encoding") or "utf-8-sig"))
        if builder == "csv":
            return _csv(path, text, kwargs)
        if builder == "json":
            return _json(text, kwargs.get("field"))
        kept = bool(kwargs.get("keep_linebreaks"))
        return [{"text": line if kept else line.rstrip("\n")} for line in io.StringIO(text, newline=None)]
    except (OSError, UnicodeDecodeError, LookupError, json.JSONDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read as {builder}: {error}", "Correct the file, or its settings") from None


def _json(text: str, field: Any) -> Rows:
    if field is None:
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = [json.loads(line) for line in text.split("\n") if line.strip()]
        value = [value] if isinstance(value, dict) else value
    else:
        value = json.loads(text)[field]
    if isinstance(value, dict):
        value = [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]
    return [dict(row) for row in value]


def _csv(path: Path, text: str, kwargs: Mapping[str, Any]) -> Rows:
    """The rows as texts. A row that is too short lacks its last columns; one that is too long is an error, as for pandas."""
    delimiter = str(kwargs.get("sep") or kwargs.get("delimiter") or ",")
    lines = list(
        csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=kwargs.get("quotechar") or '"')
    )
    lines = [line for line in lines[int(kwargs.get("skiprows") or 0) :] if line]
    given = kwargs.get("names") or kwargs.get("column_names")
    header = kwargs.get("header", "infer")
    header = (None if given else 0) if header == "infer" else header
    names = [str(one) for one in given] if given else []
    if header is not None:
        names = names or _distinct(lines[int(header)])
        lines = lines[int(header) + 1 :]
    elif not given:
        names = [str(place) for place in range(max(map(len, lines), default=0))]
    long = next((number for number, line in enumerate(lines, 1) if len(line) > len(names)), 0)
    if long:
        raise ConfigError(
            f"{path}: row {long} has {len(lines[long - 1])} fields, not {len(names)}",
            "Name all columns, or quote the row",
        )
    used = kwargs.get("usecols")
    places = [names[one] if isinstance(one, int) else str(one) for one in used] if used else names
    lacking = [one for one in places if one not in names]
    if lacking:
        raise ConfigError(f"{path} has no column '{lacking[0]}'", f"It has {', '.join(names)}")
    short = [dict(zip(names, [*line, *[""] * (len(names) - len(line))], strict=True)) for line in lines]
    return [{name: row[name] for name in names if name in places} for row in short]


def _distinct(header: Iterable[str]) -> list[str]:
    found: list[str] = []
    for place, name in enumerate(header):
        own = name or f"Unnamed: {place}"
        again = sum(one == own or re.fullmatch(re.escape(own) + r"\.\d+", one) is not None for one in found)
        found.append(f"{own}.{again}" if again else own)
    return found


def _typed(rows: Rows, kwargs: Mapping[str, Any]) -> None:
    """Turn columns of numbers and truth values into such, in place."""
    nothing = set(_NOTHING) if kwargs.get("keep_default_na", True) else set()
    told = kwargs.get("na_values") or []
    nothing |= {str(one) for one in ([told] if isinstance(told, str) else told)}
    kinds = kwargs.get("dtype")
    for name in dict.fromkeys(key for row in rows for key in row):
        held = [row for row in rows if name in row]
        there = [row[name] for row in held if row[name] not in nothing]
        told_kind = kinds.get(name) if isinstance(kinds, dict) else kinds
        lacks = len(there) < len(held)
        make: Any = str
        if told_kind in ("str", "string", "object", str):
            make = str
        elif told_kind is not None:
            raise ConfigError(f"the dtype '{told_kind}' of '{name}' is not known", "Write str, or leave it out")
        elif not there or all(map(_NUMBER.fullmatch, there)):
            small = all(_WHOLE.fullmatch(one) and -(2**63) <= int(one) < 2**64 for one in there)
            make = int if there and small and not lacks else float
        elif all(one in _TRUTH for one in there):
            make = _TRUTH.__getitem__
        for row in held:
            row[name] = None if row[name] in nothing else make(row[name])


def _filled(rows: Rows) -> None:
    """Give every row every key, and a column of whole and broken numbers one kind, in place."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    broken = {
        name
        for name in names
        if any(isinstance(row.get(name), float) for row in rows) and all(_is_number(row.get(name)) for row in rows)
    }
    for row in rows:
        values = {name: row.get(name) for name in names}
        row.clear()
        row.update((name, float(one) if name in broken and one is not None else one) for name, one in values.items())


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))

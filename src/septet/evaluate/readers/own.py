"""A team's own questions, as JSON lines, JSON, CSV, TSV or Parquet: the open door for exams that are not published.

A row has `question` and either `options` (a list; also `choices`, or columns A, B, C...) with the right one in `answer` or
`label` (a letter, a place from 0, or the option's text; several as a list or letters), or `answer`/`answers` as references. It
may have `id`, `passage` (`context`), `category`, `language`, `split`, `cluster`, `explanation`. Each file is a task; the folder
is the benchmark. Rows of the split `dev` or `shots` are the solved examples.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from septet.detect.language import language_all
from septet.evaluate.form import LETTERS, Benchmark, Task, item
from septet.evaluate.readers.exam import SPLITS, numbered, split_of
from septet.evaluate.readers.finish import mark_passages
from septet.evaluate.readers.reading import UNLABELLED, Reading, Row, Unreadable
from septet.evaluate.readers.values import bare_options, letters_of, list_of, places_of, text_of
from septet.evaluate.readers.wording import (
    CHINESE_EXAM,
    CHINESE_MANY,
    CHINESE_QUESTION,
    ENGLISH_EXAM,
    ENGLISH_MANY,
    ENGLISH_QUESTION,
)

_PLAIN = ("jsonl", "ndjson", "json", "csv", "tsv")
_ENDS = (*_PLAIN, *(f"{end}.gz" for end in _PLAIN), "parquet")
_LANGUAGES = ("zh", "en")


def read(folder: Path) -> Benchmark:
    """Read a folder (or one file) of a team's own questions. Raises ConfigError where nothing in it can be read."""
    reading = Reading(folder, fallback="gb18030")
    name = re.sub(r"\s+", "_", (folder.stem if folder.is_file() else folder.resolve().name).strip()) or "own"
    for path in reading.files(*(f"*.{end}" for end in _ENDS)):
        rows = list(reading.rows(path))
        spoken = language_all([str(_question(row.values) or "") for row in rows])
        from_one = _counts_from_one([row.values for row in rows])
        parts = [part for part in re.split(r"[_\-.]", path.name.partition(".")[0]) if part.lower() not in SPLITS]
        file = _File("_".join(parts), split_of(path), from_one)
        for row, lang in zip(rows, spoken, strict=True):
            with reading.kept(row) as values:
                reading.add(_item(reading, row, values, name, file, "zh" if lang in ("zh", "mixed") else "en"))
    mark_passages(reading.items)
    _settle(reading)
    return reading.benchmark({"name": name, "version": "own", "licence": "the team's", "origin": "the team's files"})


class _File(NamedTuple):
    """What a file says of its rows: the task and split in its name, and whether its keys count from 1."""

    part: str
    split: str
    from_one: bool


def _question(values: dict[str, Any]) -> Any:
    return _first(values, "question", "stem", "题目", "问题")


def _key(values: dict[str, Any]) -> Any:
    return _first(values, "answer", "label", "answers", "答案")


def _item(reading: Reading, row: Row, values: dict[str, Any], name: str, file: _File, seems: str) -> dict[str, Any]:
    question = text_of(_question(values), "question")
    told = str(_first(values, "language", "lang") or "").lower().partition("-")[0]
    if told and told not in _LANGUAGES:
        raise Unreadable(f"the language '{told}' is none of {', '.join(_LANGUAGES)}")
    lang = told or seems
    options = _options(values)
    split = str(values.get("split") or "").strip().lower() or file.split or "test"
    named = SPLITS.get(split, split)
    part = file.part
    task = _task(
        reading,
        f"{name}/{part}" if part and part != name else name,
        lang,
        options is not None,
        _first(values, "subject") or part,
    )
    own = str(_first(values, "id", "key") or "").strip()
    common: dict[str, Any] = {
        "passage": str(_first(values, "passage", "context", "材料") or "").strip(),
        "cluster": str(values.get("cluster") or "").strip(),
        "category": str(_first(values, "category", "类别") or "").strip(),
    }
    explained = str(_first(values, "explanation", "analysis", "solution", "解析") or "").strip()
    meta = {"explanation": explained} if explained else {}
    identity = f"{task.name}/{split}/{numbered(own, row.number)}"
    right = _key(values)
    if options is None:
        answers = [_reference(one) for one in (right if isinstance(right, list) else [right]) if one not in (None, "")]
        return item(
            identity, task, question, answers=answers, split=named if answers else UNLABELLED, meta=meta, **common
        )
    if file.from_one and _place(right, options) is not None:
        raise Unreadable("the file's keys count from 1 as it seems, and places count from 0: write letters")
    places = _places(right, options)
    more = {"all_of": True} if len(places) > 1 else {}
    return item(
        identity,
        task,
        question,
        options=options,
        labels=places,
        split=named if places else UNLABELLED,
        meta=meta | more,
        **common,
    )


def _first(values: dict[str, Any], *names: str) -> Any:
    # A column of numbers with gaps has `nan` in them.
    found = (values[name] for name in names if values.get(name) not in (None, ""))
    return next((one for one in found if one == one), None)


def _reference(value: Any) -> str:
    number = _number(value) if isinstance(value, float) else None
    return str(number) if number is not None else text_of(value, "answer")


def _number(value: Any) -> int | None:
    """A whole number, also as a column of floats has it (`2.0`)."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _counts_from_one(rows: list[dict[str, Any]]) -> bool:
    """Whether the keys of a file are numbers that run to the count of options and never are 0: places from 0 cannot."""
    last = False
    for row in rows:
        if not str(_key(row)).strip().removesuffix(".0").isdecimal():
            continue
        try:
            options = _options(row) or []
        except Unreadable:
            continue
        place = _place(_key(row), options)
        if place == 0:
            return False
        last = last or (place is not None and place == len(options))
    return last


def _place(key: Any, options: list[str]) -> int | None:
    """The place that a key gives as a number; a text that is an option means that option, and gives none."""
    if isinstance(key, str):
        key = int(key) if key.strip().isdecimal() and options.count(key.strip()) != 1 else None
    return _number(key)


def _options(values: dict[str, Any]) -> list[str] | None:
    given = _first(values, "options", "choices", "选项")
    if given is None:
        lettered = [letter.lower() for letter in LETTERS if str(values.get(letter.lower()) or "").strip()]
        if not lettered:
            return None
        if lettered != [letter.lower() for letter in LETTERS[: len(lettered)]]:
            raise Unreadable(f"the options {', '.join(lettered).upper()} do not follow each other from A")
        given = [values[letter] for letter in lettered]
    if isinstance(given, dict):
        keys = sorted(str(key).strip().upper() for key in given)
        if keys != list(LETTERS[: len(keys)]):
            raise Unreadable(f"the options are named {', '.join(keys)[:60]}, not A, B, C...")
        given = [given[key] for key in sorted(given, key=lambda one: str(one).strip().upper())]
    texts = [text_of(one, "option") for one in list_of(given, "options")]
    if letters_of(texts) != sorted(letters_of(texts)):
        raise Unreadable("the options' own letters do not follow each other from A")
    options = bare_options(texts)
    if len(options) < 2 or "" in options:
        raise Unreadable("fewer than two options" if len(options) < 2 else "an option is only a letter")
    return options


def _places(right: Any, options: list[str]) -> list[int]:
    """The right places from letters, places from 0, or the texts of options. A text that is an option means that option."""
    if right is None:
        return []
    parts = right if isinstance(right, list) else [right]
    found: set[int] = set()
    for part in parts:
        text = str(part).strip()
        number = _number(part)
        if number is not None:
            places = [number]
        elif options.count(text) == 1:
            places = [options.index(text)]
        elif text.isdecimal():
            places = [int(text)]
        elif (labelled := _labelled(text, options)) is not None:
            places = [labelled]
        else:
            places = places_of(text, len(options))
        if any(place >= len(options) or place < 0 for place in places):
            raise Unreadable(f"the answer '{text[:40]}' is no place from 0 to {len(options) - 1}")
        found.update(places)
    return sorted(found)


def _labelled(text: str, options: list[str]) -> int | None:
    """The place of an option that is written with its letter (`B. the text of B`)."""
    match = re.fullmatch(r"[(（]?([A-Za-z])[)）.．、:：]\s*(.+)", text, re.DOTALL)
    place = LETTERS.find(match[1].upper()) if match else -1
    return place if match and 0 <= place < len(options) and options[place] == match[2].strip() else None


def _task(reading: Reading, name: str, lang: str, choice: bool, subject: Any) -> Task:
    """The task of a file; rows of another language or kind in it make a task of their own."""
    layouts = {
        ("zh", True): CHINESE_EXAM,
        ("en", True): ENGLISH_EXAM,
        ("zh", False): CHINESE_QUESTION,
        ("en", False): ENGLISH_QUESTION,
    }
    full = name
    known = reading.tasks.get(name)
    if known is not None and known.language != lang:
        full += f"-{lang}"
    if known is not None and (known.mode == "letter") != choice:
        full += "-choice" if choice else "-open"
    return reading.task(
        Task(
            full,
            lang,
            "letter" if choice else "generate",
            "option" if choice else "reference",
            subject=str(subject),
            layout=layouts[lang, choice],
            max_tokens=8 if choice else 256,
            stop=("\n",) if choice else (),
        )
    )


def _settle(reading: Reading) -> None:
    """Tasks take their solved examples as shots; those that want several letters are written, those with more options than
    letters are asked by their texts."""
    by_task: dict[str, list[dict[str, Any]]] = {}
    for one in reading.items:
        by_task.setdefault(one["task"], []).append(one)
    for name, task in reading.tasks.items():
        own = by_task.get(name, [])
        shots = min(5, sum(one["split"] == "shots" for one in own))
        changed = msgspec.structs.replace(task, shots=shots)
        if sum(len(one["labels"]) > 1 for one in own) > len(own) / 10:
            layout = CHINESE_MANY if task.language == "zh" else ENGLISH_MANY
            changed = msgspec.structs.replace(changed, mode="generate", layout=layout, max_tokens=32)
        if any(len(one["options"] or ()) > len(LETTERS) for one in own):
            changed = msgspec.structs.replace(changed, mode="text")
        reading.tasks[name] = changed

"""The row that most exam benchmarks share: a question, options under the columns A, B, C..., and a letter as the answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from septet.evaluate.form import LETTERS, Task, item
from septet.evaluate.readers.reading import UNLABELLED, Reading, Row, Unreadable
from septet.evaluate.readers.values import place_of, text_of

SPLITS = {
    "dev": "shots",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "train": "train",
}
"""The field's names of splits; the few solved examples of `dev` are the shots."""


def split_of(path: Path) -> str:
    """The split that a file's name (`anatomy_dev.csv`, `test-00000-of-00001.parquet`) or else its folders name, or ''."""
    for part in (path.name.lower().partition(".")[0], *(parent.name.lower() for parent in path.parents[:2])):
        named = [word for word in re.split(r"[_\-.]", part) if word in SPLITS]
        if named:
            return named[-1]
    return ""


def add_choice(reading: Reading, task: Task, row: Row, split: str, meta: tuple[str, ...] = ()) -> None:
    """Add the item of a row with columns question, A, B..., answer; `id`, `context`, `explanation` where there.

    `split` is the file's name of it. An empty answer makes the item unlabelled. `meta` names columns to keep. A row that cannot be
    read is rejected.
    """
    with reading.kept(row) as values:
        options = _options(values)
        label = place_of(values["answer"], len(options))
        own = str(values.get("id", values.get("", "")) or "").strip()
        reading.add(
            item(
                f"{task.name}/{split}/{numbered(own, row.number)}",
                task,
                text_of(values["question"], "question"),
                options=options,
                label=label,
                passage=str(values.get("context") or "").strip(),
                split=SPLITS[split] if label is not None else UNLABELLED,
                meta={name: values[name].strip() for name in meta if str(values.get(name) or "").strip()},
            )
        )


def numbered(own: str, number: int) -> str:
    """The name of an item in its file: its own number where it has one, which a subset of the file keeps, else the row's."""
    return f"{int(own):04d}" if re.fullmatch(r"[0-9]{1,9}", own) else (own or f"{number:04d}")


def _options(values: dict[str, Any]) -> list[str]:
    """The options of the columns A, B, C...: up to the last that says something. A gap before that is an error."""
    letters = [letter.lower() for letter in LETTERS]
    count = next((place for place, letter in enumerate(letters) if letter not in values), len(letters))
    options = ["" if values[letter] is None else str(values[letter]).strip() for letter in letters[:count]]
    while options and not options[-1]:
        options.pop()
    if len(options) < 2:
        raise Unreadable("fewer than two options")
    if "" in options:
        raise Unreadable(f"option {LETTERS[options.index('')]} is empty")
    return options

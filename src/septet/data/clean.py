"""Cleaning the text of documents: wrong decodings, invisible characters, headers and footers, boilerplate lines.

What is changed is recorded as edits, so that a span of today's text leads back to the file. What is taken out is counted by rule,
with the first lines of each rule in `removed.jsonl`. A document of which nothing is left goes to `dropped/`.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from septet.core import MissingExtra, Run, StepFailed
from septet.data import pages
from septet.data.stream import Sorted, Work, over, split, with_transform
from septet.detect import boilerplate, edits, repair
from septet.files import read_json, read_lines, write_json, write_lines
from septet.kernels import marks
from septet.kernels.arrow import texts_of
from septet.kinds import Corpus

_EXAMPLES = 20  # of each rule, in one part and in all
_SHOWN = 200  # characters of an example
_DIFFED = 400  # a changed stretch of at most so many characters is compared character by character


class Cleaning(msgspec.Struct, frozen=True):
    """What is done. `mojibake`: repair, flag or keep; `pages`: from how many pages on a line is a header (0: never)."""

    mojibake: str = "repair"
    hidden: bool = True
    nfc: bool = True
    simplified: bool = False
    pages: int = 3
    boilerplate: bool = True
    phrases: tuple[str, ...] = ()
    c4_lines: bool = False
    blank_lines: bool = True


class Cleaned(NamedTuple):
    """A text, the edits that made it, what was taken out (rule and line), and counts of other changes by rule."""

    text: str
    edits: list[edits.Edit]
    removed: list[tuple[str, str]]
    changed: Counter[str]


def apply(corpus: Corpus, cleaning: Cleaning, run: Run) -> Corpus:
    """Write the cleaned corpus, `clean.json` with the counts by rule, and `removed.jsonl` with examples."""
    headers = pages.find(corpus, cleaning.pages, run) if cleaning.pages else None
    examples = run.scratch / "examples"
    examples.mkdir(exist_ok=True)
    settings = {"cleaning": msgspec.to_builtins(cleaning), "headers": str(headers) if headers else ""}
    passed = over(
        corpus.parts,
        run,
        make,
        [{**settings, "examples": str(examples / f"{n:05d}.jsonl")} for n in range(len(corpus.parts))],
    )
    counts = {name: int(count) for name, count in sorted(passed.facts.items())}
    shown: Counter[str] = Counter()
    lines = []
    for file in sorted(examples.glob("*.jsonl")):
        for line in read_lines(file):
            shown[line["rule"]] += 1
            if shown[line["rule"]] <= _EXAMPLES:
                lines.append(line)
    write_lines(run.out / "removed.jsonl", lines)
    write_json(run.out / "clean.json", {"documents": passed.rows, "kept": passed.kept, "counts": counts})
    for name, count in counts.items():
        if name.startswith("line: "):
            run.drop(name, count, "removed.jsonl")
        else:
            run.note(f"{count} x {name}")
    if not passed.kept:
        raise StepFailed(f"nothing was left of {passed.rows} documents", "Turn c4_lines or boilerplate off")
    return Corpus(run.out)


def make(settings: Mapping[str, Any]) -> Work:
    """The work of one part, for `data.stream`."""
    cleaning = Cleaning(**{**settings["cleaning"], "phrases": tuple(settings["cleaning"]["phrases"])})
    headers = frozenset(read_json(Path(settings["headers"]))) if settings["headers"] else frozenset()
    examples: dict[str, list[dict[str, str]]] = {}

    def work(table: pa.Table) -> Sorted:
        texts = table["text"]
        found = look(texts, cleaning)
        heads = _heads(table, headers) if headers else {}
        chosen = sorted({*np.flatnonzero(found.flags & wanted(cleaning)).tolist(), *found.rows.tolist(), *heads})
        facts: Counter[str] = Counter()
        fresh = not Path(settings["examples"]).exists()
        columns = table.select(["text", "source", "where", "edits"]).take(pa.array(chosen, pa.int64())).to_pylist()
        suspects = _lines_of(found)
        new_texts, new_edits = [], []
        for place, row in zip(chosen, columns, strict=True):
            flags = int(found.flags[place])
            made = _clean(row["text"] or "", cleaning, flags, suspects.get(place, ()), heads.get(place, ()))
            before = edits.decode(row["edits"] or "")
            new_texts.append(made.text)
            new_edits.append(
                edits.encode(edits.compose(before, made.edits) if before and made.edits else before or made.edits)
            )
            facts["documents changed"] += bool(made.edits)
            facts.update(made.changed)
            for rule, line in made.removed:
                facts[f"line: {rule}"] += 1
                kept = examples.setdefault(rule, [])
                if len(kept) < _EXAMPLES:
                    fresh = True
                    shown = {"rule": rule, "text": line[:_SHOWN], "source": row["source"], "where": row["where"] or ""}
                    kept.append(shown)
        if fresh:
            write_lines(Path(settings["examples"]), [one for rule in sorted(examples) for one in examples[rule]])
        changed = _put(_put(table, "text", chosen, new_texts), "edits", chosen, new_edits)
        empty = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(changed["text"])), 0).to_numpy(zero_copy_only=False)
        count = int(empty.sum())
        kept_rows, _ = split(changed, ~empty, ["nothing left"] * count, [0.0] * count)
        # What was left out is kept as it came: an empty text would say nothing.
        _, left = split(table, ~empty, ["nothing left"] * count, [0.0] * count)
        return Sorted(with_transform(kept_rows, "data.clean"), left, {name: n for name, n in facts.items() if n})

    return work


def look(column: Any, cleaning: Cleaning) -> marks.Marks:
    """What in each text may need mending, and which of its lines may be boilerplate."""
    texts = texts_of(column)
    phrases = boilerplate.triggers(cleaning.phrases) if cleaning.boilerplate else boilerplate.triggers(("\0",))
    found = marks.scan(texts.data, texts.offsets, phrases, repair.HIDDEN_CHARACTERS, repair.GBK_SIGNS)
    if not cleaning.boilerplate:
        none = np.zeros(0, np.int64)
        found = marks.Marks(found.flags, none, none)
    if cleaning.c4_lines:
        every = np.arange(len(texts))
        found = marks.Marks(found.flags, every, np.full(len(texts), -1))
    return found


def wanted(cleaning: Cleaning) -> int:
    """The marks for which a text is looked at."""
    return (
        (marks.WESTERN | marks.GBK | marks.LOST) * (cleaning.mojibake != "keep")
        | (marks.HIDDEN | marks.RETURN) * cleaning.hidden
        | marks.COMPOSE * cleaning.nfc
        | marks.FOREIGN * cleaning.simplified
        | marks.BLANKS * cleaning.blank_lines
    )


def clean(text: str, cleaning: Cleaning, headers: Sequence[int] = ()) -> Cleaned:
    """One text cleaned. `headers` are the numbers of its lines that are headers or footers."""
    found = look([text], cleaning)
    return _clean(text, cleaning, int(found.flags[0]), _lines_of(found).get(0, ()), headers)


def _clean(text: str, cleaning: Cleaning, flags: int, suspects: Collection[int], headers: Sequence[int]) -> Cleaned:
    changed: Counter[str] = Counter()
    flags &= wanted(cleaning)
    garbled = bool(flags & (marks.WESTERN | marks.GBK | marks.LOST)) and repair.is_garbled(text)
    if garbled and (cleaning.mojibake == "flag" or repair.is_lost(text)):
        changed["garbled text flagged"] += 1
    touched = (garbled and cleaning.mojibake == "repair") or flags & ~(
        marks.WESTERN | marks.GBK | marks.LOST | marks.BLANKS
    )
    if not touched and not suspects and not headers and not flags & marks.BLANKS:
        return Cleaned(text, [], [], changed)
    lines = text.split("\n")
    if not touched and not flags & marks.BLANKS and not cleaning.c4_lines:
        # Only some lines may go: when none does, the text is as it was.
        going = [n for n in suspects if n not in headers and boilerplate.rule_of(lines[n], cleaning.phrases)]
        if not going and not headers:
            return Cleaned(text, [], [], changed)
    out: list[str] = []
    made: list[edits.Edit] = []
    removed: list[tuple[str, str]] = []
    start = blank = 0
    for number, line in enumerate(lines):
        end = start + len(line)
        new = _mended(line, cleaning, garbled, changed) if touched and line else line
        written = bool(new) and not new.isspace()
        rule = ""
        if written:
            if number in headers:
                rule = "header or footer"
            # A mended line may show its phrase only now.
            elif cleaning.boilerplate and (number in suspects or new != line or cleaning.c4_lines):
                rule = boilerplate.rule_of(new, cleaning.phrases)
            if not rule and cleaning.c4_lines:
                rule = boilerplate.c4_rule_of(new)
        # Of more than one blank line in a row, those after the first go, without a count: nothing is lost.
        superfluous = cleaning.blank_lines and not written and blank >= 1
        if rule or superfluous:
            if rule:
                removed.append((rule, line.strip()))
            made.append((start, min(end + 1, len(text)), 0))
        else:
            made += _difference(line, new, start)
            out.append(new + "\n" if end < len(text) else new)
            blank = 0 if written else blank + 1
        start = end + 1
    return Cleaned("".join(out), _joined(made), removed, changed)


def _lines_of(found: marks.Marks) -> dict[int, set[int]]:
    lines: dict[int, set[int]] = {}
    for row, line in zip(found.rows.tolist(), found.lines.tolist(), strict=True):
        lines.setdefault(row, set()).add(line)
    return lines


def _heads(table: pa.Table, headers: frozenset[str]) -> dict[int, Sequence[int]]:
    """The rows of pages with header or footer lines, and the numbers of those lines."""
    places = np.flatnonzero(pc.greater(pc.fill_null(table["page"], 0), 0).to_numpy(zero_copy_only=False))
    found = {}
    for place, row in zip(
        places.tolist(), table.select(["source", "page", "text"]).take(pa.array(places)).to_pylist(), strict=True
    ):
        numbers = pages.numbers_of(row["source"], row["page"], row["text"] or "", headers)
        if numbers:
            found[place] = numbers
    return found


def _put(table: pa.Table, name: str, places: Sequence[int], values: Sequence[str]) -> pa.Table:
    """The table with some values of a text column replaced."""
    if not places:
        return table
    mask = np.zeros(table.num_rows, bool)
    mask[list(places)] = True
    column = table[name].combine_chunks()
    column = pc.replace_with_mask(column, pa.array(mask), pa.array(list(values), column.type))
    return table.set_column(table.schema.get_field_index(name), name, column)


def _mended(line: str, cleaning: Cleaning, garbled: bool, changed: Counter[str]) -> str:
    new = line
    if garbled and cleaning.mojibake == "repair":
        mended = repair.repaired(new)
        changed["lines decoded again"] += mended != new
        new = mended
    if cleaning.hidden:
        new = new.rstrip("\r")  # of a line end of two characters
        seen = repair.unhidden(new)
        changed["lines with hidden characters"] += seen != new
        new = seen
    if cleaning.nfc:
        new = unicodedata.normalize("NFC", new)
    if cleaning.simplified and not new.isascii():
        new = _converter()(new)
    return new


@cache
def _converter() -> Any:
    """From traditional to simplified characters."""
    try:
        import opencc
    except ImportError:
        raise MissingExtra("opencc", "data") from None
    return opencc.OpenCC("t2s").convert


def _difference(old: str, new: str, start: int) -> list[edits.Edit]:
    """The edits that make one line of another."""
    if old == new:
        return []
    low = 0
    while low < min(len(old), len(new)) and old[low] == new[low]:
        low += 1
    high = 0
    while high < min(len(old), len(new)) - low and old[-1 - high] == new[-1 - high]:
        high += 1
    was, now = old[low : len(old) - high], new[low : len(new) - high]
    if len(was) == len(now):
        return [
            (start + low + i, start + low + i + 1, 1) for i, (a, b) in enumerate(zip(was, now, strict=True)) if a != b
        ]
    if len(was) > _DIFFED or len(now) > _DIFFED:
        return [(start + low, start + low + len(was), len(now))]
    blocks = difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes()
    return [(start + low + a, start + low + b, d - c) for kind, a, b, c, d in blocks if kind != "equal"]


def _joined(made: list[edits.Edit]) -> list[edits.Edit]:
    """Neighbouring edits as one."""
    out: list[edits.Edit] = []
    for start, end, length in made:
        if out and out[-1][1] == start:
            out[-1] = (out[-1][0], end, out[-1][2] + length)
        else:
            out.append((start, end, length))
    return out

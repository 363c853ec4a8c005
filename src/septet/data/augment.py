"""Further rows made of those there are, each marked as made: parent, method, and `synthetic` in its `meta`.

A made row stands behind its parent and keeps its label, licence and access class. It is refused, counted and kept beside where
its wording is nearly that of its parent, where its meaning under an encoder is far from it, or where its numbers differ. Rows
that are themselves made are not built on. The lot of a row is drawn from its id, so that neither order nor workers change it.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from septet.core import ConfigError, Run
from septet.data import stream
from septet.data.paraphrase import Speaker
from septet.data.rewrite import rewritten
from septet.data.selection import entry, lots
from septet.detect import edits
from septet.detect.language import language as language_of
from septet.files import read_json, write_json
from septet.inference.embedding import Encoder, load_encoder
from septet.kernels.likeness import form
from septet.kinds import Corpus, Model

NAME = "data.augment"
WORDS = ("synonym", "swap", "delete", "insert")
MODELS = ("back_translation", "paraphrase")
TOO_LIKE, TOO_UNLIKE, OTHER_NUMBERS = "too like its origin", "too unlike its origin", "other numbers than its origin"
NO_ANSWER, CUT_OFF = "no answer", "answer cut off"
NOTHING, NO_ENTRY = "nothing to change", "an entry of the template is missing"
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_SLOT = re.compile(r"\{([^{}\s]+)\}")
_TITLES = ("text", "title", "dataset", "language", "source")


def apply(
    corpus: Corpus, settings: Mapping[str, Any], synonyms: Mapping[str, Any], model: Model | None, run: Run
) -> Corpus:
    """Write the corpus with further rows. `settings` are the fields of the step's config as plain values."""
    _checked(settings, synonyms, model)
    table = run.scratch / "synonyms.json"
    write_json(table, synonyms)
    chosen = {**settings, "synonyms": str(table), "model": str(model.path) if model is not None else ""}
    passed = stream.apply(corpus, run, make, chosen)
    made = int(passed.facts.get("made", 0))
    refused = sum(passed.dropped.values())
    for name, count in sorted(passed.facts.items()):
        if name.startswith("not made: "):
            run.note(f"{int(count)} rows were {name}")
    run.note(f"{made - refused} rows made of {passed.rows} by {settings['method']}, {refused} refused")
    return Corpus(run.out)


def _checked(settings: Mapping[str, Any], synonyms: Mapping[str, Any], model: Model | None) -> None:
    """Raises ConfigError for a method without what it needs."""
    method = settings["method"]
    if method in MODELS and (model is None) == (not settings["endpoint"]):
        raise ConfigError(
            f"Augment with the method {method} needs one model", "Tie a model, or name an endpoint, not both"
        )
    if settings["endpoint"] and not settings["served_as"]:
        raise ConfigError("Augment.served_as is empty", "Say under which name the endpoint serves the model")
    if method == "synonym" and not synonyms:
        raise ConfigError("there are no synonyms to put in", "Name a file of synonyms, or set neighbours = true")
    if method == "template" and not settings["templates"]:
        raise ConfigError("Augment.templates is empty", "Write texts with {entries} of meta, {title} or {text}")


def make(settings: Mapping[str, Any]) -> stream.Work:
    """The work of a process, for `data.stream`."""
    method = settings["method"]
    synonyms = read_json(Path(settings["synonyms"]))
    speaker = Speaker(settings) if method in MODELS else None
    encoder = load_encoder(settings["encoder"]) if settings["least_like"] > 0 and method != "template" else None

    def work(table: pa.Table) -> stream.Sorted:
        facts: Counter[str] = Counter({"made": 0})
        rows = table.select(stream.SCHEMA.names)
        added: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        behind: list[int] = []
        for place, row in enumerate(rows.to_pylist()):
            meta = _object(row["meta"])
            if meta.get("synthetic") is True:
                facts["not made: synthetic already"] += 1
                continue
            seen: set[str] = set()
            for number in range(_copies(row, settings)):
                draw = random.Random(f"{settings['seed']}\0{row['id']}\0{number}")  # noqa: S311 - words, not secrets
                text, why, value = _say(row, meta, number, settings, synonyms, speaker, encoder, draw)
                if why in (NOTHING, NO_ENTRY):
                    facts[f"not made: {why}"] += 1
                    continue
                if not why and text in seen:
                    why, value = "as another of its origin", 1.0
                seen.add(text)
                facts["made"] += 1
                new = _row(row, meta, text, method, number, speaker)
                if why:
                    refused.append({**new, "rule": why, "value": value, "detail": f"of {row['id']}"})
                else:
                    added.append(new)
                    behind.append(place)
        if added:
            order = sorted(
                [*((place, 0) for place in range(rows.num_rows)), *((one, n + 1) for n, one in enumerate(behind))]
            )
            both = pa.concat_tables([rows, pa.Table.from_pylist(added, schema=stream.SCHEMA)])
            rows = both.take(pa.array([place if not n else table.num_rows + n - 1 for place, n in order]))
        left = pa.Table.from_pylist(refused, schema=stream.DROPPED) if refused else None
        return stream.Sorted(rows, left, facts)

    return work


def _copies(row: Mapping[str, Any], settings: Mapping[str, Any]) -> int:
    """How many rows to make of one: a whole number, and one more with the chance that the rest is."""
    rate = float(settings["copies"])
    if settings["by"]:
        name = settings["by"]
        value = entry(row["meta"], name[5:]) if name.startswith("meta.") else str(row.get(name) or "")
        rate = float(settings["copies_of"].get(value, rate))
    whole = int(rate)
    return whole + int(lots([row["id"]], settings["seed"], "augment")[0] < rate - whole)


def _say(
    row: Mapping[str, Any],
    meta: Mapping[str, Any],
    number: int,
    settings: Mapping[str, Any],
    synonyms: Mapping[str, Any],
    speaker: Speaker | None,
    encoder: Encoder | None,
    draw: random.Random,
) -> tuple[str, str, float]:
    """The text of a made row, and the rule and value by which it is refused ("" where it is not)."""
    was, method = row["text"] or "", settings["method"]
    if method == "template":
        filled = _filled(settings["templates"][number % len(settings["templates"])], row, meta)
        return (filled, "", 0.0) if filled is not None else ("", NO_ENTRY, 0.0)
    if speaker is None:
        found = rewritten(was, method, settings["strength"], synonyms, draw)
        if found is None:
            return "", NOTHING, 0.0
        text = found
    elif not was.strip():
        return "", NOTHING, 0.0
    else:
        tongue, seed = row["language"] or language_of(was), draw.randrange(1 << 31)
        if method == "paraphrase":
            said = speaker.paraphrase(was, tongue, seed)
        else:
            said = speaker.back(was, tongue, settings["pivot"], seed)
        text = said.text
        if not text:
            return "", NO_ANSWER, 0.0
        if not said.whole:
            return text, CUT_OFF, float(len(text))
    if Counter(_NUMBER.findall(text)) != Counter(_NUMBER.findall(was)):
        return text, OTHER_NUMBERS, float(len(_NUMBER.findall(text)))
    likeness = form(was, text)
    if likeness >= settings["most_like"]:
        return text, TOO_LIKE, likeness
    if encoder is not None:
        one, other = encoder.encode([was, text])
        meaning = float((one.astype("float64") * other.astype("float64")).sum())
        if meaning < settings["least_like"]:
            return text, TOO_UNLIKE, meaning
    return text, "", likeness


def _filled(template: str, row: Mapping[str, Any], meta: Mapping[str, Any]) -> str | None:
    """The template with its entries filled in; None where one is missing or empty."""
    values = {name: str(row[name] or "") for name in _TITLES}
    values |= {name: entry(json.dumps({name: value}), name) for name, value in meta.items()}
    if any(not values.get(name) for name in _SLOT.findall(template)):
        return None
    return _SLOT.sub(lambda slot: values[slot.group(1)], template)


def _row(
    row: Mapping[str, Any], meta: Mapping[str, Any], text: str, method: str, number: int, speaker: Speaker | None
) -> dict[str, Any]:
    """A made row: its parent's terms and labels, its own text and id, and the marks of what it is."""
    told = {**meta, "synthetic": True, "method": method}
    if speaker is not None:
        told["model"] = speaker.name
    mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
    was = row["text"] or ""
    return {
        **row,
        "id": f"{row['id']}+{method}.{number}.{mark}",
        "text": text,
        "parent": row["id"],
        "meta": json.dumps(told, ensure_ascii=False, sort_keys=True),
        "transforms": [*(row["transforms"] or []), f"{NAME} ({method})"],
        # The whole of the text stands for the whole of what was read.
        "edits": edits.encode(edits.compose(edits.decode(row["edits"] or ""), [(0, len(was), len(text))])),
    }


def _object(meta: str | None) -> Any:
    try:
        found = json.loads(meta) if meta else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

"""A folder of sound files and a table of what is said in them, into recordings. What cannot be read is named with its reason."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from septet.core import ConfigError, Run, StepFailed
from septet.files import write_lines, write_parquet
from septet.kinds import Recordings
from septet.model.sound import SUFFIXES, BrokenSoundError, read_sound, write_wav
from septet.model.speech import RATE

if TYPE_CHECKING:
    from septet.data.steps.media import Speech

_LANGUAGE = ("language", "lang")


def read(config: Speech, run: Run) -> Recordings:
    """Raises ConfigError for a table without the columns, StepFailed when no recording is left."""
    folder = Path(config.folder)
    texts = table(folder / config.transcripts, ("text",))
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    rejected: list[dict[str, str]] = []
    rows = list(_rows(config, folder, texts, files, rejected, run))
    rejected += [_no(name, "the table names it, the folder does not hold it") for name in texts if name not in files]
    if not rows:
        raise StepFailed(f"no recording in {folder} could be read", "See rejected.jsonl, and correct the folder")
    write_parquet(run.out, rows, Recordings.COLUMNS)
    write_lines(run.out / "rejected.jsonl", rejected)
    run.drop("sound files and transcripts that could not be used", len(rejected), "rejected.jsonl")
    run.note(f"{len(rows)} recordings of {sum(row['seconds'] for row in rows):.0f} s together")
    return Recordings(run.out)


def table(path: Path, columns: tuple[str, ...]) -> dict[str, Mapping[str, str]]:
    """File name to row of a CSV table with a column `file`. Raises ConfigError where a column is missing."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read: {error}", "Give a CSV table in UTF-8") from error
    missing = [name for name in ("file", *columns) if not rows or rows[0].get(name) is None]
    if missing:
        raise ConfigError(f"{path} has no column {' and no column '.join(missing)}", "Add it: file and text are needed")
    twice = [name for name, count in Counter(row["file"] for row in rows).items() if count > 1]
    if twice:
        raise ConfigError(f"{path} names {twice[0]} more than once", "Leave one row for each file")
    return {row["file"]: row for row in rows}


def _rows(
    config: Speech,
    folder: Path,
    texts: Mapping[str, Mapping[str, str]],
    files: list[str],
    rejected: list[dict[str, str]],
    run: Run,
) -> Iterator[dict[str, Any]]:
    (run.out / "sounds").mkdir(parents=True, exist_ok=True)
    for done, name in enumerate(files, 1):
        told = texts.get(name)
        if told is None or not (told["text"] or "").strip():
            rejected.append(_no(name, "the table has no transcript of it"))
            continue
        try:
            samples = read_sound(folder / name)
        except BrokenSoundError as error:
            rejected.append(_no(name, str(error)))
            continue
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        row_id = hashlib.sha256(f"{name}\n{digest}".encode()).hexdigest()[:16]
        write_wav(samples, run.out / "sounds" / f"{row_id}.wav")
        yield {
            "id": row_id,
            "text": told["text"].strip(),
            "sound": f"sounds/{row_id}.wav",
            "seconds": len(samples) / RATE,
            "dataset": config.dataset or folder.name,
            "source": name,
            "source_digest": f"sha256:{digest}",
            "language": next((told[one] for one in _LANGUAGE if told.get(one)), config.language),
            "licence": told.get("licence") or config.licence,
            "origin": config.origin,
            "access": config.access,
        }
        run.progress(done, len(files), "files")


def _no(source: str, reason: str) -> dict[str, str]:
    return {"source": source, "reason": reason}

"""Writing down recordings and counting what is wrong, with every transcript kept."""

from __future__ import annotations

from typing import Any

from septet.core import Run, StepFailed
from septet.inference.error_rate import num_errors, rate, units
from septet.inference.transcribe import Transcriber
from septet.kinds import Measure, Model, Recordings, Report
from septet.model.sound import samples_of


def evaluate(name: str, model: Model, recordings: Recordings, run: Run) -> Report:
    """Raises StepFailed when there is no recording."""
    transcriber = Transcriber(model)
    rows, items = list(recordings.rows()), list[dict[str, Any]]()
    for done, row in enumerate(rows, 1):
        written = transcriber.write(samples_of(recordings.path / row["sound"]), row["language"])
        said, wrote = units(row["text"]), units(written)
        facts = {key: row[key] for key in ("id", "source", "language", "text", "seconds")}
        items.append({**facts, "written": written, "errors": num_errors(said, wrote), "said": len(said)})
        run.progress(done, len(rows), "recordings")
    if not items:
        raise StepFailed("there is no recording", "Bring some with data.speech")
    about = {"name": model.card.get("name"), "digest": model.digest()}
    notes = ["over words, in Chinese over characters; case, punctuation and traditional forms do not count"]
    return Report.write(run.out, name, summary(items), items, notes, {"model": about})


def summary(items: list[dict[str, Any]]) -> dict[str, Measure]:
    """The error rate overall and by language, of an item store."""
    found = {"error_rate": rate([(one["errors"], one["said"]) for one in items])}
    for language in sorted({one["language"] for one in items}):
        some = [(one["errors"], one["said"]) for one in items if one["language"] == language]
        found[f"error_rate.{language}"] = rate(some)
    return found

"""Two systems on the same items: differences pair by pair, and the list of what got worse."""

from __future__ import annotations

from septet import statistics
from septet.core import ConfigError, Run
from septet.kinds import Measure, Report


def compare(name: str, before: Report, after: Report, run: Run) -> Report:
    """Paired differences (after minus before) of exact match, F1 and groundedness, overall and by language."""
    first = {row["id"]: row for row in before.items()}
    second = {row["id"]: row for row in after.items()}
    if first.keys() != second.keys():
        raise ConfigError(
            f"'{before.name}' and '{after.name}' are not of the same items "
            f"({len(first.keys() ^ second.keys())} are in one alone)",
            "Evaluate both on the same suite",
        )
    ids = sorted(first)
    summary: dict[str, Measure] = {}
    for label, language in (("", ""), (".zh", "zh"), (".en", "en")):
        chosen = [one for one in ids if first[one]["references"] and language in ("", first[one]["language"])]
        clusters = [first[one]["source"] for one in chosen]
        for measure, key in (("exact_match", "exact"), ("f1", "f1"), ("groundedness", "grounded")):
            was, now = ([float(side[one][key]) for one in chosen] for side in (first, second))
            summary[f"{measure}_gain{label}"] = statistics.gain(was, now, clusters)
    answerable = [one for one in ids if first[one]["references"]]
    p = statistics.mcnemar([first[one]["exact"] for one in answerable], [second[one]["exact"] for one in answerable])
    rows = []
    for one in ids:
        was_right, is_right = _right(first[one]), _right(second[one])
        moved = "same" if was_right == is_right else "better" if is_right else "worse"
        rows.append(
            {
                "id": one,
                "language": first[one]["language"],
                "question": first[one]["question"],
                "references": first[one]["references"],
                "before": first[one]["answer"],
                "after": second[one]["answer"],
                "moved": moved,
            }
        )
    worse = sum(1 for row in rows if row["moved"] == "worse")
    better = sum(1 for row in rows if row["moved"] == "better")
    run.note(f"{better} items got better, {worse} worse, {len(rows) - better - worse} stayed")
    model = after.content["facts"].get("model")
    facts = {
        "before": before.name,
        "after": after.name,
        "model": model,
        "mcnemar_p": round(p, 6),
        "better": better,
        "worse": worse,
    }
    return Report.write(run.out, name, summary, rows, [f"McNemar's exact p for right and wrong: {p:.2g}"], facts)


def _right(row: dict[str, object]) -> bool:
    return bool(row["exact"]) if row["references"] else bool(row["abstained"])

"""A bank of items that lives: what reports of several models say of its items, its next version, and scores that compare.

Reports are those of `evaluate.score` on the bank. From them come the scale (`irt`), how far the bank still tells models apart
(`saturation`), items that look bad (`suspects`) and those that should go (`saturation.retire`). The next version (`versions`) is a
suite like any other: its `version` is a day, and `bank` in its description says what stayed, came and went.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from septet import statistics
from septet.core import ConfigError, Run, StepFailed
from septet.evaluate.growth import irt, versions
from septet.evaluate.growth.grow import grow
from septet.evaluate.growth.saturation import FEWEST_MODELS, retire, saturation
from septet.evaluate.growth.suspects import both, suspects
from septet.evaluate.growth.versions import Version
from septet.evaluate.suites import sealed
from septet.inference.protocol import load
from septet.kinds import Corpus, KnowledgeBase, Measure, Model, Report, Suite

if TYPE_CHECKING:
    from septet.evaluate.steps.growth import Calibrate, Comparable, Grow, Renew

Row = Mapping[str, Any]


def grown(
    config: Grow,
    knowledge: KnowledgeBase | None,
    corpus: Corpus | None,
    writer: Model | None,
    solvers: Sequence[Model],
    contamination: Report | None,
    earlier: Suite | None,
    run: Run,
) -> Suite:
    """An exam of a knowledge base's chunks, or of a corpus's documents. Raises ConfigError unless one of them is given."""
    if (knowledge is None) == (corpus is None):
        raise ConfigError("an exam is made of one thing", "Tie either `knowledge` or `corpus`")
    documents = list(knowledge.chunks() if knowledge is not None else corpus.rows() if corpus is not None else ())
    engines = [load(model) for model in ([writer] if writer else []) + list(solvers)]
    try:
        made = grow(
            documents,
            config.name,
            config.date,
            config.kinds,
            config.per_document,
            config.per_answer,
            config.count,
            config.seed,
            engines[0] if writer else None,
            engines[1:] if writer else engines,
            contamination,
            list(earlier.items()) if earlier else [],
            config.chat,
        )
    finally:
        for engine in engines:
            engine.close()
    return sealed(made, run)


def calibrated(
    config: Calibrate,
    suite: Suite,
    reports: Sequence[Report],
    anchors: Report | None,
    contamination: Report | None,
    knowledge: KnowledgeBase | None,
    run: Run,
) -> Report:
    """What several models' reports say of the items of a suite.

    Raises ConfigError for fewer than two reports, and where one has no score of an item of the suite.
    """
    items = [item for item in suite.items() if item["split"] not in ("shots", "unlabelled")]
    if len(reports) < 2:
        raise ConfigError("items are calibrated from at least two models", "Tie more reports of evaluate.score")
    answered = {name: {row["id"]: row for row in report.items()} for name, report in _named(reports).items()}
    ids = [item["id"] for item in items if any(item["id"] in rows for rows in answered.values())]
    lost = len(items) - len(ids)
    run.drop("items that no report has", lost, "not calibrated")
    models = list(answered)
    table = [[_score(answered[model].get(one)) for model in models] for one in ids]
    scale, unscaled = _scale(ids, models, table, anchors)
    whole = [at for at, row in enumerate(table) if not any(map(math.isnan, row))]
    clusters = {item["id"]: str(item.get("cluster") or item["id"]) for item in items}
    state = saturation(models, [table[at] for at in whole], config.best, [clusters[ids[at]] for at in whole])
    chosen = {model: {one: rows[one].get("chosen") for one in ids if one in rows} for model, rows in answered.items()}
    doubted = {one.item: one for one in suspects([item for item in items if item["id"] in set(ids)], chosen)}
    going: dict[str, list[str]] = {}
    for one in retire(ids, table, _leaked(contamination, ids), _superseded(knowledge, items, config.day), scale.items):
        going.setdefault(one.item, []).append(f"{one.why}: {one.reason}")
    flagged = [one for one in ids if one in doubted and doubted[one].score >= config.doubt]
    summary: dict[str, Measure] = {
        "saturation": Measure(state.index, state.index, state.index, len(whole), "p-value"),
        "gap_of_leaders": state.gap,
        "settled": state.settled,
        "unsolved": state.unsolved,
        "flagged": statistics.share(len(flagged), len(ids)),
        "to_retire": statistics.share(len(going), len(ids)),
    }
    for place, model in enumerate(models):
        known = [at for at, row in enumerate(table) if not math.isnan(row[place])]
        named = [ids[at] for at in known]
        for part, measure in both(
            named, [table[at][place] for at in known], flagged, [clusters[one] for one in named]
        ).items():
            summary[f"score.{model}.{part}"] = measure
    facts = {
        "suite": suite.about,
        "kind": scale.kind,
        "models": {name: msgspec.to_builtins(one) for name, one in scale.models.items()},
        "leaders": list(state.leaders),
        "saturated": state.saturated,
        "on_scale_of": anchors.name if anchors else "",
    }
    rows = []
    for one, scores in zip(ids, table, strict=True):
        fit = scale.items.get(one)
        doubt = doubted.get(one)
        rows.append(
            {
                "id": one,
                "scores": [None if math.isnan(score) else score for score in scores],
                "fit": msgspec.to_builtins(fit) if fit else None,
                "left_out": scale.left_out.get(one, ""),
                "suspect": round(doubt.score, 4) if doubt else 0.0,
                "reasons": list(doubt.reasons) if doubt else [],
                "retire": going.get(one, []),
            }
        )
    return Report.write(
        run.out, config.name, summary, rows, _notes(models, state.saturated, scale.left_out, unscaled), facts
    )


def _scale(
    ids: Sequence[str], models: Sequence[str], table: Sequence[Sequence[float]], anchors: Report | None
) -> tuple[irt.Fit, str]:
    """The scale, or an empty one and why there is none: of models that answer alike no item is harder than another."""
    try:
        if anchors is None:
            return irt.fit(ids, models, table), ""
        return irt.calibrate(scale_of(anchors), ids, models, table), ""
    except StepFailed as error:
        return irt.Fit("rasch", {}, {}, {}), error.message


def scale_of(calibration: Report) -> dict[str, irt.ItemFit]:
    """The items of a calibration with what is known of them."""
    return {row["id"]: msgspec.convert(row["fit"], irt.ItemFit) for row in calibration.items() if row["fit"]}


def renewed(config: Renew, bank: Suite, calibration: Report, new: Suite | None, run: Run) -> Suite:
    """The next version of a bank: without the items that the calibration retires, with those of `new`.

    Raises ConfigError where too few items stay to hold the scale, an id was used before, or the day is not later.
    """
    items = {item["id"]: item for item in bank.items()}
    coming = {item["id"]: item for item in new.items()} if new else {}
    said = bank.about.get("bank")
    asked = [one for one, item in items.items() if item["split"] not in ("shots", "unlabelled")]
    name = str(bank.about["name"])
    before = msgspec.convert(said, Version) if said else versions.first(name, config.since, asked)
    going = {row["id"]: "; ".join(row["retire"]) for row in calibration.items() if row["retire"]}
    going |= {
        row["id"]: "looks bad: " + "; ".join(row["reasons"])
        for row in calibration.items()
        if row["suspect"] >= config.doubt and row["id"] not in going
    }
    going = {one: reason for one, reason in going.items() if one in items}
    arriving = [one for one, item in coming.items() if item["split"] not in ("shots", "unlabelled")]
    version = versions.renewed(
        before, name, config.date, arriving, going, scale_of(calibration) or None, config.anchors, config.seed
    )
    anchors = {*version.anchors}
    kept = [
        {**item, "meta": {**(item.get("meta") or {}), "anchor": one in anchors}}
        for one, item in {**items, **coming}.items()
        if one not in going
    ]
    tasks = {task["name"]: task for side in (bank, new) if side for task in side.about.get("tasks", ())}
    run.drop("items that were retired", len(going), "suite.json, bank.retired")
    run.note(f"{len(kept)} items: {len(version.new)} new, {len(going)} retired, {len(anchors)} anchors")
    about = {**bank.about, "version": config.date, "bank": msgspec.to_builtins(version)}
    return Suite.write(run.out, kept, {**about, **({"tasks": list(tasks.values())} if tasks else {})})


def compared(config: Comparable, report: Report, bank: Suite, calibration: Report, run: Run) -> Report:
    """What a model that answered one version would score on another, over the scale that both lie on."""
    scale = scale_of(calibration)
    scores = {row["id"]: float(row["score"]) for row in report.items() if row.get("score") is not None}
    wanted = [item["id"] for item in bank.items() if item["split"] not in ("shots", "unlabelled")]
    placed = [one for one in wanted if one in scale or one in scores]
    run.drop("items without a place on the scale", len(wanted) - len(placed), "not expected")
    measure = versions.comparable(placed, scale, scores)
    ability = irt.ability(scale, scores)
    summary = {
        "comparable": measure,
        "ability": Measure(
            ability.value,
            ability.value - 1.96 * ability.error,
            ability.value + 1.96 * ability.error,
            ability.items,
            "logit",
        ),
    }
    facts = {"model": report.content["facts"].get("model"), "report": report.name, "bank": bank.about}
    rows = (
        {"id": one, "score": scores.get(one), "expected": _expected(scale.get(one), ability.value)} for one in placed
    )
    return Report.write(run.out, config.name, summary, rows, (), facts)


def _expected(fit: irt.ItemFit | None, at: float) -> float | None:
    return None if fit is None else round(irt.curve(fit, at), 4)


def _named(reports: Sequence[Report]) -> dict[str, Report]:
    """Each report under its model's name; two of one name are told apart by their digests."""
    found: dict[str, Report] = {}
    for number, report in enumerate(reports, 1):
        model = report.content["facts"].get("model") or {}
        name = str(model.get("name") or f"model {number}")
        if name in found:
            name = f"{name} ({str(model.get('digest', number)).rpartition(':')[2][:8]})"
        if name in found:
            raise ConfigError(f"two reports are of the same model '{name}'", "Tie one report of each model")
        found[name] = report
    return found


def _score(row: Row | None) -> float:
    return math.nan if row is None or row.get("score") is None else float(row["score"])


def _leaked(contamination: Report | None, ids: Sequence[str]) -> dict[str, str]:
    known = set(ids)
    return {
        str(row["id"]): f"{row['covered']:.0%} of it stand in the training data, in {row['rows']} rows"
        for row in (contamination.items() if contamination else ())
        if row["verdict"] == "contaminated" and row["id"] in known
    }


def _superseded(knowledge: KnowledgeBase | None, items: Sequence[Row], day: str) -> dict[str, str]:
    """Items whose evidence the sources no longer hold, or hold in a version that had ended by then."""
    if knowledge is None:
        return {}
    texts: dict[str, list[str]] = {}
    for chunk in knowledge.chunks():
        if day and chunk.get("valid_to") and chunk["valid_to"] < day:
            continue
        texts.setdefault(str(chunk["source"]), []).append(str(chunk["text"]))
    found = {}
    for item in items:
        evidence = item.get("evidence") or {}
        if evidence.get("quote") and not any(
            evidence["quote"] in text for text in texts.get(evidence.get("source", ""), ())
        ):
            found[str(item["id"])] = f"its evidence is no longer in {evidence.get('source', 'its source')}"
    return found


def _notes(models: Sequence[str], saturated: bool, left_out: Mapping[str, str], unscaled: str) -> Iterator[str]:
    if unscaled:
        yield f"there is no scale: {unscaled}"
    if len(models) < FEWEST_MODELS:
        yield f"of {len(models)} models: no item is called settled or negative below {FEWEST_MODELS}"
    if saturated:
        yield "the order of the leaders may be chance on these items: the bank is saturated"
    if left_out:
        yield f"{len(left_out)} items could not be placed on the scale"

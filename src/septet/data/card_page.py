"""The data card as a page: one HTML file a language, whole in itself. No network, no script, no picture; it prints.

Figures, rules and settings are shown as they are, never translated; all words round them come from `card_words/`. Everything that
comes from data is escaped.
"""

from __future__ import annotations

import html
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from septet.core.fingerprint import short

LANGUAGES = {"en": "en", "zh": "zh-CN"}
"""Each language with its name in HTML."""
_FOLDER = Path(__file__).parent
_STYLE = _FOLDER / "card_words" / "card.css"
_BY = ("dataset", "language", "licence", "origin", "access", "year", "retrieved", "source")
_SECTIONS = ("composition", "terms", "quality", "safety", "left_out", "transforms", "lineage", "reports")

Say = Callable[..., str]


def words(language: str) -> dict[str, str]:
    """The words of a language: dotted keys to texts."""
    tables = tomllib.loads((_FOLDER / "card_words" / f"{language}.toml").read_text("utf-8"))
    return {f"{table}.{key}": text for table, texts in tables.items() for key, text in texts.items()}


def page(card: Mapping[str, Any], language: str) -> str:
    """The whole page of a card's content (`card.json`)."""
    known = words(language)

    def say(key: str, *values: object) -> str:
        return html.escape(known[key].format(*values))

    other = next(one for one in LANGUAGES if one != language)
    drawers = {
        "composition": _composition,
        "terms": _terms,
        "quality": _quality,
        "safety": _safety,
        "left_out": _left_out,
        "transforms": _transforms,
        "lineage": _lineage,
        "reports": _reports,
    }
    links = "".join(f'<li><a href="#{name}">{say(f"section.{name}")}</a></li>' for name in _SECTIONS)
    sections = "".join(
        f'<section id="{name}" aria-labelledby="{name}-h"><h2 id="{name}-h">{say(f"section.{name}")}</h2>'
        f"{''.join(drawers[name](card, say))}</section>"
        for name in _SECTIONS
    )
    policy = card["hidden"]["policy"]
    foot = say(
        "page.foot", _number(card["hidden"]["spans"]), known["page.foot_policy"].format(policy) if policy else ""
    )
    return (
        f'<!doctype html>\n<html lang="{LANGUAGES[language]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{say('page.title', card['name'])}</title><style>{_STYLE.read_text('utf-8')}</style></head><body>"
        f'<header><p class="kind"><span>{say("page.kind")}</span>'
        f'<a href="card.{other}.html" lang="{LANGUAGES[other]}" hreflang="{LANGUAGES[other]}">{say("page.other")}</a></p>'
        f"<h1>{_text(card['name'])}</h1>{_about(card, say)}{_tiles(card, say)}</header>"
        f'<nav aria-label="{say("page.contents")}"><ol>{links}</ol></nav><main>{sections}</main>'
        f"<footer><p>{foot}</p></footer></body></html>\n"
    )


def _about(card: Mapping[str, Any], say: Say) -> str:
    lines = [
        (say("page.purpose"), _text(card["purpose"]) or say("page.no_purpose")),
        (say("page.limits"), _text(card["limits"]) or say("page.no_limits")),
        (say("page.contact"), _text(card["contact"]) or say("page.not_stated")),
    ]
    if card["fingerprint"]:
        lines.append((say("page.identity"), f"<code>{_text(card['fingerprint'])}</code>"))
        lines.append((say("page.digest"), f"<code>{_text(card['digest'])}</code>"))
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in lines) + "</dl>"


def _tiles(card: Mapping[str, Any], say: Say) -> str:
    composition = card["composition"]
    figures = (
        ("rows", composition["rows"]),
        ("tokens", composition["tokens_estimated"]),
        ("characters", composition["characters"]),
        ("datasets", composition["by"]["dataset"]["values"]),
        ("sources", composition["by"]["source"]["values"]),
        ("left_out", sum(one["count"] for one in card["left_out"])),
        ("edited", composition["rows_with_edits"]),
        ("made", composition["rows_made_of_others"]),
    )
    tiles = "".join(f"<li><b>{_number(value)}</b> {say(f'figure.{name}')}</li>" for name, value in figures)
    return f'<ul class="tiles">{tiles}</ul>'


def _composition(card: Mapping[str, Any], say: Say) -> Iterable[str]:
    total = card["composition"]["rows"] or 1
    for name in _BY:
        group = card["composition"]["by"][name]
        if group["values"] == 1 and name in ("year", "retrieved") and group["table"][0]["value"] == "":
            continue
        rows = [(_value(one["value"], say), one) for one in group["table"]]
        if group["others"]["rows"]:
            rows.append((say("text.others", _number(group["values"] - len(group["table"]))), group["others"]))
        body = [
            (title, _number(one["rows"]), _bar(one["rows"] / total), _number(one["characters"]), _number(one["tokens"]))
            for title, one in rows
        ]
        yield f"<h3>{say(f'by.{name}')}</h3>"
        if name == "year":
            yield f"<p>{say('text.year_note')}</p>"
        yield _table(say, ("value", "rows", "share", "characters", "tokens"), body, numbers=(1, 3, 4), kind="by")


def _terms(card: Mapping[str, Any], say: Say) -> Iterable[str]:
    yield f"<p>{say('text.terms')}</p>"
    names = ("dataset", "licence", "origin", "obtained", "owner", "access", "consent", "retrieved")
    body = []
    for one in card["terms"]:
        low, high = one["trust"]
        trust = f"{low:g}" if low == high else f"{low:g}–{high:g}"
        body.append((*(_value(one[name], say) for name in names), trust, _number(one["rows"])))
    yield _table(say, (*names, "trust", "rows"), body, numbers=(8, 9))


def _quality(card: Mapping[str, Any], say: Say) -> Iterable[str]:
    quality = card["quality"]
    if quality is None:
        yield f"<p>{say('text.no_quality')}</p>"
        return
    yield f"<p>{say('text.quality', _number(quality['rows']))}</p>"
    by_size = sorted(quality["by_language"].items(), key=lambda pair: -max(one["n"] for one in pair[1].values()))
    for number, (language, table) in enumerate(by_size):
        body = [
            (
                f'<code lang="en" title="{_text(one["what"])}">{_text(name)}</code>',
                _number(one["n"]),
                *(f"{p:.4g}" for p in one["quantiles"]),
            )
            for name, one in table.items()
        ]
        heads = [say("column.measure"), "n", *(f"{point:.0%}" for point in quality["points"])]
        drawn = _plain(heads, body, numbers=range(1, 7))
        yield f"<details{' open' if number == 0 else ''}><summary>{_value(language, say)}</summary>{drawn}</details>"


def _safety(card: Mapping[str, Any], say: Say) -> Iterable[str]:
    safety = card["safety"]
    for one in safety["privacy"]:
        yield f"<p>{say('text.privacy', _number(one['changed']), _number(one['documents']), one['policy'], one['version'])}</p>"
        counts = sorted(one.get("replaced", {}).items(), key=lambda pair: (-pair[1], pair[0]))
        yield _table(
            say, ("kind", "replaced"), [(f"<code>{_text(k)}</code>", _number(n)) for k, n in counts], numbers=(1,)
        )
    if not safety["privacy"]:
        yield f"<p>{say('text.no_privacy')}</p>"
    for one in safety["detox"]:
        yield f"<p>{say('text.detox', _number(one['rows']), _number(one['kept']))}</p>"
        rest = sorted((k, n) for k, n in one.items() if k not in ("rows", "kept", "dropped"))
        if rest:
            yield _table(
                say, ("kind", "rows"), [(f"<code>{_text(k)}</code>", _number(n)) for k, n in rest], numbers=(1,)
            )
    if not safety["detox"]:
        yield f"<p>{say('text.no_detox')}</p>"
    if safety["review"]:
        yield f"<p>{say('text.review', _number(safety['review']))}</p>"
    if safety["versions"]:
        versions = safety["versions"]
        yield f"<p>{say('text.versions', _number(versions['titles']), _number(versions['statements']))}</p>"
    for table in safety["bias"]:
        body = [
            (
                _value(dataset, say),
                f"<code>{_text(group)}</code>",
                _number(n.get("mentions", 0)),
                _number(n.get("toxic", 0)),
            )
            for dataset, groups in table.items()
            for group, n in groups.items()
        ]
        yield f"<h3>{say('text.bias')}</h3>"
        yield _table(say, ("dataset", "group", "mentions", "toxic"), body, numbers=(2, 3))


def _left_out(card: Mapping[str, Any], say: Say) -> Iterable[str]:
    if not card["left_out"]:
        yield f"<p>{say('text.nothing_left_out')}</p>"
        return
    yield f"<p>{say('text.left_out')}</p>"
    most = max(one["count"] for one in card["left_out"])
    body = [
        (
            f"<code>{_text(one['step'])}</code>",
            f"<code>{_text(one['rule'])}</code>",
            _number(one["count"]),
            _bar(one["count"] / most, ""),
        )
        for one in card["left_out"]
    ]
    yield _plain([say("column.step"), say("column.rule"), say("column.count"), ""], body, numbers=(2,))
    for one in card["left_out"]:
        title = f"<code>{_text(one['rule'])}</code>"
        if one["withheld"]:
            yield f'<p class="quiet">{title} {say("text.withheld")}</p>'
        for example in one["examples"]:
            place = ", ".join(_text(example[part]) for part in ("dataset", "source", "where") if example[part])
            value = "" if example.get("value") is None else f" · {say('text.value')} {example['value']:.4g}"
            detail = f" · {_text(example['detail'])}" if example["detail"] else ""
            quote = f"<blockquote>{_text(example['text'])}</blockquote>" if example["text"] else ""
            if not quote:
                quote = f'<p class="quiet">{say("text.kept_back")}</p>' if example["kept_back"] else ""
            yield f"<figure><figcaption>{title} {place}{value}{detail}</figcaption>{quote}</figure>"


def _transforms(card: Mapping[str, Any], say: Say) -> Iterable[str]:
    total = card["composition"]["rows"] or 1
    body = [
        (f"<code>{_text(one['transform'])}</code>", _number(one["rows"]), _bar(one["rows"] / total))
        for one in card["transforms"]
    ]
    yield _table(say, ("transform", "rows", "share"), body, numbers=(1,)) if body else f"<p>{say('text.nothing')}</p>"


def _lineage(card: Mapping[str, Any], say: Say) -> Iterable[str]:
    lineage = card["lineage"]
    if not lineage["steps"]:
        yield f"<p>{say('text.no_lineage')}</p>"
        return
    yield f"<p>{say('text.lineage')}</p>"
    if lineage["not_here"]:
        names = ", ".join(short(one) for one in lineage["not_here"])
        yield f'<p class="warn">{say("text.not_here", _number(len(lineage["not_here"])), names)}</p>'
    yield "<ol>"
    for one in lineage["steps"]:
        tied = [f"{port}: {short(mark)}" for port, marks in one["inputs"].items() for mark in _several(marks)]
        outside = [f"{field}: {name}" for field, names in one["outside"].items() for name in names]
        facts = [(say("column.fingerprint"), f"<code>{_text(one['fingerprint'])}</code>")]
        facts += [(say("column.inputs"), f"<code>{_text(', '.join(tied))}</code>")] if tied else []
        facts += [(say("column.outside"), _text(", ".join(outside)))] if outside else []
        facts.append(
            (
                say("column.config"),
                f"<code>{_text(json.dumps(one['config'], ensure_ascii=False, sort_keys=True))}</code>",
            )
        )
        drawn = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
        head = f"<code>{_text(one['step'])}</code> {say('column.version')} {one['version']} → {_text(one['kind'])}"
        yield f'<li id="{_text(short(one["fingerprint"]))}"><details><summary>{head}</summary><dl>{drawn}</dl></details></li>'
    yield "</ol>"


def _reports(card: Mapping[str, Any], say: Say) -> Iterable[str]:
    if not card["reports"]:
        yield f"<p>{say('text.no_reports')}</p>"
    for one in card["reports"]:
        body = [
            (
                _text(name),
                f"{m['value']:.4g} ({m['low']:.4g}–{m['high']:.4g}), n = {_number(m['n'])} {_text(m.get('unit', ''))}",
            )
            for name, m in one["summary"].items()
        ]
        notes = f" <small>{say('text.notes', _number(one['notes']))}</small>" if one["notes"] else ""
        yield f"<h3>{_text(one['name'])}{notes}</h3>"
        yield _table(say, ("figure", "interval"), body)


def _table(
    say: Say, columns: Sequence[str], body: Sequence[Sequence[str]], numbers: Iterable[int] = (), kind: str = "plain"
) -> str:
    return _plain([say(f"column.{name}") for name in columns], body, numbers, kind)


def _plain(
    heads: Sequence[str], body: Sequence[Sequence[str]], numbers: Iterable[int] = (), kind: str = "plain"
) -> str:
    """A table; cells are HTML already. The first cell of a row is its head."""
    right = set(numbers)
    mark = ['class="n"' if place in right else "" for place in range(len(heads))]
    top = "".join(f'<th scope="col" {mark[place]}>{head}</th>' for place, head in enumerate(heads))
    lines = []
    for row in body:
        cells = "".join(f"<td {mark[place]}>{cell}</td>" for place, cell in enumerate(row) if place)
        lines.append(f'<tr><th scope="row">{row[0]}</th>{cells}</tr>')
    head, rest = f"<thead><tr>{top}</tr></thead>", f"<tbody>{''.join(lines)}</tbody>"
    return f'<div class="wide" tabindex="0"><table class="{kind}">{head}{rest}</table></div>'


def _bar(share: float, label: str | None = None) -> str:
    shown = label if label is not None else "&lt; 0.1%" if 0 < share < 0.001 else f"{share:.1%}"
    return f'<span class="bar"><i style="width:{100 * share:.1f}%"></i></span> {shown}'


def _value(text: str, say: Say) -> str:
    return _text(text) if text else f'<span class="quiet">{say("page.not_stated")}</span>'


def _several(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _text(value: object) -> str:
    return html.escape(str(value))

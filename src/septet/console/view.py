"""How a page is made: the templates, the words, and the few forms in which numbers, times and digests are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from septet.console import chart
from septet.console.language import COOKIE, LANGUAGES, Words, choose, known_or, load, speaker
from septet.core.fingerprint import short

_HERE = Path(__file__).parent
_YEAR_S = 365 * 24 * 3600
_MARK = re.compile(r"\[(\d{1,3})\]")


class View:
    """Renders templates in the language of a request. Everything that comes from data is escaped."""

    def __init__(self) -> None:
        self._words: dict[str, Words] = {language: load(language) for language in LANGUAGES}
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            short=short, size=size, moment=moment, number=number, cited=cited, grouped=lambda n: f"{n:,.0f}"
        )
        self._templates.globals.update(
            curve=chart.curve, interval=chart.interval, show=show, number=number, size=size, moment_of=moment
        )

    def page(self, request: Request, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
        """A whole page. The language that the address asks for is remembered."""
        response = HTMLResponse(self.text(request, template, values), status)
        response.headers["vary"] = "Accept-Language, Cookie"
        if request.query_params.get("lang") in LANGUAGES:
            language = request.query_params["lang"]
            response.set_cookie(COOKIE, language, max_age=_YEAR_S, samesite="lax", path="/")
        return response

    def text(self, request: Request, template: str, values: Mapping[str, Any]) -> str:
        """A template as text: a page, or a part of one."""
        language = choose(request)
        words = self._words[language]
        say = speaker(words)
        other = "en" if language == "zh" else "zh"
        return self._templates.get_template(template).render(
            {
                "t": say,
                "word": lambda table, value: known_or(words, table, value),
                "duration": lambda seconds: duration(seconds, say),
                "language": LANGUAGES[language],
                "other_language": LANGUAGES[other],
                "switch": _with_language(request.url, other),
                "here": request.url.path,
                **values,
            }
        )

    def say(self, request: Request, key: str) -> str:
        """One text in the language of a request."""
        return self._words[choose(request)][key]


def size(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float, say: Any) -> str:
    """Seconds as people read them, in the language of the page."""
    if seconds < 10:
        return str(say("unit.seconds", f"{seconds:.1f}"))
    if seconds < 120:
        return str(say("unit.seconds", f"{seconds:.0f}"))
    if seconds < 7200:
        return str(say("unit.minutes", int(seconds // 60), int(seconds % 60)))
    return str(say("unit.hours", int(seconds // 3600), int(seconds % 3600 // 60)))


def moment(text: str) -> Markup:
    """A time of the ledger, to the second and with its zone: two readers in two countries must see the same."""
    try:
        when = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return escape(text)
    day, clock = when.strftime("%Y-%m-%d"), when.strftime("%H:%M:%S UTC")
    return Markup('<time datetime="{}"><span>{}</span> <span>{}</span></time>').format(text, day, clock)


def number(value: float | None) -> str:
    """A measured number: three decimals, whole where it is whole and large."""
    if value is None:
        return "–"
    if float(value).is_integer() and abs(value) >= 10:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.1f}"


def cited(text: str, numbers: set[int], name: str) -> Markup:
    """An answer with its citation marks as links to the passages below it. Marks that point nowhere stay text."""
    parts, at = [], 0
    for match in _MARK.finditer(text):
        if int(match[1]) in numbers:
            link = Markup('<a class="mark" href="#{0}-{1}">[{1}]</a>').format(name, match[1])
            parts += [escape(text[at : match.start()]), link]
            at = match.end()
    return Markup("").join([*parts, escape(text[at:])])


def show(value: Any) -> str:
    """A value of a config or a record on one line."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(show(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {show(one)}" for key, one in value.items())
    return str(value)


def _with_language(url: URL, language: str) -> str:
    changed = url.include_query_params(lang=language)
    return f"{changed.path}?{changed.query}"

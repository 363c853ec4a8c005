"""Curves and intervals as inline SVG: drawn on the server, readable without script, coloured by the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

_WIDTH, _HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 30
_MOST_POINTS = 300
_SMOOTH_FROM = 40
_SMOOTHING = 0.8

Point = tuple[float, float]


def curve(points: Sequence[Point], title: str, description: str) -> Markup:
    """A line through (step, value), with a smoothed one over it where there are many points. Empty without points."""
    points = [point for point in points if math.isfinite(point[1])]
    if not points:
        return Markup("")
    smooth = _smoothed(points) if len(points) >= _SMOOTH_FROM else []
    low_x, high_x = points[0][0], max(points[-1][0], points[0][0] + 1)
    low_y, high_y = min(y for _, y in points), max(y for _, y in points)
    marks = _marks(low_y, high_y)
    low_y, high_y = min(low_y, marks[0]), max(high_y, marks[-1])

    def place(point: Point) -> tuple[float, float]:
        x = _LEFT + (point[0] - low_x) / (high_x - low_x) * (_WIDTH - _LEFT - _RIGHT)
        y = _TOP + (high_y - point[1]) / (high_y - low_y) * (_HEIGHT - _TOP - _BOTTOM)
        return round(x, 1), round(y, 1)

    parts = [
        Markup('<svg class="curve" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            _WIDTH, _HEIGHT, f"{title}: {description}"
        )
    ]
    for mark in marks:
        _, y = place((low_x, mark))
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(_LEFT, _WIDTH - _RIGHT, y, y)
        )
        parts.append(Markup('<text class="y" x="{}" y="{}">{}</text>').format(_LEFT - 8, y + 4, f"{mark:g}"))
    for mark in _marks(low_x, high_x):
        if low_x <= mark <= high_x and float(mark).is_integer():
            x, _ = place((mark, low_y))
            parts.append(Markup('<text class="x" x="{}" y="{}">{}</text>').format(x, _HEIGHT - 10, f"{mark:,.0f}"))
    parts.append(_line("raw" if smooth else "line", [place(point) for point in _thinned(points)]))
    if smooth:
        parts.append(_line("line", [place(point) for point in _thinned(smooth)]))
    x, y = place((smooth or points)[-1])
    parts.append(Markup('<circle class="last" cx="{}" cy="{}" r="3.5"/>').format(x, y))
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def interval(value: float, low: float, high: float) -> Markup:
    """A share and its interval on a line from 0 to 1. Empty for a number that is no share."""
    if not (0 <= low <= value <= high <= 1):
        return Markup("")
    return Markup(
        '<svg class="interval" viewBox="0 0 120 14" aria-hidden="true"><line class="grid" x1="6" x2="114" y1="7" y2="7"/>'
        '<line class="range" x1="{}" x2="{}" y1="7" y2="7"/><circle class="last" cx="{}" cy="7" r="4"/></svg>'
    ).format(*(round(6 + 108 * one, 1) for one in (low, high, value)))


def _line(kind: str, points: Sequence[tuple[float, float]]) -> Markup:
    path = " ".join(f"{x},{y}" for x, y in points)
    return Markup('<polyline class="{}" points="{}"/>').format(kind, path)


def _smoothed(points: Sequence[Point]) -> list[Point]:
    """An exponential moving average, corrected for its start (Kingma and Ba, 2015)."""
    found, mean, weight = [], 0.0, 0.0
    for x, y in points:
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * y
        weight = _SMOOTHING * weight + (1 - _SMOOTHING)
        found.append((x, mean / weight))
    return found


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most some hundred points: of each stretch its lowest and its highest, so that no spike is lost."""
    if len(points) <= _MOST_POINTS:
        return list(points)
    stretch = math.ceil(len(points) / (_MOST_POINTS // 2))
    found: list[Point] = []
    for start in range(0, len(points), stretch):
        part = points[start : start + stretch]
        found += sorted({min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])})
    return [points[0], *found, points[-1]]


def _marks(low: float, high: float) -> list[float]:
    """Four or five round numbers that enclose a range."""
    spread = (high - low) or max(abs(high), 1.0)
    raw = spread / 4
    base = 10 ** math.floor(math.log10(raw))
    step = next(base * factor for factor in (1, 2, 2.5, 5, 10) if base * factor >= raw)
    first = math.floor(low / step)
    marks = [round(first * step, 10)]
    while marks[-1] < high or len(marks) < 2:
        marks.append(round((first + len(marks)) * step, 10))
    return marks

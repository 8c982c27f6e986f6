"""Small pieces of charts: scales, axes, lines, bars. Colours are classes of the page's style."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tidewright.app.report_page.markup import Markup, join, tag

Label = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from values to pixels; a span of nothing is widened around its value."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where a value lies."""
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return self.start + share * (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Area:
    """A chart's size and the rectangle inside it in which values are drawn, pixels."""

    width: float
    height: float
    left: float = 52.0
    right: float = 12.0
    top: float = 10.0
    bottom: float = 24.0

    def across(self, low: float, high: float) -> Scale:
        """Return a horizontal scale."""
        return Scale(low, high, self.left, self.width - self.right)

    def upward(self, low: float, high: float) -> Scale:
        """Return a vertical scale; larger values lie higher."""
        return Scale(low, high, self.height - self.bottom, self.top)


def ticks(low: float, high: float, about: int) -> list[float]:
    """Return round values inside [low, high], about so many."""
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [low]
    rough = span / max(1, about)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * unit for unit in (1, 2, 2.5, 5, 10) if power * unit >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def padded(values: Iterable[float], share: float = 0.05) -> tuple[float, float]:
    """Return the range of values with room around it; never empty."""
    found = [value for value in values if math.isfinite(value)]
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    room = (high - low) * share or abs(high) * share or 0.01
    return low - room, high + room


def line(x: Scale, y: Scale, points: Iterable[tuple[float, float]], kind: str) -> Markup:
    """Return a line through points; ``kind`` is its class."""
    steps = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points)
    return tag("polyline", points=steps, class_=f"stroke {kind}")


def band(x: Scale, y: Scale, low: Sequence[float], high: Sequence[float], kind: str) -> Markup:
    """Return the area between two series over 0, 1, 2, ..."""
    upper = [f"{x(index):.1f},{y(value):.1f}" for index, value in enumerate(high)]
    lower = [f"{x(index):.1f},{y(value):.1f}" for index, value in enumerate(low)]
    return tag("polygon", points=" ".join(upper + lower[::-1]), class_=f"fill {kind}")


def box(left: float, top: float, width: float, height: float, kind: str, title: str) -> Markup:
    """Return a rectangle that tells its value on hover."""
    return tag(
        "rect",
        tag("title", title) if title else None,
        x=left,
        y=top,
        width=max(0.0, width),
        height=max(0.0, height),
        class_=kind,
    )


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> Markup:
    """Return words at a place; ``anchor`` is ``start``, ``middle`` or ``end``."""
    return tag("text", words, x=x, y=y, class_=kind or None, text_anchor=anchor)


def left_axis(area: Area, y: Scale, label: Label, about: int = 4) -> Markup:
    """Return horizontal grid lines with their values to the left."""
    marks = []
    for value in ticks(y.low, y.high, about):
        at = y(value)
        marks.append(
            tag("line", x1=area.left, x2=area.width - area.right, y1=at, y2=at, class_="grid")
        )
        marks.append(text(area.left - 6, at + 4, label(value), anchor="end"))
    return join(*marks)


def bottom_axis(area: Area, x: Scale, marks: Iterable[tuple[float, str]]) -> Markup:
    """Return words under the chart; those that would leave it are kept inside."""
    found = []
    for value, words in marks:
        at = x(value)
        half = 3.4 * len(words)
        at = min(max(at, area.left + half - 8), area.width - half)
        found.append(text(at, area.height - 6, words))
    return join(*found)


def chart(area: Area, name: str, description: str, *pieces: Markup | None) -> Markup:
    """Return a whole chart, named and described for those who cannot see it."""
    return tag(
        "svg",
        tag("title", name),
        tag("desc", description),
        *pieces,
        viewBox=f"0 0 {area.width:g} {area.height:g}",
        role="img",
        aria_label=f"{name}. {description}",
        xmlns="http://www.w3.org/2000/svg",
    )

"""The charts of a report, each for one size of screen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tidewright.app.report_page.markup import Markup, join, tag
from tidewright.app.report_page.svg import (
    Area,
    Scale,
    band,
    bottom_axis,
    box,
    chart,
    left_axis,
    line,
    padded,
    text,
    ticks,
)
from tidewright.app.report_page.words import MONTHS, date, number, percent
from tidewright.research.report.values import (
    Curve,
    Fan,
    Fold,
    Month,
    NoiseSearch,
    Numbers,
    SweepMap,
    TradeList,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FEWEST_COLUMNS = 25
_STRIPS = 90
"""Vertical strips that tell the values of a time chart on hover."""


def _percent_label(value: float) -> str:
    return percent(value, 0 if abs(value) >= 0.0995 or not value else 1)


def _years(x: Scale, days: Sequence[int], room: int) -> list[tuple[float, str]]:
    """Return marks for an axis of days: months or years, whichever is readable."""
    first, last = _EPOCH + timedelta(days=days[0]), _EPOCH + timedelta(days=days[-1])
    months = (last.year - first.year) * 12 + last.month - first.month
    step = next((one for one in (1, 2, 3, 6, 12, 24, 60) if months / one <= room), 120)
    found = []
    for index in range(first.month, first.month + months + 1):
        year, month = first.year + (index - 1) // 12, (index - 1) % 12
        if (year * 12 + month) % step == 0:
            day = (datetime(year, month + 1, 1, tzinfo=UTC) - _EPOCH).days
            if day >= days[0]:
                label = str(year) if step >= 12 else f"{MONTHS[month]} {year % 100:02d}"
                found.append((float(day), label))
    return found or [(float(days[0]), date(days[0]))]


def _below_peak(equity: Numbers) -> list[float]:
    peak, found = 1.0, []
    for value in equity:
        peak = max(peak, value)
        found.append(value / peak - 1.0)
    return found


def equity_chart(curve: Curve, area: Area) -> Markup:
    """Return equity against both ways of holding, and the fall from the peak below it."""
    upper = Area(area.width, area.height * 0.66, bottom=8, left=area.left)
    lower = Area(area.width, area.height, top=area.height * 0.66 + 10, left=area.left)
    x = area.across(curve.days[0], curve.days[-1])
    # Holding throughout would flatten the curves that matter, so it may leave the chart.
    low, high = padded((*curve.equity, *curve.matched, 1.0), 0.15)
    y = upper.upward(low, high)
    fall = _below_peak(curve.equity)
    deep = lower.upward(min(*fall, -0.01) * 1.05, 0.0)
    area_of_fall = [
        *zip(curve.days, fall, strict=True),
        (curve.days[-1], 0.0),
        (curve.days[0], 0.0),
    ]
    points = " ".join(f"{x(a):.1f},{deep(b):.1f}" for a, b in area_of_fall)
    return chart(
        area,
        "Equity and drawdown",
        f"Equity from {date(curve.days[0])} to {date(curve.days[-1])}: it ended at "
        f"{percent(curve.equity[-1] - 1)}; the largest fall from a peak was {percent(min(fall))}.",
        left_axis(upper, y, lambda value: _percent_label(value - 1.0)),
        tag("line", x1=x(x.low), x2=x(x.high), y1=y(1.0), y2=y(1.0), class_="zero"),
        *(line(x, y, part, "held") for part in _inside(curve, low, high)),
        line(x, y, zip(curve.days, curve.matched, strict=False), "matched")
        if curve.matched
        else None,
        line(x, y, zip(curve.days, curve.equity, strict=True), "own"),
        left_axis(lower, deep, _percent_label, 2),
        tag("polygon", points=points, class_="fill down-soft"),
        bottom_axis(area, x, _years(x, curve.days, int(area.width / 80))),
        _strips(curve, x, area, fall),
    )


def _inside(curve: Curve, low: float, high: float) -> list[list[tuple[float, float]]]:
    """Return the stretches of holding that lie within the chart."""
    found: list[list[tuple[float, float]]] = [[]]
    for day, value in zip(curve.days, curve.held, strict=False):
        if low <= value <= high:
            found[-1].append((day, value))
        elif found[-1]:
            found.append([])
    return [part for part in found if len(part) > 1]


def _strips(curve: Curve, x: Scale, area: Area, fall: Sequence[float]) -> Markup:
    count = len(curve.days)
    step = max(1, math.ceil(count / _STRIPS))
    width = (area.width - area.left - area.right) * step / max(count, 2)
    found = []
    for index in range(0, count, step):
        words = [date(curve.days[index]), f"strategy {percent(curve.equity[index] - 1, 2)}"]
        if curve.matched:
            words.append(f"matched holding {percent(curve.matched[index] - 1, 2)}")
        if curve.held:
            words.append(f"holding {percent(curve.held[index] - 1, 2)}")
        words.append(f"below peak {percent(fall[index], 2)}")
        left = x(curve.days[index])
        height = area.height - area.bottom - area.top
        found.append(box(left, area.top, width, height, "strip", "\n".join(words)))
    return join(*found)


def luck_dots(noise: NoiseSearch, area: Area) -> Markup:
    """Return one dot for each patternless copy; those that did as well are filled."""
    count = noise.copies
    columns = max(_FEWEST_COLUMNS, math.ceil(math.sqrt(count * area.width / area.height)))
    size = min(area.width / columns, area.height / math.ceil(count / columns))
    dots = [
        tag(
            "circle",
            cx=(index % columns + 0.5) * size,
            cy=(index // columns + 0.5) * size,
            r=size * 0.34,
            class_="dot hit" if index < noise.as_good else "dot",
        )
        for index in range(count)
    ]
    return chart(
        Area(columns * size, math.ceil(count / columns) * size),
        "Patternless copies",
        f"{noise.as_good} of {count} copies did at least as well.",
        *dots,
    )


def noise_chart(noise: NoiseSearch, area: Area) -> Markup:
    """Return how good the best of each patternless copy was, and where this result lies."""
    x = area.across(*padded((*noise.null, noise.observed)))
    below = _Bins(24, lambda value: number(value), "copies", noise.observed, ("warning", "plain"))
    area = replace(area, top=26.0)
    bars, y = _histogram(noise.null, x, area, below)
    digits = 1 if x.high - x.low > 1.0 else 2
    at = x(noise.observed)
    side = "end" if at > area.width * 0.6 else "start"
    return chart(
        area,
        "Luck",
        f"The best of {noise.copies} patternless copies; {noise.as_good} reached what was found.",
        left_axis(area, y, lambda value: f"{value:.0f}", 3),
        bars,
        tag("line", x1=at, x2=at, y1=area.top, y2=area.height - area.bottom, class_="here"),
        text(at + (2 if side == "end" else -2), area.top - 10, "this result", "strong", side),
        bottom_axis(area, x, [(one, number(one, digits)) for one in ticks(x.low, x.high, 5)]),
    )


@dataclass(frozen=True, slots=True)
class _Bins:
    """How a histogram is drawn: colours from the border on, and below it."""

    count: int
    label: Callable[[float], str]
    noun: str
    border: float = 0.0
    kinds: tuple[str, str] = ("up-soft", "down-soft")


def _histogram(values: Numbers, x: Scale, area: Area, bins: _Bins) -> tuple[Markup, Scale]:
    step = (x.high - x.low) / bins.count
    counts = [0] * bins.count
    for value in values:
        counts[min(bins.count - 1, max(0, int((value - x.low) / step)))] += 1
    y = area.upward(0.0, max(1, *counts))
    found = []
    for index, count in enumerate(counts):
        if count:
            low = x.low + index * step
            left = x(low)
            words = f"{bins.label(low)} to {bins.label(low + step)}: {count} {bins.noun}"
            kind = bins.kinds[low + step / 2 < bins.border]
            width, height = x(low + step) - left - 1, y(0.0) - y(count)
            found.append(box(left, y(count), width, height, f"bar {kind}", words))
    return join(*found), y


def trades_chart(trades: TradeList, area: Area) -> Markup:
    """Return how much each round trip earned, as a histogram with zero on a border."""
    low, high = min(*trades.profit, 0.0), max(*trades.profit, 0.0)
    step = (high - low or 0.01) / 28
    bins_below, bins_above = math.ceil(-low / step), max(1, math.ceil(high / step))
    x = area.across(-bins_below * step, bins_above * step)
    bins = _Bins(bins_below + bins_above, lambda one: percent(one, 2), "trades")
    bars, y = _histogram(trades.profit, x, area, bins)
    won = sum(value > 0 for value in trades.profit)
    return chart(
        area,
        "Profit of each trade",
        f"{len(trades.profit)} trades, {won} with a profit.",
        left_axis(area, y, lambda value: f"{value:,.0f}", 3),
        bars,
        bottom_axis(area, x, [(one, percent(one, 2)) for one in ticks(x.low, x.high, 4)]),
    )


def excursions_chart(trades: TradeList, area: Area) -> Markup:
    """Return how far prices moved against and for each trade while it was open."""
    x = area.across(0.0, max(*trades.adverse, 0.001) * 1.04)
    y = area.upward(0.0, max(*trades.favourable, 0.001) * 1.04)
    rows = list(zip(trades.adverse, trades.favourable, trades.profit, strict=True))
    thinned = rows[:: max(1, len(rows) // 600)]
    dots = [
        tag("circle", cx=x(bad), cy=y(good), r=2.2, class_="mark up" if won > 0 else "mark down")
        for bad, good, won in thinned
    ]
    return chart(
        area,
        "Moves against and in favour while a trade was open",
        f"{len(thinned)} of {len(rows)} trades.",
        left_axis(area, y, lambda value: percent(value, 1, signed=False), 4),
        *dots,
        bottom_axis(area, x, [(one, percent(-one, 1)) for one in ticks(x.low, x.high, 4)]),
    )


def months_chart(months: Sequence[Month], area: Area) -> Markup:
    """Return the profit of each calendar month, a row for each year."""
    years = sorted({one.year for one in months})
    wide = area.width > 500
    left, top = (44.0, 18.0) if wide else (32.0, 16.0)
    cell, row = (area.width - left) / 13, 26.0 if wide else 24.0
    size = Area(area.width, top + row * len(years))
    strongest = max((abs(one.profit) for one in months), default=0.0) or 1.0
    pieces = [
        text(left + (index + 0.5) * cell, 11, name if wide else name[:1])
        for index, name in enumerate(
            (*MONTHS, "Year" if wide else "\N{GREEK CAPITAL LETTER SIGMA}")
        )
    ]
    for number_, year in enumerate(years):
        at = top + number_ * row
        pieces.append(
            text(
                left - 6, at + row * 0.65, str(year) if wide else f"'{year % 100:02d}", anchor="end"
            )
        )
        total = 0.0
        for one in (one for one in months if one.year == year):
            total += one.profit
            pieces.append(
                _cell(
                    left + (one.month - 1) * cell,
                    at,
                    cell,
                    row,
                    one.profit,
                    strongest,
                    f"{MONTHS[one.month - 1]} {year}",
                )
            )
        pieces.append(
            _cell(left + 12 * cell, at, cell, row, total, max(strongest, abs(total)), str(year))
        )
    return chart(size, "Months", "Profit of each month as a share of the first equity.", *pieces)


def _cell(
    left: float, top: float, width: float, height: float, value: float, strongest: float, name: str
) -> Markup:
    share = min(1.0, abs(value) / strongest)
    words = f"{abs(100 * value):.0f}" if abs(value) >= 0.095 else f"{abs(100 * value):.1f}"
    sign = "" if float(words) == 0 else "\N{MINUS SIGN}" if value < 0 else "+"
    kind = "up" if value > 0 else "down"
    return join(
        tag(
            "rect",
            tag("title", f"{name}: {percent(value, 2)}"),
            x=left + 1,
            y=top + 1,
            width=width - 2,
            height=height - 2,
            class_=f"cell {kind}",
            style=f"fill-opacity:{0.08 + 0.5 * share:.2f}",
        ),
        text(left + width / 2, top + height * 0.65, f"{sign}{words}", "cell-text")
        if width > 24
        else None,
    )


def sweep_chart(sweep: SweepMap, area: Area) -> Markup:
    """Return the score of every setting: one row and column for each value."""
    left, bottom = 52.0, 34.0
    rows, columns = max(1, len(sweep.y)), len(sweep.x)
    width = (area.width - left) / columns
    height = min(28.0, max(8.0, (area.height - bottom) / rows))
    size = Area(area.width, rows * height + bottom)
    known = [value for row in sweep.score for value in row if value is not None]
    strongest = max((abs(value) for value in known), default=0.0) or 1.0
    best = max(known, default=None)
    pieces = []
    for row, values in enumerate(sweep.score):
        top = (rows - 1 - row) * height
        for column, value in enumerate(values):
            kind = "cell up" if (value or 0.0) > 0 else "cell down"
            opacity = 0.0 if value is None else 0.06 + 0.6 * abs(value) / strongest
            where = f"{sweep.x_name} {sweep.x[column]:g}"
            where += f", {sweep.y_name} {sweep.y[row]:g}" if sweep.y_name else ""
            pieces.append(
                tag(
                    "rect",
                    tag("title", f"{where}: {number(value)}"),
                    x=left + column * width,
                    y=top,
                    width=max(0.5, width - 1),
                    height=max(0.5, height - 1),
                    style=f"fill-opacity:{opacity:.2f}",
                    class_=kind + (" best" if value is not None and value == best else ""),
                )
            )
    every = max(1, math.ceil(columns / (area.width / 44)))
    pieces += [
        text(left + (index + 0.5) * width, rows * height + 13, f"{sweep.x[index]:g}")
        for index in range(0, columns, every)
    ]
    each = max(1, math.ceil(rows * 14 / (rows * height)))
    if sweep.y_name:
        pieces += [
            text(left - 6, (rows - 0.5 - index) * height + 4, f"{sweep.y[index]:g}", anchor="end")
            for index in range(0, rows, each)
        ]
        pieces.append(text(0, rows * height + 28, f"up: {sweep.y_name}", "strong", "start"))
    pieces.append(text(area.width, rows * height + 28, f"across: {sweep.x_name}", "strong", "end"))
    return chart(
        size, "Settings", f"Score of {len(known)} settings; the best is outlined.", *pieces
    )


def folds_chart(folds: Sequence[Fold], area: Area) -> Markup:
    """Return each step of a walk-forward: what was chosen by, and what came after."""
    y = area.upward(*padded([0.0, *(one.before for one in folds), *(one.after for one in folds)]))
    width = (area.width - area.left - area.right) / len(folds)
    pieces = [left_axis(area, y, _percent_label)]
    zero = y(0.0)
    for index, fold in enumerate(folds):
        left = area.left + index * width
        for offset, value, kind, words in (
            (0.1, fold.before, "bar before", "while it was chosen"),
            (0.5, fold.after, "bar up-soft" if fold.after > 0 else "bar down-soft", "afterwards"),
        ):
            days = f"{date(fold.first_day)} to {date(fold.last_day)}"
            title = f"{days}, {fold.chosen}: {percent(value)} a year {words}"
            pieces.append(
                box(
                    left + offset * width,
                    min(zero, y(value)),
                    width * 0.38,
                    abs(y(value) - zero),
                    kind,
                    title,
                )
            )
    marks = [(index + 0.5, date(fold.first_day)[2:].strip()) for index, fold in enumerate(folds)]
    x = area.across(0.0, len(folds))
    every = max(1, math.ceil(len(folds) * 62 / (area.width - area.left)))
    pieces.append(
        tag("line", x1=area.left, x2=area.width - area.right, y1=zero, y2=zero, class_="zero")
    )
    pieces.append(bottom_axis(area, x, marks[::every]))
    better = sum(fold.after > 0 for fold in folds)
    return chart(
        area, "Walk-forward", f"{better} of {len(folds)} steps gained afterwards.", *pieces
    )


def fan_chart(fan: Fan, area: Area) -> Markup:
    """Return where a year could lead: nine of ten paths, half of them, and the middle."""
    last = len(fan.middle) - 1
    x = area.across(0, last)
    y = area.upward(*padded((*fan.low, *fan.high)))
    months = [
        (last * index / 12, f"{index}") for index in range(0, 13, 3 if area.width < 500 else 1)
    ]
    return chart(
        area,
        "A year from here",
        f"After a year nine of ten paths lie between {percent(fan.low[-1] - 1)} and "
        f"{percent(fan.high[-1] - 1)}.",
        left_axis(area, y, lambda value: _percent_label(value - 1.0)),
        band(x, y, fan.low, fan.high, "fan-wide"),
        band(x, y, fan.lower, fan.upper, "fan-half"),
        line(x, y, list(enumerate(fan.middle)), "own"),
        tag("line", x1=x(0), x2=x(last), y1=y(1.0), y2=y(1.0), class_="zero"),
        bottom_axis(area, x, months),
    )

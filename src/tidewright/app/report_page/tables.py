"""Tables of a report: the evidence in rows, and what charts show in numbers."""

from __future__ import annotations

from collections.abc import Sequence

from tidewright.app.report_page.markup import Content, Markup, join, tag
from tidewright.app.report_page.words import MONTHS, date, number, percent, typeset
from tidewright.research.report.values import (
    Baseline,
    Check,
    Curve,
    Measure,
    Month,
    Report,
    Scenario,
)

_MARKS = {True: ("passed", "pass"), False: ("FAILED", "fail"), None: ("does not apply", "skip")}
_ROWS_OF_A_CURVE = 120


def table(columns: Sequence[str], rows: Sequence[Sequence[Content]], *, words: int = 1) -> Markup:
    """Return a table.

    The first ``words`` columns and those ending in ``…`` hold text; those ending in ``†`` hold text
    that a phone shows elsewhere.
    """
    kinds = [_kind(name, first=index < words) for index, name in enumerate(columns)]
    heads = [
        tag("th", name.rstrip("…†"), scope="col", class_=kind)
        for name, kind in zip(columns, kinds, strict=True)
    ]
    lines = [
        tag(
            "tr",
            *(
                tag("td", cell if isinstance(cell, Markup) else typeset(cell), class_=kind)
                for cell, kind in zip(row, kinds, strict=True)
            ),
        )
        for row in rows
    ]
    whole = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *lines))
    return tag("div", whole, class_="scroll")


def _kind(name: str, *, first: bool) -> str | None:
    if name.endswith("†"):
        return "aside"
    return None if first or name.endswith("…") else "n"


def _with_aside(name: Content, aside: str) -> Markup:
    """Return the first cell of a row, with words below it that only a phone shows there."""
    return join(name, tag("span", typeset(aside), class_="below") if aside else None)


def checks_table(checks: Sequence[Check]) -> Markup:
    """Return the hard checks."""
    rows = []
    for one in checks:
        words, kind = _MARKS[one.passed]
        rows.append((one.name, tag("span", words, class_=kind), one.detail))
    return table(("Check", "Result…", "Detail…"), rows)


def baselines_table(report: Report) -> Markup:
    """Return the strategy among simpler things."""
    rows = [
        (
            _with_aside(one.name, one.note),
            percent(one.net),
            number(one.sharpe),
            percent(_fall(one)),
            one.note,
        )
        for one in report.baselines
    ]
    return table(("Over the same days", "Result", "Sharpe", "Largest fall", "†"), rows)


def _fall(one: Baseline) -> float | None:
    return None if one.drawdown is None else -one.drawdown


def scenarios_table(scenarios: Sequence[Scenario]) -> Markup:
    """Return the result under other costs and delays."""
    rows = [
        (one.name, percent(one.net), percent(one.excess_year), f"{one.trades:,}")
        for one in scenarios
    ]
    return table(("Changed", "Result", "Beyond holding, a year", "Trades"), rows)


def measures_table(measures: Sequence[Measure]) -> Markup:
    """Return figures of inference; the formula is a column, and below the name on a phone."""
    rows = [
        (
            _with_aside(one.name, one.formula),
            one.text if one.value is None else one.text or number(one.value),
            tag("span", one.formula, class_="muted"),
        )
        for one in measures
    ]
    return table(("Figure", "Value", "How it is computed†"), rows)


def curve_table(curve: Curve) -> Markup:
    """Return equity in numbers, at most 120 rows, the last day always."""
    count = len(curve.days)
    step = max(1, -(-count // _ROWS_OF_A_CURVE))
    picked = sorted({*range(0, count, step), count - 1})
    has = bool(curve.matched)
    rows = [
        (
            date(curve.days[index]),
            percent(curve.equity[index] - 1, 2),
            *((percent(curve.matched[index] - 1, 2),) if has else ()),
            *((percent(curve.held[index] - 1, 2),) if curve.held else ()),
        )
        for index in picked
    ]
    columns = ["Day", "Strategy"]
    columns += ["Matched holding"] * has + ["Holding throughout"] * bool(curve.held)
    return table(columns, rows)


def months_table(months: Sequence[Month]) -> Markup:
    """Return the months in numbers."""
    rows = [(f"{MONTHS[one.month - 1]} {one.year}", percent(one.profit, 2)) for one in months]
    return table(("Month", "Profit"), rows)


def numbers(inside: Markup) -> Markup:
    """Return a table folded away under a line that opens it."""
    return tag("details", tag("summary", "The numbers"), inside)


def folded(summary: str, *inside: Markup) -> Markup:
    """Return pieces folded away under words."""
    return tag("details", tag("summary", summary), join(*inside))

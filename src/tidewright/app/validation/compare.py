"""Strategies side by side, and the paired difference of their days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.research.metrics import drawdown, sharpe
from tidewright.research.report.values import Report
from tidewright.research.results import Float64, Int64

_FEWEST_DAYS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One strategy over the days that all have in common."""

    name: str
    verdict: str
    net: float
    sharpe: float | None
    drawdown: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Daily profit of one strategy less that of the first, a year, with its 90 % interval.

    ``t`` is the mean over its Newey-West standard error; both strategies lived through the same
    days, so what they have in common cancels.
    """

    name: str
    other: str
    a_year: float
    low: float
    high: float
    t: float

    @property
    def differs(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Strategies over the same days.

    Parameters
    ----------
    first_day, last_day, days : int
        What they have in common.
    rows : tuple of Row
        In the order given.
    differences : tuple of Difference
        Of each but the first against the first.
    """

    first_day: int
    last_day: int
    days: int
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]


def compare(reports: Sequence[Report]) -> Comparison:
    """Compare reports over the days that they have in common.

    Raises
    ------
    ConfigError
        If there are fewer than two, or they share under 20 days.
    """
    from tidewright.research.statistics.inference import estimate_mean

    if len(reports) < 2:
        raise ConfigError(f"{len(reports)} strategies were given; expected at least two")
    days, profits = _common(reports)
    if len(days) < _FEWEST_DAYS:
        raise ConfigError(
            f"the strategies share {len(days)} days; expected at least {_FEWEST_DAYS}"
        )
    a_year = min(one.subject.days_per_year for one in reports)
    names = _distinct([one.subject.name for one in reports])
    rows = tuple(
        _row(name, one, profit, a_year)
        for name, one, profit in zip(names, reports, profits, strict=True)
    )
    differences = []
    for name, profit in zip(names[1:], profits[1:], strict=True):
        known = estimate_mean(profit - profits[0])
        low, high = (float(end) * a_year for end in known.interval(0.90))
        differences.append(
            Difference(name, names[0], float(known.mean) * a_year, low, high, float(known.t))
        )
    return Comparison(int(days[0]), int(days[-1]), len(days), rows, tuple(differences))


def _common(reports: Sequence[Report]) -> tuple[Int64, list[Float64]]:
    days = np.array(reports[0].curve.days, np.int64)
    for one in reports[1:]:
        days = np.intersect1d(days, np.array(one.curve.days, np.int64))
    found = []
    for one in reports:
        equity = np.array(one.curve.equity)
        profit = np.diff(equity, prepend=1.0)
        found.append(profit[np.isin(np.array(one.curve.days, np.int64), days)])
    return days, found


def _row(name: str, report: Report, profit: Float64, a_year: int) -> Row:
    equity = 1.0 + np.cumsum(profit)
    return Row(
        name,
        report.ruling.word,
        float(profit.sum()),
        sharpe(profit, a_year),
        max(0.0, float(drawdown(equity, 1.0).max())),
    )


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names of which no two are equal: repeated ones are numbered."""
    found: list[str] = []
    for name in names:
        count = sum(name == other for other in names[: len(found)])
        found.append(f"{name} ({count + 1})" if count else name)
    return found

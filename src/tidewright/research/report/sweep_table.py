"""What a sweep shows a person: figures of every set, in an order, and a map over two numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from tidewright.domain.errors import ConfigError, nearest
from tidewright.research.benchmark import excess
from tidewright.research.bulk.grid import Point
from tidewright.research.metrics import Calendar
from tidewright.research.report.values import SweepMap
from tidewright.research.results import DailyResults, Float64, Int64

MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "t": "t-statistic of the daily excess over the matched benchmark, dependent days allowed",
        "excess": "profit beyond the matched benchmark, as a share of the initial equity",
        "return": "profit after costs, as a share of the initial equity",
        "sharpe": "mean / standard deviation of daily profit x sqrt(days per year)",
        "drawdown": "largest fall of equity from its highest value at the ends of days, as a share",
        "trades": "round trips",
        "turnover": "value bought and sold, as a multiple of the initial equity",
        "exposure": "average signed value held, as a share of the initial equity",
        "fees": "fees paid, as a share of the initial equity",
    }
)
"""Measures of a set, the one that decides first."""
_SMALL_IS_GOOD = frozenset({"drawdown", "fees", "turnover"})


def check_measure(measure: str) -> None:
    """Make sure that there is such a measure.

    Raises
    ------
    ConfigError
        If there is not.
    """
    if measure not in MEASURES:
        raise ConfigError(
            f"measure was {measure!r}; expected one of {', '.join(MEASURES)}"
            f"{nearest(measure, MEASURES)}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class SweepTable:
    """Figures of every set of a sweep.

    Parameters
    ----------
    names : tuple of str
        The numbers that vary.
    points : float64 array of shape (n_sets, n_names)
        Their values.
    measures : mapping of str to float64 array of shape (n_sets,)
        By the names of `MEASURES`; NaN where a set has none.
    """

    names: tuple[str, ...]
    points: Float64
    measures: Mapping[str, Float64]

    def __len__(self) -> int:
        return len(self.points)

    def order(self, measure: str = "t") -> Int64:
        """Return the sets from the best to the worst; those without a value come last.

        Raises
        ------
        ConfigError
            If there is no such measure.
        """
        check_measure(measure)
        values = self.measures[measure]
        key = values if measure in _SMALL_IS_GOOD else -values
        return np.argsort(np.where(np.isnan(key), np.inf, key), kind="stable")

    def to_dict(self, measure: str = "t") -> dict[str, object]:
        """Return the table as JSON has it, in the order of a measure; None for no value."""
        order = self.order(measure).tolist()

        def row(place: int) -> dict[str, object]:
            numbers = dict(zip(self.names, self.points[place].tolist(), strict=True))
            values = {name: float(column[place]) for name, column in self.measures.items()}
            return {
                "numbers": numbers,
                **{name: None if np.isnan(value) else value for name, value in values.items()},
            }

        return {
            "measures": dict(MEASURES),
            "sorted_by": measure,
            "sets": [row(place) for place in order],
        }

    def map(self, measure: str = "t") -> SweepMap | None:
        """Return a measure over the first two numbers that vary, the best over all others.

        Returns
        -------
        SweepMap or None
            None where nothing varies.
        """
        varying = [
            place for place in range(len(self.names)) if len(np.unique(self.points[:, place])) > 1
        ]
        if not varying:
            return None
        across, down = varying[0], varying[1] if len(varying) > 1 else -1
        x = np.unique(self.points[:, across])
        y = np.unique(self.points[:, down]) if down >= 0 else np.zeros(1)
        found = np.full((len(y), len(x)), np.nan)
        order = self.order(measure)[::-1]
        rows = np.searchsorted(y, self.points[order, down]) if down >= 0 else np.zeros_like(order)
        # From the worst to the best: what is written last stays.
        found[rows, np.searchsorted(x, self.points[order, across])] = self.measures[measure][order]
        return SweepMap(
            self.names[across],
            self.names[down] if down >= 0 else "",
            tuple(x.tolist()),
            tuple(y.tolist()),
            tuple(
                tuple(None if np.isnan(value) else value for value in row) for row in found.tolist()
            ),
            None,
        )


def sweep_table(
    points: Sequence[Point], results: DailyResults, universe: Float64, calendar: Calendar
) -> SweepTable:
    """Return the figures of every set.

    Parameters
    ----------
    points : sequence of Point
        Numbers of each set of the results.
    results : DailyResults
        What the sets earned.
    universe : float64 array of shape (n_days,)
        `benchmark.universe_returns` over the days of the results.
    calendar : Calendar
        How many days make a year.
    """
    names = tuple(points[0]) if points else ()
    values = np.array([[point[name] for name in names] for point in points]).reshape(-1, len(names))
    profit, beyond = results.daily_profit(), excess(results, universe)
    initial, traded = float(results.initial), results.turnover > 0
    spread = profit.std(axis=1, ddof=1) if len(results.days) > 1 else np.zeros(len(profit))
    peaks = np.maximum.accumulate(np.maximum(results.equity, results.initial), axis=1)
    fallen = 1.0 - results.equity / np.maximum(peaks, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        sharpe = profit.mean(axis=1) / spread * np.sqrt(calendar.days_per_year)
    return SweepTable(
        names,
        values,
        {
            "t": np.where(traded, _t_statistics(beyond), np.nan),
            "excess": np.where(traded, beyond.sum(axis=1), np.nan),
            "return": profit.sum(axis=1),
            "sharpe": np.where(traded & (spread > 0), sharpe, np.nan),
            "drawdown": fallen.max(axis=1, initial=0.0),
            "trades": results.trades.astype(np.float64),
            "turnover": results.turnover,
            "exposure": results.exposure,
            "fees": results.fees / initial,
        },
    )


def _t_statistics(beyond: Float64) -> Float64:
    from tidewright.research.statistics.inference import t_statistic

    enough = beyond.shape[1] >= _FEWEST_DAYS
    return t_statistic(beyond) if enough and len(beyond) else np.full(len(beyond), np.nan)


_FEWEST_DAYS = 3

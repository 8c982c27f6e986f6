"""A family of simple rules in a few array operations: what a sweep is, at a thousandth of its cost.

A rule holds a fixed share of the initial equity in each instrument, decided at one close and held
until the next: above its moving average, or below it, or by the side of a band.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tidewright.domain.events import TradingWindow
from tidewright.domain.time import DAY
from tidewright.market.arrays import BarArrays
from tidewright.research.results import DailyResults

INITIAL = 10**12
WINDOWS = (2, 3, 5, 8, 12, 20, 35, 60)


@dataclass(frozen=True)
class ToyFamily:
    """Trend and its opposite over several windows, long only or both ways.

    Parameters
    ----------
    cost : float
        Share of the traded value.
    windows : tuple of int
        Moving averages.
    window : TradingWindow
        Nothing is held before it, and nothing is known after it.
    places : tuple of int or None
        Rules that are run; None is all.
    """

    cost: float = 0.0
    windows: tuple[int, ...] = WINDOWS
    window: TradingWindow = field(default_factory=lambda: TradingWindow(0))
    places: tuple[int, ...] | None = None
    name: str = "toy rules"

    def within(self, window: TradingWindow, places: Sequence[int] | None = None) -> ToyFamily:
        return replace(self, window=window, places=None if places is None else tuple(places))

    def evaluate(self, series: tuple[BarArrays, ...]) -> DailyResults:
        known = series[0].ts_known
        first = int(np.searchsorted(known, self.window.start))
        end = self.window.end
        last = int(np.searchsorted(known, end, side="right")) if end else len(known)
        series = tuple(one.slice(0, last) for one in series)
        held = np.stack([self._held(one) for one in series]) / len(series)
        close = np.stack([one.close for one in series]).astype(np.float64)
        returns = np.diff(close, axis=1) / close[:, :-1]
        profit = np.einsum("ist,it->st", held[:, :, :-1], returns)
        traded = np.abs(np.diff(held, axis=2, prepend=0.0)).sum(axis=0)
        profit = np.concatenate((np.zeros((len(profit), 1)), profit), axis=1)
        # What is bought at a close is paid for on that day.
        profit -= self.cost * traded
        return results_of(
            (series[0].ts_known[first:] - 1) // DAY,
            profit[:, first:],
            held.sum(axis=0)[:, first:],
            traded[:, first:],
            self.cost,
        )

    def _held(self, bars: BarArrays) -> np.ndarray:
        price = np.log(bars.close)
        total = np.concatenate(([0.0], np.cumsum(price)))
        rules = []
        for window in self.windows:
            above = np.zeros(len(price))
            above[window - 1 :] = np.sign(
                price[window - 1 :] - (total[window:] - total[:-window]) / window
            )
            rules += [above > 0, above < 0, above, -above]
        held = np.array(rules, np.float64)
        held[:, bars.ts_known < self.window.start] = 0.0
        return held if self.places is None else held[list(self.places)]


def results_of(
    days: np.ndarray, profit: np.ndarray, held: np.ndarray, traded: np.ndarray, cost: float
) -> DailyResults:
    turnover = traded.sum(axis=1)
    trades = np.rint(turnover / 2).astype(np.int64)
    return DailyResults(
        days=days,
        equity=INITIAL + np.rint(np.cumsum(profit, axis=1) * INITIAL).astype(np.int64),
        initial=INITIAL,
        exposure=held[:, :-1].mean(axis=1),
        trades=trades,
        trade_days=trades,
        turnover=turnover,
        fees=np.rint(turnover * cost * INITIAL).astype(np.int64),
    )


@dataclass(frozen=True)
class SteadyRisk:
    """One rule: always long, the more the calmer the last twenty days were."""

    name: str = "steady risk"

    def evaluate(self, series: tuple[BarArrays, ...]) -> DailyResults:
        held = np.stack([self._held(one) for one in series]) / len(series)
        close = np.stack([one.close for one in series]).astype(np.float64)
        profit = (held[:, :-1] * (np.diff(close, axis=1) / close[:, :-1])).sum(axis=0)
        traded = np.abs(np.diff(held, axis=1, prepend=0.0)).sum(axis=0)
        return results_of(
            (series[0].ts_known - 1) // DAY,
            np.concatenate(([0.0], profit))[None, :],
            held.sum(axis=0)[None, :],
            traded[None, :],
            0.0,
        )

    def _held(self, bars: BarArrays) -> np.ndarray:
        price = np.log(bars.close)
        total = np.cumsum(np.diff(price, prepend=price[0]) ** 2)
        spread = np.sqrt((total[20:] - total[:-20]) / 20)
        held = np.zeros(len(price))
        held[20:] = np.minimum(0.01 / spread, 2.0)
        return held

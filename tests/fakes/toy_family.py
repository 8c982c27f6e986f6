"""A family of simple rules in a few array operations: what a sweep is, at a thousandth of its cost.

A rule holds a fixed share of the initial equity in each instrument, decided at one close and held
until the next: above its moving average, or below it, or by the side of a band.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    first : int
        First day, by its place, on which anything may be held.
    """

    cost: float = 0.0
    windows: tuple[int, ...] = WINDOWS
    first: int = 0
    name: str = "toy rules"

    def evaluate(self, series: tuple[BarArrays, ...]) -> DailyResults:
        held = np.stack([self._held(one) for one in series]) / len(series)
        close = np.stack([one.close for one in series]).astype(np.float64)
        returns = np.diff(close, axis=1) / close[:, :-1]
        profit = np.einsum("ist,it->st", held[:, :, :-1], returns)
        traded = np.abs(np.diff(held, axis=2, prepend=0.0)).sum(axis=0)
        profit = np.concatenate((np.zeros((len(profit), 1)), profit), axis=1)
        # What is bought at a close is paid for on that day.
        profit -= self.cost * traded
        return results_of(
            (series[0].ts_known - 1) // DAY, profit, held.sum(axis=0), traded, self.cost
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
        held[:, : self.first] = 0.0
        return held


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

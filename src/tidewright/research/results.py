"""What a family of configurations earned day by day: the form that statistics are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tidewright.market.arrays import BarArrays

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

Given = TypeVar("Given")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, eq=False)
class DailyResults:
    """Results of configurations over the same days, net of all costs and marked to market.

    Parameters
    ----------
    days : int64 array of shape (n_days,)
        Days since 1970-01-01 UTC, increasing; days without a bar are there only where the market
        never closes.
    equity : int64 array of shape (n_sets, n_days)
        Equity at the end of each day, money units.
    initial : int
        Equity before the first day, money units, above 0.
    exposure : float64 array of shape (n_sets,)
        Average signed value of what was held, as a share of the initial equity, over the whole
        time, flat time included.
    trades : int64 array of shape (n_sets,)
        Round trips.
    trade_days : int64 array of shape (n_sets,)
        Different days on which a round trip ended: trades of one day count once.
    turnover : float64 array of shape (n_sets,)
        Value bought and sold, as a multiple of the initial equity.
    fees : int64 array of shape (n_sets,)
        Fees paid, money units.
    """

    days: Int64
    equity: Int64
    initial: int
    exposure: Float64
    trades: Int64
    trade_days: Int64
    turnover: Float64
    fees: Int64

    def __len__(self) -> int:
        return len(self.equity)

    def daily_profit(self) -> Float64:
        """Return net profit of each day as a share of the initial equity, (n_sets, n_days)."""
        before = np.concatenate(
            (np.full((len(self.equity), 1), self.initial, np.int64), self.equity[:, :-1]), axis=1
        )
        return (self.equity - before) / float(self.initial)


class Family(Protocol):
    """Configurations that were, or could be, searched together: a sweep, a walk-forward.

    It can be run again on other prices of the same instruments, which is what makes a search
    measurable. Implementations can be pickled, so that other processes can run them.
    """

    @property
    def name(self) -> str:
        """What was searched, in a few words."""

    def evaluate(self, series: tuple[BarArrays, ...]) -> DailyResults:
        """Run every configuration over bars of the family's instruments, in their order."""


class Executor(Protocol):
    """Where independent work is done; the application has one of several processes."""

    def map(self, work: Callable[[Given], Found], items: Iterable[Given]) -> Iterator[Found]:
        """Yield ``work(item)`` in the order of the items, each as soon as it can be had.

        Closing the iterator abandons the items that were not begun.
        """


class SerialExecutor:
    """Works in this process, one item after the other."""

    def map(self, work: Callable[[Given], Found], items: Iterable[Given]) -> Iterator[Found]:
        """Yield ``work(item)`` for each item."""
        return map(work, items)

"""The days of a run, and the value of what is held over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.time import DAY
from tidewright.kernels.bulk import layout as at
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.request import BulkRequest
from tidewright.research.results import DailyResults, Float64, Int64


class RunLog(Protocol):
    """What a backtest left behind, whichever engine ran it.

    `research.bulk.result.BulkResult` is one; its words hold here.
    """

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Instruments by the number that the rows of fills use."""

    @property
    def initial(self) -> int:
        """Opening balance, money units."""

    @property
    def moments(self) -> Int64:
        """Time of each slice with bars, nanoseconds UTC."""

    @property
    def equity(self) -> Int64:
        """Equity after every such slice, money units."""

    @property
    def fill_rows(self) -> Int64:
        """Fills in order, columns ``FILL_...`` of `kernels.bulk.layout`."""

    @property
    def round_trips(self) -> int:
        """Round trips that ended."""

    @property
    def trade_days(self) -> int:
        """Different days on which one ended."""


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Days of a run: the same for every set of a sweep.

    Parameters
    ----------
    days : int64 array of shape (n_days,)
        Days since 1970-01-01 UTC; a bar that closes at midnight belongs to the day that it ends.
    last : int64 array of shape (n_days,)
        Last slice up to the end of each day; before the first one, -1.
    slices : int
        Slices from the start of the window on.
    """

    days: Int64
    last: Int64
    slices: int

    @property
    def kept(self) -> Int64:
        """Slices after which equity has to be known, in order."""
        return np.unique(self.last[self.last >= 0])


def days_of(moments: Int64, start: int, instruments: Sequence[Instrument]) -> Days:
    """Return the days of a run.

    Parameters
    ----------
    moments : int64 array of shape (n_slices,)
        Time of each slice.
    start : int
        First time at which trading was allowed; days before it do not count.
    instruments : sequence of Instrument
        A market of nothing but crypto currencies has every day; others have the days with bars.
    """
    first = int(np.searchsorted(moments, start, side="left"))
    of_slices = (moments[first:] - 1) // DAY
    if not len(of_slices):
        none = np.empty(0, np.int64)
        return Days(none, none, 0)
    if all(one.asset_class is AssetClass.CRYPTO for one in instruments):
        days = np.arange(of_slices[0], of_slices[-1] + 1)
    else:
        ends = np.flatnonzero(of_slices[1:] != of_slices[:-1])
        days = np.append(of_slices[ends], of_slices[-1])
    last = first + np.searchsorted(of_slices, days, side="right") - 1
    return Days(days, last, len(of_slices))


def running_worth(
    series: Sequence[BarArrays], instruments: Sequence[Instrument], moments: Int64
) -> Float64:
    """Return the running sum over slices of the value of a lot, (n_instruments, n_slices + 1)."""
    worth = np.zeros((len(series), len(moments) + 1))
    for row, (one, instrument) in enumerate(zip(series, instruments, strict=True)):
        if not len(one):
            continue
        closes = one.close.astype(np.float64)
        if len(one) != len(moments):
            places = np.searchsorted(one.ts_known, moments, side="right") - 1
            closes = np.where(places >= 0, closes[np.maximum(places, 0)], 0.0)
        numerator, denominator = instrument.value_ratio
        closes *= numerator / denominator
        np.cumsum(closes, out=worth[row, 1:])
    return worth


def block_extremes(low: Int64, high: Int64, close: Int64, size: int) -> Int64:
    """Return lowest low, highest high, lowest and highest close of each whole block of rows.

    Parameters
    ----------
    low, high, close : int64 array of shape (n_rows,)
        Prices in ticks.
    size : int
        Rows of a block.

    Returns
    -------
    int64 array of shape (n_rows // size, 4)
    """
    blocks = len(close) // size
    whole = blocks * size
    lows, highs, closes = (one[:whole].reshape(blocks, size) for one in (low, high, close))
    return np.stack(
        (lows.min(axis=1), highs.max(axis=1), closes.min(axis=1), closes.max(axis=1)), axis=1
    )


def daily_results(result: RunLog, request: BulkRequest) -> DailyResults:
    """Return what one backtest earned day by day.

    Parameters
    ----------
    result : RunLog
        The backtest, with equity at every slice.
    request : BulkRequest
        What was run.
    """
    ordered = sorted(request.series, key=lambda one: one.instrument)
    days = days_of(result.moments, request.window.start, result.instruments)
    equity = np.full((1, len(days.last)), result.initial, np.int64)
    known = days.last >= 0
    equity[0, known] = result.equity[days.last[known]]
    worth = running_worth(ordered, result.instruments, result.moments)
    fills = result.fill_rows
    owner, lots = fills[:, at.FILL_INSTRUMENT], fills[:, at.FILL_LOTS]
    # What is filled within a bar is held from that bar's close on.
    held_from = np.searchsorted(result.moments, fills[:, at.FILL_KNOWN], side="left")
    held = fills[:, at.FILL_SIGN] * lots * (worth[owner, -1] - worth[owner, held_from])
    ratios = [one.value_ratio for one in result.instruments]
    lot = np.array([numerator / denominator for numerator, denominator in ratios])
    initial = result.initial
    return DailyResults(
        days=days.days,
        equity=equity,
        initial=initial,
        exposure=np.array([held.sum() / max(days.slices, 1) / initial]),
        trades=np.array([result.round_trips], np.int64),
        trade_days=np.array([result.trade_days], np.int64),
        turnover=np.array([(lots * lot[owner] * fills[:, at.FILL_TICKS]).sum() / initial]),
        fees=np.array([fills[:, at.FILL_FEE].sum()]),
    )

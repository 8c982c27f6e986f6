"""From the logs of bulk runs to what they earned day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.kernels.bulk import layout as at
from tidewright.kernels.bulk.breakers import DAY
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.request import BulkRequest
from tidewright.research.bulk.result import BulkResult
from tidewright.research.results import DailyResults, Float64, Int64


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Days of a run and the value of a lot over time: the same for every set of a sweep.

    Parameters
    ----------
    days : int64 array of shape (n_days,)
        Days since 1970-01-01 UTC; a bar that closes at midnight belongs to the day that it ends.
    slices : int64 array of shape (n_slices,)
        Times at which bars become known, increasing.
    first : int
        First slice that counts: the first one at which trading was allowed.
    last : int64 array of shape (n_days,)
        Last slice up to the end of each day, -1 where there is none yet.
    worth : float64 array of shape (n_instruments, n_slices + 1)
        Running sum over the slices of the value of one lot at its latest close, money units.
    """

    days: Int64
    slices: Int64
    first: int
    last: Int64
    worth: Float64


def calendar_of(request: BulkRequest) -> Calendar:
    """Return the days and slices over which a request runs, from the start of its window on."""
    end = request.window.end
    ordered = sorted(request.series, key=lambda one: one.instrument)
    by_id = {one.id: one for one in request.instruments}
    known = [_until(one, end) for one in ordered]
    slices = known[0] if len(known) == 1 else np.unique(np.concatenate(known))
    first = int(np.searchsorted(slices, request.window.start, side="left"))
    of_slices = (slices[first:] - 1) // DAY
    if all(one.asset_class is AssetClass.CRYPTO for one in request.instruments) and len(of_slices):
        days = np.arange(of_slices[0], of_slices[-1] + 1)
    else:
        days = np.unique(of_slices)
    worth = np.stack(
        [
            _running_worth(one, times, slices, by_id[one.instrument])
            for one, times in zip(ordered, known, strict=True)
        ]
    )
    last = first + np.searchsorted(of_slices, days, side="right") - 1
    return Calendar(days, slices, first, last, worth)


def _until(series: BarArrays, end: int) -> Int64:
    known = series.ts_known
    return known[: np.searchsorted(known, end, side="right")] if end else known


def _running_worth(
    series: BarArrays, known: Int64, slices: Int64, instrument: Instrument
) -> Float64:
    running = np.zeros(len(slices) + 1)
    if not len(known):
        return running
    closes = series.close[: len(known)].astype(np.float64)
    if len(known) != len(slices):
        rows = np.searchsorted(known, slices, side="right") - 1
        closes = np.where(rows >= 0, closes[np.maximum(rows, 0)], 0.0)
    numerator, denominator = instrument.value_ratio
    np.cumsum(closes * (numerator / denominator), out=running[1:])
    return running


@dataclass(frozen=True, slots=True)
class SetSummary:
    """What one set earned: a row of `DailyResults`.

    Parameters
    ----------
    equity : int64 array of shape (n_days,)
        Equity at the end of each day, money units.
    exposure, turnover : float
        As in `DailyResults`.
    trades, trade_days, fees : int
        As in `DailyResults`.
    """

    equity: Int64
    exposure: float
    trades: int
    trade_days: int
    turnover: float
    fees: int


def summary_of(result: BulkResult, calendar: Calendar) -> SetSummary:
    """Return what a run earned over the days of a calendar.

    Parameters
    ----------
    result : BulkResult
        A run over the calendar's request.
    calendar : Calendar
        Its days.
    """
    days = calendar.last
    equity = np.where(
        days >= 0, result.equity[np.maximum(days, 0)] if len(result.equity) else 0, result.initial
    )
    fills, trades = result.fill_rows, result.trade_rows
    lot = np.array([_lot_value(one) for one in result.instruments])
    traded = fills[:, at.FILL_LOTS] * lot[fills[:, at.FILL_INSTRUMENT]] * fills[:, at.FILL_TICKS]
    return SetSummary(
        equity=equity,
        exposure=_exposure(fills, calendar, result.initial),
        trades=len(trades),
        trade_days=len(np.unique((trades[:, at.TRADE_CLOSED] - 1) // DAY)),
        turnover=float(traded.sum()) / result.initial,
        fees=int(fills[:, at.FILL_FEE].sum()),
    )


def _lot_value(instrument: Instrument) -> float:
    numerator, denominator = instrument.value_ratio
    return numerator / denominator


def _exposure(fills: Int64, calendar: Calendar, initial: int) -> float:
    """Return the mean over slices of the value held, as a share of the initial equity."""
    slices = len(calendar.slices) - calendar.first
    if not len(fills) or not slices:
        return 0.0
    # What is filled within a bar is held from that bar's close on.
    held_from = np.searchsorted(calendar.slices, fills[:, at.FILL_KNOWN], side="left")
    signed = fills[:, at.FILL_SIGN] * fills[:, at.FILL_LOTS]
    owner = fills[:, at.FILL_INSTRUMENT]
    rest = calendar.worth[owner, -1] - calendar.worth[owner, held_from]
    return float((signed * rest).sum()) / slices / initial


def joined_summaries(
    summaries: Sequence[SetSummary], calendar: Calendar, initial: int
) -> DailyResults:
    """Return rows of results as one value."""
    equity = np.empty((len(summaries), len(calendar.days)), np.int64)
    for row, summary in enumerate(summaries):
        equity[row] = summary.equity
    return DailyResults(
        days=calendar.days,
        equity=equity,
        initial=initial,
        exposure=np.array([one.exposure for one in summaries], np.float64),
        trades=np.array([one.trades for one in summaries], np.int64),
        trade_days=np.array([one.trade_days for one in summaries], np.int64),
        turnover=np.array([one.turnover for one in summaries], np.float64),
        fees=np.array([one.fees for one in summaries], np.int64),
    )

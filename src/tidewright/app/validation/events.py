"""Backtests on the event path, told as the compiled loop tells its own.

What the loop would not run exactly as the engine does - a strategy written in Python, several
strategies on one account, an amount that leaves 64 bits - is run by the engine, slice by slice.
Either way the result is read through `research.bulk.daily.RunLog`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tidewright.app.backtest import run_engine
from tidewright.app.feeds.bars import BarFeed, TimedDefect
from tidewright.app.recorder import RunRecorder
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import Slice, TradingState
from tidewright.domain.facts import OrderExecuted, Outcome, TradeClosed, TradingStateChanged
from tidewright.domain.instrument import Instrument
from tidewright.domain.money import from_decimal
from tidewright.domain.portfolio import Trade
from tidewright.domain.time import DAY
from tidewright.kernels.bulk import layout as at
from tidewright.kernels.warmup import warm_up
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.daily import daily_results
from tidewright.research.bulk.request import BulkRequest
from tidewright.research.results import DailyResults, Int64


@dataclass(frozen=True, slots=True, eq=False)
class EventLog:
    """What a run of the engine left behind; a `RunLog`.

    Parameters
    ----------
    instruments : tuple of Instrument
        By id: their place is their number in the rows of fills.
    initial : int
        Opening balance, money units.
    moments, equity : int64 array of shape (n_slices,)
        Time of each slice with bars, nanoseconds UTC, and equity after it, money units.
    fill_rows : int64 array of shape (n_fills, N_FILL)
        Fills in order; of the columns ``FILL_...`` those that daily results read.
    closed : tuple of Trade
        Round trips that ended.
    trade_days : int
        Different days on which one ended.
    halted : int or None
        When a limit ended trading for good, nanoseconds UTC; None where none did.
    seconds : float
        Duration of the run.
    """

    instruments: tuple[Instrument, ...]
    initial: int
    moments: Int64
    equity: Int64
    fill_rows: Int64
    closed: tuple[Trade, ...]
    trade_days: int
    halted: int | None
    seconds: float

    @property
    def round_trips(self) -> int:
        """Number of round trips that ended."""
        return len(self.closed)

    def trades(self) -> Sequence[Trade]:
        """Return the round trips."""
        return self.closed


@dataclass(frozen=True, slots=True, eq=False)
class EventPath:
    """The engine as something that runs what the loop refuses; other processes can have it.

    Parameters
    ----------
    defects : tuple of (int, DatumQuarantined)
        Rows that were kept out of the bars, and when each is reported.
    """

    defects: tuple[TimedDefect, ...] = ()

    def __call__(self, request: BulkRequest) -> DailyResults:
        """Return what a backtest earned day by day."""
        return daily_results(self.run(request), request)

    def run(self, request: BulkRequest) -> EventLog:
        """Run a backtest, one engine step per slice.

        Raises
        ------
        ConfigError
            If there is no bar, or an amount of money leaves what results are kept in.
        """
        # What a run takes decides what is asked of it: waiting for a compiler must not count.
        warm_up()
        kept = _Moments()
        feed = BarFeed(request.series, request.instruments, "the open part", self.defects)
        try:
            run = run_engine(
                feed, request.config, request.paper, request.seed, request.window, sinks=[kept]
            )
        except OverflowError as error:
            raise ConfigError(
                f"an amount of money left the 64-bit range ({error}); expected a smaller account"
            ) from error
        times, equity = run.recorder.equity_series()
        instruments = tuple(sorted(request.instruments, key=lambda one: one.id))
        return EventLog(
            instruments=instruments,
            initial=from_decimal(request.paper.initial_balance),
            moments=times,
            equity=equity,
            fill_rows=_fill_rows(run.recorder, kept, instruments),
            closed=tuple(run.recorder.trades),
            trade_days=len({(ts - 1) // DAY for ts in kept.closed}),
            halted=kept.halted,
            seconds=run.seconds,
        )


@dataclass(frozen=True, slots=True, eq=False)
class EventFamily:
    """Strategies that share one account, as a family of one that can be run on other prices.

    Parameters
    ----------
    name : str
        What was searched.
    request : BulkRequest
        The backtest; its series are those of the market that was searched.
    engine : EventPath
        What runs it.
    """

    name: str
    request: BulkRequest
    engine: EventPath

    def evaluate(self, series: tuple[BarArrays, ...]) -> DailyResults:
        """Run the strategies over bars of the same instruments."""
        return self.engine(replace(self.request, series=series))


@dataclass
class _Moments:
    """An outcome sink that keeps when things became known, which facts themselves do not say."""

    filled: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    halted: int | None = None

    def publish(self, slice_: Slice, outcome: Outcome) -> None:
        """Take note of one step."""
        for fact in outcome.facts:
            if isinstance(fact, OrderExecuted):
                self.filled.append(outcome.ts_known)
            elif isinstance(fact, TradeClosed):
                self.closed.append(outcome.ts_known)
            elif isinstance(fact, TradingStateChanged) and self.halted is None:
                self.halted = outcome.ts_known if fact.after is TradingState.HALTED else None


def _fill_rows(recorder: RunRecorder, kept: _Moments, instruments: Sequence[Instrument]) -> Int64:
    places = {one.id: place for place, one in enumerate(instruments)}
    rows = np.zeros((len(recorder.fills), at.N_FILL), np.int64)
    for row, (fill, known) in enumerate(zip(recorder.fills, kept.filled, strict=True)):
        rows[row, at.FILL_SIGN] = fill.side.sign
        rows[row, at.FILL_LOTS] = fill.lots
        rows[row, at.FILL_TICKS] = fill.ticks
        rows[row, at.FILL_FEE] = fill.fee
        rows[row, at.FILL_TIME] = fill.ts_event
        rows[row, at.FILL_INSTRUMENT] = places[fill.instrument]
        rows[row, at.FILL_KNOWN] = known
    return rows

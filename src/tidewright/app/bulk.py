"""Backtest assembly of the compiled loop: same request, same result as the event path."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

import numpy as np

from tidewright.app.backtest import BacktestRun, engine_config
from tidewright.app.collector import collector_paused
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.recorder import RunRecorder
from tidewright.app.settings import Settings
from tidewright.app.strategies import LoadedStrategy
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import TradingWindow
from tidewright.market.arrays import Int64
from tidewright.research.bulk.request import BulkRequest, Unsupported
from tidewright.research.bulk.result import BulkResult
from tidewright.research.bulk.run import run_bulk


def bulk_request(
    feed: BarFeed,
    strategies: Sequence[LoadedStrategy],
    settings: Settings,
    window: TradingWindow,
    *,
    home: str = "backtest",
) -> BulkRequest:
    """Return what the compiled loop takes, from what the event path takes."""
    settings = settings.without_pilot()
    return BulkRequest(
        engine_config(settings, strategies, feed.timeframe, home=home, keep_history=False),
        settings.paper_settings(),
        settings.seed,
        tuple(feed.instruments),
        feed.series,
        window,
        _silent(feed),
    )


def run_bulk_backtest(
    feed: BarFeed,
    strategies: Sequence[LoadedStrategy],
    settings: Settings,
    window: TradingWindow,
    *,
    home: str = "backtest",
    repeat: int = 1,
) -> BacktestRun | Unsupported:
    """Run a strategy over stored bars in the compiled loop.

    Parameters
    ----------
    feed : BarFeed
        Source of bars.
    strategies, settings, window, home
        As `run_backtest` takes them.
    repeat : int
        Runs, each from the bars on to columns, orders, fills, the list of round trips and equity;
        nothing is kept between them. Above 1 the duration is the median, after one more run that
        is not counted.

    Returns
    -------
    BacktestRun or Unsupported
        Equal to the event path's to the last unit, or why the loop does not run it.

    Raises
    ------
    ConfigError
        If the feed holds no bar.
    """
    bars = _bars_until(feed, window)
    if not bars:
        raise ConfigError(f"{feed.description}: no bar to run on; expected at least one")
    request = bulk_request(feed, strategies, settings, window, home=home)
    seconds: list[float] = []
    with collector_paused():
        while True:
            began = time.perf_counter()
            result = run_bulk(request)
            seconds.append(time.perf_counter() - began)
            if isinstance(result, Unsupported):
                return result
            if len(seconds) >= repeat + (repeat > 1):
                break
            del result
        recorder = _recorded(result)
    kept_out = sum(ts <= window.end or not window.end for ts, _ in feed.defects)
    if kept_out:
        recorder.alerts["DATUM_QUARANTINED"] = kept_out
    return BacktestRun(
        recorder,
        {one.id: one for one in feed.instruments},
        bars,
        median(seconds[-repeat:]),
        request.config.fingerprint,
        engine="bulk",
    )


def _recorded(result: BulkResult) -> RunRecorder:
    """Return a result in the form in which reports read a run."""
    recorder = RunRecorder()
    recorder.fills = result.fills()
    recorder.fill_count = len(recorder.fills)
    recorder.trades = result.trades()
    recorder.trade_count = len(recorder.trades)
    recorder.orders = result.orders_placed
    recorder.refusals, recorder.alerts = result.refusals, result.alerts
    recorder.state_changes = result.state_changes()
    recorder.take_equity(result.times, result.equity, result.slices_in_market)
    return recorder


def _bars_until(feed: BarFeed, window: TradingWindow) -> int:
    if not window.end:
        return len(feed)
    ends = (np.searchsorted(one.ts_known, window.end, side="right") for one in feed.series)
    return int(sum(ends))


def _silent(feed: BarFeed) -> Int64:
    """Return the times of slices that hold reports of bad rows and no bar."""
    times = np.unique(np.array([ts for ts, _ in feed.defects], np.int64))
    for one in feed.series:
        # Bars are in order: no need to sort them, as a search for members would.
        known = one.ts_known
        places = np.minimum(np.searchsorted(known, times), len(known) - 1)
        times = times[known[places] != times] if len(known) else times
    return times

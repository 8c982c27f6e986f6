"""Freeze a strategy, and hold what came afterwards against what its backtest led to expect."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from tidewright.app.backtest import BacktestRun, run_backtest
from tidewright.app.bulk import run_bulk_backtest
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.fingerprint import build_fingerprint
from tidewright.app.holdout import without_closed_part
from tidewright.app.settings import Settings
from tidewright.app.strategies import LoadedStrategy
from tidewright.app.trials import Scored, family_of, open_trials, record_trials
from tidewright.domain.events import TradingWindow
from tidewright.domain.instrument import AssetClass
from tidewright.research.judging.freeze import (
    ForwardResult,
    Frozen,
    daily_units,
    forward_result,
    freezes,
    latest_forward,
    part_digest,
    record_forward,
    record_freeze,
)
from tidewright.research.metrics import daily_equity
from tidewright.research.results import Float64


@dataclass(frozen=True, slots=True)
class FreezeAnswer:
    """What a freeze, or a look at one, found.

    Parameters
    ----------
    frozen : Frozen
        The freeze that holds now.
    fresh : bool
        Whether its clock began just now.
    edited : tuple of str
        Parts that differ from the freeze before, whose clock ended with this.
    forward : ForwardResult or None
        What came since; None without bars known after the freeze.
    other_build : bool
        Whether another build runs it now than froze it.
    """

    frozen: Frozen
    fresh: bool
    edited: tuple[str, ...]
    forward: ForwardResult | None
    other_build: bool = False


def frozen_parts(
    strategy: LoadedStrategy, settings: Settings, symbols: Sequence[str], timeframe: str
) -> dict[str, str]:
    """Return the digest of everything that a freeze fixes, by name.

    Parameters
    ----------
    strategy : LoadedStrategy
        The strategy.
    settings : Settings
        Limits, costs, account.
    symbols : sequence of str
        What is traded.
    timeframe : str
        Of the bars.
    """
    # Which strategies a settings file lists says nothing about this one, and a pilot's budget is
    # set only after the freeze.
    deciding = replace(settings.without_pilot(), strategies=(strategy.setup.strategy.name,))
    costs = json.dumps(asdict(settings.paper_settings()), sort_keys=True, default=str)
    return {
        "specification": part_digest(strategy.document),
        "models": part_digest(""),
        "costs": part_digest(costs),
        "settings": part_digest(deciding.decision_document()),
        "market": part_digest(" ".join((timeframe, *sorted(symbols)))),
    }


def freeze(
    strategy: LoadedStrategy, feed: BarFeed, settings: Settings, *, now: int | None = None
) -> FreezeAnswer:
    """Freeze a strategy, or look at the freeze that holds.

    An unchanged strategy keeps its clock. The forecast is made of the part of the data that is
    open to searches.

    Parameters
    ----------
    strategy : LoadedStrategy
        The strategy.
    feed : BarFeed
        Its data; bars known after a freeze are forward evidence.
    settings : Settings
        Limits, costs, account.
    now : int, optional
        Nanoseconds UTC; the clock's time by default.

    Raises
    ------
    ConfigError
        If the registry cannot be written, or the data is too short for a forecast.
    """
    now = time.time_ns() if now is None else now
    name = strategy.setup.strategy.name
    parts = frozen_parts(strategy, settings, [one.id for one in feed.instruments], feed.timeframe)
    build = build_fingerprint([])
    with open_trials() as store:
        earlier = freezes(store, name)
        if earlier and not earlier[-1].edited(parts):
            frozen = earlier[-1]
            forward = _forward(strategy, feed, settings, frozen)
            if forward is not None and forward != latest_forward(store, frozen.digest):
                record_forward(store, forward, now)
            return FreezeAnswer(frozen, False, (), forward, frozen.build != build)
    rest, _ = without_closed_part(feed)
    window = TradingWindow(0, 0)
    run = backtest_of(strategy, rest, settings, window)
    record_trials(Scored("freeze", (strategy,), settings), rest.series)
    daily = daily_units(daily_profit(run, 0))
    frozen = Frozen(name, family_of((strategy,)), parts, now, daily, build)
    with open_trials() as store:
        record_freeze(store, frozen)
    return FreezeAnswer(frozen, True, tuple(earlier[-1].edited(parts)) if earlier else (), None)


def forward_of_strategy(
    strategy: LoadedStrategy, feed: BarFeed, settings: Settings
) -> ForwardResult | None:
    """Return what a frozen and unchanged strategy earned since; None without such a freeze.

    Parameters
    ----------
    strategy, feed, settings
        As `freeze` takes them; nothing is written.
    """
    parts = frozen_parts(strategy, settings, [one.id for one in feed.instruments], feed.timeframe)
    frozen = held_freeze(strategy.setup.strategy.name)
    if frozen is None or frozen.edited(parts):
        return None
    return _forward(strategy, feed, settings, frozen)


def held_freeze(name: str) -> Frozen | None:
    """Return the freeze of a strategy that holds now, None without one."""
    found = [one for one in list_freezes() if one.name == name]
    return found[-1] if found else None


def list_freezes() -> list[Frozen]:
    """Return all freezes in order; none where there is no registry yet."""
    from tidewright.app.trials import trials_path

    if not trials_path().is_file():
        return []
    with open_trials(read_only=True) as store:
        return freezes(store)


def backtest_of(
    strategy: LoadedStrategy, feed: BarFeed, settings: Settings, window: TradingWindow
) -> BacktestRun:
    """Run one strategy in the compiled loop, or on the event path where that is needed."""
    run = run_bulk_backtest(feed, (strategy,), settings, window)
    if isinstance(run, BacktestRun):
        return run
    return run_backtest(feed, (strategy,), settings, window)


def daily_profit(run: BacktestRun, after: int) -> Float64:
    """Return net profit of each day known after a time, as shares of the initial equity."""
    times, equity = run.recorder.equity_series()
    inside = times > after
    if not inside.any():
        return np.empty(0)
    always = all(one.asset_class is AssetClass.CRYPTO for one in run.instruments.values())
    initial = float(run.recorder.first_equity)
    values = equity[inside].astype(np.float64)
    daily = daily_equity(times[inside], values, every_day=always)
    profit: Float64 = np.diff(daily, prepend=initial) / initial
    return profit


def _forward(
    strategy: LoadedStrategy, feed: BarFeed, settings: Settings, frozen: Frozen
) -> ForwardResult | None:
    """Run over the bars known after a freeze; those before it warm the columns up."""
    if feed.last_known <= frozen.ts:
        return None
    run = backtest_of(strategy, feed, settings, TradingWindow(frozen.ts + 1, 0))
    return forward_result(frozen, daily_profit(run, frozen.ts), feed.last_known)

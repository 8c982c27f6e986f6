"""Backtest assembly: a file, the engine, the paper venue in memory, and a report."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from tidewright.app.collector import collector_paused
from tidewright.app.driver import Driver
from tidewright.app.feeds.bars import until
from tidewright.app.fingerprint import build_fingerprint
from tidewright.app.recorder import RunRecorder
from tidewright.app.settings import Settings
from tidewright.app.strategies import LoadedStrategy
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import Event, InstrumentDefined, Slice, Started, TradingWindow
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.money import to_decimal
from tidewright.domain.ports import Journal, MarketFeed, OutcomeSink, VenueLog
from tidewright.engine.config import EngineConfig, StrategySetup
from tidewright.engine.core import Engine
from tidewright.exchange.paper import PaperVenue
from tidewright.exchange.paper.log import MemoryVenueLog
from tidewright.exchange.paper.settings import PaperSettings
from tidewright.storage.memory_journal import MemoryJournal

_LARGEST_BALANCE = to_decimal(2**63 - 1)


@dataclass(frozen=True, slots=True)
class BacktestRun:
    """What a backtest leaves behind.

    Parameters
    ----------
    recorder : RunRecorder
        Trades, fills, refusals, equity.
    instruments : mapping of str to Instrument
        What was traded, by id.
    bars : int
        Bars handled.
    seconds : float
        Duration of the run, from the first bar object to the last outcome, without loading.
    fingerprint : str
        Of the build that ran.
    engine : str
        ``"event"``: one engine step per slice; ``"bulk"``: the compiled loop.
    """

    recorder: RunRecorder
    instruments: Mapping[str, Instrument]
    bars: int
    seconds: float
    fingerprint: str
    engine: str = "event"


def engine_config(
    settings: Settings,
    strategies: Sequence[LoadedStrategy],
    feed_timeframe: str,
    *,
    home: str,
    keep_history: bool,
) -> EngineConfig:
    """Return the engine's configuration; the same for backtest, paper and live."""
    documents = [settings.decision_document(), *(item.document for item in strategies)]
    return EngineConfig(
        home=home,
        account=settings.account.name,
        feed_timeframe=feed_timeframe,
        strategies=tuple(narrowed(item.setup, settings.symbols) for item in strategies),
        risk=settings.risk_settings(),
        execution=settings.execution_settings(),
        fingerprint=build_fingerprint(documents),
        keep_history=keep_history,
    )


def narrowed(setup: StrategySetup, symbols: Sequence[str]) -> StrategySetup:
    """Return a strategy that trades nothing but the chosen symbols, where some were chosen."""
    if not symbols:
        return setup
    chosen = frozenset(symbols)
    return replace(setup, symbols=chosen if setup.symbols is None else chosen & setup.symbols)


def run_backtest(
    feed: MarketFeed,
    strategies: Sequence[LoadedStrategy],
    settings: Settings,
    window: TradingWindow,
    *,
    journal: Journal | None = None,
    venue_log: VenueLog | None = None,
    sinks: Sequence[OutcomeSink] = (),
    home: str = "backtest",
) -> BacktestRun:
    """Run strategies over a feed on the event path, one engine step per slice.

    Parameters
    ----------
    feed : MarketFeed
        Source of bars.
    strategies : sequence of LoadedStrategy
        What to run.
    settings : Settings
        Limits, costs, account.
    window : TradingWindow
        When entries may be decided; bars outside it warm the columns up.
    journal, venue_log
        In memory unless given.
    sinks : sequence of OutcomeSink
        Told of each step beside the recorder.
    home : str
        Home id, part of client order ids.
    """
    settings = settings.without_pilot()
    return run_engine(
        feed,
        engine_config(settings, strategies, feed.timeframe, home=home, keep_history=False),
        settings.paper_settings(),
        settings.seed,
        window,
        journal=journal,
        venue_log=venue_log,
        sinks=sinks,
    )


def run_engine(
    feed: MarketFeed,
    config: EngineConfig,
    paper: PaperSettings,
    seed: int,
    window: TradingWindow,
    *,
    journal: Journal | None = None,
    venue_log: VenueLog | None = None,
    sinks: Sequence[OutcomeSink] = (),
) -> BacktestRun:
    """Run a configured engine over a feed, as `run_backtest` does.

    Parameters
    ----------
    feed : MarketFeed
        Source of bars.
    config : EngineConfig
        Strategies, limits and identities.
    paper : PaperSettings
        Costs and the opening balance.
    seed : int
        Seed of the venue's draws.
    window, journal, venue_log, sinks
        As `run_backtest` takes them.

    Raises
    ------
    ConfigError
        If the feed holds no bar, or the opening balance is more than money is counted in.
    """
    if paper.initial_balance > _LARGEST_BALANCE:
        raise ConfigError(
            f"account.initial_balance was {paper.initial_balance}; expected at most "
            f"{_LARGEST_BALANCE}: money is counted in 64 bits"
        )
    recorder = RunRecorder()
    instruments = {instrument.id: instrument for instrument in feed.instruments}
    venue = PaperVenue(list(instruments.values()), paper, venue_log or MemoryVenueLog(), seed)
    driver = Driver(
        Engine(config), journal or MemoryJournal(), venue, [recorder, *sinks], batch=512
    )
    start: list[Event] = [Started(0, config.fingerprint), window, venue.account()]
    start += [InstrumentDefined(instruments[name]) for name in sorted(instruments)]
    bars = 0
    began = time.perf_counter()
    slices = until(iter(feed.slices(0)), window.end)
    first = next(slices, None)
    if first is None:
        raise ConfigError(f"{feed.description}: no bar to run on; expected at least one")
    driver.control(first.ts_known - 1, start)
    with collector_paused():
        for slice_ in chain((first,), slices):
            bars += _bars_of(slice_)
            driver.market(slice_)
        driver.flush(durable=False)
    seconds = time.perf_counter() - began
    return BacktestRun(recorder, instruments, bars, seconds, config.fingerprint)


def _bars_of(slice_: Slice) -> int:
    """Return how many bars a slice holds; what was kept out comes before the bars."""
    events = slice_.events
    if type(events[0]) is Bar:
        return len(events)
    return sum(type(event) is Bar for event in events)

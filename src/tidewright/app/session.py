"""Paper and live assemblies: one home, one feed, one venue, one trader, and what watches it.

A `Session` is built from a request; its `run` trades until it is told to stop.
The paper venue lives in this process, or in one of its own that survives this one.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tidewright.adapters.paper_socket import PaperSocketBroker
from tidewright.app.backtest import engine_config
from tidewright.app.driver import Driver
from tidewright.app.recorded import record_run
from tidewright.app.recovery import Recovery, set_window, take_over
from tidewright.app.settings import Settings
from tidewright.app.strategies import LoadedStrategy
from tidewright.app.trader import INBOX_NOTE, Pace, Trader
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import TradingWindow
from tidewright.domain.money import to_decimal
from tidewright.domain.ports import Broker, MarketFeed, OutcomeSink
from tidewright.domain.time import iso
from tidewright.engine.core import Engine
from tidewright.engine.state import EngineState
from tidewright.exchange.paper import PaperVenue
from tidewright.storage.home import Home
from tidewright.storage.journal import SqliteJournal
from tidewright.storage.operator import OperatorInbox
from tidewright.storage.venue_log import SqliteVenueLog

STATUS_SECONDS = 1.0
"""How often the status file is written."""

FEED_NOTE = "feed"
"""Journal note under which the identity of the home's feed is kept."""


SinkFactory = Callable[[Home, EngineState, ExitStack], Sequence[OutcomeSink]]
"""Given the home, the engine's state and what closes with the session: who is told of each step."""


def _no_sinks(_home: Home, _state: EngineState, _stack: ExitStack) -> Sequence[OutcomeSink]:
    return ()


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What to run.

    Parameters
    ----------
    home : Path
        Folder of the trader.
    feed : MarketFeed
        Source of bars.
    feed_identity : str
        Names the feed and its data; a home keeps to one.
    strategies : sequence of LoadedStrategy
        What trades.
    settings : Settings
        Limits, costs, account.
    window : TradingWindow
        When entries may be decided.
    pace : Pace
        How fast to run.
    venue_address : str
        ``HOST:PORT`` of a paper venue that runs as its own process; empty = in this process.
    sinks : SinkFactory
        Makes whoever is told of each step.
    """

    home: Path
    feed: MarketFeed
    feed_identity: str
    strategies: Sequence[LoadedStrategy]
    settings: Settings
    window: TradingWindow
    pace: Pace
    venue_address: str = ""
    sinks: SinkFactory = _no_sinks


class Session:
    """One open home and everything that runs in it; a context manager."""

    def __init__(self, request: SessionRequest) -> None:
        self._stack = ExitStack()
        try:
            self._open(request)
        except BaseException:
            self._stack.close()
            raise

    def _open(self, request: SessionRequest) -> None:
        stack = self._stack
        self.feed = request.feed
        self.home = Home.open(request.home, lambda: secrets.token_hex(16))
        stack.callback(self.home.lock().release)
        self.journal = SqliteJournal(self.home.journal)
        stack.callback(self.journal.close)
        self._check_feed(request)
        taken = int(self.journal.meta(INBOX_NOTE) or 0)
        self.inbox = OperatorInbox(self.home.operator, after=taken)
        stack.callback(self.inbox.close)
        self.instruments = {instrument.id: instrument for instrument in request.feed.instruments}
        self.broker = self._broker(request)
        stack.callback(self.broker.close)
        config = engine_config(
            request.settings,
            request.strategies,
            request.feed.timeframe,
            home=self.home.id,
            keep_history=True,
        )
        record_run(request.home, config, request.settings, request.strategies)
        self.engine = Engine(config)
        self.driver = Driver(
            self.engine,
            self.journal,
            self.broker,
            request.sinks(self.home, self.engine.state, stack),
            batch=1 if request.pace.speed > 0 else 512,
        )
        first = next(iter(request.feed.slices(0)), None)
        if first is None:
            raise ConfigError(f"{request.feed.description}: no bar; expected at least one")
        self.recovery: Recovery = take_over(
            self.driver,
            self.journal,
            list(self.instruments.values()),
            first.ts_known - 1,
            time.time_ns(),
        )
        set_window(self.driver, request.window)
        self.driver.flush(durable=True)
        self.trader = Trader(
            self.driver,
            request.feed,
            self.journal,
            self.inbox,
            request.pace,
            self.handled_until(),
        )
        self._next_status = 0.0
        self.trader.on_attend = self._write_status

    def _write_status(self) -> None:
        now = time.monotonic()
        if now < self._next_status:
            return
        self._next_status = now + STATUS_SECONDS
        state = self.engine.state
        self.home.write_status(
            {
                "process": os.getpid(),
                "trading_state": state.gate.trading_state.value,
                "equity": format(to_decimal(state.equity()), "f"),
                "market_time": iso(state.ts_known),
                "sequence": state.sequence,
                "positions": len(state.portfolio.holdings),
                "working_orders": len(state.orders.working()),
                "feed_live": state.feed_live,
            }
        )

    def handled_until(self) -> int:
        """Return the time up to which every slice was handled, nanoseconds UTC."""
        return self.engine.state.ts_known

    def _check_feed(self, request: SessionRequest) -> None:
        known = self.journal.meta(FEED_NOTE)
        if known is None:
            self.journal.set_meta(FEED_NOTE, request.feed_identity)
        elif known != request.feed_identity:
            raise ConfigError(
                f"{request.home} holds a run of feed {known!r}; it was asked to run "
                f"{request.feed_identity!r}. Choose another folder with --home."
            )

    def _broker(self, request: SessionRequest) -> Broker:
        if request.venue_address:
            host, _, port = request.venue_address.rpartition(":")
            if host not in {"127.0.0.1", "localhost"} or not port.isdigit():
                raise ConfigError(
                    f"venue address was {request.venue_address!r}; expected 127.0.0.1:PORT"
                )
            return PaperSocketBroker("127.0.0.1", int(port))
        log = SqliteVenueLog(self.home.venue)
        self._stack.callback(log.close)
        return PaperVenue(
            list(self.instruments.values()),
            request.settings.paper_settings(),
            log,
            request.settings.seed,
        )

    def run(self) -> None:
        """Trade until the feed ends or `stop` is called; the status file tells how it ended."""
        self.trader.run()
        self._next_status = 0.0
        self._write_status()

    def stop(self) -> None:
        """Ask for an orderly end; may be called from any thread."""
        self.trader.stop()

    def close(self) -> None:
        """Release the home and everything opened in it."""
        self._stack.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

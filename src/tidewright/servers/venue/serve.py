"""The whole venue: exchange, clock, REST, WebSockets and faults behind one port."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tidewright.domain.time import HOUR, MILLISECOND
from tidewright.exchange.agents.population import Population
from tidewright.exchange.faults import FaultScript
from tidewright.exchange.spot.accounts import SpotAccount
from tidewright.exchange.spot.defaults import default_exchange_filters, default_listings
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.exchange.spot.listing import Listing
from tidewright.servers.venue.accounts import AccountTerms, seeded_account
from tidewright.servers.venue.clock import Clock, RunningClock
from tidewright.servers.venue.faults.application import FaultyApplication
from tidewright.servers.venue.faults.effects import ShiftedClock
from tidewright.servers.venue.ledger_file import LedgerFile
from tidewright.servers.venue.limits import LimitSettings
from tidewright.servers.venue.rest.application import RestApplication
from tidewright.servers.venue.rest.routes import ROUTES
from tidewright.servers.venue.signing import KeyRing
from tidewright.servers.venue.streams.doors import Streams
from tidewright.servers.venue.venue import Venue
from tidewright.servers.venue.wire import Application, Listener, SocketSettings

USUAL_PORT = 8089


@dataclass(frozen=True, slots=True)
class VenueSettings:
    """What a venue is and where it is reached.

    Parameters
    ----------
    accounts : tuple of AccountTerms
        Who trades; without any there is one that follows from the seed.
    listings : tuple of Listing
        What is traded.
    population : Population or None
        The traders who make the market; None leaves the books to the accounts.
    limits : LimitSettings
        How much may be asked.
    faults : FaultScript or None
        What shall go wrong.
    ledger : Path or None
        File that every order, fill and end is written to.
    host, port : str and int
        Where it listens; port 0 takes a free one.
    public : bool
        Whether other machines may reach it.
    seed : int
        Of traders, ids and faults.
    speed : float
        Seconds of venue time in one real second. At another speed than 1 the timestamps of
        requests may follow the venue's clock or the machine's.
    start : int or None
        The venue's time when it opens, nanoseconds UTC; the machine's by default.
    history : int
        How long its traders acted before, nanoseconds.
    beat : int
        How often the traders act and the market is told of while nobody asks, nanoseconds.
    sockets : SocketSettings
        How long WebSockets live.
    """

    accounts: tuple[AccountTerms, ...] = ()
    listings: tuple[Listing, ...] = ()
    population: Population | None = field(default_factory=Population)
    limits: LimitSettings = field(default_factory=LimitSettings)
    faults: FaultScript | None = None
    ledger: Path | None = None
    host: str = "127.0.0.1"
    port: int = USUAL_PORT
    public: bool = False
    seed: int = 7
    speed: float = 1.0
    start: int | None = None
    history: int = HOUR
    beat: int = 10 * MILLISECOND
    sockets: SocketSettings = field(default_factory=SocketSettings)


class VenueServer:
    """A venue that serves until it is told to stop.

    Parameters
    ----------
    settings : VenueSettings
        What it is.

    Raises
    ------
    ConfigError
        If a setting cannot be used.

    Attributes
    ----------
    venue : Venue
        What requests are answered from.
    exchange : SpotExchange
        The market, with its ledger.
    """

    def __init__(self, settings: VenueSettings) -> None:
        self._settings = settings
        clock = RunningClock(settings.speed, settings.start)
        told = ShiftedClock(clock)
        listings = settings.listings or default_listings()
        terms = settings.accounts or (seeded_account(settings.seed, assets_of(listings)).terms,)
        self.exchange = _open_exchange(settings, listings, terms, clock.now())
        self._ledger = _open_ledger(settings, self.exchange)
        keys = KeyRing(one.key(number) for number, one in enumerate(terms))
        self.venue = Venue(
            self.exchange,
            clock,
            keys,
            settings.limits,
            told=told,
            other_clocks=() if settings.speed == 1.0 else (lambda: time.time_ns() + told.shift,),
            record=self._ledger.record if self._ledger else _nothing,
        )
        self._streams = Streams(self.venue, ROUTES, settings.beat)
        own = RestApplication(self.venue, self._streams.open_socket)
        self._faults: FaultyApplication | None = None
        application: Application = own
        if settings.faults is not None:
            self._faults = FaultyApplication(
                own,
                settings.faults,
                settings.seed,
                clock=clock,
                told=told,
                market=self.exchange,
                name_of=_names({one.api_key: one.name for one in terms}),
            )
            application = self._faults
            if self._ledger is not None:
                self._ledger.follow(self._faults.director.since)
        self._listener = _listener(application, clock, settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None

    @property
    def faults(self) -> Mapping[str, int]:
        """How often each rule of the script has fired."""
        return self._faults.director.counts if self._faults is not None else {}

    async def start(self) -> int:
        """Listen and let the market live; return the port."""
        port = await self._listener.start()
        self._streams.pump.start()
        if self._faults is not None:
            self._faults.start(self._listener.drop_all)
        return port

    async def close(self) -> None:
        """End every connection, and write the ledger to its end."""
        self._streams.pump.stop()
        if self._faults is not None:
            self._faults.stop()
        await self._listener.stop()
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def run(self, ready: Callable[[int], None] | None = None) -> None:
        """Serve until `stop` or, in the main thread, SIGTERM or SIGINT.

        Parameters
        ----------
        ready : callable
            Told the port once connections are taken.
        """
        asyncio.run(self._run(ready))

    def stop(self) -> None:
        """End the server; safe from any thread, before and after it runs."""
        loop, stopped = self._loop, self._stopped
        if loop is not None and stopped is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(stopped.set)

    async def _run(self, ready: Callable[[int], None] | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, self._stopped.set)
        port = await self.start()
        try:
            if ready is not None:
                ready(port)
            await self._stopped.wait()
        finally:
            await self.close()


def assets_of(listings: Sequence[Listing]) -> tuple[str, ...]:
    """Return what listings trade, each asset once; the usual ones without any."""
    found = listings or default_listings()
    return tuple(dict.fromkeys(name for one in found for name in (one.base, one.quote)))


def _open_exchange(
    settings: VenueSettings,
    listings: tuple[Listing, ...],
    terms: tuple[AccountTerms, ...],
    now: int,
) -> SpotExchange:
    history = settings.history if settings.population is not None else 0
    exchange = SpotExchange(
        listings,
        [SpotAccount(one.name, one.balances, one.maker_ppm, one.taker_ppm) for one in terms],
        seed=settings.seed,
        now=now - history,
        population=settings.population,
        filters=default_exchange_filters(),
    )
    exchange.advance(now)
    return exchange


def _open_ledger(settings: VenueSettings, exchange: SpotExchange) -> LedgerFile | None:
    if settings.ledger is None:
        return None
    names = [account.name for account in exchange.accounts]
    return LedgerFile(settings.ledger, exchange.ledger, names)


def _listener(application: Application, clock: Clock, settings: VenueSettings) -> Listener:
    return Listener(
        application,
        clock,
        settings.sockets,
        host=settings.host,
        port=settings.port,
        public=settings.public,
    )


def _names(names: dict[str, str]) -> Callable[[str], str]:
    return lambda key: names.get(key, "")


def _nothing() -> None:
    """Stand in for a ledger that nobody keeps."""


def without_limits(limits: LimitSettings) -> LimitSettings:
    """Return limits that nobody reaches, in the same windows."""
    most = 10**12
    return replace(
        limits,
        weight=replace(limits.weight, most=most),
        raw=replace(limits.raw, most=most),
        orders=tuple(replace(one, most=most) for one in limits.orders),
    )

"""A market that lives: traders in memory fill six order books, and the feed hands out its minutes.

It begins at a fixed date, and a seed says everything about it. Each instrument has a book and a
population of its own; what moves the hidden values of all of them is in part the same. Bars are
made of the trades of each minute. Whoever wants to know how a minute came about, such as the page,
gets it from a second look at the same market, which follows the time that is shown.

What is made once is made again in the same way, so a feed resumes anywhere: from the state saved
last before that moment, or from the start. `docs/decisions/0009-living-market.md` says why.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from itertools import repeat
from pathlib import Path

import numpy as np

from tidewright.app.feeds.agent_book import BookFollower, minute_of, rows_until
from tidewright.app.feeds.agent_instruments import AGENT_INSTRUMENTS, AgentInstrument
from tidewright.app.feeds.agent_states import StateCache
from tidewright.app.feeds.picture import BookPicture
from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.domain.events import Slice
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.time import HOUR, MINUTE, parse_iso
from tidewright.exchange.agents.market import AgentMarket
from tidewright.kernels.jit import package_hash
from tidewright.kernels.matching.layout import Int64
from tidewright.market.instruments import InstrumentTable, load_table

HISTORY_START = parse_iso("2024-01-01T00:00:00Z")
"""Open time of the first bar of every living market."""

TRADING_START = HISTORY_START + 6 * HOUR
"""First moment at which to trade; the bars before it warm columns up."""

CHUNK = 10
"""Minutes that are made at a time; the first ones after a start wait for no more."""

STATE_MINUTES = 180
"""Minutes from one saved state to the next; a restart makes at most so many again."""

KEPT_MINUTES = 4 * STATE_MINUTES
"""States of the last so many minutes are kept: a trader is hours behind what was made for it."""


class AgentFeed:
    """Bars of one minute of the living market, without end.

    Parameters
    ----------
    seed : int
        Which market, in [0, 2**63).
    table : InstrumentTable or None
        Where tick and lot come from; the shipped instruments when None.
    end : int
        The last slice has ``ts_known`` at most this, nanoseconds UTC; 0 never ends.
    cache : Path or None
        Folder for saved states; None keeps them in memory alone.

    Raises
    ------
    ConfigError
        If the seed is out of range, or an instrument is not stated.
    """

    def __init__(
        self,
        seed: int,
        table: InstrumentTable | None = None,
        end: int = 0,
        cache: Path | None = None,
    ) -> None:
        if not 0 <= seed < 2**63:
            raise ConfigError(f"seed was {seed}; expected a whole number from 0 to 2**63 - 1")
        table = table or load_table()
        self.seed = seed
        self.timeframe = "1m"
        self.history_start = HISTORY_START
        self.trading_start = TRADING_START
        self._listed = {one.id: one for one in AGENT_INSTRUMENTS}
        self.instruments: Sequence[Instrument] = [
            one.instrument(table) for one in AGENT_INSTRUMENTS
        ]
        self.description = (
            f"market of simulated traders, seed {seed}: {len(self._listed)} order books, 1m"
        )
        self._end = end
        self._folder = cache
        self._idle: list[list[AgentMarket]] = []
        self._origin: list[bytes] = []
        self._cache: StateCache | None = None
        self._states: dict[int, list[bytes]] = {}
        self._followers: dict[str, BookFollower] = {}

    def slices(self, after: int) -> Iterator[Slice]:
        """Yield slices with ``ts_known`` above ``after``, in time order, without end."""
        first = max(0, (after - HISTORY_START) // MINUTE)
        markets = self._take_markets()
        try:
            with ThreadPoolExecutor(min(len(markets), os.cpu_count() or 1), "market") as pool:
                minute = self._go_back(markets, first)
                while True:
                    if minute <= first < minute + CHUNK:
                        # Where the page begins to look, so that it need not go back further.
                        self._remember(minute, list(pool.map(AgentMarket.save, markets)))
                    begin, minute = minute, minute + CHUNK - minute % CHUNK
                    made = pool.map(_make_minutes, markets, repeat(begin), repeat(minute))
                    tables = np.stack(list(made), axis=1)
                    if minute % STATE_MINUTES == 0:
                        self._keep(minute, list(pool.map(AgentMarket.save, markets)))
                    for number in range(max(first, begin), minute):
                        slice_ = self._slice(number, tables[number - begin])
                        if self._end and slice_.ts_known > self._end:
                            return
                        yield slice_
        finally:
            self._idle.append(markets)

    def forming(self, instrument: str, ts_event: int, fraction: float) -> Bar:
        """Return a bar as it looks when a part of its minute has passed; for display only.

        Parameters
        ----------
        instrument : str
            Instrument id.
        ts_event : int
            Open time of the bar.
        fraction : float
            Passed part of the minute, in [0, 1]; at 1 it is the finished bar.
        """
        follower = self._follow(instrument, ts_event, fraction)
        values = follower.minute((ts_event - HISTORY_START) // MINUTE)
        listed = self._listed[instrument]
        return _bar(listed, ts_event, values.tolist())

    def book(self, instrument: str, ts_event: int, fraction: float) -> BookPicture:
        """Return the book and the last trades as they were within a minute; see `forming`."""
        return self._follow(instrument, ts_event, fraction).picture()

    def _follow(self, instrument: str, ts_event: int, fraction: float) -> BookFollower:
        if instrument not in self._listed or ts_event < HISTORY_START:
            raise ConfigError(
                f"bar was of {instrument} at {ts_event}; expected one of "
                f"{', '.join(self._listed)} from {HISTORY_START} on"
            )
        if not self._origin:
            self._idle.append(self._take_markets())
        number = list(self._listed).index(instrument)
        follower = self._followers.get(instrument)
        if follower is None:
            listed = self._listed[instrument]
            listing = listed.listing(self.instruments[number])
            follower = BookFollower(listing, listed.market(self.seed), HISTORY_START)
            self._followers[instrument] = follower
        passed = int(min(max(fraction, 0.0), 1.0) * MINUTE)
        moment = ts_event - HISTORY_START + passed
        # The minute is followed from its beginning, so no state within it will do.
        begun = (ts_event - HISTORY_START) // MINUTE
        minute = max((one for one in self._states if one <= begun), default=0)
        states = self._states.get(minute, self._origin)
        follower.move(moment, minute * MINUTE, states[number])
        return follower

    def _take_markets(self) -> list[AgentMarket]:
        if self._idle:
            return self._idle.pop()
        markets = [one.market(self.seed) for one in self._listed.values()]
        if not self._origin:
            self._origin = [market.save() for market in markets]
            if self._folder is not None:
                self._cache = StateCache(self._folder, self._key(), KEPT_MINUTES)
        return markets

    def _key(self) -> str:
        """Name everything that the market follows from: its first state and the compiled code."""
        digest = blake2b(package_hash().encode(), digest_size=12)
        for listed, state in zip(AGENT_INSTRUMENTS, self._origin, strict=True):
            digest.update(f"{listed}".encode() + state)
        return digest.hexdigest()

    def _go_back(self, markets: Sequence[AgentMarket], minute: int) -> int:
        """Put markets where a state was saved, at most at a minute; return at which one."""
        for saved, states in self._saved(minute):
            try:
                for market, state in zip(markets, states, strict=True):
                    market.restore(state)
            except (DataIntegrityError, ValueError):
                continue
            self._remember(saved, states)
            return saved
        raise DataIntegrityError("the market's first state was damaged in memory")

    def _saved(self, minute: int) -> Iterator[tuple[int, list[bytes]]]:
        known = self._states
        here = max((one for one in known if one <= minute), default=0)
        if self._cache is not None:
            for saved, states in self._cache.before(minute):
                if saved > here:
                    yield saved, states
        if here:
            yield here, known[here]
        yield 0, self._origin

    def _keep(self, minute: int, states: list[bytes]) -> None:
        self._remember(minute, states)
        if self._cache is not None:
            self._cache.save(minute, states)

    def _remember(self, minute: int, states: list[bytes]) -> None:
        # The page asks while the feed reads ahead in another thread: replaced, never changed.
        near = {m: kept for m, kept in self._states.items() if 0 <= minute - m <= KEPT_MINUTES}
        self._states = {**near, minute: states}

    def _slice(self, minute: int, table: Int64) -> Slice:
        ts_event = HISTORY_START + minute * MINUTE
        rows = zip(self._listed.values(), table.tolist(), strict=True)
        bars = tuple(_bar(listed, ts_event, values) for listed, values in rows)
        return Slice(ts_event + MINUTE, bars)


def _bar(listed: AgentInstrument, ts_event: int, values: Sequence[int]) -> Bar:
    opened, high, low, close = (value * listed.tick for value in values[:4])
    ts_known = ts_event + MINUTE
    return Bar(listed.id, "1m", ts_event, ts_known, opened, high, low, close, values[4])


def _make_minutes(market: AgentMarket, begin: int, end: int) -> Int64:
    """Let a market live from one minute to another; return its minutes, shape (n, 5)."""
    return np.stack(
        [minute_of(market, rows_until(market, (one + 1) * MINUTE)) for one in range(begin, end)]
    )

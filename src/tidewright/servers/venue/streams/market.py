"""Who listens to which market stream, and what they are told.

An event is found once, written once for each unit of time and each wrapping that its listeners
want, and handed as the same bytes to all of them. Messages of one moment leave in the order of
`Channel`, then of the symbols, then of the names.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol

import orjson

from tidewright.domain.time import HOUR
from tidewright.exchange.spot.market_data import Ticker
from tidewright.exchange.spot.tape import Tape
from tidewright.servers.venue.streams import market_events as write
from tidewright.servers.venue.streams.market_events import Event
from tidewright.servers.venue.streams.names import AT_ONCE, WINDOWS, Channel, Stream, parse_stream
from tidewright.servers.venue.writers import MILLISECONDS

AVERAGE_MINUTES = 5
"""Length of the average price that is told."""

EASTERN = 8 * HOUR
"""How far the other time zone of candles is ahead of UTC."""

Writer = Callable[[int], Event | list[Event]]
"""Writes one message in a unit of time."""

_MOST_CANDLES = 1000
_COMPARING = frozenset({Channel.BEST, Channel.CHANGES, Channel.ALL_MINI, Channel.ALL_WINDOWS})
"""Channels that tell only what differs from what they told before."""
_ORDER = {channel: place for place, channel in enumerate(Channel)}


class Listener(Protocol):
    """One connection, as the streams see it."""

    @property
    def combined(self) -> bool:
        """Whether it wants events wrapped with the name of their stream."""

    @property
    def unit(self) -> int:
        """Nanoseconds in its unit of time."""

    def send(self, text: bytes) -> None:
        """Send one message."""


class Feed:
    """One stream that somebody listens to.

    Attributes
    ----------
    listeners : dict of Listener
        Who, oldest first.
    seen : int
        Where the listeners are: the last trade's id, the last update's, or a candle's beginning.
    told : dict of str to Event
        The last event of each symbol, without its times, where only changes are told.
    fresh : bool
        Whether somebody came since the last message.
    """

    __slots__ = ("fresh", "listeners", "place", "seen", "stream", "told")

    def __init__(self, stream: Stream, place: tuple[int, int, str]) -> None:
        self.stream = stream
        self.place = place
        self.listeners: dict[Listener, None] = {}
        self.seen = -1
        self.told: dict[str, Event] = {}
        self.fresh = True


class MarketStreams:
    """Tells everybody who listens what happens on the markets.

    Parameters
    ----------
    tape : Tape
        What happens.
    symbols : sequence of str
        What is traded, in the order in which symbols are told of.

    Attributes
    ----------
    told : int
        How many events were told so far, each to however many listened.
    """

    def __init__(self, tape: Tape, symbols: Sequence[str]) -> None:
        self._tape = tape
        self._symbols = {symbol: place for place, symbol in enumerate(symbols)}
        self._feeds: dict[str, Feed] = {}
        self.told = 0
        self._at_once: list[Feed] = []
        self._timed: list[Feed] = []
        self._news: dict[Channel, Callable[[Feed, int], Iterator[Writer]]] = {
            Channel.TRADE: self._trades,
            Channel.AGGREGATE_TRADE: self._aggregate_trades,
            Channel.BEST: self._best,
            Channel.CHANGES: self._changes,
            Channel.TOP: self._top,
            Channel.CANDLE: self._candle,
            Channel.MINI: self._mini,
            Channel.DAY: self._day,
            Channel.WINDOW: self._window,
            Channel.AVERAGE: self._average,
            Channel.ALL_MINI: self._all_mini,
            Channel.ALL_WINDOWS: self._all_windows,
        }

    @property
    def feeds(self) -> int:
        """How many streams somebody listens to."""
        return len(self._feeds)

    def listen(self, name: str, listener: Listener, now: int) -> None:
        """Tell a connection of a stream from now on; without effect when it stands for nothing."""
        feed = self._feeds.get(name) or self._open(name, now)
        if feed is not None:
            feed.listeners[listener] = None
            feed.fresh = True

    def leave(self, name: str, listener: Listener) -> None:
        """Tell a connection no more of a stream."""
        feed = self._feeds.get(name)
        if feed is None:
            return
        feed.listeners.pop(listener, None)
        if not feed.listeners:
            del self._feeds[name]
            self._kind(feed.stream).remove(feed)
            if feed.stream.channel is Channel.CHANGES:
                self._tape.forget_reader(feed.stream.symbol, name)

    def tell_at_once(self, now: int) -> None:
        """Tell of trades and best prices since the last call."""
        for feed in tuple(self._at_once):
            self._tell(feed, now)

    def tell_timed(self, since: int, now: int) -> None:
        """Tell the streams that have a beat after one moment and not after another.

        Beats are whole multiples of a stream's period; of several that were missed only one is
        made up for, with what is true now.
        """
        for feed in tuple(self._timed):
            period = feed.stream.period
            if now // period > since // period:
                self._tell(feed, now)

    def _open(self, name: str, now: int) -> Feed | None:
        stream = parse_stream(name)
        if stream is None or (stream.symbol and stream.symbol not in self._symbols):
            return None
        place = (_ORDER[stream.channel], self._symbols.get(stream.symbol, 0), name)
        feed = self._feeds[name] = Feed(stream, place)
        insort(self._kind(stream), feed, key=lambda one: one.place)
        self._begin(feed, now)
        return feed

    def _begin(self, feed: Feed, now: int) -> None:
        """Note where the markets are: what was before the first listener is not told."""
        symbol, channel = feed.stream.symbol, feed.stream.channel
        if channel is Channel.TRADE:
            feed.seen = max((one.id for one in self._tape.trades(symbol, limit=1)), default=0)
        elif channel is Channel.AGGREGATE_TRADE:
            newest = self._tape.aggregate_trades(symbol, limit=1)
            feed.seen = max((one.id for one in newest), default=0)
        elif channel in _COMPARING:
            for _ in self._news[channel](feed, now):
                """Only what the feed remembers of it counts."""

    def _kind(self, stream: Stream) -> list[Feed]:
        return self._at_once if stream.channel in AT_ONCE else self._timed

    def _tell(self, feed: Feed, now: int) -> None:
        for writer in self._news[feed.stream.channel](feed, now):
            self.told += 1
            texts: dict[tuple[int, bool], bytes] = {}
            for listener in tuple(feed.listeners):
                wanted = (listener.unit, listener.combined)
                text = texts.get(wanted)
                if text is None:
                    text = texts[wanted] = _text(feed.stream.name, writer, *wanted)
                listener.send(text)
        feed.fresh = False

    def _trades(self, feed: Feed, now: int) -> Iterator[Writer]:
        for one in self._tape.take_trades(feed.stream.symbol, feed.seen):
            feed.seen = one.id
            yield partial(write.trade, one, now)

    def _aggregate_trades(self, feed: Feed, now: int) -> Iterator[Writer]:
        for one in self._tape.take_aggregate_trades(feed.stream.symbol, feed.seen):
            feed.seen = one.id
            yield partial(write.aggregate_trade, one, now)

    def _best(self, feed: Feed, now: int) -> Iterator[Writer]:
        symbol = feed.stream.symbol
        prices = self._tape.best(symbol)
        event = write.best(symbol, prices)
        if _changed(feed, symbol, event, ("u",)):
            yield lambda unit: event

    def _changes(self, feed: Feed, now: int) -> Iterator[Writer]:
        depth = self._tape.depth_change(feed.stream.symbol, feed.stream.name)
        if depth is not None:
            yield partial(write.change, depth, now)

    def _top(self, feed: Feed, now: int) -> Iterator[Writer]:
        depth = self._tape.depth(feed.stream.symbol, feed.stream.levels)
        if feed.fresh or depth.last_update != feed.seen:
            feed.seen = depth.last_update
            yield lambda unit: write.top(depth)

    def _candle(self, feed: Feed, now: int) -> Iterator[Writer]:
        stream = feed.stream
        zone = EASTERN if stream.eastern else 0
        since = None if feed.seen < 0 else feed.seen
        limit = 1 if since is None else _MOST_CANDLES
        found = self._tape.candles(stream.symbol, stream.interval, since, None, limit, zone=zone)
        for one in found[:-1]:
            yield partial(write.candle, stream.symbol, stream.interval, one, now, done=True)
        for one in found[-1:]:
            # One that only just began is told of on the next beat, unless there is something in it.
            if len(found) == 1 or one.trades:
                yield partial(write.candle, stream.symbol, stream.interval, one, now, done=False)
            feed.seen = one.opened

    def _mini(self, feed: Feed, now: int) -> Iterator[Writer]:
        yield partial(write.mini, self._tape.day(feed.stream.symbol, now), now)

    def _day(self, feed: Feed, now: int) -> Iterator[Writer]:
        yield partial(write.day, self._tape.day(feed.stream.symbol, now), now)

    def _window(self, feed: Feed, now: int) -> Iterator[Writer]:
        interval = feed.stream.interval
        ticker = self._tape.window(feed.stream.symbol, now, WINDOWS[interval])
        yield partial(write.window, ticker, interval, now)

    def _average(self, feed: Feed, now: int) -> Iterator[Writer]:
        symbol = feed.stream.symbol
        price = self._tape.average(symbol, AVERAGE_MINUTES, now)
        last = self._tape.last(symbol)
        yield partial(write.average, symbol, AVERAGE_MINUTES, price, last.time if last else 0, now)

    def _all_mini(self, feed: Feed, now: int) -> Iterator[Writer]:
        tickers = (self._tape.day(symbol, now) for symbol in self._symbols)
        return _all(feed, tickers, lambda one, unit: write.mini(one, now, unit))

    def _all_windows(self, feed: Feed, now: int) -> Iterator[Writer]:
        interval = feed.stream.interval
        tickers = (self._tape.window(symbol, now, WINDOWS[interval]) for symbol in self._symbols)
        return _all(feed, tickers, lambda one, unit: write.window(one, interval, now, unit))


def _all(
    feed: Feed, tickers: Iterable[Ticker], writer: Callable[[Ticker, int], Event]
) -> Iterator[Writer]:
    """Yield one message of those tickers that changed in more than their times."""
    changed = [
        one
        for one in tickers
        if _changed(feed, one.symbol, writer(one, MILLISECONDS), ("E", "O", "C"))
    ]
    if changed:
        yield lambda unit: [writer(one, unit) for one in changed]


def _changed(feed: Feed, symbol: str, event: Event, apart_from: Sequence[str]) -> bool:
    """Say whether a symbol's event differs from the last one, and remember it."""
    kept = {name: value for name, value in event.items() if name not in apart_from}
    changed = feed.told.get(symbol) != kept
    feed.told[symbol] = kept
    return changed


def _text(name: str, writer: Writer, unit: int, combined: bool) -> bytes:
    event = orjson.dumps(writer(unit))
    return b'{"stream":"%b","data":%b}' % (name.encode(), event) if combined else event

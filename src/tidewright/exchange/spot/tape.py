"""Market data of a spot exchange: depth, trades, candles and tickers of every symbol.

The exchange hands over the rows of its books' logs and says what time it is; everything else is
made when somebody asks. Memory is bounded: the newest trades and candles are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidewright.domain.time import DAY, MINUTE, SECOND
from tidewright.exchange.spot.candles import CandleStore, interval
from tidewright.exchange.spot.depth import DepthView
from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.market_data import AggregateTrade, BestPrices, Candle, Ticker
from tidewright.exchange.spot.roll import CHUNK
from tidewright.exchange.spot.trades import TradeStore
from tidewright.exchange.spot.values import Depth, PublicTrade, Reason, Refusal
from tidewright.kernels.matching.layout import Int64
from tidewright.kernels.tape import trades as at


@dataclass(frozen=True, slots=True)
class Keep:
    """How much a tape remembers of each symbol; candles count where something was traded.

    Parameters
    ----------
    trades : int
        Trades, and aggregate trades.
    seconds, minutes, hours : int
        Candles of each length. Tickers of a day need a day of seconds.
    """

    trades: int = 100_000
    seconds: int = 100_000
    minutes: int = 600_000
    hours: int = 100_000


class _Market:
    """One symbol's part of a tape."""

    def __init__(self, listing: Listing, book: Int64, keep: Keep) -> None:
        self.listing = listing
        self.depth = DepthView(listing, book)
        self.trades = TradeStore(listing, keep.trades)
        self.candles = CandleStore(listing, keep.seconds, keep.minutes, keep.hours)


class Tape:
    """Market data of some symbols.

    Every method raises `Refusal` for a symbol that is not listed.

    Parameters
    ----------
    listings : sequence of Listing
        What is traded.
    books : sequence of int64 arrays
        The book of each, as the compiled steps change it.
    epoch : int
        Added to the times in the logs, nanoseconds.
    keep : Keep
        How much is remembered.
    """

    def __init__(
        self,
        listings: Sequence[Listing],
        books: Sequence[Int64],
        *,
        epoch: int = 0,
        keep: Keep | None = None,
    ) -> None:
        keep = keep or Keep()
        self.epoch = epoch
        self.now = epoch
        self._markets = {
            listing.symbol: _Market(listing, book, keep)
            for listing, book in zip(listings, books, strict=True)
        }

    # what the exchange tells

    def add(self, symbol: str, log: Int64) -> None:
        """Take in rows of a book's log, in order.

        Parameters
        ----------
        symbol : str
            Whose book.
        log : int64 array of shape (n, N_LOG)
            Rows that were not handed over before, those of one message together; only trades are
            looked at.
        """
        market = self._market(symbol)
        for begin in range(0, len(log), CHUNK):
            trades = market.trades.add(log[begin : begin + CHUNK], self.epoch)
            market.candles.add(trades)
            if len(trades):
                self.move(int(trades[-1, at.TIME]))

    def move(self, now: int) -> None:
        """Say what time it is; it never goes back."""
        self.now = max(self.now, now)

    # what everybody sees

    def depth(self, symbol: str, limit: int) -> Depth:
        """Return the best levels of each side, at most as many as a limit."""
        return self._market(symbol).depth.snapshot(limit, self.now)

    def depth_change(self, symbol: str, reader: str) -> Depth | None:
        """Return the levels that changed since a reader's last change.

        A client that has the book of one moment and applies every change with a later
        ``last_update`` has the true book. A reader is whoever its changes are sent to, such as a
        stream with one speed; its first look only begins, and gives None.
        """
        return self._market(symbol).depth.change(reader, self.now)

    def forget_reader(self, symbol: str, reader: str) -> None:
        """Remember no more what a reader saw."""
        self._market(symbol).depth.forget(reader)

    def best(self, symbol: str) -> BestPrices:
        """Return the best level of each side and the update id of the book."""
        return self._market(symbol).depth.best()

    def last(self, symbol: str) -> PublicTrade | None:
        """Return the last trade."""
        return next(iter(self._market(symbol).trades.trades(None, 1)), None)

    def last_price(self, symbol: str) -> int:
        """Return the price of the last trade; the listing's start price before the first."""
        market = self._market(symbol)
        return market.trades.last[1] * market.listing.tick or market.listing.start_price

    def trades(
        self, symbol: str, *, from_id: int | None = None, limit: int = 500
    ) -> tuple[PublicTrade, ...]:
        """Return kept trades from an id on, or the newest ones."""
        return self._market(symbol).trades.trades(from_id, limit)

    def take_trades(self, symbol: str, after_id: int) -> tuple[PublicTrade, ...]:
        """Return every kept trade with an id above one."""
        return self._market(symbol).trades.trades(after_id + 1, None)

    def trade_rows(self, symbol: str, after_id: int) -> Int64:
        """Return every kept trade with an id above one, in ticks and lots.

        Returns
        -------
        int64 array of shape (n, N_TRADE)
            Columns as in `kernels.tape.trades`; a view until the next rows come.
        """
        return self._market(symbol).trades.rows(after_id)

    def aggregate_trades(
        self,
        symbol: str,
        *,
        from_id: int | None = None,
        start: int | None = None,
        end: int | None = None,
        limit: int = 500,
    ) -> tuple[AggregateTrade, ...]:
        """Return kept aggregate trades from an id or a time on, or the newest, until a time."""
        return self._market(symbol).trades.aggregates(from_id, start, end, limit)

    def take_aggregate_trades(self, symbol: str, after_id: int) -> tuple[AggregateTrade, ...]:
        """Return every kept aggregate trade with an id above one."""
        return self._market(symbol).trades.aggregates(after_id + 1, None, None, None)

    def candles(
        self,
        symbol: str,
        interval_name: str,
        start: int | None = None,
        end: int | None = None,
        limit: int = 500,
        *,
        zone: int = 0,
    ) -> tuple[Candle, ...]:
        """Return candles that open from ``start`` to ``end``, oldest first.

        Without a start, the newest ones. The forming candle is the last. There are none before
        the first trade; where nothing was traded, a candle repeats the close before it.

        Parameters
        ----------
        symbol, interval_name : str
            Whose, and one of `candles.INTERVALS`. Weeks begin on Mondays, candles of three days
            are counted from 1970.
        start, end : int or None
            Bounds of the open time, nanoseconds UTC.
        limit : int
            How many at most.
        zone : int
            Nanoseconds that the clock by which days begin is ahead of UTC.

        Raises
        ------
        ConfigError
            If there is no such interval.
        """
        span = interval(interval_name, zone)
        return self._market(symbol).candles.candles(span, start, end, limit, self.now)

    def day(self, symbol: str, now: int) -> Ticker:
        """Return how the market moved in 24 hours.

        The window's first, broken second is left out.
        """
        return self._ticker(symbol, now - DAY, now)

    def window(self, symbol: str, now: int, length: int) -> Ticker:
        """Return how the market moved in a window that begins with a whole minute.

        It begins with the minute that a length before now lies in.
        """
        return self._ticker(symbol, (now - length) // MINUTE * MINUTE, now)

    def average(self, symbol: str, minutes: int, now: int) -> int:
        """Return the average price of some minutes, weighted by quantity.

        The last price where nothing was traded in them, or they are 0.
        """
        market = self._market(symbol)
        found = market.candles.since(_whole_second(now - minutes * MINUTE)) if minutes else None
        if found is None:
            return self.last_price(symbol)
        return _average(found, market.listing.tick)

    def _ticker(self, symbol: str, opened: int, now: int) -> Ticker:
        market = self._market(symbol)
        listing, second = market.listing, _whole_second(opened)
        last = self.last_price(symbol)
        found = market.candles.since(second)
        if found is None:
            return Ticker(
                symbol,
                opened,
                now,
                last,
                0,
                0,
                last,
                0,
                last,
                0,
                0,
                0,
                0,
                -1,
                -1,
                self.best(symbol),
            )
        row, tick = [int(number) for number in found], listing.tick
        return Ticker(
            symbol=symbol,
            opened=opened,
            closed=now,
            open=row[at.OPEN] * tick,
            high=row[at.HIGH] * tick,
            low=row[at.LOW] * tick,
            last=row[at.CLOSE] * tick,
            last_quantity=market.trades.last[2] * listing.step,
            before=market.candles.close_before(second) * tick or listing.start_price,
            average=_average(found, tick),
            volume=row[at.VOLUME] * listing.step,
            money=row[at.WORTH] * listing.quote_unit,
            trades=row[at.TRADES],
            first_trade=row[at.FIRST_TRADE],
            last_trade=row[at.LAST_TRADE],
            best=self.best(symbol),
        )

    def _market(self, symbol: str) -> _Market:
        market = self._markets.get(symbol)
        if market is None:
            raise Refusal(Reason.UNKNOWN_SYMBOL, symbol)
        return market


def _whole_second(time: int) -> int:
    """Return the first whole second from a time on."""
    return -(-time // SECOND) * SECOND


def _average(candle: Int64, tick: int) -> int:
    return int(candle[at.WORTH]) * tick // int(candle[at.VOLUME])

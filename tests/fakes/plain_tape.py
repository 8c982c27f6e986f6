"""Market data as a person would work it out: lists, dictionaries and calendars, no arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.market_data import AggregateTrade, Candle
from tidewright.exchange.spot.values import Depth
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.layout import Int64

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = 1_000
MILLISECOND = 1_000_000
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass
class PlainTrade:
    number: int
    price: int
    lots: int
    side: int
    time: int
    order: int


def log_rows(trades: list[PlainTrade]) -> Int64:
    """The rows a book's log would hold, with rows of other events between them."""
    rows = np.zeros((2 * len(trades), at.N_LOG), np.int64)
    for place, trade in enumerate(trades):
        row = rows[2 * place]
        row[at.EVENT], row[at.TAKER], row[at.TRADE_NUMBER] = at.TRADED, trade.order, trade.number
        row[at.TRADE_PRICE], row[at.TRADE_LOTS] = trade.price, trade.lots
        row[at.TAKER_SIDE], row[at.WHEN] = trade.side, trade.time
        rows[2 * place + 1] = row
        rows[2 * place + 1][at.EVENT] = at.ENDED
    return rows


def open_of(time: int, interval: str, zone: int) -> int:
    """When the interval that holds a time begins."""
    local = EPOCH + timedelta(microseconds=(time + zone) // MICROSECOND)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if interval == "1M":
        begin = day.replace(day=1)
    elif interval == "1w":
        begin = day - timedelta(days=day.weekday())
    else:
        length = timedelta(seconds=int(interval[:-1]) * UNITS[interval[-1]])
        begin = local - (local - EPOCH) % length
    return (begin - EPOCH) // timedelta(microseconds=1) * MICROSECOND - zone


def next_open(opened: int, interval: str, zone: int) -> int:
    """When the interval after the one that begins at a time begins."""
    later = opened
    step = 86_400 if interval[-1] in "wM" else int(interval[:-1]) * UNITS[interval[-1]]
    while open_of(later, interval, zone) == opened:
        later += step * 1_000_000_000
    return open_of(later, interval, zone)


@dataclass
class PlainTape:
    listing: Listing
    trades: list[PlainTrade] = field(default_factory=list)

    def candles(
        self,
        interval: str,
        start: int | None,
        end: int | None,
        limit: int,
        now: int,
        zone: int = 0,
    ) -> list[Candle]:
        found: dict[int, list[PlainTrade]] = {}
        for trade in self.trades:
            found.setdefault(open_of(trade.time, interval, zone), []).append(trade)
        if not found:
            return []
        candles: list[Candle] = []
        opened = min(found)
        while opened <= now:
            closed = next_open(opened, interval, zone)
            before = candles[-1].close if candles else 0
            candles.append(self._candle(opened, closed, found.get(opened, []), before))
            opened = closed
        wanted = [
            candle
            for candle in candles
            if (start is None or candle.opened >= start) and (end is None or candle.opened <= end)
        ]
        return wanted[:limit] if start is not None else wanted[-limit:]

    def _candle(self, opened: int, closed: int, trades: list[PlainTrade], before: int) -> Candle:
        tick, step, unit = self.listing.tick, self.listing.step, self.listing.quote_unit
        prices = [trade.price * tick for trade in trades] or [before]
        bought = [trade for trade in trades if trade.side > 0]
        return Candle(
            opened=opened,
            closed=closed - MILLISECOND,
            open=prices[0],
            high=max(prices),
            low=min(prices),
            close=prices[-1],
            volume=sum(trade.lots for trade in trades) * step,
            money=sum(trade.price * trade.lots for trade in trades) * unit,
            bought=sum(trade.lots for trade in bought) * step,
            bought_money=sum(trade.price * trade.lots for trade in bought) * unit,
            trades=len(trades),
            first_trade=trades[0].number if trades else -1,
            last_trade=trades[-1].number if trades else -1,
        )

    def aggregates(self) -> list[AggregateTrade]:
        groups: list[list[PlainTrade]] = []
        for trade in self.trades:
            last = groups[-1][-1] if groups else None
            if last is not None and (last.order, last.price) == (trade.order, trade.price):
                groups[-1].append(trade)
            else:
                groups.append([trade])
        return [
            AggregateTrade(
                self.listing.symbol,
                place + 1,
                group[0].price * self.listing.tick,
                sum(trade.lots for trade in group) * self.listing.step,
                group[0].number,
                group[-1].number,
                group[0].time,
                group[0].side < 0,
            )
            for place, group in enumerate(groups)
        ]


@dataclass
class LocalBook:
    """A client that keeps a book by the procedure that the exchange documents.

    Buffer the changes; take a snapshot; take another while it is older than the first change;
    drop the changes that it holds; apply the others, each of which must follow the one before.
    """

    snapshot: Callable[[], Depth]
    buffer: list[Depth] = field(default_factory=list)
    update: int = -1
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)

    @property
    def synchronised(self) -> bool:
        return self.update >= 0

    def hear(self, change: Depth) -> None:
        if self.synchronised:
            self._apply(change)
        else:
            self.buffer.append(change)

    def ask(self) -> Depth:
        return self.snapshot()

    def begin(self, found: Depth) -> None:
        """Take in a snapshot, which may have been on its way for long."""
        while self.buffer and found.last_update < self.buffer[0].first_update:
            found = self.snapshot()
        self.update = found.last_update
        self.bids, self.asks = dict(found.bids), dict(found.asks)
        waiting, self.buffer = self.buffer, []
        for change in waiting:
            self._apply(change)

    def _apply(self, change: Depth) -> None:
        if change.last_update <= self.update:
            return
        assert change.first_update <= self.update + 1, "a change was lost"
        for levels, side in ((self.bids, change.bids), (self.asks, change.asks)):
            for price, quantity in side:
                levels[price] = quantity
                if quantity == 0:
                    del levels[price]
        self.update = change.last_update

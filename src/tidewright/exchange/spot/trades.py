"""The newest trades of one market, one by one and as aggregate trades."""

from __future__ import annotations

import numpy as np

from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.market_data import AggregateTrade
from tidewright.exchange.spot.roll import Roll
from tidewright.exchange.spot.values import PublicTrade
from tidewright.kernels.matching.layout import Int64
from tidewright.kernels.tape import trades as at


class TradeStore:
    """Trades of one market.

    Parameters
    ----------
    listing : Listing
        Gives prices and quantities their units.
    keep : int
        Trades, and aggregate trades, that are kept at least.
    """

    def __init__(self, listing: Listing, keep: int) -> None:
        self.listing = listing
        self._trades = Roll(keep, at.N_TRADE)
        self._aggregates = Roll(keep, at.N_AGGREGATE)

    def add(self, log: Int64, epoch: int) -> Int64:
        """Take in up to `roll.CHUNK` rows of a log and return the trades in them.

        Returns
        -------
        int64 array of shape (trades, N_TRADE)
            A view until the next rows come.
        """
        trades, aggregates = self._trades, self._aggregates
        trades.make_room(len(log))
        aggregates.make_room(len(log))
        before = trades.count
        trades.count, aggregates.count = at.collect(
            log, epoch, trades.table, before, aggregates.table, aggregates.count
        )
        return trades.rows[before:]

    def rows(self, after: int) -> Int64:
        """Return the rows of trades with ids above one; a view until the next rows come."""
        rows = self._trades.rows
        return rows[int(np.searchsorted(rows[:, at.NUMBER], after, "right")) :]

    def trades(self, first: int | None, limit: int | None) -> tuple[PublicTrade, ...]:
        """Return trades from an id on, or the newest ones; all of them without a limit."""
        if first is None:
            return self._told(_newest(self._trades.rows, limit))
        return self._told(self.rows(first - 1)[:limit])

    def aggregates(
        self, first: int | None, start: int | None, end: int | None, limit: int | None
    ) -> tuple[AggregateTrade, ...]:
        """Return aggregate trades from an id or a time on, or the newest ones, until a time.

        All of them without a limit.
        """
        rows = self._aggregates.rows
        if end is not None:
            rows = rows[: int(np.searchsorted(rows[:, at.AGGREGATE_TIME], end, "right"))]
        if first is not None:
            rows = rows[int(np.searchsorted(rows[:, at.AGGREGATE], first)) :]
        if start is not None:
            rows = rows[int(np.searchsorted(rows[:, at.AGGREGATE_TIME], start)) :]
        newest = first is None and start is None
        return self._summed(_newest(rows, limit) if newest else rows[:limit])

    @property
    def last(self) -> tuple[int, int, int, int]:
        """Id, ticks, lots and time of the last trade; zeros before the first."""
        if not self._trades.count:
            return 0, 0, 0, 0
        row = self._trades.rows[-1]
        return int(row[at.NUMBER]), int(row[at.PRICE]), int(row[at.LOTS]), int(row[at.TIME])

    def _told(self, rows: Int64) -> tuple[PublicTrade, ...]:
        symbol, tick, step = self.listing.symbol, self.listing.tick, self.listing.step
        return tuple(
            PublicTrade(symbol, number, price * tick, lots * step, time, side < 0)
            for number, price, lots, side, time in rows.tolist()
        )

    def _summed(self, rows: Int64) -> tuple[AggregateTrade, ...]:
        symbol, tick, step = self.listing.symbol, self.listing.tick, self.listing.step
        return tuple(
            AggregateTrade(symbol, number, price * tick, lots * step, first, last, time, side < 0)
            for number, price, lots, side, time, first, last, _ in rows.tolist()
        )


def _newest(rows: Int64, limit: int | None) -> Int64:
    return rows if limit is None else rows[max(len(rows) - limit, 0) :]

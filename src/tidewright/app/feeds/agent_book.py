"""One book of the living market as it is at the moment that a page shows."""

from __future__ import annotations

import numpy as np

from tidewright.app.feeds.picture import BookPicture
from tidewright.domain.time import MINUTE
from tidewright.exchange.agents.market import AgentMarket
from tidewright.exchange.spot.depth import DepthView
from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.values import PublicTrade
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.layout import Int64

LEVELS = 12
"""Price levels of each side that a picture holds."""
TRADES = 40
"""Trades that a picture holds."""
_NO_ROWS = np.zeros((0, at.N_LOG), np.int64)


class BookFollower:
    """Lives through the market once more, no further than what is shown.

    The feed is hours ahead of the page, so the page has a market of its own.

    Parameters
    ----------
    listing : Listing
        Units of the book.
    market : AgentMarket
        One market, at its start.
    epoch : int
        Time of the start, nanoseconds UTC.
    """

    def __init__(self, listing: Listing, market: AgentMarket, epoch: int) -> None:
        self._listing = listing
        self._market = market
        self._epoch = epoch
        self._depth = DepthView(listing, market.books[0])
        self._minute = 0
        self._rows: list[Int64] = []
        self._trades = _NO_ROWS

    def move(self, moment: int, saved: int, state: bytes) -> None:
        """Go to a moment, nanoseconds since the start.

        Parameters
        ----------
        moment : int
            Where to go.
        saved, state : int and bytes
            A whole minute up to there whose state is known, for going back or far on.
        """
        if not self._market.now <= moment or self._market.now < saved:
            self._market.restore(state)
            self._minute, self._rows, self._trades = saved // MINUTE, [], _NO_ROWS
        while self._market.now < moment:
            minute = self._market.now // MINUTE
            if minute != self._minute:
                self._minute, self._rows = minute, []
            rows = rows_until(self._market, min(moment, (minute + 1) * MINUTE))
            rows = rows[rows[:, at.EVENT] == at.TRADED]
            self._rows.append(rows)
            self._trades = np.concatenate([self._trades, rows[-TRADES:]])[-TRADES:]

    def minute(self, number: int) -> Int64:
        """Return what is known of a minute of the moment; see `minute_of`."""
        known = self._rows if number == self._minute else []
        return minute_of(self._market, np.concatenate([_NO_ROWS, *known]))

    def picture(self) -> BookPicture:
        """Return the book and the last trades at the moment."""
        now = self._epoch + self._market.now
        return BookPicture(
            self._depth.snapshot(LEVELS, now), tuple(map(self._told, self._trades.tolist()))
        )

    def _told(self, row: list[int]) -> PublicTrade:
        return PublicTrade(
            self._listing.symbol,
            row[at.TRADE_NUMBER],
            row[at.TRADE_PRICE] * self._listing.tick,
            row[at.TRADE_LOTS] * self._listing.step,
            self._epoch + row[at.WHEN],
            row[at.TAKER_SIDE] < 0,
        )


def rows_until(market: AgentMarket, moment: int) -> Int64:
    """Let a market live until a moment and return the rows of its first book's log."""
    taken = []
    finished = False
    while not finished:
        finished = market.run(moment)
        taken.append(market.take_trades(0))
    return taken[0] if len(taken) == 1 else np.concatenate(taken)


def minute_of(market: AgentMarket, rows: Int64) -> Int64:
    """Return open, high, low, close and volume of the trades in rows of a log.

    Without a trade, prices are that of the last one and the volume is 0.
    """
    trades = rows[rows[:, at.EVENT] == at.TRADED]
    prices, lots = trades[:, at.TRADE_PRICE], trades[:, at.TRADE_LOTS]
    if not len(prices):
        return np.array([market.books[0][at.LAST]] * 4 + [0])
    return np.array([prices[0], prices.max(), prices.min(), prices[-1], lots.sum()])

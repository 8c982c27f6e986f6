"""One book of the living market as it is at the moment that a page shows."""

from __future__ import annotations

import numpy as np

from tidewright.app.feeds.picture import BookPicture
from tidewright.domain.time import MINUTE
from tidewright.exchange.agents.market import AgentMarket
from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.tape import Keep, Tape
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.layout import Int64

LEVELS = 12
"""Price levels of each side that a picture holds."""
TRADES = 40
"""Trades that a picture holds."""
_KEEP = Keep(trades=TRADES, seconds=60, minutes=2, hours=2)
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
        self._tape = self._new_tape()
        self._minute = 0
        self._rows: list[Int64] = []

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
            self._tape = self._new_tape()
            self._minute, self._rows = saved // MINUTE, []
        while self._market.now < moment:
            minute = self._market.now // MINUTE
            if minute != self._minute:
                self._minute, self._rows = minute, []
            rows = rows_until(self._market, min(moment, (minute + 1) * MINUTE))
            self._tape.add(self._listing.symbol, rows)
            self._rows.append(rows)
        self._tape.move(self._epoch + moment)

    def minute(self, number: int) -> Int64:
        """Return what is known of a minute of the moment; see `minute_of`."""
        known = self._rows if number == self._minute else []
        return minute_of(self._market, np.concatenate([_NO_ROWS, *known]))

    def picture(self) -> BookPicture:
        """Return the book and the last trades at the moment."""
        symbol = self._listing.symbol
        return BookPicture(
            self._tape.depth(symbol, LEVELS), self._tape.trades(symbol, limit=TRADES)
        )

    def _new_tape(self) -> Tape:
        return Tape([self._listing], self._market.books, epoch=self._epoch, keep=_KEEP)


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

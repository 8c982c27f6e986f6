"""A market's price levels as readers see them: whole, or what changed since they looked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.market_data import BestPrices
from tidewright.exchange.spot.values import Depth
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.layout import Int64
from tidewright.kernels.tape.levels import changed_levels, doubt_levels, list_levels

_Sides = tuple[Int64, Int64]
"""Levels of the bids and of the asks."""


class DepthView:
    """Looks at one book.

    A client builds its own book of a snapshot and the changes of a stream. Its snapshot was taken
    between two changes, and a level may have moved and come back by the next: the client would
    keep what it was told. So every snapshot puts the levels in doubt that it tells otherwise than
    a reader saw them, and the reader's next change names them, moved or not.

    Parameters
    ----------
    listing : Listing
        Gives prices and quantities their units.
    book : int64 array
        As the compiled steps change it.
    """

    def __init__(self, listing: Listing, book: Int64) -> None:
        self.listing = listing
        self.book = book
        self._seen: dict[str, tuple[int, _Sides]] = {}

    def best(self) -> BestPrices:
        """Return the best level of each side."""
        book = self.book
        bid, ask = int(book[at.BID]), int(book[at.ASK])
        if ask == book[at.PRICES]:
            ask = 0
        tick, step = self.listing.tick, self.listing.step
        first = int(book[at.LEVELS]) + at.SHOWN_LOTS
        bid_lots = int(book[first + bid * at.N_LEVEL]) if bid else 0
        ask_lots = int(book[first + ask * at.N_LEVEL]) if ask else 0
        update = int(book[at.MESSAGES])
        return BestPrices(bid * tick, bid_lots * step, ask * tick, ask_lots * step, update)

    def snapshot(self, limit: int, now: int) -> Depth:
        """Return the best levels of each side, as many as a limit."""
        sides = self._levels() if self._seen else self._levels(limit)
        for reader, (update, seen) in self._seen.items():
            self._seen[reader] = update, _merged(doubt_levels, seen, sides)
        update = int(self.book[at.MESSAGES])
        return self._depth(update, update, (sides[0][:limit], sides[1][:limit]), now)

    def change(self, reader: str, now: int) -> Depth | None:
        """Return what changed since a reader's last change, None for nothing.

        A reader's first look has nothing to compare with.
        """
        update, sides = int(self.book[at.MESSAGES]), self._levels()
        if reader not in self._seen:
            self._seen[reader] = update, sides
            return None
        last, seen = self._seen[reader]
        changes = _merged(changed_levels, seen, sides)
        if not len(changes[0]) and not len(changes[1]):
            # The ids go on with the next change, so that a client finds no gap between them.
            return None
        self._seen[reader] = update, sides
        return self._depth(last + 1, update, changes, now)

    def forget(self, reader: str) -> None:
        """Remember no more what a reader saw."""
        self._seen.pop(reader, None)

    def _levels(self, limit: int | None = None) -> _Sides:
        most = int(self.book[at.LIVE])
        return self._side(1, most, limit), self._side(-1, most, limit)

    def _side(self, side: int, most: int, limit: int | None) -> Int64:
        out = np.empty((most if limit is None else min(most, limit), 2), np.int64)
        return out[: list_levels(self.book, side, out)]

    def _depth(self, first: int, last: int, sides: _Sides, now: int) -> Depth:
        bids, asks = (self._stated(side) for side in sides)
        return Depth(self.listing.symbol, first, last, bids, asks, now)

    def _stated(self, levels: Int64) -> tuple[tuple[int, int], ...]:
        # Python's integers: a level of a cheap coin may have more units than int64 holds.
        tick, step = self.listing.tick, self.listing.step
        return tuple((price * tick, lots * step) for price, lots in levels.tolist())


def _merged(step: Callable[[Int64, Int64, int, Int64], int], one: _Sides, other: _Sides) -> _Sides:
    """Return both sides of two looks put together by a compiled step."""
    bids, asks = (
        np.empty((len(first) + len(second), 2), np.int64)
        for first, second in zip(one, other, strict=True)
    )
    return (
        bids[: step(one[0], other[0], 1, bids)],
        asks[: step(one[1], other[1], -1, asks)],
    )

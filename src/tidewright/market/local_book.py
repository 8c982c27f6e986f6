"""A copy of a venue's order book, kept from a snapshot and the changes after it.

The procedure, as Binance documents it for its Spot market:

1. Changes are kept from the moment on at which they come; a snapshot is asked for after that.
2. Changes that end at or before the snapshot's update id are dropped.
3. The first change left must begin at or before the next update id, or the snapshot is too old
   for the changes: another one is needed, and the changes are kept.
4. From there on every change continues where the one before it ended. Where one does not, updates
   were lost: the book is no longer shown, and a new snapshot is needed.

Quantities in a change are totals, so a change that overlaps what is known already, as the first
one of a second connection may, still leads to the true book. What it must not do is leave a hole.
Levels deeper than the snapshot reached are unknown until they change.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from tidewright.domain.errors import ConfigError

Level = tuple[int, int]
"""Price and quantity in whole numbers of 1e-8."""

MOST_WAITING = 10_000
"""Changes that wait for a snapshot: a quarter of an hour of Binance's fastest diffs."""


class BookStatus(StrEnum):
    """Whether a local book may be believed."""

    SYNCING = "syncing"
    """No snapshot has fitted yet."""
    GOOD = "good"
    """The book is the venue's as of its update id."""
    STALE = "stale"
    """The book was good until something was lost; a snapshot is needed."""


class Taken(StrEnum):
    """What became of a change."""

    APPLIED = "applied"
    OLD = "old"
    """All of it was known already."""
    WAITING = "waiting"
    """It waits for a snapshot."""
    GAP = "gap"
    """Updates before it are missing, or it crossed the book; it waits for a new snapshot."""


@dataclass(frozen=True, slots=True)
class BookChange:
    """How a book changed over some updates.

    Parameters
    ----------
    first_update, last_update : int
        Ids of the first and last update in it.
    bids, asks : tuple of (int, int)
        Levels that changed, price and quantity of 1e-8; a quantity of 0 removes the level.
    """

    first_update: int
    last_update: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class BookSnapshot:
    """A book after some update.

    Parameters
    ----------
    last_update : int
        Id of the last update in it.
    bids, asks : tuple of (int, int)
        Levels, price and quantity of 1e-8, in any order.
    """

    last_update: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class _Side:
    """One side of a book: prices in order, and the quantity at each."""

    def __init__(self) -> None:
        self.prices: list[int] = []
        self._quantities: dict[int, int] = {}

    def put(self, levels: tuple[Level, ...]) -> None:
        for price, quantity in levels:
            if quantity:
                if price not in self._quantities:
                    insort(self.prices, price)
                self._quantities[price] = quantity
            elif self._quantities.pop(price, 0):
                # A level that was beyond the snapshot may be removed without ever being known.
                del self.prices[bisect_left(self.prices, price)]

    def lowest(self, limit: int) -> tuple[Level, ...]:
        return tuple((price, self._quantities[price]) for price in self.prices[:limit])

    def highest(self, limit: int) -> tuple[Level, ...]:
        first = max(0, len(self.prices) - limit)
        return tuple((price, self._quantities[price]) for price in reversed(self.prices[first:]))


class LocalBook:
    """The book of one symbol as far as its changes tell.

    It asks nobody for anything: whoever holds it looks at `needs_snapshot` after each change.

    Parameters
    ----------
    now : int
        Present time, nanoseconds UTC.
    most_waiting : int
        Changes kept while there is no snapshot; of more, the oldest are dropped.

    Attributes
    ----------
    status : BookStatus
        Whether it may be believed.
    since : int
        When it got that status, nanoseconds UTC.
    reason : str
        Why it is not good; empty while it is.
    last_update : int
        Id of the last update in it; -1 while it is not good.
    gaps : int
        How often something was lost while it was good.

    Raises
    ------
    ConfigError
        If no change may wait.
    """

    def __init__(self, now: int, most_waiting: int = MOST_WAITING) -> None:
        if most_waiting < 1:
            raise ConfigError(f"most_waiting was {most_waiting}; expected at least 1")
        self.status = BookStatus.SYNCING
        self.since = now
        self.reason = "no snapshot yet"
        self.last_update = -1
        self.gaps = 0
        self._waiting: deque[BookChange] = deque(maxlen=most_waiting)
        self._bids = _Side()
        self._asks = _Side()

    @property
    def needs_snapshot(self) -> bool:
        """Whether only a snapshot can make it good."""
        return self.status is not BookStatus.GOOD

    def change(self, change: BookChange, now: int) -> Taken:
        """Take a change as it came from the venue.

        Parameters
        ----------
        change : BookChange
            The change.
        now : int
            Present time, nanoseconds UTC.
        """
        if self.status is not BookStatus.GOOD:
            self._waiting.append(change)
            return Taken.WAITING
        if change.last_update <= self.last_update:
            return Taken.OLD
        expected = self.last_update + 1
        if change.first_update > expected:
            self._fail(
                f"change began at update {change.first_update}; expected {expected}", now, change
            )
            return Taken.GAP
        self._apply(change)
        return Taken.GAP if self._crossed(now, change) else Taken.APPLIED

    def snapshot(self, snapshot: BookSnapshot, now: int) -> bool:
        """Take a snapshot that was asked for; return whether the book is good now.

        A snapshot that comes while the book is good is not needed and changes nothing.

        Parameters
        ----------
        snapshot : BookSnapshot
            The snapshot.
        now : int
            Present time, nanoseconds UTC.
        """
        if self.status is BookStatus.GOOD:
            return True
        changes = sorted(self._waiting, key=attrgetter("last_update"))
        newer = [one for one in changes if one.last_update > snapshot.last_update]
        if newer and newer[0].first_update > snapshot.last_update + 1:
            self.reason = (
                f"snapshot ended at update {snapshot.last_update}; expected at least "
                f"{newer[0].first_update - 1}, where the changes begin"
            )
            self._keep(newer)
            return False
        return self._rebuild(snapshot, newer, now)

    def lose(self, reason: str, now: int) -> None:
        """Stop trusting the book, as when its connection broke.

        Parameters
        ----------
        reason : str
            What happened, for a person.
        now : int
            Present time, nanoseconds UTC.
        """
        if self.status is BookStatus.GOOD:
            self._fail(reason, now, None)
            return
        self._waiting.clear()
        self.reason = reason

    def depth(self, limit: int) -> BookSnapshot | None:
        """Return the best levels, best first; None while the book is not good.

        Parameters
        ----------
        limit : int
            Most levels of each side.
        """
        if self.status is not BookStatus.GOOD:
            return None
        return BookSnapshot(self.last_update, self._bids.highest(limit), self._asks.lowest(limit))

    def _rebuild(self, snapshot: BookSnapshot, newer: list[BookChange], now: int) -> bool:
        self._bids, self._asks = _Side(), _Side()
        self._apply(BookChange(0, snapshot.last_update, snapshot.bids, snapshot.asks))
        for number, change in enumerate(newer):
            if change.first_update > self.last_update + 1:
                self.reason = (
                    f"change began at update {change.first_update}; expected {self.last_update + 1}"
                )
                return self._give_up(newer[number:])
            if change.last_update > self.last_update:
                self._apply(change)
        if self._is_crossed():
            self.reason = f"snapshot of update {snapshot.last_update} led to a crossed book"
            return self._give_up(newer)
        self._waiting.clear()
        self.status, self.since, self.reason = BookStatus.GOOD, now, ""
        return True

    def _give_up(self, waiting: list[BookChange]) -> bool:
        self.last_update = -1
        self._keep(waiting)
        return False

    def _keep(self, waiting: list[BookChange]) -> None:
        self._waiting.clear()
        self._waiting.extend(waiting)

    def _apply(self, change: BookChange) -> None:
        self._bids.put(change.bids)
        self._asks.put(change.asks)
        self.last_update = change.last_update

    def _is_crossed(self) -> bool:
        bids, asks = self._bids.prices, self._asks.prices
        return bool(bids) and bool(asks) and bids[-1] >= asks[0]

    def _crossed(self, now: int, change: BookChange) -> bool:
        if not self._is_crossed():
            return False
        bid, ask = self._bids.prices[-1], self._asks.prices[0]
        self._fail(f"best bid was {bid} and best ask {ask}; expected the bid below", now, change)
        return True

    def _fail(self, reason: str, now: int, change: BookChange | None) -> None:
        self.status, self.since, self.reason = BookStatus.STALE, now, reason
        self.last_update = -1
        self.gaps += 1
        self._keep([] if change is None else [change])

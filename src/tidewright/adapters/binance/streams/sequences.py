"""Each event once and in order, and what is missing between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from tidewright.adapters.binance.streams.messages import (
    AggregateTrade,
    BookTicker,
    DepthUpdate,
    Kline,
    MarketEvent,
    MiniTicker,
    Trade,
)

Place = tuple[int, int, int]
"""Where an event stands among those of its stream; later ones are greater."""


class Newest:
    """Lets each event of every stream through once, and none after a later one.

    While one connection replaces another both tell the same, and a venue may repeat itself.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], Place] = {}

    def accepts(self, event: MarketEvent) -> bool:
        """Return whether an event is newer than all of its stream before it."""
        stream, place = _place(event)
        last = self._last.get(stream)
        if last is not None and place <= last:
            return False
        self._last[stream] = place
        return True

    def forget(self) -> None:
        """Take whatever comes next: a venue that began anew may count from the start."""
        self._last.clear()


def _place(event: MarketEvent) -> tuple[tuple[str, str], Place]:
    match event:
        case Trade() | AggregateTrade():
            return (event.symbol, type(event).__name__), (event.id, 0, 0)
        case Kline():
            # A closed candle is the last word on it, whenever each connection told of it.
            word = (event.ts_open, 1, 0) if event.closed else (event.ts_open, 0, event.ts_event)
            return (event.symbol, event.interval), word
        case BookTicker():
            return (event.symbol, "best"), (event.update, 0, 0)
        case DepthUpdate():
            return (event.symbol, "depth"), (event.change.last_update, 0, 0)
        case MiniTicker():
            return (event.symbol, "mini"), (event.ts_event, 0, 0)


T = TypeVar("T")


class Line(Generic[T]):
    """Numbered things of which none may be skipped: trades by id, candles by their place in time.

    What comes too early waits until the numbers before it were filled or given up.

    Parameters
    ----------
    last : int or None
        Number of the last one that is known already; None begins with the first that comes.

    Attributes
    ----------
    last : int or None
        Number of the last one given out, or given up.
    """

    def __init__(self, last: int | None = None) -> None:
        self.last = last
        self._waiting: dict[int, T] = {}
        self._owed = 0

    @property
    def missing(self) -> tuple[int, int] | None:
        """The first numbers that are missing, as the first of them and the one behind the last."""
        if self.last is None:
            return None
        first = self.last + 1
        past = min(self._waiting) if self._waiting else self._owed
        return (first, past) if past > first else None

    def take(self, number: int, thing: T) -> list[T]:
        """Take one that came and return those that are next now, in order.

        Parameters
        ----------
        number : int
            Its number; one that was given out before is dropped.
        thing : object
            The thing itself.
        """
        if self.last is None:
            self.last = number - 1
        if number > self.last:
            self._waiting.setdefault(number, thing)
        return self._next()

    def owe(self, past: int) -> None:
        """Tell that all numbers below one exist by now, though none of them may have come."""
        self._owed = max(self._owed, past)

    def fill(self, past: int, things: Mapping[int, T]) -> list[T]:
        """Take what another source has; return those that are next now, in order.

        Parameters
        ----------
        past : int
            It was asked for all missing numbers below this one; those that it does not have exist
            nowhere and are given up.
        things : mapping of int to object
            What it has, by number.
        """
        found: list[T] = []
        for number in sorted(things):
            found.extend(self.take(number, things[number]) if number < past else ())
        while (gap := self.missing) is not None and gap[0] < past:
            self.last = min(gap[1], past) - 1
            found.extend(self._next())
        return found

    def _next(self) -> list[T]:
        found: list[T] = []
        while self.last is not None and self.last + 1 in self._waiting:
            self.last += 1
            found.append(self._waiting.pop(self.last))
        return found

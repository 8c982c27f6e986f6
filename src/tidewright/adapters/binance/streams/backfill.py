"""What a stream missed, fetched from elsewhere and handed on in its place.

What is lost between two connections is never told again by the stream. So each line of trades or
candles is followed by number; where a number is missing, the thing is asked for, and what came
after it waits meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from tidewright.adapters.binance.streams.messages import Kline
from tidewright.adapters.binance.streams.pacing import Backoff, Timing
from tidewright.adapters.binance.streams.sequences import Line
from tidewright.domain.errors import RateLimited, Transient

T = TypeVar("T")

Fetch = Callable[[int, int], Awaitable[Mapping[int, T]]]
"""Returns what has a number in [first, past), by number; raises `Transient` to be asked again."""


ATTEMPTS = 4
"""How often something is asked for before it is believed to exist nowhere: answers may lag."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Numbers that nobody has.

    Parameters
    ----------
    first, past : int
        The first of them, and the number behind the last.
    missing : int
        How many of them are missing.
    """

    first: int
    past: int
    missing: int


class Backfilled(Generic[T]):
    """Hands on things in the order of their numbers, each once, and fetches those that are missing.

    Parameters
    ----------
    fetch : callable
        Where missing ones are to be had.
    hand_on : callable
        Takes each thing.
    report : callable
        Told of what is missing there too.
    last : int or None
        Number of the last one that is known already; None begins with the first that comes.
    timing : Timing or None
        Paces repetitions.
    """

    def __init__(
        self,
        fetch: Fetch[T],
        hand_on: Callable[[T], None],
        report: Callable[[Hole], None],
        *,
        last: int | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._fetch = fetch
        self._hand_on = hand_on
        self._report = report
        self._line: Line[T] = Line(last)
        self._timing = timing or Timing()
        self._backoff = Backoff(0.5, 30.0, self._timing.draw)
        self._wanted = asyncio.Event()
        self._attempts = 0

    def take(self, number: int, thing: T) -> None:
        """Take one that the stream told of."""
        self._give(self._line.take(number, thing))

    def owe(self, past: int) -> None:
        """Tell that all numbers below one exist by now: to be said after each new connection."""
        self._line.owe(past)
        self._give([])

    async def run(self) -> None:
        """Fetch what is missing, whenever something is; ends by being cancelled."""
        while True:
            await self._wanted.wait()
            while (gap := self._line.missing) is not None:
                await self._fill(*gap)
            self._wanted.clear()

    async def _fill(self, first: int, past: int) -> None:
        try:
            found = await self._fetch(first, past)
        except RateLimited as error:
            await self._timing.sleep(max(error.retry_after, self._backoff.pause()))
            return
        except Transient:
            await self._timing.sleep(self._backoff.pause())
            return
        missing = past - first - sum(first <= number < past for number in found)
        self._attempts += 1
        if missing and self._attempts < ATTEMPTS:
            for number in sorted(found):
                self._give(self._line.take(number, found[number]))
            await self._timing.sleep(self._backoff.pause())
            return
        self._attempts = 0
        self._backoff.reset()
        if missing:
            self._report(Hole(first, past, missing))
        self._give(self._line.fill(past, found))

    def _give(self, things: list[T]) -> None:
        for thing in things:
            self._hand_on(thing)
        if self._line.missing is not None:
            self._wanted.set()


def place_of(kline: Kline) -> int:
    """Return the number of a candle: how many of its length fit between 1970 and its opening."""
    return kline.ts_open // (kline.ts_close - kline.ts_open)

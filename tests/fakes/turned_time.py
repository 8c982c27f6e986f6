"""Time of a client that passes when a test says so."""

from __future__ import annotations

import asyncio

from tidewright.adapters.binance.streams.pacing import Timing


class TurnedTime:
    """Sleepers wake in the order in which they are due; chance always draws the same."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self.timing = Timing(lambda: self._now, self._sleep, lambda: 0.0)

    async def _sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + seconds, future))
        await future

    @property
    def sleepers(self) -> list[float]:
        """When those who sleep will wake."""
        return sorted(due for due, future in self._sleepers if not future.done())

    async def turn(self, seconds: float) -> None:
        """Let time pass, waking each sleeper when it is due."""
        end = self._now + seconds
        await self._settle()
        while (due := self.sleepers) and due[0] <= end:
            self._now = max(self._now, due[0])
            for when, future in self._sleepers:
                if when <= self._now and not future.done():
                    future.set_result(None)
            self._sleepers = [one for one in self._sleepers if not one[1].done()]
            await self._settle()
        self._now = end

    async def _settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

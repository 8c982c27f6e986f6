"""Market streams that go on: connections are replaced before they end, and opened again after.

- A connection that breaks, stays mute or says what cannot be read is given up, and another one is
  opened after a pause that doubles. Whoever listens is told: what was said in between is lost.
- Before the venue closes a connection, after 24 hours or because it says so, another one is opened
  and subscribed. Both are listened to for a moment, so that nothing is lost and nobody is told.
- Each event is handed on once, whichever connection it came on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Protocol

from tidewright.adapters.binance.streams.connection import (
    MOST_STREAMS,
    StreamConnection,
    StreamSettings,
)
from tidewright.adapters.binance.streams.messages import MarketEvent
from tidewright.adapters.binance.streams.pacing import Backoff, Timing
from tidewright.adapters.binance.streams.sequences import Newest
from tidewright.domain.errors import ConfigError, Transient


class MarketListener(Protocol):
    """Whoever wants to know what happens; it must not wait."""

    def on_event(self, event: MarketEvent) -> None:
        """Take an event: each once, those of a stream in order."""

    def on_connected(self) -> None:
        """Learn that events come from now on; what happened before must be asked for elsewhere."""

    def on_lost(self, reason: str) -> None:
        """Learn that events are lost from now on."""

    def on_failed(self, reason: str) -> None:
        """Learn that a connection could not be had; another attempt follows after a pause."""


class MarketStreams:
    """Some streams of one venue, kept for as long as `run` is.

    Parameters
    ----------
    names : sequence of str
        The streams.
    listener : MarketListener
        Who is told.
    settings : StreamSettings or None
        Where and how.
    timing : Timing or None
        Time and chance.

    Attributes
    ----------
    connections : int
        How many were opened in all.

    Raises
    ------
    ConfigError
        If there are more streams than one connection may listen to.
    """

    def __init__(
        self,
        names: Sequence[str],
        listener: MarketListener,
        settings: StreamSettings | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._names = dict.fromkeys(names)
        _check_number(self._names)
        self._listener = listener
        self._settings = settings or StreamSettings()
        self._timing = timing or Timing()
        self._backoff = Backoff(
            self._settings.first_pause_seconds,
            self._settings.longest_pause_seconds,
            self._timing.draw,
        )
        self._newest = Newest()
        self._open: list[StreamConnection] = []
        self.connections = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Streams that are listened to, oldest first."""
        return tuple(self._names)

    async def subscribe(self, names: Sequence[str]) -> None:
        """Listen to more streams, from now on and on every later connection.

        Raises
        ------
        ConfigError
            If that makes more streams than one connection may listen to.
        Rejected
            If the venue refuses.
        """
        added = [name for name in dict.fromkeys(names) if name not in self._names]
        _check_number((*self._names, *added))
        self._names.update(dict.fromkeys(added))
        for connection in tuple(self._open):
            # A connection that ends meanwhile is replaced by one that names all streams.
            with contextlib.suppress(Transient):
                await connection.subscribe(added)

    async def unsubscribe(self, names: Sequence[str]) -> None:
        """Listen to streams no longer; raises as `subscribe` does."""
        gone = [name for name in dict.fromkeys(names) if name in self._names]
        for name in gone:
            del self._names[name]
        for connection in tuple(self._open):
            with contextlib.suppress(Transient):
                await connection.unsubscribe(gone)

    async def run(self) -> None:
        """Listen until cancelled.

        Raises
        ------
        ConfigError
            If the address can never be reached.
        Rejected
            If the venue refuses the streams.
        """
        try:
            current = await self._connect_patiently()
            self._listener.on_connected()
            while True:
                current = await self._successor(current)
        finally:
            for connection in tuple(self._open):
                await self._close(connection)

    async def _successor(self, current: StreamConnection) -> StreamConnection:
        """Return the connection that follows this one, once it is time for it."""
        await self._until_due(current)
        if current.ended.done():
            return await self._after_loss(current)
        opening = asyncio.create_task(self._connect_patiently())
        try:
            await asyncio.wait((opening, current.ended), return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                self._tell_loss(current)
                following = await opening
                await self._close(current)
                self._listener.on_connected()
                return following
            following = await opening
        finally:
            opening.cancel()
        await self._timing.sleep(self._settings.overlap_seconds)
        broken = current.ended.done()
        await self._close(current)
        if broken:
            # It may have broken before the new one was subscribed.
            self._listener.on_connected()
        return following

    async def _until_due(self, current: StreamConnection) -> None:
        """Wait until a connection has ended, is old, or is about to be closed."""
        left = current.opened + self._settings.life_seconds - self._timing.now()
        old = asyncio.ensure_future(self._timing.sleep(max(0.0, left)))
        told = asyncio.ensure_future(current.leaving.wait())
        try:
            await asyncio.wait((old, told, current.ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            old.cancel()
            told.cancel()

    async def _after_loss(self, lost: StreamConnection) -> StreamConnection:
        self._tell_loss(lost)
        await self._close(lost)
        if self._timing.now() - lost.opened >= self._settings.steady_seconds:
            self._backoff.reset()
        await self._timing.sleep(self._backoff.pause())
        following = await self._connect_patiently()
        self._listener.on_connected()
        return following

    def _tell_loss(self, lost: StreamConnection) -> None:
        reason = lost.ended.result()
        self._newest.forget()
        self._listener.on_lost(reason)

    async def _connect_patiently(self) -> StreamConnection:
        while True:
            try:
                return await self._connect()
            except Transient as error:
                self._listener.on_failed(str(error))
                await self._timing.sleep(self._backoff.pause())

    async def _connect(self) -> StreamConnection:
        connection = await StreamConnection.open(self._settings, self._timing, self._take)
        self.connections += 1
        self._open.append(connection)
        try:
            await connection.subscribe(self.names)
        except BaseException:
            await self._close(connection)
            raise
        return connection

    async def _close(self, connection: StreamConnection) -> None:
        if connection in self._open:
            self._open.remove(connection)
        await connection.close()

    def _take(self, event: MarketEvent) -> None:
        if self._newest.accepts(event):
            self._listener.on_event(event)


def _check_number(names: Iterable[str]) -> None:
    count = len(tuple(names))
    if count > MOST_STREAMS:
        raise ConfigError(f"streams were {count}; expected at most {MOST_STREAMS} on a connection")

"""A small loopback server around one paper venue.

All requests of all connections are handled one after the other in one thread. An answer leaves
only after the venue's log holds it; when the log cannot be written nothing is answered and the
server ends, since only a restart from the log shows what is true.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable

from tidewright.domain.errors import ConfigError, TidewrightError
from tidewright.exchange.paper import PaperVenue
from tidewright.servers.paper.protocol import answer

LOOPBACK = "127.0.0.1"
"""The only address it listens on."""

_LINE_LIMIT = 2**24


class VenueServer:
    """Serves a paper venue until it is told to stop.

    Parameters
    ----------
    venue : PaperVenue
        The venue; closed when the server ends.
    host : str
        ``127.0.0.1``.
    port : int
        0 takes a free one.

    Raises
    ------
    ConfigError
        If the host is any other.
    """

    def __init__(self, venue: PaperVenue, host: str = LOOPBACK, port: int = 0) -> None:
        if host != LOOPBACK:
            raise ConfigError(f"the paper venue's host was {host!r}; expected {LOOPBACK}")
        self._venue = venue
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._failure: TidewrightError | None = None
        self._connections: set[asyncio.StreamWriter] = set()

    def run(self, ready: Callable[[int], None] | None = None) -> None:
        """Serve until `stop` or, in the main thread, SIGTERM or SIGINT.

        Parameters
        ----------
        ready : callable
            Told the port once connections are taken.

        Raises
        ------
        TidewrightError
            If the venue's log could not be written.
        OSError
            If the port is taken.
        """
        asyncio.run(self._run(ready))
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End the server; safe from any thread, before and after it runs."""
        loop, stopped = self._loop, self._stopped
        if loop is not None and stopped is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(stopped.set)

    async def _run(self, ready: Callable[[int], None] | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, self._stopped.set)
        try:
            server = await asyncio.start_server(
                self._serve_connection, LOOPBACK, self._port, limit=_LINE_LIMIT
            )
            async with server:
                if ready is not None:
                    ready(server.sockets[0].getsockname()[1])
                await self._stopped.wait()
                server.close()
                for writer in tuple(self._connections):
                    writer.transport.abort()
        finally:
            self._venue.close()

    async def _serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._connections.add(writer)
        try:
            while line := await reader.readline():
                if self._stopped is None or self._stopped.is_set():
                    return
                writer.write(answer(self._venue, line))
                await writer.drain()
        except TidewrightError as error:
            self._failure = error
            self.stop()
        except (ConnectionError, ValueError, asyncio.CancelledError):
            # The client went away, sent an endless line, or the server ends: nothing to answer.
            return
        finally:
            self._connections.discard(writer)
            writer.close()


def serve(
    venue: PaperVenue, host: str, port: int, ready: Callable[[int], None] | None = None
) -> None:
    """Serve a paper venue until SIGTERM or SIGINT; see `VenueServer`."""
    VenueServer(venue, host, port).run(ready)

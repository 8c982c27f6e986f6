"""The port: takes connections, and closes them all at the end."""

from __future__ import annotations

import asyncio

from tidewright.domain.errors import ConfigError
from tidewright.servers.venue.clock import Clock
from tidewright.servers.venue.wire.connection import Connection
from tidewright.servers.venue.wire.socket import SocketSettings
from tidewright.servers.venue.wire.values import Application

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_GOING_AWAY = 1001


class Listener:
    """Listens on one port of one address.

    Parameters
    ----------
    application : Application
        Answers requests and takes sockets.
    clock : Clock
        Measures delays and the lives of sockets.
    settings : SocketSettings
        Of every WebSocket.
    host : str
        Address; one of this machine's own loopback unless ``public``.
    port : int
        0 takes a free one.
    public : bool
        Whether other machines may reach it.

    Raises
    ------
    ConfigError
        If the address is not loopback and nobody said that it may be.
    """

    def __init__(
        self,
        application: Application,
        clock: Clock,
        settings: SocketSettings | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        public: bool = False,
    ) -> None:
        if host not in LOOPBACK and not public:
            raise ConfigError(
                f"host was {host!r}, which other machines reach; expected one of "
                f"{', '.join(sorted(LOOPBACK))}, or leave to be public"
            )
        self._application = application
        self._clock = clock
        self._settings = settings or SocketSettings()
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()

    @property
    def connections(self) -> int:
        """How many connections stand."""
        return len(self._connections)

    async def start(self) -> int:
        """Listen, and return the port.

        Raises
        ------
        ConfigError
            If the address cannot be used.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                self._connection, self._host, self._port, backlog=1024
            )
        except OSError as error:
            raise ConfigError(
                f"port {self._port} on {self._host} cannot be used: {error.strerror}; "
                "choose another with --port"
            ) from error
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self, patience: float = 1.0) -> None:
        """Take no more connections, close politely, and at once after so many real seconds."""
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._connections):
            connection.end(_GOING_AWAY, "The venue is closing")
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        while self._connections and loop.time() < end:
            await asyncio.sleep(0.01)
        for connection in tuple(self._connections):
            connection.abort()
        await self._server.wait_closed()
        self._server = None

    def drop_all(self) -> None:
        """Reset every connection, as when a network fails."""
        for connection in tuple(self._connections):
            connection.reset()

    def _connection(self) -> Connection:
        return Connection(self._application, self._clock, self._settings, self._register)

    def _register(self, connection: Connection, standing: bool) -> None:
        if standing:
            self._connections.add(connection)
        else:
            self._connections.discard(connection)

"""A WebSocket as the venue sees it: frames by the sans-I/O protocol of ``websockets``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request as Opening
from websockets.protocol import State
from websockets.server import ServerProtocol

from tidewright.servers.venue.clock import Alarm, Clock
from tidewright.servers.venue.wire.values import Reply, Request, reset_connection


@dataclass(frozen=True, slots=True)
class SocketSettings:
    """How long sockets live and how much they may hold; seconds of venue time, and bytes.

    Parameters
    ----------
    ping_every : float
        Between two pings of the server.
    pong_within : float
        Without a pong for this long, the socket is closed.
    life : float
        After this long, every socket is closed.
    warning : float
        `Socket.on_shutdown` comes this long before the end of its life.
    write_limit : int
        A reader that lets more than this pile up is cut off.
    message_limit : int
        Longest message that is taken.
    """

    ping_every: float = 20.0
    pong_within: float = 60.0
    life: float = 86_400.0
    warning: float = 600.0
    write_limit: int = 4 * 2**20
    message_limit: int = 2**16


def _nothing() -> None:
    """Stand in for a callback that nobody set."""


def _ignore(text: str) -> None:
    """Stand in for a reader of messages that nobody set."""


class Socket:
    """One WebSocket, from its opening to its end.

    Its owner sets the callbacks; all of them are called in the server's event loop, and nothing is
    called after `on_close`.

    Parameters
    ----------
    request : Request
        The request that opened it.
    transport : asyncio.Transport
        Where its bytes go.
    clock : Clock
        Measures its life.
    settings : SocketSettings
        How long and how much.

    Attributes
    ----------
    on_open, on_close : callable
        The opening was answered; the socket is no more, whoever ended it.
    on_text : callable
        A whole message came.
    on_heartbeat : callable
        A ping or a pong came; the venue counts them as messages.
    on_shutdown : callable
        The venue will soon close the socket.
    gate : callable or None
        When set, `send` hands each text to it instead of the network; it may `transmit` the text
        later, twice, changed or never.
    """

    def __init__(
        self,
        request: Request,
        transport: asyncio.Transport,
        clock: Clock,
        settings: SocketSettings,
    ) -> None:
        self.request = request
        self.on_open: Callable[[], None] = _nothing
        self.on_close: Callable[[], None] = _nothing
        self.on_text: Callable[[str], None] = _ignore
        self.on_heartbeat: Callable[[], None] = _nothing
        self.on_shutdown: Callable[[], None] = _nothing
        self.gate: Callable[[bytes], None] | None = None
        self._transport = transport
        self._clock = clock
        self._settings = settings
        self._protocol = ServerProtocol(
            extensions=[
                ServerPerMessageDeflateFactory(
                    server_max_window_bits=12,
                    client_max_window_bits=12,
                    compress_settings={"memLevel": 5},
                )
            ],
            max_size=settings.message_limit,
        )
        self._parts: list[bytes] = []
        self._heard = 0
        self._ended = False
        self._alarms: dict[str, Alarm] = {}

    @property
    def is_open(self) -> bool:
        """Whether texts can still be sent."""
        return self._protocol.state is State.OPEN and not self._transport.is_closing()

    def send(self, text: bytes) -> None:
        """Send one message, UTF-8; without effect once the socket is closing."""
        if self.gate is not None:
            self.gate(text)
        else:
            self.transmit(text)

    def transmit(self, text: bytes) -> None:
        """Send one message past the gate."""
        if self.is_open:
            self._protocol.send_text(text)
            self._flush()

    def ping(self) -> None:
        """Send a ping."""
        if self.is_open:
            self._protocol.send_ping(b"%d" % (self._clock.now() // 1_000_000))
            self._flush()

    def close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Begin to close: the other side is told, and has ten seconds to agree."""
        if self.is_open:
            self._protocol.send_close(code, reason)
            self._flush()
            self._set("farewell", 10.0, self.abort)

    def abort(self) -> None:
        """End at once, without a word."""
        self._transport.abort()

    def reset(self) -> None:
        """End at once with a reset, so that the other side sees a connection error."""
        reset_connection(self._transport)

    # What follows is called by the connection.

    def accept(self, headers: bytes) -> Reply | None:
        """Make the opening answer; return why not, when it is no WebSocket request.

        Parameters
        ----------
        headers : bytes
            Header lines of the opening request, each with its line end.
        """
        # The target was read already, and may be longer than the protocol's parser would take.
        self._protocol.receive_data(b"GET / HTTP/1.1\r\n" + headers + b"\r\n")
        opening = [one for one in self._protocol.events_received() if isinstance(one, Opening)]
        if not opening:
            return Reply(400, b"Bad Request", (), "text/plain")
        response = self._protocol.accept(opening[0])
        if response.status_code != 101:
            return Reply(response.status_code, bytes(response.body or b""), (), "text/plain")
        self._protocol.send_response(response)
        return None

    def begin(self) -> None:
        """Send the opening answer and start to live."""
        self._heard = self._clock.now()
        self._flush()
        settings = self._settings
        self._set("beat", settings.ping_every, self._beat)
        self._set("warning", settings.life - settings.warning, self._warn)
        self.on_open()

    def receive(self, data: bytes) -> None:
        """Take bytes from the network."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            self._take(cast("Frame", event))
        self._flush()
        if self._protocol.close_expected() and not self._ended:
            self._transport.close()

    def receive_end(self) -> None:
        """Take that the other side sends no more."""
        if not self._ended:
            self._protocol.receive_eof()
            self._protocol.events_received()
            self._flush()

    def end(self) -> None:
        """Take that the connection is gone."""
        if self._ended:
            return
        self._ended = True
        for alarm in self._alarms.values():
            alarm.cancel()
        self._alarms.clear()
        self.on_close()

    def _take(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            if frame.opcode is Opcode.PONG:
                self._heard = self._clock.now()
            self.on_heartbeat()
        elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
            self._parts.append(bytes(frame.data))
            if frame.fin:
                whole, self._parts = b"".join(self._parts), []
                self._hand_over(whole)
        elif frame.opcode is Opcode.BINARY:
            self.close(CloseCode.UNSUPPORTED_DATA, "expected text")

    def _hand_over(self, whole: bytes) -> None:
        try:
            text = whole.decode()
        except UnicodeDecodeError:
            self.close(CloseCode.INVALID_DATA, "expected UTF-8")
            return
        if self.is_open:
            self.on_text(text)

    def _flush(self) -> None:
        if self._ended:
            return
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
        if self._transport.get_write_buffer_size() > self._settings.write_limit:
            self.abort()

    def _set(self, name: str, delay: float, call: Callable[[], None]) -> None:
        self._alarms[name] = self._clock.call_later(max(delay, 0.0), call)

    def _beat(self) -> None:
        if self._clock.now() - self._heard >= self._settings.pong_within * 1e9:
            self.close(CloseCode.POLICY_VIOLATION, "Pong timeout")
            return
        self.ping()
        self._set("beat", self._settings.ping_every, self._beat)

    def _warn(self) -> None:
        self.on_shutdown()
        self._set("warning", self._settings.warning, self._finish)

    def _finish(self) -> None:
        self.close(CloseCode.GOING_AWAY, "Disconnected after 24 hours")

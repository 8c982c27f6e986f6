"""One connection: HTTP/1.1 with keep-alive and pipelining, until it becomes a WebSocket.

Requests are handed over as they come, and answered in their order whatever order the answers are
ready in; each waits in a slot. A `Delivery` is carried out when its slot is the first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import cast

import httptools

from tidewright.servers.venue.clock import Alarm, Clock
from tidewright.servers.venue.wire.socket import Socket, SocketSettings
from tidewright.servers.venue.wire.values import (
    Application,
    Delivery,
    Reply,
    Request,
    reset_connection,
)

_LARGEST = 2**20
"""Most bytes of one request, headers included."""
_MOST_UNANSWERED = 256
"""With so many requests in wait the connection is not read."""


class _Slot:
    """A request's place in the order of answers."""

    __slots__ = ("bodiless", "delivery", "keep")

    def __init__(self, *, keep: bool, bodiless: bool) -> None:
        self.keep = keep
        self.bodiless = bodiless
        self.delivery: Delivery | None = None


class Connection(asyncio.Protocol):
    """Speaks with one client.

    Parameters
    ----------
    application : Application
        Answers requests and takes sockets.
    clock : Clock
        Measures delays and the lives of sockets.
    settings : SocketSettings
        Of a WebSocket that it may become.
    register : callable
        Told of the connection and whether it stands.
    """

    def __init__(
        self,
        application: Application,
        clock: Clock,
        settings: SocketSettings,
        register: Callable[[Connection, bool], None],
    ) -> None:
        self._application = application
        self._clock = clock
        self._settings = settings
        self._register = register
        self._parser = httptools.HttpRequestParser(self)
        self._slots: deque[_Slot] = deque()
        self._socket: Socket | None = None
        self._delayed: Alarm | None = None
        self._clogged = self._closing = False
        self._size = 0
        self._received = 0
        self._peer = ""
        self._url = b""
        self._headers: dict[str, str] = {}
        self._raw: list[bytes] = []
        self._body: list[bytes] = []
        self._transport: asyncio.Transport

    # The event loop calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a new connection, or reset it."""
        self._transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        self._peer = str(name[0]) if name else ""
        self._register(self, True)
        if not self._application.connect(self._peer):
            self.reset()

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        if self._socket is not None:
            self._socket.receive(data)
            return
        if self._closing:
            return
        self._received = self._clock.now()
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ or error from None
        except httptools.HttpParserError:
            self._refuse(Reply(400, b"Bad Request", (), "text/plain"))
        if self._size > _LARGEST:
            self._refuse(Reply(413, b"Payload Too Large", (), "text/plain"))
        if len(self._slots) >= _MOST_UNANSWERED:
            self._regulate()

    def eof_received(self) -> bool:
        """Take that the other side sends no more; what it asked for is still answered."""
        if self._socket is not None:
            self._socket.receive_end()
            return False
        self._closing = True
        return bool(self._slots)

    def connection_lost(self, exception: Exception | None) -> None:
        """Forget the connection."""
        self._closing = True
        self._slots.clear()
        if self._delayed is not None:
            self._delayed.cancel()
        self._register(self, False)
        if self._socket is not None:
            self._socket.end()

    def pause_writing(self) -> None:
        """Read no more requests while answers pile up."""
        self._clogged = True
        self._regulate()

    def resume_writing(self) -> None:
        """Read on."""
        self._clogged = False
        self._regulate()

    # The parser calls these.

    def on_message_begin(self) -> None:
        """Start a request."""
        self._url = b""
        self._headers = {}
        self._raw = []
        self._body = []

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")
        self._raw.append(name + b": " + value + b"\r\n")

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Hand a whole request over."""
        self._size = 0
        if self._closing or self._parser.should_upgrade():
            return
        keep = self._parser.should_keep_alive()
        self._ask(self._request(), keep=keep)

    # What the owner of the connections may do.

    def end(self, code: int, reason: str) -> None:
        """Close politely: a WebSocket with a code, anything else after what is being answered."""
        if self._socket is not None:
            self._socket.close(code, reason)
        else:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def reset(self) -> None:
        """Close with a reset, so that the other side sees a connection error."""
        self._closing = True
        reset_connection(self._transport)

    def _request(self) -> Request:
        url = self._url
        if not url.startswith(b"/"):
            parts = httptools.parse_url(url)
            url = (parts.path or b"/") + (b"?" + parts.query if parts.query else b"")
        path, _, query = url.decode("latin-1").partition("?")
        return Request(
            self._parser.get_method().decode("latin-1"),
            path,
            query,
            b"".join(self._body),
            self._headers,
            self._peer,
            self._received,
        )

    def _ask(self, request: Request, *, keep: bool) -> None:
        slot = _Slot(keep=keep, bodiless=request.method == "HEAD")
        self._slots.append(slot)
        if not keep:
            self._closing = True
        self._application.handle(request, partial(self._answer, slot))

    def _answer(self, slot: _Slot, delivery: Delivery) -> None:
        if slot.delivery is None:
            slot.delivery = delivery
            self._drain()

    def _drain(self) -> None:
        slots = self._slots
        before = len(slots)
        while slots and self._delayed is None and not self._transport.is_closing():
            slot = slots[0]
            delivery = slot.delivery
            if delivery is None:
                break
            if delivery.delay > 0:
                self._delayed = self._clock.call_later(delivery.delay, self._after_delay)
                break
            slots.popleft()
            self._deliver(slot, delivery)
        if before >= _MOST_UNANSWERED:
            self._regulate()

    def _after_delay(self) -> None:
        self._delayed = None
        if self._slots:
            slot = self._slots.popleft()
            if slot.delivery is not None:
                self._deliver(slot, slot.delivery)
        self._drain()

    def _deliver(self, slot: _Slot, delivery: Delivery) -> None:
        if delivery.reset:
            self.reset()
            return
        if delivery.reply is None:
            # Answers leave in order, so nothing can follow the one that never comes.
            self._closing = True
            self._slots.clear()
            return
        data = delivery.reply.encode(keep=slot.keep, bodiless=slot.bodiless)
        if delivery.cut is not None:
            self._transport.write(data[: delivery.cut])
            self._closing = True
            self._transport.close()
            return
        self._transport.write(data)
        if not slot.keep or (self._closing and not self._slots):
            self._transport.close()

    def _refuse(self, reply: Reply) -> None:
        if not self._closing:
            self._closing = True
            slot = _Slot(keep=False, bodiless=False)
            self._slots.append(slot)
            self._answer(slot, Delivery(reply))

    def _upgrade(self, rest: bytes) -> None:
        if self._closing:
            return
        request = self._request()
        if self._headers.get("upgrade", "").lower() != "websocket" or self._slots:
            # Another protocol is not spoken here: answered as if it had not been offered.
            self._ask(request, keep=False)
            return
        opened = Socket(request, self._transport, self._clock, self._settings)
        refusal = opened.accept(b"".join(self._raw)) or self._application.open_socket(opened)
        if refusal is not None:
            self._refuse(refusal)
            return
        self._socket = opened
        self._transport.resume_reading()
        opened.begin()
        if rest:
            opened.receive(rest)

    def _regulate(self) -> None:
        if self._socket is not None or self._transport.is_closing():
            return
        if self._clogged or len(self._slots) >= _MOST_UNANSWERED:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

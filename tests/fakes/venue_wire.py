"""A clock that a test turns by hand, and an application that answers what a test says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from tidewright.servers.venue.wire import (
    Delivery,
    Listener,
    Reply,
    Request,
    Respond,
    Socket,
    SocketSettings,
)


class Alarm:
    def __init__(self, due: int, call: Callable[[], None]) -> None:
        self.due = due
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class TurnedClock:
    """Time passes when a test says so, and what is due then is called in its order."""

    def __init__(self, start: int = 1_700_000_000_000_000_000) -> None:
        self._now = start
        self._alarms: list[Alarm] = []

    def now(self) -> int:
        return self._now

    def call_later(self, delay: float, call: Callable[[], None]) -> Alarm:
        alarm = Alarm(self._now + int(delay * 1e9), call)
        self._alarms.append(alarm)
        return alarm

    def turn(self, seconds: float) -> None:
        end = self._now + int(seconds * 1e9)
        while due := [one for one in self._alarms if one.call is not None and one.due <= end]:
            first = min(due, key=lambda one: one.due)
            self._alarms.remove(first)
            self._now = max(self._now, first.due)
            if first.call is not None:
                first.call()
        self._now = end


class Told:
    """Answers with the path, or as the test's own rule says; sockets echo."""

    def __init__(self, rule: Callable[[Request, Respond], None] | None = None) -> None:
        self.rule = rule or (lambda request, respond: respond(Delivery(Reply(200, b"{}"))))
        self.requests: list[Request] = []
        self.sockets: list[Socket] = []
        self.refusal: Reply | None = None
        self.takes = True
        self.events: list[str] = []

    def connect(self, peer: str) -> bool:
        return self.takes

    def handle(self, request: Request, respond: Respond) -> None:
        self.requests.append(request)
        self.rule(request, respond)

    def open_socket(self, socket: Socket) -> Reply | None:
        if self.refusal is not None:
            return self.refusal
        self.sockets.append(socket)
        socket.on_open = lambda: self.events.append("open")
        socket.on_close = lambda: self.events.append("close")
        socket.on_shutdown = lambda: self.events.append("shutdown")
        socket.on_heartbeat = lambda: self.events.append("heartbeat")
        socket.on_text = lambda text: socket.send(text.encode())
        return None


@contextlib.asynccontextmanager
async def listening(
    application: Told, clock: TurnedClock, settings: SocketSettings | None = None
) -> AsyncIterator[int]:
    listener = Listener(application, clock, settings)
    port = await listener.start()
    try:
        yield port
    finally:
        await listener.stop(patience=0.2)


async def exchange_bytes(port: int, sent: bytes, *, parts: int = 1) -> bytes:
    """Send bytes, in several writes, and return all that comes until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    size = -(-len(sent) // parts)
    for start in range(0, len(sent), size):
        writer.write(sent[start : start + size])
        await writer.drain()
        await asyncio.sleep(0)
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until something is so."""
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came to be")

"""Live messages: a WebSocket for the page, Server-Sent Events for scripts."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator

from fastapi import APIRouter, HTTPException, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse

from tidewright.app.page.books import book_view
from tidewright.app.page.queries import Services
from tidewright.app.page.read_models import Role
from tidewright.app.page.stream import Stream, Subscription
from tidewright.servers.api.guard import COOKIE, GUARDED, allowed, own_origin, role, session_of

CONNECTION_LIMIT = 16
"""Live connections of one session; a page has two."""

BOOK_SECONDS = 0.25
"""Time between two looks at an order book."""

events = APIRouter(dependencies=[GUARDED])
sockets = APIRouter()


class Connections:
    """How many live connections each session holds."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextlib.contextmanager
    def one_more(self, key: str) -> Iterator[bool]:
        """Yield whether there was room for one more."""
        self._open[key] += 1
        try:
            yield self._open[key] <= CONNECTION_LIMIT
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]


@sockets.websocket("/api/v1/stream")
@role(Role.VIEWER)
async def stream(socket: WebSocket) -> None:
    """Send a snapshot, then deltas, until either side leaves or the session ends."""
    async with _accepted(socket) as open_:
        if open_:
            live: Stream = socket.app.state.stream
            async with live.subscribe() as messages:
                await _send_until_gone(socket, _send(socket, messages))


@sockets.websocket("/api/v1/book/stream")
@role(Role.VIEWER)
async def book_stream(socket: WebSocket, instrument: str = "") -> None:
    """Send the order book of an instrument whenever it has changed, a few times a second."""
    async with _accepted(socket) as open_:
        if open_:
            await _send_until_gone(socket, _send_book(socket, instrument))


@contextlib.asynccontextmanager
async def _accepted(socket: WebSocket) -> AsyncIterator[bool]:
    """Accept a connection that may read, or close it; yield whether it is open."""
    settings = socket.app.state.settings
    session = session_of(socket, touch=False)
    if not own_origin(socket, settings) or not allowed(session, Role.VIEWER):
        await socket.close(4403)
        yield False
        return
    with socket.app.state.connections.one_more(socket.cookies[COOKIE]) as room:
        await (socket.accept() if room else socket.close(4429))
        yield room


async def _send_until_gone(socket: WebSocket, messages: Coroutine[None, None, None]) -> None:
    sending = asyncio.create_task(messages)
    try:
        with contextlib.suppress(WebSocketDisconnect):
            await _until_gone(socket, sending)
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sending


async def _until_gone(socket: WebSocket, sending: asyncio.Task[None]) -> None:
    while not sending.done():
        receiving = asyncio.create_task(socket.receive_text())
        done, _ = await asyncio.wait({receiving, sending}, return_when=asyncio.FIRST_COMPLETED)
        if receiving in done:
            receiving.result()
        else:
            receiving.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect):
                await receiving


async def _send(socket: WebSocket, messages: Subscription) -> None:
    async for message in messages:
        if session_of(socket, touch=False) is None:
            await socket.close(4401)
            return
        await socket.send_text(message.decode())


async def _send_book(socket: WebSocket, instrument: str) -> None:
    services: Services = socket.app.state.services
    shown = None
    while session_of(socket, touch=False) is not None:
        picture = services.view.books.look(instrument)
        if picture is not None and picture is not shown:
            shown = picture
            await socket.send_text(book_view(picture).model_dump_json())
        await asyncio.sleep(BOOK_SECONDS)
    await socket.close(4401)


@events.get("/api/v1/events", response_class=StreamingResponse)
@role(Role.VIEWER)
async def server_sent_events(request: Request) -> StreamingResponse:
    """Send the same messages as the WebSocket, as Server-Sent Events."""
    if "origin" in request.headers and not own_origin(request, request.app.state.settings):
        raise HTTPException(403, "the request did not come from this page")
    return StreamingResponse(_lines(request), media_type="text/event-stream")


async def _lines(request: Request) -> AsyncIterator[bytes]:
    live: Stream = request.app.state.stream
    with request.app.state.connections.one_more(request.cookies[COOKIE]) as room:
        if not room:
            return
        async with live.subscribe() as messages:
            async for message in messages:
                if session_of(request, touch=False) is None:
                    return
                yield b"data: " + message + b"\n\n"

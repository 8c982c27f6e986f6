"""What comes in, what goes out, and what may happen to it on the way."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tidewright.servers.venue.wire.socket import Socket

JSON = "application/json;charset=UTF-8"
_NO_LINGER = struct.pack("ii", 1, 0)
_REASONS = {int(status): status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, as its bytes said it.

    Parameters
    ----------
    method, path, query : str
        The path without its query, the query without its question mark; both still encoded.
    body : bytes
        What followed the headers.
    headers : mapping of str to str
        Names in lower case; of a header that came twice, the last.
    peer : str
        IP address of the other side.
    received : int
        Venue time of its last byte, nanoseconds UTC.
    """

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    peer: str = "127.0.0.1"
    received: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON

    def encode(self, *, keep: bool, bodiless: bool = False) -> bytes:
        """Return the answer's bytes.

        Parameters
        ----------
        keep : bool
            Whether the connection stays open.
        bodiless : bool
            Whether the body is told of but not sent, as to HEAD.
        """
        lines = [
            f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Unknown')}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            "Connection: keep-alive" if keep else "Connection: close",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        return head if bodiless else head + self.body


@dataclass(frozen=True, slots=True)
class Delivery:
    """An answer and what becomes of it between the server and the network.

    Parameters
    ----------
    reply : Reply or None
        What was answered; None is never answered, and what comes later on the connection neither.
    delay : float
        Seconds of venue time before its first byte leaves.
    cut : int or None
        The connection closes after so many bytes, headers counted.
    reset : bool
        The connection is reset instead of answered.
    """

    reply: Reply | None
    delay: float = 0.0
    cut: int | None = None
    reset: bool = False


Respond = Callable[[Delivery], None]
"""Takes the answer to one request: once, now or later."""


class Application(Protocol):
    """What stands behind the wire."""

    def connect(self, peer: str) -> bool:
        """Tell whether a new connection is taken; it is reset otherwise."""

    def handle(self, request: Request, respond: Respond) -> None:
        """Answer a request, now or later; answers leave in the order of their requests."""

    def open_socket(self, socket: Socket) -> Reply | None:
        """Take a WebSocket, whose callbacks may be set here, or say why not.

        Nothing can be sent before this returned None; `Socket.on_open` comes right after.
        """


def reset_connection(transport: asyncio.Transport) -> None:
    """End a connection so that the other side sees an error, and no end of a stream."""
    own = transport.get_extra_info("socket")
    if own is not None:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()

"""One connection that listens to market streams."""

from __future__ import annotations

from collections import deque
from urllib.parse import parse_qsl, unquote

import orjson
from websockets.frames import CloseCode

from tidewright.domain.time import SECOND
from tidewright.servers.venue.clock import Clock
from tidewright.servers.venue.streams.control import Subscriptions
from tidewright.servers.venue.streams.market import MarketStreams
from tidewright.servers.venue.wire import Reply, Request, Socket
from tidewright.servers.venue.writers import MICROSECONDS, MILLISECONDS

MESSAGES_PER_SECOND = 5
"""Messages, pings and pongs that a listener may send in a second."""

_UNITS = {
    "MICROSECOND": MICROSECONDS,
    "microsecond": MICROSECONDS,
    "MILLISECOND": MILLISECONDS,
    "millisecond": MILLISECONDS,
}
_WRONG_UNIT = (
    b'{"code":-1194,"msg":"Invalid value for time unit; expected either MICROSECOND or '
    b'MILLISECOND."}'
)


def time_unit(request: Request) -> int | Reply:
    """Return the nanoseconds in the unit that an address asks for, or why it is refused."""
    asked = dict(parse_qsl(request.query)).get("timeUnit", "MILLISECOND")
    return _UNITS.get(asked) or Reply(400, _WRONG_UNIT)


def named_streams(request: Request) -> tuple[str, ...]:
    """Return the streams that an address names; a bare number, as some clients add, is none."""
    if request.path.startswith("/ws"):
        text = request.path.removeprefix("/ws").removeprefix("/")
    else:
        text = dict(parse_qsl(request.query)).get("streams", "")
    names = (unquote(part) for part in text.split("/"))
    return tuple(name for name in names if name and not name.isdigit())


class MarketListener:
    """Takes what a client says, and is told what it listens to.

    Parameters
    ----------
    socket : Socket
        The connection; its callbacks are set here.
    streams : MarketStreams
        What may be listened to.
    clock : Clock
        Measures how fast the client speaks.
    unit : int
        Nanoseconds in the unit of time of its events.
    """

    def __init__(self, socket: Socket, streams: MarketStreams, clock: Clock, unit: int) -> None:
        self._socket = socket
        self._streams = streams
        self._clock = clock
        self._subscriptions = Subscriptions(
            named_streams(socket.request), combined=socket.request.path.startswith("/stream")
        )
        self._said: deque[int] = deque(maxlen=MESSAGES_PER_SECOND)
        self.unit = unit
        socket.on_open = self._begin
        socket.on_text = self._take
        socket.on_heartbeat = self._count
        socket.on_close = self._end
        socket.on_shutdown = self._say_shutdown

    @property
    def combined(self) -> bool:
        """Whether events come wrapped with the name of their stream."""
        return self._subscriptions.combined

    def send(self, text: bytes) -> None:
        """Send one message."""
        self._socket.send(text)

    def _begin(self) -> None:
        now = self._clock.now()
        for name in self._subscriptions.names:
            self._streams.listen(name, self, now)

    def _take(self, text: str) -> None:
        self._count()
        if not self._socket.is_open:
            return
        answer = self._subscriptions.answer(text)
        for name in answer.removed:
            self._streams.leave(name, self)
        self._socket.send(answer.text)
        for name in answer.added:
            self._streams.listen(name, self, self._clock.now())
        if answer.closes:
            self._socket.close(CloseCode.POLICY_VIOLATION, "Invalid request")

    def _count(self) -> None:
        """Count one message; one too many closes the socket."""
        now, said = self._clock.now(), self._said
        if len(said) == MESSAGES_PER_SECOND and now - said[0] < SECOND:
            self._socket.close(CloseCode.POLICY_VIOLATION, "Too many requests")
        said.append(now)

    def _say_shutdown(self) -> None:
        event = {"e": "serverShutdown", "E": self._clock.now() // self.unit}
        self._socket.send(orjson.dumps(event))

    def _end(self) -> None:
        for name in self._subscriptions.names:
            self._streams.leave(name, self)

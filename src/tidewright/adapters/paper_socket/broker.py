"""A broker that talks to a paper venue in another process.

Questions may be repeated and are, over a new connection, until patience runs out. Commands are
sent once: when the answer does not come the order is UNKNOWN, and only a query settles it. The
first call that gets through after a loss also brings every event that was missed.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence

from tidewright.adapters.paper_socket.wire import (
    Answer,
    WireError,
    read_answer,
    write_bar,
    write_intent,
    write_request,
)
from tidewright.domain.errors import Transient
from tidewright.domain.events import AccountReported, AnswerLost, OrderNotFound, VenueEvent
from tidewright.domain.facts import CancelOrder, Command, SubmitOrder
from tidewright.domain.market import Bar

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0
_END = 2**62


class _Lost(Exception):
    """A request got no answer that can be used."""


class PaperSocketBroker:
    """The paper venue at ``host:port``, as a broker.

    Parameters
    ----------
    host : str
        Where the venue listens.
    port : int
        Its port.
    timeout_seconds : float
        How long one answer may take.
    patience_seconds : float
        How long a question is repeated before the venue counts as unreachable.
    """

    def __init__(
        self,
        host: str,
        port: int,
        timeout_seconds: float = 5.0,
        patience_seconds: float = 30.0,
    ) -> None:
        self._address = (host, port)
        self._timeout = timeout_seconds
        self._patience = patience_seconds
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._number = 0
        self._seen: int | None = None
        self._now = 0

    def observe(self, bars: Sequence[Bar]) -> Sequence[VenueEvent]:
        """Let the venue meet bars and return what happened there.

        Raises
        ------
        Transient
            If the venue stays unreachable; the bars may be shown again.
        """
        self._now = max([self._now, *(bar.ts_known for bar in bars)])
        written = [write_bar(bar) for bar in bars]
        return self._insist(lambda: self._follow("observe", bars=written))

    def execute(self, command: Command) -> Sequence[VenueEvent]:
        """Send one command, once, and return its answer or `AnswerLost`."""
        arguments: dict[str, object]
        if isinstance(command, SubmitOrder):
            intent = command.order.intent
            client_id = intent.client_id
            self._now = max(self._now, intent.ts_decided)
            name, arguments = "place", {"intent": write_intent(intent)}
        else:
            client_id = command.client_id
            name = "cancel" if isinstance(command, CancelOrder) else "query"
            arguments = {"client_id": client_id}
        try:
            return self._follow(name, **arguments)
        except _Lost as error:
            return (AnswerLost(client_id, str(error), self._now),)

    def events_since(self, venue_sequence: int) -> Sequence[VenueEvent]:
        """Return the venue's events with a sequence above the given one, in order.

        Raises
        ------
        Transient
            If the venue stays unreachable.
        """
        return self._insist(lambda: self._since(venue_sequence))

    def account(self) -> AccountReported:
        """Return what the venue holds for the account.

        Raises
        ------
        Transient
            If the venue stays unreachable.
        """
        (report,) = self._insist(lambda: self._ask("account").events)
        if not isinstance(report, AccountReported):
            raise Transient(f"the paper venue answered {report!r}; expected its account")
        return report

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._buffer.clear()

    def _insist(self, ask: Callable[[], tuple[VenueEvent, ...]]) -> tuple[VenueEvent, ...]:
        end = time.monotonic() + self._patience
        pause = _FIRST_PAUSE
        while True:
            try:
                return ask()
            except _Lost as error:
                if time.monotonic() + pause > end:
                    host, port = self._address
                    raise Transient(
                        f"the paper venue at {host}:{port} did not answer for "
                        f"{self._patience:g} s: {error}"
                    ) from error
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _follow(self, name: str, **arguments: object) -> tuple[VenueEvent, ...]:
        """Ask, and make sure that no event between the last answer and this one is missed.

        An answer that does not account for every sequence since then shows that events were lost
        or came from a request whose answer was; they are fetched and go before what was answered.
        """
        if self._seen is None:
            self._since(_END)
        seen = self._seen or 0
        answer = self._ask(name, **arguments)
        fresh = tuple(event for event in answer.events if _sequence(event) > seen)
        told_again = tuple(event for event in answer.events if _sequence(event) <= seen)
        if len(fresh) != answer.last - seen:
            return self._since(seen) + told_again
        self._seen = answer.last
        return fresh + told_again

    def _since(self, venue_sequence: int) -> tuple[VenueEvent, ...]:
        answer = self._ask("since", sequence=venue_sequence)
        self._seen = answer.last
        return answer.events

    def _ask(self, name: str, **arguments: object) -> Answer:
        """Send a request and wait for its answer; any doubt ends the connection."""
        self._number += 1
        try:
            connection = self._connected()
            connection.sendall(write_request(self._number, name, **arguments))
            answer = read_answer(self._line(connection), self._number)
        except (OSError, WireError) as error:
            self.close()
            raise _Lost(f"{name}: {error or type(error).__name__}") from error
        return answer

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _line(self, connection: socket.socket) -> bytes:
        end = time.monotonic() + self._timeout
        while (position := self._buffer.find(b"\n")) < 0:
            connection.settimeout(max(end - time.monotonic(), 0.001))
            chunk = connection.recv(1 << 16)
            if not chunk:
                raise ConnectionResetError("the venue closed the connection")
            self._buffer += chunk
        line = bytes(self._buffer[:position])
        del self._buffer[: position + 1]
        return line


def _sequence(event: VenueEvent) -> int:
    """Return the sequence of an event that the venue numbers, 0 for any other."""
    if isinstance(event, AccountReported | AnswerLost | OrderNotFound):
        return 0
    return event.venue_sequence

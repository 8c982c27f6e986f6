"""Answers HTTP requests from the venue, and hands WebSockets to whoever speaks on them."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

import orjson

from tidewright.servers.venue import errors, parameters, signing
from tidewright.servers.venue.endpoint import NOBODY, Endpoint, Sent
from tidewright.servers.venue.ledger_file import LEDGER_PATH, lines
from tidewright.servers.venue.rest.routes import GONE_PATHS, PATHS, ROUTES
from tidewright.servers.venue.venue import Venue
from tidewright.servers.venue.wire import Delivery, Reply, Request, Respond, Socket
from tidewright.servers.venue.writers import MICROSECONDS, MILLISECONDS

OpenSocket = Callable[[Socket], Reply | None]
_HTML = "text/html;charset=UTF-8"
_NOT_FOUND = Reply(404, errors.NOT_FOUND_PAGE, (), _HTML)
_NO_VERB = Reply(405, b"<html><body><h2>405 Method not allowed</h2></body></html>", (), _HTML)
_GONE = Reply(
    410,
    b"<html>\r\n<head><title>410 Gone</title></head>\r\n<body>\r\n<center><h1>410 Gone</h1>"
    b"</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
    (),
    "text/html",
)
_UNITS = {"": MILLISECONDS, "MILLISECOND": MILLISECONDS, "MICROSECOND": MICROSECONDS}


class RestApplication:
    """The application behind the wire.

    Parameters
    ----------
    venue : Venue
        What requests are answered from.
    open_socket : callable, optional
        Takes WebSockets; without it there are none.
    """

    def __init__(self, venue: Venue, open_socket: OpenSocket | None = None) -> None:
        self._venue = venue
        self._open_socket = open_socket

    def connect(self, peer: str) -> bool:
        """Take every connection."""
        return True

    def open_socket(self, socket: Socket) -> Reply | None:
        """Hand a WebSocket over, or say that there are none."""
        return self._open_socket(socket) if self._open_socket is not None else _NOT_FOUND

    def handle(self, request: Request, respond: Respond) -> None:
        """Answer a request, then tell what it did to whoever listens."""
        respond(Delivery(self.answer(request)))
        self._venue.publish()

    def answer(self, request: Request) -> Reply:
        """Return the answer to a request."""
        endpoint = ROUTES.get((request.method, request.path))
        if endpoint is None:
            return self._without_endpoint(request)
        try:
            return self._perform(endpoint, request)
        except errors.ApiError as problem:
            return self._refuse(request, problem)
        except Exception:  # noqa: BLE001 - the boundary: a fault is told as -1000 and reported
            traceback.print_exc(file=sys.stderr)
            return self._refuse(request, errors.unknown())

    def _perform(self, endpoint: Endpoint, request: Request) -> Reply:
        venue = self._venue
        body = "" if request.method == "GET" else request.body.decode("latin-1")
        sent: dict[str, str] = {}
        problem: errors.ApiError | None = None
        try:
            sent = parameters.pairs(request.query, body)
        except errors.ApiError as error:
            problem = error
        used = venue.requests.spend(request.peer, endpoint.weigh(sent), venue.clock.now())
        if problem is not None:
            raise problem
        account, told = endpoint.perform(
            venue,
            Sent(
                sent,
                request.headers.get("x-mbx-apikey", ""),
                request.peer,
                (signing.payload(request.query, body),),
                NOBODY,
                _unit(request),
            ),
        )
        headers = self._weight_headers(used)
        if endpoint.counts_orders:
            headers += self._order_headers(account)
        return Reply(200, orjson.dumps(told), headers)

    def _refuse(self, request: Request, problem: errors.ApiError) -> Reply:
        used = self._venue.requests.used(request.peer, self._venue.clock.now())
        headers = self._weight_headers(used)
        if problem.retry_after:
            headers += (("Retry-After", str(problem.retry_after)),)
        return Reply(problem.status, orjson.dumps(problem.body), headers)

    def _without_endpoint(self, request: Request) -> Reply:
        if request.path == LEDGER_PATH:
            exchange = self._venue.exchange
            names = [account.name for account in exchange.accounts]
            return Reply(200, lines(exchange.ledger, names), (), "application/jsonl")
        if request.path in GONE_PATHS:
            return _GONE
        return _NO_VERB if request.path in PATHS else _NOT_FOUND

    def _weight_headers(self, used: int) -> tuple[tuple[str, str], ...]:
        letters = self._venue.limits.weight.letters
        return (
            ("x-mbx-used-weight", str(used)),
            (f"x-mbx-used-weight-{letters.lower()}", str(used)),
        )

    def _order_headers(self, account: int) -> tuple[tuple[str, str], ...]:
        counts = self._venue.orders.counts(account, self._venue.clock.now())
        return tuple(
            (f"x-mbx-order-count-{limit.letters.lower()}", str(count)) for limit, count in counts
        )


def _unit(request: Request) -> int:
    asked = request.headers.get("x-mbx-time-unit", "").upper()
    if asked not in _UNITS:
        text = "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."
        raise errors.ApiError(-1194, text)
    return _UNITS[asked]

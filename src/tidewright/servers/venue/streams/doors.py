"""Where WebSockets come in: market streams, and the WebSocket API."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from tidewright.domain.time import MINUTE
from tidewright.exchange.spot.values import Prevention, Refusal
from tidewright.servers.venue.endpoint import Endpoint
from tidewright.servers.venue.errors import ApiError
from tidewright.servers.venue.streams.account_events import AccountEvents
from tidewright.servers.venue.streams.accounts import AccountStreams
from tidewright.servers.venue.streams.listening import MarketListener, time_unit
from tidewright.servers.venue.streams.market import MarketStreams
from tidewright.servers.venue.streams.methods import ROUTES, SESSION_WEIGHT
from tidewright.servers.venue.streams.names import FAST
from tidewright.servers.venue.streams.pump import Pump
from tidewright.servers.venue.streams.session import ApiSession
from tidewright.servers.venue.venue import Venue
from tidewright.servers.venue.wire import Reply, Socket

MOST_OPENINGS = 300
"""WebSockets that one address may open in `OPENINGS_SPAN`."""
OPENINGS_SPAN = 5 * MINUTE


class Streams:
    """Everything that the venue says by WebSocket.

    Parameters
    ----------
    venue : Venue
        What is told of, and asked.
    routes : mapping of (str, str) to Endpoint
        What answers a verb and a path of the REST API.
    period : int
        Nanoseconds between two beats of the timed streams.
    """

    def __init__(
        self, venue: Venue, routes: Mapping[tuple[str, str], Endpoint], period: int = FAST
    ) -> None:
        self._venue = venue
        exchange = venue.exchange
        self.markets = MarketStreams(exchange.tape, tuple(exchange.listings))
        self.accounts = AccountStreams(AccountEvents(self._name, self._prevention), venue.clock)
        self.pump = Pump(venue, self.markets, period)
        self._endpoints = {
            method: routes[route] for method, route in ROUTES.items() if route in routes
        }
        self._openings: dict[str, deque[int]] = {}
        venue.listen(self.accounts.tell)
        # What an account did may have moved the market.
        venue.listen(lambda events: self.markets.tell_at_once(venue.clock.now()))

    def open_socket(self, socket: Socket) -> Reply | None:
        """Take a WebSocket, or say why not."""
        request = socket.request
        unit = time_unit(request)
        if isinstance(unit, Reply):
            return unit
        market = request.path in ("/ws", "/stream") or request.path.startswith("/ws/")
        if not market and request.path.rstrip("/") != "/ws-api/v3":
            return Reply(404, b"Not found", (), "text/plain")
        if not self._may_open(request.peer):
            return Reply(429)
        if market:
            MarketListener(socket, self.markets, self._venue.clock, unit)
            return None
        try:
            self._venue.requests.spend(request.peer, SESSION_WEIGHT, self._venue.clock.now())
        except ApiError as error:
            return Reply(error.status)
        ApiSession(socket, self._venue, self._endpoints, self.accounts, unit)
        return None

    def _may_open(self, peer: str) -> bool:
        now = self._venue.clock.now()
        openings = self._openings.setdefault(peer, deque(maxlen=MOST_OPENINGS + 1))
        while openings and openings[0] <= now - OPENINGS_SPAN:
            openings.popleft()
        openings.append(now)
        return len(openings) <= MOST_OPENINGS

    def _name(self, account: int, symbol: str, number: int) -> str:
        try:
            return self._venue.exchange.order(account, symbol, order_id=number).terms.client_id
        except Refusal:
            # One leg of a list may have ended so long ago that nobody remembers it.
            return ""

    def _prevention(self, account: int, symbol: str, number: int) -> Prevention | None:
        found = self._venue.exchange.preventions(account, symbol)
        return next((match for match in found if match.id == number), None)

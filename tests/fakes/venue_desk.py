"""A venue in one process, asked by requests as a client would write them; no sockets."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from fakes.venue_wire import TurnedClock
from tidewright.exchange.spot.accounts import SpotAccount
from tidewright.exchange.spot.defaults import default_exchange_filters, default_listings
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.servers.venue.limits import LimitSettings
from tidewright.servers.venue.rest.application import RestApplication
from tidewright.servers.venue.signing import ApiKey, HmacKey, KeyRing, Permission
from tidewright.servers.venue.venue import Venue
from tidewright.servers.venue.wire import Delivery, Reply, Request

SECRET = "hush"
RICH = {"USDT": 10**14, "BTC": 10**12, "ETH": 10**13}


@dataclass(frozen=True)
class Answer:
    status: int
    body: object
    headers: Mapping[str, str]


class VenueDesk:
    """Accounts ``alice``, ``bob`` and ``carol``, whose keys have their names; carol only looks."""

    def __init__(self, limits: LimitSettings | None = None) -> None:
        self.clock = TurnedClock()
        names = ("alice", "bob", "carol")
        self.exchange = SpotExchange(
            default_listings(),
            [SpotAccount(name, RICH, 1_000, 2_000) for name in names],
            seed=7,
            now=self.clock.now(),
            filters=default_exchange_filters(),
        )
        looks = frozenset({Permission.USER_DATA})
        keys = KeyRing(
            ApiKey(
                name,
                number,
                HmacKey(SECRET),
                looks if name == "carol" else frozenset(Permission),
            )
            for number, name in enumerate(names)
        )
        self.venue = Venue(self.exchange, self.clock, keys, limits)
        self.application = RestApplication(self.venue)

    def ask(
        self,
        method: str,
        path: str,
        query: str = "",
        body: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request just as it is written."""
        found: list[Delivery] = []
        request = Request(
            method,
            path,
            query,
            body.encode("latin-1"),
            headers or {},
            "127.0.0.1",
            self.clock.now(),
        )
        self.application.handle(request, found.append)
        reply = found[0].reply
        assert isinstance(reply, Reply)
        told = json.loads(reply.body) if "application/json;" in reply.content_type else reply.body
        return Answer(reply.status, told, dict(reply.headers))

    def get(self, path: str, **parameters: object) -> Answer:
        return self.ask("GET", f"/api/v3/{path}", urlencode(parameters))

    def signed(self, who: str, method: str, path: str, **parameters: object) -> Answer:
        """Sign a request of an account; what is None is left out."""
        sent = {name: value for name, value in parameters.items() if value is not None}
        sent.setdefault("timestamp", self.clock.now() // 1_000_000)
        text = urlencode(sent)
        signature = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
        whole = f"{text}&signature={signature}"
        query, body = (whole, "") if method in ("GET", "DELETE") else ("", whole)
        path = path if path.startswith("/") else f"/api/v3/{path}"
        return self.ask(method, path, query, body, {"x-mbx-apikey": who})

    def order(self, who: str = "alice", path: str = "order", **changes: object) -> Answer:
        """Place a limit order to buy 0.01 BTCUSDT at 50,000, but for what is changed."""
        terms: dict[str, object] = {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "0.01",
            "price": "50000",
        }
        return self.signed(who, "POST", path, **(terms | changes))

"""Our own Binance client before a whole venue that a fault script spoils."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from fakes.served_venue import KEY, OTHER_KEY, OTHER_SECRET, SECRET, served
from tidewright.adapters.binance.calls import NewOrder
from tidewright.adapters.binance.hosts import Local, on_this_machine
from tidewright.adapters.binance.rest import RestClient, RestSettings
from tidewright.adapters.binance.signing import Credentials, HmacSigner, Signer
from tidewright.domain.orders import Side
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.servers.venue.faults.reading import parse_script
from tidewright.servers.venue.serve import VenueSettings

TRADER = 0


@dataclass
class Desk:
    """A venue without traders, and how to reach it."""

    exchange: SpotExchange
    port: int
    offers: int = 0

    @contextlib.contextmanager
    def client(
        self,
        key: str = KEY,
        signer: Signer | None = None,
        settings: RestSettings | None = None,
    ) -> Iterator[RestClient[Local]]:
        """Open a client; the trader's without a key."""
        credentials = Credentials(Local, key, signer or HmacSigner(SECRET))
        # The first order may have to wait until the exchange's steps are compiled.
        settings = settings or RestSettings(timeout_seconds=300)
        with RestClient(on_this_machine(self.port), credentials, settings) as client:
            yield client

    def offer(self, price: str = "60000", quantity: str = "0.01") -> None:
        """Let another account sell."""
        self.offers += 1
        with self.client(OTHER_KEY, HmacSigner(OTHER_SECRET)) as other:
            other.place(limit(f"offer-{self.offers}", price, quantity, Side.SELL))

    def taken(self, client_id: str) -> int:
        """Return how many orders of an id the venue ever took."""
        return sum(
            1
            for order in self.exchange.all_orders(TRADER, "BTCUSDT")
            if order.terms.client_id == client_id
        )


def limit(
    client_id: str = "mine",
    price: str = "60000",
    quantity: str = "0.01",
    side: Side = Side.BUY,
    symbol: str = "BTCUSDT",
) -> NewOrder:
    """Return a limit order."""
    terms = Decimal(quantity), Decimal(price)
    return NewOrder(symbol, client_id, side, "LIMIT", *terms, time_in_force="GTC")


@contextlib.contextmanager
def binance(rules: str = "") -> Iterator[Desk]:
    """Serve a venue whose books are empty, with the rules of a fault script."""
    faults = parse_script(f"rules:\n{rules}") if rules else None
    with served(VenueSettings(population=None, history=0, faults=faults)) as (server, port):
        desk = Desk(server.exchange, port)
        desk.offer("150000")
        yield desk


def on_order(what: str, nth: str = "") -> str:
    """Return a rule about the trader's orders."""
    count = f", nth: {nth}" if nth else ""
    request = "{method: POST, path: /api/v3/order, account: trader}"
    return f"  - {{when: {{request: {request}{count}}}, do: {what}}}\n"

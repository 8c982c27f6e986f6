"""A whole venue on a loopback port, with accounts whose keys a test knows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tidewright.domain.orders import Side
from tidewright.exchange.agents.population import Population
from tidewright.exchange.spot.accounts import SpotAccount
from tidewright.exchange.spot.defaults import default_listings
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.values import Kind, NewOrder, Placed
from tidewright.servers.venue.clock import Clock, RunningClock
from tidewright.servers.venue.limits import LimitSettings
from tidewright.servers.venue.rest.application import RestApplication
from tidewright.servers.venue.rest.routes import ROUTES
from tidewright.servers.venue.signing import ApiKey, Ed25519Key, HmacKey, KeyRing
from tidewright.servers.venue.streams.doors import Streams
from tidewright.servers.venue.venue import Venue
from tidewright.servers.venue.wire import Listener, Reply, Request, SocketSettings

ONE = 100_000_000
KEY, SECRET = "trader-key", "trader-secret"
SIGNER = Ed25519PrivateKey.from_private_bytes(b"venue tests, no secret of anyone")
SIGNER_KEY = "signer-key"
TRADER, OTHER, SIGNING = 0, 1, 2


@dataclass
class OpenVenue:
    """What a test holds of a venue: the exchange behind it, and the port before it."""

    venue: Venue
    streams: Streams
    application: RestApplication
    drop_all: Callable[[], None]
    port: int

    def answer(self, request: Request) -> Reply:
        """Answer a request as REST does."""
        return self.application.answer(request)

    @property
    def exchange(self) -> SpotExchange:
        return self.venue.exchange

    def place(
        self,
        side: Side,
        price: float,
        quantity: float,
        *,
        account: int = OTHER,
        symbol: str = "BTCUSDT",
        kind: Kind = Kind.LIMIT,
    ) -> Placed:
        """Order past the wire, as the rest of the market does."""
        order = NewOrder(
            symbol,
            side,
            kind,
            quantity=round(quantity * ONE),
            price=0 if kind is Kind.MARKET else round(price * 100) * ONE // 100,
        )
        placed = self.exchange.place(account, order, self.venue.clock.now())
        self.venue.publish()
        return placed

    def trade(self, price: float, quantity: float = 0.01) -> None:
        """Let a trade at a price happen between others."""
        self.place(Side.SELL, price, quantity)
        self.place(Side.BUY, price, quantity, account=SIGNING)


def accounts() -> tuple[SpotAccount, ...]:
    balances = {"USDT": 1_000_000 * ONE, "BTC": 1_000 * ONE, "ETH": 1_000 * ONE}
    return tuple(SpotAccount(name, balances) for name in ("trader", "other", "signer"))


def keys() -> KeyRing:
    pem = SIGNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return KeyRing(
        [
            ApiKey(KEY, TRADER, HmacKey(SECRET)),
            ApiKey("other-key", OTHER, HmacKey("other-secret")),
            ApiKey(SIGNER_KEY, SIGNING, Ed25519Key(pem.decode())),
        ]
    )


@contextlib.asynccontextmanager
async def open_venue(
    *,
    clock: Clock | None = None,
    listings: Sequence[Listing] | None = None,
    limits: LimitSettings | None = None,
    sockets: SocketSettings | None = None,
    population: Population | None = None,
    deadline: float = 120.0,
) -> AsyncIterator[OpenVenue]:
    """Open a venue; whoever uses it must be done by a deadline in real seconds."""
    clock = clock or RunningClock()
    exchange = SpotExchange(
        listings or default_listings()[:2],
        accounts(),
        seed=1,
        now=clock.now(),
        population=population,
    )
    venue = Venue(exchange, clock, keys(), limits)
    streams = Streams(venue, ROUTES)
    application = RestApplication(venue, streams.open_socket)
    listener = Listener(application, clock, sockets)
    port = await listener.start()
    streams.pump.start()
    try:
        async with asyncio.timeout(deadline):
            yield OpenVenue(venue, streams, application, listener.drop_all, port)
    finally:
        streams.pump.stop()
        await listener.stop(patience=0.2)

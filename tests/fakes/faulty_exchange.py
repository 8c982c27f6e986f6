"""A real exchange and its whole server behind a fault script, with a clock that the test turns."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect

from fakes.pretend_venue import Rig
from fakes.venue_wire import TurnedClock
from tidewright.exchange.spot.accounts import SpotAccount
from tidewright.exchange.spot.defaults import default_listings
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.servers.venue.accounts import seeded_account
from tidewright.servers.venue.faults.application import FaultyApplication
from tidewright.servers.venue.faults.effects import ShiftedClock
from tidewright.servers.venue.faults.reading import parse_script
from tidewright.servers.venue.rest.application import RestApplication
from tidewright.servers.venue.rest.routes import ROUTES
from tidewright.servers.venue.signing import KeyRing
from tidewright.servers.venue.streams.doors import Streams
from tidewright.servers.venue.venue import Venue
from tidewright.servers.venue.wire import Listener

OWN = seeded_account(7, ("USDT", "BTC"))
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
TERMS = {**ORDER, "price": "59000", "quantity": "0.01"}


@dataclass
class Client:
    """Signs as clients do, by a clock of its own."""

    rig: Rig
    exchange: SpotExchange
    ahead: int = 0

    async def ask(self, method: str, path: str, **given: object) -> tuple[int, dict]:
        """Return status and JSON of a signed request."""
        now = self.rig.clock.now() // 1_000_000 + self.ahead
        text = urlencode({**given, "timestamp": now})
        # The first order may have to wait until the exchange's steps are compiled.
        raw = await self.rig.ask(
            f"{path}?{text}&signature={_signature(text)}", method, key=OWN.api_key, patience=300
        )
        head, _, body = raw.partition(b"\r\n\r\n")
        return int(head[9:12]), json.loads(body)

    async def place(self, client_id: str = "mine", **terms: str) -> tuple[int, dict]:
        """Ask for an order."""
        given = {**TERMS, **terms, "newClientOrderId": client_id}
        return await self.ask("POST", "/api/v3/order", **given)

    async def find(self, client_id: str = "mine") -> tuple[int, dict]:
        """Ask for an order by its client id."""
        given = {"symbol": "BTCUSDT", "origClientOrderId": client_id}
        return await self.ask("GET", "/api/v3/order", **given)

    async def trade(self, name: str) -> None:
        """Sell to oneself, which is two orders and one trade."""
        for side in ("SELL", "BUY"):
            status, _ = await self.place(
                f"{name}-{side}", side=side, selfTradePreventionMode="NONE"
            )
            assert status == 200

    @contextlib.asynccontextmanager
    async def listening(self, path: str) -> AsyncIterator[ClientConnection]:
        """Open a WebSocket."""
        url = f"ws://127.0.0.1:{self.rig.port}{path}"
        async with connect(url, proxy=None, max_queue=None) as socket:
            yield socket

    @contextlib.asynccontextmanager
    async def told(self) -> AsyncIterator[ClientConnection]:
        """Open a WebSocket that is told of the account."""
        now = self.rig.clock.now() // 1_000_000 + self.ahead
        given: dict[str, object] = {"apiKey": OWN.api_key, "timestamp": now}
        given["signature"] = _signature(urlencode(sorted(given.items())))
        async with self.listening("/ws-api/v3") as socket:
            method = "userDataStream.subscribe.signature"
            await socket.send(json.dumps({"id": 1, "method": method, "params": given}))
            assert json.loads(await socket.recv())["status"] == 200
            yield socket

    @property
    def open(self) -> list[str]:
        """Client ids of the orders that the exchange holds."""
        return [order.terms.client_id for order in self.exchange.open_orders(0)]


async def heard(socket: ClientConnection, count: int) -> list[dict]:
    """Return the next so many messages."""
    return [json.loads(await asyncio.wait_for(socket.recv(), 10)) for _ in range(count)]


async def all_heard(socket: ClientConnection) -> list[dict]:
    """Return all messages that were sent before now: they come before the pong of a ping."""
    await asyncio.wait_for(await socket.ping(), 10)
    found = []
    with contextlib.suppress(TimeoutError):
        while True:
            found.append(json.loads(await asyncio.wait_for(socket.recv(), 0.01)))
    return found


def _signature(text: str) -> str:
    return hmac.new(OWN.secret.encode(), text.encode(), hashlib.sha256).hexdigest()


@contextlib.asynccontextmanager
async def exchange_behind(script: str) -> AsyncIterator[Client]:
    """Serve an exchange whose books are empty, behind a script."""
    clock = TurnedClock()
    told = ShiftedClock(clock)
    account = SpotAccount(OWN.terms.name, OWN.terms.balances, 1_000, 1_000)
    exchange = SpotExchange(default_listings(), [account], seed=7, now=clock.now())
    venue = Venue(exchange, clock, KeyRing([OWN.terms.key(0)]), told=told)
    streams = Streams(venue, ROUTES)
    faulty = FaultyApplication(
        RestApplication(venue, streams.open_socket),
        parse_script(script),
        7,
        clock=clock,
        told=told,
        market=exchange,
        name_of=lambda key: {OWN.api_key: OWN.terms.name}.get(key, ""),
    )
    listener = Listener(faulty, clock)
    rig = Rig(clock, venue, exchange, faulty, await listener.start(), listener)
    faulty.start(listener.drop_all)
    streams.pump.start()
    try:
        yield Client(rig, exchange)
    finally:
        streams.pump.stop()
        faulty.stop()
        await listener.stop(patience=0.2)

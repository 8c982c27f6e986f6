"""A venue without a market: orders are taken and filled at once, and everything is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from fakes.venue_wire import TurnedClock
from tidewright.exchange.spot.listing import Listing, LotSize, PriceFilter
from tidewright.servers.venue.clock import Clock
from tidewright.servers.venue.faults.application import FaultyApplication
from tidewright.servers.venue.faults.effects import ShiftedClock
from tidewright.servers.venue.faults.reading import parse_script
from tidewright.servers.venue.ledger_file import LEDGER_PATH
from tidewright.servers.venue.wire import Delivery, Listener, Reply, Request, Respond, Socket

KEYS = {"ALICE": "alice", "BOB": "bob"}
WHOLE = 100_000_000


class PretendMarket:
    def __init__(self) -> None:
        filters = (PriceFilter(0, 0, 10_000), LotSize(0, 0, 10_000))
        self.listings = {
            "BTCUSDT": Listing("BTCUSDT", "BTC", "USDT", 10_000, 10_000, 50_000 * WHOLE, filters)
        }
        self.changes: list[object] = []

    def set_status(self, symbol, status) -> None:
        self.changes.append((symbol, status))

    def set_filters(self, symbol, filters) -> None:
        self.changes.append((symbol, filters))


class PretendVenue:
    """Speaks just enough of the protocol; `orders` is what was really executed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.orders: list[dict[str, object]] = []
        self.sockets: list[Socket] = []
        self.subscribed: list[Socket] = []
        self.updates = 0
        self.closed = 0

    def connect(self, peer: str) -> bool:
        return True

    def handle(self, request: Request, respond: Respond) -> None:
        given = dict(parse_qsl(request.body.decode() or request.query))
        name = request.path.removeprefix("/api/v3/")
        if request.path == LEDGER_PATH:
            respond(Delivery(Reply(200, b'{"entry":"taken","time":1}\n')))
            return
        status, answer = self._answer(f"{request.method} {name}", given)
        respond(Delivery(Reply(status, json.dumps(answer).encode(), (("X-Weight", "1"),))))

    def open_socket(self, socket: Socket) -> Reply | None:
        self.sockets.append(socket)
        socket.on_text = lambda text: self._take(socket, json.loads(text))
        socket.on_close = lambda: self._forget(socket)
        return None

    def publish(self, document: object) -> None:
        for socket in self.sockets:
            if not socket.request.path.startswith("/ws-api"):
                socket.send(json.dumps(document).encode())

    def tell(self, event: dict[str, object]) -> None:
        for socket in self.subscribed:
            socket.send(json.dumps({"subscriptionId": 0, "event": event}).encode())

    def _forget(self, socket: Socket) -> None:
        self.closed += 1
        for sockets in (self.sockets, self.subscribed):
            if socket in sockets:
                sockets.remove(socket)

    def _take(self, socket: Socket, document: dict[str, object]) -> None:
        names = {
            "order.place": "POST order",
            "order.status": "GET order",
            "openOrders.status": "GET openOrders",
            "time": "GET time",
            "depth": "GET depth",
        }
        method, given = str(document["method"]), document.get("params", {})
        if method.startswith("userDataStream"):
            self.subscribed.append(socket)
            status, answer = 200, {"subscriptionId": 0}
        else:
            status, answer = self._answer(names[method], given)
        kind = "result" if status == 200 else "error"
        text = {"id": document.get("id"), "status": status, kind: answer}
        socket.send(json.dumps(text).encode())

    def _answer(self, what: str, given: dict[str, str]) -> tuple[int, object]:
        if what == "POST order":
            return 200, self._execute(given)
        if what == "GET time":
            return 200, {"serverTime": self._clock.now() // 1_000_000}
        if what == "GET depth":
            self.updates += 1
            return 200, {"lastUpdateId": self.updates}
        if what == "GET order":
            asked = given.get("origClientOrderId"), given.get("orderId")
            found = [
                one for one in self.orders if asked in _names(one) or asked[1] == one["orderId"]
            ]
            gone = {"code": -2013, "msg": "Order does not exist."}
            return (200, found[0]) if found else (400, gone)
        return 200, self.orders

    def _execute(self, given: dict[str, str]) -> dict[str, object]:
        order = {
            "symbol": given.get("symbol", "BTCUSDT"),
            "orderId": len(self.orders) + 1,
            "clientOrderId": given.get("newClientOrderId", ""),
            "side": given.get("side", "BUY"),
            "status": "FILLED",
        }
        self.orders.append(order)
        for execution in ("NEW", "TRADE"):
            self.tell(report(order, execution))
        return order


def _names(order: dict[str, object]) -> tuple[tuple[object, object], ...]:
    return ((order["clientOrderId"], None), (None, str(order["orderId"])))


def report(order: dict[str, object], execution: str) -> dict[str, object]:
    return {
        "e": "executionReport",
        "s": order["symbol"],
        "S": order["side"],
        "o": "MARKET",
        "c": order["clientOrderId"],
        "x": execution,
        "i": order["orderId"],
    }


@dataclass
class Rig:
    """A pretend venue behind a script, on a real port, with a clock that the test turns."""

    clock: TurnedClock
    venue: PretendVenue
    market: PretendMarket
    faulty: FaultyApplication
    port: int = 0
    listener: Listener | None = None
    transcript: list[bytes] = field(default_factory=list)

    async def ask(
        self,
        target: str,
        method: str = "GET",
        body: str = "",
        patience: float = 5.0,
        key: str = "ALICE",
    ) -> bytes:
        """Return every byte of an answer; a reset or a silence is raised."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = (
            f"{method} {target} HTTP/1.1\r\nX-MBX-APIKEY: {key}\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        try:
            writer.write(head.encode())
            return await asyncio.wait_for(reader.read(), patience)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def place(self, client_id: str = "a", side: str = "BUY", **more: float) -> bytes:
        """Ask for an order over HTTP."""
        body = f"symbol=BTCUSDT&side={side}&newClientOrderId={client_id}"
        return await self.ask("/api/v3/order", "POST", body, **more)

    async def body(self, target: str) -> object:
        """Return the JSON of an answer."""
        return json.loads((await self.ask(target)).partition(b"\r\n\r\n")[2])


@contextlib.asynccontextmanager
async def venue_with(script: str, seed: int = 1) -> AsyncIterator[Rig]:
    """Serve a pretend venue with a fault script."""
    clock, market = TurnedClock(), PretendMarket()
    told = ShiftedClock(clock)
    venue = PretendVenue(told)
    faulty = FaultyApplication(
        venue,
        parse_script(script),
        seed,
        clock=clock,
        told=told,
        market=market,
        name_of=lambda key: KEYS.get(key, ""),
    )
    listener = Listener(faulty, clock)
    rig = Rig(clock, venue, market, faulty, await listener.start(), listener)
    faulty.start(listener.drop_all)
    try:
        yield rig
    finally:
        faulty.stop()
        await listener.stop(patience=0.2)

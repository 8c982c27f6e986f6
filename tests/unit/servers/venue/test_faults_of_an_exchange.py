"""A real exchange behind a script: what a client sees, and what the exchange's books say."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from fakes.pretend_venue import Rig
from fakes.venue_wire import TurnedClock
from tidewright.exchange.spot.accounts import SpotAccount
from tidewright.exchange.spot.defaults import default_listings
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.servers.venue.accounts import seeded_account
from tidewright.servers.venue.faults.application import FaultyApplication
from tidewright.servers.venue.faults.effects import ShiftedClock
from tidewright.servers.venue.faults.reading import parse_script
from tidewright.servers.venue.ledger_file import LedgerFile, lines, read_lines, with_faults
from tidewright.servers.venue.rest.application import RestApplication
from tidewright.servers.venue.signing import KeyRing
from tidewright.servers.venue.venue import Venue
from tidewright.servers.venue.wire import Listener

OWN = seeded_account(7, ("USDT", "BTC"))
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
TERMS = {**ORDER, "price": "59000", "quantity": "0.01"}
PLACE = "when: {request: {method: POST, path: /api/v3/order}, nth: 1}"


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
        sign = hmac.new(OWN.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        # The first order may have to wait until the exchange's steps are compiled.
        raw = await self.rig.ask(
            f"{path}?{text}&signature={sign}", method, key=OWN.api_key, patience=300
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

    @property
    def open(self) -> list[str]:
        """Client ids of the orders that the exchange holds."""
        return [order.terms.client_id for order in self.exchange.open_orders(0)]


@contextlib.asynccontextmanager
async def exchange_with(rule: str) -> AsyncIterator[Client]:
    """Serve an exchange where one thing goes wrong."""
    clock = TurnedClock()
    told = ShiftedClock(clock)
    account = SpotAccount(OWN.terms.name, OWN.terms.balances, 1_000, 1_000)
    exchange = SpotExchange(default_listings(), [account], seed=7, now=clock.now())
    venue = Venue(exchange, clock, KeyRing([OWN.terms.key(0)]), told=told)
    faulty = FaultyApplication(
        RestApplication(venue),
        parse_script(f"rules:\n  - {{{rule}}}\n"),
        7,
        clock=clock,
        told=told,
        market=exchange,
        name_of={OWN.api_key: OWN.terms.name}.get,
    )
    listener = Listener(faulty, clock)
    rig = Rig(clock, venue, exchange, faulty, await listener.start(), listener)
    faulty.start(listener.drop_all)
    try:
        yield Client(rig, exchange)
    finally:
        faulty.stop()
        await listener.stop(patience=0.2)


def within(rule):
    """Run a coroutine function against an exchange where one thing goes wrong."""

    def run(look):
        async def served():
            async with exchange_with(rule) as client:
                await look(client)

        return lambda: asyncio.run(served())

    return run


@within(f"{PLACE}, do: {{error: -1007, hide: 3s}}")
async def test_lost_answer_of_an_executed_order_is_found_by_its_id_after_a_while(client):
    assert await client.place() == (
        504,
        {
            "code": -1007,
            "msg": "Timeout waiting for response from backend server. Send status unknown; "
            "execution status unknown.",
        },
    )
    assert client.open == ["mine"]
    assert await client.find() == (400, {"code": -2013, "msg": "Order does not exist."})
    assert await client.ask("GET", "/api/v3/openOrders") == (200, [])
    client.rig.clock.turn(3)
    status, order = await client.find()
    assert (status, order["status"]) == (200, "NEW")
    # Sent again, it is refused while it stands: the first one arrived.
    assert await client.place() == (400, {"code": -2010, "msg": "Duplicate order sent."})


@within(f"{PLACE}, do: {{error: -1008}}")
async def test_overloaded_venue_executes_nothing(client):
    assert (await client.place())[0] == 503
    assert client.open == []


@within("when: {time: 5s}, do: {clock: -70s}")
async def test_shifted_clock_refuses_until_it_is_measured(client):
    late = {
        "code": -1021,
        "msg": "Timestamp for this request was 1000ms ahead of the server's time.",
    }
    assert (await client.place("before"))[0] == 200
    client.rig.clock.turn(5)
    assert await client.place("refused") == (400, late)
    raw = await client.rig.body("/api/v3/time")
    client.ahead = raw["serverTime"] - client.rig.clock.now() // 1_000_000
    assert client.ahead == -70_000
    status, placed = await client.place("measured")
    assert status == 200
    # The market itself goes on in its own time.
    assert placed["transactTime"] == client.rig.clock.now() // 1_000_000
    assert client.open == ["before", "measured"]


@within("when: {time: 5s}, do: {filters: {symbol: BTCUSDT, PRICE_FILTER: {tickSize: 0.5}}}")
async def test_coarser_tick_refuses_and_is_told(client):
    assert (await client.place("before", price="59000.01"))[0] == 200
    client.rig.clock.turn(5)
    refused = (400, {"code": -1013, "msg": "Filter failure: PRICE_FILTER"})
    assert await client.place("after", price="59000.01") == refused
    told = await client.rig.body("/api/v3/exchangeInfo?symbol=BTCUSDT")
    assert told["symbols"][0]["filters"][0]["tickSize"] == "0.50000000"
    assert (await client.place("rounded", price="59000.50"))[0] == 200


@within("when: {time: 5s}, do: {symbol_status: {symbol: BTCUSDT, to: HALT}}")
async def test_halted_symbol_refuses_and_is_told(client):
    client.rig.clock.turn(5)
    assert await client.place() == (400, {"code": -2010, "msg": "Market is closed."})
    told = await client.rig.body("/api/v3/exchangeInfo?symbol=BTCUSDT")
    assert told["symbols"][0]["status"] == "HALT"


@within(f"{PLACE}, do: {{restart: 4s}}")
async def test_restart_keeps_what_was_executed_before_the_cut(client):
    with pytest.raises(ConnectionError):
        await client.place()
    with pytest.raises(ConnectionError):
        await client.find()
    client.rig.clock.turn(4)
    assert (await client.find())[1]["status"] == "NEW"
    assert client.open == ["mine"]


def test_ledger_file_tells_of_faults_before_what_they_happened_to(tmp_path):
    path = tmp_path / "ledger.jsonl"

    async def run():
        rule = "name: lost, when: {request: {side: BUY}, nth: [1, 3]}, do: {error: -1007}"
        async with exchange_with(rule) as client:
            file = LedgerFile(path, client.exchange.ledger, [OWN.terms.name])
            file.follow(client.rig.faulty.director.since)
            client.rig.venue.record = file.record
            for number in range(3):
                await client.place(str(number))
                client.rig.clock.turn(1)
            file.close()
            rows = list(read_lines(path.read_bytes(), "file"))
            own = lines(client.exchange.ledger.rows(), [OWN.terms.name])
            merged = list(read_lines(with_faults(own, client.rig.faulty.firings), "merged"))
            assert merged == rows

    asyncio.run(run())
    rows = list(read_lines(path.read_bytes(), "file"))
    assert [row["entry"] for row in rows] == ["fault", "taken", "taken", "fault", "taken"]
    assert [row.get("client_id") for row in rows] == [None, "0", "1", None, "2"]
    fault = rows[3]
    assert (fault["rule"], fault["did"], fault["count"]) == ("lost", ["error"], 3)
    assert fault["account"] == "test"
    assert fault["met"].startswith(
        "request over=rest method=POST path=/api/v3/order symbol=BTCUSDT"
    )

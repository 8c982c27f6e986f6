"""Every verb of a fault script, seen from the other end of a real connection."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from fakes.pretend_venue import Rig, report, venue_with
from fakes.venue_wire import until
from tidewright.exchange.faults.actions import Clock
from tidewright.exchange.faults.conditions import Subject
from tidewright.exchange.faults.script import SUBJECTS
from tidewright.exchange.spot.listing import PriceFilter
from tidewright.exchange.spot.values import SymbolStatus
from tidewright.servers.venue.faults.answers import PAGE
from tidewright.servers.venue.ledger_file import LEDGER_PATH

SHOWN = {}
ORDER = "when: {request: {method: POST, path: /api/v3/order}, nth: 1}"
CALL = "when: {request: {over: api, path: order.place}, nth: 1}"
CHANGE = "when: {message: {sockets: market, stream: btcusdt@depth}, nth: 2}"
FILL = "when: {fill: , nth: 1}"
OPEN = "when: {socket: {sockets: market}, nth: 1}"
SOON = "when: {time: 5s}"


def shows(verb, place, rule):
    """Register a test of one verb at one place: its rule, and what is seen."""

    def keep(look):
        SHOWN[verb, place] = (f"rules:\n  - {{name: the rule, {rule}}}\n", look)
        return look

    return keep


def needed():
    """Return every verb with every place where the language lets it happen."""
    places = {
        Subject.REQUEST: ("rest", "api"),
        Subject.EVENT: ("event",),
        Subject.MESSAGE: ("message",),
        Subject.SOCKET: ("socket",),
        Subject.TIME: ("time",),
    }
    return {
        (action.verb, place)
        for action, subjects in SUBJECTS.items()
        for subject in subjects
        for place in places.get(subject, ())
    }


def test_every_verb_is_shown_at_every_place():
    assert set(SHOWN) == needed()


@pytest.mark.parametrize("name", sorted(needed()), ids="-".join)
def test_verb_does_what_it_says(name):
    script, look = SHOWN[name]

    async def run():
        async with venue_with(script) as rig:
            await look(rig)
            assert rig.faulty.director.counts == {"the rule": 1}
            (firing,) = rig.faulty.firings
            assert name[0] in firing.verbs

    asyncio.run(run())


def test_without_rules_nothing_goes_wrong():
    async def run():
        async with venue_with("rules: []") as rig:
            assert (await rig.place()).startswith(b"HTTP/1.1 200")
            async with user(rig) as events, market(rig) as updates, api(rig) as calls:
                rig.venue.tell({"e": "balanceUpdate"})
                rig.venue.publish({"e": "depthUpdate", "s": "BTCUSDT", "u": 1})
                assert json.loads(await events.recv())["event"]["e"] == "balanceUpdate"
                assert json.loads(await updates.recv())["u"] == 1
                assert (await call(calls, "order.place"))["status"] == 200

    asyncio.run(run())


def test_truth_is_told_whatever_goes_wrong():
    async def run():
        async with venue_with("rules:\n  - {when: {request: }, do: {ban: 1h}}") as rig:
            assert (await rig.place()).startswith(b"HTTP/1.1 418")
            ledger = (await rig.ask(LEDGER_PATH)).partition(b"\r\n\r\n")[2].splitlines()
            assert [json.loads(line)["entry"] for line in ledger] == ["taken", "fault"]
            assert rig.faulty.director.counts == {"rule 1": 1}

    asyncio.run(run())


# Clients.


@contextlib.asynccontextmanager
async def market(rig: Rig, path="/ws/btcusdt@depth"):
    async with connect(f"ws://127.0.0.1:{rig.port}{path}", proxy=None) as socket:
        yield socket


@contextlib.asynccontextmanager
async def api(rig: Rig):
    async with market(rig, "/ws-api/v3") as socket:
        yield socket


@contextlib.asynccontextmanager
async def user(rig: Rig):
    async with api(rig) as socket:
        await call(socket, "userDataStream.subscribe.signature")
        yield socket


async def ask(socket: ClientConnection, method: str, number=1, **more):
    given = {"apiKey": "ALICE", "symbol": "BTCUSDT", "side": "BUY", **more}
    await socket.send(json.dumps({"id": number, "method": method, "params": given}))


async def call(socket: ClientConnection, method: str, number=1, **more):
    await ask(socket, method, number, **more)
    return json.loads(await asyncio.wait_for(socket.recv(), 5))


async def silent(socket: ClientConnection):
    """Say that nothing more comes: a ping sent now is answered before anything else is."""
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(socket.recv(), 0.03)
    await asyncio.wait_for(await socket.ping(), 5)


def changes(rig: Rig, first: int, last: int):
    """Publish depth changes by number."""
    for number in range(first, last + 1):
        rig.venue.publish({"e": "depthUpdate", "s": "BTCUSDT", "u": number})


async def numbers(socket: ClientConnection, count: int):
    return [json.loads(await asyncio.wait_for(socket.recv(), 5))["u"] for _ in range(count)]


async def executions(socket: ClientConnection, count: int):
    got = [json.loads(await asyncio.wait_for(socket.recv(), 5)) for _ in range(count)]
    return [one["event"]["x"] for one in got]


async def told_time(rig: Rig) -> int:
    return (await rig.body("/api/v3/time"))["serverTime"]


async def ended(socket: ClientConnection) -> int | None:
    """Wait until a socket is closed; return the close code, None without a close frame."""
    try:
        while True:
            await asyncio.wait_for(socket.recv(), 5)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


# An answer over HTTP.


@shows("delay", "rest", f"{ORDER}, do: {{delay: 6s}}")
async def _(rig):
    placing = asyncio.ensure_future(rig.place())
    await until(lambda: rig.venue.orders)
    rig.clock.turn(5.9)
    await asyncio.sleep(0.02)
    assert not placing.done()
    rig.clock.turn(0.1)
    assert (await placing).startswith(b"HTTP/1.1 200")


@shows("drop", "rest", f"{ORDER}, do: drop")
async def _(rig):
    with pytest.raises(asyncio.TimeoutError):
        await rig.place(patience=0.05)
    assert len(rig.venue.orders) == 1


@shows("reset", "rest", f"{ORDER}, do: reset")
async def _(rig):
    with pytest.raises(ConnectionResetError):
        await rig.place()
    assert len(rig.venue.orders) == 1


@shows("truncate", "rest", f"{ORDER}, do: {{truncate: 60%}}")
async def _(rig):
    cut, whole = await rig.place(), await rig.place()
    # The cut answer would have kept its connection, which takes five letters more to say.
    assert len(cut) == (len(whole) + len("keep-alive") - len("close")) * 6 // 10
    assert cut.startswith(b"HTTP/1.1 200")


@shows("empty", "rest", f"{ORDER}, do: empty")
async def _(rig):
    head, _, body = (await rig.place()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"Content-Length: 0" in head
    assert body == b""
    assert len(rig.venue.orders) == 1


@shows("html", "rest", f"{ORDER}, do: {{html: 502}}")
async def _(rig):
    head, _, body = (await rig.place()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 502")
    assert b"text/html" in head
    assert body == PAGE


@shows("error", "rest", f"{ORDER}, do: {{error: -1007}}")
async def _(rig):
    head, _, body = (await rig.place()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 504")
    assert json.loads(body) == {
        "code": -1007,
        "msg": "Timeout waiting for response from backend server. Send status unknown; "
        "execution status unknown.",
    }
    assert len(rig.venue.orders) == 1


@shows("ban", "rest", f"{ORDER}, do: {{ban: 90s}}")
async def _(rig):
    banned = await rig.place()
    assert banned.startswith(b"HTTP/1.1 418")
    assert b"Retry-After: 90" in banned
    rig.clock.turn(60.5)
    later = await rig.ask("/api/v3/time")
    assert later.startswith(b"HTTP/1.1 418")
    assert b"Retry-After: 30" in later
    with pytest.raises(Exception, match="418"):
        await connect(f"ws://127.0.0.1:{rig.port}/ws/btcusdt@depth", proxy=None)
    rig.clock.turn(30)
    assert (await rig.place()).startswith(b"HTTP/1.1 200")
    assert len(rig.venue.orders) == 1


@shows("execute", "rest", f"{ORDER}, do: {{execute: false, error: -1007}}")
async def _(rig):
    assert (await rig.place()).startswith(b"HTTP/1.1 504")
    assert rig.venue.orders == []


@shows("hide", "rest", f"{ORDER}, do: {{hide: 3s}}")
async def _(rig):
    assert (await rig.place("mine")).startswith(b"HTTP/1.1 200")
    await rig.place("other")
    by_name = "/api/v3/order?symbol=BTCUSDT&origClientOrderId=mine"
    missing = {"code": -2013, "msg": "Order does not exist."}
    assert await rig.body(by_name) == missing
    assert await rig.body("/api/v3/order?symbol=BTCUSDT&orderId=1") == missing
    for path in ("openOrders", "allOrders?symbol=BTCUSDT", "myTrades?symbol=BTCUSDT"):
        assert [one["orderId"] for one in await rig.body(f"/api/v3/{path}")] == [2]
    rig.clock.turn(3)
    assert (await rig.body(by_name))["orderId"] == 1
    assert len(await rig.body("/api/v3/openOrders")) == 2


@shows("stale", "rest", "when: {request: {path: '*/depth'}, nth: 3}, do: {stale: 10s}")
async def _(rig):
    target = "/api/v3/depth?symbol=BTCUSDT"
    assert (await rig.body(target))["lastUpdateId"] == 1
    rig.clock.turn(12)
    assert (await rig.body(target))["lastUpdateId"] == 2
    assert (await rig.body(target))["lastUpdateId"] == 1
    assert (await rig.body(target))["lastUpdateId"] == 4


# An answer over the WebSocket API.


@shows("delay", "api", f"{CALL}, do: {{delay: 6s}}")
async def _(rig):
    async with api(rig) as socket:
        await ask(socket, "order.place")
        await until(lambda: rig.venue.orders)
        rig.clock.turn(5.9)
        await silent(socket)
        rig.clock.turn(0.1)
        assert json.loads(await socket.recv())["status"] == 200


@shows("drop", "api", f"{CALL}, do: drop")
async def _(rig):
    async with api(rig) as socket:
        await ask(socket, "order.place", 1)
        assert (await call(socket, "time", 2))["id"] == 2
        assert len(rig.venue.orders) == 1


@shows("reset", "api", f"{CALL}, do: reset")
async def _(rig):
    async with api(rig) as socket:
        await ask(socket, "order.place")
        assert await ended(socket) is None
        assert len(rig.venue.orders) == 1


@shows("truncate", "api", f"{CALL}, do: {{truncate: 9}}")
async def _(rig):
    async with api(rig) as socket:
        await ask(socket, "order.place")
        assert len(await socket.recv()) == 9


@shows("empty", "api", f"{CALL}, do: empty")
async def _(rig):
    async with api(rig) as socket:
        await ask(socket, "order.place")
        assert await socket.recv() == ""


@shows("html", "api", f"{CALL}, do: html")
async def _(rig):
    async with api(rig) as socket:
        await ask(socket, "order.place")
        assert await socket.recv() == PAGE.decode()


@shows("error", "api", f"{CALL}, do: {{error: -1006}}")
async def _(rig):
    async with api(rig) as socket:
        answer = await call(socket, "order.place", "mine")
        assert (answer["id"], answer["status"]) == ("mine", 500)
        assert answer["error"]["code"] == -1006
        assert len(rig.venue.orders) == 1


@shows("ban", "api", f"{CALL}, do: {{ban: {{for: 20s, status: 429}}}}")
async def _(rig):
    async with api(rig) as socket:
        for number, method in enumerate(("order.place", "time")):
            answer = await call(socket, method, number)
            assert (answer["id"], answer["status"]) == (number, 429)
            assert answer["error"]["code"] == -1003
        retry = answer["error"]["data"]["retryAfter"] - answer["error"]["data"]["serverTime"]
        assert retry == 20_000
        rig.clock.turn(20)
        assert (await call(socket, "time"))["status"] == 200
        assert rig.venue.orders == []


@shows("execute", "api", f"{CALL}, do: [drop, {{execute: false}}]")
async def _(rig):
    async with api(rig) as socket:
        await ask(socket, "order.place", 1)
        assert (await call(socket, "time", 2))["id"] == 2
        assert rig.venue.orders == []


@shows("hide", "api", f"{CALL}, do: {{hide: 3s}}")
async def _(rig):
    async with api(rig) as socket:
        assert (await call(socket, "order.place", newClientOrderId="mine"))["status"] == 200
        answer = await call(socket, "order.status", origClientOrderId="mine")
        assert answer["error"] == {"code": -2013, "msg": "Order does not exist."}
        assert (await call(socket, "openOrders.status"))["result"] == []
        # Another account's order of the same number is not hidden.
        shown = await call(socket, "openOrders.status", apiKey="BOB")
        assert len(shown["result"]) == 1
        shown = await call(socket, "order.status", origClientOrderId="mine", apiKey="BOB")
        assert shown["status"] == 200
        rig.clock.turn(3)
        answer = await call(socket, "order.status", origClientOrderId="mine")
        assert answer["result"]["orderId"] == 1


@shows("stale", "api", "when: {request: {path: depth}, nth: 2}, do: {stale: 1s}")
async def _(rig):
    async with api(rig) as socket:
        found = [await call(socket, "depth", number) for number in range(3)]
        assert [one["id"] for one in found] == [0, 1, 2]
        assert [one["result"]["lastUpdateId"] for one in found] == [1, 1, 3]


# User events.


@shows("delay", "event", f"{FILL}, do: {{delay: 2s}}")
async def _(rig):
    async with user(rig) as socket:
        await rig.place()
        assert await executions(socket, 1) == ["NEW"]
        await silent(socket)
        rig.clock.turn(2)
        assert await executions(socket, 1) == ["TRADE"]


@shows("drop", "event", f"{FILL}, do: drop")
async def _(rig):
    async with user(rig) as socket:
        await rig.place()
        await rig.place()
        assert await executions(socket, 3) == ["NEW", "NEW", "TRADE"]


@shows("duplicate", "event", f"{FILL}, do: {{duplicate: 3}}")
async def _(rig):
    async with user(rig) as socket:
        await rig.place()
        assert await executions(socket, 4) == ["NEW", "TRADE", "TRADE", "TRADE"]


@shows("reorder", "event", "when: {event: {execution: NEW}, nth: 1}, do: reorder")
async def _(rig):
    async with user(rig) as socket:
        await rig.place()
        assert await executions(socket, 2) == ["TRADE", "NEW"]


# Messages of market streams.


@shows("delay", "message", f"{CHANGE}, do: {{delay: 2s}}")
async def _(rig):
    async with market(rig) as socket:
        changes(rig, 1, 3)
        assert await numbers(socket, 1) == [1]
        await silent(socket)
        rig.clock.turn(2)
        assert await numbers(socket, 2) == [2, 3]


@shows("drop", "message", f"{CHANGE}, do: drop")
async def _(rig):
    async with market(rig) as socket:
        changes(rig, 1, 3)
        assert await numbers(socket, 2) == [1, 3]


@shows("skip", "message", f"{CHANGE}, do: {{skip: 3}}")
async def _(rig):
    async with market(rig) as socket:
        changes(rig, 1, 6)
        assert await numbers(socket, 3) == [1, 5, 6]


@shows("duplicate", "message", f"{CHANGE}, do: duplicate")
async def _(rig):
    async with market(rig) as socket:
        changes(rig, 1, 3)
        assert await numbers(socket, 4) == [1, 2, 2, 3]


@shows("reorder", "message", f"{CHANGE}, do: {{reorder: 2}}")
async def _(rig):
    async with market(rig) as socket:
        changes(rig, 1, 5)
        assert await numbers(socket, 5) == [1, 3, 4, 2, 5]


@shows("stale", "message", f"{CHANGE}, do: {{stale: 5s}}")
async def _(rig):
    async with market(rig) as socket:
        changes(rig, 1, 1)
        rig.clock.turn(6)
        changes(rig, 2, 3)
        assert await numbers(socket, 3) == [1, 1, 3]


@shows("reset", "message", f"{CHANGE}, do: reset")
async def _(rig):
    async with market(rig) as socket:
        changes(rig, 1, 2)
        assert await ended(socket) is None


@shows("mute", "message", f"{CHANGE}, do: {{mute: {{for: 10s}}}}")
async def _(rig):
    async with market(rig) as socket:
        changes(rig, 1, 3)
        assert await numbers(socket, 1) == [1]
        await silent(socket)
        rig.clock.turn(10)
        changes(rig, 4, 4)
        assert await numbers(socket, 1) == [4]


@shows("close", "message", f"{CHANGE}, do: {{close: {{code: 1008}}}}")
async def _(rig):
    async with market(rig) as socket:
        changes(rig, 1, 3)
        assert await numbers(socket, 1) == [1]
        assert await ended(socket) == 1008


# Sockets that open.


@shows("reset", "socket", f"{OPEN}, do: reset")
async def _(rig):
    with pytest.raises((ConnectionError, InvalidMessage, ConnectionClosed)):
        async with market(rig) as socket:
            await socket.recv()
    async with market(rig) as socket:
        changes(rig, 1, 1)
        assert await numbers(socket, 1) == [1]


@shows("mute", "socket", f"{OPEN}, do: mute")
async def _(rig):
    async with market(rig) as first, market(rig) as second:
        changes(rig, 1, 2)
        assert await numbers(second, 2) == [1, 2]
        rig.clock.turn(10)
        changes(rig, 3, 3)
        await silent(first)


@shows("close", "socket", f"{OPEN}, do: {{close: {{code: 1006}}}}")
async def _(rig):
    async with market(rig) as first, market(rig) as second:
        assert await ended(first) is None
        changes(rig, 1, 1)
        assert await numbers(second, 1) == [1]


# What happens to sockets by their kind, from anywhere.


async def come(rig: Rig, place: str):
    """Make the thing happen that rules of a place are about."""
    if place == "rest":
        with contextlib.suppress(ConnectionError, asyncio.TimeoutError):
            await rig.place(patience=0.1)
    elif place == "time":
        rig.clock.turn(5)
    elif place == "event":
        rig.venue.tell(
            report({"symbol": "X", "side": "", "clientOrderId": "", "orderId": 1}, "TRADE")
        )
    elif place == "message":
        changes(rig, 1, 2)


RULES = {"rest": ORDER, "time": SOON, "event": FILL, "message": CHANGE}


def by_kind(place):
    @shows("mute", place, f"{RULES[place]}, do: {{mute: user}}")
    async def _(rig):
        async with user(rig) as told, market(rig) as other:
            await come(rig, place)
            rig.venue.tell({"e": "balanceUpdate"})
            seen = []
            with contextlib.suppress(asyncio.TimeoutError):
                while True:
                    seen.append(json.loads(await asyncio.wait_for(told.recv(), 0.03)))
            assert {"e": "balanceUpdate"} not in [one["event"] for one in seen]
            changes(rig, 8, 8)
            while await numbers(other, 1) != [8]:
                pass

    @shows("close", place, f"{RULES[place]}, do: {{close: {{sockets: user, code: 1012}}}}")
    async def _(rig):
        async with user(rig) as told, market(rig) as other:
            await come(rig, place)
            assert await ended(told) == 1012
            changes(rig, 8, 8)
            while await numbers(other, 1) != [8]:
                pass


for one in ("rest", "time", "event"):
    by_kind(one)


@shows("mute", "api", f"{CALL}, do: {{mute: {{sockets: market, for: 5s}}}}")
async def _(rig):
    async with market(rig) as other, api(rig) as socket:
        assert (await call(socket, "order.place"))["status"] == 200
        changes(rig, 1, 2)
        await silent(other)


@shows("close", "api", f"{CALL}, do: {{close: all}}")
async def _(rig):
    async with market(rig) as other, api(rig) as socket:
        assert (await call(socket, "order.place"))["status"] == 200
        assert await ended(other) == 1001
        assert await ended(socket) == 1001


# What happens to the venue, from anywhere.

ANYWHERE = {**RULES, "api": CALL, "socket": OPEN}


@contextlib.asynccontextmanager
async def happened(rig: Rig, place: str):
    """Keep every kind of socket open while the thing of a place has just happened."""
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(one(rig)) for one in (user, api)]
        if place != "socket":
            sockets.append(await stack.enter_async_context(market(rig)))
        if place == "api":
            await ask(sockets[1], "order.place")
            await until(lambda: rig.venue.orders)
        elif place == "socket":
            with contextlib.suppress(ConnectionError, InvalidMessage):
                sockets.append(await stack.enter_async_context(market(rig)))
        else:
            await come(rig, place)
        await until(lambda: rig.faulty.firings)
        yield sockets


def on_venue(place):
    when = ANYWHERE[place]

    @shows("clock", place, f"{when}, do: {{clock: -70s}}")
    async def _(rig):
        before = rig.clock.now()
        async with happened(rig, place):
            passed = (rig.clock.now() - before) // 1_000_000
            assert await told_time(rig) == before // 1_000_000 + passed - 70_000
            rig.faulty.act([Clock(0)], rig.clock.now())
            assert await told_time(rig) == rig.clock.now() // 1_000_000

    @shows("symbol_status", place, f"{when}, do: {{symbol_status: {{symbol: BTCUSDT, to: HALT}}}}")
    async def _(rig):
        async with happened(rig, place):
            assert rig.market.changes == [("BTCUSDT", SymbolStatus.HALT)]

    @shows(
        "filters",
        place,
        f"{when}, do: {{filters: {{symbol: BTCUSDT, PRICE_FILTER: {{tickSize: 0.5}}}}}}",
    )
    async def _(rig):
        async with happened(rig, place):
            ((symbol, filters),) = rig.market.changes
            assert symbol == "BTCUSDT"
            assert filters[0] == PriceFilter(0, 0, 50_000_000)
            assert len(filters) == 2

    @shows("restart", place, f"{when}, do: {{restart: 4s}}")
    async def _(rig):
        async with happened(rig, place) as sockets:
            for socket in sockets:
                assert await ended(socket) is None
            orders = len(rig.venue.orders)
            assert orders == (place in ("rest", "api"))
            with pytest.raises(ConnectionError):
                await rig.ask("/api/v3/time")
            rig.clock.turn(4)
            assert len(await rig.body("/api/v3/openOrders")) == orders


for one in ANYWHERE:
    on_venue(one)

"""The WebSocket API over a real socket: answers, limits, log-on, events of accounts."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fakes.open_venue import (
    KEY,
    ONE,
    OTHER,
    SECRET,
    SIGNER,
    SIGNER_KEY,
    SIGNING,
    TRADER,
    OpenVenue,
    open_venue,
)
from fakes.venue_wire import TurnedClock, until
from tidewright.domain.orders import Side
from tidewright.domain.time import MINUTE, SECOND
from tidewright.servers.venue.limits import Limit, LimitSettings
from tidewright.servers.venue.rest.routes import ROUTES
from tidewright.servers.venue.streams import methods
from tidewright.servers.venue.streams.doors import MOST_OPENINGS
from tidewright.servers.venue.wire import Request, SocketSettings

BUY = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "50000.00",
}


class Talk:
    """One connection to the WebSocket API of an open venue."""

    def __init__(self, venue: OpenVenue, socket: ClientConnection) -> None:
        self.venue = venue
        self.socket = socket
        self.events: list[dict[str, Any]] = []

    async def ask(self, method: str, params: dict[str, Any] | None = None, **more: Any) -> Any:
        await self.socket.send(json.dumps({"id": 1, "method": method, "params": params} | more))
        while "status" not in (heard := json.loads(await self.socket.recv())):
            self.events.append(heard)
        return heard

    async def signed(self, method: str, params: dict[str, Any] | None = None) -> Any:
        return await self.ask(method, self.sign(params or {}))

    async def result(self, method: str, params: dict[str, Any] | None = None) -> Any:
        answer = await self.ask(method, params)
        assert answer["status"] == 200, answer
        return answer["result"]

    async def order(self, **terms: Any) -> Any:
        answer = await self.signed("order.place", BUY | terms)
        assert answer["status"] == 200, answer
        return answer["result"]

    async def hear(self, count: int) -> list[dict[str, Any]]:
        while len(self.events) < count:
            self.events.append(json.loads(await self.socket.recv()))
        heard, self.events = self.events[:count], self.events[count:]
        return heard

    def sign(self, params: dict[str, Any], key: str = KEY, *, late_ms: int = 0) -> dict[str, Any]:
        stamp = self.venue.venue.clock.now() // 1_000_000 - late_ms
        whole = {"timestamp": stamp, "recvWindow": 60_000, "apiKey": key} | params
        text = "&".join(f"{name}={value}" for name, value in sorted(whole.items()))
        if key == SIGNER_KEY:
            signature = base64.b64encode(SIGNER.sign(text.encode())).decode()
        else:
            signature = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
        return whole | {"signature": signature}


def run(talk, *, path="/ws-api/v3", **options):
    async def whole():
        async with (
            open_venue(**options) as venue,
            connect(f"ws://127.0.0.1:{venue.port}{path}") as socket,
        ):
            await talk(Talk(venue, socket))

    asyncio.run(whole())


def test_answers_carry_what_was_asked_and_what_is_used():
    async def talk(one):
        assert await one.ask("ping", id="a-b") == {
            "id": "a-b",
            "status": 200,
            "result": {},
            "rateLimits": [
                {
                    "rateLimitType": "REQUEST_WEIGHT",
                    "interval": "MINUTE",
                    "intervalNum": 1,
                    "limit": 6000,
                    "count": 3,
                }
            ],
        }
        answer = await one.ask("v3/time", {"returnRateLimits": False}, id=None)
        assert set(answer) == {"id", "status", "result"}
        assert answer["id"] is None
        placed = await one.signed("order.place", BUY)
        kinds = [limit["rateLimitType"] for limit in placed["rateLimits"]]
        assert kinds == ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]
        assert placed["rateLimits"][0]["count"] == 1

    run(talk)


def test_address_can_leave_limits_out_and_ask_for_microseconds():
    async def talk(one):
        answer = await one.ask("time")
        assert "rateLimits" not in answer
        assert answer["result"]["serverTime"] > 10**15
        assert "rateLimits" in await one.ask("ping", {"returnRateLimits": True})

    run(talk, path="/ws-api/v3?returnRateLimits=false&timeUnit=MICROSECOND")


def test_every_method_has_its_endpoint():
    assert [route for route in methods.ROUTES.values() if route not in ROUTES] == []


PUBLIC = {
    "ping": {},
    "exchangeInfo": {"symbols": ["BTCUSDT", "ETHUSDT"]},
    "depth": {"symbol": "BTCUSDT", "limit": 5},
    "klines": {"symbol": "BTCUSDT", "interval": "1m", "limit": 3},
    "uiKlines": {"symbol": "BTCUSDT", "interval": "1s"},
    "avgPrice": {"symbol": "BTCUSDT"},
    "trades.recent": {"symbol": "BTCUSDT"},
    "trades.historical": {"symbol": "BTCUSDT", "fromId": 1},
    "trades.aggregate": {"symbol": "BTCUSDT", "limit": 2},
    "ticker": {"symbol": "BTCUSDT", "windowSize": "1h"},
    "ticker.24hr": {"symbols": ["BTCUSDT"]},
    "ticker.tradingDay": {"symbol": "BTCUSDT"},
    "ticker.price": {},
    "ticker.book": {"symbol": "BTCUSDT"},
}


def test_public_methods_answer_as_rest_does():
    async def talk(one):
        one.venue.trade(60_000)
        one.venue.place(Side.BUY, 59_000, 1)
        for method, params in PUBLIC.items():
            verb, path = methods.ROUTES[method]
            query = "&".join(f"{name}={written(value)}" for name, value in params.items())
            # Of what depends on the moment only the shape is compared.
            expected = json.loads(one.venue.answer(Request(verb, path, query)).body)
            found = await one.result(method, params)
            assert shape(found) == shape(expected), method
            assert found or method == "ping", method

    run(talk)


def written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return type(value)


REFUSED = [
    ("order.plaice", {}, 400, -1020),
    ("userDataStream.start", {}, 410, -1016),
    ("userDataStream.ping", {}, 410, -1016),
    ("userDataStream.stop", {}, 410, -1016),
    ("depth", {}, 400, -1102),
    ("depth", {"symbol": "NOPE"}, 400, -1121),
    ("depth", {"symbol": "BTCUSDT", "more": 1}, 400, -1104),
    ("order.place", BUY, 401, -2014),
    ("order.place", BUY | {"apiKey": "unknown"}, 401, -2015),
    ("order.place", BUY | {"apiKey": KEY, "timestamp": 1}, 400, -1102),
    ("userDataStream.subscribe", {}, 401, -1002),
    ("userDataStream.unsubscribe", {}, 400, -2036),
    ("userDataStream.unsubscribe", {"subscriptionId": 0}, 400, -2036),
]
"""Method, parameters, status and code."""


def test_what_cannot_be_done_is_refused_with_its_code():
    async def talk(one):
        for method, params, status, code in REFUSED:
            answer = await one.ask(method, params)
            assert (answer["status"], answer["error"]["code"]) == (status, code), answer

    run(talk)


def test_wrong_texts_and_wrong_signatures_are_refused():
    async def talk(one):
        await one.socket.send("nonsense")
        heard = json.loads(await one.socket.recv())
        assert (heard["id"], heard["error"]["code"]) == (None, -1135)
        whole = one.sign(BUY)
        answer = await one.ask("order.place", whole | {"quantity": "0.02"})
        assert answer["error"]["code"] == -1022
        answer = await one.ask("order.place", one.sign(BUY, late_ms=61_000))
        assert answer["error"]["code"] == -1021
        answer = await one.ask("order.place", one.sign(BUY, late_ms=-2_000))
        assert answer["error"]["code"] == -1021
        assert one.venue.exchange.open_orders(TRADER) == ()

    run(talk)


def test_too_much_weight_is_refused_and_told_until_when():
    clock = TurnedClock(1_700_000_000 * SECOND // MINUTE * MINUTE + 10 * SECOND)
    limits = LimitSettings(weight=Limit("REQUEST_WEIGHT", MINUTE, 1, 20), patience=2)

    async def talk(one):
        for _ in range(18):
            assert (await one.ask("ping"))["status"] == 200
        answer = await one.ask("ping")
        assert answer["status"] == 429
        assert answer["error"]["code"] == -1003
        now = clock.now() // 1_000_000
        assert answer["error"]["data"] == {"serverTime": now, "retryAfter": now + 50_000}
        await one.ask("ping")
        answer = await one.ask("ping")
        assert answer["status"] == 418
        with pytest.raises(ConnectionClosed):
            await one.socket.recv()

    run(talk, clock=clock, limits=limits)


def test_log_on_needs_an_ed25519_key_and_then_stands_for_signatures():
    async def talk(one):
        refused = await one.ask("session.logon", one.sign({}))
        assert refused["error"]["code"] == -4056
        state = await one.result("session.status")
        assert state["apiKey"] is None
        assert state["authorizedSince"] is None
        logged_on = await one.result("session.logon", one.sign({}, SIGNER_KEY))
        assert logged_on["apiKey"] == SIGNER_KEY
        assert logged_on["userDataStream"] is False
        assert logged_on["connectedSince"] <= logged_on["authorizedSince"]
        stamp = {"timestamp": one.venue.venue.clock.now() // 1_000_000}
        placed = await one.result("order.place", BUY | stamp)
        assert one.venue.exchange.order(SIGNING, "BTCUSDT", order_id=placed["orderId"])
        # A request that brings a key of its own is that key's.
        other = await one.order()
        assert one.venue.exchange.order(TRADER, "BTCUSDT", order_id=other["orderId"])
        assert (await one.ask("account.status"))["error"]["code"] == -1102
        assert (await one.result("session.logout"))["apiKey"] is None
        assert (await one.ask("account.status", stamp))["error"]["code"] == -2014

    run(talk)


def test_orders_are_told_to_their_owner_in_order():
    async def talk(one):
        assert (await one.signed("userDataStream.subscribe.signature"))["result"] == {
            "subscriptionId": 0
        }
        placed = await one.order(newClientOrderId="mine-1")
        new, balances = await one.hear(2)
        assert (new["subscriptionId"], balances["subscriptionId"]) == (0, 0)
        assert {name: new["event"][name] for name in "exXciS"} == {
            "e": "executionReport",
            "x": "NEW",
            "X": "NEW",
            "c": "mine-1",
            "i": placed["orderId"],
            "S": "BUY",
        }
        assert balances["event"]["e"] == "outboundAccountPosition"
        usdt = next(asset for asset in balances["event"]["B"] if asset["a"] == "USDT")
        assert usdt["l"] == "500.00000000"
        one.venue.place(Side.SELL, 50_000, 0.004)
        fill, after = (message["event"] for message in await one.hear(2))
        assert (fill["x"], fill["X"], fill["l"], fill["m"]) == (
            "TRADE",
            "PARTIALLY_FILLED",
            "0.00400000",
            True,
        )
        assert (fill["N"], after["e"]) == ("BTC", "outboundAccountPosition")
        await one.signed(
            "order.cancel",
            {"symbol": "BTCUSDT", "orderId": placed["orderId"], "newClientOrderId": "stop-1"},
        )
        ended = (await one.hear(2))[0]["event"]
        assert (ended["x"], ended["c"], ended["C"], ended["z"]) == (
            "CANCELED",
            "stop-1",
            "mine-1",
            "0.00400000",
        )
        one.venue.exchange.deposit(TRADER, "ETH", 5 * ONE, one.venue.venue.clock.now())
        assert {"balanceUpdate"} <= {message["event"]["e"] for message in await one.hear(1)}

    run(talk)


def test_subscriptions_are_counted_listed_and_ended():
    async def talk(one):
        assert (await one.signed("userDataStream.subscribe.signature"))["status"] == 200
        again = await one.signed("userDataStream.subscribe.signature")
        assert again["error"] == {
            "code": -2035,
            "msg": "User Data Stream subscription already active.",
        }
        await one.result("session.logon", one.sign({}, SIGNER_KEY))
        assert await one.result("userDataStream.subscribe") == {"subscriptionId": 1}
        assert (await one.result("session.status"))["userDataStream"] is True
        assert await one.result("session.subscriptions") == [
            {"subscriptionId": 0},
            {"subscriptionId": 1},
        ]
        await one.result("session.logout")
        (ended,) = await one.hear(1)
        assert (ended["subscriptionId"], ended["event"]["e"]) == (1, "eventStreamTerminated")
        assert await one.result("userDataStream.unsubscribe", {"subscriptionId": 0}) == {}
        (ended,) = await one.hear(1)
        assert (ended["subscriptionId"], ended["event"]["e"]) == (0, "eventStreamTerminated")
        await one.order()
        assert await one.result("session.subscriptions") == []
        assert one.events == []

    run(talk)


def test_what_happened_before_a_subscription_is_not_told():
    async def talk(one):
        one.venue.exchange.deposit(TRADER, "ETH", ONE, one.venue.venue.clock.now())
        await one.signed("userDataStream.subscribe.signature")
        await one.order()
        assert (await one.hear(1))[0]["event"]["e"] == "executionReport"

    run(talk)


def test_accounts_are_told_of_their_own_orders_only():
    async def talk(one):
        await one.signed("userDataStream.subscribe.signature")
        one.venue.place(Side.BUY, 40_000, 0.01, account=OTHER)
        await one.order()
        assert (await one.hear(1))[0]["event"]["p"] == "50000.00000000"

    run(talk)


def test_closed_connection_leaves_nothing_behind():
    async def whole():
        async with open_venue() as venue:
            async with connect(f"ws://127.0.0.1:{venue.port}/ws-api/v3") as socket:
                one = Talk(venue, socket)
                await one.signed("userDataStream.subscribe.signature")
                assert venue.streams.accounts.subscriptions == 1
            await until(lambda: venue.streams.accounts.subscriptions == 0)

    asyncio.run(whole())


def test_order_lists_cancels_and_queries_work_as_methods():
    async def talk(one):
        symbol = {"symbol": "BTCUSDT"}
        one.venue.trade(60_000)
        listed = await one.signed(
            "orderList.place.oco",
            symbol
            | {
                "side": "SELL",
                "quantity": "0.01",
                "aboveType": "LIMIT_MAKER",
                "abovePrice": "70000",
                "belowType": "STOP_LOSS",
                "belowStopPrice": "50000",
            },
        )
        assert listed["status"] == 200, listed
        assert len((await one.signed("openOrders.status", symbol))["result"]) == 2
        assert (await one.signed("openOrders.cancelAll", symbol))["status"] == 200
        placed = await one.order()
        which = symbol | {"orderId": placed["orderId"]}
        assert (await one.signed("order.status", which))["result"]["status"] == "NEW"
        amended = await one.signed("order.amend.keepPriority", which | {"newQty": "0.005"})
        assert amended["status"] == 200, amended
        replaced = await one.signed(
            "order.cancelReplace",
            BUY | {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": placed["orderId"]},
        )
        assert replaced["status"] == 200, replaced
        missing = await one.signed(
            "order.cancelReplace",
            BUY | {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": placed["orderId"]},
        )
        assert (missing["status"], missing["error"]["code"]) == (400, -2022)
        assert missing["error"]["data"]["cancelResult"] == "FAILURE"
        for method, params in (
            ("order.test", BUY),
            ("allOrders", symbol),
            ("myTrades", symbol),
            ("account.status", {}),
            ("account.commission", symbol),
            ("account.rateLimits.orders", {}),
            ("openOrderLists.status", {}),
            ("allOrderLists", {}),
        ):
            assert (await one.signed(method, params))["status"] == 200, method

    run(talk)


def test_end_of_a_long_life_is_announced():
    clock = TurnedClock()

    async def talk(one):
        clock.turn(10.0)
        (told,) = await one.hear(1)
        assert told["event"]["e"] == "serverShutdown"

    run(talk, clock=clock, sockets=SocketSettings(life=30.0, warning=20.0))


def test_lists_are_told_with_the_names_of_their_orders():
    async def talk(one):
        one.venue.trade(60_000)
        await one.signed("userDataStream.subscribe.signature")
        listed = await one.signed(
            "orderList.place.oto",
            {
                "symbol": "BTCUSDT",
                "workingType": "LIMIT",
                "workingSide": "BUY",
                "workingClientOrderId": "first",
                "workingPrice": "50000",
                "workingQuantity": "0.01",
                "workingTimeInForce": "GTC",
                "pendingType": "MARKET",
                "pendingSide": "SELL",
                "pendingClientOrderId": "second",
                "pendingQuantity": "0.01",
            },
        )
        assert listed["status"] == 200, listed
        told = None
        while told is None or told["e"] != "listStatus":
            told = (await one.hear(1))[0]["event"]
        assert (told["c"], told["l"]) == ("OTO", "EXEC_STARTED")
        assert {order["c"] for order in told["O"]} == {"first", "second"}

    run(talk)


def test_an_address_may_open_so_many_sockets_and_no_more():
    async def whole():
        async with open_venue(clock=TurnedClock()) as venue:
            for _ in range(MOST_OPENINGS):
                async with connect(f"ws://127.0.0.1:{venue.port}/ws"):
                    """Opened and closed."""
            with pytest.raises(InvalidStatus) as refused:
                async with connect(f"ws://127.0.0.1:{venue.port}/ws"):
                    """Never opened."""
            assert refused.value.response.status_code == 429
            venue.venue.clock.turn(301.0)
            async with connect(f"ws://127.0.0.1:{venue.port}/ws"):
                """Opened again."""

    asyncio.run(whole())


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/ws?timeUnit=NANO", 400), ("/wsx", 404)]
)
def test_wrong_address_is_refused(path, status):
    async def whole():
        async with open_venue() as venue:
            with pytest.raises(InvalidStatus) as refused:
                async with connect(f"ws://127.0.0.1:{venue.port}{path}"):
                    """Never opened."""
            assert refused.value.response.status_code == status

    asyncio.run(whole())

"""What the owner of an account is told, field by field."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fakes.driven_market import Listening
from tidewright.domain.orders import Side
from tidewright.exchange.spot.values import (
    BalanceEvent,
    DepositEvent,
    Execution,
    Kind,
    ListEvent,
    ListKind,
    NewOrder,
    OrderEvent,
    OrderList,
    Prevention,
    SelfTrade,
    SpotFill,
    SpotOrder,
    Status,
)
from tidewright.servers.venue.streams.account_events import AccountEvents, terminated
from tidewright.servers.venue.streams.accounts import (
    AccountStreams,
    Subscription,
    say_terminated,
)
from tidewright.servers.venue.writers import MICROSECONDS, MILLISECONDS

PLACED = 1_499_405_658_657_000_000
NOW = 1_499_405_658_658_000_000
TERMS = NewOrder(
    "ETHBTC",
    Side.BUY,
    Kind.LIMIT,
    quantity=100_000_000,
    price=10_264_410,
    client_id="mUvoqJxFIILMdfAW5iGSOW",
    self_trade=SelfTrade.NONE,
)
ORDER = SpotOrder(
    4293153,
    3,
    TERMS,
    100_000_000,
    Status.NEW,
    PLACED,
    PLACED,
    working=True,
    working_since=PLACED,
)
MATCH = Prevention(
    3, "ETHBTC", 4293153, 37, 10_000_000, 200_000_000, 0, SelfTrade.EXPIRE_TAKER, PLACED
)
EVENTS = AccountEvents(
    lambda account, symbol, number: f"leg{number}",
    lambda account, symbol, number: MATCH,
)


def written(event, unit=MILLISECONDS):
    return EVENTS.write(event, 8641984, NOW, unit)


def test_new_order_is_told_as_the_documentation_shows():
    assert written(OrderEvent(Execution.NEW, ORDER, PLACED)) == {
        "e": "executionReport",
        "E": 1499405658658,
        "s": "ETHBTC",
        "c": "mUvoqJxFIILMdfAW5iGSOW",
        "S": "BUY",
        "o": "LIMIT",
        "f": "GTC",
        "q": "1.00000000",
        "p": "0.10264410",
        "P": "0.00000000",
        "F": "0.00000000",
        "g": -1,
        "C": "",
        "x": "NEW",
        "X": "NEW",
        "r": "NONE",
        "i": 4293153,
        "l": "0.00000000",
        "z": "0.00000000",
        "L": "0.00000000",
        "n": "0",
        "N": None,
        "T": 1499405658657,
        "t": -1,
        "I": 8641984,
        "w": True,
        "m": False,
        "M": False,
        "O": 1499405658657,
        "Z": "0.00000000",
        "Y": "0.00000000",
        "Q": "0.00000000",
        "W": 1499405658657,
        "V": "NONE",
    }


def test_trade_carries_its_fill():
    fill = SpotFill(
        55, 4293153, -1, 3, "ETHBTC", 10_000_000, 30_000_000, 3_000_000, 30_000, "ETH", NOW,
        buys=True, makes=True,
    )  # fmt: skip
    order = replace(ORDER, status=Status.PARTIALLY_FILLED, executed=30_000_000, spent=3_000_000)
    told = written(OrderEvent(Execution.TRADE, order, NOW, fill))
    assert {name: told[name] for name in "xXlzLnNTtmZYw"} == {
        "x": "TRADE",
        "X": "PARTIALLY_FILLED",
        "l": "0.30000000",
        "z": "0.30000000",
        "L": "0.10000000",
        "n": "0.00030000",
        "N": "ETH",
        "T": 1499405658658,
        "t": 55,
        "m": True,
        "Z": "0.03000000",
        "Y": "0.03000000",
        "w": True,
    }


def test_cancel_names_the_request_and_the_order():
    order = replace(ORDER, status=Status.CANCELED)
    told = written(OrderEvent(Execution.CANCELED, order, NOW, request_id="cancel-1"))
    assert (told["c"], told["C"]) == ("cancel-1", "mUvoqJxFIILMdfAW5iGSOW")
    assert (told["x"], told["X"], told["w"]) == ("CANCELED", "CANCELED", False)


def test_amended_order_has_its_new_id_and_names_the_old_one():
    order = replace(ORDER, terms=replace(TERMS, client_id="new-1"))
    told = written(OrderEvent(Execution.REPLACED, order, NOW, request_id="old-1"))
    assert (told["c"], told["C"], told["x"]) == ("new-1", "old-1", "REPLACED")


def test_only_some_orders_have_the_conditional_fields():
    terms = replace(
        TERMS,
        kind=Kind.STOP_LOSS_LIMIT,
        stop_price=9_000_000,
        trailing_delta=4,
        strategy_id=1,
        strategy_type=1_000_000,
        iceberg_quantity=10_000_000,
    )
    order = replace(
        ORDER,
        terms=terms,
        working=False,
        working_since=0,
        stop_price=9_500_000,
        trailing_since=PLACED,
    )
    told = written(OrderEvent(Execution.NEW, order, PLACED))
    assert {name: told[name] for name in "dDjJPFw"} == {
        "d": 4,
        "D": 1499405658657,
        "j": 1,
        "J": 1_000_000,
        "P": "0.09500000",
        "F": "0.10000000",
        "w": False,
    }
    assert "W" not in told


def test_prevented_match_is_told_with_its_counterpart():
    order = replace(ORDER, status=Status.EXPIRED_IN_MATCH, prevented=200_000_000, prevented_match=3)
    told = written(OrderEvent(Execution.TRADE_PREVENTION, order, NOW))
    assert {name: told[name] for name in ("v", "A", "B", "U", "Cs", "pl", "pL", "pY")} == {
        "v": 3,
        "A": "2.00000000",
        "B": "2.00000000",
        "U": 37,
        "Cs": "ETHBTC",
        "pl": "2.00000000",
        "pL": "0.10000000",
        "pY": "0.20000000",
    }


def test_balances_deposits_and_lists():
    assert written(BalanceEvent(3, PLACED, (("ETH", 10_000, 5),))) == {
        "e": "outboundAccountPosition",
        "E": 1499405658658,
        "u": 1499405658657,
        "B": [{"a": "ETH", "f": "0.00010000", "l": "0.00000005"}],
    }
    assert written(DepositEvent(3, PLACED, "BTC", -150_000_000), MICROSECONDS) == {
        "e": "balanceUpdate",
        "E": 1499405658658000,
        "a": "BTC",
        "d": "-1.50000000",
        "T": 1499405658657000,
    }
    one = OrderList(2, 3, "ETHBTC", ListKind.OTOCO, "list-1", (17, 18), False, PLACED)
    told = written(ListEvent(one, NOW))
    assert {name: told[name] for name in "egclLrCO"} == {
        "e": "listStatus",
        "g": 2,
        "c": "OTO",
        "l": "EXEC_STARTED",
        "L": "EXECUTING",
        "r": "NONE",
        "C": "list-1",
        "O": [{"s": "ETHBTC", "i": 17, "c": "leg17"}, {"s": "ETHBTC", "i": 18, "c": "leg18"}],
    }
    told = written(ListEvent(replace(one, done=True), NOW))
    assert (told["l"], told["L"]) == ("ALL_DONE", "ALL_DONE")
    assert terminated(NOW, MILLISECONDS) == {"e": "eventStreamTerminated", "E": 1499405658658}


class Clock:
    def now(self) -> int:
        return NOW


def test_every_subscription_of_the_account_is_told_and_no_other():
    streams = AccountStreams(EVENTS, Clock())
    mine, also, other = Listening(), Listening(unit=MICROSECONDS), Listening()
    first = Subscription(0, 3, mine, by_session=False)
    subscriptions = [first, Subscription(7, 3, also, False), Subscription(0, 4, other, False)]
    for one in subscriptions:
        streams.begin(one)
    events = [
        OrderEvent(Execution.NEW, ORDER, PLACED),
        BalanceEvent(3, PLACED, (("BTC", 1, 2),)),
        BalanceEvent(4, PLACED, (("BTC", 3, 4),)),
    ]
    streams.tell(events)
    heard = mine.take()
    assert [one["event"]["e"] for one in heard] == ["executionReport", "outboundAccountPosition"]
    assert {one["subscriptionId"] for one in heard} == {0}
    assert [one["event"]["E"] for one in also.take()] == [NOW // MICROSECONDS] * 2
    assert [one["event"]["B"][0]["f"] for one in other.take()] == ["0.00000003"]
    streams.end(first)
    streams.end(first)
    say_terminated(first, NOW)
    streams.tell(events)
    assert [json.loads(text) for text in mine.texts] == [
        {"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": 1499405658658}}
    ]


@pytest.mark.parametrize("side", list(Side))
def test_sides_are_in_capitals(side):
    order = replace(ORDER, terms=replace(TERMS, side=side))
    assert written(OrderEvent(Execution.NEW, order, PLACED))["S"] == side.value.upper()

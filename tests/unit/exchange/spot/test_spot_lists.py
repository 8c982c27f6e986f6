"""Order lists: what enters, what ends with what, and what the owner is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.spot_cases import ANN, BOB, BUY, ONE, SELL, START, limit, order, units, venue
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.exchange.spot.values import (
    Execution,
    Kind,
    ListEvent,
    ListKind,
    NewOrder,
    OrderEvent,
    Reason,
    Refusal,
    Status,
    TimeInForce,
)

ABOVE = order(SELL, Kind.LIMIT_MAKER, price=1_100, quantity=1)
BELOW = order(SELL, Kind.STOP_LOSS_LIMIT, price=890, stop=900, quantity=1)
WORKING = limit(BUY, 990, 1)
PENDING = limit(SELL, 1_200, 1)


def statuses(exchange: SpotExchange, account: int = ANN) -> list[Status]:
    return [one.status for one in exchange.all_orders(account, "BTCUSDT")]


def told(exchange: SpotExchange) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for event in exchange.take_events():
        if isinstance(event, OrderEvent) and event.order.account == ANN:
            found.append((event.order.id, event.execution, event.order.status))
        elif isinstance(event, ListEvent):
            found.append(("list", event.list.done))
    return found


@pytest.mark.parametrize("orders", [(ABOVE, BELOW), (BELOW, ABOVE)])
def test_a_pair_locks_once_and_one_fill_ends_the_other(orders: tuple[NewOrder, ...]) -> None:
    exchange = venue()
    value, placed = exchange.place_list(ANN, ListKind.OCO, orders, "my list", now=START)
    assert (value.client_id, value.orders, value.done) == ("my list", (1, 2), False)
    assert [one.order.terms.kind for one in placed] == [one.kind for one in orders]
    assert exchange.balances(ANN)["BTC"] == (999 * ONE, ONE)
    exchange.take_events()
    exchange.place(BOB, limit(BUY, 1_100, 0.4), START + 1)
    ended = 1 + [one.kind for one in orders].index(Kind.STOP_LOSS_LIMIT)
    other = 3 - ended
    assert told(exchange) == [
        (other, Execution.TRADE, Status.PARTIALLY_FILLED),
        (ended, Execution.EXPIRED, Status.EXPIRED),
    ]
    exchange.place(BOB, limit(BUY, 1_100, 0.6), START + 2)
    assert told(exchange) == [(other, Execution.TRADE, Status.FILLED), ("list", True)]
    assert exchange.list(ANN, client_id="my list").done
    assert exchange.lists(ANN, only_open=True) == ()


def test_a_reached_stop_ends_the_limit_of_its_pair() -> None:
    exchange = venue()
    exchange.place_list(ANN, ListKind.OCO, (ABOVE, BELOW), now=START)
    exchange.place(BOB, limit(BUY, 900, 1), START)
    exchange.place(BOB, limit(BUY, 895, 1), START)
    exchange.deposit(BOB, "BTC", ONE, START)
    exchange.take_events()
    exchange.place(ANN, limit(SELL, 900, 1), START)
    assert statuses(exchange) == [Status.EXPIRED, Status.FILLED, Status.FILLED]
    assert exchange.balances(ANN)["BTC"] == (998 * ONE, 0)


@pytest.mark.parametrize("which", [0, 1])
def test_a_cancel_of_one_cancels_both(which: int) -> None:
    exchange = venue()
    value, placed = exchange.place_list(ANN, ListKind.OCO, (ABOVE, BELOW), now=START)
    exchange.take_events()
    number = placed[which].order.id
    exchange.cancel(ANN, "BTCUSDT", order_id=number, request_id="end", now=START)
    assert statuses(exchange) == [Status.CANCELED] * 2
    assert exchange.balances(ANN)["BTC"] == (1_000 * ONE, 0)
    *ends, done, _ = exchange.take_events()
    assert [one.request_id for one in ends if isinstance(one, OrderEvent)] == ["end"] * 2
    assert isinstance(done, ListEvent)
    assert done.list.done
    with pytest.raises(Refusal):
        exchange.cancel_list(ANN, "BTCUSDT", list_id=value.id, now=START)


def test_cancel_all_returns_lists_once() -> None:
    exchange = venue()
    value, _ = exchange.place_list(ANN, ListKind.OCO, (ABOVE, BELOW), now=START)
    single = exchange.place(ANN, limit(BUY, 900, 1), START).order
    found = exchange.cancel_all(ANN, "BTCUSDT", START)
    assert found[0] == replace(value, done=True)
    assert [getattr(one, "id", 0) for one in found] == [value.id, single.id]
    with pytest.raises(Refusal) as refusal:
        exchange.cancel_all(ANN, "BTCUSDT", START)
    assert refusal.value.reason is Reason.UNKNOWN_ORDER


@pytest.mark.parametrize(
    ("kind", "orders"),
    [
        (ListKind.OCO, (ABOVE,)),
        (ListKind.OCO, (ABOVE, ABOVE)),
        (ListKind.OCO, (ABOVE, replace(BELOW, side=BUY))),
        (ListKind.OCO, (ABOVE, replace(BELOW, quantity=2 * ONE))),
        (ListKind.OCO, (ABOVE, replace(BELOW, symbol="ETHUSDT"))),
        (ListKind.OCO, (ABOVE, replace(BELOW, trailing_delta=100))),
        (ListKind.OCO, (ABOVE, replace(BELOW, time_in_force=TimeInForce.IOC))),
        (ListKind.OCO, (ABOVE, replace(BELOW, stop_price=units(1_200)))),
        (ListKind.OCO, (ABOVE, replace(BELOW, stop_price=units(1_050)))),
        (ListKind.OCO, (replace(ABOVE, price=units(950)), BELOW)),
        (ListKind.OTO, (order(BUY, Kind.MARKET, quantity=1), PENDING)),
        (ListKind.OTO, (WORKING, order(SELL, Kind.MARKET, money=100))),
        (ListKind.OTO, (WORKING, PENDING, PENDING)),
        (ListKind.OTOCO, (WORKING, PENDING, PENDING)),
    ],
)
def test_orders_that_make_no_list_are_refused(kind: ListKind, orders: tuple[NewOrder, ...]) -> None:
    exchange = venue()
    with pytest.raises(Refusal) as found:
        exchange.place_list(ANN, kind, orders, now=START)
    assert found.value.reason is Reason.BAD_LIST
    assert exchange.open_orders(ANN) == ()
    assert exchange.balances(ANN)["BTC"] == (1_000 * ONE, 0)


def test_a_list_of_equal_names_is_refused() -> None:
    named = replace(ABOVE, client_id="one"), replace(BELOW, client_id="one")
    with pytest.raises(Refusal) as found:
        venue().place_list(ANN, ListKind.OCO, named, now=START)
    assert found.value.reason is Reason.DUPLICATE


def test_a_pending_order_enters_when_the_first_is_filled() -> None:
    exchange = venue()
    value, placed = exchange.place_list(ANN, ListKind.OTO, (WORKING, PENDING), now=START)
    assert [one.order.status for one in placed] == [Status.NEW, Status.PENDING_NEW]
    assert exchange.balances(ANN)["BTC"] == (1_000 * ONE, 0)
    assert told(exchange) == [
        (1, Execution.NEW, Status.NEW),
        (2, Execution.NEW, Status.PENDING_NEW),
        ("list", False),
    ]
    exchange.place(BOB, limit(SELL, 990, 0.5), START + 1)
    assert statuses(exchange) == [Status.PARTIALLY_FILLED, Status.PENDING_NEW]
    exchange.place(BOB, limit(SELL, 990, 0.5), START + 2)
    assert told(exchange) == [
        (1, Execution.TRADE, Status.PARTIALLY_FILLED),
        (1, Execution.TRADE, Status.FILLED),
        (2, Execution.NEW, Status.NEW),
    ]
    assert exchange.order(ANN, "BTCUSDT", order_id=2).working_since == START + 2
    assert exchange.tape.best("BTCUSDT").ask == 1_200 * ONE
    exchange.place(BOB, limit(BUY, 1_200, 1), START + 3)
    assert exchange.list(ANN, list_id=value.id).done


def test_a_pending_order_enters_at_once_behind_one_that_is_filled_at_once() -> None:
    exchange = venue()
    exchange.place(BOB, limit(SELL, 990, 1), START)
    _, placed = exchange.place_list(ANN, ListKind.OTO, (WORKING, PENDING), now=START)
    assert [one.order.status for one in placed] == [Status.FILLED, Status.NEW]
    assert len(placed[0].fills) == 1


def test_a_pending_pair_enters_when_the_first_is_filled() -> None:
    exchange = venue()
    orders = (WORKING, ABOVE, BELOW)
    value, _ = exchange.place_list(ANN, ListKind.OTOCO, orders, now=START)
    exchange.place(BOB, limit(SELL, 990, 1), START)
    assert statuses(exchange) == [Status.FILLED, Status.NEW, Status.NEW]
    exchange.place(BOB, limit(BUY, 1_100, 1), START)
    assert statuses(exchange) == [Status.FILLED, Status.FILLED, Status.EXPIRED]
    assert exchange.list(ANN, list_id=value.id).done


def test_a_pending_order_that_the_book_refuses_is_rejected() -> None:
    exchange = venue()
    pending = limit(SELL, 1_200, 5_000)
    value, _ = exchange.place_list(ANN, ListKind.OTO, (WORKING, pending), now=START)
    exchange.place(BOB, limit(SELL, 990, 1), START)
    assert statuses(exchange) == [Status.FILLED, Status.REJECTED]
    assert told(exchange)[-2:] == [(2, Execution.REJECTED, Status.REJECTED), ("list", True)]
    assert exchange.list(ANN, list_id=value.id).done


@pytest.mark.parametrize("which", [1, 2, 3])
def test_a_cancel_of_one_of_three_cancels_all(which: int) -> None:
    exchange = venue()
    value, _ = exchange.place_list(ANN, ListKind.OTOCO, (WORKING, ABOVE, BELOW), now=START)
    exchange.cancel(ANN, "BTCUSDT", order_id=which, now=START)
    assert statuses(exchange) == [Status.CANCELED] * 3
    assert exchange.list(ANN, list_id=value.id).done
    assert exchange.balances(ANN)["USDT"] == (units(1_000_000), 0)
    assert [event for event in told(exchange) if event[0] == "list"] == [
        ("list", False),
        ("list", True),
    ]


def test_what_waits_for_an_order_that_expires_expires_with_it() -> None:
    exchange = venue()
    working = replace(WORKING, time_in_force=TimeInForce.IOC)
    value, placed = exchange.place_list(ANN, ListKind.OTO, (working, PENDING), now=START)
    assert [one.order.status for one in placed] == [Status.EXPIRED] * 2
    assert value.done


def test_a_pending_order_can_be_made_smaller() -> None:
    exchange = venue()
    exchange.place_list(ANN, ListKind.OTO, (WORKING, PENDING), now=START)
    exchange.amend(ANN, "BTCUSDT", order_id=2, quantity=units(0.4), now=START)
    exchange.place(BOB, limit(SELL, 990, 1), START)
    assert exchange.balances(ANN)["BTC"][1] == units(0.4)

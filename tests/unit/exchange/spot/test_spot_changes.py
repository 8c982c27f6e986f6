"""Orders that change: amended, replaced, kept from trading with their own account."""

from __future__ import annotations

import pytest

from fakes.spot_cases import ANN, BOB, BUY, ONE, SELL, START, limit, order, units, venue
from tidewright.exchange.spot.listing import CountFilter
from tidewright.exchange.spot.values import (
    Execution,
    Kind,
    OrderEvent,
    Placed,
    Reason,
    Refusal,
    ReplaceMode,
    SelfTrade,
    SpotOrder,
    Status,
)

STOP_ON_FAILURE, ALLOW_FAILURE = ReplaceMode.STOP_ON_FAILURE, ReplaceMode.ALLOW_FAILURE


def test_an_amended_order_keeps_its_place() -> None:
    exchange = venue()
    first = exchange.place(ANN, limit(SELL, 1_000, 3, client_id="old"), START).order
    exchange.place(BOB, limit(SELL, 1_000, 3), START)
    exchange.take_events()
    smaller = exchange.amend(
        ANN, "BTCUSDT", order_id=first.id, quantity=2 * ONE, new_client_id="new", now=START + 1
    )
    assert (smaller.id, smaller.quantity, smaller.terms.client_id) == (first.id, 2 * ONE, "new")
    assert exchange.balances(ANN)["BTC"] == (998 * ONE, 2 * ONE)
    event = exchange.take_events()[0]
    assert isinstance(event, OrderEvent)
    assert (event.execution, event.request_id) == (Execution.REPLACED, "old")
    exchange.place(BOB, limit(BUY, 1_000, 2, self_trade=SelfTrade.NONE), START + 2)
    assert exchange.order(ANN, "BTCUSDT", client_id="new").status is Status.FILLED
    with pytest.raises(Refusal):
        exchange.order(ANN, "BTCUSDT", client_id="old")


def test_a_partly_filled_order_is_amended_above_what_traded() -> None:
    exchange = venue()
    number = exchange.place(ANN, limit(SELL, 1_000, 3), START).order.id
    exchange.place(BOB, limit(BUY, 1_000, 1), START)
    for quantity in (1, 3, 4):
        with pytest.raises(Refusal) as found:
            exchange.amend(ANN, "BTCUSDT", order_id=number, quantity=quantity * ONE, now=START)
        assert found.value.reason is Reason.BAD_AMEND
    exchange.amend(ANN, "BTCUSDT", order_id=number, quantity=2 * ONE, now=START)
    exchange.place(BOB, limit(BUY, 1_000, 1), START)
    found = exchange.order(ANN, "BTCUSDT", order_id=number)
    assert (found.status, found.executed) == (Status.FILLED, 2 * ONE)


def test_an_order_that_waits_is_not_amended() -> None:
    exchange = venue()
    number = exchange.place(ANN, order(SELL, Kind.STOP_LOSS, stop=900, quantity=1), START).order.id
    with pytest.raises(Refusal) as found:
        exchange.amend(ANN, "BTCUSDT", order_id=number, quantity=units(0.5), now=START)
    assert found.value.reason is Reason.BAD_AMEND


def test_an_amend_does_not_take_the_name_of_another_order() -> None:
    exchange = venue()
    exchange.place(ANN, limit(SELL, 1_000, 1, client_id="taken"), START)
    number = exchange.place(ANN, limit(SELL, 1_000, 1, client_id="own"), START).order.id
    with pytest.raises(Refusal) as found:
        exchange.amend(
            ANN,
            "BTCUSDT",
            order_id=number,
            quantity=units(0.5),
            new_client_id="taken",
            now=START,
        )
    assert found.value.reason is Reason.DUPLICATE
    kept = exchange.amend(
        ANN, "BTCUSDT", order_id=number, quantity=units(0.5), new_client_id="own", now=START
    )
    assert kept.terms.client_id == "own"


@pytest.mark.parametrize("mode", ReplaceMode)
def test_a_replacement_cancels_and_places(mode: ReplaceMode) -> None:
    exchange = venue()
    number = exchange.place(ANN, limit(BUY, 900, 1_000), START).order.id
    found = exchange.replace(ANN, limit(BUY, 901, 1), START, mode=mode, order_id=number)
    assert isinstance(found.cancelled, SpotOrder)
    assert found.cancelled.status is Status.CANCELED
    assert isinstance(found.placed, Placed)
    assert [one.id for one in exchange.open_orders(ANN)] == [found.placed.order.id]


def test_a_failed_cancel_stops_the_replacement_or_not() -> None:
    exchange = venue()
    found = exchange.replace(ANN, limit(BUY, 900, 1), START, mode=STOP_ON_FAILURE, order_id=9)
    assert isinstance(found.cancelled, Refusal)
    assert found.placed is None
    found = exchange.replace(ANN, limit(BUY, 900, 1), START, mode=ALLOW_FAILURE, order_id=9)
    assert isinstance(found.cancelled, Refusal)
    assert isinstance(found.placed, Placed)


def test_a_replacement_that_the_book_refuses_leaves_the_cancel() -> None:
    exchange = venue()
    number = exchange.place(ANN, limit(BUY, 900, 1), START).order.id
    found = exchange.replace(
        ANN, limit(BUY, 900, 5_000), START, mode=STOP_ON_FAILURE, order_id=number
    )
    assert isinstance(found.cancelled, SpotOrder)
    assert isinstance(found.placed, Refusal)
    assert found.placed.reason is Reason.NO_BALANCE
    assert exchange.open_orders(ANN) == ()


def test_a_replacement_that_a_filter_refuses_cancels_nothing() -> None:
    exchange = venue(CountFilter("MAX_NUM_ORDERS", 1))
    number = exchange.place(ANN, limit(BUY, 900, 1), START).order.id
    with pytest.raises(Refusal) as found:
        exchange.replace(ANN, limit(BUY, 901, 1), START, mode=ALLOW_FAILURE, order_id=number)
    assert found.value.detail == "MAX_NUM_ORDERS"
    assert len(exchange.open_orders(ANN)) == 1


def test_a_cancel_may_ask_for_an_untouched_order() -> None:
    exchange = venue()
    number = exchange.place(ANN, limit(SELL, 1_000, 2), START).order.id
    exchange.place(BOB, limit(BUY, 1_000, 1), START)
    with pytest.raises(Refusal) as found:
        exchange.cancel(ANN, "BTCUSDT", order_id=number, only=Status.NEW, now=START)
    assert found.value.reason is Reason.CANCEL_RESTRICTED
    exchange.cancel(ANN, "BTCUSDT", order_id=number, only=Status.PARTIALLY_FILLED, now=START)


MATCHED, EXPIRED, OPEN = Status.FILLED, Status.EXPIRED_IN_MATCH, Status.NEW


@pytest.mark.parametrize(
    ("choice", "taker", "maker", "lost"),
    [
        (SelfTrade.NONE, Status.PARTIALLY_FILLED, MATCHED, None),
        (SelfTrade.EXPIRE_TAKER, EXPIRED, OPEN, (3, 0)),
        (SelfTrade.EXPIRE_MAKER, OPEN, EXPIRED, (0, 2)),
        (SelfTrade.EXPIRE_BOTH, EXPIRED, EXPIRED, (3, 2)),
        (SelfTrade.DECREMENT, OPEN, EXPIRED, (2, 2)),
    ],
)
def test_what_an_order_chooses_against_trading_with_its_own_account(
    choice: SelfTrade, taker: Status, maker: Status, lost: tuple[int, int] | None
) -> None:
    exchange = venue()
    rests = exchange.place(ANN, limit(SELL, 1_000, 2), START).order
    exchange.take_events()
    placed = exchange.place(ANN, limit(BUY, 1_001, 3, self_trade=choice), START + 1)
    assert placed.order.status is taker
    assert exchange.order(ANN, "BTCUSDT", order_id=rests.id).status is maker
    events = [one for one in exchange.take_events() if isinstance(one, OrderEvent)]
    prevented = [one.order for one in events if one.execution is Execution.TRADE_PREVENTION]
    if lost is None:
        assert len(exchange.fills(ANN, "BTCUSDT")) == 2
        assert prevented == []
        assert placed.preventions == ()
        return
    (found,) = placed.preventions
    assert exchange.preventions(ANN, "BTCUSDT") == (found,)
    assert (found.taker_order, found.maker_order) == (placed.order.id, rests.id)
    assert (found.price, found.choice) == (1_000 * ONE, choice)
    assert (found.taker_quantity, found.maker_quantity) == (lost[0] * ONE, lost[1] * ONE)
    assert {one.id: one.prevented for one in prevented} == {
        number: part * ONE
        for number, part in zip((placed.order.id, rests.id), lost, strict=True)
        if part
    }
    assert all(one.prevented_match == found.id for one in prevented)


def test_what_prevented_matches_take_adds_up_and_cannot_be_amended_back() -> None:
    exchange = venue()
    for price in (1_000, 1_001):
        exchange.place(ANN, limit(SELL, price, 1), START)
    asked = limit(BUY, 1_001, 5, self_trade=SelfTrade.DECREMENT)
    placed = exchange.place(ANN, asked, START)
    assert [one.taker_quantity for one in placed.preventions] == [ONE, ONE]
    assert (placed.order.prevented, placed.order.prevented_match) == (2 * ONE, 2)
    number = placed.order.id
    with pytest.raises(Refusal):
        exchange.amend(ANN, "BTCUSDT", order_id=number, quantity=2 * ONE, now=START)
    exchange.amend(ANN, "BTCUSDT", order_id=number, quantity=3 * ONE, now=START)
    assert exchange.tape.best("BTCUSDT").bid_quantity == ONE
    assert exchange.balances(ANN)["USDT"][1] == units(1_001)


def test_a_market_order_kept_from_its_own_account_tells_its_quantity() -> None:
    exchange = venue()
    exchange.place(BOB, limit(SELL, 1_000, 1), START)
    exchange.place(ANN, limit(SELL, 1_001, 1), START)
    asked = order(BUY, Kind.MARKET, money=1_500, self_trade=SelfTrade.EXPIRE_TAKER)
    placed = exchange.place(ANN, asked, START).order
    assert placed.status is Status.EXPIRED_IN_MATCH
    assert placed.executed == ONE
    assert placed.quantity == placed.executed + placed.prevented


def test_accounts_of_others_trade_whatever_is_chosen() -> None:
    exchange = venue()
    exchange.place(ANN, limit(SELL, 1_000, 1), START)
    asked = limit(BUY, 1_000, 1, self_trade=SelfTrade.EXPIRE_BOTH)
    assert exchange.place(BOB, asked, START).order.status is Status.FILLED

"""Each kind of order, what becomes of it, and what its owner is told."""

from __future__ import annotations

import pytest

from fakes.spot_cases import ANN, BOB, BUY, ONE, SELL, START, limit, order, units, venue
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.exchange.spot.values import (
    BalanceEvent,
    Execution,
    Kind,
    NewOrder,
    OrderEvent,
    Reason,
    Refusal,
    SelfTrade,
    Status,
    TimeInForce,
)


def told(exchange: SpotExchange, account: int) -> list[tuple[int, Execution, Status]]:
    """What happened to an account's orders since somebody looked."""
    return [
        (event.order.id, event.execution, event.order.status)
        for event in exchange.take_events()
        if isinstance(event, OrderEvent) and event.order.account == account
    ]


def refused(exchange: SpotExchange, account: int, asked: NewOrder) -> Refusal:
    before = exchange.balances(account), len(exchange.ledger)
    with pytest.raises(Refusal) as found:
        exchange.place(account, asked, exchange.now)
    assert (exchange.balances(account), len(exchange.ledger)) == before
    return found.value


def test_a_limit_order_rests_trades_in_parts_and_pays_fees_in_what_it_gets() -> None:
    exchange = venue()
    rests = exchange.place(ANN, limit(SELL, 1_000, 3), START + 1).order
    assert (rests.status, rests.working, rests.working_since) == (Status.NEW, True, START + 1)
    assert exchange.balances(ANN)["BTC"] == (997 * ONE, 3 * ONE)

    taken = exchange.place(BOB, limit(BUY, 1_001, 2), START + 2)
    assert taken.order.status is Status.FILLED
    (fill,) = taken.fills
    assert (fill.price, fill.quantity, fill.money) == (1_000 * ONE, 2 * ONE, 2_000 * ONE)
    assert (fill.fee, fill.fee_asset, fill.makes) == (2 * ONE * 2_000 // 10**6, "BTC", False)

    left = exchange.order(ANN, "BTCUSDT", order_id=rests.id)
    assert (left.status, left.executed, left.spent) == (
        Status.PARTIALLY_FILLED,
        2 * ONE,
        2_000 * ONE,
    )
    assert exchange.fills(ANN, "BTCUSDT")[0].fee == units(2)
    assert exchange.balances(ANN)["USDT"] == (units(1_000_000 + 2_000 - 2), 0)
    assert told(exchange, ANN) == [
        (1, Execution.NEW, Status.NEW),
        (1, Execution.TRADE, Status.PARTIALLY_FILLED),
    ]


def test_the_buyer_gets_back_what_a_better_price_spared() -> None:
    exchange = venue()
    exchange.place(ANN, limit(SELL, 1_000, 1), START)
    exchange.place(BOB, limit(BUY, 1_100, 1), START)
    assert exchange.balances(BOB)["USDT"] == (units(999_000), 0)


def test_a_maker_order_that_would_take_is_refused() -> None:
    exchange = venue()
    exchange.place(ANN, limit(SELL, 1_000, 1), START)
    found = refused(exchange, BOB, order(BUY, Kind.LIMIT_MAKER, price=1_000, quantity=1))
    assert found.reason is Reason.WOULD_TAKE
    exchange.place(BOB, order(BUY, Kind.LIMIT_MAKER, price=999, quantity=1), START)


@pytest.mark.parametrize(
    ("life", "executed"), [(TimeInForce.IOC, 1), (TimeInForce.FOK, 0)], ids=["IOC", "FOK"]
)
def test_what_cannot_trade_at_once_expires(life: TimeInForce, executed: int) -> None:
    exchange = venue()
    exchange.place(ANN, limit(SELL, 1_000, 1), START)
    placed = exchange.place(BOB, limit(BUY, 1_000, 2, time_in_force=life), START)
    assert (placed.order.status, placed.order.executed) == (Status.EXPIRED, executed * ONE)
    assert exchange.open_orders(BOB) == ()
    assert exchange.balances(BOB)["USDT"][1] == 0


def test_a_market_order_by_quantity_expires_where_the_book_ends() -> None:
    exchange = venue()
    exchange.place(ANN, limit(SELL, 1_000, 1), START)
    exchange.place(ANN, limit(SELL, 1_010, 1), START)
    placed = exchange.place(BOB, order(BUY, Kind.MARKET, quantity=3), START)
    assert placed.order.status is Status.EXPIRED
    assert [fill.price for fill in placed.fills] == [1_000 * ONE, 1_010 * ONE]
    found = refused(exchange, BOB, order(BUY, Kind.MARKET, quantity=1))
    assert found.reason is Reason.NO_LIQUIDITY


def test_a_market_order_for_money_buys_what_it_pays_for() -> None:
    exchange = venue()
    exchange.place(ANN, limit(SELL, 1_000, 1), START)
    exchange.place(ANN, limit(SELL, 2_000, 1), START)
    placed = exchange.place(BOB, order(BUY, Kind.MARKET, money=2_000), START).order
    assert (placed.status, placed.quantity) == (Status.FILLED, units(1.5))
    assert placed.spent == units(2_000)
    sold = exchange.place(ANN, limit(BUY, 500, 2), START)
    placed = exchange.place(BOB, order(SELL, Kind.MARKET, money=750), START).order
    assert (placed.status, placed.executed) == (Status.FILLED, units(1.5))
    assert exchange.order(ANN, "BTCUSDT", order_id=sold.order.id).status is Status.PARTIALLY_FILLED


def test_more_than_what_is_free_is_refused() -> None:
    exchange = venue()
    assert refused(exchange, ANN, limit(BUY, 1_000, 1_001)).reason is Reason.NO_BALANCE
    assert refused(exchange, ANN, limit(SELL, 1_000, 1_001)).reason is Reason.NO_BALANCE
    exchange.place(ANN, limit(BUY, 1_000, 1_000), START)
    assert exchange.balances(ANN)["USDT"] == (0, units(1_000_000))


def trade_at(exchange: SpotExchange, price: float) -> None:
    exchange.place(BOB, limit(SELL, price, 0.001), exchange.now)
    exchange.place(BOB, limit(BUY, price, 0.001, self_trade=SelfTrade.NONE), exchange.now)


@pytest.mark.parametrize(
    ("side", "kind", "stop", "price"),
    [
        (BUY, Kind.STOP_LOSS, 1_010, 0),
        (SELL, Kind.STOP_LOSS, 990, 0),
        (BUY, Kind.TAKE_PROFIT, 990, 0),
        (SELL, Kind.TAKE_PROFIT, 1_010, 0),
        (BUY, Kind.STOP_LOSS_LIMIT, 1_010, 1_020),
        (SELL, Kind.STOP_LOSS_LIMIT, 990, 980),
        (BUY, Kind.TAKE_PROFIT_LIMIT, 990, 995),
        (SELL, Kind.TAKE_PROFIT_LIMIT, 1_010, 1_005),
    ],
)
def test_an_order_waits_for_its_price(side: object, kind: Kind, stop: float, price: float) -> None:
    exchange = venue()
    asked = order(side, kind, stop=stop, price=price, quantity=1)  # type: ignore[arg-type]
    placed = exchange.place(ANN, asked, START).order
    assert (placed.status, placed.working, placed.working_since) == (Status.NEW, False, 0)
    opposite = SELL if asked.side is BUY else BUY
    trade_at(exchange, 1_000)
    away = 1_015 if asked.side is BUY else 985
    if (stop > 1_000) == (asked.side is BUY):
        exchange.place(BOB, limit(opposite, away, 2), START + 5)
        trade_at(exchange, stop)
    else:
        trade_at(exchange, stop + (5 if stop > 1_000 else -5))
        exchange.place(BOB, limit(opposite, price or stop, 2), START + 5)
    found = exchange.order(ANN, "BTCUSDT", order_id=placed.id)
    assert found.working
    assert found.working_since >= START


def test_a_stop_whose_price_is_passed_is_refused() -> None:
    found = refused(venue(), ANN, order(SELL, Kind.STOP_LOSS, stop=1_001, quantity=1))
    assert found.reason is Reason.WOULD_TRIGGER
    found = refused(venue(), ANN, order(BUY, Kind.TAKE_PROFIT, stop=1_001, quantity=1))
    assert found.reason is Reason.WOULD_TRIGGER


def test_a_triggered_stop_tells_that_it_works_and_trades() -> None:
    exchange = venue()
    stop = exchange.place(ANN, order(SELL, Kind.STOP_LOSS, stop=990, quantity=1), START).order
    exchange.place(BOB, limit(BUY, 985, 5), START + 1)
    exchange.take_events()
    trade_at(exchange, 990)
    assert told(exchange, ANN) == [
        (stop.id, Execution.NEW, Status.NEW),
        (stop.id, Execution.TRADE, Status.FILLED),
    ]


def test_a_trailing_stop_follows_and_falls() -> None:
    exchange = venue()
    placed = exchange.place(ANN, order(SELL, Kind.STOP_LOSS, trail=1_000, quantity=1), START).order
    assert (placed.stop_price, placed.trailing_since) == (units(900), START)
    trade_at(exchange, 1_200)
    assert exchange.order(ANN, "BTCUSDT", order_id=placed.id).stop_price == units(1_080)
    exchange.place(BOB, limit(BUY, 500, 5), START + 1)
    trade_at(exchange, 1_081)
    assert not exchange.order(ANN, "BTCUSDT", order_id=placed.id).working
    trade_at(exchange, 1_080)
    assert exchange.order(ANN, "BTCUSDT", order_id=placed.id).status is Status.FILLED


def test_a_trailing_stop_with_a_price_begins_to_follow_there() -> None:
    exchange = venue()
    asked = order(SELL, Kind.TAKE_PROFIT, stop=1_100, trail=1_000, quantity=1)
    placed = exchange.place(ANN, asked, START).order
    assert (placed.stop_price, placed.trailing_since) == (units(1_100), 0)
    exchange.advance(START + 7)
    trade_at(exchange, 1_200)
    found = exchange.order(ANN, "BTCUSDT", order_id=placed.id)
    assert (found.trailing_since, found.stop_price) == (START + 7, units(1_080))


def test_an_iceberg_shows_a_part_and_is_refused_where_it_cannot_be_one() -> None:
    exchange = venue()
    exchange.place(ANN, limit(SELL, 1_000, 5, iceberg_quantity=ONE), START)
    assert exchange.tape.best("BTCUSDT").ask_quantity == ONE
    exchange.place(BOB, limit(BUY, 1_000, 3), START)
    assert exchange.tape.best("BTCUSDT").ask_quantity == ONE
    for bad in (
        limit(SELL, 1_000, 1, iceberg_quantity=2 * ONE),
        limit(SELL, 1_000, 2, iceberg_quantity=ONE, time_in_force=TimeInForce.IOC),
        order(SELL, Kind.MARKET, quantity=2, iceberg_quantity=ONE),
    ):
        assert refused(exchange, ANN, bad).reason is Reason.BAD_ICEBERG


def test_a_client_id_is_unique_among_open_orders() -> None:
    exchange = venue()
    first = exchange.place(ANN, limit(SELL, 1_000, 1, client_id="mine"), START).order
    assert refused(exchange, ANN, limit(SELL, 1_001, 1, client_id="mine")).reason is (
        Reason.DUPLICATE
    )
    exchange.place(BOB, limit(SELL, 1_001, 1, client_id="mine"), START)
    exchange.cancel(ANN, "BTCUSDT", client_id="mine", now=START)
    second = exchange.place(ANN, limit(SELL, 1_002, 1, client_id="mine"), START).order
    assert exchange.order(ANN, "BTCUSDT", client_id="mine").id == second.id
    assert exchange.order(ANN, "BTCUSDT", order_id=first.id).status is Status.CANCELED
    with pytest.raises(Refusal) as found:
        exchange.order(ANN, "BTCUSDT", order_id=first.id, client_id="other")
    assert found.value.reason is Reason.WRONG_CLIENT_ID


def test_a_cancel_frees_the_money_and_tells_with_its_own_name() -> None:
    exchange = venue()
    placed = exchange.place(ANN, limit(BUY, 900, 1), START).order
    exchange.take_events()
    ended = exchange.cancel(ANN, "BTCUSDT", order_id=placed.id, request_id="stop it", now=START + 9)
    assert (ended.status, ended.updated) == (Status.CANCELED, START + 9)
    event, balance = exchange.take_events()
    assert isinstance(event, OrderEvent)
    assert (event.execution, event.request_id) == (Execution.CANCELED, "stop it")
    assert isinstance(balance, BalanceEvent)
    assert dict((asset, free) for asset, free, _ in balance.balances)["USDT"] == units(1_000_000)
    for number in (placed.id, 77):
        with pytest.raises(Refusal) as found:
            exchange.cancel(ANN, "BTCUSDT", order_id=number, now=START)
        assert found.value.reason is Reason.UNKNOWN_ORDER
    with pytest.raises(Refusal) as found:
        exchange.order(ANN, "BTCUSDT", order_id=77)
    assert found.value.reason is Reason.NO_SUCH_ORDER


def test_an_account_sees_and_ends_only_its_own_orders() -> None:
    exchange = venue()
    placed = exchange.place(ANN, limit(BUY, 900, 1), START).order
    assert exchange.open_orders(BOB) == ()
    with pytest.raises(Refusal):
        exchange.cancel(BOB, "BTCUSDT", order_id=placed.id, now=START)


def test_the_test_order_changes_nothing() -> None:
    exchange = venue()
    exchange.check(ANN, limit(BUY, 900, 1), START)
    with pytest.raises(Refusal):
        exchange.check(ANN, limit(BUY, 900, 1, symbol="NOPE"), START)
    assert exchange.open_orders(ANN) == ()
    assert exchange.take_events() == ()

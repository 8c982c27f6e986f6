"""Each filter lets its bound pass and refuses what is beyond."""

from __future__ import annotations

import pytest

from fakes.spot_cases import ANN, BOB, BUY, ONE, SELL, START, limit, order, units, venue
from tidewright.domain.errors import ConfigError
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.exchange.spot.listing import (
    CountFilter,
    Filter,
    LotSize,
    MarketLotSize,
    MaxPosition,
    MinNotional,
    Notional,
    PercentPrice,
    PercentPriceBySide,
    PriceFilter,
    TrailingDelta,
)
from tidewright.exchange.spot.values import (
    Kind,
    ListKind,
    NewOrder,
    Reason,
    Refusal,
    SymbolStatus,
)

PRICE = PriceFilter(units(10), units(2_000), units(0.05))
PERCENT = PercentPrice(1_200_000, 800_000, 0)
SIDES = PercentPriceBySide(1_100_000, 500_000, 2_000_000, 900_000, 5)
LOT = LotSize(units(0.01), units(100), units(0.01))
MARKET_LOT = MarketLotSize(units(0.1), units(5), units(0.1))
LEAST = MinNotional(units(10), True, 0)
LEAST_OF_LIMITS = MinNotional(units(10), False, 0)
WORTH = Notional(units(10), True, units(5_000), True, 5)
WORTH_OF_LIMITS = Notional(units(10), False, units(5_000), False, 5)
TRAIL = TrailingDelta(10, 500, 20, 600)

STOP_BUY = {"stop": 1_100, "quantity": 1}

CASES = {
    "lowest price": (PRICE, limit(BUY, 10, 1), limit(BUY, 9.95, 1)),
    "highest price": (PRICE, limit(SELL, 2_000, 1), limit(SELL, 2_000.05, 1)),
    "tick": (PRICE, limit(BUY, 500.05, 1), limit(BUY, 500.01, 1)),
    "tick of a stop": (
        PRICE,
        order(BUY, Kind.STOP_LOSS, stop=1_100.05, quantity=1),
        order(BUY, Kind.STOP_LOSS, stop=1_100.01, quantity=1),
    ),
    "percent up": (PERCENT, limit(SELL, 1_200, 1), limit(SELL, 1_200.01, 1)),
    "percent down": (PERCENT, limit(BUY, 800, 1), limit(BUY, 799.99, 1)),
    "bid up": (SIDES, limit(BUY, 1_100, 1), limit(BUY, 1_100.01, 1)),
    "bid down": (SIDES, limit(BUY, 500, 1), limit(BUY, 499.99, 1)),
    "ask up": (SIDES, limit(SELL, 2_000, 1), limit(SELL, 2_000.01, 1)),
    "ask down": (SIDES, limit(SELL, 900, 1), limit(SELL, 899.99, 1)),
    "least lot": (LOT, limit(SELL, 1_000, 0.01), limit(SELL, 1_000, 0.00999)),
    "most lots": (LOT, limit(SELL, 1_000, 100), limit(SELL, 1_000, 100.01)),
    "step": (LOT, limit(SELL, 1_000, 0.02), limit(SELL, 1_000, 0.02001)),
    "step of an iceberg": (
        LOT,
        limit(SELL, 1_000, 1, iceberg_quantity=units(0.5)),
        limit(SELL, 1_000, 1, iceberg_quantity=units(0.50001)),
    ),
    "least of a market order": (
        MARKET_LOT,
        order(BUY, Kind.MARKET, quantity=0.1),
        order(BUY, Kind.MARKET, quantity=0.09),
    ),
    "most of a market order": (
        MARKET_LOT,
        order(BUY, Kind.MARKET, quantity=5),
        order(BUY, Kind.MARKET, quantity=5.1),
    ),
    "step of a market order": (
        MARKET_LOT,
        order(BUY, Kind.MARKET, quantity=0.2),
        order(BUY, Kind.MARKET, quantity=0.25),
    ),
    "market lots of a limit order": (MARKET_LOT, limit(BUY, 1_000, 0.01), None),
    "least worth": (LEAST, limit(BUY, 500, 0.02), limit(BUY, 499.99, 0.02)),
    "least worth of a market order": (
        LEAST,
        order(BUY, Kind.MARKET, quantity=0.01),
        order(BUY, Kind.MARKET, quantity=0.00999),
    ),
    "least worth of money": (
        LEAST,
        order(BUY, Kind.MARKET, money=10),
        order(BUY, Kind.MARKET, money=9.99),
    ),
    "least worth not of market orders": (
        LEAST_OF_LIMITS,
        order(BUY, Kind.MARKET, quantity=0.001),
        limit(BUY, 1_000, 0.001),
    ),
    "least worth of a stop": (
        WORTH,
        order(BUY, Kind.STOP_LOSS, stop=2_000, quantity=0.005),
        order(BUY, Kind.STOP_LOSS, stop=1_999, quantity=0.005),
    ),
    "most worth": (WORTH, limit(BUY, 1_000, 5), limit(BUY, 1_000, 5.00001)),
    "most worth of a market order": (
        WORTH,
        order(BUY, Kind.MARKET, quantity=5),
        order(BUY, Kind.MARKET, quantity=5.00001),
    ),
    "worth not of market orders": (
        WORTH_OF_LIMITS,
        order(BUY, Kind.MARKET, quantity=6),
        limit(BUY, 1_000, 6),
    ),
    "parts": (
        CountFilter("ICEBERG_PARTS", 10),
        limit(SELL, 1_000, 10, iceberg_quantity=ONE),
        limit(SELL, 1_000, 10.00001, iceberg_quantity=ONE),
    ),
    "trail above": (
        TRAIL,
        order(BUY, Kind.STOP_LOSS, trail=10, quantity=1),
        order(BUY, Kind.STOP_LOSS, trail=9, quantity=1),
    ),
    "trail above, most": (
        TRAIL,
        order(SELL, Kind.TAKE_PROFIT, trail=500, quantity=1),
        order(SELL, Kind.TAKE_PROFIT, trail=501, quantity=1),
    ),
    "trail below": (
        TRAIL,
        order(SELL, Kind.STOP_LOSS, trail=20, quantity=1),
        order(SELL, Kind.STOP_LOSS, trail=19, quantity=1),
    ),
    "trail below, most": (
        TRAIL,
        order(BUY, Kind.TAKE_PROFIT, trail=600, quantity=1),
        order(BUY, Kind.TAKE_PROFIT, trail=601, quantity=1),
    ),
    "position": (
        MaxPosition(units(1_002)),
        limit(BUY, 900, 2),
        limit(BUY, 900, 2.00001),
    ),
    "position of money": (
        MaxPosition(units(1_002)),
        order(BUY, Kind.MARKET, money=2_000),
        order(BUY, Kind.MARKET, money=2_001),
    ),
    "position of a sale": (MaxPosition(units(5)), limit(SELL, 1_000, 1), limit(BUY, 900, 1)),
}


def refused(exchange: SpotExchange, asked: NewOrder) -> str:
    with pytest.raises(Refusal) as found:
        exchange.place(ANN, asked, exchange.now)
    assert found.value.reason is Reason.FILTER
    return found.value.detail


@pytest.mark.parametrize("name", CASES)
def test_bounds(name: str) -> None:
    one, passes, fails = CASES[name]
    exchange = venue(one)
    exchange.set_filters("BTCUSDT", ())
    exchange.place(BOB, limit(SELL, 1_000, 50), START)
    exchange.set_filters("BTCUSDT", (one,))
    if fails is not None:
        assert refused(exchange, fails) == one.name
    exchange.place(ANN, passes, START)


def test_a_position_counts_what_is_locked_and_what_open_orders_buy() -> None:
    exchange = venue(MaxPosition(units(1_003)))
    exchange.place(ANN, limit(SELL, 2_000, 1), START)
    exchange.place(ANN, limit(BUY, 900, 2), START)
    assert refused(exchange, limit(BUY, 900, 1.1)) == "MAX_POSITION"
    exchange.place(ANN, limit(BUY, 900, 1), START)


STOP = order(BUY, Kind.STOP_LOSS, stop=1_100, quantity=0.1)
ICEBERG = limit(SELL, 1_100, 1, iceberg_quantity=units(0.5))


@pytest.mark.parametrize(
    ("name", "asked", "free"),
    [
        ("MAX_NUM_ORDERS", limit(BUY, 900, 0.1), None),
        ("MAX_NUM_ALGO_ORDERS", STOP, limit(BUY, 900, 0.1)),
        ("MAX_NUM_ICEBERG_ORDERS", ICEBERG, limit(BUY, 900, 0.1)),
    ],
)
@pytest.mark.parametrize("everywhere", [False, True])
def test_counts(name: str, asked: NewOrder, free: NewOrder | None, everywhere: bool) -> None:
    one = CountFilter(f"EXCHANGE_{name}" if everywhere else name, 2)
    exchange = venue(everywhere=(one,)) if everywhere else venue(one)
    placed = [exchange.place(ANN, asked, START).order for _ in range(2)]
    assert refused(exchange, asked) == one.name
    exchange.place(BOB, asked, START)
    if free is not None:
        exchange.place(ANN, free, START)
    exchange.cancel(ANN, "BTCUSDT", order_id=placed[0].id, now=START)
    exchange.place(ANN, asked, START)


PAIR = (
    order(SELL, Kind.LIMIT_MAKER, price=1_100, quantity=0.1),
    order(SELL, Kind.STOP_LOSS, stop=900, quantity=0.1),
)


@pytest.mark.parametrize("everywhere", [False, True])
def test_counts_of_lists(everywhere: bool) -> None:
    one = CountFilter(f"{'EXCHANGE_' * everywhere}MAX_NUM_ORDER_LISTS", 1)
    exchange = venue(everywhere=(one,)) if everywhere else venue(one)
    placed, _ = exchange.place_list(ANN, ListKind.OCO, PAIR, now=START)
    with pytest.raises(Refusal) as found:
        exchange.place_list(ANN, ListKind.OCO, PAIR, now=START)
    assert found.value.detail == one.name
    exchange.cancel_list(ANN, "BTCUSDT", list_id=placed.id, now=START)
    exchange.place_list(ANN, ListKind.OCO, PAIR, now=START)


def test_the_orders_of_a_list_count_together() -> None:
    exchange = venue(CountFilter("MAX_NUM_ORDERS", 1))
    with pytest.raises(Refusal) as found:
        exchange.place_list(ANN, ListKind.OCO, PAIR, now=START)
    assert found.value.detail == "MAX_NUM_ORDERS"
    assert exchange.open_orders(ANN) == ()


def test_amends_are_counted_by_order() -> None:
    exchange = venue(CountFilter("MAX_NUM_ORDER_AMENDS", 1))
    number = exchange.place(ANN, limit(BUY, 900, 1), START).order.id
    exchange.amend(ANN, "BTCUSDT", order_id=number, quantity=units(0.9), now=START)
    with pytest.raises(Refusal) as found:
        exchange.amend(ANN, "BTCUSDT", order_id=number, quantity=units(0.8), now=START)
    assert found.value.detail == "MAX_NUM_ORDER_AMENDS"


def test_numbers_finer_than_the_book_are_refused_without_any_filter() -> None:
    exchange = venue()
    assert refused(exchange, limit(BUY, 900.001, 1)) == "PRICE_FILTER"
    assert refused(exchange, limit(BUY, 900, 0.000001)) == "LOT_SIZE"
    assert refused(exchange, limit(BUY, 5_000, 0.01)) == "PRICE_FILTER"


def test_filters_change_for_orders_that_come_later() -> None:
    exchange = venue()
    exchange.place(ANN, limit(BUY, 900.01, 1), START)
    coarse: tuple[Filter, ...] = (PriceFilter(0, 0, units(0.1)),)
    exchange.set_filters("BTCUSDT", coarse)
    assert exchange.listings["BTCUSDT"].filters == coarse
    assert refused(exchange, limit(BUY, 900.01, 1)) == "PRICE_FILTER"
    with pytest.raises(ConfigError, match="multiple"):
        exchange.set_filters("BTCUSDT", (PriceFilter(0, 0, units(0.015)),))


@pytest.mark.parametrize("status", [one for one in SymbolStatus if one != SymbolStatus.TRADING])
def test_a_closed_symbol_takes_cancels_alone(status: SymbolStatus) -> None:
    exchange = venue()
    number = exchange.place(ANN, limit(BUY, 900, 1), START).order.id
    exchange.set_status("BTCUSDT", status)
    with pytest.raises(Refusal) as found:
        exchange.place(ANN, limit(BUY, 900, 1), START)
    assert found.value.reason is Reason.MARKET_CLOSED
    exchange.cancel(ANN, "BTCUSDT", order_id=number, now=START)
    exchange.set_status("BTCUSDT", SymbolStatus.TRADING)
    exchange.place(ANN, limit(BUY, 900, 1), START)

"""Rounding is towards safety, and refusals name the filter."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.adapters.binance.budget import Kind, Window
from tidewright.adapters.binance.fields import UnreadableAnswer
from tidewright.adapters.binance.rules import (
    Draft,
    Range,
    parse_limits,
    parse_symbols,
    refusal,
)
from tidewright.domain.errors import ConfigError
from tidewright.domain.orders import Side

LISTED = {
    **{"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT"},
    **{"baseAssetPrecision": 8, "quotePrecision": 8, "isSpotTradingAllowed": True},
    "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
    "filters": [
        {
            "filterType": "PRICE_FILTER",
            **{"minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000"},
        },
        {
            "filterType": "LOT_SIZE",
            **{"minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            **{"minQty": "0.00000000", "maxQty": "91.5", "stepSize": "0.00000000"},
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            **{"bidMultiplierUp": "5", "bidMultiplierDown": "0.2", "avgPriceMins": 5},
            **{"askMultiplierUp": "4", "askMultiplierDown": "0.5"},
        },
        {
            "filterType": "NOTIONAL",
            **{"minNotional": "5.0", "applyMinToMarket": True, "maxNotional": "9000000.0"},
            **{"applyMaxToMarket": False, "avgPriceMins": 5},
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_POSITION", "maxPosition": "10"},
        {"filterType": "OF_NEXT_YEAR", "anything": True},
    ],
}
RULES = parse_symbols({"symbols": [LISTED]})["BTCUSDT"]
TAKEN = Draft(Side.BUY, "LIMIT", Decimal(1), Decimal(60_000), Decimal(60_000))
MARKET = Draft(Side.BUY, "MARKET", Decimal(1), reference_price=Decimal(60_000))
steps = st.sampled_from(["0.00000001", "0.00001", "0.01", "1", "5", "1000", "0.00025"]).map(Decimal)
numbers = st.decimals(0, 10**9, places=10)


@given(steps, numbers, st.sampled_from(Side))
def test_prices_move_to_the_grid_and_never_to_the_worse(tick_size, wanted, side):
    price = replace(RULES, tick_size=tick_size).price(wanted, side)
    assert (Fraction(price) / Fraction(tick_size)).denominator == 1
    better = wanted - price if side is Side.BUY else price - wanted
    assert 0 <= better < tick_size


@given(steps, st.integers(1, 10), numbers, st.booleans())
def test_quantities_move_to_the_grid_and_never_up(lot_size, lots, wanted, market):
    rules = replace(RULES, lot_size=lot_size, market_lot_size=lot_size * lots)
    quantity = rules.quantity(wanted, market=market)
    step = lot_size * lots if market else lot_size
    assert (Fraction(quantity) / Fraction(step)).denominator == 1
    assert 0 <= wanted - quantity < step


@given(st.decimals("0.1", 10**6, places=8), st.decimals("0.001", 9, places=9))
def test_what_was_rounded_is_never_refused_by_its_grid(price, quantity):
    draft = replace(TAKEN, price=RULES.price(price, Side.SELL), quantity=RULES.quantity(quantity))
    found = refusal(RULES, draft)
    assert found is None or found.filter in ("PERCENT_PRICE", "NOTIONAL")


@pytest.mark.parametrize(
    ("draft", "name"),
    [
        (TAKEN, ""),
        (MARKET, ""),
        (replace(TAKEN, price=Decimal("60000.001")), "PRICE_FILTER"),
        (replace(TAKEN, price=Decimal("1000000.01"), quantity=Decimal("0.1")), "PRICE_FILTER"),
        (replace(TAKEN, price=Decimal("11999.99")), "PERCENT_PRICE"),
        (replace(TAKEN, price=Decimal(12_000)), ""),
        (replace(TAKEN, price=Decimal(29_999), side=Side.SELL), "PERCENT_PRICE"),
        (replace(TAKEN, price=Decimal(250_000), side=Side.SELL), "PERCENT_PRICE"),
        (replace(TAKEN, price=Decimal(250_000)), ""),
        (replace(TAKEN, price=Decimal(100), reference_price=Decimal(0)), ""),
        (replace(TAKEN, quantity=Decimal("0.000001")), "LOT_SIZE"),
        (replace(TAKEN, quantity=Decimal("0.100001")), "LOT_SIZE"),
        (replace(TAKEN, quantity=Decimal(0)), "LOT_SIZE"),
        (replace(TAKEN, quantity=Decimal("0.00001")), "NOTIONAL"),
        (replace(TAKEN, quantity=Decimal(151)), "NOTIONAL"),
        (replace(MARKET, quantity=Decimal("0.00001")), "NOTIONAL"),
        (replace(MARKET, quantity=Decimal(92)), "MARKET_LOT_SIZE"),
        (replace(TAKEN, kind="STOP_LOSS"), "ORDER_TYPES"),
        (replace(TAKEN, open_orders=200), "MAX_NUM_ORDERS"),
        (replace(TAKEN, held=Decimal("9.1")), "MAX_POSITION"),
        (replace(TAKEN, held=Decimal("9.1"), side=Side.SELL), ""),
    ],
)
def test_the_filter_that_refuses_is_named(draft, name):
    found = refusal(RULES, draft)
    assert (found.filter if found else "") == name
    assert found is None or str(found).startswith(f"{name}: was ")


def test_a_halted_symbol_takes_nothing():
    found = refusal(replace(RULES, status="CANCEL_ONLY"), TAKEN)
    assert str(found) == "STATUS: was CANCEL_ONLY; expected TRADING"


def test_older_filters_are_understood():
    filters = [
        *LISTED["filters"][:2],
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.1", "multiplierDown": "0.9"},
        {"filterType": "MIN_NOTIONAL", "minNotional": "10", "applyToMarket": False},
    ]
    rules = parse_symbols({"symbols": [{**LISTED, "filters": filters}]})["BTCUSDT"]
    both = Range(Decimal("0.9"), Decimal("1.1"))
    assert (rules.bid_multipliers, rules.ask_multipliers) == (both, both)
    assert rules.notional == Range(Decimal(10))
    assert refusal(rules, replace(MARKET, quantity=Decimal("0.00001"))) is None


def test_no_filters_leave_the_finest_grid():
    rules = parse_symbols({"symbols": [{**LISTED, "filters": []}]})["BTCUSDT"]
    assert rules.tick_size == rules.lot_size == Decimal("0.00000001")
    assert refusal(rules, TAKEN) is None


def test_what_cannot_be_an_instrument_is_refused_and_what_is_no_spot_left_out():
    grid = {"filterType": "LOT_SIZE", "minQty": "0.5", "maxQty": "9", "stepSize": "0.2"}
    with pytest.raises(ConfigError, match="minQty was 0.5; expected a multiple of 0.2"):
        parse_symbols({"symbols": [{**LISTED, "filters": [grid]}]})
    assert parse_symbols({"symbols": [{**LISTED, "isSpotTradingAllowed": False}]}) == {}
    with pytest.raises(UnreadableAnswer):
        parse_symbols({"symbols": [{**LISTED, "filters": None}]})


def test_limits_are_windows_and_unknown_ones_are_left_out():
    told = [
        {
            "rateLimitType": kind,
            "interval": unit,
            "intervalNum": 10,
            "limit": 50,
        }
        for kind, unit in (("ORDERS", "SECOND"), ("ORDERS", "FORTNIGHT"), ("SMILES", "DAY"))
    ]
    assert parse_limits({"rateLimits": told}) == (Window(Kind.ORDERS, "SECOND", 10, 50),)

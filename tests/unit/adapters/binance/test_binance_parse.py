"""Answers are read as documented or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tidewright.adapters.binance.fields import UnreadableAnswer
from tidewright.adapters.binance.parse import (
    Status,
    parse_account,
    parse_canceled,
    parse_fills,
    parse_order,
    parse_orders,
    parse_time,
)
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.orders import Side

QUERIED = {
    **{"symbol": "LTCBTC", "orderId": 1, "clientOrderId": "mine", "price": "0.1"},
    **{"origQty": "1.0", "executedQty": "0.4", "cummulativeQuoteQty": "0.04"},
    **{"status": "PARTIALLY_FILLED", "type": "LIMIT", "side": "BUY"},
    **{"time": 1_499_827_319_559, "updateTime": 1_499_827_319_560},
}
TRADE = {
    **{"symbol": "BNBBTC", "id": 28457, "orderId": 100234, "price": "4.00000100"},
    **{"qty": "12.00000000", "quoteQty": "48.000012", "commission": "10.10000000"},
    **{"commissionAsset": "BNB", "time": 1_499_865_549_590, "isBuyer": True, "isMaker": False},
}
ACCOUNT = {
    "commissionRates": {"maker": "0.001", "taker": "0.002"},
    "canTrade": True,
    "updateTime": 123_456_789,
    "balances": [{"asset": "BTC", "free": "4723846.89208129", "locked": "0.5"}],
}


def test_a_queried_order_says_where_it_stands():
    order = parse_order(QUERIED)
    assert (order.status, order.side, order.executed) == (
        Status.PARTIALLY_FILLED,
        Side.BUY,
        Decimal("0.4"),
    )
    assert order.status.works
    assert order.ts_event == 1_499_827_319_560_000_000
    assert parse_orders([QUERIED]) == (order,)


def test_a_cancel_names_the_order_and_not_itself():
    told = {**QUERIED, "origClientOrderId": "mine", "clientOrderId": "the cancel's"}
    assert parse_canceled({**told, "status": "CANCELED"}).client_id == "mine"


@pytest.mark.parametrize(
    "change",
    [
        {"orderId": 0},
        {"orderId": True},
        {"orderId": "1"},
        {"side": "buy"},
        {"status": "DONE"},
        {"price": 0.1},
        {"price": "-0.1"},
        {"price": "NaN"},
        {"price": "Infinity"},
        {"price": "1,0"},
        {"updateTime": 1_499_827_319_560_000},
        {"updateTime": -1},
        {"fills": {}},
    ],
)
def test_other_forms_are_not_guessed_at(change):
    with pytest.raises(UnreadableAnswer, match="expected"):
        parse_order({**QUERIED, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"executedQty": "1.1"},
        {"status": "FILLED"},
        {"executedQty": "1.0"},
        {"status": "NEW"},
        {"fills": []},
    ],
)
def test_contradictions_halt(change):
    with pytest.raises(DataIntegrityError, match="expected"):
        parse_order({**QUERIED, **change})


def test_fills_are_told_once_and_in_order():
    later = {**TRADE, "id": 28458}
    assert [fill.trade_id for fill in parse_fills([later, TRADE, TRADE])] == [28457, 28458]
    with pytest.raises(DataIntegrityError, match="one content for one id"):
        parse_fills([TRADE, {**TRADE, "qty": "13"}])
    for change in ({"qty": "0"}, {"isBuyer": 1}, {"commissionAsset": None}):
        with pytest.raises(UnreadableAnswer):
            parse_fills([{**TRADE, **change}])


def test_the_account_has_each_asset_once():
    account = parse_account(ACCOUNT)
    assert account.balances == {"BTC": (Decimal("4723846.89208129"), Decimal("0.5"))}
    assert (account.maker_rate, account.taker_rate) == (Decimal("0.001"), Decimal("0.002"))
    with pytest.raises(DataIntegrityError):
        parse_account({**ACCOUNT, "balances": ACCOUNT["balances"] * 2})
    for value in (None, [], {}, {**ACCOUNT, "commissionRates": []}):
        with pytest.raises(UnreadableAnswer):
            parse_account(value)


def test_time_is_in_milliseconds():
    assert parse_time({"serverTime": 1_499_827_319_559}) == 1_499_827_319_559
    with pytest.raises(UnreadableAnswer):
        parse_time({"serverTime": 1_499_827_319_559_000})

"""The REST API: what each endpoint answers, to the field, and which code refuses what."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.venue_desk import RICH, SECRET, VenueDesk
from tidewright.domain.time import MINUTE, SECOND
from tidewright.servers.venue.limits import Limit, LimitSettings
from tidewright.servers.venue.rest.routes import ROUTES

CENT = "0.01000000"


@pytest.fixture
def desk() -> VenueDesk:
    return VenueDesk()


@pytest.fixture
def traded(desk) -> VenueDesk:
    """Bob sold alice 0.02 BTC at 50,000, of 0.03 he offered."""
    desk.order("bob", side="SELL", quantity="0.03", newClientOrderId="ask")
    desk.clock.turn(1)
    desk.order("alice", quantity="0.02", newClientOrderId="bid")
    return desk


def _now(desk) -> int:
    return desk.clock.now() // 1_000_000


def test_ping_time_and_headers(desk):
    assert desk.get("ping").body == {}
    answer = desk.get("time")
    assert answer.body == {"serverTime": _now(desk)}
    assert answer.headers == {"x-mbx-used-weight": "2", "x-mbx-used-weight-1m": "2"}
    fine = desk.ask("GET", "/api/v3/time", headers={"x-mbx-time-unit": "MICROSECOND"})
    assert fine.body == {"serverTime": desk.clock.now() // 1_000}
    wrong = desk.ask("GET", "/api/v3/time", headers={"x-mbx-time-unit": "SECOND"})
    assert wrong.body == {
        "code": -1194,
        "msg": "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.",
    }


def test_exchange_information(desk):
    told = desk.get("exchangeInfo").body
    assert list(told) == ["timezone", "serverTime", "rateLimits", "exchangeFilters", "symbols"]
    assert told["rateLimits"] == [
        {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": 6_000,
        },
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
        {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200_000},
        {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61_000},
    ]
    assert told["exchangeFilters"] == [
        {"filterType": "EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders": 1_000}
    ]
    (bitcoin,) = desk.get("exchangeInfo", symbol="BTCUSDT").body["symbols"]
    assert bitcoin | {"filters": []} == {
        "symbol": "BTCUSDT",
        "status": "TRADING",
        "baseAsset": "BTC",
        "baseAssetPrecision": 8,
        "quoteAsset": "USDT",
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": [
            "LIMIT",
            "LIMIT_MAKER",
            "MARKET",
            "STOP_LOSS",
            "STOP_LOSS_LIMIT",
            "TAKE_PROFIT",
            "TAKE_PROFIT_LIMIT",
        ],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": [
            "NONE",
            "EXPIRE_TAKER",
            "EXPIRE_MAKER",
            "EXPIRE_BOTH",
            "DECREMENT",
        ],
    }
    filters = {one["filterType"]: one for one in bitcoin["filters"]}
    assert filters["PRICE_FILTER"] == {
        "filterType": "PRICE_FILTER",
        "minPrice": CENT,
        "maxPrice": "160000.00000000",
        "tickSize": CENT,
    }
    assert filters["PERCENT_PRICE_BY_SIDE"] == {
        "filterType": "PERCENT_PRICE_BY_SIDE",
        "bidMultiplierUp": "5.0000",
        "bidMultiplierDown": "0.2000",
        "askMultiplierUp": "5.0000",
        "askMultiplierDown": "0.2000",
        "avgPriceMins": 5,
    }
    assert filters["MAX_NUM_ALGO_ORDERS"]["maxNumAlgoOrders"] == 5


@pytest.mark.parametrize(
    ("parameters", "symbols"),
    [
        ({"symbols": '["ETHUSDT","BTCUSDT"]'}, ["ETHUSDT", "BTCUSDT"]),
        ({"permissions": "SPOT", "symbolStatus": "HALT"}, []),
        ({"permissions": '["MARGIN","LEVERAGED"]'}, []),
        ({"symbol": "BTCUSDT", "showPermissionSets": "false"}, ["BTCUSDT"]),
    ],
)
def test_exchange_information_of_some(desk, parameters, symbols):
    told = desk.get("exchangeInfo", **parameters).body["symbols"]
    assert [one["symbol"] for one in told] == symbols
    if "showPermissionSets" in parameters:
        assert told[0]["permissionSets"] == []


def test_market_data_shapes(traded):
    now = _now(traded)
    depth = traded.get("depth", symbol="BTCUSDT", limit=5).body
    assert depth | {"lastUpdateId": 0} == {
        "lastUpdateId": 0,
        "bids": [],
        "asks": [["50000.00000000", CENT]],
    }
    (trade,) = traded.get("trades", symbol="BTCUSDT").body
    assert trade == {
        "id": 1,
        "price": "50000.00000000",
        "qty": "0.02000000",
        "quoteQty": "1000.00000000",
        "time": now,
        "isBuyerMaker": False,
        "isBestMatch": True,
    }
    assert traded.get("historicalTrades", symbol="BTCUSDT", fromId=2).body == []
    (aggregate,) = traded.get("aggTrades", symbol="BTCUSDT").body
    assert aggregate == {
        "a": aggregate["a"],
        "p": "50000.00000000",
        "q": "0.02000000",
        "f": 1,
        "l": 1,
        "T": now,
        "m": False,
        "M": True,
    }
    (candle,) = traded.get("klines", symbol="BTCUSDT", interval="1m").body
    opened = now // 60_000 * 60_000
    price = "50000.00000000"
    assert candle == [
        opened,
        price,
        price,
        price,
        price,
        "0.02000000",
        opened + 59_999,
        "1000.00000000",
        1,
        "0.02000000",
        "1000.00000000",
        "0",
    ]
    assert traded.get("avgPrice", symbol="BTCUSDT").body == {
        "mins": 5,
        "price": price,
        "closeTime": now,
    }
    assert traded.get("ticker/price", symbol="BTCUSDT").body == {
        "symbol": "BTCUSDT",
        "price": price,
    }
    assert len(traded.get("ticker/price").body) == 5
    assert traded.get("ticker/bookTicker", symbol="BTCUSDT").body == {
        "symbol": "BTCUSDT",
        "bidPrice": "0.00000000",
        "bidQty": "0.00000000",
        "askPrice": price,
        "askQty": CENT,
    }


def test_tickers(traded):
    traded.clock.turn(2)
    traded.order("alice", quantity="0.01", price="51000")
    traded.clock.turn(1)
    told = traded.get("ticker/24hr", symbol="BTCUSDT").body
    assert list(told) == [
        "symbol",
        "priceChange",
        "priceChangePercent",
        "weightedAvgPrice",
        "prevClosePrice",
        "lastPrice",
        "lastQty",
        "bidPrice",
        "bidQty",
        "askPrice",
        "askQty",
        "openPrice",
        "highPrice",
        "lowPrice",
        "volume",
        "quoteVolume",
        "openTime",
        "closeTime",
        "firstId",
        "lastId",
        "count",
    ]
    assert (told["volume"], told["count"], told["priceChangePercent"]) == ("0.03000000", 2, "0.000")
    mini = traded.get("ticker/24hr", symbols='["BTCUSDT"]', type="MINI").body
    assert list(mini[0]) == ["symbol", *list(told)[11:14], "lastPrice", *list(told)[14:]]
    window = traded.get("ticker", symbol="BTCUSDT", windowSize="2h").body
    assert "bidPrice" not in window
    assert window["openTime"] % 60_000 == 0
    day = traded.get("ticker/tradingDay", symbol="BTCUSDT").body
    assert day["openTime"] % 86_400_000 == 0
    assert day["volume"] == "0.03000000"


@pytest.mark.parametrize(
    ("path", "parameters", "code"),
    [
        ("depth", {"symbol": "NOPE"}, -1121),
        ("depth", {"symbol": "BTCUSDT", "limit": 0}, -1130),
        ("depth", {"symbol": "BTCUSDT", "symbolStatus": "HALT"}, -1220),
        ("depth", {"symbol": "BTCUSDT", "symbolStatus": "SLEEP"}, -1122),
        ("klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "timeZone": "15"}, -1130),
        ("ticker", {}, -1102),
        ("ticker", {"symbol": "BTCUSDT", "windowSize": "8d"}, -1130),
        ("ticker/24hr", {"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'}, -1128),
        ("ticker/24hr", {"symbols": '["BTCUSDT","NOPE"]'}, -1121),
        ("ticker/24hr", {"symbol": "BTCUSDT", "type": "TINY"}, -1139),
        ("aggTrades", {"symbol": "BTCUSDT", "fromId": 1, "startTime": 1}, -1128),
        ("exchangeInfo", {"symbol": "NOPE"}, -1121),
        ("exchangeInfo", {"symbol": "BTCUSDT", "permissions": "SPOT"}, -1128),
    ],
)
def test_market_data_that_is_refused(desk, path, parameters, code):
    answer = desk.get(path, **parameters)
    assert (answer.status, answer.body["code"]) == (400, code)


@pytest.mark.parametrize(
    ("parameters", "weight"),
    [
        ("depth?symbol=BTCUSDT", 5),
        ("depth?symbol=BTCUSDT&limit=500", 25),
        ("depth?symbol=BTCUSDT&limit=1000", 50),
        ("depth?symbol=BTCUSDT&limit=5000", 250),
        ("ticker/24hr?symbol=BTCUSDT", 2),
        ("ticker/24hr", 80),
        ("ticker/bookTicker", 4),
        ("ticker/price?symbol=BTCUSDT", 2),
        ("exchangeInfo", 20),
        ("openOrders", 80),
        ("myTrades?symbol=BTCUSDT&orderId=1", 5),
        ("order/test?computeCommissionRates=true", 1),
    ],
)
def test_weights(desk, parameters, weight):
    path, _, query = parameters.partition("?")
    told = desk.ask("GET", f"/api/v3/{path}", query)
    if told.status not in (404, 405):
        assert told.headers["x-mbx-used-weight-1m"] == str(weight)


def test_order_is_answered_as_much_as_asked_for(desk):
    ack = desk.order(newOrderRespType="ACK", newClientOrderId="mine").body
    now = _now(desk)
    assert ack == {
        "symbol": "BTCUSDT",
        "orderId": 1,
        "orderListId": -1,
        "clientOrderId": "mine",
        "transactTime": now,
    }
    standing = {
        "price": "50000.00000000",
        "origQty": CENT,
        "executedQty": "0.00000000",
        "origQuoteOrderQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
    }
    result = desk.order(newOrderRespType="RESULT", newClientOrderId="b").body
    assert result == ack | {"orderId": 2, "clientOrderId": "b"} | standing | {
        "workingTime": now,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }
    answer = desk.order(newClientOrderId="c")
    assert answer.body == result | {"orderId": 3, "clientOrderId": "c", "fills": []}
    assert answer.headers["x-mbx-order-count-10s"] == "3"
    assert answer.headers["x-mbx-order-count-1d"] == "3"
    queried = desk.signed("alice", "GET", "order", symbol="BTCUSDT", origClientOrderId="mine").body
    assert queried == {
        "symbol": "BTCUSDT",
        "orderId": 1,
        "orderListId": -1,
        "clientOrderId": "mine",
        **standing,
        "stopPrice": "0.00000000",
        "icebergQty": "0.00000000",
        "time": now,
        "updateTime": now,
        "isWorking": True,
        "workingTime": now,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def test_fills_are_told_to_both_sides(traded):
    now = _now(traded)
    (buy,) = traded.signed("alice", "GET", "myTrades", symbol="BTCUSDT").body
    assert buy == {
        "symbol": "BTCUSDT",
        "id": 1,
        "orderId": 2,
        "orderListId": -1,
        "price": "50000.00000000",
        "qty": "0.02000000",
        "quoteQty": "1000.00000000",
        "commission": "0.00004000",
        "commissionAsset": "BTC",
        "time": now,
        "isBuyer": True,
        "isMaker": False,
        "isBestMatch": True,
    }
    (sell,) = traded.signed("bob", "GET", "myTrades", symbol="BTCUSDT").body
    assert (sell["commission"], sell["commissionAsset"]) == ("1.00000000", "USDT")
    assert (sell["isBuyer"], sell["isMaker"]) == (False, True)
    market = traded.order(type="MARKET", timeInForce=None, price=None, newClientOrderId="m").body
    assert market["status"] == "FILLED"
    assert market["fills"] == [
        {
            "price": "50000.00000000",
            "qty": CENT,
            "commission": "0.00002000",
            "commissionAsset": "BTC",
            "tradeId": 2,
        }
    ]


def test_account_and_what_belongs_to_it(traded):
    told = traded.signed("alice", "GET", "account", omitZeroBalances="true").body
    balances = {one["asset"]: (one["free"], one["locked"]) for one in told.pop("balances")}
    assert balances["BTC"] == ("10000.01996000", "0.00000000")
    assert set(balances) == set(RICH)
    assert told == {
        "makerCommission": 10,
        "takerCommission": 20,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": "0.00100000",
            "taker": "0.00200000",
            "buyer": "0.00000000",
            "seller": "0.00000000",
        },
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": _now(traded),
        "accountType": "SPOT",
        "permissions": ["SPOT"],
        "uid": 1_000_001,
    }
    commission = traded.signed("bob", "GET", "account/commission", symbol="BTCUSDT").body
    assert list(commission) == [
        "symbol",
        "standardCommission",
        "specialCommission",
        "taxCommission",
        "discount",
    ]
    counts = traded.signed("bob", "GET", "rateLimit/order").body
    # Placed one, whose first fill came while it rested: that takes five, but never below 0.
    assert [(one["intervalNum"], one["count"]) for one in counts] == [(10, 0), (1, 0)]
    filters = traded.signed("bob", "GET", "myFilters", symbol="BTCUSDT").body
    assert list(filters) == ["exchangeFilters", "symbolFilters", "assetFilters"]
    assert filters["symbolFilters"][0] == {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200}


def test_cancel_tells_both_names(desk):
    desk.order(newClientOrderId="mine")
    desk.clock.turn(1)
    told = desk.signed(
        "alice",
        "DELETE",
        "order",
        symbol="BTCUSDT",
        origClientOrderId="mine",
        newClientOrderId="stop-it",
    ).body
    assert told == {
        "symbol": "BTCUSDT",
        "origClientOrderId": "mine",
        "orderId": 1,
        "orderListId": -1,
        "clientOrderId": "stop-it",
        "transactTime": _now(desk),
        "price": "50000.00000000",
        "origQty": CENT,
        "executedQty": "0.00000000",
        "origQuoteOrderQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "CANCELED",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }
    again = desk.signed("alice", "DELETE", "order", symbol="BTCUSDT", orderId=1)
    assert (again.status, again.body) == (400, {"code": -2011, "msg": "Unknown order sent."})


def test_stop_tells_its_price_and_that_it_does_not_work_yet(desk):
    told = desk.order(
        type="STOP_LOSS_LIMIT",
        side="SELL",
        stopPrice="40000",
        price="39000",
        strategyId=7,
        strategyType=1_000_000,
        newOrderRespType="RESULT",
    ).body
    assert (told["stopPrice"], told["workingTime"]) == ("40000.00000000", -1)
    assert (told["strategyId"], told["strategyType"]) == (7, 1_000_000)
    queried = desk.signed("alice", "GET", "openOrders").body
    assert [(one["isWorking"], one["stopPrice"]) for one in queried] == [(False, "40000.00000000")]


def test_test_order_changes_nothing(desk):
    assert desk.order(path="order/test").body == {}
    rates = desk.order(path="order/test", computeCommissionRates="true").body
    assert rates["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00200000"}
    assert desk.signed("alice", "GET", "openOrders").body == []
    assert desk.order(path="order/test", quantity="0.000001").body["code"] == -1013


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"timeInForce": None}, -1102, "Mandatory parameter 'timeInForce'"),
        ({"side": "HOLD"}, -1117, "Invalid side."),
        ({"type": "TWAP"}, -1116, "Invalid orderType."),
        ({"timeInForce": "GTD"}, -1115, "Invalid timeInForce."),
        ({"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ({"type": "MARKET"}, -1106, "Parameter 'timeInForce' sent when not required."),
        (
            {"type": "MARKET", "timeInForce": None, "price": None, "quantity": None},
            -1102,
            "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!",
        ),
        ({"stopPrice": "1"}, -1106, "Parameter 'stopPrice' sent when not required."),
        (
            {"type": "STOP_LOSS", "timeInForce": None, "price": None},
            -1102,
            "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!",
        ),
        ({"quantity": "0"}, -1013, "Invalid quantity."),
        ({"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"price": "50000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL"),
        ({"price": "300000"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"price": "1000"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({"quantity": "0.0000000001"}, -1111, "Parameter 'quantity' has too much precision."),
        ({"quantity": "150"}, -2010, "Account has insufficient balance for requested action."),
        ({"newClientOrderId": "a b"}, -1100, "Illegal characters found in parameter"),
        ({"strategyType": 999_999}, -1134, "strategyType was less than 1000000."),
        ({"newOrderRespType": "LONG"}, -1130, "Data sent for parameter 'newOrderRespType'"),
        ({"pegPriceType": "PRIMARY_PEG"}, -2010, "Pegged orders are not supported"),
        ({"nonsense": 1}, -1104, "Not all sent parameters were read; read '8'"),
        ({"icebergQty": "0.02"}, -2010, "IcebergQty exceeds QTY."),
        ({"recvWindow": 60_001}, -1131, "recvWindow must be less than 60000."),
        ({"timestamp": 1}, -1021, "Timestamp for this request is outside of the recvWindow."),
        (
            {"timestamp": 10**13},
            -1021,
            "Timestamp for this request was 1000ms ahead of the server's time.",
        ),
    ],
)
def test_orders_that_are_refused(desk, changes, code, message):
    answer = desk.order(**changes)
    assert (answer.status, answer.body["code"]) == (400, code), answer.body
    assert answer.body["msg"].startswith(message)
    assert desk.signed("alice", "GET", "openOrders").body == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"type": "LIMIT_MAKER", "timeInForce": None, "price": "51000"},
            "Order would immediately match and take.",
        ),
        (
            {"type": "STOP_LOSS", "timeInForce": None, "price": None, "stopPrice": "49000"},
            "Order would trigger immediately.",
        ),
        ({"newClientOrderId": "twice"}, "Duplicate order sent."),
    ],
)
def test_orders_that_the_book_refuses(traded, changes, message):
    traded.order(newClientOrderId="twice", price="49000")
    answer = traded.order(**changes)
    assert answer.body == {"code": -2010, "msg": message}


def test_keys_signatures_and_permissions(desk):
    path = "/api/v3/account"
    stamp = f"timestamp={_now(desk)}"
    assert desk.ask("GET", path, stamp).body["code"] == -2014
    stranger = desk.ask("GET", path, stamp + "&signature=x", headers={"x-mbx-apikey": "mallory"})
    assert (stranger.status, stranger.body["code"]) == (401, -2015)
    unsigned = desk.ask("GET", path, stamp, headers={"x-mbx-apikey": "alice"})
    assert unsigned.body["msg"].startswith("Mandatory parameter 'signature'")
    wrong = desk.ask(
        "GET", path, f"{stamp}&signature={'0' * 64}", headers={"x-mbx-apikey": "alice"}
    )
    assert (wrong.status, wrong.body) == (
        400,
        {"code": -1022, "msg": "Signature for this request is not valid."},
    )
    assert desk.signed("carol", "GET", "account").status == 200
    assert desk.order("carol").body["code"] == -2015
    assert SECRET not in str(wrong)


def test_unfilled_orders_run_out_and_only_the_account_that_placed_them(desk):
    small = LimitSettings(orders=(Limit("ORDERS", SECOND, 10, 2),))
    desk = VenueDesk(small)
    assert [desk.order(newClientOrderId=name).status for name in ("a", "b")] == [200, 200]
    refused = desk.order()
    assert (refused.status, refused.body) == (
        429,
        {"code": -1015, "msg": "Too many new orders; current limit is 2 orders per 10 SECOND."},
    )
    assert int(refused.headers["Retry-After"]) <= 10
    assert desk.order("bob").status == 200
    refused = desk.order("bob", quantity="0")
    assert refused.status == 400
    desk.clock.turn(10)
    assert desk.order().headers["x-mbx-order-count-10s"] == "1"


def test_weight_runs_out():
    desk = VenueDesk(LimitSettings(weight=Limit("REQUEST_WEIGHT", MINUTE, 1, 30)))
    assert desk.get("exchangeInfo").status == 200
    refused = desk.get("exchangeInfo")
    assert (refused.status, refused.body["code"]) == (429, -1003)
    assert refused.headers["x-mbx-used-weight-1m"] == "40"
    assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_what_is_not_there(desk):
    assert desk.get("nonsense").status == 404
    assert desk.ask("DELETE", "/api/v3/depth").status == 405
    for method in ("POST", "PUT", "DELETE"):
        gone = desk.ask(method, "/api/v3/userDataStream")
        assert (gone.status, len(gone.body)) == (410, 136)
    assert desk.ask("GET", "/api/v1/ping").status == 404


def test_calls_that_clients_make_when_they_start(desk):
    coins = desk.signed("alice", "GET", "/sapi/v1/capital/config/getall").body
    assert {one["coin"] for one in coins} == {"BTC", "ETH", "SOL", "BNB", "USDT"}
    for path in ("/sapi/v1/margin/allPairs", "/sapi/v1/margin/isolated/allPairs"):
        assert desk.signed("alice", "GET", path).body == []
    for path in ("/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo"):
        assert desk.ask("GET", path).body["symbols"] == []
    assert desk.ask("GET", "/sapi/v1/system/status").body == {"status": 0, "msg": "normal"}
    fees = desk.signed("alice", "GET", "/sapi/v1/asset/tradeFee", symbol="BTCUSDT").body
    assert fees == [
        {
            "symbol": "BTCUSDT",
            "makerCommission": "0.00100000",
            "takerCommission": "0.00200000",
        }
    ]


def test_fault_of_the_venue_is_told_as_unknown(desk, monkeypatch, capsys):
    def broken(*arguments: object, **named: object) -> None:
        raise ZeroDivisionError("broken")

    monkeypatch.setattr(desk.exchange.tape, "depth", broken)
    answer = desk.get("depth", symbol="BTCUSDT")
    assert (answer.status, answer.body["code"]) == (500, -1000)
    assert "broken" in capsys.readouterr().err


def test_every_route_answers_or_says_what_is_missing(desk):
    for method, path in ROUTES:
        answer = desk.ask(method, path)
        assert answer.status in (200, 400, 401), (method, path, answer)
        assert isinstance(answer.body, (dict, list))


def test_page_lists_every_route_and_its_weight():
    page = Path(__file__).parents[4] / "docs" / "reference" / "venue-rest.md"
    rows = [
        [cell.strip() for cell in line.split("|")[1:3]]
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    assert [row[0] for row in rows] == [f"`{method} {path}`" for method, path in ROUTES]
    for (_, weight), endpoint in zip(rows, ROUTES.values(), strict=True):
        assert str(endpoint.weigh({"symbol": "BTCUSDT"})) in weight

"""Unchanged clients trade at the venue: ccxt and python-binance, with nothing set but addresses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fakes.served_venue import KEY, SECRET, SIGNER_KEY, SIGNER_PEM, served
from tidewright.domain.time import MINUTE
from tidewright.servers.venue.limits import Limit, LimitSettings
from tidewright.servers.venue.serve import VenueServer, VenueSettings

ccxt = pytest.importorskip("ccxt")
pytest.importorskip("binance")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

BTC = "BTC/USDT"


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[VenueServer, int]]:
    with served() as found:
        yield found


@pytest.fixture(scope="module")
def exchange(place):
    """Ccxt with its default options, markets loaded."""
    client = _ccxt(place[1])
    client.load_markets()
    return client


@pytest.fixture(autouse=True)
def _own_loop() -> Iterator[None]:
    # python-binance makes an event loop where a thread has none, and never closes it.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(autouse=True)
def _nothing_open(place):
    """Leave no order behind for the next test."""
    yield
    client = _ccxt(place[1])
    client.cancel_all_orders(BTC) if client.private_get_openorders() else None


def _ccxt(port: int, key: str = KEY, secret: str = SECRET):
    client = ccxt.binance({"apiKey": key, "secret": secret})
    base = f"http://127.0.0.1:{port}"
    client.urls["api"] |= {
        "public": f"{base}/api/v3",
        "private": f"{base}/api/v3",
        "v1": f"{base}/api/v1",
        **{name: f"{base}/sapi/v{name[-1]}" for name in ("sapiV2", "sapiV3", "sapiV4")},
        "sapi": f"{base}/sapi/v1",
        "fapiPublic": f"{base}/fapi/v1",
        "dapiPublic": f"{base}/dapi/v1",
    }
    return client


def _binance(port: int, key: str = KEY, secret: str = SECRET, private_key: str | None = None):
    from binance.client import Client

    class Here(Client):
        API_URL = f"http://127.0.0.1:{port}/api"
        MARGIN_API_URL = f"http://127.0.0.1:{port}/sapi"

    return Here(key, secret, private_key=private_key)


def _told(client) -> tuple[int, str]:
    """Return code and text of the last answer that a ccxt client got."""
    body = json.loads(client.last_http_response)
    return body["code"], body["msg"]


def test_ccxt_reads_the_market(exchange):
    assert set(exchange.markets) >= {BTC, "ETH/USDT", "ETH/BTC"}
    assert exchange.markets[BTC]["limits"]["cost"]["min"] == 5
    precision = exchange.markets[BTC]["precision"]
    assert (precision["amount"], precision["price"]) == (0.000_01, 0.01)
    assert exchange.fetch_status()["status"] == "ok"
    assert abs(exchange.fetch_time() - exchange.milliseconds()) < 5_000
    ticker = exchange.fetch_ticker(BTC)
    assert ticker["low"] <= ticker["last"] <= ticker["high"]
    assert set(exchange.fetch_tickers()) == set(exchange.markets)
    assert exchange.fetch_bids_asks([BTC])[BTC]["bid"] > 0
    book = exchange.fetch_order_book(BTC, 5)
    assert book["bids"][0][0] < book["asks"][0][0]
    candles = exchange.fetch_ohlcv(BTC, "1m", limit=3)
    assert [row[0] % 60_000 for row in candles] == [0] * len(candles)
    assert exchange.fetch_trades(BTC, limit=5)[-1]["symbol"] == BTC


def test_ccxt_sees_its_account(exchange):
    balance = exchange.fetch_balance()
    assert balance["total"]["BTC"] > 0
    assert exchange.fetch_trading_fee(BTC)["taker"] == 0.00075
    assert exchange.fetch_trading_fees()[BTC]["maker"] == 0.001


@pytest.mark.parametrize(
    ("kind", "side", "amount", "price", "params", "told"),
    [
        ("market", "buy", 0.01, None, {}, "MARKET"),
        ("market", "buy", None, None, {"cost": 100}, "MARKET"),
        ("market", "sell", 0.01, None, {}, "MARKET"),
        ("limit", "buy", 0.01, 30_000, {}, "LIMIT"),
        ("limit", "buy", 0.01, 30_000, {"timeInForce": "IOC"}, "LIMIT"),
        ("limit", "buy", 0.01, 30_000, {"timeInForce": "FOK"}, "LIMIT"),
        ("limit", "buy", 0.01, 30_000, {"postOnly": True}, "LIMIT_MAKER"),
        ("limit", "buy", 0.02, 30_000, {"icebergQty": "0.01"}, "LIMIT"),
        ("market", "sell", 0.01, None, {"stopLossPrice": 30_000}, "STOP_LOSS"),
        ("limit", "sell", 0.01, 29_000, {"stopLossPrice": 30_000}, "STOP_LOSS_LIMIT"),
        ("market", "sell", 0.01, None, {"takeProfitPrice": 120_000}, "TAKE_PROFIT"),
        ("limit", "sell", 0.01, 121_000, {"takeProfitPrice": 120_000}, "TAKE_PROFIT_LIMIT"),
        (
            "market",
            "sell",
            0.01,
            None,
            {"trailingPercent": 5, "stopLossOrTakeProfit": "stopLoss"},
            "STOP_LOSS",
        ),
    ],
)
def test_ccxt_places_every_kind_of_order(exchange, kind, side, amount, price, params, told):
    order = exchange.create_order(BTC, kind, side, amount, price, params)
    assert order["info"]["type"] == told
    found = exchange.fetch_order(order["id"], BTC)
    assert found["id"] == order["id"]
    final = kind == "market" and not set(params) - {"cost"}
    gone = params.get("timeInForce") in ("IOC", "FOK")
    assert found["status"] == ("closed" if final else "expired" if gone else "open")
    if final:
        assert found["filled"] > 0
        trades = exchange.fetch_order_trades(order["id"], BTC)
        assert sum(one["amount"] for one in trades) == pytest.approx(found["filled"])


def test_ccxt_follows_an_order_through_its_life(exchange):
    order = exchange.create_order(BTC, "limit", "buy", 0.01, 30_000, {"clientOrderId": "mine-1"})
    by_name = exchange.fetch_order(None, BTC, {"clientOrderId": "mine-1"})
    assert by_name["id"] == order["id"]
    assert [one["id"] for one in exchange.fetch_open_orders(BTC)] == [order["id"]]
    edited = exchange.edit_order(order["id"], BTC, "limit", "buy", 0.02, 31_000)
    assert (edited["amount"], edited["price"], edited["status"]) == (0.02, 31_000, "open")
    assert exchange.fetch_order(order["id"], BTC)["status"] == "canceled"
    assert exchange.cancel_order(edited["id"], BTC)["status"] == "canceled"
    assert exchange.fetch_open_orders(BTC) == []
    assert {order["id"], edited["id"]} <= {one["id"] for one in exchange.fetch_orders(BTC)}
    assert exchange.fetch_my_trades(BTC)
    assert exchange.fetch_closed_orders(BTC)


@pytest.mark.parametrize(
    ("kind", "side", "amount", "price", "params", "error", "told"),
    [
        ("limit", "buy", 0.000_01, 30_000, {}, "BadRequest", (-1013, "Filter failure: NOTIONAL")),
        (
            "limit",
            "buy",
            0.01,
            1_000,
            {},
            "InvalidOrder",
            (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ),
        (
            "limit",
            "buy",
            100,
            50_000,
            {},
            "InsufficientFunds",
            (-2010, "Account has insufficient balance for requested action."),
        ),
        (
            "limit",
            "buy",
            0.01,
            100_000,
            {"postOnly": True},
            "OrderImmediatelyFillable",
            (-2010, "Order would immediately match and take."),
        ),
        (
            "limit",
            "buy",
            0.01,
            30_000,
            {"recvWindow": 70_000},
            "ExchangeError",
            (-1131, "recvWindow must be less than 60000."),
        ),
    ],
)
def test_ccxt_raises_what_it_raises_at_the_exchange(
    exchange, kind, side, amount, price, params, error, told
):
    with pytest.raises(getattr(ccxt, error)) as caught:
        exchange.create_order(BTC, kind, side, amount, price, params)
    assert type(caught.value) is getattr(ccxt, error)
    assert _told(exchange) == told


def test_ccxt_raises_for_what_is_unknown_or_forged(place, exchange):
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order("999999", BTC)
    assert _told(exchange) == (-2011, "Unknown order sent.")
    with pytest.raises(ccxt.OrderNotFound):
        exchange.fetch_order("999999", BTC)
    assert _told(exchange) == (-2013, "Order does not exist.")
    with pytest.raises(ccxt.BadSymbol):
        exchange.public_get_depth({"symbol": "NOPE"})
    assert _told(exchange) == (-1121, "Invalid symbol.")
    for key, secret, told in (
        (KEY, "forged", (-1022, "Signature for this request is not valid.")),
        ("stranger", SECRET, (-2015, "Invalid API-key, IP, or permissions for action.")),
        ("not a key", SECRET, (-2014, "API-key format invalid.")),
    ):
        client = _ccxt(place[1], key, secret)
        with pytest.raises(ccxt.AuthenticationError):
            client.private_get_account()
        assert _told(client) == told
    late = _ccxt(place[1])
    late.nonce = lambda: late.milliseconds() - 20_000
    with pytest.raises(ccxt.InvalidNonce):
        late.private_get_account()
    assert _told(late)[0] == -1021


def test_binance_reads_the_market_and_its_account(place):
    client = _binance(place[1])
    assert client.ping() == {}
    assert client.get_symbol_info("BTCUSDT")["baseAsset"] == "BTC"
    assert client.get_system_status()["msg"] == "normal"
    assert len(client.get_all_tickers()) == 5
    assert client.get_order_book(symbol="BTCUSDT")["bids"]
    assert client.get_historical_klines("BTCUSDT", "1m", "2 minutes ago UTC")
    assert client.get_avg_price(symbol="BTCUSDT")["mins"] == 5
    assert client.get_recent_trades(symbol="BTCUSDT", limit=1)
    assert client.get_aggregate_trades(symbol="BTCUSDT", limit=1)
    assert client.get_asset_balance("ETH")["asset"] == "ETH"
    assert client.get_trade_fee(symbol="BTCUSDT")[0]["symbol"] == "BTCUSDT"
    assert client.get_exchange_info()["timezone"] == "UTC"


def test_binance_trades(place):
    client = _binance(place[1])
    limit = client.order_limit_buy(symbol="BTCUSDT", quantity=0.01, price="30000")
    assert limit["status"] == "NEW"
    assert client.get_order(symbol="BTCUSDT", orderId=limit["orderId"])["isWorking"] is True
    assert len(client.get_open_orders(symbol="BTCUSDT")) == 1
    gone = client.cancel_order(symbol="BTCUSDT", orderId=limit["orderId"])
    assert gone["status"] == "CANCELED"
    bought = client.order_market_buy(symbol="BTCUSDT", quantity=0.01)
    assert bought["fills"][0]["commissionAsset"] == "BTC"
    assert client.get_my_trades(symbol="BTCUSDT")[-1]["orderId"] == bought["orderId"]
    assert client.create_test_order(
        symbol="BTCUSDT", side="SELL", type="MARKET", quantity=0.01
    ) == ({})
    pair = client.create_oco_order(
        symbol="BTCUSDT",
        side="SELL",
        quantity=0.01,
        aboveType="LIMIT_MAKER",
        abovePrice="120000",
        belowType="STOP_LOSS",
        belowStopPrice="30000",
    )
    assert pair["contingencyType"] == "OCO"
    assert len(client.get_open_orders()) == 2
    assert client.get_all_orders(symbol="BTCUSDT")


def test_binance_raises_code_and_text(place):
    from binance.exceptions import BinanceAPIException

    client = _binance(place[1])
    with pytest.raises(BinanceAPIException) as caught:
        client.order_limit_buy(symbol="BTCUSDT", quantity=0.000_001, price="30000")
    assert (caught.value.code, caught.value.message) == (
        -1100,
        r"Illegal characters found in parameter 'quantity'; legal range is "
        r"'^([0-9]{1,20})(\.[0-9]{1,20})?$'.",
    )
    with pytest.raises(BinanceAPIException) as caught:
        client.order_limit_buy(symbol="BTCUSDT", quantity="0.000001", price="30000")
    assert (caught.value.status_code, caught.value.code, caught.value.message) == (
        400,
        -1013,
        "Filter failure: LOT_SIZE",
    )
    forged = _binance(place[1], KEY, "forged")
    with pytest.raises(BinanceAPIException) as caught:
        forged.get_account()
    assert caught.value.code == -1022


def test_clients_that_sign_with_ed25519_are_let_in(place):
    signing = _ccxt(place[1], SIGNER_KEY, SIGNER_PEM)
    assert signing.private_get_account()["uid"]
    order = signing.create_order("ETH/USDT", "limit", "buy", 0.1, 1_500)
    assert signing.cancel_order(order["id"], "ETH/USDT")["status"] == "canceled"
    client = _binance(place[1], SIGNER_KEY, private_key=SIGNER_PEM)
    assert client.get_account()["accountType"] == "SPOT"


def test_clients_may_follow_the_machines_clock_or_the_venues_when_they_differ():
    with served(VenueSettings(speed=500.0, population=None)) as (server, port):
        client = _ccxt(port)
        ahead = client.fetch_time() - client.milliseconds()
        while ahead < 60_000:
            ahead = client.fetch_time() - client.milliseconds()
        assert client.private_get_account()["uid"]
        client.nonce = lambda: server.venue.clock.now() // 1_000_000
        assert client.private_get_account({"recvWindow": 60_000})["uid"]
        client.nonce = lambda: client.milliseconds() - 20_000
        with pytest.raises(ccxt.InvalidNonce):
            client.private_get_account()


def test_limits_are_the_exchanges(place):
    few = replace(LimitSettings(), weight=Limit("REQUEST_WEIGHT", MINUTE, 1, 40))
    with served(VenueSettings(limits=few, population=None)) as (_, port):
        client = _ccxt(port)
        client.public_get_exchangeinfo()
        client.public_get_exchangeinfo()
        with pytest.raises(ccxt.DDoSProtection):
            client.public_get_exchangeinfo()
        assert _told(client)[0] == -1003
        assert int(client.last_response_headers["Retry-After"]) <= 60

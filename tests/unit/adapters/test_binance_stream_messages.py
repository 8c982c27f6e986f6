"""Messages of market streams are read exactly, or refused with what was wrong."""

from __future__ import annotations

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.adapters.binance.streams import names
from tidewright.adapters.binance.streams.messages import (
    AggregateTrade,
    Answer,
    BookTicker,
    DepthUpdate,
    Kline,
    MiniTicker,
    Shutdown,
    Trade,
    Unknown,
)
from tidewright.adapters.binance.streams.reading import read_depth, read_message
from tidewright.domain.errors import Transient
from tidewright.market.local_book import BookChange, BookSnapshot

MS = 1_000_000
TOLD = 1_672_515_782_136

# The venue's own examples of each message.
TRADE = {
    **{"e": "trade", "E": TOLD, "s": "BNBBTC", "t": 12345, "p": "0.001", "q": "100"},
    **{"T": TOLD, "m": True, "M": True},
}
AGGREGATE = {
    **{"e": "aggTrade", "E": TOLD, "s": "BNBBTC", "a": 12345, "p": "0.001", "q": "100"},
    **{"f": 100, "l": 105, "T": TOLD, "m": True, "M": True},
}
CANDLE = {
    **{"t": 1_672_515_780_000, "T": 1_672_515_839_999, "s": "BNBBTC", "i": "1m"},
    **{"f": 100, "L": 200, "o": "0.0010", "c": "0.0020", "h": "0.0025", "l": "0.0015"},
    **{"v": "1000", "n": 100, "x": False, "q": "1.0000", "V": "500", "Q": "0.500", "B": "123456"},
}
KLINE = {"e": "kline", "E": TOLD, "s": "BNBBTC", "k": CANDLE}
BEST = {
    **{"u": 400900217, "s": "BNBUSDT", "b": "25.35190000", "B": "31.21000000"},
    **{"a": "25.36520000", "A": "40.66000000"},
}
MINI = {
    **{"e": "24hrMiniTicker", "E": TOLD, "s": "BNBBTC", "c": "0.0025", "o": "0.0010"},
    **{"h": "0.0025", "l": "0.0010", "v": "10000", "q": "18"},
}
DEPTH = {
    **{"e": "depthUpdate", "E": TOLD, "s": "BNBBTC", "U": 157, "u": 160},
    **{"b": [["0.0024", "10"]], "a": [["0.0026", "100"]]},
}
READ = [
    (TRADE, Trade("BNBBTC", 12345, 100_000, 10_000_000_000, TOLD * MS, True)),
    (
        AGGREGATE,
        AggregateTrade("BNBBTC", 12345, 100_000, 10_000_000_000, 100, 105, TOLD * MS, True),
    ),
    (
        KLINE,
        Kline(
            "BNBBTC",
            "1m",
            1_672_515_780_000 * MS,
            1_672_515_840_000 * MS,
            100_000,
            250_000,
            150_000,
            200_000,
            100_000_000_000,
            100_000_000,
            100,
            False,
            TOLD * MS,
        ),
    ),
    (
        BEST,
        BookTicker(
            "BNBUSDT", 400900217, 2_535_190_000, 3_121_000_000, 2_536_520_000, 4_066_000_000
        ),
    ),
    (
        MINI,
        MiniTicker(
            "BNBBTC",
            TOLD * MS,
            100_000,
            250_000,
            100_000,
            250_000,
            1_000_000_000_000,
            1_800_000_000,
        ),
    ),
    (
        DEPTH,
        DepthUpdate(
            "BNBBTC",
            TOLD * MS,
            BookChange(157, 160, ((240_000, 1_000_000_000),), ((260_000, 10_000_000_000),)),
        ),
    ),
    ({"e": "serverShutdown", "E": TOLD}, Shutdown()),
    ({"result": None, "id": 312}, Answer(312)),
    ({"error": {"code": 2, "msg": "no"}, "id": None}, Answer(-1, "2: no")),
    ({"e": "referencePrice", "s": "BAZUSD"}, Unknown("referencePrice")),
]


@pytest.mark.parametrize(("data", "expected"), READ)
def test_examples_of_the_venue_are_read_bare_and_wrapped(data, expected):
    assert read_message(orjson.dumps(data)) == expected
    assert read_message(orjson.dumps({"stream": "x", "data": data}).decode()) == expected


@pytest.mark.parametrize("data", [TRADE, AGGREGATE, KLINE, BEST, MINI, DEPTH])
def test_every_field_that_is_missing_or_of_another_kind_is_refused(data):
    unread = {"M", "E", "B"} if data is not BEST else set()
    inner = data.get("k", data)
    for name in set(inner) - unread - {"e", "s", "f", "L", "V", "Q"}:
        for wrong in (None, [[1]], [["1", "x"]], "1e-7", -1.5, "-1", "\u0661", "", True):
            if (name in ("m", "x") and wrong is True) or (name == "i" and isinstance(wrong, str)):
                continue
            changed = {**inner, name: wrong}
            message = {**data, "k": changed} if "k" in data else changed
            with pytest.raises(Transient, match="expected"):
                read_message(orjson.dumps(message))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"<html>", b"null", b"{}", b'{"e":5}'])
def test_what_is_no_message_is_refused(body):
    with pytest.raises(Transient):
        read_message(body)
    with pytest.raises(Transient):
        read_depth(body)


@given(units=st.integers(0, 10**18), zeros=st.integers(0, 4))
def test_amounts_are_exact(units, zeros):
    text = f"{Decimal(units).scaleb(-8):f}"
    text = text + "0" * zeros if "." in text else text
    found = read_message(orjson.dumps({**TRADE, "q": text}))
    assert isinstance(found, Trade)
    assert found.quantity == units


def test_more_than_eight_places_are_refused_not_rounded():
    with pytest.raises(Transient, match="at most 8 places"):
        read_message(orjson.dumps({**TRADE, "p": "0.000000001"}))


def test_microseconds_are_told_from_milliseconds():
    found = read_message(orjson.dumps({**TRADE, "T": TOLD * 1_000 + 7}))
    assert isinstance(found, Trade)
    assert found.ts_event == TOLD * MS + 7_000
    candle = {**CANDLE, "t": 1_672_515_780_000_000, "T": 1_672_515_839_999_999}
    kline = read_message(orjson.dumps({**KLINE, "k": candle}))
    assert isinstance(kline, Kline)
    assert kline.ts_close - kline.ts_open == 60_000 * MS
    for nonsense in (0, 12, 10**18):
        with pytest.raises(Transient, match="since 1970"):
            read_message(orjson.dumps({**TRADE, "T": nonsense}))


def test_a_snapshot_is_read():
    body = b'{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100.5"]]}'
    assert read_depth(body) == BookSnapshot(
        160, ((240_000, 1_000_000_000),), ((260_000, 10_050_000_000),)
    )


def test_names_are_in_lower_case_as_subscriptions_need_them():
    assert [
        names.trades("BTCUSDT"),
        names.aggregate_trades("BTCUSDT"),
        names.klines("BTCUSDT", "1m"),
        names.best_prices("BTCUSDT"),
        names.mini_ticker("BTCUSDT"),
        names.depth("BTCUSDT"),
        names.depth("BTCUSDT", 1000),
    ] == [
        "btcusdt@trade",
        "btcusdt@aggTrade",
        "btcusdt@kline_1m",
        "btcusdt@bookTicker",
        "btcusdt@miniTicker",
        "btcusdt@depth@100ms",
        "btcusdt@depth",
    ]

"""What a client may say on a market stream, word for word."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.servers.venue.streams.control import MOST_STREAMS, Subscriptions
from tidewright.servers.venue.streams.names import INTERVALS, Channel, is_spelled, parse_stream


def said(subscriptions: Subscriptions, message: object) -> dict[str, object]:
    text = message if isinstance(message, str) else json.dumps(message)
    return json.loads(subscriptions.answer(text).text)


def test_subscribing_and_leaving_are_answered_with_null_and_listed_in_their_order():
    one = Subscriptions(["ethusdt@trade"])
    answer = one.answer('{"method":"SUBSCRIBE","params":["btcusdt@depth","ethusdt@trade"],"id":1}')
    assert answer.text == b'{"result":null,"id":1}'
    assert answer.added == ("btcusdt@depth",)
    assert said(one, {"method": "LIST_SUBSCRIPTIONS", "id": 3}) == {
        "result": ["ethusdt@trade", "btcusdt@depth"],
        "id": 3,
    }
    answer = one.answer('{"method":"UNSUBSCRIBE","params":["ethusdt@trade","x@y"],"id":312}')
    assert (answer.text, answer.removed) == (b'{"result":null,"id":312}', ("ethusdt@trade",))
    assert one.names == ("btcusdt@depth",)


def test_combined_is_set_and_told():
    one = Subscriptions()
    assert said(one, {"method": "GET_PROPERTY", "params": ["combined"], "id": 2})["result"] is False
    assert said(one, {"method": "SET_PROPERTY", "params": ["combined", True], "id": 5}) == {
        "result": None,
        "id": 5,
    }
    assert said(one, {"method": "GET_PROPERTY", "params": ["combined"], "id": 2})["result"] is True


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        ({"method": "SET_PROPERTY", "params": ["x", True], "id": 1}, 0, "Unknown property"),
        ({"method": "GET_PROPERTY", "params": ["x"], "id": 1}, 0, "Unknown property"),
        (
            {"method": "SET_PROPERTY", "params": ["combined", "true"], "id": 1},
            1,
            "Invalid value type: expected Boolean",
        ),
        (
            {"method": "SET_PROPERTY", "params": [7, True], "id": 1},
            2,
            "Invalid request: property name must be a string",
        ),
        (
            {"method": "GET_PROPERTY", "id": 1},
            2,
            "Invalid request: property name must be a string",
        ),
        (
            {"method": "LIST_SUBSCRIPTIONS", "params": ["a"], "id": 1},
            2,
            "Invalid request: too many parameters",
        ),
        (
            '{"method":"SUBSCRYBE","id":1}',
            2,
            "Invalid request: unknown variant `SUBSCRYBE`, expected one of `SUBSCRIBE`, "
            "`UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 "
            "column 21",
        ),
        ('{"id":1}', 2, "Invalid request: missing field `method` at line 1 column 8"),
    ],
)
def test_wrong_request_is_answered_with_the_protocols_words(message, code, words):
    one = Subscriptions()
    assert said(one, message) == {"error": {"code": code, "msg": words}, "id": 1}


@pytest.mark.parametrize("number", [1.5, True, "a b", "x" * 37, {}, [1], 2**64])
def test_unsupported_id_is_refused(number):
    answer = said(Subscriptions(), {"method": "LIST_SUBSCRIPTIONS", "id": number})
    assert answer["error"] == {
        "code": 2,
        "msg": "Invalid request: request ID must be an unsigned integer",
    }
    assert answer["id"] is None


def test_missing_id_is_refused_and_null_is_one():
    assert "error" in said(Subscriptions(), {"method": "LIST_SUBSCRIPTIONS"})
    assert said(Subscriptions(), {"method": "LIST_SUBSCRIPTIONS", "id": None}) == {
        "result": [],
        "id": None,
    }


@pytest.mark.parametrize("text", ["", "{", "nonsense", "[1]", "5"])
def test_text_that_is_no_request_is_told_where(text):
    error = said(Subscriptions(), text)["error"]
    assert error["code"] == 3
    assert error["msg"].startswith("Invalid JSON: expected value at line 1 column ")


@pytest.mark.parametrize("params", [["@@@lixo###"], [""], [5], [], "no list", None])
def test_misspelled_stream_is_refused_and_ends_the_connection(params):
    answer = Subscriptions().answer(json.dumps({"method": "SUBSCRIBE", "params": params, "id": 9}))
    assert json.loads(answer.text)["error"] == {
        "code": 2,
        "msg": "Invalid request: invalid stream",
    }
    assert (answer.closes, answer.added) == (True, ())


def test_no_more_streams_than_the_limit_and_none_of_a_request_that_goes_over_it():
    one = Subscriptions(f"s{number}@trade" for number in range(MOST_STREAMS - 1))
    assert "error" in said(one, {"method": "SUBSCRIBE", "params": ["a@trade", "b@trade"], "id": 1})
    assert len(one.names) == MOST_STREAMS - 1
    assert said(one, {"method": "SUBSCRIBE", "params": ["a@trade"], "id": 1})["result"] is None


@given(st.text())
def test_every_text_is_answered_with_json(text):
    answer = json.loads(Subscriptions().answer(text).text)
    assert ("error" in answer) != ("result" in answer)


@pytest.mark.parametrize("interval", INTERVALS)
def test_candle_streams_have_all_intervals(interval):
    stream = parse_stream(f"btcusdt@kline_{interval}")
    assert (stream.channel, stream.symbol, stream.interval) == (
        Channel.CANDLE,
        "BTCUSDT",
        interval,
    )
    assert stream.period == (1_000_000_000 if interval == "1s" else 2_000_000_000)
    assert parse_stream(f"btcusdt@kline_{interval}@+08:00").eastern


@pytest.mark.parametrize(
    ("name", "channel", "period", "levels"),
    [
        ("btcusdt@trade", Channel.TRADE, 0, 0),
        ("btcusdt@aggTrade", Channel.AGGREGATE_TRADE, 0, 0),
        ("btcusdt@bookTicker", Channel.BEST, 0, 0),
        ("btcusdt@depth", Channel.CHANGES, 1_000_000_000, 0),
        ("btcusdt@depth@100ms", Channel.CHANGES, 100_000_000, 0),
        ("btcusdt@depth5", Channel.TOP, 1_000_000_000, 5),
        ("btcusdt@depth20@100ms", Channel.TOP, 100_000_000, 20),
        ("btcusdt@miniTicker", Channel.MINI, 1_000_000_000, 0),
        ("btcusdt@ticker", Channel.DAY, 1_000_000_000, 0),
        ("btcusdt@ticker_4h", Channel.WINDOW, 1_000_000_000, 0),
        ("btcusdt@avgPrice", Channel.AVERAGE, 1_000_000_000, 0),
        ("!miniTicker@arr", Channel.ALL_MINI, 1_000_000_000, 0),
        ("!miniTicker@arr@1000ms", Channel.ALL_MINI, 1_000_000_000, 0),
        ("!ticker_1h@arr", Channel.ALL_WINDOWS, 1_000_000_000, 0),
    ],
)
def test_stream_names(name, channel, period, levels):
    stream = parse_stream(name)
    assert (stream.channel, stream.period, stream.levels) == (channel, period, levels)
    assert is_spelled(name)


@pytest.mark.parametrize(
    "name",
    [
        *("BTCUSDT@trade", "btcusdt@depth7", "btcusdt@kline_7m", "btcusdt@depth@10ms"),
        *("!ticker@arr", "!bookTicker", "btcusdt", "0", "btcusdt@ticker_7d", "btcusdt@"),
        *("btcusdt@trade@100ms", "!ticker_1h"),
    ],
)
def test_what_stands_for_nothing_is_no_stream(name):
    assert parse_stream(name) is None


NAMES = st.sampled_from([f"s{number}@trade" for number in range(6)])


@given(
    start=st.lists(NAMES, max_size=3),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["SUBSCRIBE", "UNSUBSCRIBE", "SET_PROPERTY"]),
            st.lists(NAMES, min_size=1, max_size=4),
            st.booleans(),
        ),
        max_size=20,
    ),
)
def test_subscriptions_are_what_a_plain_list_would_hold(start, steps):
    one, plain, combined = Subscriptions(start), list(dict.fromkeys(start)), False
    for method, names, value in steps:
        if method == "SET_PROPERTY":
            one.answer(json.dumps({"method": method, "params": ["combined", value], "id": 1}))
            combined = value
        else:
            answer = one.answer(json.dumps({"method": method, "params": names, "id": 1}))
            gone = [name for name in plain if name in names]
            new = [name for name in dict.fromkeys(names) if name not in plain]
            if method == "SUBSCRIBE":
                assert list(answer.added) == new
                plain += new
            else:
                assert sorted(answer.removed) == sorted(gone)
                plain = [name for name in plain if name not in names]
        assert list(one.names) == plain
        assert one.combined is combined

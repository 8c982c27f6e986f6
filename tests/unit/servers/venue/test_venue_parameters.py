"""Parameters: what is read, and which code answers what cannot be."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.exchange.spot.values import Kind, Reason, Refusal
from tidewright.servers.venue import errors
from tidewright.servers.venue import parameters as read
from tidewright.servers.venue.parameters import Field, Shape, pairs

SHAPE = Shape(
    Field("symbol", read.symbol, mandatory=True),
    Field("interval", read.any_text, mandatory=True),
    Field("limit", read.whole),
)


def _told(call) -> tuple[int, str]:
    with pytest.raises(errors.ApiError) as caught:
        call()
    assert caught.value.body == {"code": caught.value.code, "msg": caught.value.message}
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        (
            "",
            -1102,
            "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
        ),
        (
            "symbol=A",
            -1102,
            "Mandatory parameter 'interval' was not sent, was empty/null, or malformed.",
        ),
        ("symbol=A&symbol=B", -1101, "Duplicate values for a parameter detected."),
        (
            "symbol=A&interval=1h&limit=1&x=1",
            -1101,
            "Too many parameters; expected '3' and received '4'.",
        ),
        (
            "symbol=A&interval=1h&fromId=1",
            -1104,
            "Not all sent parameters were read; read '2' parameter(s) but was sent '3'.",
        ),
        ("symbol=&interval=1h", -1105, "Parameter 'symbol' was empty."),
        (
            "symbol=btc&interval=1h",
            -1100,
            r"Illegal characters found in parameter 'symbol'; legal range is "
            r"'^[\w\-._&&[^a-z]]{1,50}$'.",
        ),
        (
            "symbol=A&interval=1h&limit=-1",
            -1100,
            "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
        ),
        ("symbol=A&interval=1h&limit=99999999999999999999", -1108, "Parameter 'limit' overflowed."),
    ],
)
def test_what_is_amiss_has_its_code_and_text(query, code, message):
    assert _told(lambda: SHAPE.read(pairs(query))) == (code, message)


def test_query_wins_over_the_form_on_a_clash():
    assert pairs("a=1&b=2", "a=9&c=3") == {"a": "1", "b": "2", "c": "3"}


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=6))
def test_what_was_encoded_is_read_back(sent):
    assert pairs(urlencode(sent)) == sent
    assert pairs("", urlencode(sent)) == sent


@given(st.integers(0, 2**63 - 1))
def test_units_are_exact(value):
    text = f"{value // 10**8}.{value % 10**8:08d}"
    assert read.units("price", text) == value
    assert read.units("price", text.rstrip("0").rstrip(".") or "0") == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.123456789", -1111),
        ("92233720368.54775808", -1108),
        ("99999999999999999999", -1108),
        ("1e-5", -1100),
        ("-1", -1100),
        ("1.", -1100),
        (".5", -1100),
        ("1,5", -1100),
        ("٣", -1100),
        ("1.0\n", -1100),
        ("nan", -1100),
    ],
)
def test_numbers_that_are_not_taken(text, code):
    assert _told(lambda: read.units("price", text))[0] == code


def test_times_are_milliseconds_or_microseconds():
    assert read.moment("timestamp", "1499827319559") == 1_499_827_319_559_000_000
    assert read.moment("timestamp", "1499827319559001") == 1_499_827_319_559_001_000


def test_recv_window_has_three_decimal_places():
    assert read.thousandths("recvWindow", "6000.346") == 6_000_346
    assert read.thousandths("recvWindow", "5000") == 5_000_000
    assert _told(lambda: read.thousandths("recvWindow", "1.0001"))[0] == -1111


def test_lists_of_symbols():
    assert read.symbols("symbols", '["BTCUSDT","ÄÖ-1"]') == ("BTCUSDT", "ÄÖ-1")
    assert read.symbols("symbols", "[]") == ()
    assert _told(lambda: read.symbols("symbols", '["BTCUSDT", "ETHUSDT"]'))[0] == -1100
    assert _told(lambda: read.symbols("symbols", '["A","A"]'))[0] == -1151


@pytest.mark.parametrize("text", ["a b", "ä", "x" * 37, "a.b"])
def test_client_ids_have_an_alphabet(text):
    assert _told(lambda: read.client_id("newClientOrderId", text))[0] == -1100
    assert read.client_id("newClientOrderId", "x-TKT5PX2F_1") == "x-TKT5PX2F_1"


@pytest.mark.parametrize("reason", list(Reason))
def test_every_refusal_has_an_answer(reason):
    told = errors.of_refusal(Refusal(reason, "LOT_SIZE"))
    assert told.code < -1000
    assert told.status in (400, 503)


def test_refusals_name_filter_and_kind():
    assert errors.of_refusal(Refusal(Reason.FILTER, "NOTIONAL")).body == {
        "code": -1013,
        "msg": "Filter failure: NOTIONAL",
    }
    refused = Refusal(Reason.NOT_ALLOWED, Kind.STOP_LOSS.value)
    assert errors.of_refusal(refused).message == (
        "Stop loss orders are not supported for this symbol."
    )

"""What answers mean: nothing is called unexecuted that the venue does not document as such."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidewright.adapters.binance.classify import (
    RULES,
    Answered,
    Asked,
    ClockRefused,
    HttpAnswer,
    OrdersLimited,
    Purpose,
    TransportFailure,
    classify,
)
from tidewright.adapters.binance.parse import OrderReader, parse_canceled, parse_order
from tidewright.domain.errors import (
    ConfigError,
    DataIntegrityError,
    RateLimited,
    Rejected,
    Transient,
    UnknownOutcome,
)

FULL = {
    **{"symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": "mine"},
    **{"transactTime": 1_507_725_176_595, "price": "0.00000000", "origQty": "10.00000000"},
    **{"executedQty": "10.00000000", "origQuoteOrderQty": "0.000000", "status": "FILLED"},
    **{"cummulativeQuoteQty": "39999.00000000", "timeInForce": "GTC", "type": "MARKET"},
    **{"side": "SELL", "workingTime": 1_507_725_176_595, "selfTradePreventionMode": "NONE"},
    "fills": [
        {
            **{"price": "4000.00000000", "qty": "9.00000000", "commission": "36.00000000"},
            **{"commissionAsset": "USDT", "tradeId": 56},
        },
        {
            **{"price": "3999.00000000", "qty": "1.00000000", "commission": "3.99900000"},
            **{"commissionAsset": "USDT", "tradeId": 57},
        },
    ],
}
BODY = json.dumps(FULL).encode()
READ = OrderReader(parse_order, "BTCUSDT", "mine")
ORDER = Asked("POST /api/v3/order", Purpose.ORDER, READ)
CANCEL = Asked(
    "DELETE /api/v3/order", Purpose.CANCEL, OrderReader(parse_canceled, "BTCUSDT", "mine")
)
QUESTION = Asked("GET /api/v3/order", Purpose.QUESTION, READ)
TRUE = READ(FULL)


def answer(status: int, code: int = 0, text: str = "", **headers: str) -> HttpAnswer:
    body = json.dumps({"code": code, "msg": text}).encode() if code else b""
    return HttpAnswer(status, headers, body)


def test_the_whole_answer_is_the_order_and_its_fills():
    assert classify(ORDER, HttpAnswer(200, {}, BODY)) == Answered(TRUE)
    assert [fill.trade_id for fill in TRUE.fills] == [56, 57]


def test_an_answer_cut_at_any_byte_is_unknown():
    for length in range(len(BODY)):
        cut = HttpAnswer(200, {}, BODY[:length])
        assert isinstance(classify(ORDER, cut), UnknownOutcome)
        assert isinstance(classify(QUESTION, cut), Transient)


@given(st.integers(0, len(BODY) - 1), st.integers(0, 255))
def test_an_answer_with_a_wrong_byte_is_unknown_or_still_an_order_of_that_id(place, byte):
    body = BODY[:place] + bytes([byte]) + BODY[place + 1 :]
    came = classify(ORDER, HttpAnswer(200, {}, body))
    if isinstance(came, Answered):
        assert (came.value.symbol, came.value.client_id) == ("BTCUSDT", "mine")
    else:
        assert isinstance(came, UnknownOutcome)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(json_values)
@example({})
@example({"orderId": None, "status": None})
@example({"code": -1007, "msg": "Timeout"})
def test_no_other_json_is_taken_for_the_order(value):
    came = classify(ORDER, HttpAnswer(200, {}, json.dumps(value).encode()))
    assert isinstance(came, UnknownOutcome)


@pytest.mark.parametrize("field", [name for name in FULL if name not in ("workingTime",)])
def test_each_field_that_an_order_needs_is_needed(field):
    optional = {"orderListId", "origQuoteOrderQty", "timeInForce", "selfTradePreventionMode"}
    body = json.dumps({name: value for name, value in FULL.items() if name != field}).encode()
    came = classify(ORDER, HttpAnswer(200, {}, body))
    assert isinstance(came, Answered if field in {*optional, "fills"} else UnknownOutcome)


@given(
    st.integers(100, 599).filter(lambda status: status != 200),
    st.integers(-9_999, 9_999) | st.none(),
    st.text(max_size=20),
)
def test_an_order_is_only_free_to_be_decided_anew_where_the_venue_documents_it(status, code, text):
    body = json.dumps({"code": code, "msg": text}).encode() if code is not None else text.encode()
    came = classify(ORDER, HttpAnswer(status, {}, body))
    assert not isinstance(came, Answered)
    if isinstance(came, RateLimited):
        assert status in (418, 429) or code in (-1003, -1015)
    elif isinstance(came, Transient):
        assert (code, status // 100) == (-1021, 4)
    elif isinstance(came, Rejected | ConfigError):
        assert status // 100 == 4
        assert any(rule.code == code for rule in RULES)
    else:
        assert isinstance(came, UnknownOutcome)


@given(st.integers(500, 599), st.integers(-9_999, -1))
def test_no_code_makes_an_error_of_the_server_definite(status, code):
    assert isinstance(classify(ORDER, answer(status, code, "x")), UnknownOutcome)
    assert isinstance(classify(CANCEL, answer(status, code, "x")), UnknownOutcome)
    assert type(classify(QUESTION, answer(status, code, "x"))) is Transient


NO_ONE_KNOWS = [
    answer(504, -1007, "Timeout waiting for response from backend server."),
    answer(502, -1006, "An unexpected response was received from the message bus."),
    answer(400, -1007, "Timeout waiting for response from backend server."),
    answer(400, -1000, "An unknown error occurred while processing the request."),
    answer(503, -1008, "Server is currently overloaded with other requests."),
    answer(503, -1000, "Unknown error, please check your request or try again later."),
    answer(503),
    answer(403),
    answer(404),
    answer(302),
    answer(400, -2010, "Duplicate order sent."),
    answer(409, -2021, "Order cancel-replace partially failed."),
    answer(400, -9999, "Something new."),
    HttpAnswer(200, {}, b""),
    HttpAnswer(200, {}, b"<html>maintenance</html>"),
    HttpAnswer(403, {}, b"<html>403 Forbidden</html>"),
    HttpAnswer(400, {}, b'{"code": "-2010", "msg": "text for a code"}'),
    HttpAnswer(400, {}, b'{"code": -2010}'),
    TransportFailure("the connection was reset", may_have_left=True),
]


@pytest.mark.parametrize("came", NO_ONE_KNOWS, ids=repr)
def test_what_does_not_say_whether_it_was_executed_is_unknown(came):
    assert isinstance(classify(ORDER, came), UnknownOutcome)
    assert isinstance(classify(CANCEL, came), UnknownOutcome)
    assert not isinstance(classify(QUESTION, came), UnknownOutcome)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (-1013, "Filter failure: LOT_SIZE"),
        (-1013, "Filter failure: NOTIONAL"),
        (-1111, "Parameter 'price' has too much precision."),
        (-1121, "Invalid symbol."),
        (-2010, "Account has insufficient balance for requested action."),
        (-2010, "Market is closed."),
        (-2010, "Order would immediately match and take."),
        (-2010, "Order would trigger immediately."),
        (-2011, "Unknown order sent."),
        (-2013, "Order does not exist."),
        (-2022, "Order cancel-replace failed."),
        (-2026, "Order was canceled or expired with no executed qty over 90 days ago."),
        (-2039, "Client order ID is not correct for this order ID."),
    ],
)
@pytest.mark.parametrize("asked", [ORDER, CANCEL, QUESTION], ids=lambda asked: asked.name)
def test_refusals_carry_the_venues_code(asked, code, text):
    came = classify(asked, answer(400, code, text))
    assert isinstance(came, Rejected)
    assert came.code == str(code)
    assert text in str(came)


def test_limits_say_how_long_to_wait():
    told = answer(429, -1003, "Too much request weight used.", **{"retry-after": "7"})
    assert classify(ORDER, told).retry_after == 7
    assert classify(ORDER, answer(418, -1003, "banned")).retry_after == 120
    assert classify(QUESTION, answer(429)).retry_after == 60
    assert type(classify(ORDER, answer(429, -1003, "Too much request weight"))) is RateLimited
    assert isinstance(classify(ORDER, answer(429, -1015, "Too many new orders")), OrdersLimited)
    assert classify(QUESTION, HttpAnswer(403, {}, b"<html>")).retry_after == 60
    nonsense = answer(429, **{"retry-after": "9" * 400})
    assert classify(ORDER, nonsense).retry_after == 4 * 86_400


@pytest.mark.parametrize("code", [-1022, -2014, -2015])
def test_wrong_keys_are_for_a_person(code):
    assert isinstance(classify(ORDER, answer(401, code, "Invalid API-key")), ConfigError)


def test_a_wrong_time_is_refused_unexecuted():
    assert isinstance(
        classify(ORDER, answer(400, -1021, "outside of the recvWindow")), ClockRefused
    )


def test_what_never_left_had_no_effect():
    came = classify(ORDER, TransportFailure("connection refused", may_have_left=False))
    assert type(came) is Transient


def test_an_answer_about_another_order_is_no_answer():
    body = json.dumps({**FULL, "clientOrderId": "other"}).encode()
    assert isinstance(classify(ORDER, HttpAnswer(200, {}, body)), UnknownOutcome)


def test_a_contradiction_halts_a_question_and_leaves_an_order_unknown():
    body = json.dumps({**FULL, "executedQty": "11"}).encode()
    assert isinstance(classify(QUESTION, HttpAnswer(200, {}, body)), DataIntegrityError)
    assert isinstance(classify(ORDER, HttpAnswer(200, {}, body)), UnknownOutcome)

"""Requests of the WebSocket API: how they are read, signed and answered."""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.servers.venue.streams.requests import WrongRequest, read_request, write_answer

SECRET = b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
DOCUMENTED = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01000000",
    "price": "52000.00",
    "newOrderRespType": "ACK",
    "recvWindow": 100,
    "timestamp": 1645423376532,
    "apiKey": "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
    "signature": "cc15477742bd704c29492d96c7ead9414dfd8e0ec4a00f947bb5bb454ddbd08a",
}
"""The documentation's own example of a signed request."""


def test_documented_example_has_its_documented_signature():
    request = read_request(json.dumps({"id": 1, "method": "order.place", "params": DOCUMENTED}))
    plain, _ = request.signed_texts
    made = hmac.new(SECRET, plain.encode(), hashlib.sha256).hexdigest()
    assert made == DOCUMENTED["signature"]


def test_version_is_taken_off_and_parameters_become_text():
    request = read_request(
        '{"id":"a","method":"v3/depth","params":{"symbols":["A","B"],"limit":5,"x":true,'
        '"quantity":0.10,"returnRateLimits":false,"none":null}}'
    )
    assert (request.number, request.method, request.shows_limits) == ("a", "depth", False)
    assert request.parameters == {
        "symbols": '["A","B"]',
        "limit": "5",
        "x": "true",
        "quantity": "0.10",
        "returnRateLimits": "false",
    }


@given(st.dictionaries(st.text("abcXYZ", min_size=1), st.text("aZ09.-_ é+/=&", min_size=1)))
def test_second_signed_text_is_what_clients_that_encode_sign(parameters):
    parameters.pop("signature", None)
    request = read_request(json.dumps({"id": 1, "method": "x", "params": parameters}))
    encoded = request.signed_texts[1]
    assert encoded == urlencode(sorted(parameters.items())).replace("+", "%20")


@pytest.mark.parametrize(
    ("text", "number", "code"),
    [
        ("nonsense", None, -1135),
        ("[1]", None, -1135),
        ('{"method":"time"}', None, -1102),
        ('{"id":1.5,"method":"time"}', None, -1102),
        ('{"id":true,"method":"time"}', None, -1102),
        ('{"id":7}', 7, -1102),
        ('{"id":7,"method":5}', 7, -1102),
        ('{"id":7,"method":"time","params":[1]}', 7, -1000),
    ],
)
def test_what_is_no_request_is_refused(text, number, code):
    with pytest.raises(WrongRequest) as refused:
        read_request(text)
    assert (refused.value.number, refused.value.code) == (number, code)


def test_answers_carry_result_or_error_and_limits_when_asked():
    assert json.loads(write_answer("a", 200, b'{"x":1}', b"[]")) == {
        "id": "a",
        "status": 200,
        "result": {"x": 1},
        "rateLimits": [],
    }
    assert json.loads(write_answer(None, 400, b'{"code":-1,"msg":"m"}')) == {
        "id": None,
        "status": 400,
        "error": {"code": -1, "msg": "m"},
    }

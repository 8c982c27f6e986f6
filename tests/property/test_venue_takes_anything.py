"""Whatever a client sends is answered with a code of the exchange, and money stays whole."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.venue_desk import VenueDesk
from tidewright.exchange.spot.values import Kind, SelfTrade, TimeInForce
from tidewright.servers.venue import parameters as read
from tidewright.servers.venue.limits import LimitSettings
from tidewright.servers.venue.parameters import Field
from tidewright.servers.venue.rest.routes import ROUTES
from tidewright.servers.venue.serve import without_limits

ORDERS = [
    ("POST", "/api/v3/order"),
    ("POST", "/api/v3/order/cancelReplace"),
    ("POST", "/api/v3/orderList/oco"),
    ("DELETE", "/api/v3/order"),
    ("PUT", "/api/v3/order/amend/keepPriority"),
]
WILD = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.decimals(0, 10**11, places=8, allow_nan=False).map(lambda value: f"{value:f}"),
    st.sampled_from(["", "0", "-1", "9" * 20, "92233720368.54775807", "1e5", "BTCUSDT", "[]"]),
)
PRICES = st.sampled_from(["40000", "49000", "49999.99", "50000", "50001", "51000", "60000"])
QUANTITIES = st.sampled_from(["0.001", "0.01", "0.02", "0.5", "3"])
BY_READER: dict[object, st.SearchStrategy[str]] = {
    read.symbol: st.sampled_from(["BTCUSDT", "BTCUSDT", "BTCUSDT", "ETHUSDT", "NOPE"]),
    read.symbols: st.sampled_from(['["BTCUSDT"]', '["ETHBTC","BTCUSDT"]', "[]"]),
    read.whole: st.integers(1, 9).map(str),
    read.moment: st.integers(1_699_999_990_000, 1_700_000_100_000).map(str),
    read.flag: st.sampled_from(["true", "false"]),
    read.client_id: st.sampled_from(["mine", "yours", "list-1", "x"]),
}
BY_NAME: dict[str, st.SearchStrategy[str]] = {
    "interval": st.sampled_from(["1s", "1m", "1w", "1M"]),
    "windowSize": st.sampled_from(["1m", "3h", "7d"]),
    "timeZone": st.sampled_from(["0", "-1:00", "05:45"]),
    "permissions": st.just("SPOT"),
    "symbolStatus": st.just("TRADING"),
    "newOrderRespType": st.sampled_from(["ACK", "RESULT", "FULL"]),
    "selfTradePreventionMode": st.sampled_from(list(SelfTrade.__members__)),
    "cancelReplaceMode": st.sampled_from(["STOP_ON_FAILURE", "ALLOW_FAILURE"]),
    "cancelRestrictions": st.sampled_from(["ONLY_NEW", "ONLY_PARTIALLY_FILLED"]),
    "orderRateLimitExceededMode": st.just("DO_NOTHING"),
    "strategyType": st.just("1000000"),
}
BY_ENDING: dict[str, st.SearchStrategy[str]] = {
    "strategytype": st.just("1000000"),
    "trailingdelta": st.sampled_from(["50", "500"]),
    "timeinforce": st.sampled_from(list(TimeInForce.__members__)),
    "side": st.sampled_from(["BUY", "SELL"]),
    "type": st.sampled_from(list(Kind.__members__)),
    "price": PRICES,
    "orderqty": st.sampled_from(["20", "1000"]),
    "qty": QUANTITIES,
    "quantity": QUANTITIES,
}


def _value(field: Field) -> st.SearchStrategy[str]:
    usual = BY_NAME.get(field.name)
    if usual is None:
        ending = (BY_ENDING[one] for one in BY_ENDING if field.name.lower().endswith(one))
        usual = next(ending, None)
    return BY_READER.get(field.read, WILD) if usual is None else usual


def _belongs(name: str, values: dict[str, str]) -> int:
    """Return how likely a parameter is to be sent, of 100, given those before it."""
    kind = next((values[one] for one in values if one.lower().endswith("type")), "")
    if name.lower().endswith("timeinforce"):
        return 95 if kind == "LIMIT" or kind.endswith("T_LIMIT") or kind.endswith("S_LIMIT") else 5
    if name.lower().endswith("stopprice"):
        return 95 if kind.startswith(("STOP", "TAKE")) else 5
    if name.lower().endswith("price"):
        return 95 if "LIMIT" in kind else 5
    if name == "quantity":
        return 95
    if name in ("origClientOrderId", "cancelOrigClientOrderId", "orderListId"):
        return 90
    return 10


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, str, dict[str, str]]:
    """Draw who asks, verb, path and parameters; most requests make sense."""
    method, path = draw(st.sampled_from([*sorted(ROUTES), *ORDERS * 5]))
    values: dict[str, str] = {}
    for field in ROUTES[method, path].fields:
        chance = 98 if field.mandatory else _belongs(field.name, values)
        if "peg" not in field.name.lower() and draw(st.integers(0, 99)) < chance:
            wild = draw(st.integers(0, 49)) == 0
            values[field.name] = draw(WILD if wild else _value(field))
    return draw(st.sampled_from(["alice", "bob"])), method, path, values


def ask(desk, who, method, path, values):
    if ROUTES[method, path].permission is None:
        return desk.ask(method, path, urlencode(values))
    return desk.signed(who, method, path, **values)


@pytest.fixture(scope="module")
def desk() -> VenueDesk:
    desk = VenueDesk(without_limits(LimitSettings()))
    desk.order("bob", side="SELL", quantity="1")
    desk.order("alice", quantity="0.5")
    return desk


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(requests(), min_size=1, max_size=8))
def test_every_request_has_an_answer_and_money_stays_whole(desk, capsys, asked):
    for who, method, path, values in asked:
        answer = ask(desk, who, method, path, values)
        assert answer.status in (200, 400, 401, 409, 429), (method, path, values, answer)
        if answer.status != 200:
            assert answer.body["code"] <= -1000
            assert answer.body["code"] != -1000, (method, path, values)
        desk.clock.turn(0.5)
    totals = desk.exchange.ledger.totals()
    for number in range(len(desk.exchange.accounts)):
        for asset, (free, locked) in desk.exchange.balances(number).items():
            assert free >= 0
            assert locked >= 0
            assert free + locked == totals.get((number, asset), 0)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=80), st.booleans())
def test_raw_bytes_are_refused_with_a_code(desk, raw, encoded):
    text = quote(raw) if encoded else raw.decode("latin-1")
    for query, body in ((text, ""), ("", text), (text, text)):
        answer = desk.ask("POST", "/api/v3/order", query, body, {"x-mbx-apikey": "alice"})
        assert answer.status in (400, 429)
        assert -1200 < answer.body["code"] < -1000

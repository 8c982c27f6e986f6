"""The client before a real venue: what is true is read, and what is spoilt is called unknown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fakes.binance_client import TRADER, binance, limit, on_order
from fakes.served_venue import SIGNER_KEY, SIGNER_PEM
from tidewright.adapters.binance.classify import ClockRefused
from tidewright.adapters.binance.hosts import Local, Mainnet, on_mainnet, on_this_machine
from tidewright.adapters.binance.parse import Status
from tidewright.adapters.binance.rest import RestClient, RestSettings
from tidewright.adapters.binance.rules import Draft, refusal
from tidewright.adapters.binance.signing import Credentials, Ed25519Signer, HmacSigner
from tidewright.domain.errors import (
    ConfigError,
    RateLimited,
    Rejected,
    Transient,
    UnknownOutcome,
)
from tidewright.domain.orders import Side


@pytest.fixture(scope="module")
def desk():
    with binance() as desk:
        yield desk


def test_an_order_lives_as_the_venue_says(desk):
    with desk.client() as client:
        placed = client.place(limit("lives", "50000"))
        assert (placed.status, placed.executed, placed.fills) == (Status.NEW, 0, ())
        assert client.order("BTCUSDT", "lives").order_id == placed.order_id
        assert [order.client_id for order in client.open_orders("BTCUSDT")] == ["lives"]
        assert [order.client_id for order in client.open_orders()] == ["lives"]
        assert client.cancel("BTCUSDT", "lives").status is Status.CANCELED
        assert client.open_orders() == ()
        with pytest.raises(Rejected) as refused:
            client.cancel("BTCUSDT", "lives")
        assert refused.value.code == "-2011"
        with pytest.raises(Rejected) as refused:
            client.order("BTCUSDT", "never-sent")
        assert refused.value.code == "-2013"


def test_fills_are_the_same_in_the_answer_and_in_the_trades(desk):
    desk.offer("60000", "0.01")
    with desk.client() as client:
        placed = client.place(limit("fills"))
        assert placed.status is Status.FILLED
        traded = client.fills_of_order("BTCUSDT", placed.order_id)
        assert [(fill.trade_id, fill.price, fill.quantity) for fill in traded] == [
            (fill.trade_id, fill.price, fill.quantity) for fill in placed.fills
        ]
        assert traded[0].commission == placed.fills[0].commission
        assert not traded[0].maker
        assert traded[0].side is Side.BUY
        assert client.fills_from("BTCUSDT", traded[0].trade_id)[0] == traded[0]
        free, locked = client.account().balances["BTC"]
        assert free + locked == Decimal("10.01") - traded[0].commission


def test_both_kinds_of_keys_are_let_in(desk):
    with desk.client(SIGNER_KEY, Ed25519Signer(SIGNER_PEM)) as client:
        assert client.account().can_trade
        assert client.place(limit("signed", "50000", symbol="BTCUSDT")).status is Status.NEW
    with desk.client(signer=HmacSigner("wrong")) as client, pytest.raises(ConfigError, match="key"):
        client.account()


def test_characters_of_all_languages_are_signed_as_they_are_sent(desk):
    with desk.client() as client:
        for symbol in ("这是测试币456", "A B&C=D+E%41"):
            with pytest.raises(Rejected) as refused:
                client.open_orders(symbol)
            assert refused.value.code != "-1022"
        with pytest.raises(Rejected) as refused:
            client.place(limit("ключ & more"))
        assert refused.value.code == "-1100"


@pytest.mark.parametrize(
    ("price", "quantity", "name"),
    [
        ("60000.001", "0.01", "PRICE_FILTER"),
        ("60000", "0.000001", "LOT_SIZE"),
        ("60000", "9001", "LOT_SIZE"),
        ("60000", "0.00001", "NOTIONAL"),
        ("160000.01", "0.01", "PRICE_FILTER"),
        ("100", "1", "PERCENT_PRICE"),
        ("60000", "0.0001", ""),
        ("12000", "1", ""),
    ],
)
def test_orders_are_refused_here_where_the_venue_would_refuse_them(desk, price, quantity, name):
    with desk.client() as client:
        rules = client.symbols(["BTCUSDT"])["BTCUSDT"]
        draft = Draft(Side.BUY, "LIMIT", Decimal(quantity), Decimal(price), Decimal(60_000))
        found = refusal(rules, draft)
        assert (found.filter if found else "") == name
        if name:
            with pytest.raises(Rejected) as refused:
                client.place(limit("checked", price, quantity))
            assert refused.value.code in ("-1013", "-1111")
        else:
            client.place(limit("checked", price, quantity))
            client.cancel("BTCUSDT", "checked")


def test_the_instrument_is_what_the_venue_lists(desk):
    with desk.client() as client:
        account = client.account()
        rules = client.symbols(["BTCUSDT", "ETHBTC"])
        assert sorted(rules) == ["BTCUSDT", "ETHBTC"]
        found = rules["BTCUSDT"].instrument("local", account.maker_rate, account.taker_rate)
        assert (found.tick_size, found.lot_size) == (Decimal("0.01"), Decimal("0.00001"))
        assert found.ticks(Decimal(60_000)) == 6_000_000
        assert found.min_notional == 5
        with pytest.raises(Rejected):
            client.symbols(["NOTLISTED"])


LOST = {
    "answered 504": "{error: -1007}",
    "answered 502 by the bus": "{error: -1006}",
    "bare 503": "{error: 503}",
    "reset": "reset",
    "empty": "empty",
    "a page": "html",
    "a page of a proxy": "{html: 502}",
    "cut at the head": "{truncate: 10}",
    "cut on the wire": "{truncate: 60%}",
    "cut by a proxy": "{truncate: {to: 60%, body: true}}",
    "never": "drop",
}


def test_an_order_whose_answer_is_lost_is_unknown_and_is_there_once():
    rules = "".join(
        on_order(f"[{what}, {{execute: true}}]" if what != "drop" else "drop", str(number))
        for number, what in enumerate(LOST.values(), 1)
    )
    hasty = RestSettings(timeout_seconds=0.5)
    with binance(rules) as desk, desk.client() as client:
        for number, name in enumerate(LOST):
            desk.offer()
            settings = hasty if name == "never" else None
            with desk.client(settings=settings) as sender, pytest.raises(UnknownOutcome):
                sender.place(limit(f"lost-{number}"))
            found = client.order("BTCUSDT", f"lost-{number}")
            assert desk.taken(f"lost-{number}") == 1, name
            assert found.status is Status.FILLED
            (fill,) = client.fills_of_order("BTCUSDT", found.order_id)
            assert (fill.quantity, fill.price) == (Decimal("0.01"), Decimal(60_000))
        assert len(desk.exchange.fills(TRADER, "BTCUSDT")) == len(LOST)


def test_questions_whose_answers_are_spoilt_may_be_asked_again():
    spoilt = [what for what in LOST.values() if what != "drop"]
    rules = "".join(
        f"  - {{when: {{query: {{path: /api/v3/account}}, nth: {number}}}, do: {what}}}\n"
        for number, what in enumerate(spoilt, 1)
    )
    with binance(rules) as desk, desk.client() as client:
        for _ in spoilt:
            with pytest.raises(Transient):
                client.account()
        assert client.account().can_trade


def test_a_warning_and_a_ban_are_waited_for():
    rules = on_order("{ban: {for: 30s, status: 429}}", "1")
    with binance(rules) as desk, desk.client() as client:
        with pytest.raises(RateLimited, match="429") as warned:
            client.place(limit())
        assert 0 < warned.value.retry_after <= 31
        for ask in (client.account, lambda: client.cancel("BTCUSDT", "mine")):
            with pytest.raises(RateLimited, match="was not sent"):
                ask()
        assert desk.taken("mine") == 0
    with binance(on_order("{ban: 60s}", "1")) as desk, desk.client() as client:
        with pytest.raises(RateLimited, match="418") as banned:
            client.place(limit())
        assert 30 < banned.value.retry_after <= 61


def test_a_clock_that_jumps_ahead_or_back_is_measured_anew():
    rules = "".join(
        on_order(f"{{clock: {shift}}}", str(number))
        for number, shift in ((1, "3s"), (3, "-70s"), (6, "70s"))
    )
    with binance(rules) as desk, desk.client() as client:
        outcomes = []
        for number in range(9):
            try:
                client.place(limit(f"order-{number}", "50000"))
            except ClockRefused:
                assert not client.clock.known
                assert desk.taken(f"order-{number}") == 0
                outcomes.append("refused")
            else:
                outcomes.append("taken")
        refused = [number for number, outcome in enumerate(outcomes) if outcome == "refused"]
        assert refused == [2, 5]


def test_a_clock_that_fell_behind_refuses_an_order_unexecuted():
    with binance(on_order("{clock: -70s}", "1")) as desk, desk.client() as client:
        client.synchronise()
        with pytest.raises(ClockRefused):
            client.place(limit("behind", "50000"))
        assert desk.taken("behind") == 0
        assert client.place(limit("measured", "50000")).status is Status.NEW


def test_nobody_there_means_that_nothing_left():
    with binance() as desk:
        port = desk.port
    client = RestClient(on_this_machine(port), Credentials(Local, "k", HmacSigner("s")))
    with client, pytest.raises(Transient, match="ConnectError") as failed:
        client.place(limit())
    assert type(failed.value) is Transient


def test_keys_stay_in_their_network():
    key = Credentials(Mainnet, "real", HmacSigner("real"))
    with pytest.raises(ConfigError, match="API key was of mainnet; expected one of local"):
        RestClient(on_this_machine(1), key)  # type: ignore[arg-type]
    with RestClient(on_mainnet()) as client, pytest.raises(ConfigError, match="without an API key"):
        client.account()


def test_what_the_budget_has_no_room_for_is_not_sent(desk):
    with desk.client() as client:
        client.synchronise()
        client.budget = client.budget.spent(6_000, 0, client.now)
        with pytest.raises(RateLimited, match="was not sent") as refused:
            client.place(limit("no-room"))
        assert refused.value.retry_after <= 60
        assert desk.taken("no-room") == 0

"""Binance history by REST: payloads, pages, pauses, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.binance_history import FakeExchange, Fault, serving
from tidewright.adapters.binance_history.client import ClientSettings, KlineClient
from tidewright.adapters.binance_history.fetch import fetch_klines
from tidewright.adapters.binance_history.parse import parse_klines
from tidewright.domain.errors import ConfigError, RateLimited, Rejected, Transient
from tidewright.domain.time import MINUTE, parse_iso

RECORDINGS = Path(__file__).parents[2] / "recordings"
START = parse_iso("2023-03-01T00:00:00Z")
FIRST = START // MINUTE


@pytest.fixture
def exchange() -> Iterator[FakeExchange]:
    with serving(FakeExchange(first=FIRST, last=FIRST + 5_000)) as found:
        yield found


class Caller(KlineClient):
    """A client whose pauses are written down instead of waited for."""

    def __init__(self, exchange: FakeExchange, **settings: float) -> None:
        self.pauses: list[float] = []
        super().__init__(
            ClientSettings(base_url=exchange.url, **settings),
            sleep=self.pauses.append,
            clock=lambda: 1_000_000_010.0,
        )


def test_recorded_candles_are_read_exactly():
    page = parse_klines((RECORDINGS / "binance_klines_1m.json").read_bytes())
    first = parse_iso("2023-03-24T12:06:00Z")
    assert page.raw.ts_event.tolist() == [first, first + MINUTE, first + 2 * MINUTE]
    assert page.ts_close.tolist() == (page.raw.ts_event + MINUTE).tolist()
    assert page.raw.prices[0].tolist() == [27812.34, 27819.99, 27801.0, 27805.12]
    assert page.raw.volume.tolist() == [31.41592, 12.00001, 0.0]


def test_empty_answer_is_an_empty_page():
    page = parse_klines(b"[]")
    assert len(page) == 0
    assert page.raw.prices.shape == (0, 4)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"code": 0}',
        b"[1]",
        b"[[1, 2]]",
        b'[["x","1","1","1","1","1",1,"0",0,"0","0","0"]]',
        b'[[1,"1","1","x","1","1",2,"0",0,"0","0","0"]]',
        b'[[1,"1","2"',
    ],
)
def test_answer_of_another_form_is_a_passing_fault(body: bytes):
    with pytest.raises(Transient, match="expected"):
        parse_klines(body)


def test_span_comes_page_by_page_without_loss(exchange: FakeExchange):
    with Caller(exchange) as client:
        pages = list(fetch_klines(client, "BTCUSDT", "1m", START, START + 2_500 * MINUTE, 2**62))
    times = [time for page in pages for time in page.ts_event.tolist()]
    assert times == [START + minute * MINUTE for minute in range(2_500)]
    assert [len(page) for page in pages] == [1_000, 1_000, 500]
    asked = exchange.requests[0]
    assert asked["interval"] == "1m"
    assert asked["limit"] == "1000"
    assert int(asked["startTime"]) == START // 10**6
    assert client.pauses == []


def test_server_with_smaller_pages_loses_nothing(exchange: FakeExchange):
    exchange.limit = 300
    with Caller(exchange) as client:
        pages = list(fetch_klines(client, "BTCUSDT", "1m", START, START + 700 * MINUTE, 2**62))
    assert sum(len(page) for page in pages) == 700


def test_candle_that_is_still_open_is_left_out(exchange: FakeExchange):
    now = START + 10 * MINUTE + 1
    with Caller(exchange) as client:
        pages = list(fetch_klines(client, "BTCUSDT", "1m", START, START + 50 * MINUTE, now))
    assert [len(page) for page in pages] == [10]
    assert len(exchange.requests) == 1


def test_span_without_candles_gives_no_page(exchange: FakeExchange):
    with Caller(exchange) as client:
        assert not list(fetch_klines(client, "BTCUSDT", "1m", 0, 10 * MINUTE, 2**62))


@pytest.mark.parametrize("status", [429, 418])
def test_asked_for_pause_is_kept_before_the_next_call(exchange: FakeExchange, status: int):
    exchange.faults = [Fault(status, headers={"Retry-After": "7"})] * 2
    with Caller(exchange) as client:
        page = client.page("BTCUSDT", "1m", START, START + 5 * MINUTE)
    assert len(page) == 5
    assert client.pauses == [7.0, 7.0]


def test_pause_without_a_length_is_a_minute(exchange: FakeExchange):
    exchange.faults = [Fault(429)]
    with Caller(exchange) as client:
        client.page("BTCUSDT", "1m", START, START + MINUTE)
    assert client.pauses == [60.0]


def test_long_ban_is_an_error_and_is_not_waited_for(exchange: FakeExchange):
    exchange.faults = [Fault(418, headers={"Retry-After": "86400"})]
    with Caller(exchange) as client, pytest.raises(RateLimited) as caught:
        client.page("BTCUSDT", "1m", START, START + MINUTE)
    assert caught.value.retry_after == 86_400
    assert client.pauses == []
    assert len(exchange.requests) == 1


def test_used_up_weight_waits_for_the_next_minute(exchange: FakeExchange):
    exchange.weight = 4_800
    with Caller(exchange) as client:
        client.page("BTCUSDT", "1m", START, START + MINUTE)
    assert client.pauses == [60.0 - 1_000_000_010.0 % 60]


@pytest.mark.parametrize(
    "fault", [Fault(500, b"oops"), Fault(502, b"<html>"), Fault(200, b"[[1,2"), Fault(408)]
)
def test_passing_fault_is_repeated_with_growing_pauses(exchange: FakeExchange, fault: Fault):
    exchange.faults = [fault] * 3
    with Caller(exchange) as client:
        assert len(client.page("BTCUSDT", "1m", START, START + MINUTE)) == 1
    assert client.pauses == [1.0, 2.0, 4.0]


def test_fault_that_does_not_pass_is_raised_in_the_end(exchange: FakeExchange):
    exchange.faults = [Fault(503, b"down")] * 9
    with Caller(exchange, max_retry_attempts=2) as client, pytest.raises(Transient, match="503"):
        client.page("BTCUSDT", "1m", START, START + MINUTE)
    assert len(exchange.requests) == 3


def test_server_that_is_not_there_is_a_passing_fault(exchange: FakeExchange):
    with serving(FakeExchange()) as gone:
        pass
    with Caller(gone, max_retry_attempts=1) as client, pytest.raises(Transient, match="answer"):
        client.page("BTCUSDT", "1m", START, START + MINUTE)


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (
            Fault(400, b'{"code":-1121,"msg":"Invalid symbol."}'),
            ConfigError,
            "symbol was 'BTCUSDT'",
        ),
        (Fault(451, b'{"code":0,"msg":"restricted"}'), ConfigError, "another base URL"),
        (Fault(403, b"<html>"), ConfigError, "another base URL"),
        (Fault(400, b'{"code":-1100,"msg":"Illegal characters"}'), Rejected, "Illegal"),
    ],
)
def test_definite_refusal_is_not_repeated(
    exchange: FakeExchange, fault: Fault, error: type[Exception], message: str
):
    exchange.faults = [fault] * 2
    with Caller(exchange) as client, pytest.raises(error, match=message):
        client.page("BTCUSDT", "1m", START, START + MINUTE)
    assert len(exchange.requests) == 1
    assert client.pauses == []


def test_timeframe_that_binance_lacks_is_refused_before_any_call(exchange: FakeExchange):
    with Caller(exchange) as client, pytest.raises(ConfigError, match="timeframe was '7m'"):
        client.page("BTCUSDT", "7m", START, START + MINUTE)
    assert exchange.requests == []

"""Each market stream tells what it should, when it should, to whoever listens."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from fakes.driven_market import DrivenMarket, Listening
from tidewright.domain.time import SECOND
from tidewright.servers.venue.writers import MICROSECONDS, amount, percent

NAME = "abusd"


@pytest.fixture
def market() -> DrivenMarket:
    market = DrivenMarket(3)
    market.pass_time(30, orders=5)
    return market


def test_trades_come_once_each_and_in_order(market):
    before = market.tape.last("ABUSD").id
    hears = market.listen(f"{NAME}@trade", f"{NAME}@aggTrade")
    market.pass_time(20, orders=5)
    heard = hears.take()
    trades = [event for event in heard if event["e"] == "trade"]
    assert [event["t"] for event in trades] == list(
        range(before + 1, market.tape.last("ABUSD").id + 1)
    )
    true = market.tape.take_trades("ABUSD", before)
    assert [(event["p"], event["q"], event["m"]) for event in trades] == [
        (amount(one.price), amount(one.quantity), one.buyer_makes) for one in true
    ]
    whole = [event for event in heard if event["e"] == "aggTrade"]
    assert whole[0]["f"] == before + 1
    assert whole[-1]["l"] == trades[-1]["t"]
    for one, following in itertools.pairwise(whole):
        assert following["f"] == one["l"] + 1
        assert following["a"] == one["a"] + 1
    assert all(event["E"] >= event["T"] for event in heard)


def test_best_prices_come_only_when_they_change(market):
    hears = market.listen(f"{NAME}@bookTicker")
    market.tell()
    assert hears.take() == []
    market.pass_time(20, orders=5)
    heard = hears.take()
    assert heard
    best = market.tape.best("ABUSD")
    assert (heard[-1]["b"], heard[-1]["a"]) == (amount(best.bid), amount(best.ask))
    prices = [[event[name] for name in "bBaA"] for event in heard]
    assert all(one != following for one, following in itertools.pairwise(prices))
    assert set(heard[0]) == {"u", "s", "b", "B", "a", "A"}


@pytest.mark.parametrize(("name", "beats"), [("depth", 10), ("depth@100ms", 1)])
def test_changes_of_the_book_leave_no_gap_and_keep_their_beat(market, name, beats):
    hears = market.listen(f"{NAME}@{name}")
    start = market.tape.best("ABUSD").update
    market.pass_time(40, orders=3)
    heard = hears.take()
    assert heard[0]["U"] == start + 1
    for one, following in itertools.pairwise(heard):
        assert following["U"] == one["u"] + 1
    assert all(event["E"] % (100 * beats) == 0 for event in heard)
    assert 3 <= len(heard) <= 40 // beats
    market.pass_time(40)
    assert hears.take() == []


@pytest.mark.parametrize("levels", [5, 10, 20])
def test_partial_books_show_the_best_levels(market, levels):
    hears = market.listen(f"{NAME}@depth{levels}@100ms")
    market.pass_time(5, orders=4)
    heard = hears.take()
    assert len(heard) == 5
    bids = sorted(market.side(1).items(), reverse=True)[:levels]
    assert [tuple(level) for level in heard[-1]["bids"]] == bids
    market.pass_time(3)
    assert hears.take() == []
    later = market.listen(f"{NAME}@depth{levels}@100ms")
    market.pass_time(1)
    assert len(later.take()) == 1


def candles(heard: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event["k"] for event in heard]


def test_candles_close_once_each_and_hold_every_trade(market):
    hears = market.listen(f"{NAME}@kline_1s", f"{NAME}@trade")
    market.pass_time(60, orders=2)
    heard = hears.take()
    trades = [event for event in heard if event["e"] == "trade"]
    told = candles([event for event in heard if event["e"] == "kline"])
    done = [candle for candle in told if candle["x"]]
    assert [candle["t"] for candle in done] == list(
        range(done[0]["t"], done[0]["t"] + 1000 * len(done), 1000)
    )
    assert len(done) >= 5
    for candle in done:
        within = [event for event in trades if candle["t"] <= event["T"] <= candle["T"]]
        assert candle["n"] == len(within)
        if within:
            assert (candle["o"], candle["c"]) == (within[0]["p"], within[-1]["p"])
            assert (candle["f"], candle["L"]) == (within[0]["t"], within[-1]["t"])


def test_longer_candles_are_told_every_two_seconds_and_once_at_their_end(market):
    hears = market.listen(f"{NAME}@kline_1m")
    market.pass_time(1300, orders=1)
    heard = hears.take()
    assert all(event["E"] % 2000 == 0 for event in heard)
    done = [candle for candle in candles(heard) if candle["x"]]
    assert len(done) == 2
    assert done[1]["t"] == done[0]["t"] + 60_000
    assert done[0]["T"] == done[0]["t"] + 59_999
    # The last look at a candle before its end has no more than its end.
    assert (
        sum(candle["x"] for candle in candles(heard)) == len({c["t"] for c in candles(heard)}) - 1
    )


def test_eastern_days_begin_at_another_hour(market):
    hears = market.listen(f"{NAME}@kline_1d", f"{NAME}@kline_1d@+08:00")
    market.pass_time(20)
    eastern, western = (candle["t"] for candle in candles(hears.take())[:2])
    assert abs(western - eastern) in (8 * 3_600_000, 16 * 3_600_000)


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("miniTicker", "24hrMiniTicker"),
        ("ticker", "24hrTicker"),
        ("ticker_1h", "1hTicker"),
        ("ticker_4h", "4hTicker"),
        ("ticker_1d", "1dTicker"),
        ("avgPrice", "avgPrice"),
    ],
)
def test_tickers_come_every_second_with_the_true_prices(market, name, event):
    hears = market.listen(f"{NAME}@{name}")
    market.pass_time(30, orders=1)
    heard = hears.take()
    assert [one["e"] for one in heard] == [event] * 3
    assert heard[-1]["E"] - heard[0]["E"] == 2000
    if "c" in heard[0]:
        assert heard[-1]["c"] == amount(market.tape.last_price("ABUSD"))


def test_arrays_hold_only_what_changed(market):
    hears = market.listen("!miniTicker@arr", "!ticker_1h@arr")
    market.pass_time(10)
    assert hears.take() == []
    market.pass_time(10, orders=20)
    heard = hears.take()
    assert [one[0]["e"] for one in heard] == ["24hrMiniTicker", "1hTicker"]


def test_listeners_get_the_same_bytes_wrapped_or_in_microseconds_as_they_like(market):
    plain = market.listen(f"{NAME}@trade")
    again = market.listen(f"{NAME}@trade")
    wrapped = market.listen(f"{NAME}@trade", combined=True)
    fine = market.listen(f"{NAME}@trade", unit=MICROSECONDS)
    market.pass_time(5, orders=5)
    assert plain.texts
    assert all(one is other for one, other in zip(plain.texts, again.texts, strict=True))
    assert [event["data"] for event in wrapped.take()] == [event for event in plain.take()]
    assert all(event["T"] > 10**15 for event in fine.take())


def test_order_of_one_moment_is_always_the_same(market):
    names = [f"{NAME}@{name}" for name in ("ticker", "kline_1s", "depth", "trade", "bookTicker")]
    first, second = DrivenMarket(5), DrivenMarket(5)
    hears, also = first.listen(*names), second.listen(*reversed(names))
    for one in (first, second):
        one.pass_time(40, orders=2)
    assert hears.texts == also.texts
    assert len(hears.texts) > 40


def test_who_left_hears_no_more_and_nothing_is_kept_for_nobody(market):
    hears = market.listen(f"{NAME}@trade", f"{NAME}@depth@100ms")
    assert market.streams.feeds == 2
    market.streams.leave(f"{NAME}@trade", hears)
    market.streams.leave(f"{NAME}@depth@100ms", hears)
    market.streams.leave(f"{NAME}@depth@100ms", hears)
    market.pass_time(10, orders=5)
    assert (hears.texts, market.streams.feeds) == ([], 0)


@pytest.mark.parametrize("name", ["xyz@trade", "ABUSD@trade", "abusd@nothing", "!ticker@arr"])
def test_what_stands_for_nothing_stays_silent(market, name):
    hears = market.listen(name)
    market.pass_time(20, orders=5)
    assert (hears.texts, market.streams.feeds) == ([], 0)


class Client:
    """Keeps a book by the documented procedure, from what comes over the wire."""

    def __init__(self) -> None:
        self.waiting: list[dict[str, Any]] = []
        self.sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
        self.update = -1

    def begin(self, market: DrivenMarket) -> None:
        depth = market.tape.depth("ABUSD", 5000)
        if not self.waiting or depth.last_update < self.waiting[0]["U"] - 1:
            return
        self.update = depth.last_update
        self.sides = tuple(  # type: ignore[assignment]
            {amount(price): amount(quantity) for price, quantity in side}
            for side in (depth.bids, depth.asks)
        )
        for event in self.waiting:
            self.hear(event)

    def hear(self, event: dict[str, Any]) -> None:
        if self.update < 0:
            self.waiting.append(event)
        elif event["u"] > self.update:
            assert event["U"] <= self.update + 1, "a change was lost"
            for side, levels in zip(self.sides, (event["b"], event["a"]), strict=True):
                for price, quantity in levels:
                    side[price] = quantity
                    if quantity == "0.00000000":
                        del side[price]
            self.update = event["u"]


def deliver(listener: Listening, clients: list[Client]) -> None:
    for event in listener.take():
        for client in clients:
            client.hear(event)


@pytest.mark.parametrize("seed", range(4))
def test_local_books_are_true_after_thousands_of_orders(seed):
    market = DrivenMarket(seed)
    market.order(50)
    draw = market.draw
    readers = [
        (market.listen(f"{NAME}@{speed}"), [Client() for _ in range(3)])
        for speed in ("depth", "depth@100ms")
    ]
    for _ in range(150):
        market.pass_time(1, orders=draw.randint(0, 12))
        for listener, clients in readers:
            deliver(listener, clients)
        late = [client for _, clients in readers for client in clients if client.update < 0]
        for client in late:
            if draw.random() < 0.1:
                market.order(draw.randint(0, 3))
                client.begin(market)
    market.pass_time(10)
    for listener, clients in readers:
        deliver(listener, clients)
        for client in clients:
            assert client.update > 0
            assert client.sides == (market.side(1), market.side(-1))


@pytest.mark.parametrize(
    ("change", "start", "text"),
    [
        (5, 1000, "0.500"),
        (-5, 1000, "-0.500"),
        (1, 3, "33.333"),
        (2, 3, "66.667"),
        (0, 5, "0.000"),
        (5, 0, "0.000"),
        (-1, 10**9, "0.000"),
        (10, 4, "250.000"),
    ],
)
def test_percent_is_rounded_half_away_from_zero(change, start, text):
    assert percent(change, start) == text


def test_amounts_have_eight_decimals_and_a_sign():
    assert amount(-150_000_000) == "-1.50000000"
    assert amount(7) == "0.00000007"
    assert amount(SECOND) == "10.00000000"

"""Candles, trades and tickers are those of a plain model, for random trades."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from fakes.plain_tape import PlainTape, PlainTrade, log_rows, open_of
from tidewright.domain.time import DAY, HOUR, MINUTE, SECOND, parse_iso
from tidewright.exchange.matching.book import BookShape, new_book
from tidewright.exchange.spot import roll
from tidewright.exchange.spot.candles import INTERVALS
from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.tape import Keep, Tape

LISTING = Listing("AB", "A", "B", tick=1_000_000, step=10_000, start_price=32_000_000)
BEGIN = parse_iso("2024-02-27T21:59:40Z")
MONTH = 30 * DAY
ZONES = (0, 5 * HOUR + 45 * MINUTE, -12 * HOUR)


def trades_of(draw: random.Random, count: int, gap: int) -> list[PlainTrade]:
    """Trades that wander, several at once by one order, with pauses of any length."""
    trades, time, price, order = [], BEGIN, 500, 1
    side = 1
    for number in range(1, count + 1):
        if draw.random() < 0.6:
            time += int(draw.expovariate(1 / gap))
            order, side = order + draw.randint(1, 3), draw.choice((1, -1))
        price = max(1, price + draw.choice((0, 0, 0, side)))
        trades.append(PlainTrade(number, price, draw.randint(1, 50), side, time, order))
    return trades


def tape_of(trades: list[PlainTrade], draw: random.Random, keep: Keep | None = None) -> Tape:
    """A tape that got the trades in pieces."""
    tape = Tape([LISTING], [new_book(BookShape(64, 4, 0, 1, 1, 1))], keep=keep)
    begin = 0
    while begin < len(trades):
        end = begin + draw.randint(1, 60)
        tape.add("AB", log_rows(trades[begin:end]))
        begin = end
    return tape


@pytest.mark.parametrize("name", INTERVALS)
def test_candles(name: str) -> None:
    draw = random.Random(name)
    length = INTERVALS[name] or MONTH
    trades = trades_of(draw, 200, length // 2)
    tape, plain = tape_of(trades, draw), PlainTape(LISTING, trades)
    now = trades[-1].time + draw.randrange(3 * length)
    tape.move(now)
    for zone in ZONES:
        whole = plain.candles(name, None, None, 10_000, now, zone)
        assert list(tape.candles("AB", name, None, None, 10_000, zone=zone)) == whole
        for _ in range(10):
            start = draw.choice((None, draw.randrange(BEGIN - 2 * length, now + length)))
            end = draw.choice((None, draw.randrange(BEGIN - 2 * length, now + length)))
            limit = draw.choice((1, 2, 7, 1_000))
            wanted = plain.candles(name, start, end, limit, now, zone)
            assert list(tape.candles("AB", name, start, end, limit, zone=zone)) == wanted


def test_volumes_add_up_over_every_interval() -> None:
    draw = random.Random(8)
    trades = trades_of(draw, 3_000, 20 * SECOND)
    tape = tape_of(trades, draw)
    for name in INTERVALS:
        candles = tape.candles("AB", name, 0, None, 10**6)
        assert sum(one.volume for one in candles) == sum(t.lots for t in trades) * LISTING.step
        assert sum(one.trades for one in candles) == len(trades)
        assert sum(one.bought for one in candles) <= sum(one.volume for one in candles)
        for one in candles:
            assert one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high
        for one, other in pairwise(candles):
            assert one.closed + 1_000_000 == other.opened
        ids = [(one.first_trade, one.last_trade) for one in candles if one.trades]
        assert ids[0][0] == 1
        assert ids[-1][1] == len(trades)
        assert all(last + 1 == first for (_, last), (first, _) in pairwise(ids))


def test_trades_and_aggregate_trades() -> None:
    draw = random.Random(9)
    trades = trades_of(draw, 2_000, SECOND)
    tape, plain = tape_of(trades, draw), PlainTape(LISTING, trades)
    told = tape.take_trades("AB", 0)
    assert [(one.id, one.price, one.time) for one in told] == [
        (trade.number, trade.price * LISTING.tick, trade.time) for trade in trades
    ]
    assert [one.buyer_makes for one in told] == [trade.side < 0 for trade in trades]
    assert tape.trades("AB", limit=3) == told[-3:]
    assert tape.trades("AB", from_id=11, limit=4) == told[10:14]
    assert tape.take_trades("AB", 1_990) == told[1_990:]
    aggregates = plain.aggregates()
    assert list(tape.take_aggregate_trades("AB", 0)) == aggregates
    assert list(tape.aggregate_trades("AB", limit=5)) == aggregates[-5:]
    assert list(tape.aggregate_trades("AB", from_id=7, limit=5)) == aggregates[6:11]
    start, end = trades[300].time, trades[900].time
    between = [one for one in aggregates if start <= one.time <= end]
    assert list(tape.aggregate_trades("AB", start=start, end=end, limit=9_999)) == between
    assert list(tape.aggregate_trades("AB", end=end, limit=2)) == between[-2:]


def test_an_aggregate_trade_goes_on_in_the_next_rows() -> None:
    trades = [PlainTrade(number, 500, 2, 1, BEGIN, 7) for number in range(1, 7)]
    tape = tape_of([], random.Random(0))
    tape.add("AB", log_rows(trades[:2]))
    tape.add("AB", log_rows(trades[2:]))
    (one,) = tape.take_aggregate_trades("AB", 0)
    assert (one.first_trade, one.last_trade, one.quantity) == (1, 6, 12 * LISTING.step)


@pytest.mark.parametrize("gap", [SECOND // 5, 10 * MINUTE, 3 * HOUR])
def test_tickers_and_averages(gap: int) -> None:
    draw = random.Random(gap)
    trades = trades_of(draw, 800, gap)
    tape = tape_of(trades, draw)
    tick, step, unit = LISTING.tick, LISTING.step, LISTING.quote_unit
    for now in (trades[-1].time, trades[-1].time + 90 * SECOND, trades[-1].time + 2 * DAY):
        for ticker, begin in (
            (tape.day("AB", now), -(-(now - DAY) // SECOND) * SECOND),
            (tape.window("AB", now, HOUR), open_of(now - HOUR, "1m", 0)),
        ):
            inside = [trade for trade in trades if trade.time >= begin]
            before = [trade for trade in trades if trade.time < begin]
            assert (ticker.closed, ticker.trades) == (now, len(inside))
            assert ticker.last == trades[-1].price * tick
            assert ticker.volume == sum(trade.lots for trade in inside) * step
            assert ticker.money == sum(trade.price * trade.lots for trade in inside) * unit
            if not inside:
                assert (ticker.open, ticker.before, ticker.high) == (ticker.last, ticker.last, 0)
                assert (ticker.first_trade, ticker.last_trade) == (-1, -1)
                continue
            assert ticker.open == inside[0].price * tick
            assert ticker.high == max(trade.price for trade in inside) * tick
            assert ticker.low == min(trade.price for trade in inside) * tick
            assert ticker.change == ticker.last - ticker.open
            assert ticker.first_trade == inside[0].number
            assert ticker.last_quantity == trades[-1].lots * step
            assert ticker.before == (before[-1].price * tick if before else LISTING.start_price)
        since = -(-(now - 5 * MINUTE) // SECOND) * SECOND
        inside = [trade for trade in trades if trade.time >= since]
        worth = sum(trade.price * trade.lots for trade in inside) * tick
        lots = sum(trade.lots for trade in inside)
        assert tape.average("AB", 5, now) == (worth // lots if inside else trades[-1].price * tick)


def test_before_the_first_trade_only_the_start_price_is_known() -> None:
    tape = tape_of([], random.Random(0))
    assert tape.candles("AB", "1m") == ()
    assert tape.trades("AB") == tape.aggregate_trades("AB") == ()
    assert tape.last("AB") is None
    assert tape.average("AB", 5, BEGIN) == tape.last_price("AB") == LISTING.start_price
    ticker = tape.day("AB", BEGIN)
    assert (ticker.last, ticker.open, ticker.trades) == (LISTING.start_price,) * 2 + (0,)


def test_what_is_forgotten_leaves_whole_candles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll, "CHUNK", 130)
    draw = random.Random(10)
    trades = trades_of(draw, 4_000, 7 * SECOND)
    keep = Keep(trades=100, seconds=500, minutes=50, hours=5)
    tape, plain = tape_of(trades, draw, keep), PlainTape(LISTING, trades)
    for name in ("1s", "1m", "5m", "15m"):
        whole = plain.candles(name, None, None, 10**6, tape.now)
        known = tape.candles("AB", name, 0, None, 10**6)
        assert 5 < len(known) < len(whole)
        assert list(known) == whole[-len(known) :]
    told = tape.take_trades("AB", 0)
    assert 100 <= len(told) < 300
    assert [one.id for one in told] == list(range(4_001 - len(told), 4_001))


def test_an_epoch_moves_all_times() -> None:
    trades = trades_of(random.Random(11), 50, SECOND)
    book = new_book(BookShape(64, 4, 0, 1, 1, 1))
    tape = Tape([LISTING], [book], epoch=BEGIN)
    for trade in trades:
        trade.time -= BEGIN
    tape.add("AB", log_rows(trades))
    assert tape.trades("AB", from_id=1, limit=1)[0].time == BEGIN + trades[0].time
    assert tape.now == BEGIN + trades[-1].time

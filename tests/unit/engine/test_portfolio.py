"""Cash, positions and round trips, against an oracle that keeps every lot as a fraction."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.orders import START, instrument, intent
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import BorrowCharged
from tidewright.domain.orders import Bracket, Fill, Leg, Side
from tidewright.engine.portfolio import Portfolio

BTC = instrument()
ODD = instrument("ODD", tick_size=Decimal("0.0003"), lot_size=Decimal("0.0007"))
CASH = 10_000 * 10**8
ENTRY = intent("h-1-e", 1, bracket=Bracket(9_000, 11_000))


def fill(
    side: Side, lots: int, ticks: int, fee: int = 0, name: str = "BTCUSDT", ts: int = START
) -> Fill:
    return Fill(f"t{ts}", "h-1-e", name, side, lots, ticks, fee, False, ts)


def opened() -> Portfolio:
    portfolio = Portfolio()
    portfolio.open_account(CASH)
    return portfolio


def test_partial_fills_make_one_position_and_one_trade() -> None:
    portfolio = opened()
    first = portfolio.book(fill(Side.BUY, 30, 10_000, 7), ENTRY, BTC, bar=4)
    assert (first.position.lots, first.position.cost, first.trade) == (
        30,
        30 * 10_000 * 1_000,
        None,
    )
    assert (first.position.stop_ticks, first.position.target_ticks) == (9_000, 11_000)
    portfolio.book(fill(Side.BUY, 70, 10_010, 8, ts=START + 1), ENTRY, BTC, bar=5)
    assert portfolio.holdings["BTCUSDT"].opened_bar == 4
    leaving = replace(ENTRY, leg=Leg.TARGET, side=Side.SELL)
    part = portfolio.book(fill(Side.SELL, 40, 10_050, 9, ts=START + 2), leaving, BTC)
    assert part.trade is None
    assert part.position.lots == 60
    assert part.position.realized == 40 * 10_050 * 1_000 - part_cost(40)
    done = portfolio.book(fill(Side.SELL, 60, 10_060, 10, ts=START + 3), leaving, BTC).trade
    assert done is not None
    assert (done.lots, done.entry_lots, done.exit_lots) == (100, 100, 100)
    assert done.entry_value == 30 * 10_000 + 70 * 10_010
    assert done.exit_value == 40 * 10_050 + 60 * 10_060
    assert (done.ts_entry, done.ts_exit, done.side) == (START, START + 3, Side.BUY)
    assert (done.fees, done.exit_reason) == (34, "target")
    assert done.pnl == (done.exit_value - done.entry_value) * 1_000 - 34
    assert portfolio.cash == CASH + done.pnl
    assert portfolio.holdings == {}


def part_cost(lots: int) -> int:
    return lots * (30 * 10_000 + 70 * 10_010) * 1_000 // 100


def test_short_trade_earns_when_the_price_falls() -> None:
    portfolio = opened()
    selling = replace(ENTRY, side=Side.SELL)
    portfolio.book(fill(Side.SELL, 50, 10_000, 3), selling, BTC)
    assert portfolio.cash == CASH + 50 * 10_000 * 1_000 - 3
    assert portfolio.equity({"BTCUSDT": 9_900}, {"BTCUSDT": BTC.value_ratio}) == (
        CASH + 50 * 100 * 1_000 - 3
    )
    buying = replace(ENTRY, side=Side.BUY, leg=Leg.EXIT)
    trade = portfolio.book(fill(Side.BUY, 50, 9_900, 4), buying, BTC).trade
    assert trade is not None
    assert (trade.side, trade.pnl, trade.exit_reason) == (Side.SELL, 50 * 100 * 1_000 - 7, "signal")
    assert (trade.entry_value, trade.exit_value) == (50 * 10_000, 50 * 9_900)


@pytest.mark.parametrize(
    ("leg", "reason"),
    [(Leg.STOP, "stop"), (Leg.TARGET, "target"), (Leg.EXIT, "signal"), (Leg.ENTRY, "reversal")],
)
def test_trade_says_which_leg_closed_it(leg: Leg, reason: str) -> None:
    portfolio = opened()
    portfolio.book(fill(Side.BUY, 1, 10_000), ENTRY, BTC)
    trade = portfolio.book(fill(Side.SELL, 1, 10_000), replace(ENTRY, leg=leg), BTC).trade
    assert trade is not None
    assert trade.exit_reason == reason


@pytest.mark.parametrize(("held", "met"), [(Side.BUY, Side.SELL), (Side.SELL, Side.BUY)])
def test_fill_that_would_turn_a_position_around_is_an_error(held: Side, met: Side) -> None:
    portfolio = opened()
    portfolio.book(fill(held, 10, 10_000), ENTRY, BTC)
    before = json.dumps(portfolio.snapshot())
    with pytest.raises(DataIntegrityError, match="expected it to reduce the position"):
        portfolio.book(fill(met, 11, 10_000), ENTRY, BTC)
    assert json.dumps(portfolio.snapshot()) == before


fills = st.lists(
    st.tuples(
        st.booleans(),  # which instrument
        st.booleans(),  # buy
        st.integers(1, 10_000),  # lots
        st.integers(1, 5_000_000),  # ticks
        st.integers(-1_000, 10**9),  # fee, a rebate below 0
    ),
    max_size=60,
)


@given(fills)
def test_not_a_unit_is_lost_or_made(rows) -> None:
    portfolio = opened()
    held = {"BTCUSDT": 0, "ODD": 0}
    cash = Fraction(CASH)
    trades = []
    bookings = 0
    for number, (odd, buy, lots, ticks, fee) in enumerate(rows):
        one = ODD if odd else BTC
        side = Side.BUY if buy else Side.SELL
        if held[one.id] * side.sign < 0:
            lots = min(lots, abs(held[one.id]))
        held[one.id] += side.sign * lots
        cash -= side.sign * lots * ticks * Fraction(*one.value_ratio) + fee
        booking = portfolio.book(
            fill(side, lots, ticks, fee, one.id, START + number), replace(ENTRY, side=side), one
        )
        bookings += 1
        assert booking.position.lots == held[one.id]
        assert (booking.trade is None) == (held[one.id] != 0)
        if booking.trade:
            trades.append(booking.trade)
        portfolio.check()
    # Each booking rounds its value once, by half a unit at most.
    assert abs(portfolio.cash - cash) <= Fraction(bookings, 2)
    assert dict(portfolio.positions()) == {name: lots for name, lots in held.items() if lots}
    open_parts = sum(one.realized - one.fees for one in portfolio.holdings.values())
    assert portfolio.realized - portfolio.fees == sum(trade.pnl for trade in trades) + open_parts
    for trade in trades:
        assert trade.entry_lots == trade.exit_lots >= trade.lots > 0


@given(fills, st.integers(1, 5_000_000))
def test_snapshot_restores_to_an_equal_portfolio(rows, mark: int) -> None:
    portfolio, held = opened(), {"BTCUSDT": 0, "ODD": 0}
    for odd, buy, lots, ticks, fee in rows:
        one = ODD if odd else BTC
        side = Side.BUY if buy else Side.SELL
        if held[one.id] * side.sign < 0:
            lots = min(lots, abs(held[one.id]))
        held[one.id] += side.sign * lots
        portfolio.book(fill(side, lots, ticks, fee, one.id), ENTRY, one)
    again = Portfolio()
    again.restore(json.loads(json.dumps(portfolio.snapshot())))
    assert again.snapshot() == portfolio.snapshot()
    marks = dict.fromkeys(held, mark)
    ratios = {"BTCUSDT": BTC.value_ratio, "ODD": ODD.value_ratio}
    assert again.equity(marks, ratios) == portfolio.equity(marks, ratios)


@pytest.mark.parametrize("name", ["cash", "initial", "realized", "fees"])
def test_snapshot_that_misses_a_unit_is_refused(name: str) -> None:
    portfolio = opened()
    portfolio.book(fill(Side.BUY, 10, 10_000, 3), ENTRY, BTC)
    data = portfolio.snapshot()
    data[name] += 1
    with pytest.raises(DataIntegrityError, match="the bookings make"):
        Portfolio().restore(data)


def charge(amount: int, sequence: int, name: str = "BTCUSDT") -> BorrowCharged:
    return BorrowCharged(name, 100, 10_000, 1, 50_000, amount, START, sequence)


def test_borrow_fee_is_part_of_the_round_trip_and_booked_once() -> None:
    portfolio = opened()
    selling = replace(ENTRY, side=Side.SELL)
    portfolio.book(fill(Side.SELL, 100, 10_000, 7), selling, BTC)
    cash = portfolio.cash
    booked = portfolio.charge(charge(11, 5))
    assert booked is not None
    assert (booked.strategy, booked.amount, booked.cash) == ("test", 11, cash - 11)
    for late in (5, 4):
        assert portfolio.charge(charge(11, late)) is None
    restored = Portfolio()
    restored.restore(json.loads(json.dumps(portfolio.snapshot())))
    assert restored.charge(charge(11, 5)) is None
    assert restored.charge(charge(13, 6)) is not None
    restored.check()
    done = restored.book(fill(Side.BUY, 100, 10_000, 9, ts=START + 1), ENTRY, BTC).trade
    assert done is not None
    assert (done.fees, done.pnl) == (7 + 11 + 13 + 9, -40)
    assert restored.cash == CASH - 40


def test_borrow_fee_that_comes_after_the_end_is_the_accounts() -> None:
    portfolio = opened()
    booked = portfolio.charge(charge(11, 5))
    assert booked is not None
    assert (booked.strategy, portfolio.cash) == ("", CASH - 11)
    portfolio.check()


def test_snapshot_from_before_borrow_fees_is_read() -> None:
    data = opened().snapshot()
    del data["charged"]
    portfolio = Portfolio()
    portfolio.restore(data)
    assert portfolio.charged == {}

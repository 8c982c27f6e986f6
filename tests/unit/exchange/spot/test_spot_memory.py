"""What an exchange remembers is bounded, and what it forgets is not missed."""

from __future__ import annotations

import pytest

from fakes.spot_cases import ACCOUNTS, ANN, BOB, BUY, LISTING, ONE, SELL, START, limit, order, venue
from tidewright.exchange.spot.ledger import Entry, Ledger
from tidewright.exchange.spot.orders import KEPT, Recent
from tidewright.exchange.spot.values import (
    BalanceEvent,
    DepositEvent,
    Kind,
    Reason,
    Refusal,
    Status,
)


def test_the_newest_finished_orders_are_kept() -> None:
    exchange = venue()
    for number in range(KEPT + 5):
        placed = exchange.place(ANN, limit(BUY, 900, 1, client_id=f"n{number % 7}"), START).order
        exchange.cancel(ANN, "BTCUSDT", order_id=placed.id, now=START)
    assert len(exchange.all_orders(ANN, "BTCUSDT")) == KEPT
    with pytest.raises(Refusal) as found:
        exchange.order(ANN, "BTCUSDT", order_id=5)
    assert found.value.reason is Reason.NO_SUCH_ORDER
    assert exchange.order(ANN, "BTCUSDT", order_id=6).status is Status.CANCELED
    newest = exchange.order(ANN, "BTCUSDT", client_id=f"n{(KEPT + 4) % 7}")
    assert newest.id == KEPT + 5


def test_the_newest_things_are_kept_in_order() -> None:
    recent: Recent[int] = Recent(3)
    for number in range(10):
        recent.add(number)
        assert list(recent)[-3:] == list(range(max(number - 2, 0), number + 1))
        assert len(list(recent)) <= 6


def test_a_ledger_that_forgets_rows_still_knows_what_everybody_must_have() -> None:
    exchange = venue()
    short = Ledger(ACCOUNTS, {"BTCUSDT": LISTING}, most=4)
    for _ in range(9):
        exchange.place(ANN, limit(SELL, 1_000, 1), START)
        exchange.place(BOB, limit(BUY, 1_000, 1), START)
        exchange.deposit(BOB, "USDT", ONE, START)
    for row in exchange.ledger:
        short.write(row.entry, row.time, row.value)
        assert len(short) <= 8
    assert short.totals() == exchange.ledger.totals()
    last = exchange.ledger.rows()[-1]
    assert short.rows(last.number - 2) == exchange.ledger.rows(last.number - 2)
    assert (last.entry, short.rows(last.number)) == (Entry.DEPOSITED, ())


def test_a_deposit_is_told_and_a_withdrawal_needs_the_money() -> None:
    exchange = venue()
    exchange.deposit(ANN, "USDT", ONE, START)
    first, second = exchange.take_events()
    assert first == DepositEvent(ANN, START, "USDT", ONE)
    assert second == BalanceEvent(ANN, START, (("USDT", 1_000_001 * ONE, 0),))
    with pytest.raises(Refusal) as found:
        exchange.deposit(ANN, "USDT", -2_000_000 * ONE, START)
    assert found.value.reason is Reason.NO_BALANCE
    with pytest.raises(Refusal) as found:
        exchange.deposit(ANN, "DOGE", ONE, START)
    assert found.value.reason is Reason.NOT_ALLOWED
    assert exchange.take_events() == ()


@pytest.mark.parametrize(
    "asked",
    [
        limit(BUY, 10**30, 1),
        limit(BUY, 1_000, 10**30),
        limit(BUY, 1_000, 10**9),
        order(BUY, Kind.MARKET, money=10**30),
        limit(BUY, -1_000, 1),
        limit(BUY, 1_000, -1),
        limit(BUY, 0, 1),
        limit(BUY, 1_000, 0),
        order(BUY, Kind.STOP_LOSS, quantity=1),
    ],
)
def test_numbers_that_cannot_be_are_refused(asked: object) -> None:
    exchange = venue()
    exchange.place(BOB, limit(SELL, 1_000, 1), START)
    with pytest.raises(Refusal):
        exchange.place(ANN, asked, START)  # type: ignore[arg-type]
    assert exchange.open_orders(ANN) == ()

"""An order is sent once, whatever is answered, and its fills become known."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.binance_client import TRADER, binance, limit, on_order
from tidewright.adapters.binance.entry import Found, NotPlaced, OrderEntry, Unknown
from tidewright.adapters.binance.parse import Status, VenueFill, VenueOrder
from tidewright.domain.errors import (
    ConfigError,
    RateLimited,
    Rejected,
    Transient,
    UnknownOutcome,
)
from tidewright.domain.orders import Side

SECOND = 1_000_000_000
ORDER = VenueOrder(
    *("BTCUSDT", "mine", 1, Side.BUY, "LIMIT", Status.FILLED),
    *(Decimal(2), Decimal(1), Decimal(1), Decimal(2), 0),
)
FILL = VenueFill(1, 1, Decimal(2), Decimal(1), Decimal(0), "BTC", False, Side.BUY, 0)
MISSING = Rejected("Order does not exist.", "-2013")


class Scripted:
    """A venue that answers from a script and counts what was placed."""

    def __init__(self, placing, answers=(), fills=()) -> None:
        self.now = 10**18
        self.placed = 0
        self._placing, self._answers, self._trades = placing, list(answers), list(fills)

    def place(self, new):
        self.placed += 1
        return told(self._placing)

    def order(self, symbol, client_id):
        return told(self._answers.pop(0))

    def fills_of_order(self, symbol, order_id):
        return told(self._trades.pop(0))


def told(value):
    if isinstance(value, Exception):
        raise value
    return value


def test_what_was_not_placed_is_told_with_the_venues_code():
    refused = OrderEntry(Scripted(Rejected("Filter failure: LOT_SIZE", "-1013"))).submit(limit())
    assert (refused.code, refused.reason) == ("-1013", "Filter failure: LOT_SIZE")
    for error in (Transient("no way"), RateLimited("wait", 1.0), ConfigError("key")):
        assert isinstance(OrderEntry(Scripted(error)).submit(limit()), NotPlaced)


steps = st.lists(
    st.tuples(
        st.sampled_from([MISSING, Transient("later"), Rejected("?", "-1100"), ConfigError("key")]),
        st.integers(0, 60),
    ),
    max_size=12,
)


@given(steps)
def test_a_missing_order_counts_only_when_it_was_missed_twice_and_late(steps):
    venue = Scripted(UnknownOutcome("504"), [answer for answer, _ in steps])
    entry = OrderEntry(venue)
    outcome = entry.submit(limit())
    misses, passed = 0, 0
    for answer, seconds in steps:
        assert isinstance(outcome, Unknown)
        venue.now += seconds * SECOND
        passed += seconds
        misses += answer is MISSING
        outcome = entry.resolve(outcome)
        if answer is MISSING and misses >= 2 and passed > 90:
            assert isinstance(outcome, NotPlaced)
            break
    else:
        assert isinstance(outcome, Unknown)
    assert venue.placed == 1


def test_an_order_is_found_when_all_its_trades_are_told():
    venue = Scripted(
        UnknownOutcome("reset"), [MISSING] + [ORDER] * 3, [Transient("?"), (), (FILL,)]
    )
    entry = OrderEntry(venue)
    outcome = entry.submit(limit())
    for _ in range(3):
        outcome = entry.resolve(outcome)
        assert isinstance(outcome, Unknown)
    assert entry.resolve(outcome) == Found(ORDER, (FILL,))
    assert venue.placed == 1


def test_an_open_order_is_found_without_trades():
    still = replace(ORDER, status=Status.NEW, executed=Decimal(0))
    entry = OrderEntry(Scripted(None, [still]))
    assert entry.resolve(Unknown("BTCUSDT", "mine", 0, "started")) == Found(still, ())


@pytest.mark.parametrize("what", ["{error: -1007}", "reset", "empty", "html", "{truncate: 60%}"])
def test_an_executed_order_whose_answer_is_lost_is_at_the_venue_once_and_its_fill_known(what):
    rules = on_order(f"[{what}, {{execute: true}}, {{hide: 200ms}}]", "1")
    with binance(rules) as desk, desk.client() as client:
        desk.offer()
        entry = OrderEntry(client)
        outcome = entry.submit(limit())
        assert isinstance(outcome, Unknown)
        while isinstance(outcome, Unknown):
            outcome = entry.resolve(outcome)
        assert isinstance(outcome, Found)
        (traded,) = desk.exchange.fills(TRADER, "BTCUSDT")
        assert [fill.trade_id for fill in outcome.fills] == [traded.trade_id]
        assert desk.taken("mine") == 1

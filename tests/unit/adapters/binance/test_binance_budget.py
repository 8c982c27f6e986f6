"""The budget keeps every window, keeps a reserve, and believes the venue."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.adapters.binance.budget import Budget, Kind, Urgency, Window
from tidewright.domain.time import MINUTE, SECOND

WEIGHT = Window(Kind.WEIGHT, "MINUTE", 1, 100)
ORDERS = Window(Kind.ORDERS, "SECOND", 10, 10)
SMALL = Budget((WEIGHT, ORDERS))
asks = st.lists(
    st.tuples(
        st.integers(1, 30),
        st.integers(0, 1),
        st.sampled_from(Urgency),
        st.integers(0, 15 * SECOND),
    ),
    max_size=60,
)


@given(asks)
def test_no_window_holds_more_than_its_limit_less_the_reserve(asks):
    budget, now, sent = SMALL, 10**18, []
    for weight, orders, urgency, pause in asks:
        now += pause
        now += budget.wait(weight, orders, urgency, now)
        assert budget.wait(weight, orders, urgency, now) == 0
        budget = budget.spent(weight, orders, now)
        sent.append((now, weight, orders, urgency))
        for window, place in ((WEIGHT, 1), (ORDERS, 2)):
            within = [ask for ask in sent if ask[0] // window.length == now // window.length]
            used = sum(ask[place] for ask in within)
            assert used <= window.limit
            if sent[-1][place]:
                assert used <= window.limit - window.limit * urgency.value // 100


def test_cancels_go_out_when_orders_and_questions_no_longer_do():
    now = 5 * MINUTE + SECOND
    full = Budget((WEIGHT,)).spent(80, 1, now)
    assert full.wait(1, 1, Urgency.ORDER, now) == 59 * SECOND
    assert full.wait(4, 0, Urgency.QUERY, now) == 0
    fuller = full.spent(10, 0, now)
    assert fuller.wait(4, 0, Urgency.QUERY, now) == 59 * SECOND
    assert fuller.wait(1, 0, Urgency.CANCEL, now) == 0
    assert fuller.wait(1, 1, Urgency.ORDER, 6 * MINUTE) == 0


def test_the_venue_knows_what_others_behind_the_address_used():
    now = 5 * MINUTE
    told = SMALL.spent(5, 1, now).heard({"x-mbx-used-weight-1m": "95"}, now)
    assert told.wait(1, 0, Urgency.QUERY, now) == MINUTE
    less = told.heard({"x-mbx-used-weight-1m": "6"}, now)
    assert less.wait(1, 0, Urgency.QUERY, now) == MINUTE
    assert less.wait(1, 0, Urgency.QUERY, now + MINUTE) == 0


def test_filled_orders_leave_the_count():
    now = 10**18
    busy = SMALL
    for _ in range(8):
        busy = busy.spent(1, 1, now)
    assert busy.wait(1, 1, Urgency.ORDER, now) > 0
    assert busy.heard({"x-mbx-order-count-10s": "0"}, now).wait(1, 1, Urgency.ORDER, now) == 0


@pytest.mark.parametrize("value", ["", "-1", "many", "1.5", "\u0664"])
def test_headers_that_are_no_numbers_tell_nothing(value):
    assert SMALL.heard({"x-mbx-used-weight-1m": value}, 0) == SMALL


def test_pauses_hold_for_everything_and_never_get_shorter():
    banned = SMALL.paused(120, 0).paused(1, 0)
    for urgency in Urgency:
        assert banned.wait(1, 0, urgency, 0) == 120 * SECOND
        assert banned.wait(1, 0, urgency, 120 * SECOND) == 0


def test_too_many_orders_stop_orders_alone():
    limited = SMALL.orders_paused(10, 0)
    assert limited.wait(1, 1, Urgency.ORDER, 0) == 10 * SECOND
    assert limited.wait(1, 0, Urgency.CANCEL, 0) == 0


def test_new_limits_keep_what_is_used():
    now = 10**18
    used = SMALL.spent(50, 0, now).limited([Window(Kind.WEIGHT, "MINUTE", 1, 60)])
    assert used.wait(5, 0, Urgency.QUERY, now) > 0
    assert SMALL.limited([]) == SMALL

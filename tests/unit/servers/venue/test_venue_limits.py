"""Limits: windows that begin with the clock, bans that grow, orders that are filled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.domain.time import DAY, MINUTE, SECOND
from tidewright.servers.venue import errors
from tidewright.servers.venue.limits import (
    Limit,
    LimitSettings,
    OrderLimits,
    RequestLimits,
    Tally,
)

START = 1_700_000_040 * SECOND
"""A whole minute."""
SMALL = LimitSettings(
    weight=Limit("REQUEST_WEIGHT", MINUTE, 1, 100),
    raw=Limit("RAW_REQUESTS", MINUTE, 5, 1_000),
    orders=(Limit("ORDERS", SECOND, 10, 3), Limit("ORDERS", DAY, 1, 100)),
    patience=2,
)
HERE, THERE = "127.0.0.1", "10.0.0.1"


def _refused(call) -> errors.ApiError:
    with pytest.raises(errors.ApiError) as caught:
        call()
    return caught.value


def test_weight_is_counted_by_address_and_minute():
    limits = RequestLimits(SMALL)
    assert START % MINUTE == 0
    assert limits.spend(HERE, 60, START) == 60
    assert limits.spend(HERE, 40, START + MINUTE - 1) == 100
    assert limits.spend(THERE, 5, START) == 5
    assert limits.used(HERE, START + MINUTE) == 0
    assert limits.spend(HERE, 1, START + MINUTE) == 1


def test_too_much_weight_says_how_long_to_wait():
    limits = RequestLimits(SMALL)
    limits.spend(HERE, 100, START + 20 * SECOND)
    told = _refused(lambda: limits.spend(HERE, 1, START + 20 * SECOND))
    assert (told.status, told.code, told.retry_after) == (429, -1003, 40)
    assert told.message == (
        "Too much request weight used; current limit is 100 request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API."
    )
    assert limits.spend(THERE, 1, START + 20 * SECOND) == 1


def test_raw_requests_are_counted_over_five_minutes():
    limits = RequestLimits(SMALL)
    window = START // (5 * MINUTE) * 5 * MINUTE
    for number in range(1_000):
        limits.spend(HERE, 0, window + number * SECOND // 4)
    told = _refused(lambda: limits.spend(HERE, 0, window + 4 * MINUTE))
    assert (told.status, told.retry_after) == (429, 60)
    assert limits.spend(HERE, 0, window + 5 * MINUTE) == 0


def test_ban_comes_when_429_is_ignored_and_doubles():
    limits, now = RequestLimits(SMALL), START
    for length in (2, 4, 8):
        limits.spend(HERE, 100, now)
        for _ in range(SMALL.patience):
            assert _refused(lambda at=now: limits.spend(HERE, 1, at)).status == 429
        told = _refused(lambda at=now: limits.spend(HERE, 1, at))
        assert (told.status, told.code, told.retry_after) == (418, -1003, length * 60)
        until = now + length * MINUTE
        assert told.message == (
            f"Way too much request weight used; IP banned until {until // 1_000_000}. "
            "Please use WebSocket Streams for live updates to avoid bans."
        )
        assert _refused(lambda at=until - 1: limits.spend(HERE, 0, at)).status == 418
        now = until
    assert limits.spend(HERE, 1, now) == 1


def test_address_that_backs_off_is_not_banned():
    limits = RequestLimits(SMALL)
    for minute in range(20):
        now = START + minute * MINUTE
        limits.spend(HERE, 100, now)
        assert _refused(lambda at=now: limits.spend(HERE, 1, at)).status == 429


def test_unfilled_orders_are_counted_and_fills_take_them_off():
    limits = OrderLimits(SMALL)
    for _ in range(3):
        limits.check(7, 1, START)
        limits.add(7, 1, START)
    told = _refused(lambda: limits.check(7, 1, START))
    assert (told.status, told.code, told.retry_after) == (429, -1015, 10)
    assert told.message == "Too many new orders; current limit is 3 orders per 10 SECOND."
    limits.check(8, 1, START)
    limits.first_fill(7, START, rested=False)
    limits.check(7, 1, START)
    limits.first_fill(7, START, rested=True)
    assert [count for _, count in limits.counts(7, START)] == [0, 0]
    limits.add(7, 2, START)
    assert [count for _, count in limits.counts(7, START + 10 * SECOND)] == [0, 2]


def test_list_that_does_not_fit_whole_is_refused():
    limits = OrderLimits(SMALL)
    limits.add(7, 1, START)
    limits.check(7, 2, START)
    assert _refused(lambda: limits.check(7, 3, START)).code == -1015


@given(
    st.lists(
        st.tuples(st.integers(0, 3_000), st.integers(-5, 9), st.sampled_from("ab")), max_size=60
    )
)
def test_tally_counts_what_came_in_its_window(steps):
    tally = Tally(Limit("ORDERS", SECOND, 1, 10))
    counts: dict[tuple[int, str], int] = {}
    for milliseconds, amount, name in sorted(steps, key=lambda step: step[0]):
        key = (milliseconds // 1_000, name)
        counts[key] = max(counts.get(key, 0) + amount, 0)
        now = milliseconds * 1_000_000
        assert tally.add(name, amount, now) == counts[key]
        assert 1 <= tally.seconds_left(now) <= 1

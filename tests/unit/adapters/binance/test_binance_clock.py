"""The venue's clock is within the bounds that are told, whatever the network does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.adapters.binance.clock import MILLISECOND, ClockEstimate

SECOND = 1_000 * MILLISECOND
delays = st.integers(0, 3 * SECOND)
trips = st.lists(st.tuples(delays, delays, st.integers(0, 60 * SECOND)), min_size=1, max_size=12)


def measured(true_offset, drift_ppm, trips, estimate=None, start=10**15):
    """Return the estimate after round trips, and our clock at their end."""
    estimate, now, since = estimate or ClockEstimate(), start, start
    for there, back, pause in trips:
        sent, at, received = now, now + there, now + there + back
        venue = at + true_offset + (at - since) * drift_ppm // 1_000_000
        estimate = estimate.heard(sent, venue // MILLISECOND, received)
        now = received + pause
    return estimate, now


@given(st.integers(-(10**18), 10**18), st.integers(-190, 190), trips)
def test_the_true_time_lies_within_the_error(true_offset, drift_ppm, trips):
    estimate, now = measured(true_offset, drift_ppm, trips)
    venue = now + true_offset + (now - 10**15) * drift_ppm // 1_000_000
    assert abs(now + estimate.offset - venue) <= estimate.error(now) + 2
    assert not estimate.is_due(now, estimate.error(now))
    assert estimate.is_due(now, estimate.error(now) - 1)


@given(st.integers(-(10**15), 10**15), trips)
def test_more_round_trips_never_know_less_while_clocks_agree(true_offset, trips):
    estimate = ClockEstimate(drift_ppm=0)
    widths = []
    for count in range(1, len(trips) + 1):
        found, _ = measured(true_offset, 0, trips[:count], estimate)
        widths.append(found.high - found.low)
    assert widths == sorted(widths, reverse=True)
    shortest = min(there + back for there, back, _ in trips)
    assert widths[-1] <= shortest + MILLISECOND


@pytest.mark.parametrize("jump", [-70 * SECOND, 3 * SECOND])
def test_a_clock_that_was_set_is_believed_at_once(jump):
    before, now = measured(5 * SECOND, 0, [(MILLISECOND, MILLISECOND, SECOND)])
    after, now = measured(5 * SECOND + jump, 0, [(MILLISECOND, MILLISECOND, 0)], before, now)
    assert abs(after.offset - 5 * SECOND - jump) <= 2 * MILLISECOND


def test_nothing_is_known_before_the_first_round_trip_and_after_a_refusal():
    assert ClockEstimate().is_due(0, 10**18)
    estimate, now = measured(SECOND, 0, [(0, 0, 0)])
    assert not estimate.is_due(now, SECOND)
    assert estimate.doubted().is_due(now, 10**18)
    assert abs(estimate.milliseconds(now) * MILLISECOND - now - SECOND) <= MILLISECOND


def test_an_answer_before_its_request_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="expected no earlier"):
        ClockEstimate().heard(2, 0, 1)

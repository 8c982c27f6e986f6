"""Money conserves to the last unit, whatever trades and however it rounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewright.kernels.accounting import book_fills

INITIAL = 10_000 * 10**8
# money units per tick times lot: whole, below one, and never exact
RATIOS = [(1, 1), (1, 100), (7, 3), (1, 3), (99_999_989, 1_000_003)]


def half_away(numerator, denominator):
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -size if numerator < 0 else size


def random_fills(rng, count):
    """Drifting prices; lots that add, cut, close exactly and flip both ways."""
    ticks = 20_000 + np.cumsum(rng.integers(-5, 6, count))
    ticks = np.abs(ticks) + 1
    lots = rng.integers(1, 1_000, count) * rng.choice([-1, 1], count)
    position = np.cumsum(lots)
    # a share of the fills closes what the fills before it left open
    for index in range(7, count, 97):
        lots[index] = -position[index - 1] or 1
        step = position[index - 1] + lots[index] - position[index]
        position[index : index + 97] += step
        if index + 97 < count:
            lots[index + 97] = -position[index + 96] or 1
    return np.column_stack([ticks, lots]).astype(np.int64)


def check(fills, ratio, rate_ppm):
    state = np.array([INITIAL, 0, 0, 0, 0], np.int64)
    rows = np.empty((len(fills), 5), np.int64)
    book_fills(fills, *ratio, rate_ppm, state, rows)
    cash, position, cost, realized, fees = rows.T
    assert np.array_equal(INITIAL + realized - fees - cost, cash)
    assert np.array_equal(np.cumsum(fills[:, 1]), position)
    assert not cost[position == 0].any()
    expected_cash, expected_fees = INITIAL, 0
    for ticks, lots in fills.tolist():
        value = half_away(ticks * lots * ratio[0], ratio[1])
        charge = half_away(abs(value) * rate_ppm, 1_000_000)
        expected_cash -= value + charge
        expected_fees += charge
    assert (state[0], state[4]) == (expected_cash, expected_fees)
    return position


@pytest.mark.parametrize(("index", "ratio"), list(enumerate(RATIOS)))
def test_money_over_a_million_random_fills_conserves_to_the_last_unit(index, ratio):
    rng = np.random.default_rng(index)
    position = check(random_fills(rng, 1_000_000 // len(RATIOS)), ratio, 1_000 + 7 * index)
    flips = np.count_nonzero(position[1:] * position[:-1] < 0)
    assert flips > 100
    assert np.count_nonzero(position == 0) > 1_000


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 10**6), st.integers(-(10**5), 10**5)), min_size=1, max_size=40
    ),
    st.tuples(st.integers(1, 10**9), st.integers(1, 10**9)),
    st.integers(0, 999_999),
)
def test_money_over_any_fills_conserves_to_the_last_unit(fills, ratio, rate_ppm):
    if max(ticks * abs(lots) for ticks, lots in fills) * ratio[0] // ratio[1] > 2**56:
        ratio = (1, 3)
    check(np.array(fills, np.int64), ratio, rate_ppm)

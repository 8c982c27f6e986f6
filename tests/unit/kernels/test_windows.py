import math
import statistics
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidewright.kernels import exact, returns, windows
from tidewright.kernels.integer import ratio_to_float

uint64 = st.one_of(
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**20),
    st.sampled_from([2**53 - 1, 2**53, 2**53 + 1, 2**54 + 2, 2**63, 2**64 - 1, 2**64 - 2**10]),
)
prices = st.lists(st.integers(1, windows.MAX_TICKS), min_size=2, max_size=30)


def column(values):
    return np.array(values, np.int64)


@given(uint64, uint64, uint64.filter(bool))
@example(0, 2**53 + 1, 1)
@example(0, 2**54 + 2, 2)
@example(2**64 - 1, 2**64 - 1, 1)
@example(0, 1, 2**64 - 1)
@example(0, 0, 2**64 - 1)
@example(1, 0, 2**64 - 1)
@example(0, (2**53 + 1) << 10, 2**10)
def test_ratio_to_float_any_operands_equals_rounded_fraction(high, low, divisor):
    parts = (np.uint64(part) for part in (high, low, divisor))
    assert ratio_to_float(*parts) == ((high << 64) + low) / divisor


@given(prices, st.integers(1, 1000), st.integers(1, 10**8))
def test_mean_equals_rounded_fraction(values, numerator, denominator):
    fraction = Fraction(sum(values) * numerator, len(values) * denominator)
    result = exact.mean(column(values), numerator, denominator)
    assert result == fraction.numerator / fraction.denominator


@given(prices)
def test_deviation_is_near_the_exact_population_deviation(values):
    expected = math.sqrt(statistics.pvariance([Fraction(value) for value in values])) / 100
    assert exact.deviation(column(values), 1, 100) == pytest.approx(expected, rel=1e-12)


def test_deviation_of_equal_values_is_zero():
    assert exact.deviation(column([windows.MAX_TICKS] * 50), 1, 3) == 0.0


@given(prices)
def test_volatility_is_near_the_sample_deviation_of_log_returns(values):
    values = [*values, values[0]]
    logs = [math.log(b / a) for a, b in pairwise(values)]
    result = returns.volatility(np.array([returns.log_return(a, b) for a, b in pairwise(values)]))
    assert result == pytest.approx(statistics.stdev(logs), rel=1e-9, abs=1e-12)


@given(
    st.lists(
        st.tuples(
            st.integers(1, windows.MAX_TICKS),
            st.one_of(st.integers(0, 1000), st.integers(0, 2**40)),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_volume_weighted_mean_equals_rounded_fraction(rows):
    ticks = column([price for price, _ in rows])
    lots = column([volume for _, volume in rows])
    ratios = column([1, 100, 1, 1])
    result = exact.volume_weighted(ticks, ticks, ticks, lots, ratios)
    total = sum(volume for _, volume in rows)
    if total == 0:
        assert math.isnan(result)
    else:
        fraction = Fraction(sum(price * volume for price, volume in rows), 100 * total)
        assert result == fraction.numerator / fraction.denominator


def test_volume_weighted_mean_of_extreme_volumes_stays_near():
    ticks = column([windows.MAX_TICKS] * 10_000)
    lots = column([windows.MAX_LOTS] * 10_000)
    result = exact.volume_weighted(ticks, ticks, ticks, lots, column([1, 100, 1, 1]))
    assert result == pytest.approx(windows.MAX_TICKS / 100, rel=1e-15)


def test_change_is_a_share_of_the_earlier_value():
    assert exact.change(column([200, 1, 150])) == -0.25
    assert math.isnan(exact.change(column([0, 1])))


@pytest.mark.parametrize(
    ("channel", "value"),
    [(0, -1), (1, windows.MAX_TICKS + 1), (4, -1), (4, windows.MAX_LOTS + 1)],
)
def test_bar_outside_the_exact_range_raises(channel, value):
    bar = [5, 5, 5, 5, 5]
    bar[channel] = value
    with pytest.raises(OverflowError, match="outside 0 to"):
        windows.check_bar(column(bar).reshape(5, 1), 0)

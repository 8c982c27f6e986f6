"""Window steps against independent calculations in rationals or in numpy."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tidewright.kernels import derived, exact, levels, returns, windows

NAN = math.nan
ticks = st.lists(st.integers(1, 10**6), min_size=3, max_size=40)
logs = st.lists(st.floats(-0.1, 0.1, allow_subnormal=False), min_size=16, max_size=40)


_SPREAD = math.sqrt(32 / 5)


def column(values):
    return np.array(values, np.int64)


def bars(closes, spread=2):
    """Series whose open, high and low lie about the closes."""
    close = column(closes)
    zeros = np.zeros_like(close)
    return np.stack((close, close + spread, close - spread, close, zeros + 5, zeros))


def spread_out(values):
    assume(np.ptp(values) > 1e-6)
    return np.array(values)


@given(st.lists(st.integers(2**48, 2**60), min_size=1, max_size=40))
@example([2**60] * 10_000)
def test_mean_of_values_beyond_64_bit_sums_stays_exact(values):
    fraction = Fraction(sum(values), len(values))
    assert exact.mean(column(values), 1, 1) == fraction.numerator / fraction.denominator


@pytest.mark.parametrize("size", [10, 2**23, 2**27, 2**40, 2**47])
def test_deviation_small_and_wide_squares_agree_with_rationals(size):
    values = np.random.default_rng(size).integers(0, size, 500)
    expected = math.sqrt(statistics.pvariance([Fraction(int(value)) for value in values]))
    assert exact.deviation(values, 1, 1) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("lots", [10, 2**30, 2**45])
def test_volume_weighted_mean_either_side_of_64_bits_equals_rationals(lots):
    rng = np.random.default_rng(lots)
    price = rng.integers(1, 2**24, 60)
    weight = rng.integers(1, lots, 60)
    total = sum(int(a) * int(b) for a, b in zip(price, weight, strict=True))
    fraction = Fraction(total, int(weight.sum()))
    result = exact.volume_weighted(price, price, price, weight, column([1, 1, 1, 1]))
    assert result == fraction.numerator / fraction.denominator


@given(logs)
def test_moments_equal_numpy(values):
    sample = spread_out(values)
    centred = sample - sample.mean()
    deviation = sample.std()
    near = {"rel": 1e-6, "abs": 1e-9}
    assert returns.mean_of(sample) == pytest.approx(sample.mean(), **near)
    assert returns.volatility(sample) == pytest.approx(sample.std(ddof=1), **near)
    skewness = (centred**3).mean() / deviation**3
    assert returns.standard_moment(sample, False) == pytest.approx(skewness, **near)
    kurtosis = (centred**4).mean() / deviation**4 - 3
    assert returns.standard_moment(sample, True) == pytest.approx(kurtosis, **near)


@given(logs, st.integers(1, 10))
def test_autocorrelation_equals_numpy(values, lag):
    centred = spread_out(values) - np.mean(values)
    expected = (centred[lag:] * centred[:-lag]).sum() / (centred**2).sum()
    result = returns.autocorrelation(np.array(values), lag)
    assert result == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(logs)
def test_harmonic_shares_equal_the_discrete_fourier_transform_and_sum_to_one(values):
    sample = spread_out(values)
    power = np.abs(np.fft.fft(sample - sample.mean())) ** 2
    half = len(values) // 2
    shares = [returns.harmonic_share(sample, harmonic) for harmonic in range(1, half + 1)]
    weights = [1 if 2 * harmonic == len(values) else 2 for harmonic in range(1, half + 1)]
    expected = power[1 : half + 1] * weights / power.sum()
    assert shares == pytest.approx(expected.tolist(), rel=1e-6, abs=1e-7)
    assert sum(shares) == pytest.approx(1, abs=1e-6)


def test_statistics_of_equal_returns_are_zero():
    flat = np.zeros(20)
    assert returns.volatility(flat) == 0.0
    for step in (returns.SKEWNESS, returns.KURTOSIS, returns.AUTOCORRELATION, returns.FOURIER):
        assert returns.return_value(step, flat, 1) == 0.0


def test_return_from_or_to_a_close_of_zero_is_unknown_and_spreads():
    assert math.isnan(returns.log_return(0, 5))
    assert math.isnan(returns.log_return(5, 0))
    for step in range(returns.RETURN_MEAN, returns.FOURIER + 1):
        assert math.isnan(returns.return_value(step, np.array([0.1, NAN, 0.2] * 6), 1))


@given(ticks)
def test_rank_counts_equal_values_half(values):
    earlier, newest = values[:-1], values[-1]
    below = sum(value < newest for value in earlier) + sum(v == newest for v in earlier) / 2
    assert levels.rank(column(values)) == pytest.approx(below / len(earlier))


@given(ticks, st.floats(0, 5))
def test_strength_counts_touches_of_the_extreme(values, tolerance):
    series = bars(values)
    highs, lows = series[1], series[2]
    reach = int(tolerance * 4)
    near = [value for value in values if value - min(values) <= reach]
    result = levels.strength(lows, highs, lows, False, tolerance)
    assert result == pytest.approx(len(near) / len(values))
    near = [value for value in values if max(values) - value <= reach]
    result = levels.strength(highs, highs, lows, True, tolerance)
    assert result == pytest.approx(len(near) / len(values))


@given(ticks)
def test_line_ahead_is_the_least_squares_line_moved_to_its_outermost_value(values):
    places = np.arange(len(values))
    slope = np.polyfit(places, values, 1)[0]
    rest = np.array(values) - slope * places
    for upper, edge in ((True, rest.max()), (False, rest.min())):
        result = levels.line_ahead(column(values), upper) + values[-1]
        assert result == pytest.approx(edge + slope * len(values), rel=1e-6, abs=1e-3)


def value(step, series, argument=0.0, channel=windows.CLOSE, length=0):
    entry = column([windows.STEPS[step], channel, length or series.shape[1], 0, 0])
    entry[windows.ARGUMENT] = np.float64(argument).view(np.int64)
    return windows.window_value(entry, series, series.shape[1], column([1, 1, 1, 1]))


@pytest.mark.parametrize(
    ("step", "argument", "expected"),
    [
        ("deviation", 0, _SPREAD),
        ("zscore", 0, (10 - 14) / _SPREAD),
        ("band", 2, 14 + 2 * _SPREAD),
        ("band_position", 2, 0.5 - 1 / _SPREAD),
        ("band_width", 2, 4 * _SPREAD / 14),
        ("mean_ratio", 2, 12 / 14),
        ("mean_sign", 2, -1),
        ("to_mean", 0, 10 / 14 - 1),
        ("to_mean_ratio", 0, 10 / 14),
        ("range_position", 0, 2 / 12),
        ("range_width", 0, 12 / 10),
        ("gap", 0, 10 / 14 - 1),
    ],
)
def test_step_over_closes_18_14_14_14_10_gives(step, argument, expected):
    result = value(step, bars([18, 14, 14, 14, 10]), argument)
    assert result == pytest.approx(expected)


@pytest.mark.parametrize(
    ("step", "channel", "expected"),
    [
        ("level_distance", windows.HIGH, (16 - 13) / 13),
        ("level_distance", windows.LOW, (13 - 8) / 13),
        ("level_break", windows.HIGH, (13 - 16) / 13),
        ("level_break", windows.LOW, (13 - 8) / 13),
        ("line_break", windows.HIGH, (13 - 18) / 13),
        ("line_break", windows.LOW, (13 - 14) / 13),
    ],
)
def test_level_step_over_a_rise_and_a_step_back_gives(step, channel, expected):
    assert value(step, bars([10, 12, 14, 13]), channel=channel) == pytest.approx(expected)


def test_shape_steps_share_the_range_of_the_bar():
    series = column([[12], [20], [10], [17], [1], [0]])
    assert value("body_share", series) == 0.5
    assert value("upper_shadow", series) == pytest.approx(0.3)
    assert value("lower_shadow", series) == pytest.approx(0.2)
    assert value("range_share", series) == pytest.approx(10 / 17)


def test_steps_over_a_market_that_never_moves_are_neutral():
    series = bars([7] * 20, spread=0)
    assert value("band_position", series, 2.0) == 0.5
    assert value("range_position", series) == 0.5
    assert value("rank", series) == 0.5
    assert value("zscore", series) == 0.0
    assert value("body_share", series) == 0.0
    assert value("level_strength", series, 0.5, windows.LOW) == 1.0


@pytest.mark.parametrize(
    ("operation", "operands", "expected"),
    [
        ("step", (5, NAN, NAN, 3), 2),
        ("step", (5, 1, 1, NAN), NAN),
        ("relative_step", (6, NAN, NAN, 4), 0.5),
        ("relative_step", (6, NAN, NAN, 0), NAN),
        ("sign", (5, 4, NAN, NAN), 1),
        ("sign", (4, 5, NAN, NAN), -1),
        ("sign", (5, 5, NAN, NAN), 0),
        ("sign", (NAN, 5, NAN, NAN), NAN),
        ("zone", (29.9, NAN, NAN, NAN), -1),
        ("zone", (30, NAN, NAN, NAN), 0),
        ("zone", (70.1, NAN, NAN, NAN), 1),
        ("zone", (NAN, 1, 1, 1), NAN),
        ("difference", (5, 3, NAN, NAN), 2),
        ("ratio", (5, 2, NAN, NAN), 2.5),
        ("ratio", (5, 0, NAN, NAN), NAN),
        ("relative", (5, 4, NAN, NAN), 0.25),
        ("position", (5, 4, 8, NAN), 0.25),
        ("position", (5, 4, 4, NAN), 0.5),
        ("position", (5, NAN, 4, NAN), NAN),
    ],
)
def test_derived_operation_gives(operation, operands, expected):
    first, second, third, before = map(float, operands)
    result = derived.derived_value(
        derived.OPERATIONS[operation], first, second, third, before, 30.0, 70.0
    )
    assert result == pytest.approx(expected, nan_ok=True)

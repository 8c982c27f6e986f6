from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.kernels.integer import INT64_MAX
from tidewright.kernels.limits import (
    PPM,
    ceiling_ratio,
    floor_ratio,
    order_cost,
    share_of,
    trip_level,
    value_ceiling,
    within_share,
    worst_lots,
)

SIZES = st.integers(0, INT64_MAX)
SHARES = st.integers(1, PPM)


@given(SIZES, SIZES, st.integers(1, INT64_MAX))
def test_floor_ratio_is_exact_or_the_largest_integer(a: int, b: int, c: int) -> None:
    assert floor_ratio(a, b, c) == min(floor(Fraction(a) * b / c), INT64_MAX)


@given(SIZES, SIZES, st.integers(1, INT64_MAX))
def test_ceiling_ratio_is_exact_or_raises(a: int, b: int, c: int) -> None:
    expected = ceil(Fraction(a) * b / c)
    if expected > INT64_MAX:
        with pytest.raises(OverflowError):
            ceiling_ratio(a, b, c)
    else:
        assert ceiling_ratio(a, b, c) == expected


@given(SIZES, SIZES, SHARES, st.integers(-1, 1))
def test_within_share_compares_exactly_at_the_boundary(
    value: int, base: int, share: int, step: int
) -> None:
    for candidate in (value, min(max(base * share // PPM + step, 0), INT64_MAX)):
        expected = base > 0 and Fraction(candidate) <= Fraction(base) * share / PPM
        assert within_share(candidate, base, share) is expected


@pytest.mark.parametrize("base", [0, -1, -(10**18)])
def test_without_a_positive_base_nothing_is_within_a_share(base: int) -> None:
    assert not within_share(0, base, PPM)
    assert share_of(base, PPM) == 0


@given(st.integers(1, INT64_MAX), SHARES)
def test_trip_level_is_the_highest_equity_whose_loss_reaches_the_limit(base: int, ppm: int) -> None:
    level = trip_level(base, ppm)
    assert Fraction(base - level) >= Fraction(base) * ppm / PPM
    assert Fraction(base - level - 1) < Fraction(base) * ppm / PPM


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 10**6))
def test_value_ceiling_never_understates(ticks: int, lots: int, num: int, den: int) -> None:
    assert value_ceiling(ticks, lots, num, den) == ceil(Fraction(ticks * lots * num, den))


@pytest.mark.parametrize(
    ("position", "buying", "selling", "worst"),
    [(0, 0, 0, 0), (5, 3, 0, 8), (5, 0, 3, 5), (5, 0, 20, 15), (-5, 0, 3, 8), (-5, 20, 0, 15)],
)
def test_worst_lots_fill_every_entry_that_hurts(
    position: int, buying: int, selling: int, worst: int
) -> None:
    assert worst_lots(position, buying, selling) == worst


def test_order_cost_holds_both_fees_rounded_up() -> None:
    assert order_cost(1_001, 1_000) == 1_001 + 2 * 2


def test_values_beyond_int64_raise() -> None:
    with pytest.raises(OverflowError):
        value_ceiling(2**40, 2**40, 1, 1)
    with pytest.raises(OverflowError):
        worst_lots(2**62, 2**62, 0)

from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tidewright.kernels.integer import INT64_MAX, INT64_MIN, checked_add, checked_mul, mul_div

EDGES = [0, 1, -1, 2, 2**31, 2**32 - 1, 2**32, -(2**32), INT64_MAX, INT64_MIN, INT64_MIN + 1]
int64 = st.one_of(
    st.sampled_from(EDGES), st.integers(-1000, 1000), st.integers(INT64_MIN, INT64_MAX)
)
divisors = st.one_of(st.integers(1, 1000), st.integers(1, INT64_MAX), st.just(INT64_MAX))


def rounded(value: Fraction) -> int:
    """Half away from zero."""
    size = int(abs(value) + Fraction(1, 2))
    return -size if value < 0 else size


def fits(value: int) -> bool:
    return INT64_MIN <= value <= INT64_MAX


@settings(max_examples=2_000, deadline=None)
@given(int64, int64, divisors)
@example(INT64_MIN, 1, 1)
@example(INT64_MIN, -1, 1)
@example(INT64_MIN, INT64_MIN, INT64_MAX)
@example(INT64_MAX, INT64_MAX, INT64_MAX)
@example(1, 1, 2)
@example(-1, 1, 2)
@example(1, 1, 3)
def test_mul_div_any_operands_equals_exact_fraction(a, b, c):
    expected = rounded(Fraction(a * b, c))
    if fits(expected):
        assert mul_div(a, b, c) == expected
    else:
        with pytest.raises(OverflowError):
            mul_div(a, b, c)


@settings(max_examples=1_000, deadline=None)
@given(st.integers(1, INT64_MAX), st.integers(1, INT64_MAX), st.integers(-2, 2))
def test_mul_div_quotient_near_the_limit_equals_exact_fraction(a, b, offset):
    c = min(max(a * b // INT64_MAX + offset, 1), INT64_MAX)
    expected = rounded(Fraction(a * b, c))
    if fits(expected):
        assert mul_div(a, b, c) == expected
    else:
        with pytest.raises(OverflowError):
            mul_div(a, b, c)


@settings(max_examples=2_000, deadline=None)
@given(st.integers(1, INT64_MAX), st.integers(1, INT64_MAX), st.integers(2**48, 2**52))
def test_mul_div_near_where_floats_stop_guessing_quotients(a, b, quotient):
    c = min(max(a * b // quotient, 1), INT64_MAX)
    for divisor in (c, c + (c < INT64_MAX)):
        expected = rounded(Fraction(a * b, divisor))
        if fits(expected):
            assert mul_div(a, b, divisor) == expected


@pytest.mark.parametrize("divisor", [0, -1, INT64_MIN])
def test_mul_div_divisor_not_positive_raises(divisor):
    with pytest.raises(ValueError, match="above 0"):
        mul_div(1, 1, divisor)


@settings(max_examples=500, deadline=None)
@given(int64, int64)
def test_checked_sum_and_product_exact_or_raise(a, b):
    for function, expected in ((checked_add, a + b), (checked_mul, a * b)):
        if fits(expected):
            assert function(a, b) == expected
        else:
            with pytest.raises(OverflowError):
                function(a, b)

"""Integer arithmetic that never wraps: checked sums and products, exact 128-bit ratios."""

from __future__ import annotations

import math

import numpy as np

from tidewright.kernels.jit import compiled
from tidewright.kernels.machine import product_halves, wrapping_product, wrapping_sum

INT64_MAX = 2**63 - 1
"""Largest int64."""
INT64_MIN = -(2**63)
"""Smallest int64."""

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_HALF = np.uint64(32)
_WIDTH = np.uint64(64)
_LOW = np.uint64(0xFFFFFFFF)
_BASE = np.uint64(1 << 32)
_TOP = np.uint64(1 << 63)
_EXACT = np.uint64(1 << 53)
_SPARE = np.uint64(11)
_TAIL = np.uint64((1 << 11) - 1)
_MIDDLE = np.uint64(1 << 10)
_TWO_64 = 2.0**64
_SURE = 2.0**51
_ROOM = np.uint64(1 << 60)


@compiled
def magnitude(value: int) -> np.uint64:
    """Return the absolute value of an int64 as uint64; exact for the smallest int64 too."""
    bits = np.uint64(value)
    return _ZERO - bits if value < 0 else bits


@compiled
def signed(size: np.uint64, negative: bool) -> int:
    """Return the int64 of a size and a sign.

    Raises
    ------
    OverflowError
        If it does not fit.
    """
    if negative:
        if size > _TOP:
            raise OverflowError("result below the smallest int64")
        return np.int64(_ZERO - size)  # type: ignore[return-value]
    if size >= _TOP:
        raise OverflowError("result above the largest int64")
    return np.int64(size)  # type: ignore[return-value]


@compiled
def wide_product(a: np.uint64, b: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return the high and low halves of the 128-bit product of two uint64."""
    return product_halves(a, b)


@compiled
def _digit(rest: np.uint64, digit: np.uint64, c_high: np.uint64, c_low: np.uint64) -> np.uint64:
    """Return one base-2**32 digit of a quotient; Knuth, TAOCP vol. 2, 4.3.1, algorithm D, D3."""
    guess = rest // c_high
    left = rest - guess * c_high
    while guess >= _BASE or guess * c_low > ((left << _HALF) | digit):
        guess -= _ONE
        left += c_high
        if left >= _BASE:
            break
    return guess


@compiled
def _normalised(value: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return a uint64 above 0 shifted until its top bit is set, and the number of shifts."""
    shift = _ZERO
    step = _HALF if value < _TOP else _ZERO
    while step > _ZERO:
        if value >> (_WIDTH - step) == _ZERO:
            value <<= step
            shift += step
        step >>= _ONE
    return value, shift


@compiled
def wide_divide(high: np.uint64, low: np.uint64, c: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return quotient and remainder of a 128-bit number by a uint64; needs ``high < c``."""
    if high == _ZERO:
        quotient = low // c
        return quotient, low - quotient * c
    guess = (np.float64(high) * _TWO_64 + np.float64(low)) / np.float64(c)
    if guess < _SURE and c < _ROOM:
        return _near_quotient(low, c, np.uint64(guess))
    return _long_divide(high, low, c)


@compiled
def _near_quotient(low: np.uint64, c: np.uint64, guess: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return quotient and remainder from a guess that is off by one at most.

    The remainder then lies in ``[-c, 2 * c)``, so that the low 64 bits say it.
    """
    rest = np.int64(low - guess * c)
    size = np.int64(c)
    if rest < 0:
        guess -= _ONE
        rest += size
    elif rest >= size:
        guess += _ONE
        rest -= size
    return guess, np.uint64(rest)


@compiled
def _long_divide(high: np.uint64, low: np.uint64, c: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return quotient and remainder digit by digit; needs ``0 < high < c``."""
    divisor, shift = _normalised(c)
    top = high
    bottom = low
    if shift > _ZERO:
        top = (high << shift) | (low >> (_WIDTH - shift))
        bottom = low << shift
    c_high = divisor >> _HALF
    c_low = divisor & _LOW
    first = _digit(top, bottom >> _HALF, c_high, c_low)
    rest = ((top << _HALF) | (bottom >> _HALF)) - first * divisor
    second = _digit(rest, bottom & _LOW, c_high, c_low)
    rest = ((rest << _HALF) | (bottom & _LOW)) - second * divisor
    return (first << _HALF) | second, rest >> shift


@compiled
def mul_div(a: int, b: int, c: int) -> int:
    """Return ``a * b / c`` rounded half away from zero, the product held exactly in 128 bits.

    Parameters
    ----------
    a, b : int
        Factors.
    c : int
        Divisor, > 0.

    Raises
    ------
    OverflowError
        If the result leaves int64.
    ValueError
        If the divisor is not above zero.
    """
    if c <= 0:
        raise ValueError("divisor was not above 0")
    negative = (a < 0) != (b < 0)
    divisor = magnitude(c)
    high, low = wide_product(magnitude(a), magnitude(b))
    if high >= divisor:
        raise OverflowError("quotient outside int64")
    quotient, rest = wide_divide(high, low, divisor)
    if quotient > _TOP:
        raise OverflowError("quotient outside int64")
    if rest >= divisor - rest:
        quotient += _ONE
    return signed(quotient, negative)


@compiled
def checked_add(a: int, b: int) -> int:
    """Return ``a + b``.

    Raises
    ------
    OverflowError
        If the sum leaves int64.
    """
    total, wrapped = wrapping_sum(a, b)
    if wrapped:
        raise OverflowError("sum outside int64")
    return total


@compiled
def checked_mul(a: int, b: int) -> int:
    """Return ``a * b``.

    Raises
    ------
    OverflowError
        If the product leaves int64.
    """
    product, wrapped = wrapping_product(a, b)
    if wrapped:
        raise OverflowError("product outside int64")
    return product


@compiled
def wide_add(
    a_high: np.uint64, a_low: np.uint64, b_high: np.uint64, b_low: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Return the sum of two 128-bit numbers; whoever calls knows that it fits."""
    low = a_low + b_low
    carry = _ONE if low < a_low else _ZERO
    return a_high + b_high + carry, low


@compiled
def wide_subtract(
    a_high: np.uint64, a_low: np.uint64, b_high: np.uint64, b_low: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Return the difference of two 128-bit numbers, the first not below the second."""
    borrow = _ONE if a_low < b_low else _ZERO
    return a_high - b_high - borrow, a_low - b_low


@compiled
def wide_scale(high: np.uint64, low: np.uint64, factor: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return a 128-bit number times a uint64.

    Raises
    ------
    OverflowError
        If the product leaves 128 bits.
    """
    carry, product = wide_product(low, factor)
    over, top = wide_product(high, factor)
    total = top + carry
    if over > _ZERO or total < top:
        raise OverflowError("product outside 128 bits")
    return total, product


@compiled
def ratio_to_float(high: np.uint64, low: np.uint64, divisor: np.uint64) -> float:
    """Return a 128-bit number over a uint64 above 0 as the nearest float64, ties to even.

    Equal ratios give equal bits, whatever their numerators and divisors are.
    """
    if high == _ZERO and low < _EXACT and divisor < _EXACT:
        return np.float64(low) / np.float64(divisor)
    if high == _ZERO and (divisor == _ONE or low == _ZERO):
        return np.float64(low)
    bottom, divisor_shift = _normalised(divisor)
    top = high
    rest = low
    shift = 0
    if top == _ZERO:
        top = low
        rest = _ZERO
        shift = 64
    top, moved = _normalised(top)
    if moved > _ZERO:
        top |= rest >> (_WIDTH - moved)
        rest <<= moved
    exponent = np.int64(divisor_shift) - np.int64(moved) - shift
    lost = False
    if top >= bottom:
        lost = (rest & _ONE) == _ONE
        rest = (rest >> _ONE) | (top << np.uint64(63))
        top >>= _ONE
        exponent += 1
    quotient, remainder = wide_divide(top, rest, bottom)
    mantissa = quotient >> _SPARE
    tail = quotient & _TAIL
    inexact = lost or remainder > _ZERO
    if tail > _MIDDLE or (tail == _MIDDLE and (inexact or (mantissa & _ONE) == _ONE)):
        mantissa += _ONE
    return math.ldexp(np.float64(mantissa), int(exponent) + 11)

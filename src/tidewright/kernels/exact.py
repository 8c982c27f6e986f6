"""Sums and ratios of whole numbers of steps, held in 128 bits and rounded once.

Equal fractions give equal bits, whatever windows they come from. Where every term of a sum is small
it is held in 64 bits: the sum is exact either way, so the bits are the same.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tidewright.kernels.integer import (
    checked_mul,
    magnitude,
    ratio_to_float,
    wide_add,
    wide_product,
    wide_scale,
    wide_subtract,
)
from tidewright.kernels.jit import compiled

Int64 = NDArray[np.int64]
"""Array of int64."""
Float64 = NDArray[np.float64]
"""Array of float64."""

PRICE_NUMERATOR, PRICE_DENOMINATOR, QUANTITY_NUMERATOR, QUANTITY_DENOMINATOR = range(4)
"""Places of an instrument's ratios."""

_SUMMABLE = 2**49
_ROOM = 2.0**62
_EXACT = 2.0**53
_ZERO = np.uint64(0)


@compiled
def compare(first: float, second: float) -> float:
    """Return 1 where the first is above the second, -1 below, 0 equal."""
    if first > second:
        return 1.0
    if first < second:
        return -1.0
    return 0.0


@compiled
def scaled(value: int, numerator: int, denominator: int) -> float:
    """Return a whole number of steps, not below 0, times their exact size, rounded once."""
    high, low = wide_product(magnitude(value), magnitude(numerator))
    return ratio_to_float(high, low, magnitude(denominator))


@compiled
def prices(ticks: Int64, numerator: int, denominator: int) -> Float64:
    """Return prices in ticks as floats, each rounded once."""
    result = np.empty(len(ticks), np.float64)
    largest = 0
    for value in ticks:
        largest = max(largest, abs(value))
    ratios_of(ticks, numerator, 1, denominator, largest, result)
    return result


@compiled
def ratios_of(
    values: Int64, numerator: int, count: int, denominator: int, largest: int, out: Float64
) -> None:
    """Write values not below 0 over a count, times an exact step, each rounded once.

    Parameters
    ----------
    values : int64 array of shape (n,)
        At most ``largest``.
    numerator, denominator : int
        The step.
    count : int
        What the values are divided by, such as how many terms they are sums of.
    largest : int
        Bound of the values.
    out : float64 array of shape (n,)
        Receives the ratios.
    """
    divisor = checked_mul(count, denominator)
    if float(largest) * float(numerator) < _EXACT and float(divisor) < _EXACT:
        # Both sides of the division are exact floats, so its rounding is the only one.
        over = float(divisor)
        for place in range(len(values)):
            out[place] = float(values[place] * numerator) / over
        return
    for place in range(len(values)):
        high, low = wide_product(magnitude(values[place]), magnitude(numerator))
        out[place] = ratio_to_float(high, low, magnitude(divisor))


@compiled
def mean(values: Int64, numerator: int, denominator: int) -> float:
    """Return the mean of values not below 0, times an exact step, rounded once."""
    total = 0
    widest = 0
    for value in values:
        total += value
        widest |= value
    high = _ZERO
    low = magnitude(total)
    if widest >= _SUMMABLE:
        high, low = _wide_sum(values)
    high, low = wide_scale(high, low, magnitude(numerator))
    return ratio_to_float(high, low, magnitude(checked_mul(len(values), denominator)))


@compiled
def _wide_sum(values: Int64) -> tuple[np.uint64, np.uint64]:
    """Return the sum of values not below 0 in 128 bits."""
    high = _ZERO
    low = _ZERO
    for value in values:
        high, low = wide_add(high, low, _ZERO, magnitude(value))
    return high, low


@compiled
def _wide_squares(values: Int64) -> tuple[np.uint64, np.uint64]:
    """Return the sum of squared differences from the newest value in 128 bits."""
    newest = values[len(values) - 1]
    high = _ZERO
    low = _ZERO
    for value in values:
        size = magnitude(value - newest)
        square_high, square_low = wide_product(size, size)
        high, low = wide_add(high, low, square_high, square_low)
    return high, low


@compiled
def deviation(values: Int64, numerator: int, denominator: int) -> float:
    """Return the population standard deviation of values, times a step.

    ``n * sum(d**2) - sum(d)**2`` is exact, with ``d`` measured from the newest value.
    """
    count = len(values)
    newest = values[count - 1]
    total = 0
    squares = 0
    widest = 0
    for value in values:
        difference = value - newest
        total += difference
        squares += difference * difference
        widest |= abs(difference)
    high = _ZERO
    low = magnitude(squares)
    if float(widest) * float(widest) * count >= _ROOM:
        high, low = _wide_squares(values)
    high, low = wide_scale(high, low, magnitude(count))
    size = magnitude(total)
    square_high, square_low = wide_product(size, size)
    high, low = wide_subtract(high, low, square_high, square_low)
    spread = ratio_to_float(high, low, np.uint64(1))
    return math.sqrt(spread) / count * numerator / denominator


@compiled
def _wide_value(
    high_ticks: Int64, low_ticks: Int64, close_ticks: Int64, lots: Int64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the sums of (high + low + close) * lots and of lots, in 128 bits each."""
    high = _ZERO
    low = _ZERO
    lots_high = _ZERO
    lots_low = _ZERO
    for index in range(len(lots)):
        weight = magnitude(lots[index])
        price = magnitude(high_ticks[index] + low_ticks[index] + close_ticks[index])
        value_high, value_low = wide_product(price, weight)
        high, low = wide_add(high, low, value_high, value_low)
        lots_high, lots_low = wide_add(lots_high, lots_low, _ZERO, weight)
    return high, low, lots_high, lots_low


@compiled
def volume_weighted(
    high_ticks: Int64, low_ticks: Int64, close_ticks: Int64, lots: Int64, ratios: Int64
) -> float:
    """Return the mean of (high + low + close) / 3 weighted by lots; NaN when there are none.

    Rounded once while three times the lots fit 64 bits, which is beyond any real market.
    """
    prices_seen = 0
    lots_seen = 0
    value = 0
    total = 0
    for index in range(len(lots)):
        price = high_ticks[index] + low_ticks[index] + close_ticks[index]
        prices_seen |= price
        lots_seen |= lots[index]
        value += price * lots[index]
        total += lots[index]
    high = _ZERO
    low = magnitude(value)
    lots_high = _ZERO
    lots_low = magnitude(total)
    if float(prices_seen + 1) * float(lots_seen + 1) * len(lots) >= _ROOM:
        high, low, lots_high, lots_low = _wide_value(high_ticks, low_ticks, close_ticks, lots)
    return weighted(high, low, lots_high, lots_low, ratios)


@compiled
def weighted(
    high: np.uint64, low: np.uint64, lots_high: np.uint64, lots_low: np.uint64, ratios: Int64
) -> float:
    """Return the price of a sum of (high + low + close) * lots over a sum of lots, 128 bits each.

    NaN when there are no lots.
    """
    if lots_high == _ZERO and lots_low == _ZERO:
        return math.nan
    high, low = wide_scale(high, low, magnitude(ratios[PRICE_NUMERATOR]))
    step = magnitude(checked_mul(3, ratios[PRICE_DENOMINATOR]))
    over, divisor = wide_product(lots_low, step)
    if over == _ZERO and lots_high == _ZERO:
        return ratio_to_float(high, low, divisor)
    weights = ratio_to_float(lots_high, lots_low, np.uint64(1))
    return ratio_to_float(high, low, step) / weights


@compiled
def change(values: Int64) -> float:
    """Return the change from the first to the last value as a share of the first; NaN from 0."""
    first = values[0]
    if first == 0:
        return math.nan
    return float(values[len(values) - 1] - first) / float(first)

"""Window columns: each a pure function of its window of bars, by exact integer sums.

A program is an int64 array with one row per column: step, channel, window length in bars, the
column that receives the value, and the bits of a width. `window_value` computes one entry;
`window_step` does it for a new bar over a ring that mirrors itself, so that every window is
contiguous; `window_rows` does it for every row of a history. Sums are held in 128 bits and rounded
once, so equal means of different windows are equal bits.

What `window_step` keeps lies in one array (`window_memory`), because every array that enters a
compiled function costs more than a column: count of bars, ring capacity, number of columns, four
ratios; then the program; then the ring.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

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

MAX_TICKS = 2**48
"""Largest price that a window column accepts."""
MAX_LOTS = 2**60
"""Largest volume of a bar that a window column accepts."""

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)
CHANNELS = 5
"""Rows of a series: open, high, low and close in ticks, volume in lots."""

STEP, CHANNEL, LENGTH, COLUMN, WIDTH = range(5)
FIELDS = 5
"""Columns of a program."""

_COUNT, _CAPACITY, _COLUMNS, _RATIOS = range(4)
_HEADER = 7

PRICE_NUMERATOR, PRICE_DENOMINATOR, QUANTITY_NUMERATOR, QUANTITY_DENOMINATOR = range(4)

LAST, MEAN, HIGHEST, LOWEST, CHANGE, VOLATILITY, VWAP, BAND = range(8)

STEPS: Mapping[str, int] = MappingProxyType(
    {
        "last": LAST,
        "mean": MEAN,
        "highest": HIGHEST,
        "lowest": LOWEST,
        "change": CHANGE,
        "volatility": VOLATILITY,
        "vwap": VWAP,
        "band": BAND,
    }
)
"""Window steps by name."""

_ZERO = np.uint64(0)


@compiled
def scaled(value: int, numerator: int, denominator: int) -> float:
    """Return a whole number of steps, not below 0, times their exact size, rounded once."""
    high, low = wide_product(magnitude(value), magnitude(numerator))
    return ratio_to_float(high, low, magnitude(denominator))


@compiled
def prices(ticks: Int64, numerator: int, denominator: int) -> Float64:
    """Return prices in ticks as floats, each rounded once."""
    result = np.empty(len(ticks), np.float64)
    for index in range(len(ticks)):
        result[index] = scaled(ticks[index], numerator, denominator)
    return result


@compiled
def mean(values: Int64, numerator: int, denominator: int) -> float:
    """Return the mean of values not below 0, times an exact step, rounded once."""
    low_sum = 0
    high_sum = 0
    for value in values:
        low_sum += value & 0xFFFFFFFF
        high_sum += value >> 32
    high, low = wide_product(magnitude(high_sum), np.uint64(1 << 32))
    high, low = wide_add(high, low, _ZERO, magnitude(low_sum))
    high, low = wide_scale(high, low, magnitude(numerator))
    return ratio_to_float(high, low, magnitude(checked_mul(len(values), denominator)))


@compiled
def deviation(values: Int64, numerator: int, denominator: int) -> float:
    """Return the population standard deviation of values, times a step.

    ``n * sum(d**2) - sum(d)**2`` is exact, with ``d`` measured from the newest value.
    """
    count = len(values)
    newest = values[count - 1]
    total = 0
    high = _ZERO
    low = _ZERO
    for value in values:
        difference = value - newest
        size = magnitude(difference)
        total += difference
        square_high, square_low = wide_product(size, size)
        high, low = wide_add(high, low, square_high, square_low)
    high, low = wide_scale(high, low, magnitude(count))
    size = magnitude(total)
    square_high, square_low = wide_product(size, size)
    high, low = wide_subtract(high, low, square_high, square_low)
    spread = ratio_to_float(high, low, np.uint64(1))
    return math.sqrt(spread) / count * numerator / denominator


@compiled
def volume_weighted(
    high_ticks: Int64, low_ticks: Int64, close_ticks: Int64, lots: Int64, ratios: Int64
) -> float:
    """Return the mean of (high + low + close) / 3 weighted by lots; NaN when there are none.

    Rounded once while three times the lots fit 64 bits, which is beyond any real market.
    """
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


@compiled
def volatility(values: Int64) -> float:
    """Return the sample standard deviation of log returns; NaN when a value is 0.

    One pass: Welford, Technometrics 4 (1962) 419.
    """
    average = 0.0
    squares = 0.0
    for index in range(1, len(values)):
        if values[index - 1] == 0 or values[index] == 0:
            return math.nan
        value = math.log(float(values[index]) / float(values[index - 1]))
        difference = value - average
        average += difference / index
        squares += difference * (value - average)
    return math.sqrt(squares / (len(values) - 2))


@compiled
def window_value(entry: Int64, series: Int64, end: int, ratios: Int64) -> float:
    """Return one window column at one row.

    Parameters
    ----------
    entry : int64 array of shape (5,)
        Row of a program; a band lies ``width`` standard deviations above the mean.
    series : int64 array of shape (5, n_bars)
        Bars; the window ends before ``end``, and begins inside the array.
    end : int
        One past the window's newest bar.
    ratios : int64 array of shape (4,)
        The instrument's price and quantity ratios.

    Returns
    -------
    float
        The value; NaN as the column declares.
    """
    step = entry[STEP]
    channel = entry[CHANNEL]
    start = end - entry[LENGTH]
    price_ratio = channel != VOLUME
    numerator = ratios[PRICE_NUMERATOR] if price_ratio else ratios[QUANTITY_NUMERATOR]
    denominator = ratios[PRICE_DENOMINATOR] if price_ratio else ratios[QUANTITY_DENOMINATOR]
    values = series[channel, start:end]
    if step == LAST:
        return scaled(values[0], numerator, denominator)
    if step == MEAN:
        return mean(values, numerator, denominator)
    if step == HIGHEST:
        return scaled(values.max(), numerator, denominator)
    if step == LOWEST:
        return scaled(values.min(), numerator, denominator)
    if step == CHANGE:
        return change(values)
    if step == VOLATILITY:
        return volatility(values)
    if step == VWAP:
        return volume_weighted(
            series[HIGH, start:end],
            series[LOW, start:end],
            values,
            series[VOLUME, start:end],
            ratios,
        )
    middle = mean(values, numerator, denominator)
    width = float(entry[WIDTH : WIDTH + 1].view(np.float64)[0])
    if width == 0.0:
        return middle
    return middle + width * deviation(values, numerator, denominator)


@compiled
def check_bar(series: Int64, index: int) -> None:
    """Refuse a bar whose values could leave the exact sums.

    Raises
    ------
    OverflowError
        If a price is outside 0 to `MAX_TICKS` or the volume outside 0 to `MAX_LOTS`.
    """
    for channel in range(VOLUME):
        if not 0 <= series[channel, index] <= MAX_TICKS:
            raise OverflowError("price outside 0 to 2**48 ticks")
    if not 0 <= series[VOLUME, index] <= MAX_LOTS:
        raise OverflowError("volume outside 0 to 2**60 lots")


def window_memory(program: Int64, ratios: Int64) -> Int64:
    """Return the memory of `window_step` before any bar.

    Parameters
    ----------
    program : int64 array of shape (n_window_columns, 5)
        What to compute.
    ratios : int64 array of shape (4,)
        The instrument's price and quantity ratios.
    """
    capacity = max(1, int(program[:, LENGTH].max(initial=1)))
    header = (0, capacity, len(program), *ratios.tolist())
    ring = np.zeros(CHANNELS * 2 * capacity, np.int64)
    return np.concatenate((np.array(header, np.int64), program.ravel(), ring))


def window_capacity(memory: Int64) -> int:
    """Return the longest window of a memory, in bars."""
    return int(memory[_CAPACITY])


def window_start(memory: Int64, count: int) -> None:
    """Tell a fresh memory how many bars came before the next one; their values are not held."""
    memory[_COUNT] = count


@compiled
def window_step(
    memory: Int64,
    row: Float64,
    open_ticks: int,
    high_ticks: int,
    low_ticks: int,
    close_ticks: int,
    lots: int,
) -> None:
    """Take a new bar and write every window column of its row.

    Parameters
    ----------
    memory : int64 array
        From `window_memory`; changed in place.
    row : float64 array of shape (n_columns,)
        Receives the values; NaN while a window is not full.
    open_ticks, high_ticks, low_ticks, close_ticks, lots : int
        The bar.

    Raises
    ------
    OverflowError
        If the bar is outside the accepted range.
    """
    count = memory[_COUNT]
    capacity = memory[_CAPACITY]
    ratios = memory[_RATIOS:_HEADER]
    columns = memory[_COLUMNS]
    ring_start = _HEADER + columns * FIELDS
    ring = memory[ring_start:].reshape((CHANNELS, 2 * capacity))
    place = count % capacity
    ring[OPEN, place] = open_ticks
    ring[HIGH, place] = high_ticks
    ring[LOW, place] = low_ticks
    ring[CLOSE, place] = close_ticks
    ring[VOLUME, place] = lots
    check_bar(ring, place)
    newest = place + capacity
    for channel in range(CHANNELS):
        ring[channel, newest] = ring[channel, place]
    memory[_COUNT] = count + 1
    for index in range(columns):
        entry = memory[_HEADER + index * FIELDS : _HEADER + (index + 1) * FIELDS]
        value = math.nan
        if count + 1 >= entry[LENGTH]:
            value = window_value(entry, ring, newest + 1, ratios)
        row[entry[COLUMN]] = value


@compiled
def window_rows(program: Int64, ratios: Int64, series: Int64, rows: Float64) -> None:
    """Write every window column of every row of a history, its first row being the anchor.

    Parameters
    ----------
    program : int64 array of shape (n_window_columns, 5)
        What to compute.
    ratios : int64 array of shape (4,)
        The instrument's price and quantity ratios.
    series : int64 array of shape (5, n_bars)
        The bars.
    rows : float64 array of shape (n_bars, n_columns)
        Receives the values.

    Raises
    ------
    OverflowError
        If a bar is outside the accepted range.
    """
    for bar in range(series.shape[1]):
        check_bar(series, bar)
        for index in range(program.shape[0]):
            entry = program[index]
            value = math.nan
            if bar + 1 >= entry[LENGTH]:
                value = window_value(entry, series, bar + 1, ratios)
            rows[bar, entry[COLUMN]] = value

"""Window columns: each a pure function of its window of bars, prices and volumes as whole steps.

A program is an int64 array with one row per column: step, channel, window length in bars, the
column that receives the value, and the bits of an argument. `window_value` computes one entry;
`window_step` does it for a new bar over a ring that mirrors itself, so that every window is
contiguous; `rolling.window_rows` does it for every row of a history. The steps live in `exact`
(sums held in 128 bits and rounded once, so equal means of different windows are equal bits),
`levels` and `returns`; the last read a row of log returns, which is filled only for programs that
need it.

What `window_step` keeps lies in one array (`window_memory`), because every array that enters a
compiled function costs more than a column: count of bars, ring capacity, number of columns, whether
returns are needed, four ratios; then the program; then the ring.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tidewright.kernels import levels, returns
from tidewright.kernels.exact import (
    PRICE_DENOMINATOR,
    PRICE_NUMERATOR,
    QUANTITY_DENOMINATOR,
    QUANTITY_NUMERATOR,
    change,
    compare,
    deviation,
    mean,
    prices,
    scaled,
    volume_weighted,
)
from tidewright.kernels.jit import compiled
from tidewright.kernels.levels import largest, level_value, share, smallest
from tidewright.kernels.returns import log_return, return_value

__all__ = ["prices"]

Int64 = NDArray[np.int64]
"""Array of int64."""
Float64 = NDArray[np.float64]
"""Array of float64."""

MAX_TICKS = 2**48
"""Largest price that a window column accepts."""
MAX_LOTS = 2**60
"""Largest volume of a bar that a window column accepts."""

OPEN, HIGH, LOW, CLOSE, VOLUME, RETURN = range(6)
CHANNELS = 5
"""Rows that a bar fills: open, high, low and close in ticks, volume in lots."""
SERIES_ROWS = 6
"""Rows of a series: those of a bar, and the bits of its log return."""

STEP, CHANNEL, LENGTH, COLUMN, ARGUMENT = range(5)
FIELDS = 5
"""Columns of a program."""

_COUNT, _CAPACITY, _COLUMNS, _RETURNS, _RATIOS = range(5)
_HEADER = 8

(
    LAST,
    MEAN,
    HIGHEST,
    LOWEST,
    CHANGE,
    VWAP,
    BAND,
    DEVIATION,
    ZSCORE,
    BAND_POSITION,
    BAND_WIDTH,
    MEAN_RATIO,
    MEAN_SIGN,
    TO_MEAN,
    TO_MEAN_RATIO,
) = range(15)

FIRST_OF_RETURNS = returns.RETURN_MEAN
"""From here on steps read log returns."""
FIRST_OF_LEVELS = levels.BODY
"""From here on steps read levels and lines."""

STEPS: Mapping[str, int] = MappingProxyType(
    {
        "last": LAST,
        "mean": MEAN,
        "highest": HIGHEST,
        "lowest": LOWEST,
        "change": CHANGE,
        "vwap": VWAP,
        "band": BAND,
        "deviation": DEVIATION,
        "zscore": ZSCORE,
        "band_position": BAND_POSITION,
        "band_width": BAND_WIDTH,
        "mean_ratio": MEAN_RATIO,
        "mean_sign": MEAN_SIGN,
        "to_mean": TO_MEAN,
        "to_mean_ratio": TO_MEAN_RATIO,
        "return_mean": returns.RETURN_MEAN,
        "volatility": returns.VOLATILITY,
        "return_skewness": returns.SKEWNESS,
        "return_kurtosis": returns.KURTOSIS,
        "return_autocorrelation": returns.AUTOCORRELATION,
        "return_fourier": returns.FOURIER,
        "body_share": levels.BODY,
        "upper_shadow": levels.UPPER_SHADOW,
        "lower_shadow": levels.LOWER_SHADOW,
        "range_share": levels.RANGE_SHARE,
        "gap": levels.GAP,
        "rank": levels.RANK,
        "range_position": levels.RANGE_POSITION,
        "range_width": levels.RANGE_WIDTH,
        "level_strength": levels.LEVEL_STRENGTH,
        "level_distance": levels.LEVEL_DISTANCE,
        "level_break": levels.LEVEL_BREAK,
        "line_break": levels.LINE_BREAK,
    }
)
"""Window steps by name."""


@compiled
def mean_value(
    step: int, values: Int64, numerator: int, denominator: int, argument: float
) -> float:
    """Return a column of means and deviations of one channel.

    Parameters
    ----------
    step : int
        What to compute.
    values : int64 array of shape (window,)
        Ticks or lots.
    numerator, denominator : int
        Size of a tick or lot.
    argument : float
        Standard deviations of a band, or bars of a shorter window.
    """
    if step == MEAN:
        return mean(values, numerator, denominator)
    if step == DEVIATION:
        return deviation(values, numerator, denominator)
    if step == BAND:
        middle = mean(values, numerator, denominator)
        if argument == 0.0:
            return middle
        return middle + argument * deviation(values, numerator, denominator)
    newest = float(values[len(values) - 1])
    average = mean(values, 1, 1)
    if step == TO_MEAN:
        return share(newest, average, math.nan) - 1.0
    if step == TO_MEAN_RATIO:
        return share(newest, average, math.nan)
    if step in (MEAN_RATIO, MEAN_SIGN):
        short = mean(values[len(values) - int(argument) :], 1, 1)
        if step == MEAN_RATIO:
            return share(short, average, math.nan)
        return compare(short, average)
    spread = deviation(values, 1, 1)
    if step == ZSCORE:
        return share(newest - average, spread, 0.0)
    width = 2.0 * argument * spread
    if step == BAND_WIDTH:
        return share(width, average, math.nan)
    return share(newest - average, width, 0.0) + 0.5


@compiled
def window_value(entry: Int64, series: Int64, end: int, ratios: Int64) -> float:
    """Return one window column at one row.

    Parameters
    ----------
    entry : int64 array of shape (5,)
        Row of a program.
    series : int64 array of shape (6, n_bars)
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
    argument = float(entry.view(np.float64)[ARGUMENT])
    if step >= FIRST_OF_LEVELS:
        return level_value(step, channel, series, start, end, argument)
    if step >= FIRST_OF_RETURNS:
        # the first bar of the window has its return from a bar before it
        window = series.view(np.float64)[RETURN, start + 1 : end]
        return return_value(step, window, int(argument))
    price_ratio = channel != VOLUME
    numerator = ratios[PRICE_NUMERATOR] if price_ratio else ratios[QUANTITY_NUMERATOR]
    denominator = ratios[PRICE_DENOMINATOR] if price_ratio else ratios[QUANTITY_DENOMINATOR]
    values = series[channel, start:end]
    if step == LAST:
        return scaled(values[0], numerator, denominator)
    if step == HIGHEST:
        return scaled(largest(values), numerator, denominator)
    if step == LOWEST:
        return scaled(smallest(values), numerator, denominator)
    if step == CHANGE:
        return change(values)
    if step == VWAP:
        return volume_weighted(
            series[HIGH, start:end],
            series[LOW, start:end],
            values,
            series[VOLUME, start:end],
            ratios,
        )
    return mean_value(step, values, numerator, denominator, argument)


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


def needs_returns(program: Int64) -> bool:
    """Return whether a program reads log returns."""
    steps = program[:, STEP]
    return bool(((steps >= FIRST_OF_RETURNS) & (steps < FIRST_OF_LEVELS)).any())


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
    returning = int(needs_returns(program))
    header = (0, capacity, len(program), returning, *ratios.tolist())
    ring = np.zeros(SERIES_ROWS * 2 * capacity, np.int64)
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
    ring = memory[ring_start:].reshape((SERIES_ROWS, 2 * capacity))
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
    if memory[_RETURNS]:
        # before the first bar the ring holds a close of 0, which has no return
        value = log_return(ring[CLOSE, newest - 1], close_ticks)
        bits = ring.view(np.float64)
        bits[RETURN, place] = value
        bits[RETURN, newest] = value
    memory[_COUNT] = count + 1
    for index in range(columns):
        entry = memory[_HEADER + index * FIELDS : _HEADER + (index + 1) * FIELDS]
        value = math.nan
        if count + 1 >= entry[LENGTH]:
            value = window_value(entry, ring, newest + 1, ratios)
        row[entry[COLUMN]] = value

"""Where a bar stands among levels and lines that its window draws.

All of it is in ticks: shares of prices and of ranges need no tick size.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tidewright.kernels.jit import compiled

Int64 = NDArray[np.int64]
"""Array of int64."""

(
    BODY,
    UPPER_SHADOW,
    LOWER_SHADOW,
    RANGE_SHARE,
    GAP,
    RANK,
    RANGE_POSITION,
    RANGE_WIDTH,
    LEVEL_STRENGTH,
    LEVEL_DISTANCE,
    LEVEL_BREAK,
    LINE_BREAK,
) = range(64, 76)
"""Steps of this module."""

_OPEN, _HIGH, _LOW, _CLOSE = range(4)


@compiled
def share(part: float, whole: float, otherwise: float) -> float:
    """Return a part of a whole, or what stands for it when the whole is 0."""
    if whole == 0.0:
        return otherwise
    return part / whole


@compiled
def largest(values: Int64) -> int:
    """Return the largest value."""
    found = int(values[0])
    for value in values:
        found = max(found, value)
    return found


@compiled
def smallest(values: Int64) -> int:
    """Return the smallest value."""
    found = int(values[0])
    for value in values:
        found = min(found, value)
    return found


@compiled
def rank(values: Int64) -> float:
    """Return the share of earlier values below the newest, equal ones counted half."""
    count = len(values) - 1
    newest = values[count]
    below = 0
    for value in values[:count]:
        below += (value < newest) + (value <= newest)
    return below / (2.0 * count)


@compiled
def strength(values: Int64, highs: Int64, lows: Int64, upper: bool, tolerance: float) -> float:
    """Return the share of values within a multiple of the mean bar range of their extreme."""
    side = 1 if upper else -1
    edge = side * int(values[0])
    ranges = 0
    for index in range(len(values)):
        edge = max(edge, side * values[index])
        ranges += highs[index] - lows[index]
    return touching(values, side, edge, ranges, tolerance)


@compiled
def touching(values: Int64, side: int, edge: int, ranges: int, tolerance: float) -> float:
    """Return the share of values near an extreme.

    Parameters
    ----------
    values : int64 array of shape (window,)
        Ticks.
    side : int
        1 where the extreme is the largest value, -1 where it is the smallest.
    edge : int
        The extreme times ``side``.
    ranges : int
        Sum of the ranges of the window's bars.
    tolerance : float
        Near is within so many mean ranges.
    """
    count = len(values)
    nearest = edge - int(min(tolerance * (ranges / count), 2.0**50))
    touches = 0
    for value in values:
        touches += side * value >= nearest
    return touches / count


@compiled
def line_ahead(values: Int64, upper: bool) -> float:
    """Return the line over (or under) values one place after the last, measured from the last.

    The least squares line, moved until no value lies beyond it.
    """
    count = len(values)
    newest = values[count - 1]
    centre = 0.5 * (count - 1)
    moment = 0.0
    # values as far before the centre as after it share a weight
    for index in range(count // 2):
        moment += (centre - index) * float(values[count - 1 - index] - values[index])
    slope = moment / (count * (count * float(count) - 1.0) / 12.0)
    side = 1.0 if upper else -1.0
    edge = -math.inf
    for index in range(count):
        rest = side * (float(values[index] - newest) - slope * index)
        if rest > edge:
            edge = rest
    return side * edge + slope * count


@compiled
def line_break(earlier: Int64, close: float, upper: bool) -> float:
    """Return how far a close is beyond the line that the values before it draw, as its share."""
    line = line_ahead(earlier, upper) + float(earlier[len(earlier) - 1])
    return share(close - line, close, math.nan)


@compiled
def shape_of(
    step: int, opened: float, high: float, low: float, close: float, before: float
) -> float:
    """Return a share of one bar's range or close.

    Parameters
    ----------
    step : int
        `BODY`, `UPPER_SHADOW`, `LOWER_SHADOW`, `RANGE_SHARE` or `GAP`.
    opened, high, low, close : float
        The bar in ticks.
    before : float
        The close before it.
    """
    if step == BODY:
        return share(close - opened, high - low, 0.0)
    if step == UPPER_SHADOW:
        return share(high - max(opened, close), high - low, 0.0)
    if step == LOWER_SHADOW:
        return share(min(opened, close) - low, high - low, 0.0)
    if step == RANGE_SHARE:
        return share(high - low, close, math.nan)
    return share(opened - before, before, math.nan)


@compiled
def level_value(
    step: int, channel: int, series: Int64, start: int, end: int, argument: float
) -> float:
    """Return where the newest bar of a window stands.

    Parameters
    ----------
    step : int
        One of the steps of this module.
    channel : int
        Row that the step reads; highs draw the upper level or line, others the lower.
    series : int64 array of shape (n_rows, n_bars)
        Bars in ticks and lots.
    start, end : int
        The window.
    argument : float
        Tolerance, where the step takes one.
    """
    if step <= GAP:
        newest = end - 1
        return shape_of(
            step,
            float(series[_OPEN, newest]),
            float(series[_HIGH, newest]),
            float(series[_LOW, newest]),
            float(series[_CLOSE, newest]),
            float(series[_CLOSE, newest - 1]),
        )
    values = series[channel, start:end]
    if step == RANK:
        return rank(values)
    upper = channel == _HIGH
    highs = series[_HIGH, start:end]
    lows = series[_LOW, start:end]
    if step == LEVEL_STRENGTH:
        return strength(values, highs, lows, upper, argument)
    close = float(series[_CLOSE, end - 1])
    earlier = values[: len(values) - 1]
    if step == LINE_BREAK:
        return line_break(earlier, close, upper)
    if step == LEVEL_BREAK:
        level = float(largest(earlier) if upper else smallest(earlier))
        return share(close - level, close, math.nan)
    if step == LEVEL_DISTANCE:
        level = float(largest(values) if upper else smallest(values))
        return share(abs(close - level), close, math.nan)
    top = float(largest(highs))
    bottom = float(smallest(lows))
    if step == RANGE_WIDTH:
        return share(top - bottom, close, math.nan)
    return share(close - bottom, top - bottom, 0.5)

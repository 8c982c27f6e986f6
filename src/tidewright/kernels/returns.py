"""Statistics of log returns: plain loops in one fixed order over a window.

A return that is NaN, because a close was 0, makes every statistic of its window NaN.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tidewright.kernels.jit import compiled

Float64 = NDArray[np.float64]
"""Array of float64."""

RETURN_MEAN, VOLATILITY, SKEWNESS, KURTOSIS, AUTOCORRELATION, FOURIER = range(32, 38)
"""Steps of this module."""


@compiled
def log_return(earlier: int, later: int) -> float:
    """Return the logarithm of the ratio of two closes; NaN when one of them is 0."""
    if earlier == 0 or later == 0:
        return math.nan
    return math.log(float(later) / float(earlier))


@compiled
def mean_of(values: Float64) -> float:
    """Return the mean of values; four running sums, since each addition waits for the last."""
    count = len(values)
    first = second = third = fourth = 0.0
    index = 0
    while index + 4 <= count:
        first += values[index]
        second += values[index + 1]
        third += values[index + 2]
        fourth += values[index + 3]
        index += 4
    while index < count:
        first += values[index]
        index += 1
    return ((first + second) + (third + fourth)) / count


@compiled
def volatility(returns: Float64) -> float:
    """Return the sample standard deviation."""
    middle = mean_of(returns)
    squares = 0.0
    for value in returns:
        squares += (value - middle) * (value - middle)
    return math.sqrt(squares / (len(returns) - 1))


@compiled
def standard_moment(returns: Float64, kurtosis: bool) -> float:
    """Return the skewness or the excess kurtosis of a population; 0 when all values are equal."""
    middle = mean_of(returns)
    squares = 0.0
    powers = 0.0
    for value in returns:
        difference = value - middle
        square = difference * difference
        squares += square
        powers += square * (square if kurtosis else difference)
    count = len(returns)
    variance = squares / count
    if variance == 0.0:
        return 0.0
    if kurtosis:
        return powers / count / (variance * variance) - 3.0
    return powers / count / (variance * math.sqrt(variance))


@compiled
def autocorrelation(returns: Float64, lag: int) -> float:
    """Return the correlation of a series with itself a lag earlier; 0 when all are equal.

    Box, Jenkins, Time Series Analysis (1976), 2.1.5: one mean and one variance for both.
    """
    middle = mean_of(returns)
    squares = 0.0
    products = 0.0
    for index in range(len(returns)):
        difference = returns[index] - middle
        squares += difference * difference
        if index >= lag:
            products += difference * (returns[index - lag] - middle)
    if squares == 0.0:
        return 0.0
    return products / squares


@compiled
def harmonic_share(returns: Float64, harmonic: int) -> float:
    """Return the share of a series' variation in one harmonic of its length; 0 without any.

    The power of one term of the discrete Fourier transform (Goertzel, Am. Math. Monthly 65 (1958)
    34) and of its mirror image, over the power of all terms (Parseval).
    """
    count = len(returns)
    middle = mean_of(returns)
    factor = 2.0 * math.cos(2.0 * math.pi * harmonic / count)
    squares = 0.0
    newer = 0.0
    older = 0.0
    for value in returns:
        difference = value - middle
        squares += difference * difference
        newest = (difference - older) + factor * newer
        older = newer
        newer = newest
    if squares == 0.0:
        return 0.0
    power = newer * newer + older * older - factor * newer * older
    mirrored = 1.0 if 2 * harmonic == count else 2.0
    return mirrored * power / (count * squares)


@compiled
def return_value(step: int, returns: Float64, argument: int) -> float:
    """Return one statistic of log returns.

    Parameters
    ----------
    step : int
        One of the steps of this module.
    returns : float64 array of shape (window,)
        Log returns.
    argument : int
        Lag or harmonic, where the step takes one.
    """
    if step == VOLATILITY:
        return volatility(returns)
    if step == RETURN_MEAN:
        return mean_of(returns)
    if step == AUTOCORRELATION:
        return autocorrelation(returns, argument)
    if step == FOURIER:
        return harmonic_share(returns, argument)
    return standard_moment(returns, step == KURTOSIS)

"""Correlation of two instruments' returns, in one fixed order of operations."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tidewright.kernels.jit import unallocating


@unallocating
def returns_correlation(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Return Pearson's correlation of simple returns between consecutive closes.

    Parameters
    ----------
    first, second : int64 array of shape (n_closes,)
        Closes in ticks, aligned in time, > 0.

    Returns
    -------
    float
        In [-1, 1]; NaN with fewer than 3 returns or without variation.
    """
    count = min(len(first), len(second)) - 1
    if count < 3:
        return math.nan
    sum_x = sum_y = sum_xx = sum_yy = sum_xy = 0.0
    for i in range(count):
        x = first[i + 1] / first[i] - 1.0
        y = second[i + 1] / second[i] - 1.0
        sum_x += x
        sum_y += y
        sum_xx += x * x
        sum_yy += y * y
        sum_xy += x * y
    spread_x = sum_xx - sum_x * sum_x / count
    spread_y = sum_yy - sum_y * sum_y / count
    if spread_x <= 0.0 or spread_y <= 0.0:
        return math.nan
    value = (sum_xy - sum_x * sum_y / count) / math.sqrt(spread_x * spread_y)
    return max(-1.0, min(1.0, value))

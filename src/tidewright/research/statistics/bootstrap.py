"""Other histories made of blocks of this one, so that days keep the company of their neighbours.

Sources
-------
Stationary bootstrap, blocks of random length: D. N. Politis and J. P. Romano, Journal of the
American Statistical Association, 1994. Circular bootstrap, blocks of one length: the same, "A
Circular Block-Resampling Procedure for Stationary Data", 1992. Block length: D. N. Politis and H.
White, "Automatic Block-Length Selection for the Dependent Bootstrap", Econometric Reviews, 2004,
corrected by A. Patton, D. N. Politis and H. White, 2009.
"""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from tidewright.domain.errors import ConfigError
from tidewright.research.statistics.inference import autocovariances
from tidewright.research.statistics.series import (
    Float64,
    Int64,
    as_series,
    as_table,
    centred,
    probability,
)

_BATCH = 4_000_000
"""Numbers held at once while paths are drawn."""


class Blocks(StrEnum):
    """How long the blocks of a bootstrap are."""

    STATIONARY = "stationary"
    CIRCULAR = "circular"


def block_length(values: ArrayLike, blocks: Blocks = Blocks.STATIONARY) -> Float64:
    """Return the block length that estimates the variance of the mean best, shape (...).

    Parameters
    ----------
    values : float64 array of shape (..., n_days)
        Daily figures.
    blocks : Blocks
        The kind of bootstrap.

    Returns
    -------
    float64 array
        At least 1, at most the smaller of 3 sqrt(n_days) and n_days / 3.

    Raises
    ------
    ConfigError
        If there are fewer than 10 days, or a value is not finite.
    """
    series = as_series(values, least=10)
    days = series.shape[-1]
    largest = math.ceil(min(3.0 * math.sqrt(days), days / 3.0))
    run = max(5, math.ceil(math.sqrt(math.log10(days))))
    up_to = min(days - 2, math.ceil(math.sqrt(days)) + run)
    flat = series.reshape(-1, days)
    covariances = autocovariances(centred(flat)[1], up_to)
    found = np.array([_block_length(row, days, run, blocks) for row in covariances])
    lengths: Float64 = np.clip(found, 1.0, largest).reshape(series.shape[:-1])
    return lengths


def _block_length(covariances: Float64, days: int, run: int, blocks: Blocks) -> float:
    """Return the length by a flat-top window that reaches twice the last lag that matters."""
    if covariances[0] <= 0.0:
        return 1.0
    up_to = len(covariances) - 1
    correlations = np.abs(covariances[1:] / covariances[0])
    small = correlations < 2.0 * math.sqrt(math.log10(days) / days)
    runs = np.convolve(small, np.ones(run, dtype=np.int64), mode="valid")
    quiet = np.flatnonzero(runs == run)
    loud = np.flatnonzero(~small)
    last = int(quiet[0]) if len(quiet) else int(loud[-1]) + 1 if len(loud) else 0
    window = min(2 * max(last, 1), up_to)
    lags = np.arange(1, window + 1)
    weights = np.clip(2.0 * (1.0 - lags / window), 0.0, 1.0)
    weighted = weights * covariances[1 : window + 1]
    slope = 2.0 * float((weighted * lags).sum())
    level = float(covariances[0]) + 2.0 * float(weighted.sum())
    factor = 2.0 if blocks is Blocks.STATIONARY else 4.0 / 3.0
    if level == 0.0:
        return 1.0
    return float(np.cbrt(2.0 * slope**2 / (factor * level**2) * days))


def resampled_days(
    n_days: int,
    block: float,
    paths: int,
    generator: np.random.Generator,
    blocks: Blocks = Blocks.STATIONARY,
) -> Int64:
    """Return which days of the past the days of each path are, shape (paths, n_days).

    The past is taken as a circle, so that each day is drawn equally often.

    Parameters
    ----------
    n_days, paths : int
        Days of a path, and how many paths.
    block : float
        Mean block length in days, at least 1; rounded for blocks of one length.
    generator : numpy.random.Generator
        Where the draws come from.
    blocks : Blocks
        Random lengths, or one length.

    Raises
    ------
    ConfigError
        If a number is under 1.
    """
    if min(n_days, paths) < 1 or not block >= 1.0:
        raise ConfigError(
            f"days, paths and block were {n_days}, {paths} and {block}; expected at least 1 each"
        )
    if blocks is Blocks.STATIONARY:
        begins = generator.random((paths, n_days)) < 1.0 / block
    else:
        begins = np.zeros((paths, n_days), dtype=np.bool_)
        begins[:, :: max(1, round(block))] = True
    places = np.arange(n_days)
    start = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
    # Each block moves all its days by the same draw around the circle.
    moved = generator.integers(0, n_days, (paths, n_days))
    return (np.take_along_axis(moved, start, axis=1) + places) % n_days


def day_counts(
    n_days: int,
    block: float,
    paths: int,
    generator: np.random.Generator,
    blocks: Blocks = Blocks.STATIONARY,
) -> Float64:
    """Return how often each day is drawn in each path, shape (paths, n_days).

    A product with daily figures then gives the sums of all series in all paths at once.

    Raises
    ------
    ConfigError
        If a number is under 1.
    """
    counts = np.empty((paths, n_days))
    step = max(1, _BATCH // n_days)
    for begin in range(0, paths, step):
        end = min(begin + step, paths)
        drawn = resampled_days(n_days, block, end - begin, generator, blocks)
        shifted = drawn + n_days * np.arange(end - begin)[:, None]
        found = np.bincount(shifted.reshape(-1), minlength=(end - begin) * n_days)
        counts[begin:end] = found.reshape(end - begin, n_days)
    return counts


def bootstrap_means(
    values: ArrayLike,
    generator: np.random.Generator,
    *,
    paths: int = 2_000,
    block: float | None = None,
    blocks: Blocks = Blocks.STATIONARY,
) -> Float64:
    """Return the mean of each series in each path, shape (n_sets, paths).

    All series of a path share its days, so what they have in common stays in common.

    Parameters
    ----------
    values : float64 array of shape (n_sets, n_days) or (n_days,)
        Daily figures.
    generator : numpy.random.Generator
        Where the draws come from.
    paths : int
        How many paths.
    block : float or None
        Block length in days; None takes the median over the series of what fits each.
    blocks : Blocks
        Random lengths, or one length.

    Raises
    ------
    ConfigError
        If there are fewer than 10 days, or a value is not finite.
    """
    table = as_table(values, least=10)
    length = float(np.median(block_length(table, blocks))) if block is None else block
    counts = day_counts(table.shape[1], length, paths, generator, blocks)
    means: Float64 = (table @ counts.T) / table.shape[1]
    return means


def bootstrap_interval(
    values: ArrayLike,
    generator: np.random.Generator,
    *,
    level: float = 0.90,
    paths: int = 2_000,
    block: float | None = None,
    blocks: Blocks = Blocks.STATIONARY,
) -> tuple[Float64, Float64]:
    """Return (low, high) of the mean of each series, each of shape (n_sets,).

    The percentiles of the means of resampled paths; no distribution is assumed.

    Raises
    ------
    ConfigError
        As `bootstrap_means`, or if the level is not between 0 and 1.
    """
    tail = (1.0 - probability(level, "level of the interval")) / 2.0
    means = bootstrap_means(values, generator, paths=paths, block=block, blocks=blocks)
    low, high = np.quantile(means, [tail, 1.0 - tail], axis=1)
    return low, high

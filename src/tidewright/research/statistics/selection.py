"""Whether the best of many did better than luck, when all their daily results are known.

`max_statistic_test` is the equivalent of searching again on patternless markets for candidates
that cannot be run again: histories are made in which every candidate has mean zero and keeps its
own distribution, its ties to the others and to the days before; the best of each history says how
good the best of so many looks without skill.

`superior_ability_test` asks the same of candidates of which many are poor: those far below zero
cannot be the best by luck, and are not held against the others.

Sources
-------
Maximum statistic and steps: J. P. Romano and M. Wolf, "Stepwise Multiple Testing as Formalized Data
Snooping", Econometrica, 2005. Reality check: H. White, Econometrica, 2000. Superior predictive
ability: P. R. Hansen, Journal of Business and Economic Statistics, 2005.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tidewright.domain.errors import ConfigError
from tidewright.research.statistics.bootstrap import block_length, day_counts
from tidewright.research.statistics.inference import autocovariances
from tidewright.research.statistics.series import Float64, as_table, centred

_LEAST_DAYS = 10
_LEAST_PATHS = 99


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A question that the material does not allow.

    Parameters
    ----------
    reason : str
        Why, as a sentence for the report.
    """

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class MaximumStatistic:
    """The best of many against the best of as many without skill.

    Parameters
    ----------
    best : int
        Number of the candidate with the highest t-statistic.
    t : float64 array of shape (n_sets,)
        Mean / (deviation / sqrt(n_days)) of each candidate; 0 where nothing varies.
    p_value : float
        Share of histories without skill whose best is at least as good, the real one counted.
    adjusted : float64 array of shape (n_sets,)
        p-value of each candidate, corrected for all others by steps: those under a level are found
        with an error rate of the whole family of at most that level.
    null : float64 array of shape (n_paths,)
        Highest t-statistic of each history.
    block : float
        Mean length of the blocks of days, days.
    """

    best: int
    t: Float64
    p_value: float
    adjusted: Float64
    null: Float64
    block: float


@dataclass(frozen=True, slots=True)
class SuperiorAbility:
    """Hansen's test for superior predictive ability with its bounds, and White's check.

    Parameters
    ----------
    best : int
        Number of the candidate with the highest statistic.
    statistic : float
        Highest mean over its standard error, at least 0.
    p_value : float
        The consistent one: candidates far below zero do not count.
    lower, upper : float
        p-values if all candidates below zero, or none, were left out.
    reality_check : float
        White's p-value: means not divided by their standard errors.
    """

    best: int
    statistic: float
    p_value: float
    lower: float
    upper: float
    reality_check: float


def max_statistic_test(
    profits: ArrayLike,
    generator: np.random.Generator,
    *,
    paths: int = 1_000,
    block: float | None = None,
) -> MaximumStatistic:
    """Return how often the best of candidates without skill looks as good as the best.

    Parameters
    ----------
    profits : float64 array of shape (n_sets, n_days)
        Daily excess of every candidate that was ever tried, over the same days.
    generator : numpy.random.Generator
        Where the draws come from.
    paths : int
        Histories, at least 99; the smallest p-value is 1 / (paths + 1).
    block : float or None
        Mean block length in days; None takes the median of what fits each candidate, at least
        sqrt(n_days) / 2.

    Raises
    ------
    ConfigError
        If there are fewer than 10 days, a value is not finite, or there are too few paths.
    """
    table = _checked(profits, paths)
    days = table.shape[1]
    mean, around = centred(table)
    moving = (around != 0.0).any(axis=1)
    around = around[moving]
    # Blocks that are too short cut the ties between days and make luck look rarer than it is;
    # blocks that are too long only make the p-value rougher.
    longest = max(math.sqrt(days) / 2.0, _fitting_block(around))
    length = longest if block is None else block
    t = np.zeros(len(table))
    drawn = np.full((len(around), paths), -np.inf)
    if len(around):
        deviation = np.sqrt(np.einsum("kt,kt->k", around, around) / (days - 1))
        t[moving] = mean[moving] / deviation * math.sqrt(days)
        counts = day_counts(days, length, paths, generator).T
        drawn = _studentised(around, counts)
    null = drawn.max(axis=0, initial=-np.inf)
    adjusted = np.ones(len(table))
    adjusted[moving] = _step_down(t[moving], drawn)
    best = int(np.argmax(np.where(moving, t, -np.inf)))
    return MaximumStatistic(best, t, float(adjusted[best]), adjusted, null, length)


def superior_ability_test(
    profits: ArrayLike,
    generator: np.random.Generator,
    *,
    paths: int = 1_000,
    block: float | None = None,
) -> SuperiorAbility:
    """Return whether any candidate beats zero, with poor candidates not held against the good.

    Parameters
    ----------
    profits : float64 array of shape (n_sets, n_days)
        Daily excess of every candidate that was ever tried, over the same days.
    generator : numpy.random.Generator
        Where the draws come from.
    paths : int
        Histories, at least 99.
    block : float or None
        Mean block length in days; None takes the median of what fits each candidate.

    Raises
    ------
    ConfigError
        If there are fewer than 10 days, a value is not finite, or there are too few paths.
    """
    table = _checked(profits, paths)
    days = table.shape[1]
    mean, around = centred(table)
    moving = (around != 0.0).any(axis=1)
    if not moving.any():
        return SuperiorAbility(0, 0.0, 1.0, 1.0, 1.0, 1.0)
    mean, around = mean[moving], around[moving]
    length = _fitting_block(around) if block is None else block
    error = np.sqrt(_stationary_variance(around, length))
    root = math.sqrt(days)
    scaled = root * mean / error
    shifts = (around @ day_counts(days, length, paths, generator).T) / root
    poor = scaled < -math.sqrt(2.0 * math.log(math.log(days)))
    best = int(np.argmax(scaled))
    statistic = max(0.0, float(scaled[best]))

    def exceed(moved: Float64) -> float:
        found = np.maximum((moved / error[:, None]).max(axis=0), 0.0)
        return float((1 + np.count_nonzero(found >= statistic)) / (paths + 1))

    below = root * np.minimum(mean, 0.0)[:, None]
    white = np.count_nonzero(shifts.max(axis=0) >= root * float(mean.max()))
    return SuperiorAbility(
        best=int(np.flatnonzero(moving)[best]),
        statistic=statistic,
        p_value=exceed(shifts + np.where(poor[:, None], below, 0.0)),
        lower=exceed(shifts + below),
        upper=exceed(shifts),
        reality_check=float((1 + white) / (paths + 1)),
    )


def _checked(profits: ArrayLike, paths: int) -> Float64:
    if paths < _LEAST_PATHS:
        raise ConfigError(f"paths were {paths}; expected at least {_LEAST_PATHS}")
    return as_table(profits, least=_LEAST_DAYS)


def _fitting_block(around: Float64) -> float:
    return float(np.median(block_length(around))) if len(around) else 1.0


def _studentised(around: Float64, counts: Float64) -> Float64:
    """Return the t-statistic of each candidate in each history, (n_sets, n_paths).

    Each history has its own deviation: a fixed one would understate how far means of skewed or
    rare results stray.
    """
    days = around.shape[1]
    means = (around @ counts) / days
    variances = (np.square(around) @ counts) / days - np.square(means)
    # A history may hold none of the few days on which a candidate traded: it says nothing of it.
    least = 1e-9 * np.square(around).mean(axis=1)[:, None]
    moves = variances > least
    errors = np.sqrt(np.where(moves, variances, 1.0) / (days - 1))
    found: Float64 = np.where(moves, means / errors, -np.inf)
    return found


def _step_down(t: Float64, drawn: Float64) -> Float64:
    """Return p-values that shrink the family by the better candidates, step by step."""
    order = np.argsort(-t, kind="stable")
    rest = np.maximum.accumulate(drawn[order][::-1], axis=0)[::-1]
    exceed = np.count_nonzero(rest >= t[order][:, None], axis=1)
    stepped = np.maximum.accumulate((1.0 + exceed) / (1.0 + drawn.shape[1]))
    adjusted = np.empty(len(t))
    adjusted[order] = stepped
    return adjusted


def _stationary_variance(around: Float64, block: float) -> Float64:
    """Return the variance of sqrt(n) x mean under the stationary bootstrap, in closed form."""
    days = around.shape[1]
    up_to = min(days - 1, math.ceil(20.0 * block))
    keep = 1.0 - 1.0 / block
    lags = np.arange(1, up_to + 1)
    weights = (1.0 - lags / days) * keep**lags + lags / days * keep ** (days - lags)
    covariances = autocovariances(around, up_to)
    variance = covariances[:, 0] + 2.0 * (covariances[:, 1:] @ weights)
    # The sum over all lags is a variance and positive; cut short it may not be.
    least: Float64 = np.maximum(variance, 1e-6 * covariances[:, 0])
    return least

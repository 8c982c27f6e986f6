"""How surely a mean differs from zero, when days depend on the days before.

Everything works on the last axis, so that thousands of configurations are judged at once. The unit
of observation is the day: many bars or trades of one day are one observation.

Steps of an estimate: autocovariances; the number of lags chosen from them; the long-run variance
with falling weights, which is never negative; the t-statistic, and Student's distribution with as
many degrees of freedom as that variance has.

Sources
-------
Long-run variance: W. K. Newey and K. D. West, "A Simple, Positive Semi-definite, Heteroskedasticity
and Autocorrelation Consistent Covariance Matrix", Econometrica, 1987. Number of lags: the same,
"Automatic Lag Selection in Covariance Matrix Estimation", Review of Economic Studies, 1994, without
prewhitening; at most 12 (n / 100) ^ (1/4), G. W. Schwert, "Tests for Unit Roots", Journal of
Business and Economic Statistics, 1989. Degrees of freedom: M. B. Priestley, "Spectral Analysis and
Time Series", 1981, section 6.2. Time until known: conditional power under the current trend, K. K.
G. Lan and J. Wittes, "The B-value", Biometrics, 1988.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtr, stdtrit

from tidewright.domain.errors import ConfigError
from tidewright.research.statistics.series import Float64, Int64, as_series, centred, probability

ONE_SIDED_5_PERCENT = 1.6448536269514722
"""Standard normal quantile at 0.95: what one rule, chosen beforehand, has to exceed."""
_NEVER = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class MeanEstimate:
    """Means of series and how surely they are known; all arrays have the leading shape.

    Parameters
    ----------
    n_days : int
        Observations of each series.
    mean : float64 array
        Per day.
    standard_error : float64 array
        Of the mean, robust to heteroskedasticity and autocorrelation; 0 for a flat series.
    lags : int64 array
        Lags used.
    degrees : float64 array
        Degrees of freedom of the long-run variance.
    """

    n_days: int
    mean: Float64
    standard_error: Float64
    lags: Int64
    degrees: Float64

    @property
    def t(self) -> Float64:
        """Mean over its standard error; 0 for a series that does not vary."""
        zeros = np.zeros_like(self.mean)
        return np.divide(self.mean, self.standard_error, out=zeros, where=self.standard_error > 0)

    def p_value(self) -> Float64:
        """Return the probability of so high a t-statistic or a higher one if the mean were 0."""
        return np.asarray(stdtr(self.degrees, -self.t), dtype=np.float64)

    def interval(self, level: float = 0.90) -> tuple[Float64, Float64]:
        """Return (low, high), which the true mean lies between in a share ``level`` of cases.

        A series that does not vary has a single point, which proves nothing.

        Raises
        ------
        ConfigError
            If the level is not between 0 and 1.
        """
        probability(level, "level of the interval")
        reach = np.asarray(stdtrit(self.degrees, 0.5 + level / 2.0)) * self.standard_error
        return self.mean - reach, self.mean + reach


def autocovariances(around: Float64, up_to: int) -> Float64:
    """Return sums of products at lags 0 to ``up_to``, divided by the number of days.

    Parameters
    ----------
    around : float64 array of shape (..., n_days)
        Deviations from the mean.
    up_to : int
        Largest lag, under n_days.

    Returns
    -------
    float64 array of shape (..., up_to + 1)
    """
    days = around.shape[-1]
    found = np.empty((*around.shape[:-1], up_to + 1))
    for lag in range(up_to + 1):
        found[..., lag] = np.einsum("...t,...t->...", around[..., lag:], around[..., : days - lag])
    found /= days
    return found


def most_lags(days: int) -> int:
    """Return the largest number of lags that is used for so many days."""
    return max(0, min(days - 2, math.floor(12.0 * math.pow(days / 100.0, 0.25))))


def automatic_lags(covariances: Float64, days: int) -> Int64:
    """Return the number of lags for falling (Bartlett) weights, after Newey and West 1994.

    Parameters
    ----------
    covariances : float64 array of shape (..., n_lags)
        Autocovariances from lag 0 on.
    days : int
        Observations of each series.
    """
    preliminary = min(
        math.floor(4.0 * math.pow(days / 100.0, 2.0 / 9.0)), covariances.shape[-1] - 1
    )
    some = covariances[..., 1 : preliminary + 1]
    level = covariances[..., 0] + 2.0 * some.sum(axis=-1)
    slope = 2.0 * (some * np.arange(1, preliminary + 1)).sum(axis=-1)
    ratio = np.divide(slope, level, out=np.zeros_like(level), where=level != 0)
    wanted = np.floor(1.1447 * np.cbrt(ratio**2 * days))
    chosen: Int64 = np.minimum(wanted, most_lags(days)).astype(np.int64)
    return chosen


def long_run_variance(around: Float64, lags: int | None = None) -> tuple[Float64, Int64, Float64]:
    """Return (variance of the mean times n_days, lags, degrees of freedom).

    Parameters
    ----------
    around : float64 array of shape (..., n_days)
        Deviations from the mean.
    lags : int or None
        None chooses for each series by its autocovariances.

    Raises
    ------
    ConfigError
        If so many lags are not possible.
    """
    days = around.shape[-1]
    if lags is not None and not 0 <= lags < days - 1:
        raise ConfigError(f"lags were {lags}; expected 0 to {days - 2} for {days} days")
    up_to = most_lags(days) if lags is None else lags
    covariances = autocovariances(around, up_to)
    if lags is None:
        used = automatic_lags(covariances, days)
    else:
        used = np.full(covariances.shape[:-1], lags, np.int64)
    falling = 1.0 - np.arange(1, up_to + 1) / (used[..., None] + 1.0)
    weights = np.maximum(falling, 0.0)
    spread = covariances[..., 0] + 2.0 * (weights * covariances[..., 1:]).sum(axis=-1)
    degrees = days / (1.0 + 2.0 * (weights**2).sum(axis=-1)) - 1.0
    # As a sample variance divides by n - 1: with no lag this is the classical variance.
    return np.maximum(spread, 0.0) * (days / (days - 1.0)), used, degrees


def estimate_mean(values: ArrayLike, lags: int | None = None) -> MeanEstimate:
    """Return the mean of each series with its robust standard error.

    Parameters
    ----------
    values : float64 array of shape (..., n_days)
        Daily figures over the full calendar, flat days included.
    lags : int or None
        Lags of the long-run variance; None chooses them for each series.

    Raises
    ------
    ConfigError
        If there are fewer than 3 days, a value is not finite, or so many lags are not possible.
    """
    series = as_series(values, least=3)
    days = series.shape[-1]
    mean, around = centred(series)
    variance, used, degrees = long_run_variance(around, lags)
    return MeanEstimate(days, mean, np.sqrt(variance / days), used, degrees)


def t_statistic(values: ArrayLike, lags: int | None = None) -> Float64:
    """Return mean / robust standard error of each series, shape (...).

    A series that does not vary has 0: nothing is known from it.

    Parameters
    ----------
    values : float64 array of shape (..., n_days)
        Daily figures over the full calendar, flat days included.
    lags : int or None
        Lags of the long-run variance; None chooses them for each series.

    Raises
    ------
    ConfigError
        As `estimate_mean`.
    """
    return estimate_mean(values, lags).t


def confidence_interval(
    values: ArrayLike, level: float = 0.90, lags: int | None = None
) -> tuple[Float64, Float64]:
    """Return (low, high) of the mean of each series, each of shape (...).

    Raises
    ------
    ConfigError
        As `estimate_mean`, or if the level is not between 0 and 1.
    """
    return estimate_mean(values, lags).interval(level)


def days_to_know(
    t: float, n_days: int, *, critical: float = ONE_SIDED_5_PERCENT, power: float = 0.8
) -> float:
    """Return how many more days at this rate are needed until the answer is known.

    Known means: the t-statistic of all days together exceeds ``critical`` (falls under minus it,
    for a rate below zero) with probability ``power``, if coming days earn what past days earned
    with the same variation. What was selected as the best of many earns less later: then this is
    too short.

    Parameters
    ----------
    t : float
        t-statistic of the days so far.
    n_days : int
        Days so far, above 0.
    critical : float
        The t-statistic that decides, above 0: 1.645 for a 90 % interval that excludes 0; the 95 %
        point of the best on patternless markets for a search.
    power : float
        Probability of knowing by then, 0 to 1.

    Returns
    -------
    float
        0 when it is known already; infinity when the rate is 0.

    Raises
    ------
    ConfigError
        If an argument is outside its range.
    """
    if n_days < 1 or not critical > 0 or not math.isfinite(t):
        raise ConfigError(
            f"t, days and critical value were {t}, {n_days} and {critical}; "
            "expected a finite number, at least 1 and above 0"
        )
    chance = float(ndtri(probability(power, "power")))
    rate = abs(t) / math.sqrt(n_days)
    if abs(t) >= critical:
        return 0.0

    def short(more: float) -> bool:
        total = n_days + more
        needed = critical * math.sqrt(total) + chance * math.sqrt(more)
        return rate * total < needed

    high = float(n_days)
    while short(high):
        high *= 2.0
        if high > _NEVER:
            return math.inf
    low = 0.0
    # The shortfall is convex in time and positive at 0, so it changes sign once.
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if short(middle) else (low, middle)
    return high


def months_to_know(
    values: ArrayLike,
    days_per_year: float,
    *,
    critical: float = ONE_SIDED_5_PERCENT,
    power: float = 0.8,
) -> float:
    """Return how many more months at this rate are needed until the answer is known.

    Parameters
    ----------
    values : float64 array of shape (n_days,)
        Daily excess over the full calendar.
    days_per_year : float
        Observations of a year: 365 where the market never closes, else 252.
    critical, power : float
        As in `days_to_know`.

    Raises
    ------
    ConfigError
        If an argument is outside its range.
    """
    estimate = estimate_mean(values)
    days = days_to_know(float(estimate.t), estimate.n_days, critical=critical, power=power)
    return days / days_per_year * 12.0

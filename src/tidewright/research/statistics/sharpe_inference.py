"""What a Sharpe ratio proves: its error, and how high it gets without any skill.

Ratios here are per observation (per day), not annual: `annual` and `daily` convert. Kurtosis is
the full fourth moment, 3 for a normal distribution.

Sources
-------
Standard error: A. W. Lo, "The Statistics of Sharpe Ratios", Financial Analysts Journal, 2002.
Probabilistic Sharpe ratio and shortest track record: D. H. Bailey and M. Lopez de Prado, "The
Sharpe Ratio Efficient Frontier", Journal of Risk, 2012. Expected maximum and deflated Sharpe ratio:
the same, "The Deflated Sharpe Ratio", Journal of Portfolio Management, 2014.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr, ndtr, ndtri

from tidewright.domain.errors import ConfigError
from tidewright.research.statistics.inference import long_run_variance
from tidewright.research.statistics.series import Float64, as_series, centred, probability

EULER = 0.5772156649015329
"""The Euler-Mascheroni constant."""


@dataclass(frozen=True, slots=True, eq=False)
class SharpeMoments:
    """What the distribution of a Sharpe ratio depends on; all arrays have the leading shape.

    Parameters
    ----------
    n_days : int
        Observations.
    sharpe : float64 array
        Mean / standard deviation per day; 0 for a series that does not vary.
    skewness : float64 array
        Third standardised moment.
    kurtosis : float64 array
        Fourth standardised moment, 3 for a normal distribution.
    """

    n_days: int
    sharpe: Float64
    skewness: Float64
    kurtosis: Float64


@dataclass(frozen=True, slots=True)
class DeflatedSharpe:
    """The best of many trials against the best that none of them having skill would give.

    Parameters
    ----------
    sharpe : float
        Of the best trial, per day.
    threshold : float
        Expected highest Sharpe ratio of so many trials without skill, per day.
    trials : float
        Independent trials that it was computed with.
    variance : float
        Variance of the trials' ratios that it was computed with, floor applied.
    floored : bool
        Whether the floor was needed.
    probability : float
        Of the true ratio being above the threshold: the deflated Sharpe ratio, 0 to 1.
    p_value : float
        Probability that the best of so many independent trials without skill looks as good.
    """

    sharpe: float
    threshold: float
    trials: float
    variance: float
    floored: bool
    probability: float
    p_value: float


def annual(sharpe: ArrayLike, per_year: float) -> Float64:
    """Return an annual Sharpe ratio from one per observation, per_year of them a year."""
    return np.asarray(sharpe, dtype=np.float64) * math.sqrt(per_year)


def daily(sharpe: ArrayLike, per_year: float) -> Float64:
    """Return the Sharpe ratio per observation from an annual one."""
    return np.asarray(sharpe, dtype=np.float64) / math.sqrt(per_year)


def sharpe_moments(values: ArrayLike) -> SharpeMoments:
    """Return the Sharpe ratio of each series with its skewness and kurtosis.

    Parameters
    ----------
    values : float64 array of shape (..., n_days)
        Daily profit over the full calendar, flat days included.

    Raises
    ------
    ConfigError
        If there are fewer than 3 days, or a value is not finite.
    """
    series = as_series(values, least=3)
    days = series.shape[-1]
    mean, around = centred(series)
    variance = np.einsum("...t,...t->...", around, around) / days
    moves = variance > 0
    deviation = np.sqrt(variance, out=np.ones_like(variance), where=moves)
    scaled = around / deviation[..., None]
    squared = scaled * scaled
    skewness = np.einsum("...t,...t->...", squared, scaled) / days
    kurtosis = np.einsum("...t,...t->...", squared, squared) / days
    sample = deviation * math.sqrt(days / (days - 1.0))
    ratio = np.where(moves, mean / sample, 0.0)
    return SharpeMoments(days, ratio, skewness, np.where(moves, kurtosis, 3.0))


def sharpe_variance(
    sharpe: ArrayLike, skewness: ArrayLike = 0.0, kurtosis: ArrayLike = 3.0
) -> Float64:
    """Return n_days times the variance of an estimated ratio, observations independent.

    1 - skewness x SR + (kurtosis - 1) / 4 x SR^2; 1 + SR^2 / 2 for normal returns (Lo 2002).
    """
    ratio, skew, peak = (
        np.asarray(each, dtype=np.float64) for each in (sharpe, skewness, kurtosis)
    )
    # Moments of a sample satisfy kurtosis >= 1 + skewness^2, so this is never below 0.
    return 1.0 - skew * ratio + (peak - 1.0) / 4.0 * ratio**2


def sharpe_standard_error(values: ArrayLike, lags: int | None = None) -> Float64:
    """Return the standard error of each series' daily ratio, days depending on each other.

    The long-run variance of what each day adds to the ratio, by the delta method (Lo 2002, the
    general case); it needs neither normal nor independent returns.

    Parameters
    ----------
    values : float64 array of shape (..., n_days)
        Daily profit.
    lags : int or None
        Lags of the long-run variance; 0 for independent days, None chooses them.

    Raises
    ------
    ConfigError
        If there are fewer than 3 days, a value is not finite, or so many lags are not possible.
    """
    series = as_series(values, least=3)
    days = series.shape[-1]
    mean, around = centred(series)
    variance = np.einsum("...t,...t->...", around, around) / days
    deviation = np.sqrt(variance, out=np.ones_like(variance), where=variance > 0)
    ratio = (mean / deviation)[..., None]
    scaled = around / deviation[..., None]
    added = scaled - ratio / 2.0 * (scaled * scaled - 1.0)
    spread = long_run_variance(added - added.mean(axis=-1, keepdims=True), lags)[0]
    return np.where(variance > 0, np.sqrt(spread / days), 0.0)


def probabilistic_sharpe(moments: SharpeMoments, threshold: ArrayLike = 0.0) -> Float64:
    """Return the probability that the true ratio is above a threshold (per day), 0 to 1.

    Normal distribution function of (SR - threshold) x sqrt(n - 1) / sqrt(1 - skewness x SR +
    (kurtosis - 1) / 4 x SR^2).
    """
    return np.asarray(ndtr(_score(moments, threshold)), dtype=np.float64)


def _score(moments: SharpeMoments, threshold: ArrayLike) -> Float64:
    spread = sharpe_variance(moments.sharpe, moments.skewness, moments.kurtosis)
    return (
        (moments.sharpe - np.asarray(threshold, dtype=np.float64))
        * math.sqrt(moments.n_days - 1.0)
        / np.sqrt(np.maximum(spread, 1e-12))
    )


def _cautious_score(series: Float64, moments: SharpeMoments) -> float:
    """Return the t-statistic of one series with the largest of three standard errors.

    If there is no skill, the variance of a ratio is that of independent days whatever their shape.
    Losses that are rare and large are not yet in every sample, so a negative skewness counts; good
    days that follow each other count as what they are. What would make the error smaller is luck of
    the sample as likely as it is true, and is not believed.
    """
    spread = float(sharpe_variance(moments.sharpe, moments.skewness, moments.kurtosis))
    around = centred(series)[1]
    alone, together = (float(long_run_variance(around, lags)[0]) for lags in (0, None))
    longer = max(together / alone, 1.0) if alone > 0 else 1.0
    ratio = float(moments.sharpe) * math.sqrt(moments.n_days)
    return ratio / math.sqrt(max(spread, 1.0) * longer)


def shortest_track_record(
    moments: SharpeMoments, threshold: float = 0.0, level: float = 0.95
) -> Float64:
    """Return how many days of such returns prove a ratio above a threshold (per day).

    1 + (1 - skewness x SR + (kurtosis - 1) / 4 x SR^2) x (normal quantile / (SR - threshold))^2;
    infinity where the ratio does not exceed the threshold.

    Raises
    ------
    ConfigError
        If the level is not between 0 and 1.
    """
    wanted = float(ndtri(probability(level, "level")))
    above = moments.sharpe - threshold
    spread = sharpe_variance(moments.sharpe, moments.skewness, moments.kurtosis)
    shares = np.divide(wanted, above, out=np.full_like(above, np.inf), where=above > 0)
    needed: Float64 = 1.0 + spread * shares**2
    return needed


def expected_maximum(trials: float) -> float:
    """Return the expected highest of so many independent standard normal draws.

    (1 - g) Z(1 - 1/N) + g Z(1 - 1/(N e)), with Z the normal quantile and g the Euler constant;
    within 4 % of the exact value from 3 trials on. Between one trial (0) and two it is interpolated
    linearly, since effective numbers of trials are not whole.

    Raises
    ------
    ConfigError
        If there is less than one trial.
    """
    if not trials >= 1.0:
        raise ConfigError(f"trials were {trials}; expected at least 1")
    count = max(trials, 2.0)
    first, second = ndtri([1.0 - 1.0 / count, 1.0 - 1.0 / (count * math.e)])
    highest = float((1.0 - EULER) * first + EULER * second)
    return highest * (min(trials, 2.0) - 1.0)


def best_of_p_value(score: float, trials: float) -> float:
    """Return the probability that the highest of independent standard normal draws is as high.

    1 - Phi(score)^trials: the chance of looking so good if none of the trials has skill (Sidak
    1967).

    Raises
    ------
    ConfigError
        If there is less than one trial.
    """
    if not trials >= 1.0:
        raise ConfigError(f"trials were {trials}; expected at least 1")
    return -math.expm1(trials * float(log_ndtr(score)))


def deflated_sharpe(
    values: ArrayLike, trials: float, trial_variance: float | None = None
) -> DeflatedSharpe:
    """Return what is left of the best trial's ratio once the search is paid for.

    The variance of the trials' ratios has a floor of 1 / (n - 1), the variance of the estimated
    ratio of a single trial without skill. Without it a thousand variations of one rule, which all
    score alike, would have variance 0, hence threshold 0: the search would be free. The floor is
    also what is used when the ratios of the trials are unknown.

    Parameters
    ----------
    values : float64 array of shape (n_days,)
        Daily profit of the best trial.
    trials : float
        Effective number of independent trials, at least 1.
    trial_variance : float or None
        Variance over the trials of their daily ratios; None when unknown.

    Raises
    ------
    ConfigError
        If there are fewer than 3 days, a value is not finite, there is less than one trial, or
        the variance is below 0.
    """
    series = as_series(values, least=3).reshape(-1)
    moments = sharpe_moments(series)
    floor = 1.0 / (moments.n_days - 1.0)
    measured = floor if trial_variance is None else trial_variance
    if not measured >= 0.0:
        raise ConfigError(f"variance of the trials was {measured}; expected at least 0")
    variance = max(measured, floor)
    threshold = math.sqrt(variance) * expected_maximum(trials)
    return DeflatedSharpe(
        sharpe=float(moments.sharpe),
        threshold=threshold,
        trials=trials,
        variance=variance,
        floored=trial_variance is None or trial_variance < floor,
        probability=float(probabilistic_sharpe(moments, threshold)),
        p_value=best_of_p_value(_cautious_score(series, moments), trials),
    )

"""How bad a bad day is, whether that forecast held, and what a gap through the stop would cost.

Losses are positive shares of equity. A level of 0.95 is exceeded on 5 % of days if the forecast is
right.

Sources
-------
Value at risk by history: P. Jorion, "Value at Risk", 2006. Expected shortfall: R. T. Rockafellar
and S. Uryasev, Journal of Banking and Finance, 2002. Filtered history: J. Hull and A. White,
Journal of Risk, 1998; G. Barone-Adesi, K. Giannopoulos and L. Vosper, Journal of Futures Markets,
1999; the filter is GARCH(1,1), T. Bollerslev, Journal of Econometrics, 1986. Tests of forecasts: P.
Kupiec, Journal of Derivatives, 1995; P. F. Christoffersen, International Economic Review, 1998.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike
from scipy.special import bdtr, chdtrc, chdtri, ndtri, xlogy

from tidewright.domain.errors import ConfigError
from tidewright.research.statistics.series import Bool, Float64, Int64, as_series, probability

SMALLEST_WINDOW = 20
"""A tail needs at least this many days."""
GAP = 0.20
"""Share by which prices jump in the tail check."""
_PERSISTENCE = ((0.05, 0.90), (0.05, 0.94), (0.10, 0.80), (0.10, 0.85), (0.10, 0.89), (0.20, 0.75))


class TailMethod(StrEnum):
    """How the distribution of tomorrow's loss is forecast."""

    HISTORICAL = "historical"
    GAUSSIAN = "gaussian"
    FILTERED = "filtered"


@dataclass(frozen=True, slots=True)
class TailRisk:
    """Loss of a bad day.

    Parameters
    ----------
    value_at_risk : float
        Loss that is exceeded on a share 1 - level of days.
    expected_shortfall : float
        Mean loss of those days (conditional value at risk).
    """

    value_at_risk: float
    expected_shortfall: float


@dataclass(frozen=True, slots=True)
class CoverageTest:
    """Whether losses exceeded a forecast as often as they should, and not in runs.

    Parameters
    ----------
    days, exceptions : int
        Days with a forecast, and those with a larger loss.
    expected : float
        Exceptions that a right forecast has on average.
    coverage_p : float
        Kupiec: p-value of the number of exceptions.
    independence_p : float
        Christoffersen: p-value of exceptions not following exceptions.
    conditional_p : float
        Christoffersen: p-value of both together.
    """

    days: int
    exceptions: int
    expected: float
    coverage_p: float
    independence_p: float
    conditional_p: float


@dataclass(frozen=True, slots=True)
class ExactSize:
    """What Kupiec's test really does with a number of days, by the binomial distribution.

    Parameters
    ----------
    low, high : int
        Fewest and most exceptions that are accepted.
    size : float
        Probability of rejecting a right forecast.
    """

    low: int
    high: int
    size: float


@dataclass(frozen=True, slots=True)
class GapCheck:
    """What a jump of prices against everything that is held costs, stops or not.

    Parameters
    ----------
    loss : float
        Share of equity lost if all prices jump through their stops.
    stopped_loss : float
        Share of equity lost if the stops had been filled at their prices; equal to ``loss`` without
        stops.
    limit : float
        Largest loss that is accepted, share of equity.
    """

    loss: float
    stopped_loss: float
    limit: float

    @property
    def passed(self) -> bool:
        """Whether the loss stays within the limit."""
        return self.loss <= self.limit


def tail_risk(
    returns: ArrayLike, level: float = 0.95, method: TailMethod = TailMethod.HISTORICAL
) -> TailRisk:
    """Return value at risk and expected shortfall of the next day.

    Parameters
    ----------
    returns : float64 array of shape (n_days,)
        Daily returns as shares, at least 20.
    level : float
        0.5 to 1, for example 0.95.
    method : TailMethod
        Historical: the days as they were. Gaussian: their mean and deviation. Filtered: the days
        divided by the volatility that was forecast for them, times the one forecast for tomorrow.

    Raises
    ------
    ConfigError
        If there are too few days, a value is not finite, or the level is out of range.
    """
    series = as_series(returns, SMALLEST_WINDOW, "daily return").reshape(-1)
    tail = 1.0 - _level(level)
    if method is TailMethod.GAUSSIAN:
        mean, deviation = float(series.mean()), float(series.std(ddof=1))
        quantile = float(ndtri(tail))
        density = math.exp(-quantile * quantile / 2.0) / math.sqrt(2.0 * math.pi)
        return TailRisk(-(mean + deviation * quantile), -mean + deviation * density / tail)
    if method is TailMethod.FILTERED:
        volatility = conditional_volatility(series)
        before = np.where(volatility[:-1] > 0, volatility[:-1], 1.0)
        series = series / before * volatility[-1]
    at_risk = -float(np.quantile(series, tail))
    beyond = float(np.maximum(-series - at_risk, 0.0).mean())
    return TailRisk(at_risk, at_risk + beyond / tail)


def conditional_volatility(returns: ArrayLike) -> Float64:
    """Return the deviation of each day as it was forecast the day before, and of tomorrow.

    GARCH(1,1) around zero, its long-run variance that of the sample; the two other parameters are
    those of six usual pairs that make the days most likely.

    Parameters
    ----------
    returns : float64 array of shape (n_days,)
        Daily returns.

    Returns
    -------
    float64 array of shape (n_days + 1,)
    """
    series = as_series(returns, SMALLEST_WINDOW, "daily return").reshape(-1)
    return _filtered(series)[0]


def _filtered(series: Float64) -> tuple[Float64, tuple[float, float]]:
    squares = np.square(series)
    long_run = float(squares.mean())
    if long_run == 0.0:
        return np.zeros(len(series) + 1), _PERSISTENCE[0]
    shock, keep = np.array(_PERSISTENCE).T
    variances = np.empty((len(series) + 1, len(shock)))
    variances[0] = long_run
    for day, square in enumerate(squares):
        variances[day + 1] = (1 - shock - keep) * long_run + shock * square + keep * variances[day]
    known = variances[:-1]
    likelihood = -(np.log(known) + squares[:, None] / known).sum(axis=0)
    best = int(np.argmax(likelihood))
    return np.sqrt(variances[:, best]), _PERSISTENCE[best]


def rolling_value_at_risk(
    returns: ArrayLike,
    window: int = 250,
    level: float = 0.95,
    method: TailMethod = TailMethod.HISTORICAL,
) -> Float64:
    """Return the value at risk of each day as the ``window`` days before forecast it.

    Parameters
    ----------
    returns : float64 array of shape (n_days,)
        Daily returns, more than ``window``.
    window : int
        Days of each forecast, at least 20.
    level, method
        As in `tail_risk`.

    Returns
    -------
    float64 array of shape (n_days - window,)
        Forecasts for days ``window`` on.

    Raises
    ------
    ConfigError
        If there are too few days, a value is not finite, or a number is out of range.
    """
    tail = 1.0 - _level(level)
    if window < SMALLEST_WINDOW:
        raise ConfigError(f"window was {window} days; expected at least {SMALLEST_WINDOW}")
    series = as_series(returns, window + 1, "daily return").reshape(-1)
    past = sliding_window_view(series[:-1], window)
    if method is TailMethod.GAUSSIAN:
        low = past.mean(axis=1) + past.std(axis=1, ddof=1) * float(ndtri(tail))
    elif method is TailMethod.HISTORICAL:
        low = np.quantile(past, tail, axis=1)
    else:
        volatility = _rolling_volatility(series, window)
        scaled = sliding_window_view(series[:-1] / volatility[:-1], window)
        low = np.quantile(scaled, tail, axis=1) * volatility[window:]
    forecast: Float64 = -low
    return forecast


def _rolling_volatility(series: Float64, window: int) -> Float64:
    """Return the deviation forecast for each day; parameters are chosen once a window."""
    variance = np.empty(len(series))
    begin = 0
    while begin < len(series):
        end = min(begin + window, len(series))
        # The first window has no past of its own: its forecasts serve as divisors, not as tests.
        known = series[max(0, begin - window) : max(begin, window)]
        long_run = max(float(np.square(known).mean()), np.finfo(np.float64).tiny)
        shock, keep = _filtered(known)[1]
        level = variance[begin - 1] if begin else long_run
        for day in range(begin, end):
            if day:
                square = float(series[day - 1]) ** 2
                level = (1.0 - shock - keep) * long_run + shock * square + keep * level
            variance[day] = level
        begin = end
    deviation: Float64 = np.sqrt(variance)
    return deviation


def coverage_test(exceptions: ArrayLike, level: float) -> CoverageTest:
    """Return whether losses exceeded a forecast as often as they should, and independently.

    Parameters
    ----------
    exceptions : bool array of shape (n_days,)
        Whether each day's loss was larger than its forecast.
    level : float
        Of the forecast, 0.5 to 1.

    Raises
    ------
    ConfigError
        If there are fewer than 2 days, or the level is out of range.
    """
    hits: Bool = np.asarray(exceptions, dtype=np.bool_).reshape(-1)
    if len(hits) < 2:
        raise ConfigError(f"exceptions had {len(hits)} days; expected at least 2")
    rate = 1.0 - _level(level)
    count = int(hits.sum())
    ratio = float(kupiec_ratio(np.array(count), len(hits), rate))
    runs = _independence_ratio(hits)
    return CoverageTest(
        days=len(hits),
        exceptions=count,
        expected=rate * len(hits),
        coverage_p=float(chdtrc(1.0, ratio)),
        independence_p=float(chdtrc(1.0, runs)),
        conditional_p=float(chdtrc(2.0, ratio + runs)),
    )


def kupiec_ratio(exceptions: Int64, days: int, rate: float) -> Float64:
    """Return 2 ln of the likelihood of the observed share of exceptions over that of ``rate``."""
    share = exceptions / days
    free = xlogy(exceptions, share) + xlogy(days - exceptions, 1.0 - share)
    bound = xlogy(exceptions, rate) + xlogy(days - exceptions, 1.0 - rate)
    ratio: Float64 = np.maximum(2.0 * (free - bound), 0.0)
    return ratio


def _independence_ratio(hits: Bool) -> float:
    """Return 2 ln of the likelihood of a first-order Markov chain over that of one share."""
    before, after = hits[:-1], hits[1:]
    both, first = int((before & after).sum()), int(before.sum())
    second = int((after & ~before).sum())
    quiet, pairs, hit = len(before) - first, len(before), int(after.sum())

    def likelihood(count: int, of: int) -> float:
        share = count / of if of else 0.0
        return float(xlogy(count, share) + xlogy(of - count, 1.0 - share))

    return max(
        0.0, 2.0 * (likelihood(both, first) + likelihood(second, quiet) - likelihood(hit, pairs))
    )


def kupiec_size(days: int, rate: float, significance: float = 0.05) -> ExactSize:
    """Return which counts of exceptions Kupiec's test accepts, and how often it errs.

    With 250 days and a rate of 1 % it accepts 1 to 6 and rejects 9.5 % of right forecasts, not 5 %.

    Raises
    ------
    ConfigError
        If a number is out of range.
    """
    probability(rate, "rate")
    counts = np.arange(days + 1)
    limit = float(chdtri(1.0, probability(significance, "significance")))
    accepted = np.flatnonzero(kupiec_ratio(counts, days, rate) <= limit)
    if len(accepted) == 0:
        raise ConfigError(f"days were {days}; expected enough for one count to be accepted")
    low, high = int(accepted[0]), int(accepted[-1])
    return ExactSize(low, high, 1.0 - _between(low, high, days, rate))


def kupiec_power(days: int, rate: float, true_rate: float, significance: float = 0.05) -> float:
    """Return how often Kupiec's test rejects a forecast whose true rate is another.

    Raises
    ------
    ConfigError
        If a number is out of range.
    """
    accepted = kupiec_size(days, rate, significance)
    return 1.0 - _between(accepted.low, accepted.high, days, probability(true_rate, "true rate"))


def _between(low: int, high: int, days: int, rate: float) -> float:
    under = float(bdtr(float(low - 1), days, rate)) if low else 0.0
    return float(bdtr(float(high), days, rate)) - under


def gap_check(
    exposures: ArrayLike,
    *,
    limit: float,
    gap: float = GAP,
    stops: ArrayLike | None = None,
) -> GapCheck:
    """Return what it costs when every price jumps against what is held.

    A stop is an order to sell at what the market then pays: it does not limit a jump.

    Parameters
    ----------
    exposures : float64 array of shape (n_positions,)
        Largest signed value of each position as a share of equity; 1 is fully invested.
    limit : float
        Largest accepted loss, share of equity.
    gap : float
        Share by which prices fall (rise, for shorts), above 0.
    stops : float64 array of shape (n_positions,), optional
        Distance of each stop as a share of the price; NaN without one.

    Raises
    ------
    ConfigError
        If an exposure is not finite, or the gap is not above 0.
    """
    held = np.abs(np.asarray(exposures, dtype=np.float64).reshape(-1))
    if not np.isfinite(held).all() or not gap > 0:
        raise ConfigError(
            f"exposures and gap were {held.tolist()} and {gap}; expected finite and above 0"
        )
    loss = float(held.sum()) * gap
    if stops is None:
        return GapCheck(loss, loss, limit)
    distance = np.asarray(stops, dtype=np.float64).reshape(-1)
    reached = np.where(np.isnan(distance), gap, np.minimum(distance, gap))
    return GapCheck(loss, float((held * reached).sum()), limit)


def _level(level: float) -> float:
    if not 0.5 <= level < 1.0:
        raise ConfigError(f"level was {level}; expected 0.5 to under 1, for example 0.95")
    return level

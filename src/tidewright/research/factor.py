"""What a column tells of the order of later returns across a universe.

At each moment the column's values are ranked across the instruments, and so are the returns that
follow; their correlation is the rank information coefficient (Spearman's; Grinold and Kahn 1999,
*Active Portfolio Management*). Its mean is judged by a standard error that lets moments depend on
moments before (Newey and West 1994), and shown for several horizons: its decay. Beside it stands
what a portfolio of the highest minus the lowest quantile would have earned, its turnover, and
what is left after costs. Returns run from close to close, from the moment at which the value was
known; with a delay of 1, from the next close.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.research.statistics.inference import estimate_mean, most_lags

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

HORIZONS = (1, 2, 5, 10, 20)
"""Rows over which returns are measured, unless told otherwise."""
LEAST_MEMBERS = 5
"""Fewest instruments of a moment that are ranked."""
LEVEL = 0.90
"""Level of the intervals."""


@dataclass(frozen=True, slots=True, eq=False)
class FactorPanel:
    """A column and closes of a universe over the same moments.

    Parameters
    ----------
    symbols : tuple of str
        Instruments.
    moments : int64 array of shape (n_moments,)
        When each row was known, nanoseconds UTC, increasing.
    values : float64 array of shape (n_symbols, n_moments)
        The column as it was known at each moment; NaN = unknown or without a bar.
    closes : float64 array of shape (n_symbols, n_moments)
        Closes at each moment, > 0; NaN = without a bar.
    """

    symbols: tuple[str, ...]
    moments: Int64
    values: Float64
    closes: Float64

    def __post_init__(self) -> None:
        shape = (len(self.symbols), len(self.moments))
        if self.values.shape != shape or self.closes.shape != shape:
            raise ConfigError(
                f"values had shape {self.values.shape} and closes {self.closes.shape}; "
                f"expected {shape}, symbols by moments"
            )


@dataclass(frozen=True, slots=True, eq=False)
class HorizonCoefficient:
    """The rank information coefficient over one horizon.

    Parameters
    ----------
    horizon : int
        Rows over which returns are measured.
    mean : float
        Mean of the coefficients, in [-1, 1].
    standard_error : float
        Of the mean; moments depend on moments before, and horizons overlap.
    low, high : float
        Interval of the mean at `LEVEL`.
    t : float
        Mean over its standard error.
    positive : float
        Share of moments with a coefficient above 0.
    moments : int
        Moments with at least `LEAST_MEMBERS` instruments.
    series : float64 array of shape (n_moments,)
        Coefficient of each moment, NaN where there were too few instruments.
    """

    horizon: int
    mean: float
    standard_error: float
    low: float
    high: float
    t: float
    positive: float
    moments: int
    series: Float64


@dataclass(frozen=True, slots=True, eq=False)
class QuantileSpread:
    """A portfolio that holds the highest quantile and owes the lowest, both equally weighted.

    Parameters
    ----------
    quantiles : float64 array of shape (n_quantiles,)
        Mean return of each quantile over one row, the lowest values first.
    gross, net : float
        Mean return of the spread over one row, without and with costs.
    low, high : float
        Interval of the net mean at `LEVEL`.
    turnover : float
        Mean traded value of a row, as a multiple of the value held long: 4 replaces everything.
    cost_rate : float
        Cost of a trade as a share of its value.
    series : float64 array of shape (n_moments,)
        Net return of the spread over the row after each moment; 0 where it held nothing.
    """

    quantiles: Float64
    gross: float
    net: float
    low: float
    high: float
    turnover: float
    cost_rate: float
    series: Float64


@dataclass(frozen=True, slots=True, eq=False)
class FactorReport:
    """What a column tells of later returns.

    Parameters
    ----------
    column : str
        Its name.
    symbols, moments : int
        Size of the universe and number of rows.
    coverage : float
        Mean share of the instruments with a bar whose value is known, in [0, 1].
    coefficients : tuple of HorizonCoefficient
        By horizon.
    spread : QuantileSpread
        Highest minus lowest quantile.
    times : int64 array of shape (n_moments,)
        When each row was known, nanoseconds UTC.
    """

    column: str
    symbols: int
    moments: int
    coverage: float
    coefficients: tuple[HorizonCoefficient, ...]
    spread: QuantileSpread
    times: Int64


def measure_factor(
    panel: FactorPanel,
    column: str = "column",
    *,
    horizons: Sequence[int] = HORIZONS,
    quantiles: int = 5,
    hold: int = 1,
    delay: int = 0,
    cost_rate: float = 0.001,
) -> FactorReport:
    """Measure what a column tells of the order of later returns.

    Parameters
    ----------
    panel : FactorPanel
        The column and closes.
    column : str
        What the report calls it.
    horizons : sequence of int
        Rows over which returns are measured, each >= 1.
    quantiles : int
        Parts into which the instruments are cut at each moment, >= 2.
    hold : int
        Rows for which each choice of the spread is held, >= 1: a share of 1 / hold is replaced
        in each row (Jegadeesh and Titman 1993).
    delay : int
        Rows between the value and the beginning of the return, >= 0.
    cost_rate : float
        Cost of a trade as a share of its value, >= 0.

    Returns
    -------
    FactorReport
        Means with intervals; between rows the weights are taken as they were chosen.

    Raises
    ------
    ConfigError
        If a number is out of range, or there are too few instruments or moments.
    """
    _check(panel, horizons, quantiles, hold, delay, cost_rate)
    values = panel.values[:, : panel.values.shape[1] - delay] if delay else panel.values
    closes = panel.closes[:, delay:]
    present = np.isfinite(panel.closes)
    coverage = np.isfinite(panel.values) & present
    return FactorReport(
        column=column,
        symbols=len(panel.symbols),
        moments=len(panel.moments),
        coverage=float(coverage.sum() / max(int(present.sum()), 1)),
        coefficients=tuple(_coefficient(values, closes, horizon) for horizon in horizons),
        spread=_spread(values, closes, quantiles, hold, cost_rate),
        times=panel.moments,
    )


def _check(
    panel: FactorPanel,
    horizons: Sequence[int],
    quantiles: int,
    hold: int,
    delay: int,
    cost_rate: float,
) -> None:
    if not horizons or min(horizons) < 1 or quantiles < 2 or hold < 1 or delay < 0 or cost_rate < 0:
        raise ConfigError(
            f"horizons were {tuple(horizons)}, quantiles {quantiles}, hold {hold}, delay {delay}, "
            f"cost rate {cost_rate}; expected horizons and hold >= 1, quantiles >= 2, others >= 0"
        )
    least = max(LEAST_MEMBERS, quantiles)
    if len(panel.symbols) < least:
        raise ConfigError(
            f"universe had {len(panel.symbols)} instruments; expected at least {least}"
        )


def later_returns(closes: Float64, horizon: int) -> Float64:
    """Return close to close returns over the rows after each moment, NaN where one is absent."""
    found = np.full(closes.shape, np.nan)
    if horizon < closes.shape[1]:
        found[:, :-horizon] = closes[:, horizon:] / closes[:, :-horizon] - 1.0
    return found


def rank_correlations(values: Float64, returns: Float64) -> Float64:
    """Return Spearman's correlation across the instruments at each moment.

    Parameters
    ----------
    values, returns : float64 array of shape (n_symbols, n_moments)
        What is compared; instruments with an unknown of either are left out of a moment.

    Returns
    -------
    float64 array of shape (n_moments,)
        Equal values share their mean rank; NaN with fewer than `LEAST_MEMBERS` instruments, or
        where all values or all returns are equal.
    """
    from scipy.stats import rankdata

    known = np.isfinite(values) & np.isfinite(returns)
    members = known.sum(axis=0)
    found = np.full(values.shape[1], np.nan)
    usable = members >= LEAST_MEMBERS
    if not usable.any():
        return found
    centred = []
    for table in (values, returns):
        # what is left out ranks last, behind everything that counts
        ranks = rankdata(np.where(known, table, np.inf)[:, usable], axis=0)
        middle = (members[usable] + 1) / 2.0
        centred.append(np.where(known[:, usable], ranks - middle, 0.0))
    left, right = centred
    scale = np.sqrt((left * left).sum(axis=0) * (right * right).sum(axis=0))
    together = (left * right).sum(axis=0)
    found[usable] = np.divide(together, scale, out=np.full(len(scale), np.nan), where=scale > 0)
    return found


def _coefficient(values: Float64, closes: Float64, horizon: int) -> HorizonCoefficient:
    known_values = values[:, : closes.shape[1]]
    series = rank_correlations(known_values, later_returns(closes, horizon))
    known = series[np.isfinite(series)]
    if len(known) < 2:
        raise ConfigError(
            f"horizon {horizon} had {len(known)} moments with {LEAST_MEMBERS} instruments; "
            "expected at least 2"
        )
    # Returns over several rows overlap, so their coefficients depend on as many before them.
    lags = None if horizon == 1 else min(2 * horizon, most_lags(len(known)))
    estimate = estimate_mean(known, lags)
    low, high = estimate.interval(LEVEL)
    return HorizonCoefficient(
        horizon=horizon,
        mean=float(estimate.mean),
        standard_error=float(estimate.standard_error),
        low=float(low),
        high=float(high),
        t=float(estimate.t),
        positive=float((known > 0).mean()),
        moments=len(known),
        series=series,
    )


def _spread(
    values: Float64, closes: Float64, quantiles: int, hold: int, cost_rate: float
) -> QuantileSpread:
    known = np.isfinite(values) & np.isfinite(closes)
    parts = _parts(np.where(known, values, np.inf), known, quantiles)
    following = later_returns(closes, 1)
    returns = np.where(np.isfinite(following), following, 0.0)
    means = np.full(quantiles, np.nan)
    for part in range(quantiles):
        chosen = (parts == part) & np.isfinite(following)
        if chosen.any():
            of_rows = chosen.sum(axis=0)
            sums = np.where(chosen, returns, 0.0).sum(axis=0)
            means[part] = float((sums[of_rows > 0] / of_rows[of_rows > 0]).mean())
    weights = _held(_shares(parts == quantiles - 1) - _shares(parts == 0), hold)
    # the last moment has no row after it
    gross = (weights * returns).sum(axis=0)[:-1]
    traded = np.abs(np.diff(weights, prepend=0.0, axis=1)).sum(axis=0)[:-1]
    net = gross - cost_rate * traded
    estimate = estimate_mean(net)
    low, high = estimate.interval(LEVEL)
    return QuantileSpread(
        quantiles=means,
        gross=float(gross.mean()),
        net=float(estimate.mean),
        low=float(low),
        high=float(high),
        turnover=float(traded.mean()),
        cost_rate=cost_rate,
        series=np.append(net, 0.0),
    )


def _parts(values: Float64, known: NDArray[np.bool_], quantiles: int) -> Int64:
    """Return the quantile of each instrument at each moment, -1 where it has none.

    Equal values go by the order of the instruments, so that the parts are equally large.
    """
    order = np.argsort(values, axis=0, kind="stable")
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(len(values))[:, None], axis=0)
    members = known.sum(axis=0)
    parts = places * quantiles // np.maximum(members, 1)
    usable = known & (members >= max(quantiles, LEAST_MEMBERS))
    found: Int64 = np.where(usable, parts, -1)
    return found


def _shares(chosen: NDArray[np.bool_]) -> Float64:
    count = np.maximum(chosen.sum(axis=0), 1)
    shares: Float64 = chosen / count
    return shares


def _held(weights: Float64, hold: int) -> Float64:
    """Return the mean of the latest choices, as many as each is held."""
    if hold == 1:
        return weights
    sums = np.cumsum(weights, axis=1)
    sums[:, hold:] = sums[:, hold:] - sums[:, :-hold]
    held: Float64 = sums / hold
    return held

"""How much independent evidence there is: trials, markets and trades that resemble each other.

A thousand variations of one rule are not a thousand trials, three coins that move together are not
three markets, and ten trades of one afternoon are not ten.

Sources
-------
Trials: the number of independent draws whose maximum has the same 95 % point, found by simulation
as in the multiplier bootstrap of V. Chernozhukov, D. Chetverikov and K. Kato, Annals of Statistics,
2013; the exponent is that of Z. Sidak, Journal of the American Statistical Association, 1967.
Markets: participation ratio of the eigenvalues of the correlation matrix, C. S. Bretherton et al.,
"The Effective Number of Spatial Degrees of Freedom", Journal of Climate, 1999. Trades: design
effect of a clustered sample, L. Kish, "Survey Sampling", 1965.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr

from tidewright.domain.errors import ConfigError
from tidewright.research.statistics.series import Float64, Int64, as_table, centred

_DRAWS = 4_000
_BATCH = 8_000_000
_TAIL = 0.95


@dataclass(frozen=True, slots=True)
class EffectiveTrades:
    """Round trips, and what they amount to once those of one day are not counted as separate.

    Parameters
    ----------
    trades : int
        Round trips.
    days : int
        Different days on which one ended.
    effective : float
        Independent trades that tell as much about the mean profit, 0 to ``trades``.
    """

    trades: int
    days: int
    effective: float


def effective_trials(
    profits: ArrayLike, generator: np.random.Generator, *, draws: int = _DRAWS
) -> float:
    """Return how many independent trials the configurations act like when the best is taken.

    Normal draws that are correlated as the configurations are have a highest value; the answer is
    the number of independent draws whose highest value has the same 95 % point. Configurations
    that never vary are no trials.

    Parameters
    ----------
    profits : float64 array of shape (n_sets, n_days)
        Daily profit of every configuration that was tried.
    generator : numpy.random.Generator
        Where the draws come from; 4,000 draws give the number to about 7 %.
    draws : int
        How many draws, at least 100.

    Returns
    -------
    float
        1 to n_sets.

    Raises
    ------
    ConfigError
        If there are fewer than 3 days, a value is not finite, or there are too few draws.
    """
    if draws < 100:
        raise ConfigError(f"draws were {draws}; expected at least 100")
    around = centred(as_table(profits, least=3))[1]
    length = np.sqrt(np.einsum("kt,kt->k", around, around))
    around = around[length > 0] / length[length > 0][:, None]
    trials = len(around)
    if trials < 2:
        return 1.0
    highest = np.empty(draws)
    step = max(1, _BATCH // max(trials, around.shape[1]))
    for begin in range(0, draws, step):
        end = min(begin + step, draws)
        noise = generator.standard_normal((around.shape[1], end - begin))
        highest[begin:end] = (around @ noise).max(axis=0)
    point = float(np.quantile(highest, _TAIL))
    return float(np.clip(math.log(_TAIL) / float(log_ndtr(point)), 1.0, trials))


def participation_ratio(correlations: ArrayLike) -> float:
    """Return (sum of eigenvalues)^2 / sum of squared eigenvalues of a correlation matrix.

    n^2 over the sum of all squared correlations: n where nothing is correlated, 1 where all is.

    Parameters
    ----------
    correlations : float64 array of shape (n, n)
        Symmetric, ones on the diagonal.

    Raises
    ------
    ConfigError
        If the matrix is not a correlation matrix.
    """
    matrix = np.asarray(correlations, dtype=np.float64)
    size = len(matrix) if matrix.ndim else 0
    if (
        not size
        or matrix.shape != (size, size)
        or not np.allclose(matrix, matrix.T)
        or not np.allclose(np.diag(matrix), 1.0)
        or not (np.abs(matrix) <= 1.0 + 1e-9).all()
    ):
        raise ConfigError(
            f"correlations had shape {matrix.shape}; expected a symmetric square matrix of numbers "
            "from -1 to 1 with ones on its diagonal"
        )
    return float(size * size / np.square(matrix).sum())


def effective_markets(returns: ArrayLike) -> float:
    """Return how many unrelated markets the instruments amount to.

    Parameters
    ----------
    returns : float64 array of shape (n_instruments, n_days)
        Daily returns over common days; an instrument that never moves is left out.

    Returns
    -------
    float
        1 to n_instruments.

    Raises
    ------
    ConfigError
        If there are fewer than 3 days, or a value is not finite.
    """
    return participation_ratio(_correlations(as_table(returns, least=3, name="daily return")))


def _correlations(table: Float64) -> Float64:
    around = centred(table)[1]
    length = np.sqrt(np.einsum("kt,kt->k", around, around))
    if not (length > 0).any():
        return np.ones((1, 1))
    scaled = around[length > 0] / length[length > 0][:, None]
    matrix: Float64 = np.clip(scaled @ scaled.T, -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def effective_trades(exit_days: ArrayLike, profits: ArrayLike) -> EffectiveTrades:
    """Return the number of round trips once those that ended on one day count together.

    Trades times the variance that their mean would have if all were independent, over the variance
    that it has if only days are. At most the number of trades.

    Parameters
    ----------
    exit_days : int64 array of shape (n_trades,)
        The day on which each ended.
    profits : float64 array of shape (n_trades,)
        Profit of each, in one unit.

    Raises
    ------
    ConfigError
        If the arrays differ in length or a profit is not finite.
    """
    days: Int64 = np.asarray(exit_days, dtype=np.int64).reshape(-1)
    gained = np.asarray(profits, dtype=np.float64).reshape(-1)
    if len(days) != len(gained) or not np.isfinite(gained).all():
        raise ConfigError(
            f"there were {len(days)} days and {len(gained)} profits; "
            "expected one finite profit for each day"
        )
    if len(days) == 0:
        return EffectiveTrades(0, 0, 0.0)
    place = np.unique(days, return_inverse=True)[1]
    clusters = int(place.max()) + 1
    around = gained - gained.mean()
    apart = float(np.square(around).sum())
    together = float(np.square(np.bincount(place, around)).sum())
    if clusters < 2 or together <= 0.0:
        return EffectiveTrades(len(days), clusters, float(clusters))
    effective = min(len(days) * apart / together, float(len(days)))
    return EffectiveTrades(len(days), clusters, effective)

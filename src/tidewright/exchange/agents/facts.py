"""How much a price series looks like those of real markets: eight stylised facts.

The list follows Cont (2001), "Empirical properties of asset returns"; the thresholds are wide, and
yet a market without memory fails those of clustering and of tails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError

Float64 = NDArray[np.float64]

SHORTEST = 300
"""Fewer returns than this say nothing about a lag of 100."""
_LAGS = range(2, 21)
_SCALE = 50


@dataclass(frozen=True, slots=True)
class StylisedFacts:
    """What was measured; `holds` says which of it is as in real markets.

    Parameters
    ----------
    linear : float
        Largest absolute autocorrelation of returns at lags 2 to 20.
    kurtosis, kurtosis_summed : float
        Excess kurtosis of returns, and of sums of 50 returns.
    tail : float
        Hill's index of the largest 2 % of absolute returns.
    clustering_10, clustering_100 : float
        Autocorrelation of absolute returns at lag 10, and its mean over lags 50 to 100.
    volume : float
        Correlation of absolute returns with traded volume.
    impact : float
        Exponent b of |return| ~ |signed volume|**b.
    """

    linear: float
    kurtosis: float
    kurtosis_summed: float
    tail: float
    clustering_10: float
    clustering_100: float
    volume: float
    impact: float

    @property
    def holds(self) -> Mapping[str, bool]:
        """Fact -> whether it holds."""
        return {
            "no linear autocorrelation": self.linear < 0.05,
            "heavy tails": self.kurtosis > 1.0,
            "sums are closer to normal": self.kurtosis_summed < 0.5 * self.kurtosis,
            "tail index": 2.0 <= self.tail <= 5.0,
            "volatility clusters": self.clustering_10 > 0.05,
            "clusters last": self.clustering_100 > 0.0,
            "volume goes with volatility": self.volume > 0.1,
            "impact is concave": 0.3 <= self.impact <= 0.8,
        }


def stylised_facts(prices: Float64, volume: Float64, signed_volume: Float64) -> StylisedFacts:
    """Measure a series of bars.

    Parameters
    ----------
    prices : float64 array of shape (n + 1,)
        Prices at the borders of bars of equal length, above 0; the middle of the quotes, since the
        last trade jumps between them.
    volume, signed_volume : float64 arrays of shape (n,)
        Lots traded in each bar, and lots bought less lots sold by takers.

    Raises
    ------
    ConfigError
        If there are fewer than 300 bars, or the arrays do not fit together.
    """
    if len(prices) != len(volume) + 1 or len(volume) != len(signed_volume):
        raise ConfigError(
            f"got {len(prices)} prices, {len(volume)} volumes and {len(signed_volume)} signed "
            "volumes; expected one price more than volumes"
        )
    if len(volume) < SHORTEST:
        raise ConfigError(f"got {len(volume)} bars; expected at least {SHORTEST}")
    returns = np.diff(np.log(prices))
    sizes = np.abs(returns)
    whole = len(returns) // _SCALE * _SCALE
    return StylisedFacts(
        linear=max(abs(_autocorrelation(returns, lag)) for lag in _LAGS),
        kurtosis=_excess_kurtosis(returns),
        kurtosis_summed=_excess_kurtosis(returns[:whole].reshape(-1, _SCALE).sum(axis=1)),
        tail=_hill(sizes),
        clustering_10=_autocorrelation(sizes, 10),
        clustering_100=float(np.mean([_autocorrelation(sizes, lag) for lag in range(50, 101)])),
        volume=float(np.corrcoef(sizes, volume)[0, 1]),
        impact=_impact_exponent(returns, signed_volume),
    )


def _autocorrelation(values: Float64, lag: int) -> float:
    centred = values - values.mean()
    return float((centred[lag:] * centred[:-lag]).mean() / centred.var())


def _excess_kurtosis(values: Float64) -> float:
    centred = values - values.mean()
    return float((centred**4).mean() / centred.var() ** 2 - 3.0)


def _hill(sizes: Float64) -> float:
    """Return Hill's estimate (1975) from the largest 2 % of values, 20 of them at least."""
    largest = np.sort(sizes)[::-1]
    count = max(20, len(largest) // 50)
    return float(1.0 / np.mean(np.log(largest[:count] / largest[count])))


def _impact_exponent(returns: Float64, signed_volume: Float64) -> float:
    """Return the slope of log mean move over log imbalance, over ten classes of imbalance."""
    moves = returns * np.sign(signed_volume)
    sizes = np.abs(signed_volume)
    order = np.argsort(sizes[sizes > 0], kind="stable")
    classes = [part for part in np.array_split(order, 10) if len(part)]
    held = sizes[sizes > 0]
    means = np.array([moves[sizes > 0][part].mean() for part in classes])
    typical = np.array([held[part].mean() for part in classes])
    seen = means > 0
    if seen.sum() < 3:
        return 0.0
    return float(np.polyfit(np.log(typical[seen]), np.log(means[seen]), 1)[0])

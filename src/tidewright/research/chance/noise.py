"""Search on noise: how good the same search gets where there is nothing to find.

Whoever tries a thousand rules keeps the best of them, and the best of a thousand useless rules
looks good. So everything that was searched is searched again on patternless copies of the same
market (`research.chance.surrogates`). The share of copies on which the best found is at least as
good as the best found in reality is the chance that reality is luck. No formula for the number of
tries is needed, and it does not matter how alike the tries were.

1. The statistic of a search is the largest t-statistic, over its configurations, of the daily
   excess over the matched benchmark, robust to dependent days (`statistic`). Trading nothing is
   always one of the choices and scores 0: a search whose best lost is beaten by every copy, and a
   configuration that never traded cannot win.
2. Copies are drawn until there were enough as good as reality, or all of them
   (`search_on_noise`). In the first case p = exceedances / copies, else
   p = (1 + exceedances) / (1 + copies).

Source: sequential Monte Carlo p-values are those of J. Besag and P. Clifford, "Sequential Monte
Carlo p-values", Biometrika, 1991. Stopping early loses no validity.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import Instrument
from tidewright.market.arrays import BarArrays
from tidewright.research.benchmark import excess, universe_returns
from tidewright.research.chance.surrogates import SurrogateMarket, surrogate_market
from tidewright.research.results import (
    DailyResults,
    Executor,
    Family,
    Float64,
    Int64,
    SerialExecutor,
)

SURROGATES = 200
"""Copies that are drawn unless enough were as good before."""
ENOUGH = 20
"""Copies as good as reality after which p is known well enough to stop."""
FAN = (0.05, 0.25, 0.50, 0.75, 0.95)
"""Quantiles of the paths of the best on copies."""
_TOGETHER = 2_000
"""Configurations measured at a time, which bounds memory."""

Progress = Callable[[int, int], None]
"""Told the number of copies searched, and how many were as good as reality."""


@dataclass(frozen=True, slots=True, eq=False)
class BestOf:
    """The best configuration of a search on one market.

    Parameters
    ----------
    place : int
        Which configuration; -1 where none traded.
    t : float
        Its t-statistic; minus infinity where none traded.
    days : int64 array of shape (n_days,)
        Days since 1970-01-01 UTC.
    path : float64 array of shape (n_days,)
        Its running excess as a share of the initial equity; 0 where none traded.
    """

    place: int
    t: float
    days: Int64
    path: Float64

    @property
    def score(self) -> float:
        """What searches are compared by: the t-statistic, 0 if that is higher."""
        return max(self.t, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class NoiseResult:
    """How a search compares with the same search on patternless copies of its market.

    Parameters
    ----------
    observed : float
        Largest t-statistic in reality; minus infinity where no configuration traded.
    best : int
        The configuration that has it; -1 where none traded.
    null : float64 array of shape (surrogates,)
        Score of the search on each copy, at least 0.
    exceedances, surrogates : int
        Copies on which the search did at least as well; copies searched.
    p_value : float
        Chance of so good a search or a better one if there were nothing to find, above 0 to 1.
    stopped_early : bool
        Whether there were enough exceedances before all copies were searched.
    days : int64 array of shape (n_days,)
        Days since 1970-01-01 UTC.
    path : float64 array of shape (n_days,)
        Running excess of the best configuration in reality, as a share of the initial equity.
    fan : float64 array of shape (len(FAN), n_days)
        Quantiles, over the copies, of the running excess of the best on each copy.
    """

    observed: float
    best: int
    null: Float64
    exceedances: int
    surrogates: int
    p_value: float
    stopped_early: bool
    days: Int64
    path: Float64
    fan: Float64

    @property
    def median(self) -> float:
        """Score that the search reaches on half of the copies."""
        return float(np.median(self.null))

    def critical(self, level: float = 0.05) -> float:
        """Return the score that the search exceeds on a share ``level`` of the copies."""
        return float(np.quantile(self.null, 1.0 - level))


def statistic(results: DailyResults, universe: Float64) -> BestOf:
    """Return the best configuration of a family and its t-statistic.

    Parameters
    ----------
    results : DailyResults
        Of a family, at least 3 days.
    universe : float64 array of shape (n_days,)
        Daily returns of the universe, equally weighted.

    Raises
    ------
    ConfigError
        If there are too few days, or no configuration at all.
    """
    # scipy is loaded only once something is measured.
    from tidewright.research.statistics.inference import t_statistic

    if not len(results):
        raise ConfigError("the family had no configuration; expected at least one")
    beyond = excess(results, universe)
    scores = np.concatenate(
        [
            t_statistic(beyond[first : first + _TOGETHER])
            for first in range(0, len(beyond), _TOGETHER)
        ]
    )
    scores = np.where(results.turnover > 0.0, scores, -np.inf)
    place = int(np.argmax(scores))
    t = float(scores[place])
    if t == -np.inf:
        return BestOf(-1, t, results.days, np.zeros(len(universe)))
    return BestOf(place, t, results.days, np.cumsum(beyond[place]))


@dataclass(frozen=True, slots=True, eq=False)
class _SearchOnCopy:
    """Search one copy: what an executor runs for each number."""

    family: Family
    market: SurrogateMarket
    instruments: tuple[Instrument, ...]
    seed: int

    def __call__(self, number: int) -> tuple[float, Float64]:
        copy = self.market.draw(self.seed, number)
        found = best_of_family(self.family, copy, self.instruments)
        # Where the best lost, trading nothing was better.
        return found.score, found.path if found.t > 0.0 else np.zeros(len(found.path))


def best_of_family(
    family: Family, series: tuple[BarArrays, ...], instruments: Sequence[Instrument]
) -> BestOf:
    """Run a family over a market and return its best configuration.

    Parameters
    ----------
    family : Family
        What is searched.
    series : tuple of BarArrays
        The market.
    instruments : sequence of Instrument
        The universe of the matched benchmark.

    Raises
    ------
    ConfigError
        If the family cannot be run or measured.
    """
    results = family.evaluate(series)
    return statistic(results, universe_returns(series, instruments, results.days))


def search_on_noise(
    family: Family,
    series: tuple[BarArrays, ...],
    instruments: Sequence[Instrument],
    *,
    surrogates: int = SURROGATES,
    enough: int = ENOUGH,
    seed: int = 0,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> NoiseResult:
    """Search a market and patternless copies of it, and compare.

    Parameters
    ----------
    family : Family
        Everything that was searched; one fixed rule is a family too.
    series : tuple of BarArrays
        The market, one series for each instrument of the family.
    instruments : sequence of Instrument
        The universe of the matched benchmark.
    surrogates : int
        Most copies, at least 1. The smallest p that they can give is 1 / (1 + surrogates).
    enough : int
        Stop once so many copies were as good as reality, at least 1.
    seed : int
        Which sequence of copies, at least 0.
    executor : Executor or None
        Where copies are searched; None is this process. The result does not depend on it.
    progress : callable or None
        Told after each copy how many there were and how many were as good.

    Raises
    ------
    ConfigError
        If a number is out of range, or the family cannot be run or measured.
    """
    if surrogates < 1 or enough < 1:
        raise ConfigError(
            f"surrogates and enough were {surrogates} and {enough}; expected at least 1"
        )
    real = best_of_family(family, series, instruments)
    work = _SearchOnCopy(family, surrogate_market(series), tuple(instruments), seed)
    null: list[float] = []
    paths: list[Float64] = []
    exceedances = 0
    found = (executor or SerialExecutor()).map(work, range(surrogates))
    try:
        for score, path in found:
            null.append(score)
            paths.append(path)
            exceedances += score >= real.score
            if progress is not None:
                progress(len(null), exceedances)
            if exceedances >= enough:
                break
    finally:
        if isinstance(found, Generator):
            found.close()
    return NoiseResult(
        observed=real.t,
        best=real.place,
        null=np.array(null),
        exceedances=exceedances,
        surrogates=len(null),
        p_value=_p_value(exceedances, len(null), enough),
        stopped_early=len(null) < surrogates,
        days=real.days,
        path=real.path,
        fan=np.quantile(np.stack(paths), FAN, axis=0),
    )


def _p_value(exceedances: int, surrogates: int, enough: int) -> float:
    if exceedances >= enough:
        return exceedances / surrogates
    return (1 + exceedances) / (1 + surrogates)

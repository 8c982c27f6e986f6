"""How often luck alone does as well, for what cannot be searched again on patternless markets.

A rule that a person or a language model wrote, or results that another tool made, come without a
search that could be repeated. What is left is what was tried beside it. Where the daily results of
everything that was tried are known, the maximum statistic answers; where only the number of tries
is, the deflated Sharpe ratio does, with as many independent trials as the known ones act like and
every unknown one counted in full.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tidewright.domain.errors import ConfigError
from tidewright.research.judging.evidence import PSource
from tidewright.research.statistics.effective import effective_trials
from tidewright.research.statistics.selection import max_statistic_test
from tidewright.research.statistics.series import as_series, as_table
from tidewright.research.statistics.sharpe_inference import (
    DeflatedSharpe,
    deflated_sharpe,
    sharpe_moments,
)

_LEAST_DAYS = 10


@dataclass(frozen=True, slots=True)
class Luck:
    """How often luck alone does as well.

    Parameters
    ----------
    p_value : float
        0 to 1.
    source : PSource
        How it was found.
    tries : int
        Configurations ever scored, this one included.
    trials : float
        Independent trials that they act like, 1 to ``tries``.
    deflated : DeflatedSharpe
        The deflated Sharpe ratio, beside the p-value in any case.
    """

    p_value: float
    source: PSource
    tries: int
    trials: float
    deflated: DeflatedSharpe


def luck_of_candidate(
    excess: ArrayLike,
    tries: int,
    generator: np.random.Generator,
    *,
    tried: ArrayLike | None = None,
    independent: float | None = None,
    paths: int = 1_000,
) -> Luck:
    """Return how often luck alone does as well as one candidate of many.

    Parameters
    ----------
    excess : float64 array of shape (n_days,)
        Daily excess of the candidate over its matched benchmark.
    tries : int
        Configurations ever scored on this data, this one included, at least 1.
    generator : numpy.random.Generator
        Where the draws come from.
    tried : float64 array of shape (n_others, n_days), optional
        Daily excess of the other configurations, over the same days, as far as it is known.
    independent : float, optional
        Independent trials that all tries act like, where that was written down; else the known
        ones count as their correlation says, and every unknown one in full.
    paths : int
        Histories of the maximum statistic, at least 99.

    Raises
    ------
    ConfigError
        If there are fewer than 10 days or 99 paths, a value is not finite, the days differ, or
        there were fewer tries than 1.
    """
    series = as_series(excess, _LEAST_DAYS).reshape(-1)
    if tries < 1:
        raise ConfigError(f"tries were {tries}; expected at least 1, the one at hand")
    known = series[None, :]
    if tried is not None and np.size(tried):
        others = as_table(tried, _LEAST_DAYS)
        if others.shape[1] != len(series):
            raise ConfigError(
                f"others had {others.shape[1]} days and the candidate {len(series)}; "
                "expected the same days"
            )
        known = np.vstack((known, others))
    tries = max(tries, len(known))
    if independent is None:
        alike = effective_trials(known, generator) if len(known) > 1 else 1.0
        trials = alike + (tries - len(known))
    else:
        trials = min(max(independent, 1.0), float(tries))
    ratios = sharpe_moments(known).sharpe
    variance = float(np.var(ratios, ddof=1)) if len(known) > 1 else None
    deflated = deflated_sharpe(series, trials, variance)
    if tries > len(known):
        return Luck(deflated.p_value, PSource.DEFLATED_SHARPE, tries, trials, deflated)
    tested = max_statistic_test(known, generator, paths=paths)
    p_value = float(tested.adjusted[0])
    return Luck(p_value, PSource.MAX_STATISTIC, tries, trials, deflated)

"""Sweeps: many configurations of a strategy over the same bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tidewright.domain.errors import ConfigError
from tidewright.domain.money import from_decimal
from tidewright.engine.config import StrategySetup
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.daily import SetSummary, calendar_of, joined_summaries, summary_of
from tidewright.research.bulk.request import BulkRequest, Unsupported
from tidewright.research.bulk.run import run_bulk
from tidewright.research.results import DailyResults

Progress = Callable[[int, int], None]
"""Told how many sets are done, and of how many."""
Stop = Callable[[], bool]
"""Asked between sets whether to stop."""


@dataclass(frozen=True, slots=True, eq=False)
class SweepRequest:
    """Many backtests that differ in their strategy alone.

    Parameters
    ----------
    base : BulkRequest
        Bars, limits, costs and window; its own strategy is not run.
    setups : tuple of StrategySetup
        The sets.
    """

    base: BulkRequest
    setups: tuple[StrategySetup, ...]

    def single(self, place: int) -> BulkRequest:
        """Return the backtest of one set."""
        config = replace(self.base.config, strategies=(self.setups[place],))
        return replace(self.base, config=config)


def run_sweep(
    request: SweepRequest, *, progress: Progress | None = None, stop: Stop | None = None
) -> DailyResults:
    """Run every set of a sweep.

    Parameters
    ----------
    request : SweepRequest
        The sweep.
    progress : callable or None
        Called with the sets done and the sets there are.
    stop : callable or None
        Asked between sets; once it says so, the sets done so far are the result.

    Returns
    -------
    DailyResults
        A row per set that was run, in the order of the sets: exactly what the set's own backtest
        gives.

    Raises
    ------
    ConfigError
        If the request contradicts itself, or the bulk loop cannot run a set.
    """
    calendar = calendar_of(request.base)
    summaries: list[SetSummary] = []
    for place in range(len(request.setups)):
        if stop is not None and stop():
            break
        result = run_bulk(request.single(place))
        if isinstance(result, Unsupported):
            raise ConfigError(f"set {place + 1} of the sweep: {result.reason}")
        summaries.append(summary_of(result, calendar))
        if progress is not None:
            progress(place + 1, len(request.setups))
    return joined_summaries(summaries, calendar, from_decimal(request.base.paper.initial_balance))


@dataclass(frozen=True, slots=True, eq=False)
class SweepFamily:
    """A sweep that can be run again on other prices.

    Parameters
    ----------
    name : str
        What was searched.
    request : SweepRequest
        The sweep; its series are those of the market that was searched.
    """

    name: str
    request: SweepRequest

    def evaluate(self, series: tuple[BarArrays, ...]) -> DailyResults:
        """Run every set over bars of the same instruments.

        Parameters
        ----------
        series : tuple of BarArrays
            One for each instrument of the request.

        Raises
        ------
        ConfigError
            As `run_sweep`.
        """
        base = replace(self.request.base, series=series)
        return run_sweep(replace(self.request, base=base))

"""The matched benchmark: the same universe, equal weight, at the same average exposure.

Whoever holds half of a rising market earns half of its rise without any skill. What a configuration
is credited with is therefore what it earned beyond holding equal money in every instrument of its
universe, as much as it held itself on average, all the time. The average is over the same days, so
a rule that rests and a rule that is always in the market are measured alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import Instrument
from tidewright.domain.time import DAY
from tidewright.market.arrays import BarArrays
from tidewright.research.results import DailyResults, Float64, Int64


def universe_returns(
    series: Sequence[BarArrays], instruments: Sequence[Instrument], days: Int64
) -> Float64:
    """Return the daily return of equal money in every instrument, shared out anew each day.

    An instrument counts from its first close to the day of its last bar; between them a day
    without a bar is a day without a change. Costs are not charged.

    Parameters
    ----------
    series : sequence of BarArrays
        Bars; those before the first day give the prices from which the first returns are counted.
    instruments : sequence of Instrument
        The universe; series of other instruments do not count.
    days : int64 array of shape (n_days,)
        Days since 1970-01-01 UTC, increasing. A bar known at midnight belongs to the day that it
        ends.

    Returns
    -------
    float64 array of shape (n_days,)
        Simple returns; 0 where no instrument has one.

    Raises
    ------
    ConfigError
        If an instrument has no series.
    """
    by_id = {one.instrument: one for one in series}
    if missing := sorted({one.id for one in instruments} - by_id.keys()):
        raise ConfigError(f"series were of {sorted(by_id)}; expected one of each of {missing} too")
    total, count = np.zeros(len(days)), np.zeros(len(days), np.int64)
    for instrument in instruments:
        returns, counts = _returns(by_id[instrument.id], days)
        total += returns
        count += counts
    return total / np.maximum(count, 1)


def excess(results: DailyResults, universe: Float64) -> Float64:
    """Return daily net profit beyond the matched benchmark, as shares of the initial equity.

    Parameters
    ----------
    results : DailyResults
        Of a family.
    universe : float64 array of shape (n_days,)
        `universe_returns` over the days of the results.

    Returns
    -------
    float64 array of shape (n_sets, n_days)
    """
    return results.daily_profit() - results.exposure[:, None] * universe[None, :]


def _returns(bars: BarArrays, days: Int64) -> tuple[Float64, Int64]:
    """Return simple returns between given days, and on which of them there was one."""
    if len(bars) == 0 or len(days) == 0:
        return np.zeros(len(days)), np.zeros(len(days), np.int64)
    day = (bars.ts_known - 1) // DAY
    ends = np.append(np.flatnonzero(np.diff(day)), len(day) - 1)
    at = np.searchsorted(day[ends], days, side="right") - 1
    before = np.append(np.searchsorted(day[ends], days[0], side="left") - 1, at[:-1])
    # Before the first day's end there is the first close, which is where holding begins.
    start = np.where(before >= 0, bars.close[ends[before]], bars.close[0])
    counted = (at >= 0) & (days <= day[-1])
    returns = np.where(counted, bars.close[ends[at]] / start - 1.0, 0.0)
    return returns, counted.astype(np.int64)

"""What makes a report less believable beside what daily results and trades show themselves.

`statistics.suspicion` asks about days and trades; here the questions are about stops of trading,
costs, delays, settings and data. Every question answers with a sentence, or with nothing; none of
them changes the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tidewright.research.report.values import (
    DataStamp,
    Finding,
    Outcome,
    Scenario,
    SweepMap,
    TradeList,
)

_FEW_TRADES = 30
_MOST_OF_IT = 0.5
_PEAK = 0.5


@dataclass(frozen=True, slots=True)
class Suspect:
    """The parts of a report that are looked at.

    Parameters
    ----------
    outcome : Outcome
        The result.
    trades : TradeList or None
        Round trips.
    scenarios : tuple of Scenario
        The first is the result as it is.
    sweep : SweepMap or None
        Of a search.
    data : DataStamp or None
        Of the market.
    fees : float or None
        Fees as a share of the initial equity.
    traded_days : int
        Days until a loss limit ended trading, or all of them.
    days : int
        Days examined.
    tries : int or None
        Configurations ever scored on this data; None when nobody knows.
    """

    outcome: Outcome
    trades: TradeList | None
    scenarios: tuple[Scenario, ...]
    sweep: SweepMap | None
    data: DataStamp | None
    fees: float | None
    traded_days: int
    days: int
    tries: int | None


def suspicious(suspect: Suspect) -> tuple[Finding, ...]:
    """Return what is suspicious, the weightiest first."""
    found = [finding for question in _QUESTIONS for finding in question(suspect)]
    return tuple(sorted(found, key=lambda one: -one.weight))


def _stopped(suspect: Suspect) -> Iterator[Finding]:
    if suspect.outcome.stopped_day is not None:
        share = suspect.traded_days / max(suspect.days, 1)
        yield Finding(
            8,
            f"A loss limit ended trading after {suspect.traded_days:,} of {suspect.days:,} days "
            f"({100 * share:.0f} %). The other days are flat and say nothing about the rule.",
        )


def _fragile(suspect: Suspect) -> Iterator[Finding]:
    if not suspect.scenarios or suspect.scenarios[0].net <= 0:
        return
    base = suspect.scenarios[0]
    for one in suspect.scenarios[1:]:
        if one.net <= 0:
            yield Finding(7, f"With {one.name} the profit is gone ({_percent(one.net)}).")
        elif one.net < base.net * _MOST_OF_IT:
            yield Finding(5, f"With {one.name} less than half of the profit is left.")


def _few_trades(suspect: Suspect) -> Iterator[Finding]:
    trades = suspect.trades
    if trades is not None and trades.days < _FEW_TRADES:
        yield Finding(
            6,
            f"Its {len(trades.profit):,} trades ended on {trades.days} different days: too few to "
            "say much.",
        )


def _costly(suspect: Suspect) -> Iterator[Finding]:
    if suspect.fees is None:
        return
    before = suspect.outcome.net + suspect.fees
    if before <= 0 and suspect.fees > 0.02:
        yield Finding(
            3, f"It loses before fees, and pays {100 * suspect.fees:.1f} % in fees on top."
        )


def _needle(suspect: Suspect) -> Iterator[Finding]:
    sweep = suspect.sweep
    if sweep is not None and sweep.neighbours is not None and sweep.neighbours < _PEAK:
        yield Finding(
            6,
            f"The settings beside the best reach {100 * sweep.neighbours:.0f} % of its score: a "
            "needle, not a plateau.",
        )


def _data(suspect: Suspect) -> Iterator[Finding]:
    data = suspect.data
    if data is not None and data.survivors:
        yield Finding(
            8, "The instruments were chosen knowing that they still exist: losers are missing."
        )
    if suspect.tries is None:
        yield Finding(
            4,
            "How many other rules were tried on this data is unknown; it may be the best of many.",
        )
    elif suspect.tries > 20:
        yield Finding(
            4, f"{suspect.tries:,} configurations have been tried on this data; one had to be best."
        )


_QUESTIONS: tuple[Callable[[Suspect], Iterator[Finding]], ...] = (
    _stopped,
    _fragile,
    _few_trades,
    _costly,
    _needle,
    _data,
)


def _percent(share: float) -> str:
    return f"{100.0 * share:+.1f} %"

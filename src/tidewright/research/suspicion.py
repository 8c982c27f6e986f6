"""What makes a backtest less believable: questions that an experienced reader asks first.

Every question is a function of the parts of a report and answers with a sentence, or with nothing.
None of them changes the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tidewright.research.report import (
    DataStamp,
    Finding,
    Month,
    Outcome,
    Scenario,
    SweepMap,
    TradeList,
)

_RARE_SHARPE = 3.0
_FEW_TRADES = 30
_TOP_TRADES = 5
_MOST_OF_IT = 0.5
_HIGH_WIN_RATE = 0.85
_SHORT_MINUTES_BARS = 2.0
_PEAK = 0.5


@dataclass(frozen=True, slots=True)
class Suspect:
    """The parts of a report that are looked at.

    Parameters
    ----------
    outcome : Outcome
        The result.
    sharpe : float or None
        Annual.
    trades : TradeList or None
        Round trips.
    months : tuple of Month
        Profit by month.
    scenarios : tuple of Scenario
        The first is the result as it is.
    sweep : SweepMap or None
        Of a search.
    data : DataStamp or None
        Of the market.
    fees : float or None
        Fees as a share of the initial equity.
    bar_minutes : float or None
        Length of a bar.
    traded_days : int
        Days until a loss limit ended trading, or all of them.
    days : int
        Days examined.
    tries : int or None
        Configurations ever scored on this data; None when nobody knows.
    """

    outcome: Outcome
    sharpe: float | None
    trades: TradeList | None
    months: tuple[Month, ...]
    scenarios: tuple[Scenario, ...]
    sweep: SweepMap | None
    data: DataStamp | None
    fees: float | None
    bar_minutes: float | None
    traded_days: int
    days: int
    tries: int | None


def suspicious(suspect: Suspect) -> tuple[Finding, ...]:
    """Return what is suspicious, the weightiest first."""
    found = [finding for question in _QUESTIONS for finding in question(suspect)]
    return tuple(sorted(found, key=lambda one: -one.weight))


def _too_good(suspect: Suspect) -> Iterator[Finding]:
    if suspect.sharpe is not None and suspect.sharpe > _RARE_SHARPE:
        yield Finding(
            9,
            f"An annual Sharpe ratio of {suspect.sharpe:.1f} is hardly ever real at this speed of "
            "trading: look for prices known too early, costs left out, or fills that no one gets.",
        )


def _stopped(suspect: Suspect) -> Iterator[Finding]:
    if suspect.outcome.stopped_day is not None:
        share = suspect.traded_days / max(suspect.days, 1)
        yield Finding(
            8,
            f"A loss limit ended trading after {suspect.traded_days:,} of {suspect.days:,} days "
            f"({share:.0%}). The other days are flat and say nothing about the rule.",
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


def _concentrated(suspect: Suspect) -> Iterator[Finding]:
    trades, net = suspect.trades, suspect.outcome.net
    if trades is not None and net > 0 and len(trades.profit) > 2 * _TOP_TRADES:
        top = float(np.sort(np.array(trades.profit))[-_TOP_TRADES:].sum())
        if top > net * _MOST_OF_IT:
            yield Finding(
                6,
                f"The {_TOP_TRADES} best of {len(trades.profit):,} trades earned "
                f"{top / net:.0%} of the whole profit: without a lucky few little is left.",
            )
    if net > 0 and len(suspect.months) >= 6:
        best = max(suspect.months, key=lambda one: one.profit)
        if best.profit > net * _MOST_OF_IT:
            yield Finding(
                5,
                f"One month ({best.year}-{best.month:02d}) earned {best.profit / net:.0%} of the "
                "whole profit.",
            )


def _few_trades(suspect: Suspect) -> Iterator[Finding]:
    trades = suspect.trades
    if trades is not None and trades.days < _FEW_TRADES:
        yield Finding(
            6,
            f"Its {len(trades.profit):,} trades ended on {trades.days} different days: too few to "
            "say much.",
        )


def _seller_of_tails(suspect: Suspect) -> Iterator[Finding]:
    trades = suspect.trades
    if trades is None or len(trades.profit) < _FEW_TRADES:
        return
    profit = np.array(trades.profit)
    won, lost = profit[profit > 0], profit[profit < 0]
    if not len(lost):
        yield Finding(7, "Not one trade lost. That is a rule that waits, or a mistake.")
    elif len(won) / len(profit) > _HIGH_WIN_RATE and -lost.mean() > 3 * won.mean():
        yield Finding(
            7,
            f"It wins {len(won) / len(profit):.0%} of the time and then loses "
            f"{-lost.mean() / won.mean():.0f} times as much at once: small gains against rare "
            "large losses, of which a short history shows too few.",
        )


def _quick(suspect: Suspect) -> Iterator[Finding]:
    trades, length = suspect.trades, suspect.bar_minutes
    if trades is None or not length or not trades.minutes:
        return
    middle = float(np.median(np.array(trades.minutes)))
    if middle <= _SHORT_MINUTES_BARS * length:
        yield Finding(
            6,
            f"Half of the trades end within {max(1, round(middle / length))} bar(s): what happens "
            "inside a bar decides, and a bar does not tell it.",
        )


def _costly(suspect: Suspect) -> Iterator[Finding]:
    if suspect.fees is None:
        return
    before = suspect.outcome.net + suspect.fees
    if before > 0 and suspect.fees > before * _MOST_OF_IT:
        yield Finding(5, f"Fees take {suspect.fees / before:.0%} of what it earns before them.")
    elif before <= 0 and suspect.fees > 0.02:
        yield Finding(3, f"It loses before fees, and pays {_percent(suspect.fees)} in fees on top.")


def _needle(suspect: Suspect) -> Iterator[Finding]:
    sweep = suspect.sweep
    if sweep is not None and sweep.neighbours is not None and sweep.neighbours < _PEAK:
        yield Finding(
            6,
            f"The settings beside the best reach {sweep.neighbours:.0%} of its score: a needle, "
            "not a plateau.",
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
    _too_good,
    _stopped,
    _fragile,
    _concentrated,
    _few_trades,
    _seller_of_tails,
    _quick,
    _costly,
    _needle,
    _data,
)


def _percent(share: float) -> str:
    return f"{100.0 * share:+.1f} %"

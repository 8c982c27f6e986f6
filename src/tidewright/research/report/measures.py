"""Figures of inference as a report shows them: name, value, words, and the formula in words.

What each cannot tell is in docs/reference/statistics.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tidewright.domain.portfolio import Trade
from tidewright.research.report.values import Measure
from tidewright.research.results import Float64
from tidewright.research.statistics.bootstrap import bootstrap_interval
from tidewright.research.statistics.inference import estimate_mean
from tidewright.research.statistics.sharpe_inference import annual, sharpe_standard_error
from tidewright.research.statistics.tail import (
    SMALLEST_WINDOW,
    TailMethod,
    coverage_test,
    rolling_value_at_risk,
    tail_risk,
)
from tidewright.research.statistics.trade_statistics import (
    WinRate,
    clustered,
    concentration,
    costs,
    streaks,
    win_rate,
)

_LEVEL = 0.95
_WINDOW = 250
_FEWEST_TESTED = 60
_FEWEST_RESAMPLED = 20


def certainty_measures(
    excess: Float64, days_per_year: float, generator: np.random.Generator
) -> tuple[Measure, ...]:
    """Return how sure the mean excess and the ratio are; nothing under 20 days.

    Parameters
    ----------
    excess : float64 array of shape (n_days,)
        Daily excess over the matched benchmark.
    days_per_year : float
        Observations of a year.
    generator : numpy.random.Generator
        Where the draws of the bootstrap come from.
    """
    if len(excess) < _FEWEST_RESAMPLED:
        return ()
    known = estimate_mean(excess)
    low, high = (float(end) * days_per_year for end in known.interval(0.90))
    drawn = bootstrap_interval(excess, generator, level=0.90)
    lowest, highest = (float(end[0]) * days_per_year for end in drawn)
    error = float(annual(sharpe_standard_error(excess), days_per_year))
    return (
        Measure(
            "Excess a year, 90 % interval",
            float(known.mean) * days_per_year,
            f"{100 * low:+.1f} % to {100 * high:+.1f} %",
            "mean daily excess -+ Student quantile x Newey-West standard error, x days a year",
        ),
        Measure(
            "The same by resampled blocks of days",
            None,
            f"{100 * lowest:+.1f} % to {100 * highest:+.1f} %",
            "5 % and 95 % of means of 2,000 resampled histories (Politis and Romano, 1994)",
        ),
        Measure(
            "Error of the annual ratio of the excess",
            error,
            f"-+ {error:.2f}",
            "delta method, days depending on each other (Lo, 2002)",
        ),
    )


def tail_measures(returns: Float64) -> tuple[Measure, ...]:
    """Return how bad a bad day is, and whether such a forecast would have held.

    Nothing under 20 days; the test of the forecast needs 60 days after as many or more to learn
    from, at most 250.

    Parameters
    ----------
    returns : float64 array of shape (n_days,)
        Simple daily returns on equity.
    """
    if len(returns) < SMALLEST_WINDOW:
        return ()
    seen = tail_risk(returns, _LEVEL)
    tomorrow = tail_risk(returns, _LEVEL, TailMethod.FILTERED)
    return (
        Measure(
            "Loss of a bad day (1 in 20)",
            seen.value_at_risk,
            f"{100 * seen.value_at_risk:.2f} %",
            "value at risk, 95 %, by history",
        ),
        Measure(
            "Average of those days",
            seen.expected_shortfall,
            f"{100 * seen.expected_shortfall:.2f} %",
            "expected shortfall, 95 % (Rockafellar and Uryasev, 2002)",
        ),
        Measure(
            "Bad day tomorrow, as restless as days are now",
            tomorrow.value_at_risk,
            f"{100 * tomorrow.value_at_risk:.2f} %, on average "
            f"{100 * tomorrow.expected_shortfall:.2f} %",
            "filtered history: days / forecast volatility x tomorrow's (Hull and White, 1998)",
        ),
        *_coverage(returns),
    )


def _coverage(returns: Float64) -> tuple[Measure, ...]:
    window = min(_WINDOW, len(returns) // 2)
    if window < _FEWEST_TESTED or not np.ptp(returns) > 0:
        return ()
    forecast = rolling_value_at_risk(returns, window, _LEVEL, TailMethod.FILTERED)
    found = coverage_test(-returns[window:] > forecast, _LEVEL)
    return (
        Measure(
            "Days worse than forecast the day before",
            float(found.exceptions),
            f"{found.exceptions} of {found.days}, {found.expected:.0f} expected; p = "
            f"{found.coverage_p:.2f} for their number, {found.independence_p:.2f} for runs",
            f"filtered 95 % forecast from {window} days; Kupiec 1995, Christoffersen 1998",
        ),
    )


def trade_measures(trades: Sequence[Trade], profit: Float64) -> tuple[Measure, ...]:
    """Return what round trips say; nothing without one.

    Parameters
    ----------
    trades : sequence of Trade
        Round trips.
    profit : float64 array of shape (n_days,)
        Daily profit.
    """
    rate = win_rate([trade.pnl for trade in trades])
    if rate is None:
        return ()
    together, rows = clustered(trades), streaks(trades)
    return (
        Measure(
            "Winning trades",
            rate.share,
            _rate_words(rate),
            "wins / trades with Wilson's 95 % interval; the share at which such wins and losses "
            "cancel is 1 / (1 + mean win / mean loss)",
        ),
        Measure(
            "Profit of a trade in mean losses",
            rate.expectancy,
            "" if rate.expectancy is not None else "nothing was lost",
            "mean profit / mean loss",
        ),
        Measure(
            "Independent trades",
            together.effective,
            f"{together.effective:,.0f} of {together.trades:,}, on {together.days:,} days",
            "trades x variance of their mean if all were independent / if only days are",
        ),
        Measure(
            "Longest row of losing trades",
            float(rows.losses),
            f"{rows.losses}; {rows.expected_losses:.0f} is usual for that share of losers",
            "expected: ln(n (1 - q)) / ln(1 / q), q the share of losers (Schilling, 1990)",
        ),
        *_shares(trades, profit),
    )


def _rate_words(rate: WinRate) -> str:
    words = f"{_whole(rate.share)} ({_whole(rate.low)} to {_whole(rate.high)})"
    if rate.payoff is None or rate.break_even is None:
        return words
    return f"{words}; a win is {rate.payoff:.2f} losses, so {_whole(rate.break_even)} break even"


def _shares(trades: Sequence[Trade], profit: Float64) -> tuple[Measure, ...]:
    paid, few = costs(trades), concentration(profit, trades)
    found = []
    if paid.share is not None:
        found.append(
            Measure(
                "Fees as a share of the profit before them",
                paid.share,
                _whole(paid.share),
                "fees / profit of all trades before fees",
            )
        )
    if few.best_day is not None and few.days_to_nothing is not None:
        found.append(
            Measure(
                "Share of the profit from the best day",
                few.best_day,
                f"{_whole(few.best_day)}; without the {few.days_to_nothing} best days none is left",
                "profit of the best day / net profit",
            )
        )
    return tuple(found)


def _whole(share: float) -> str:
    return f"{100 * share:.0f} %"

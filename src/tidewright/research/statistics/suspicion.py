"""What is suspicious about a backtest: patterns that good luck and wrong assumptions leave behind.

None of these decides anything. Each is a sentence that a careful reader would want to know before
believing the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tidewright.domain.errors import ConfigError
from tidewright.domain.portfolio import Trade
from tidewright.research.statistics.overfitting import sub_periods
from tidewright.research.statistics.series import Float64, as_series
from tidewright.research.statistics.sharpe_inference import annual, sharpe_moments
from tidewright.research.statistics.trade_statistics import (
    concentration,
    costs,
    win_rate,
    within_one_bar,
)

REGIME_DAYS = 20
"""Days over which the market's direction is measured."""
_PARTS = 4
_FEW_DAYS = 5
_SKEWED = -1.0
_GOOD = 3.0
_HALF = 0.5
_TENTH = 0.1
_MOSTLY = 0.8


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One thing to look at before the result is believed.

    Parameters
    ----------
    code : str
        Short name, for machines.
    text : str
        What it is and why it matters, a sentence.
    """

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class RegimeProfit:
    """Profit in three equally frequent states of the market, shares of the initial equity.

    Parameters
    ----------
    falling, sideways, rising : float
        Sum of the daily profits of days at whose end the market's last 20 days ranked in the lower,
        middle and upper third.
    """

    falling: float
    sideways: float
    rising: float


def regime_profit(profits: ArrayLike, market: ArrayLike) -> RegimeProfit:
    """Return profit by the direction of the market around it.

    Parameters
    ----------
    profits : float64 array of shape (n_days,)
        Daily profit.
    market : float64 array of shape (n_days,)
        Daily returns of the market.

    Raises
    ------
    ConfigError
        If there are fewer than 60 days, the lengths differ, or a value is not finite.
    """
    gained = as_series(profits, 3 * REGIME_DAYS).reshape(-1)
    returns = as_series(market, 3 * REGIME_DAYS, "market return").reshape(-1)
    if len(gained) != len(returns):
        raise ConfigError(f"there were {len(gained)} profits and {len(returns)} market returns")
    sums = np.concatenate((np.zeros(REGIME_DAYS), np.cumsum(returns)))
    trend = sums[REGIME_DAYS:] - sums[:-REGIME_DAYS]
    third = np.argsort(np.argsort(trend, kind="stable")) * 3 // len(trend)
    falling, sideways, rising = np.bincount(third, gained, minlength=3).tolist()
    return RegimeProfit(falling, sideways, rising)


def suspicions(
    profits: ArrayLike,
    trades: Sequence[Trade] = (),
    *,
    days_per_year: float = 365.0,
    market: ArrayLike | None = None,
    bar_length: int | None = None,
) -> tuple[Suspicion, ...]:
    """Return what a careful reader would ask about, most telling first; none for a loss.

    Parameters
    ----------
    profits : float64 array of shape (n_days,)
        Daily profit over the full calendar as shares of the initial equity.
    trades : sequence of Trade
        Round trips.
    days_per_year : float
        Observations of a year.
    market : float64 array of shape (n_days,), optional
        Daily returns of holding the same instruments.
    bar_length : int, optional
        Nanoseconds of a bar.

    Raises
    ------
    ConfigError
        If there are fewer than 12 days, the lengths differ, or a value is not finite.
    """
    daily = as_series(profits, 3 * _PARTS).reshape(-1)
    if not daily.sum() > 0:
        return ()
    found = [*_of_days(daily, trades, days_per_year), *_of_trades(trades, bar_length)]
    if market is not None and len(daily) >= 3 * REGIME_DAYS:
        found += _of_regimes(daily, as_series(market, 1, "market return").reshape(-1))
    return tuple(found)


def _of_days(daily: Float64, trades: Sequence[Trade], days_per_year: float) -> Iterator[Suspicion]:
    few = concentration(daily, trades)
    if few.days_to_nothing is not None and few.days_to_nothing <= _FEW_DAYS:
        best = f"{few.days_to_nothing} best days" if few.days_to_nothing > 1 else "best day"
        yield Suspicion(
            "few_days", f"Without the {best} of {len(daily)} nothing would have been earned."
        )
    if len(trades) > 1 and few.best_trade is not None and few.best_trade > _HALF:
        yield Suspicion(
            "one_trade",
            f"One trade earned {few.best_trade:.0%} of what all trades earned together.",
        )
    parts = sub_periods(daily, _PARTS)
    if parts.positive == 1:
        number = int(np.argmax(parts.profit)) + 1
        yield Suspicion(
            "one_period",
            f"Of {_PARTS} equal parts of the time only part {number} gained; the others lost.",
        )
    moments = sharpe_moments(daily)
    ratio = float(annual(moments.sharpe, days_per_year))
    if ratio > _GOOD:
        yield Suspicion(
            "too_good",
            f"The annual Sharpe ratio of {ratio:.1f} is higher than that of almost every fund; "
            "look for prices that could not be known or traded.",
        )
    if float(moments.skewness) < _SKEWED:
        yield Suspicion(
            "rare_losses",
            "Gains are small and losses rare and large: a longer time would probably hold larger "
            "losses than this one.",
        )


def _of_trades(trades: Sequence[Trade], bar_length: int | None) -> Iterator[Suspicion]:
    rate = win_rate([trade.pnl for trade in trades])
    if rate is None:
        return
    if rate.share > _MOSTLY and rate.payoff is not None and rate.payoff < _HALF:
        yield Suspicion(
            "wins_small",
            f"{rate.share:.0%} of trades won, but a loss was {1.0 / rate.payoff:.1f} times as "
            f"large as a win: {rate.break_even:.0%} must win to break even.",
        )
    paid = costs(trades)
    if paid.share is not None and paid.share > _HALF:
        yield Suspicion(
            "costs", f"Fees took {paid.share:.0%} of the profit; slightly worse prices end it."
        )
    inside = within_one_bar(trades, bar_length) if bar_length else None
    if inside is not None and inside > _TENTH:
        yield Suspicion(
            "inside_one_bar",
            f"{inside:.0%} of trades met their stop or target in the bar they began in; which came "
            "first is not in the data. Use finer bars.",
        )


def _of_regimes(daily: Float64, market: Float64) -> Iterator[Suspicion]:
    regimes = regime_profit(daily, market)
    named = {
        "falling": regimes.falling,
        "sideways": regimes.sideways,
        "rising": regimes.rising,
    }
    best = max(named, key=lambda name: named[name])
    if sum(named.values()) - named[best] <= 0:
        yield Suspicion(
            "one_regime",
            f"All profit came from times of {best} prices, a third of the days; the other two "
            "thirds together earned nothing.",
        )

"""How well a run did: pure functions over an equity series and its round trips.

Returns are simple and daily, by UTC days. A series that trades every day of the week keeps days
without a bar as days of zero return, so a strategy that rests is not flattered; a series with
trading days keeps the days that had a bar. What a series is too short or too flat to say is None,
never zero or infinity.

Sources
-------
Sharpe ratio: W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management, 1994 (risk-free
rate 0). Sortino ratio: F. A. Sortino and R. van der Meer, "Downside Risk", Journal of Portfolio
Management, 1991 (target 0, downside over all days). Value at risk: historical simulation, as in
P. Jorion, "Value at Risk", 2006. Expected shortfall: R. T. Rockafellar and S. Uryasev, "Conditional
Value-at-Risk for General Loss Distributions", Journal of Banking and Finance, 2002.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.domain.money import UNITS_PER_CURRENCY
from tidewright.domain.portfolio import Trade
from tidewright.domain.time import DAY, MINUTE

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

YEAR_DAYS = 365.25
"""Days of a calendar year, for growth rates."""
SHORTEST_ANNUALISED = 30 * DAY
"""Growth over less than this is not extrapolated to a year."""
SMALLEST_TAIL = 20
"""A 5 % tail needs at least this many daily returns."""
_FLAT = 1e-12


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days count, and how many of them make a year.

    Parameters
    ----------
    days_per_year : int
        Days per year by which daily figures are annualised.
    every_day : bool
        Whether days without an observation count as days of zero return.
    """

    days_per_year: int
    every_day: bool


CRYPTO_CALENDAR = Calendar(365, every_day=True)
"""Markets that never close."""
STOCK_CALENDAR = Calendar(252, every_day=False)
"""Markets with trading days."""

FORMULAS: Mapping[str, str] = {
    "total_return": "final equity / initial equity - 1",
    "cagr": "(final / initial equity) ^ (365.25 / days) - 1; from 30 days on",
    "volatility": "standard deviation of daily returns x sqrt(days per year)",
    "sharpe": "mean / standard deviation of daily returns x sqrt(days per year); risk-free rate 0",
    "sortino": "mean daily return / root mean square of negative ones x sqrt(days per year)",
    "max_drawdown": "largest fall of equity from its highest value so far, as a share of it",
    "max_drawdown_days": "longest time from a highest value until it was reached again",
    "value_at_risk_95": "loss exceeded on 5 % of days: minus the 5 % quantile of daily returns",
    "expected_shortfall_95": "mean loss of the 5 % worst days",
    "skewness": "third standardised moment of daily returns: below 0, losses are the larger ones",
    "kurtosis": "fourth standardised moment of daily returns: 3 when normal, higher with jumps",
    "exposure": "share of the time with at least one position open",
    "trades": "round trips, from flat to flat",
    "win_rate": "round trips with a profit after fees / all round trips",
    "profit_factor": "sum of profits / sum of losses, after fees",
    "average_trade": "mean profit of a round trip after fees, account currency",
    "benchmark_return": "buy and hold: equal money in each instrument at its first price, no costs",
}
"""Metric name -> its formula in words."""


@dataclass(frozen=True, slots=True)
class PerformanceReport:
    """What one run achieved; shares are fractions of 1, money is in the account currency.

    Parameters
    ----------
    start, end : int
        First and last observation, nanoseconds UTC.
    days_per_year : int
        By which daily figures were annualised.
    initial_equity, final_equity : float
        Account currency.
    total_return : float
        Since the start.
    cagr, volatility, sharpe, sortino : float or None
        Annual figures; None when the series is too short or too flat.
    max_drawdown : float
        Depth, 0 to 1 (above 1 when equity fell below zero).
    max_drawdown_days : float
        Longest time under a former peak, days.
    value_at_risk_95 : float or None
        Share of equity lost on the 5 % worst days, at least; None under 20 daily returns.
    expected_shortfall_95 : float or None
        Share of equity lost on the 5 % worst days, on average; None under 20 daily returns.
    skewness, kurtosis : float or None
        Of daily returns; None for fewer than three of them, or when they do not vary.
    exposure : float
        Share of time with a position, 0 to 1.
    trades : int
        Round trips.
    win_rate, profit_factor, average_trade, best_trade, worst_trade : float or None
        Of round trips; None when there is none (profit factor: none that lost).
    average_trade_minutes : float or None
        Mean duration of a round trip.
    fees : float
        Fees of all round trips.
    benchmark_return, benchmark_sharpe, benchmark_max_drawdown : float or None
        Buy and hold over the same time; None without prices.
    """

    start: int
    end: int
    days_per_year: int
    initial_equity: float
    final_equity: float
    total_return: float
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown: float
    max_drawdown_days: float
    value_at_risk_95: float | None
    expected_shortfall_95: float | None
    skewness: float | None
    kurtosis: float | None
    exposure: float
    trades: int
    win_rate: float | None
    profit_factor: float | None
    average_trade: float | None
    best_trade: float | None
    worst_trade: float | None
    average_trade_minutes: float | None
    fees: float
    benchmark_return: float | None
    benchmark_sharpe: float | None
    benchmark_max_drawdown: float | None

    def to_dict(self) -> dict[str, int | float | None]:
        """Return the report as a JSON object."""
        return asdict(self)


def total_return(initial: float, final: float) -> float:
    """Return final / initial - 1.

    Raises
    ------
    ConfigError
        If the initial equity is not above zero.
    """
    if not initial > 0:
        raise ConfigError(f"initial equity was {initial}; expected above 0")
    return final / initial - 1.0


def cagr(initial: float, final: float, span: int) -> float | None:
    """Return the compound annual growth rate over a span in nanoseconds.

    None under 30 days, and when the account is worth nothing.
    """
    if span < SHORTEST_ANNUALISED or final <= 0 or initial <= 0:
        return None
    return float((final / initial) ** (YEAR_DAYS * DAY / span) - 1.0)


def daily_equity(ts: Int64, equity: Float64, *, every_day: bool) -> Float64:
    """Return the last equity of each UTC day.

    An observation at midnight belongs to the day that it ends.

    Parameters
    ----------
    ts : int64 array of shape (n,)
        Nanoseconds UTC, increasing.
    equity : float64 array of shape (n,)
        Equity at those times.
    every_day : bool
        Whether days without an observation repeat the equity of the day before.

    Returns
    -------
    float64 array of shape (n_days,)
    """
    if len(ts) == 0:
        return np.empty(0)
    days: Int64 = (ts - 1) // DAY
    last: NDArray[np.intp] = np.append(np.flatnonzero(np.diff(days)), len(days) - 1)
    if not every_day:
        return equity.take(last)
    wanted = np.arange(days[0], days[-1] + 1)
    return equity.take(last[np.searchsorted(days[last], wanted, side="right") - 1])


def daily_returns(daily: Float64, initial: float) -> Float64:
    """Return simple returns of daily equity, the first one since the initial equity.

    The series ends with the day on which equity first is zero or less: there is no return on
    nothing.
    """
    values = np.concatenate(([initial], daily))
    ruined = np.flatnonzero(values <= 0)
    if len(ruined):
        values = values[: ruined[0] + 1]
    return np.diff(values) / values[:-1]


def volatility(returns: Float64, per_year: int) -> float | None:
    """Return the annualised sample standard deviation; None for fewer than two returns."""
    if len(returns) < 2:
        return None
    return float(np.std(returns, ddof=1) * np.sqrt(per_year))


def sharpe(returns: Float64, per_year: int) -> float | None:
    """Return mean / sample standard deviation x sqrt(per_year); None when returns do not vary."""
    if len(returns) < 2:
        return None
    mean, deviation = float(np.mean(returns)), float(np.std(returns, ddof=1))
    if deviation <= _FLAT * max(1.0, abs(mean)):
        return None
    return float(mean / deviation * np.sqrt(per_year))


def sortino(returns: Float64, per_year: int) -> float | None:
    """Return mean / downside deviation x sqrt(per_year); None without a negative return.

    The downside deviation is the root of the mean, over all returns, of min(return, 0) squared.
    """
    if len(returns) < 2:
        return None
    downside = float(np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2)))
    if downside <= _FLAT:
        return None
    return float(np.mean(returns) / downside * np.sqrt(per_year))


def drawdown(equity: Float64, initial: float) -> Float64:
    """Return the fall from the highest equity so far, as a share of it; shape (n,), 0 to 1."""
    peaks = np.maximum(np.maximum.accumulate(equity), initial) if len(equity) else equity
    return 1.0 - equity / peaks


def longest_drawdown(ts: Int64, equity: Float64, initial: float) -> int:
    """Return the longest time from a peak until equity reached it again, or until the end.

    Returns
    -------
    int
        Nanoseconds.
    """
    if len(ts) == 0:
        return 0
    at_peak = drawdown(equity, initial) <= 0.0
    last_peak = np.maximum.accumulate(np.where(at_peak, ts, ts[0]))
    under = np.where(at_peak, 0, ts - last_peak)
    recovered = at_peak[1:] & ~at_peak[:-1]
    until = np.where(recovered, ts[1:] - last_peak[:-1], 0)
    return int(max(under.max(), until.max(initial=0)))


def value_at_risk(returns: Float64, level: float = 0.95) -> float | None:
    """Return minus the (1 - level) quantile of returns, interpolated linearly.

    None under 20 returns. Below zero when even the bad days gained.
    """
    if len(returns) < SMALLEST_TAIL:
        return None
    return float(-np.quantile(returns, 1.0 - level))


def expected_shortfall(returns: Float64, level: float = 0.95) -> float | None:
    """Return the mean loss of the worst (1 - level) of days; None under 20 returns.

    Value at risk plus the mean of what losses exceed it by, over all days, / (1 - level).
    """
    at_risk = value_at_risk(returns, level)
    if at_risk is None:
        return None
    beyond = float(np.mean(np.maximum(-returns - at_risk, 0.0)))
    return at_risk + beyond / (1.0 - level)


def skewness_and_kurtosis(returns: Float64) -> tuple[float, float] | None:
    """Return the third and fourth standardised moments; None when returns do not vary."""
    if len(returns) < 3:
        return None
    around = returns - np.mean(returns)
    deviation = float(np.sqrt(np.mean(around**2)))
    if deviation <= _FLAT * max(1.0, float(np.abs(returns).max())):
        return None
    scaled = around / deviation
    return float(np.mean(scaled**3)), float(np.mean(scaled**4))


def monthly_returns(days: Int64, equity: Float64, initial: float) -> dict[int, dict[int, float]]:
    """Return the return of each calendar month, by year and month (UTC).

    The first and the last month may be incomplete. Months after the equity fell to zero or less are
    left out: there is no return on nothing.

    Parameters
    ----------
    days : int64 array of shape (n_days,)
        Days since 1970-01-01, increasing.
    equity : float64 array of shape (n_days,)
        Equity at the end of each day.
    initial : float
        Equity before the first day, above 0.
    """
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    last = np.flatnonzero(np.append(np.diff(months) != 0, len(months) > 0))
    table: dict[int, dict[int, float]] = {}
    before = initial
    for row in last.tolist():
        if before <= 0:
            break
        year, month = divmod(int(months[row]), 12)
        table.setdefault(1970 + year, {})[month + 1] = float(equity[row]) / before - 1.0
        before = float(equity[row])
    return table


def exposure(intervals: Sequence[tuple[int, int]], start: int, end: int) -> float:
    """Return the share of [start, end] covered by at least one interval; 0 for an empty span."""
    covered, reached = 0, start
    for opened, closed in sorted(intervals):
        first, last = max(opened, reached), min(closed, end)
        if last > first:
            covered += last - first
        reached = max(reached, last)
    return covered / (end - start) if end > start else 0.0


def win_rate(profits: Sequence[int]) -> float | None:
    """Return the share of profits above zero; None without any."""
    return sum(profit > 0 for profit in profits) / len(profits) if profits else None


def profit_factor(profits: Sequence[int]) -> float | None:
    """Return the sum of profits over the sum of losses; None when nothing was lost."""
    lost = -sum(profit for profit in profits if profit < 0)
    return sum(profit for profit in profits if profit > 0) / lost if lost else None


def buy_and_hold(prices: Float64, initial: float) -> Float64:
    """Return the equity of equal money put into each instrument at its first price, without costs.

    Parameters
    ----------
    prices : float64 array of shape (n,) or (n, n_instruments)
        Closes; NaN before an instrument's first price and where it has no bar. Until the first
        price its share stays cash; later gaps keep the last price.
    initial : float
        Money at the start, above 0.

    Returns
    -------
    float64 array of shape (n,)
    """
    table = prices.reshape(len(prices), -1)
    rows = np.where(np.isnan(table), -1, np.arange(len(table))[:, None])
    known = np.maximum.accumulate(rows, axis=0)
    filled = np.take_along_axis(table, np.maximum(known, 0), axis=0)
    first = table[np.argmax(rows >= 0, axis=0), np.arange(table.shape[1])]
    growth = np.where(known >= 0, filled / first, 1.0)
    return np.asarray(initial * growth.mean(axis=1), np.float64)


@dataclass(frozen=True, slots=True)
class EquitySeries:
    """Equity over time.

    Parameters
    ----------
    ts : int64 array of shape (n,)
        Nanoseconds UTC, increasing; n at least 1.
    equity : int64 array of shape (n,)
        Money units.
    initial : int
        Money units before the first observation, above 0.
    """

    ts: Int64
    equity: Int64
    initial: int


def performance_report(
    series: EquitySeries,
    trades: Sequence[Trade],
    *,
    calendar: Calendar = CRYPTO_CALENDAR,
    open_since: Sequence[int] = (),
    prices: Float64 | None = None,
) -> PerformanceReport:
    """Measure one run.

    Parameters
    ----------
    series : EquitySeries
        Equity after each slice, or thinned as long as the last value of each day is kept.
    trades : sequence of Trade
        Finished round trips.
    calendar : Calendar
        Which days count.
    open_since : sequence of int
        Opening times of positions still held at the end, nanoseconds UTC.
    prices : float64 array of shape (n,) or (n, n_instruments), optional
        Closes at the times of the series, for buy and hold.

    Raises
    ------
    ConfigError
        If the series is empty or its initial equity is not above zero.
    """
    if len(series.ts) == 0:
        raise ConfigError("equity series was empty; expected at least one observation")
    ts = series.ts
    start, end = int(ts[0]), int(ts[-1])
    initial = series.initial / UNITS_PER_CURRENCY
    equity = series.equity / float(UNITS_PER_CURRENCY)
    final = float(equity[-1])
    growth = total_return(initial, final)
    per_year = calendar.days_per_year
    returns = daily_returns(daily_equity(ts, equity, every_day=calendar.every_day), initial)
    intervals = [(trade.ts_entry, trade.ts_exit) for trade in trades]
    intervals += [(opened, end) for opened in open_since]
    profits = [trade.pnl for trade in trades]
    shape = skewness_and_kurtosis(returns)
    held = buy_and_hold(prices, initial) if prices is not None else None
    return PerformanceReport(
        start=start,
        end=end,
        days_per_year=per_year,
        initial_equity=initial,
        final_equity=final,
        total_return=growth,
        cagr=cagr(initial, final, end - start),
        volatility=volatility(returns, per_year),
        sharpe=sharpe(returns, per_year),
        sortino=sortino(returns, per_year),
        max_drawdown=_deepest(equity, initial),
        max_drawdown_days=longest_drawdown(ts, equity, initial) / DAY,
        value_at_risk_95=value_at_risk(returns),
        expected_shortfall_95=expected_shortfall(returns),
        skewness=None if shape is None else shape[0],
        kurtosis=None if shape is None else shape[1],
        exposure=exposure(intervals, start, end),
        trades=len(trades),
        win_rate=win_rate(profits),
        profit_factor=profit_factor(profits),
        average_trade=_money(sum(profits) / len(profits)) if profits else None,
        best_trade=_money(max(profits)) if profits else None,
        worst_trade=_money(min(profits)) if profits else None,
        average_trade_minutes=_average_minutes(trades),
        fees=_money(sum(trade.fees for trade in trades)),
        benchmark_return=None if held is None else total_return(initial, float(held[-1])),
        benchmark_sharpe=None if held is None else _held_sharpe(ts, held, initial, calendar),
        benchmark_max_drawdown=None if held is None else _deepest(held, initial),
    )


def _money(units: float) -> float:
    return float(units / UNITS_PER_CURRENCY)


def _deepest(equity: Float64, initial: float) -> float:
    return max(0.0, float(drawdown(equity, initial).max()))


def _average_minutes(trades: Sequence[Trade]) -> float | None:
    if not trades:
        return None
    minutes: float = sum(trade.ts_exit - trade.ts_entry for trade in trades) / MINUTE
    return minutes / len(trades)


def _held_sharpe(ts: Int64, held: Float64, initial: float, calendar: Calendar) -> float | None:
    daily = daily_equity(ts, held, every_day=calendar.every_day)
    return sharpe(daily_returns(daily, initial), calendar.days_per_year)

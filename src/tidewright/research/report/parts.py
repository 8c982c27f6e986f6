"""From daily results and round trips to the parts of a report: pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from tidewright.domain.portfolio import Trade
from tidewright.domain.time import DAY, MINUTE
from tidewright.market.arrays import BarArrays
from tidewright.research.metrics import drawdown, sharpe
from tidewright.research.report.values import (
    Baseline,
    Curve,
    Month,
    NoiseSearch,
    Outcome,
    SweepMap,
    TradeList,
)
from tidewright.research.results import Float64, Int64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def curve_of(
    days: Int64, profit: Float64, universe: Float64 | None = None, exposure: float = 0.0
) -> Curve:
    """Return equity of each day beside both ways of holding.

    Parameters
    ----------
    days : int64 array of shape (n_days,)
        Days since 1970-01-01 UTC.
    profit : float64 array of shape (n_days,)
        Daily net profit as a share of the initial equity.
    universe : float64 array of shape (n_days,) or None
        Daily return of equal money in every instrument.
    exposure : float
        Average value held, as a share of the initial equity.
    """
    equity = 1.0 + np.cumsum(profit)
    if universe is None:
        return Curve(tuple(days.tolist()), tuple(equity.tolist()))
    matched = 1.0 + exposure * np.cumsum(universe)
    held = np.cumprod(1.0 + universe)
    return Curve(
        tuple(days.tolist()),
        tuple(equity.tolist()),
        tuple(matched.tolist()),
        tuple(held.tolist()),
    )


def months_of(days: Int64, profit: Float64) -> tuple[Month, ...]:
    """Return the profit of each calendar month, as a share of the initial equity."""
    found: dict[tuple[int, int], float] = {}
    for day, value in zip(days.tolist(), profit.tolist(), strict=True):
        date = _EPOCH + timedelta(days=day)
        key = (date.year, date.month)
        found[key] = found.get(key, 0.0) + value
    return tuple(Month(year, month, value) for (year, month), value in found.items())


def trades_of(trades: Sequence[Trade], series: Sequence[BarArrays], initial: int) -> TradeList:
    """Return round trips with how far prices moved against and for them while they were open.

    Parameters
    ----------
    trades : sequence of Trade
        Finished round trips.
    series : sequence of BarArrays
        Bars of every instrument.
    initial : int
        Equity before the first day, money units.
    """
    from tidewright.research.statistics.trade_statistics import excursions

    moved = excursions(trades, {one.instrument: one for one in series})
    return TradeList(
        tuple(trade.pnl / initial for trade in trades),
        tuple(np.nan_to_num(moved.adverse).tolist()),
        tuple(np.nan_to_num(moved.favourable).tolist()),
        tuple((trade.ts_exit - trade.ts_entry) / MINUTE for trade in trades),
        len({(trade.ts_exit - 1) // DAY for trade in trades}),
    )


def outcome_of(
    profit: Float64,
    universe: Float64 | None,
    exposure: float | None,
    days_per_year: int,
    stopped_day: int | None = None,
    unstopped: float | None = None,
) -> Outcome:
    """Return what was earned, and the 90 % interval of the annual excess over the matched holding.

    Parameters
    ----------
    profit : float64 array of shape (n_days,)
        Daily net profit as a share of the initial equity.
    universe : float64 array of shape (n_days,) or None
        Daily returns of the universe; without it the interval is of the profit itself.
    exposure : float or None
        Average value held.
    days_per_year : int
        Observations of a year.
    stopped_day : int or None
        Day on which a loss limit ended trading for good.
    unstopped : float or None
        What it would have made without that limit.
    """
    from tidewright.research.statistics.inference import estimate_mean

    beyond = profit if universe is None or exposure is None else profit - exposure * universe
    low = high = None
    if len(beyond) >= 3:
        ends = estimate_mean(beyond).interval(0.90)
        low, high = (float(end) * days_per_year for end in ends)
    matched = None
    if universe is not None and exposure is not None:
        matched = float(exposure * universe.sum())
    return Outcome(
        net=float(profit.sum()),
        matched=matched,
        held=float(np.prod(1.0 + universe) - 1.0) if universe is not None else None,
        exposure=exposure,
        excess_year=float(beyond.mean()) * days_per_year,
        low=low,
        high=high,
        years=len(profit) / days_per_year,
        stopped_day=stopped_day,
        unstopped=unstopped,
    )


def baseline_of(
    name: str, profit: Float64, days_per_year: int, note: str = "", *, compounded: bool = False
) -> Baseline:
    """Return the figures of one row of the table of simpler things.

    Parameters
    ----------
    name, note : str
        Words.
    profit : float64 array of shape (n_days,)
        Daily profit as a share of the initial equity; simple returns where ``compounded``.
    days_per_year : int
        Observations of a year.
    compounded : bool
        Whether gains are reinvested.
    """
    equity = np.asarray(np.cumprod(1.0 + profit) if compounded else 1.0 + np.cumsum(profit))
    fall = drawdown(equity, 1.0)
    return Baseline(
        name,
        float(equity[-1] - 1.0) if len(equity) else None,
        sharpe(profit, days_per_year),
        max(0.0, float(fall.max())) if len(fall) else None,
        note,
    )


def noise_of(null: Float64, observed: float, p_value: float, copies: int) -> NoiseSearch:
    """Return a search on noise as a report has it; nothing traded scores 0, as on the copies."""
    score = max(observed, 0.0)
    return NoiseSearch(
        copies=len(null),
        as_good=int((null >= score).sum()),
        p_value=p_value,
        stopped_early=len(null) < copies,
        observed=score,
        null=tuple(null.tolist()),
    )


def sweep_map(
    points: Sequence[Mapping[str, float]], scores: Float64, kept: float | None
) -> SweepMap | None:
    """Return the best score over the first two numbers that vary.

    Parameters
    ----------
    points : sequence of mapping of str to float
        The numbers of each set.
    scores : float64 array of shape (n_sets,)
        What sets are compared by.
    kept : float or None
        Score of the best set's neighbours, as a share of its own.

    Returns
    -------
    SweepMap or None
        None when no number varies.
    """
    names = [name for name in points[0] if len({point[name] for point in points}) > 1]
    if not names:
        return None
    x_name, y_name = names[0], names[1] if len(names) > 1 else ""
    x = sorted({point[x_name] for point in points})
    y = sorted({point[y_name] for point in points}) if y_name else [0.0]
    best: dict[tuple[float, float], float] = {}
    for point, score in zip(points, scores.tolist(), strict=True):
        key = (point[x_name], point[y_name] if y_name else 0.0)
        if np.isfinite(score):
            best[key] = max(score, best.get(key, -np.inf))
    rows = tuple(tuple(best.get((a, b)) for a in x) for b in y)
    return SweepMap(x_name, y_name, tuple(x), tuple(y), rows, kept)

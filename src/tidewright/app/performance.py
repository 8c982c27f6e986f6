"""Figures of a run from what a `LiveView` holds: sums over all trades, equity by day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tidewright.app.queries import benchmark_percent
from tidewright.app.read_models import DailyResult, Performance
from tidewright.app.view import DayRow, Reading
from tidewright.domain.money import to_decimal

DAYS_PER_YEAR = 365
MINIMUM_DAYS = 20
"""Days below which a ratio of daily returns says nothing."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def performance(reading: Reading) -> Performance:
    """Return the figures of a run.

    Parameters
    ----------
    reading : Reading
        A full reading.
    """
    totals = reading.totals
    now, initial = reading.equity_now, reading.equity_initial
    returns = [row.closing / row.opening - 1.0 for row in reading.days if row.opening > 0]
    decided = totals.wins + totals.losses
    return Performance(
        trades=totals.trades,
        wins=totals.wins,
        losses=totals.losses,
        win_rate_percent=100.0 * totals.wins / decided if decided else None,
        total_return_percent=100.0 * (now / initial - 1.0) if now is not None and initial else None,
        benchmark_percent=benchmark_percent(reading),
        max_drawdown_percent=None if now is None else 100.0 * reading.max_drawdown,
        profit_factor=totals.gross_profit / totals.gross_loss if totals.gross_loss else None,
        sharpe=_ratio(returns, returns),
        sortino=_ratio(returns, [min(value, 0.0) for value in returns], centred=False),
        var_95_daily_percent=_value_at_risk(returns),
        fees=to_decimal(totals.fees),
        daily=[_day(row) for row in reading.days],
    )


def _ratio(
    returns: Sequence[float], risk: Sequence[float], *, centred: bool = True
) -> float | None:
    """Mean return over the deviation of ``risk``, annualised; the risk-free rate is 0."""
    if len(returns) < MINIMUM_DAYS:
        return None
    mean = math.fsum(returns) / len(returns)
    centre = mean if centred else 0.0
    squares = math.fsum((value - centre) ** 2 for value in risk)
    deviation = math.sqrt(squares / (len(risk) - centred))
    return mean / deviation * math.sqrt(DAYS_PER_YEAR) if deviation else None


def _value_at_risk(returns: Sequence[float]) -> float | None:
    if len(returns) < MINIMUM_DAYS:
        return None
    return max(0.0, -100.0 * sorted(returns)[len(returns) // 20])


def _day(row: DayRow) -> DailyResult:
    return DailyResult(
        day=(_EPOCH + timedelta(days=row.day)).date().isoformat(),
        equity=to_decimal(row.closing),
        pnl=to_decimal(row.closing - row.opening),
        return_percent=100.0 * (row.closing / row.opening - 1.0) if row.opening else None,
    )

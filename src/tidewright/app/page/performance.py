"""Figures of a run from what a `LiveView` holds: sums over all trades, equity by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from tidewright.app.page.curve import DayRow
from tidewright.app.page.queries import benchmark_percent
from tidewright.app.page.read_models import DailyResult, Performance
from tidewright.app.page.view import Reading
from tidewright.domain.money import to_decimal
from tidewright.research.metrics import CRYPTO_CALENDAR, sharpe, sortino, value_at_risk

DAYS_PER_YEAR = CRYPTO_CALENDAR.days_per_year
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
    days = [row for row in reading.days if row.opening > 0]
    returns = np.array([row.closing / row.opening - 1.0 for row in days])
    enough = len(returns) >= MINIMUM_DAYS
    at_risk = value_at_risk(returns)
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
        sharpe=sharpe(returns, DAYS_PER_YEAR) if enough else None,
        sortino=sortino(returns, DAYS_PER_YEAR) if enough else None,
        var_95_daily_percent=None if at_risk is None else 100.0 * at_risk,
        fees=to_decimal(totals.fees),
        daily=[_day(row) for row in reading.days],
    )


def _day(row: DayRow) -> DailyResult:
    return DailyResult(
        day=(_EPOCH + timedelta(days=row.day)).date().isoformat(),
        equity=to_decimal(row.closing),
        pnl=to_decimal(row.closing - row.opening),
        return_percent=100.0 * (row.closing / row.opening - 1.0) if row.opening else None,
    )

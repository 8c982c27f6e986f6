"""Sentences that say why trading changed its state; live and backtest tell the same."""

from __future__ import annotations

from tidewright.domain.money import MONEY_SCALE, to_decimal
from tidewright.domain.time import iso
from tidewright.risk.settings import RiskSettings
from tidewright.risk.text import number

ACTOR = "risk"
"""Who changes the state when no person does."""
NEW_DAY = "a new UTC day began"
"""Why entries are taken again."""


def drawdown_text(settings: RiskSettings, lost: int, peak: int) -> str:
    """Return why a drawdown halted trading; amounts in money units."""
    return (
        f"Equity fell by {amount(lost)} from its peak of {amount(peak)}, "
        f"which reaches {number(settings.max_drawdown_percent)} %. "
        "Entries are refused until an operator resumes."
    )


def daily_loss_text(settings: RiskSettings, lost: int, allowed: int, until: int) -> str:
    """Return why a day takes no more entries; amounts in money units, ``until`` in nanoseconds."""
    return (
        f"The day's {settings.loss_type.value} loss of {amount(lost)} reaches the limit "
        f"of {amount(allowed)}. Entries are refused until {iso(until)}."
    )


def pilot_text(settings: RiskSettings, lost: int) -> str:
    """Return why a pilot stopped for good; the loss in money units."""
    budget = settings.pilot_loss_budget
    limit = budget if isinstance(budget, str) else number(budget)
    return (
        f"The pilot lost {amount(lost)}, which spends its loss budget of {limit}. It stops for "
        "good; exits and stops stay in place."
    )


def rate_text(settings: RiskSettings, count: int) -> str:
    """Return why the order rate halted trading."""
    limit = settings.max_orders_per_minute
    return f"This would be order {count} within 60 s; at most {limit} are allowed. Trading halts."


def amount(units: int) -> str:
    """Return money units as exact text."""
    return f"{to_decimal(units):.{MONEY_SCALE}f}".rstrip("0").rstrip(".")

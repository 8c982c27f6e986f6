"""Limits and values as exact text with their unit."""

from __future__ import annotations

from decimal import Decimal

from tidewright.domain.money import UNITS_PER_CURRENCY
from tidewright.domain.time import MINUTE, SECOND


def money(units: int, currency: str) -> str:
    """Return money units as exact text with at least two decimal places."""
    whole, rest = divmod(abs(units), UNITS_PER_CURRENCY)
    digits = f"{rest:08d}".rstrip("0").ljust(2, "0")
    return f"{'-' if units < 0 else ''}{whole}.{digits} {currency}"


def number(value: Decimal) -> str:
    """Return a number without exponent and without trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(nanoseconds: int) -> str:
    """Return a duration in minutes where it is whole, else in seconds."""
    if nanoseconds % MINUTE == 0:
        return f"{nanoseconds // MINUTE} min"
    return f"{number(Decimal(nanoseconds) / SECOND)} s"

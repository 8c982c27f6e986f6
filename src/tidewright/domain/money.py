"""Money as integers of 1e-8 of the account currency, and its exact Decimal view."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from tidewright.domain.errors import ConfigError

MONEY_SCALE = 8
"""Decimal places of one money unit."""
UNITS_PER_CURRENCY = 10**MONEY_SCALE
"""Money units in one unit of the account currency."""

_UNIT = Decimal(1).scaleb(-MONEY_SCALE)


def to_decimal(units: int) -> Decimal:
    """Return the exact Decimal view of money given in units of 1e-8."""
    return Decimal(units).scaleb(-MONEY_SCALE)


def from_decimal(amount: Decimal) -> int:
    """Return money units for an exact amount.

    Raises
    ------
    ConfigError
        If the amount is not finite or has more than eight decimal places.
    """
    if not amount.is_finite():
        raise ConfigError(f"amount was {amount}; expected a finite number")
    # Decimal arithmetic would round an amount of more than 28 digits, and so accept it.
    units = Fraction(amount) * UNITS_PER_CURRENCY
    if units.denominator != 1:
        raise ConfigError(f"amount was {amount}; expected at most {MONEY_SCALE} decimal places")
    return int(units)

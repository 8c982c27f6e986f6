"""Limits that depend on account and order alone, in exact integers.

Percentages are millionths (ppm) of a base; they are compared by cross-multiplication in 128 bits,
so no limit is ever missed by a rounding. Values that count against a limit are rounded up, budgets
are rounded down.
"""

from __future__ import annotations

import numpy as np

from tidewright.kernels.integer import (
    INT64_MAX,
    checked_add,
    checked_mul,
    magnitude,
    signed,
    wide_divide,
    wide_product,
)
from tidewright.kernels.jit import compiled

PPM = 1_000_000
"""Denominator of shares and fee rates."""

_ZERO = np.uint64(0)
_ONE = np.uint64(1)


@compiled
def floor_ratio(a: int, b: int, c: int) -> int:
    """Return ``a * b / c`` rounded down; all of them >= 0, ``c`` > 0.

    Returns
    -------
    int
        The quotient; the largest int64 when it is above that, which as a cap means "no cap".

    Raises
    ------
    ValueError
        If a factor is below 0 or the divisor not above 0.
    """
    if a < 0 or b < 0 or c <= 0:
        raise ValueError("expected factors of at least 0 and a divisor above 0")
    divisor = magnitude(c)
    high, low = wide_product(magnitude(a), magnitude(b))
    if high >= divisor:
        return INT64_MAX
    quotient, _rest = wide_divide(high, low, divisor)
    if quotient > np.uint64(INT64_MAX):
        return INT64_MAX
    return signed(quotient, False)


@compiled
def ceiling_ratio(a: int, b: int, c: int) -> int:
    """Return ``a * b / c`` rounded up; all of them >= 0, ``c`` > 0.

    Raises
    ------
    OverflowError
        If the result leaves int64.
    ValueError
        If a factor is below 0 or the divisor not above 0.
    """
    if a < 0 or b < 0 or c <= 0:
        raise ValueError("expected factors of at least 0 and a divisor above 0")
    divisor = magnitude(c)
    high, low = wide_product(magnitude(a), magnitude(b))
    if high >= divisor:
        raise OverflowError("quotient outside int64")
    quotient, rest = wide_divide(high, low, divisor)
    if rest > _ZERO:
        if quotient >= np.uint64(INT64_MAX):
            raise OverflowError("quotient outside int64")
        quotient += _ONE
    return signed(quotient, False)


@compiled
def within_share(value: int, base: int, share_ppm: int) -> bool:
    """Return whether ``value <= base * share_ppm / 1e6``, exactly.

    A base of 0 or below bears nothing: the answer is False whatever the value.
    """
    if base <= 0 or share_ppm < 0:
        return False
    if value <= 0:
        return True
    value_high, value_low = wide_product(magnitude(value), np.uint64(PPM))
    limit_high, limit_low = wide_product(magnitude(base), magnitude(share_ppm))
    if value_high != limit_high:
        return bool(value_high < limit_high)
    return bool(value_low <= limit_low)


@compiled
def share_of(base: int, share_ppm: int) -> int:
    """Return ``base * share_ppm / 1e6`` rounded down; 0 for a base below 0."""
    if base <= 0:
        return 0
    return floor_ratio(base, share_ppm, PPM)


@compiled
def trip_level(base: int, loss_ppm: int) -> int:
    """Return the highest equity at which a loss limit trips: the loss then reaches the limit.

    Parameters
    ----------
    base : int
        Money units that the loss is measured from (a peak, or the day's start).
    loss_ppm : int
        Limit in millionths of the base, in (0, 1e6].

    Returns
    -------
    int
        Money units; ``equity <= level`` is a trip. A base of 0 or below trips at once.
    """
    if base <= 0:
        return base
    return base - ceiling_ratio(base, loss_ppm, PPM)


@compiled
def value_ceiling(ticks: int, lots: int, numerator: int, denominator: int) -> int:
    """Return the value of a quantity at a price, rounded up to a money unit.

    Parameters
    ----------
    ticks, lots : int
        Price and quantity, >= 0.
    numerator, denominator : int
        The instrument's ``value_ratio``.

    Raises
    ------
    OverflowError
        If the value leaves int64.
    """
    return ceiling_ratio(checked_mul(ticks, lots), numerator, denominator)


@compiled
def worst_lots(position: int, buying: int, selling: int) -> int:
    """Return the largest position, without sign, that working entries can lead to.

    Parameters
    ----------
    position : int
        Signed lots held.
    buying, selling : int
        Lots of working entries of each side, >= 0; those whose outcome is unknown included.
    """
    long = checked_add(position, buying)
    short = checked_add(-position, selling)
    return max(abs(position), long, short)


@compiled
def order_cost(value: int, fee_ppm: int) -> int:
    """Return the cash that an entry needs: its value and the fees of the way in and out.

    Parameters
    ----------
    value : int
        Money units, >= 0.
    fee_ppm : int
        Fee rate in millionths, >= 0.
    """
    return checked_add(value, checked_mul(2, ceiling_ratio(value, fee_ppm, PPM)))


@compiled
def claimed_cash(
    position: int, entering: int, price: int, numerator: int, denominator: int, fee_ppm: int
) -> int:
    """Return the cash that one instrument claims.

    Working entries claim their value and fees. A short position claims twice its value: what
    buying it back costs, and cash of the same value behind it.

    Parameters
    ----------
    position : int
        Signed lots held.
    entering : int
        Lots of working entries of both sides, >= 0.
    price : int
        Highest price in ticks among mark and limits.
    numerator, denominator : int
        The instrument's ``value_ratio``.
    fee_ppm : int
        Fee rate in millionths, >= 0.
    """
    claimed = order_cost(value_ceiling(price, entering, numerator, denominator), fee_ppm)
    if position < 0:
        owed = value_ceiling(price, -position, numerator, denominator)
        claimed = checked_add(claimed, checked_mul(2, owed))
    return claimed


@compiled
def committed_direction(position: int, buying: int, selling: int) -> int:
    """Return +1 for what is or may become long, -1 for short, 0 for flat.

    Parameters
    ----------
    position : int
        Signed lots held.
    buying, selling : int
        Lots of working entries of each side, >= 0.
    """
    long = checked_add(position, buying)
    short = checked_add(-position, selling)
    if long == short:
        return 0 if worst_lots(position, buying, selling) == 0 else 1
    return 1 if long > short else -1


@compiled
def daily_allowance(day_equity: int, loss_ppm: int, amount: int) -> int:
    """Return the loss at which a day's limit trips: a share of its first equity, or an amount.

    Parameters
    ----------
    day_equity : int
        Money units that the day began with.
    loss_ppm : int
        Limit in millionths of that, in (0, 1e6].
    amount : int
        Limit in money units, whichever is met first; below 0 for none.
    """
    allowance = day_equity - trip_level(day_equity, loss_ppm)
    return allowance if amount < 0 else min(allowance, amount)

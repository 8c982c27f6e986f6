"""Money of fills: notional, fee and average-cost positions, conserving every unit.

For every fill ``cash -= notional + fee`` and, whatever the rounding of the parts,
``initial cash + realized - fees - open cost == cash`` holds to the last unit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidewright.kernels.integer import checked_add, checked_mul, mul_div
from tidewright.kernels.jit import compiled

PARTS_PER_MILLION = 1_000_000
"""Denominator of fee rates."""
DAYS_PER_YEAR = 365
"""Days that a yearly rate is for."""


@compiled
def notional(ticks: int, lots: int, numerator: int, denominator: int) -> int:
    """Return the value of a quantity at a price.

    Parameters
    ----------
    ticks : int
        Price.
    lots : int
        Quantity; its sign is the sign of the result.
    numerator, denominator : int
        Money units of one tick times one lot: the instrument's ``value_ratio``.

    Returns
    -------
    int
        Money units, rounded half away from zero.

    Raises
    ------
    OverflowError
        If the value leaves int64.
    """
    return mul_div(checked_mul(ticks, lots), numerator, denominator)


@compiled
def fee(value: int, rate_ppm: int) -> int:
    """Return the fee on a traded value.

    Parameters
    ----------
    value : int
        Money units traded; the sign does not matter.
    rate_ppm : int
        Fee rate in millionths; below zero for a rebate.

    Returns
    -------
    int
        Money units, rounded half away from zero.
    """
    return mul_div(value if value >= 0 else -value, rate_ppm, PARTS_PER_MILLION)


@compiled
def borrow_fee(value: int, rate_ppm: int, days: int) -> int:
    """Return the fee for holding a short position over a number of days.

    ``value * rate * days / 365``, days of the calendar.

    Parameters
    ----------
    value : int
        Money units of the position; the sign does not matter.
    rate_ppm : int
        Millionths of the value per year.
    days : int
        >= 0.

    Returns
    -------
    int
        Money units, rounded half away from zero.
    """
    size = value if value >= 0 else -value
    return mul_div(size, checked_mul(rate_ppm, days), DAYS_PER_YEAR * PARTS_PER_MILLION)


@compiled
def apply_fill(position: int, cost: int, fill_lots: int, value: int) -> tuple[int, int, int]:
    """Return a position after a fill, at average cost.

    A fill on the side of the position adds to its cost. A fill against it takes out the share
    ``closed lots / position lots`` of the cost; one that goes through zero closes all of it and
    opens the rest with its own share of the value.

    Parameters
    ----------
    position : int
        Signed lots held before.
    cost : int
        Signed money units paid for them.
    fill_lots : int
        Signed lots of the fill.
    value : int
        Signed money units of the fill, of the sign of ``fill_lots``.

    Returns
    -------
    lots, cost, realized : int
        Position and cost after the fill, and the profit that it realised before fees.

    Raises
    ------
    OverflowError
        If a result leaves int64.
    """
    lots = checked_add(position, fill_lots)
    if position == 0 or fill_lots == 0 or (position > 0) == (fill_lots > 0):
        return lots, checked_add(cost, value), 0
    if lots == 0 or (lots > 0) == (position > 0):
        released = mul_div(cost, abs(fill_lots), abs(position))
        return lots, cost - released, checked_add(-value, -released)
    closing = mul_div(value, abs(position), abs(fill_lots))
    return lots, value - closing, checked_add(-closing, -cost)


@compiled
def book_fills(
    fills: NDArray[np.int64],
    numerator: int,
    denominator: int,
    rate_ppm: int,
    state: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> None:
    """Book many fills of one instrument in order.

    Parameters
    ----------
    fills : int64 array of shape (n_fills, 2)
        Price in ticks and signed lots.
    numerator, denominator : int
        The instrument's ``value_ratio``.
    rate_ppm : int
        Fee rate in millionths.
    state : int64 array of shape (5,)
        Cash, position lots, open cost, realised profit and fees; changed in place.
    rows : int64 array of shape (n_fills, 5)
        Receives the state after every fill.

    Raises
    ------
    OverflowError
        If an amount leaves int64; ``state`` then holds the last complete fill.
    """
    for index in range(fills.shape[0]):
        lots = fills[index, 1]
        value = notional(fills[index, 0], lots, numerator, denominator)
        cost_of_trade = fee(value, rate_ppm)
        position, cost, realized = apply_fill(state[1], state[2], lots, value)
        cash = checked_add(checked_add(state[0], -value), -cost_of_trade)
        total_realized = checked_add(state[3], realized)
        total_fees = checked_add(state[4], cost_of_trade)
        state[0] = cash
        state[1] = position
        state[2] = cost
        state[3] = total_realized
        state[4] = total_fees
        rows[index, :] = state

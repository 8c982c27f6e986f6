"""How many lots an entry gets, in exact integers, always rounded down."""

from __future__ import annotations

from typing import NamedTuple

from tidewright.kernels.brackets import distance_ticks
from tidewright.kernels.integer import checked_mul
from tidewright.kernels.jit import compiled
from tidewright.kernels.limits import PPM, floor_ratio, share_of

RISK_PERCENT = 0
"""Lose a share of equity when the stop is hit."""
PERCENT_OF_EQUITY = 1
"""Buy for a share of equity."""
FIXED_NOTIONAL = 2
"""Buy for an amount of money."""
FIXED_QUANTITY = 3
"""Buy a number of lots."""
VOLATILITY_TARGET = 4
"""Buy so much that a year's standard deviation is a share of equity."""
KELLY = 5
"""Buy for the share of equity that closed trades justify."""

UNCAPPED = 0
"""No cap made the quantity smaller."""
BY_POSITION = 1
"""The room that the instrument has left made it smaller."""
BY_EXPOSURE = 2
"""The room that the account has left made it smaller."""
BY_CASH = 3
"""Free cash made it smaller."""
BY_RISK = 4
"""The money that one trade may lose made it smaller."""
BY_MAXIMUM = 5
"""The largest order that the venue takes made it smaller."""


class Rooms(NamedTuple):
    """Money units that an entry may use, each >= 0.

    Parameters
    ----------
    position : int
        Value that the instrument may still gain.
    exposure : int
        Value that the account may still gain.
    cash : int
        Cash that may still be spent, fees included.
    risk : int
        Money that may be lost between entry and stop.
    """

    position: int
    exposure: int
    cash: int
    risk: int


class Terms(NamedTuple):
    """An instrument's terms in integers.

    Parameters
    ----------
    numerator, denominator : int
        Money units of one tick times one lot.
    fee_ppm : int
        Fee for taking liquidity, in millionths.
    max_lots : int
        Largest order; 0 means no limit.
    """

    numerator: int
    denominator: int
    fee_ppm: int
    max_lots: int


@compiled
def lots_for_value(budget: int, ticks: int, numerator: int, denominator: int) -> int:
    """Return the most lots whose value at a price is at most a budget.

    ``floor(budget * denominator / (ticks * numerator))``

    Raises
    ------
    OverflowError
        If ``ticks * numerator`` leaves int64.
    """
    if budget <= 0:
        return 0
    return floor_ratio(budget, denominator, checked_mul(ticks, numerator))


@compiled
def affordable_lots(cash: int, ticks: int, terms: Terms) -> int:
    """Return the most lots whose `limits.order_cost` is at most an amount of cash.

    The cost holds one rounding up per fee: two money units are kept back for them.
    """
    if cash <= 0:
        return 0
    budget = floor_ratio(cash, PPM, PPM + 2 * terms.fee_ppm) - 2
    return lots_for_value(budget, ticks, terms.numerator, terms.denominator)


@compiled
def yearly_ticks(
    deviation: float, root_ppm: int, price_numerator: int, price_denominator: int
) -> int:
    """Return the standard deviation of a year in whole ticks, from that of one bar.

    Parameters
    ----------
    deviation : float
        Of one bar, in price units; not finite or not above 0 means unknown.
    root_ppm : int
        Square root of the bars of a year, in millionths.
    price_numerator, price_denominator : int
        Tick size as an exact fraction.

    Returns
    -------
    int
        Ticks, at least 1; 0 when it is unknown.
    """
    return distance_ticks(deviation * (root_ppm / PPM), price_numerator, price_denominator)


@compiled
def wanted_lots(
    method: int, amount: int, equity: int, ticks: int, per_lot: int, terms: Terms
) -> int:
    """Return the lots that a sizing method asks for, before any cap.

    Parameters
    ----------
    method : int
        One of the methods of this module.
    amount : int
        Millionths of equity, money units or lots, as the method has it; > 0.
    equity : int
        Money units, > 0.
    ticks : int
        Price, > 0.
    per_lot : int
        What a lot puts at stake in ticks, > 0: the distance from the entry to its stop for
        `RISK_PERCENT`, a year's standard deviation for `VOLATILITY_TARGET`; else not looked at.
    terms : Terms
        The instrument's.
    """
    if method == FIXED_QUANTITY:
        return amount
    budget = amount if method == FIXED_NOTIONAL else share_of(equity, amount)
    price = per_lot if method in (RISK_PERCENT, VOLATILITY_TARGET) else ticks
    return lots_for_value(budget, price, terms.numerator, terms.denominator)


@compiled
def capped_lots(
    wanted: int, ticks: int, stop_ticks: int, rooms: Rooms, terms: Terms
) -> tuple[int, int]:
    """Return the lots that fit into every room, and which of them was the smallest.

    Parameters
    ----------
    wanted : int
        Lots asked for, >= 0.
    ticks : int
        Price that the lots are valued at, > 0.
    stop_ticks : int
        Distance from the entry to its stop; 0 means that there is none to measure a loss at.
    rooms : Rooms
        Money that may be used.
    terms : Terms
        The instrument's.

    Returns
    -------
    lots, cap : int
        Lots >= 0, and the name of the cap that binds, `UNCAPPED` when none does.
    """
    lots, cap = wanted, UNCAPPED
    fits = lots_for_value(rooms.position, ticks, terms.numerator, terms.denominator)
    if fits < lots:
        lots, cap = fits, BY_POSITION
    fits = lots_for_value(rooms.exposure, ticks, terms.numerator, terms.denominator)
    if fits < lots:
        lots, cap = fits, BY_EXPOSURE
    fits = affordable_lots(rooms.cash, ticks, terms)
    if fits < lots:
        lots, cap = fits, BY_CASH
    if stop_ticks > 0:
        fits = lots_for_value(rooms.risk, stop_ticks, terms.numerator, terms.denominator)
        if fits < lots:
            lots, cap = fits, BY_RISK
    if 0 < terms.max_lots < lots:
        lots, cap = terms.max_lots, BY_MAXIMUM
    return lots, cap

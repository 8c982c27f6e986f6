"""What the instrument allows: direction, order size, and one direction at a time."""

from __future__ import annotations

from decimal import Decimal

from tidewright.domain.orders import Side
from tidewright.kernels.limits import value_ceiling
from tidewright.risk.case import Breach, Case, Verdict, verdict
from tidewright.risk.exposure import Commitment
from tidewright.risk.text import money, number


def min_confidence(case: Case) -> Verdict:
    """Refuse weak signals; compared as exact decimals of the shortest text."""
    limit, value = case.settings.min_confidence, Decimal(repr(case.intent.confidence))
    return verdict(
        value >= limit,
        "min_confidence",
        number(limit),
        number(value),
        lambda: f"Confidence was {number(value)}; at least {number(limit)} is needed.",
    )


def shortable(case: Case) -> Verdict:
    """Refuse to open a short position where the instrument allows none."""
    instrument, side = case.own.instrument, case.intent.side
    met = side is Side.BUY or instrument.shortable
    return verdict(
        met,
        "shortable",
        "long and short" if instrument.shortable else "long only",
        "long" if side is Side.BUY else "short",
        lambda: f"{instrument.id} cannot be sold short.",
    )


def no_flip(case: Case) -> Verdict:
    """Refuse an entry that works against a position or another entry of its instrument."""
    held = case.committed.get(case.intent.instrument, Commitment())
    sign = case.intent.side.sign
    against = held.selling if sign > 0 else held.buying
    met = held.position * sign >= 0 and against == 0
    return verdict(
        met,
        "no_flip",
        "0 lots the other way",
        "0 lots the other way"
        if met
        else f"{max(-held.position * sign, 0) + against} lots the other way",
        lambda: f"{case.intent.instrument} is held or ordered the other way; leave it first.",
    )


def instrument_limits(case: Case) -> Verdict:
    """Keep to the venue's smallest and largest quantity and smallest value."""
    rule = "instrument_limits"
    own, lots = case.own, case.intent.lots
    quantity = own.instrument.quantity
    value = number(quantity(lots))
    if lots < own.min_lots:
        least = number(quantity(own.min_lots))
        return Breach(rule, f"at least {least}", value, f"Quantity {value} is below {least}.")
    if 0 < own.max_lots < lots:
        most = number(quantity(own.max_lots))
        return Breach(rule, f"at most {most}", value, f"Quantity {value} is above {most}.")
    lowest = min(case.intent.limit_ticks or case.mark, case.mark)
    worth = value_ceiling(lowest, lots, own.numerator, own.denominator)
    least = money(own.min_notional, case.currency)
    told = money(worth, case.currency)
    return verdict(
        worth >= own.min_notional,
        rule,
        f"at least {least}",
        told,
        lambda: f"The order is worth {told}; the venue takes {least} and above.",
    )

"""Is it an order at all: types, ranges, grids and sides, before any limit is looked at.

Everything here fails closed: what is missing, not finite or of a wrong type is refused.
"""

from __future__ import annotations

import math
import re

from tidewright.domain.orders import MAX_PARTS, Bracket, Leg, OrderIntent, OrderType, Side
from tidewright.risk.account import AccountView
from tidewright.risk.case import Breach

BOUND = 2**62
"""Integers from here on are no quantities, prices or amounts."""

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")


def _whole(value: object, low: int) -> bool:
    return type(value) is int and low <= value < BOUND


def _breach(rule: str, limit: str, value: object, what: str) -> Breach:
    return Breach(rule, limit, f"{value!r}", f"{what} was {value!r}; expected {limit}.")


def unsound_time(ts: object) -> Breach | None:
    """Return what is wrong with an account's time, or None."""
    if _whole(ts, 0):
        return None
    return _breach("account_form", "nanoseconds UTC", ts, "The account's time")


def unsound_intent(intent: OrderIntent) -> Breach | None:
    """Return what is wrong with an intent's own fields, or None."""
    rule = "intent_form"
    if not isinstance(intent.client_id, str) or not _CLIENT_ID.fullmatch(intent.client_id):
        return _breach(rule, "1 to 36 of [A-Za-z0-9_-]", intent.client_id, "The client id")
    if not isinstance(intent.side, Side) or not isinstance(intent.order_type, OrderType):
        return _breach(rule, "a side and a type", (intent.side, intent.order_type), "The order")
    if (intent.leg is Leg.EXIT) != (intent.reduce_only is True) or intent.leg not in (
        Leg.ENTRY,
        Leg.EXIT,
    ):
        limit = "an entry, or an exit that reduces only"
        return _breach(rule, limit, (str(intent.leg), intent.reduce_only), "The order")
    if not _whole(intent.lots, 1):
        return _breach(rule, "a whole number of lots above 0", intent.lots, "The quantity")
    if (intent.limit_ticks is None) != (intent.order_type is OrderType.MARKET):
        return _breach(
            rule, "a limit for limit orders alone", intent.limit_ticks, "The limit price"
        )
    if intent.limit_ticks is not None and not _whole(intent.limit_ticks, 1):
        return _breach(rule, "whole ticks above 0", intent.limit_ticks, "The limit price")
    return None


def unsound_entry(intent: OrderIntent, ts: int) -> Breach | None:
    """Return what is wrong with the fields that only entries need, or None."""
    rule = "intent_form"
    if not _whole(intent.reference_ticks, 1):
        return _breach(rule, "whole ticks above 0", intent.reference_ticks, "The reference price")
    if not _whole(intent.ts_decided, 0) or intent.ts_decided > ts:
        return _breach(rule, f"a time up to {ts}", intent.ts_decided, "The time of decision")
    confidence = intent.confidence
    if type(confidence) is not float or not math.isfinite(confidence) or not 0 <= confidence <= 1:
        return _breach(rule, "a number from 0 to 1", confidence, "The confidence")
    if not _whole(intent.expire_after_bars, 0):
        return _breach(rule, "a whole number of bars", intent.expire_after_bars, "The expiry")
    return None if intent.bracket is None else _unsound_bracket(intent, intent.bracket)


def _unsound_bracket(intent: OrderIntent, bracket: Bracket) -> Breach | None:
    entry = intent.limit_ticks or intent.reference_ticks
    sign = intent.side.sign
    for name, ticks in (("stop", bracket.stop_ticks), ("target", bracket.target_ticks)):
        if ticks is None:
            continue
        if not _whole(ticks, 1):
            return _breach("bracket", "whole ticks above 0", ticks, f"The {name} price")
        behind = sign * (entry - ticks) if name == "stop" else sign * (ticks - entry)
        if behind <= 0:
            where = "below" if (name == "stop") == (sign > 0) else "above"
            return _breach("bracket", f"{where} the entry at {entry}", ticks, f"The {name} price")
    if bracket.trail_ticks is not None and not _whole(bracket.trail_ticks, 1):
        limit = "whole ticks above 0"
        return _breach("bracket", limit, bracket.trail_ticks, "The trailing distance")
    return _unsound_parts(intent, bracket) if bracket.parts else None


def _unsound_parts(intent: OrderIntent, bracket: Bracket) -> Breach | None:
    lots = [part.lots for part in bracket.parts]
    if not all(_whole(one, 1) for one in lots) or sum(lots) != intent.lots:
        return _breach("bracket", f"parts of together {intent.lots} lots", lots, "The parts")
    if len(lots) > MAX_PARTS:
        return _breach("bracket", f"at most {MAX_PARTS} parts", len(lots), "The parts")
    for part in bracket.parts:
        breach = _unsound_bracket(intent, Bracket(part.stop_ticks, part.target_ticks))
        if breach is not None:
            return breach
    return None


def unsound_account(account: AccountView) -> Breach | None:
    """Return what makes an account unusable for entries, or None."""
    rule = "account_form"
    if not _whole(account.equity, 1):
        return _breach(rule, "money units above 0", account.equity, "Equity")
    if not _whole(account.cash, -BOUND + 1):
        return _breach(rule, "money units", account.cash, "Cash")
    for name, lots in account.positions.items():
        if not _whole(lots, -BOUND + 1):
            return _breach(rule, "whole lots", lots, f"The position in {name}")
    return None

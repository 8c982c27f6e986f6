"""How much money an entry may take: per trade, per instrument, in all, and in cash."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tidewright.domain.orders import LimitCheck, OrderIntent
from tidewright.kernels.limits import PPM, ceiling_ratio, order_cost, share_of, within_share
from tidewright.risk.case import Case, Verdict, verdict
from tidewright.risk.exposure import Commitment, free_cash, gross_value, worth
from tidewright.risk.settings import ppm
from tidewright.risk.text import money, number


def risk_per_trade(case: Case) -> Verdict:
    """Limit what is lost between entry and stop; without a stop nothing can be measured."""
    intent, settings = case.intent, case.settings
    entry = intent.limit_ticks or intent.reference_ticks
    distance = stop_distance(case)
    rule = "risk_per_trade_percent"
    limit = _share(case, settings.risk_per_trade_percent)
    if distance == 0:
        return LimitCheck(rule, limit, "no stop")
    lost = worth(case.own, ticks_at_stake(intent, distance), 1)
    told = money(lost, case.currency)
    return verdict(
        within_share(lost, case.account.equity, ppm(settings.risk_per_trade_percent)),
        rule,
        limit,
        told,
        lambda: (
            f"From entry {entry} to its stop the trade would lose {told}; "
            f"at most {limit} is allowed."
        ),
    )


def ticks_at_stake(intent: OrderIntent, distance: int) -> int:
    """Return lots times ticks to the stop, over all parts of an entry."""
    parts = intent.bracket.parts if intent.bracket is not None else ()
    if not parts:
        return intent.lots * distance
    entry = intent.limit_ticks or intent.reference_ticks
    return sum(part.lots * abs(entry - part.stop_ticks) for part in parts)


def stop_distance(case: Case) -> int:
    """Return ticks between entry and stop, the trailing distance where there is no stop, or 0."""
    intent = case.intent
    if intent.bracket is None:
        return 0
    if intent.bracket.stop_ticks is None:
        return intent.bracket.trail_ticks or 0
    return abs((intent.limit_ticks or intent.reference_ticks) - intent.bracket.stop_ticks)


def max_position_size(case: Case) -> Verdict:
    """Limit the instrument's value with this entry and all that works filled, at the worst."""
    value = worth(case.own, *_with_entry(case))
    return _held_against(
        case,
        "max_position_size_percent",
        case.settings.max_position_size_percent,
        value,
        f"{case.intent.instrument} would be worth",
    )


def max_total_exposure(case: Case) -> Verdict:
    """Limit all instruments' value with this entry and all that works filled, at the worst."""
    others = gross_value(case.committed, case.terms, leaving_out=case.intent.instrument)
    value = others + worth(case.own, *_with_entry(case))
    return _held_against(
        case,
        "max_total_exposure_percent",
        case.settings.max_total_exposure_percent,
        value,
        "All positions together would be worth",
    )


def min_free_cash(case: Case) -> Verdict:
    """Keep cash free after this entry, all that works, and the fees of the way in and out."""
    equity, percent = case.account.equity, case.settings.min_free_cash_percent
    cost = order_cost(worth(case.own, case.intent.lots, case.price), case.own.fee_ppm)
    left = free_cash(case.account, case.committed, case.terms) - cost
    keep = cash_to_keep(equity, ppm(percent))
    limit = f"{number(percent)} % of equity = {money(keep, case.currency)}"
    return verdict(
        left >= keep,
        "min_free_cash_percent",
        f"at least {limit}",
        money(left, case.currency),
        lambda: f"{money(left, case.currency)} of cash would be left; at least {limit} must be.",
    )


def cash_to_keep(equity: int, share_ppm: int) -> int:
    """Return the cash that must stay free in money units, rounded up."""
    return ceiling_ratio(equity, share_ppm, PPM)


def _with_entry(case: Case) -> tuple[int, int]:
    """Return lots and price of the intent's instrument when the entry is added."""
    held = case.committed.get(case.intent.instrument)
    after = replace(held) if held is not None else Commitment()
    after.add(case.intent.side, case.intent.lots, case.price)
    return after.worst, after.price


def _share(case: Case, percent: Decimal) -> str:
    share = money(share_of(case.account.equity, ppm(percent)), case.currency)
    return f"{number(percent)} % of equity = {share}"


def _held_against(case: Case, rule: str, percent: Decimal, value: int, what: str) -> Verdict:
    limit = _share(case, percent)
    told = money(value, case.currency)
    return verdict(
        within_share(value, case.account.equity, ppm(percent)),
        rule,
        limit,
        told,
        lambda: f"{what} {told}; at most {limit} is allowed.",
    )

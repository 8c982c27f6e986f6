"""How many orders, how fast, and none twice."""

from __future__ import annotations

from tidewright.domain.orders import LimitCheck
from tidewright.risk.case import Breach, Case, Verdict, verdict
from tidewright.risk.words import rate_text

RATE_RULE = "max_orders_per_minute"
"""The rule whose breach halts trading."""


def duplicate_intent(case: Case) -> Verdict:
    """Refuse a client id used before, and an entry equal to one within the window."""
    rule = "duplicate_window_seconds"
    intent, ts = case.intent, case.account.ts
    limit = f"{case.settings.duplicate_window_seconds} s"
    if any(order.intent.client_id == intent.client_id for order in case.account.working):
        return Breach(
            rule, limit, intent.client_id, f"Order {intent.client_id} is already working."
        )
    repeated = case.pacing.same_entry(intent, ts)
    if repeated is None:
        return LimitCheck(rule, limit, "no repetition")
    return Breach(
        rule,
        limit,
        repeated.client_id,
        f"Order {repeated.client_id} asked for the same within the last {limit}.",
    )


def max_open_orders(case: Case) -> Verdict:
    """Limit orders that work at once, this one included."""
    limit = case.settings.max_open_orders
    return verdict(
        case.working + 1 <= limit,
        "max_open_orders",
        f"{limit} orders",
        f"{case.working + 1} orders",
        lambda: f"{case.working} orders work already; at most {limit} may.",
    )


def max_orders_per_minute(case: Case) -> Verdict:
    """Guard against a runaway: the gate halts trading when this limit is breached."""
    limit = case.settings.max_orders_per_minute
    count = case.pacing.within_minute(case.account.ts) + 1
    return verdict(
        count <= limit,
        RATE_RULE,
        f"{limit} orders per 60 s",
        f"{count} orders per 60 s",
        lambda: rate_text(case.settings, count),
    )

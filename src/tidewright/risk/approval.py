"""The only place where an intent becomes an approved order."""

from __future__ import annotations

from tidewright.domain.orders import ApprovalToken, ApprovedOrder, LimitCheck, OrderIntent

_TOKEN = ApprovalToken()


def approve(intent: OrderIntent, checks: tuple[LimitCheck, ...]) -> ApprovedOrder:
    """Return an order that brokers accept; called by the gate after every limit was met.

    Parameters
    ----------
    intent : OrderIntent
        What was approved.
    checks : tuple of LimitCheck
        The limits it was held against.
    """
    return ApprovedOrder(intent, checks, _TOKEN)

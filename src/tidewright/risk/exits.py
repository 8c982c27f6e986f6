"""Exits are always allowed, and never larger than what there is to leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tidewright.domain.orders import LimitCheck, OrderIntent
from tidewright.risk.account import AccountView
from tidewright.risk.case import Breach
from tidewright.risk.exposure import exits_working
from tidewright.risk.pacing import Approval

RULE = "reduce_only"


def capped_exit(
    intent: OrderIntent, account: AccountView, approvals: Iterable[Approval]
) -> tuple[OrderIntent, LimitCheck] | Breach:
    """Return an exit of at most the position, or the breach when there is nothing to leave.

    Exits that already work count as if they will fill, those of unknown outcome too: whatever
    happens, no exit turns a position around.

    Parameters
    ----------
    intent : OrderIntent
        A sound exit.
    account : AccountView
        The account.
    approvals : iterable of Approval
        Approvals of this moment.
    """
    position = account.positions.get(intent.instrument, 0)
    if type(position) is not int:
        return Breach(
            RULE, "whole lots", f"{position!r}", f"The position was {position!r}; expected lots."
        )
    approvals = tuple(approvals)
    known = {order.intent.client_id for order in account.working}
    known.update(approval.client_id for approval in approvals)
    if intent.client_id in known:
        return Breach(
            RULE, "one order per id", intent.client_id, f"Exit {intent.client_id} is known already."
        )
    held = max(-position * intent.side.sign, 0)
    left = held - exits_working(account, approvals, intent.instrument)
    if left <= 0:
        return Breach(
            RULE,
            f"{max(left, 0)} lots",
            f"{intent.lots} lots",
            f"{intent.instrument}: there is nothing left to leave on this side; the position is "
            f"{position} lots and exits of {held - left} lots already work.",
        )
    check = LimitCheck(RULE, f"{left} lots", f"{intent.lots} lots")
    return (intent if intent.lots <= left else replace(intent, lots=left)), check

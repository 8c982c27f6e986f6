"""May anything be entered now: trading state and cooldown."""

from __future__ import annotations

from tidewright.domain.events import TradingState
from tidewright.domain.time import iso
from tidewright.risk.case import Case, Verdict, verdict


def trading_state(case: Case) -> Verdict:
    """Take no entries while REDUCING or HALTED."""
    breakers = case.breakers
    state = breakers.state
    return verdict(
        state is TradingState.ACTIVE,
        "trading_state",
        "active",
        state.value,
        lambda: f"Trading is {state.value.upper()} ({breakers.reason}); entries are refused.",
    )


def cooldown(case: Case) -> Verdict:
    """Make entries wait after a losing streak or a row of venue errors."""
    until = case.breakers.cooldown_until
    met = case.account.ts >= until
    return verdict(
        met,
        "cooldown_minutes",
        f"{case.settings.cooldown_minutes} min",
        "none" if met else f"until {iso(until)}",
        lambda: f"Entries wait until {iso(until)} after {case.breakers.cooldown_reason}.",
    )

"""May anything be entered now: trading state and cooldown."""

from __future__ import annotations

from tidewright.domain.events import TradingState
from tidewright.domain.time import iso
from tidewright.risk.breakers import Breakers
from tidewright.risk.case import Breach, Case, Verdict, verdict
from tidewright.risk.settings import RiskSettings


def trading_state(case: Case) -> Verdict:
    """Take no entries while REDUCING or HALTED."""
    return _state(case.breakers)


def cooldown(case: Case) -> Verdict:
    """Make entries wait after a losing streak or a row of venue errors."""
    return _cooldown(case.breakers, case.settings, case.account.ts)


def standing_breach(breakers: Breakers, settings: RiskSettings, ts: int) -> Breach | None:
    """Return what forbids every entry now, whatever its instrument and size; None if nothing."""
    if breakers.state is TradingState.ACTIVE and ts >= breakers.cooldown_until:
        return None
    for said in (_state(breakers), _cooldown(breakers, settings, ts)):
        if isinstance(said, Breach):
            return said
    return None


def _state(breakers: Breakers) -> Verdict:
    state = breakers.state
    return verdict(
        state is TradingState.ACTIVE,
        "trading_state",
        "active",
        state.value,
        lambda: f"Trading is {state.value.upper()} ({breakers.reason}); entries are refused.",
    )


def _cooldown(breakers: Breakers, settings: RiskSettings, ts: int) -> Verdict:
    until = breakers.cooldown_until
    met = ts >= until
    return verdict(
        met,
        "cooldown_minutes",
        f"{settings.cooldown_minutes} min",
        "none" if met else f"until {iso(until)}",
        lambda: f"Entries wait until {iso(until)} after {breakers.cooldown_reason}.",
    )

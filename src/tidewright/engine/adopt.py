"""Follow recorded facts without deciding: how an upgrade takes over the past of an older build.

A home last written under another fingerprint starts from its snapshot plus what was recorded after
it: commands, answers, fills, operator actions. The past is never decided again, so an upgrade with
a position open sends no order of its own.
"""

from __future__ import annotations

from typing import Any

from tidewright.domain import events as ev
from tidewright.domain.facts import (
    AlertLogged,
    Fact,
    OrderPlaced,
    OrderUpdated,
    Outcome,
    TradingStateChanged,
)
from tidewright.domain.market import Bar
from tidewright.engine.core import Engine
from tidewright.risk.breakers import PILOT_ALERT


def adopt(engine: Engine, sequence: int, slice_: ev.Slice, recorded: Outcome | None) -> None:
    """Bring an engine past one recorded input.

    Parameters
    ----------
    engine : Engine
        Engine of the new build, at the state before the input.
    sequence : int
        Journal sequence of the input.
    slice_ : Slice
        The input.
    recorded : Outcome or None
        What the older build decided; None when it died before it could record it, which means
        that no command of that input ever left.
    """
    state = engine.state
    state.sequence, state.ts_known = sequence, slice_.ts_known
    trading = state.gate.trading_state
    discarded: list[Fact] = []
    for event in slice_.events:
        if isinstance(event, Bar):
            engine.take_bar(event, discarded)
        elif not isinstance(event, ev.Started):
            engine.take(event, discarded)
    if any(isinstance(event, Bar) for event in slice_.events):
        engine.end_of_bars()
        state.gate.mark(slice_.ts_known, state.equity())
    facts: tuple[Any, ...] = recorded.facts if recorded is not None else ()
    for fact in facts:
        if isinstance(fact, (OrderPlaced, OrderUpdated)):
            state.orders.adopt(fact.order)
    if any(isinstance(fact, AlertLogged) and fact.code == PILOT_ALERT for fact in facts):
        state.gate.stop_for_good()
    latched = [fact.after for fact in facts if isinstance(fact, TradingStateChanged)]
    # Limits of this build may have tripped where the recorded ones did not, or the other way.
    state.gate.latch(latched[-1] if latched else trading)

"""A venue that fails at any call: the trader starts again; no order or fill comes twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from fakes.homes import Kept, request
from tidewright.app import supervisor as room
from tidewright.app.session import Session, SessionRequest
from tidewright.app.supervisor import Supervisor
from tidewright.domain.errors import Transient
from tidewright.domain.events import AccountReported, VenueEvent
from tidewright.domain.facts import Command, OrderExecuted, OrderPlaced, SubmitOrder
from tidewright.domain.market import Bar
from tidewright.domain.ports import Broker


class Flaky:
    """A broker that fails before or after it has done what it was asked to."""

    def __init__(self, inner: Broker, draw: random.Random, submitted: list[str]) -> None:
        self._inner = inner
        self._draw = draw
        self._submitted = submitted

    def _maybe(self, share: float) -> None:
        if self._draw.random() < share:
            raise Transient("the venue did not answer")

    def observe(self, bars: Sequence[Bar]) -> Sequence[VenueEvent]:
        self._maybe(0.01)
        events = self._inner.observe(bars)
        self._maybe(0.1 if events else 0.005)
        return events

    def execute(self, command: Command) -> Sequence[VenueEvent]:
        self._maybe(0.1)
        if isinstance(command, SubmitOrder):
            self._submitted.append(command.order.intent.client_id)
        events = self._inner.execute(command)
        self._maybe(0.15)
        return events

    def events_since(self, venue_sequence: int) -> Sequence[VenueEvent]:
        self._maybe(0.05)
        return self._inner.events_since(venue_sequence)

    def account(self) -> AccountReported:
        self._maybe(0.05)
        return self._inner.account()

    def close(self) -> None:
        self._inner.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_failing_venue_gets_no_order_twice_and_loses_no_fill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw, submitted, kept = random.Random(seed), [], Kept()
    make = Session._broker

    def flaky(session: Session, wanted: SessionRequest) -> Broker:
        return Flaky(make(session, wanted), draw, submitted)

    monkeypatch.setattr(Session, "_broker", flaky)
    monkeypatch.setattr(room, "FIRST_DELAY_SECONDS", 0.0)
    monkeypatch.setattr(room, "LONGEST_DELAY_SECONDS", 0.0)
    wanted = request(tmp_path / "h", 480)
    supervisor = Supervisor(wanted, time.monotonic(), lambda session: None, lambda *_: None)
    supervisor._extra = lambda home, state, stack: [kept]
    supervisor.run()
    assert supervisor.finished
    assert len(supervisor.faults) > 5
    assert len(submitted) > 5
    assert max(Counter(submitted).values()) == 1
    placed = [f.order for one in kept.outcomes for f in one.facts if isinstance(f, OrderPlaced)]
    ids = Counter(order.intent.client_id for order in placed)
    assert max(ids.values()) == 1
    booked = Counter(
        f.fill.trade_id for one in kept.outcomes for f in one.facts if isinstance(f, OrderExecuted)
    )
    assert max(booked.values()) == 1
    monkeypatch.setattr(Session, "_broker", make)
    with Session(wanted) as session:
        state, account = session.engine.state, session.broker.account()
        assert state.gate.trading_state.value == "active"
        assert account.cash == state.portfolio.cash
        assert account.positions == tuple(state.portfolio.positions())
        assert account.venue_sequence == state.venue_sequence
        state.portfolio.check()
        fills = [e for e in session.broker.events_since(0) if hasattr(e, "fill")]
        assert booked == Counter(event.fill.trade_id for event in fills)

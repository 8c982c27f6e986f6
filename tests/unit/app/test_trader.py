"""The trader's own clockwork: timers between bars, and the end of a window."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from fakes.homes import FAST, Kept, advance, request
from tidewright.app.feeds.simulated import TRADING_START
from tidewright.app.session import Session
from tidewright.domain.events import AnswerLost, ClockTick, OrderAccepted, Slice, TradingWindow
from tidewright.domain.facts import OrderPlaced
from tidewright.domain.time import MINUTE, SECOND


class Slices:
    def __init__(self) -> None:
        self.kept: list[Slice] = []

    def publish(self, slice_: Slice, outcome: object) -> None:
        self.kept.append(slice_)


def test_a_lost_answer_is_asked_for_between_two_bars(tmp_path: Path) -> None:
    slices = Slices()
    pace = replace(FAST, speed=100.0, poll_seconds=0.01, loop_seconds=0.01)
    with Session(request(tmp_path / "h", 600, pace=pace)) as session:
        driver, broker = session.driver, session.broker
        real = type(broker).execute
        lost: list[str] = []

        def lose_once(command):
            answer = real(broker, command)
            if lost:
                return answer
            lost.append(command.order.intent.client_id)
            return (AnswerLost(lost[0], "cable", command.order.intent.ts_decided),)

        broker.execute = lose_once
        while not lost:
            assert advance(session, 1)
        driver.sinks = (slices,)
        state = session.engine.state
        assert state.orders.next_due > state.ts_known
        ahead = next(iter(session.feed.slices(state.ts_known)))
        trader = session.trader
        trader._next_look = 0.0
        assert trader._wait_until(time.monotonic() + 0.5, ahead)
        assert state.orders.next_due == 0
        assert state.ts_known < ahead.ts_known
    ticks = [one for one in slices.kept if isinstance(one.events[0], ClockTick)]
    assert len(ticks) == 1
    assert ahead.ts_known - MINUTE < ticks[0].ts_known < ahead.ts_known
    answers = [e for one in slices.kept for e in one.events if isinstance(e, OrderAccepted)]
    assert [event.client_id for event in answers] == lost
    assert ticks[0].ts_known % SECOND == 0


def test_a_run_ends_with_its_window_and_goes_on_with_a_later_one(tmp_path: Path) -> None:
    end = TRADING_START + 30 * MINUTE
    wanted = replace(
        request(tmp_path / "h", 600), window=TradingWindow(TRADING_START, end), pace=FAST
    )
    with Session(wanted) as session:
        session.run()
        assert session.trader.finished
        assert session.engine.state.ts_known == end
    kept = Kept()
    later = replace(
        wanted,
        window=TradingWindow(TRADING_START, end + 300 * MINUTE),
        sinks=lambda home, state, stack: [kept],
    )
    with Session(later) as session:
        session.run()
        assert session.engine.state.ts_known == end + 300 * MINUTE
    assert any(isinstance(fact, OrderPlaced) for one in kept.outcomes for fact in one.facts)

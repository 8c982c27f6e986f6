"""What ends a run, what begins it again, and how long that waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.homes import request
from tidewright.app import supervisor as room
from tidewright.app.supervisor import Heartbeat, Supervisor
from tidewright.domain.errors import ConfigError, DataIntegrityError, RateLimited, Transient
from tidewright.domain.events import Slice, TradingState
from tidewright.domain.facts import OrderExecuted, Outcome
from tidewright.domain.orders import Fill, Side
from tidewright.storage.home import Home
from tidewright.storage.operator import OperatorInbox

FILL = OrderExecuted(Fill("t", "h-1-e", "X", Side.BUY, 1, 2, 0, False, 3), "s", 4, 0)


class FakeTrader:
    finished = True


class FakeSession:
    """Fails, or runs, as the script says; one entry a session."""

    def __init__(self, script: list[Callable[[Supervisor], None]]) -> None:
        self.script = script
        self.trader = FakeTrader()
        self.supervisor: Supervisor | None = None
        self.opened = self.closed = self.stopped = 0

    def __call__(self, wanted: object) -> FakeSession:
        return self

    def __enter__(self) -> FakeSession:
        self.opened += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.closed += 1

    def run(self) -> None:
        assert self.supervisor is not None
        self.script.pop(0)(self.supervisor)

    def stop(self) -> None:
        self.stopped += 1


def fail(error: BaseException, steps: int = 0) -> Callable[[Supervisor], None]:
    def run(supervisor: Supervisor) -> None:
        supervisor.heartbeat.steps += steps
        raise error

    return run


def work(supervisor: Supervisor) -> None:
    """Run to the end of the feed."""


@pytest.fixture
def supervise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def make(*script: Callable[[Supervisor], None]) -> tuple[Supervisor, FakeSession, list[float]]:
        session = FakeSession(list(script))
        monkeypatch.setattr(room, "Session", session)
        pauses: list[float] = []
        made = Supervisor(
            request(tmp_path / "h", 1),
            time.monotonic(),
            lambda opened: None,
            lambda fault, delay: None,
        )
        wait = made._stopping.wait
        monkeypatch.setattr(made._stopping, "wait", lambda delay: pauses.append(delay) or wait(0.0))
        session.supervisor = made
        return made, session, pauses

    return make


def test_pause_after_passing_faults_doubles_up_to_the_longest(supervise) -> None:
    made, session, pauses = supervise(*[fail(Transient("locked"))] * 9, work)
    made.run()
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert session.opened == session.closed == 10
    assert list(made.faults) == ["locked"] * 9
    assert made.finished


def test_session_that_ran_makes_the_pause_short_again(supervise) -> None:
    faults = [fail(Transient("locked"))] * 4
    made, _, pauses = supervise(*faults, fail(Transient("full"), steps=1_000), work)
    made.run()
    assert pauses == [0.5, 1.0, 2.0, 4.0, 0.5]


def test_being_asked_to_pause_is_a_passing_fault(supervise) -> None:
    made, _, pauses = supervise(fail(RateLimited("slow down", 5.0)), work)
    made.run()
    assert len(pauses) == 1


@pytest.mark.parametrize(
    "error", [DataIntegrityError("torn"), ConfigError("bad"), ZeroDivisionError("fault")]
)
def test_other_faults_end_the_run(supervise, error: Exception) -> None:
    made, session, pauses = supervise(fail(error), work)
    with pytest.raises(type(error)):
        made.run()
    assert (pauses, session.opened, session.closed) == ([], 1, 1)
    assert not made.finished


def test_stop_during_the_pause_ends_the_run(supervise) -> None:
    made, session, _ = supervise(fail(Transient("locked")), work)
    made._on_fault = lambda fault, delay: made.stop()
    made.run()
    assert session.opened == 1
    assert not made.finished


def test_stop_reaches_the_session_that_runs(supervise) -> None:
    made, session, _ = supervise(lambda supervisor: supervisor.stop())
    made.run()
    assert session.stopped == 1


def test_stop_while_the_session_opens_keeps_it_from_running(supervise) -> None:
    made, session, _ = supervise(fail(AssertionError("must not run")))
    made._on_open = lambda opened: made.stop()
    made.run()
    assert len(session.script) == 1


def test_stop_before_the_start_opens_nothing(supervise) -> None:
    made, session, _ = supervise(work)
    made.stop()
    made.run()
    assert session.opened == 0


def test_stop_wakes_a_real_pause_at_once(supervise, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _, _ = supervise(*[fail(Transient("locked"))] * 3)
    made._stopping = threading.Event()
    monkeypatch.setattr(room, "FIRST_DELAY_SECONDS", 3_600.0)
    made._on_fault = lambda fault, delay: threading.Timer(0.05, made.stop).start()
    began = time.monotonic()
    made.run()
    assert time.monotonic() - began < 60.0


def test_order_is_stored_for_the_trader(supervise, tmp_path: Path) -> None:
    made, _, _ = supervise(work)
    home = Home.open(tmp_path / "h", lambda: "0" * 32)
    made.order(TradingState.HALTED, "dashboard", "enough")
    inbox = OperatorInbox(home.operator)
    (entry,) = inbox.poll()
    inbox.close()
    assert entry.command.state is TradingState.HALTED
    assert (entry.command.actor, entry.command.reason) == ("dashboard", "enough")


def test_heartbeat_keeps_the_first_fill_alone() -> None:
    heartbeat = Heartbeat(time.monotonic())
    heartbeat.publish(Slice(0, ()), Outcome(1, 0, 0))
    assert heartbeat.seconds_to_first_fill is None
    heartbeat.publish(Slice(0, ()), Outcome(2, 0, 0, (FILL,)))
    first = heartbeat.seconds_to_first_fill
    assert first is not None
    assert first >= 0.0
    heartbeat.publish(Slice(0, ()), Outcome(3, 0, 0, (FILL,)))
    assert (heartbeat.seconds_to_first_fill, heartbeat.steps) == (first, 3)

"""Keeps a session running: rebuilds it after passing faults, and says what happened.

Recovery is the normal start, so a fault of the disk or of a lock is answered by closing everything
and starting again from what is stored; protective orders keep working at the venue meanwhile. A
fault of the stored facts, or of the configuration, ends the run.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from tidewright.app.recorder import RunRecorder
from tidewright.app.session import Session, SessionRequest
from tidewright.domain.errors import Transient
from tidewright.domain.events import Slice, TradingState
from tidewright.domain.facts import OrderExecuted, Outcome
from tidewright.domain.ports import OutcomeSink
from tidewright.engine.state import EngineState
from tidewright.storage.home import Home
from tidewright.storage.operator import post_command

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
STARTING_STEPS = 10
"""Steps beyond which a session counts as one that ran; the pause after its fault is short again."""

FAULTS_KEPT = 100
"""Latest faults that are kept for the report."""


@dataclass(slots=True)
class Heartbeat:
    """When things first happened, by the monotonic clock; an outcome sink."""

    started: float
    first_fill: float | None = None
    steps: int = 0

    def publish(self, slice_: Slice, outcome: Outcome) -> None:
        """Take note of one step."""
        self.steps += 1
        if self.first_fill is None and any(type(fact) is OrderExecuted for fact in outcome.facts):
            self.first_fill = time.monotonic()

    @property
    def seconds_to_first_fill(self) -> float | None:
        """Seconds from the command to the first fill; None without one."""
        return None if self.first_fill is None else self.first_fill - self.started


class Supervisor:
    """Runs sessions over one home, one after the other, until told to stop.

    Parameters
    ----------
    request : SessionRequest
        What to run; its sinks are kept across sessions.
    started : float
        Monotonic time of the command.
    on_open : callable
        Told of every session that opened.
    on_fault : callable
        Told of every passing fault, with the seconds until the next try.
    """

    def __init__(
        self,
        request: SessionRequest,
        started: float,
        on_open: Callable[[Session], None],
        on_fault: Callable[[Transient, float], None],
    ) -> None:
        self.recorder = RunRecorder(keep_all=False)
        self.heartbeat = Heartbeat(started)
        self.state: EngineState | None = None
        self.finished = False
        self.faults: deque[str] = deque(maxlen=FAULTS_KEPT)
        self._extra = request.sinks
        self._request = replace(request, sinks=self._sinks)
        self._on_open = on_open
        self._on_fault = on_fault
        self._stopping = threading.Event()
        self._session: Session | None = None

    def _sinks(self, home: Home, state: EngineState, stack: ExitStack) -> Sequence[OutcomeSink]:
        self.state = state
        return [self.recorder, self.heartbeat, *self._extra(home, state, stack)]

    def run(self) -> None:
        """Run until the feed ends or `stop` is called.

        Raises
        ------
        TidewrightError
            For everything but passing faults.
        """
        delay, steps = FIRST_DELAY_SECONDS, 0
        while not self._stopping.is_set():
            try:
                self._run_once()
                return
            except Transient as fault:
                if self.heartbeat.steps > steps + STARTING_STEPS:
                    delay = FIRST_DELAY_SECONDS
                steps = self.heartbeat.steps
                self.faults.append(str(fault))
                self._on_fault(fault, delay)
                self._stopping.wait(delay)
                delay = min(2 * delay, LONGEST_DELAY_SECONDS)

    def _run_once(self) -> None:
        with Session(self._request) as session:
            self._session = session
            self._on_open(session)
            if not self._stopping.is_set():
                session.run()
            self.finished = session.trader.finished
            self._session = None

    def stop(self) -> None:
        """Ask for an orderly end; may be called from any thread."""
        self._stopping.set()
        session = self._session
        if session is not None:
            session.stop()

    def order(self, state: TradingState, actor: str, reason: str) -> None:
        """Store an operator's command durably; the trader takes it within a fraction of a second.

        Raises
        ------
        Transient
            If it cannot be stored now.
        """
        operator = Home.existing(self._request.home).operator
        post_command(operator, state, actor, reason, time.time_ns())

"""One running trader: feed, pace, operator, snapshots, and an orderly stop.

The loop is synchronous and runs in a thread of its own. Intervals are measured by the monotonic
clock; the wall clock is only compared with it, so that a jump is seen and changes nothing.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tidewright.app.driver import Driver
from tidewright.app.feeds.bars import until
from tidewright.app.recovery import save_snapshot
from tidewright.domain.events import ClockJumped, ClockTick, FeedStatus, OperatorCommand, Slice
from tidewright.domain.ports import MarketFeed
from tidewright.storage.journal import SqliteJournal
from tidewright.storage.operator import OperatorInbox

INBOX_NOTE = "operator_cursor"
"""Journal note: the last command of the operator's inbox that was taken."""

CLOCK_TOLERANCE = 500_000_000
"""Nanoseconds by which the wall clock may drift from the monotonic one without a word."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a trader runs.

    Parameters
    ----------
    speed : float
        Event seconds per second; 0 means as fast as possible.
    poll_seconds : float
        How often the operator is listened to.
    loop_seconds : float
        How often timers are looked at while no bar comes.
    stale_after_seconds : float
        Silence of the feed after which new exposure is blocked.
    snapshot_inputs, snapshot_seconds : int
        A snapshot is taken after this many inputs or seconds, whichever comes first.
    """

    speed: float = 60.0
    poll_seconds: float = 0.2
    loop_seconds: float = 10.0
    stale_after_seconds: float = 900.0
    snapshot_inputs: int = 50_000
    snapshot_seconds: float = 60.0


class Trader:
    """Runs one driver over one feed until told to stop.

    Parameters
    ----------
    driver : Driver
        After `recovery.take_over`.
    feed : MarketFeed
        Source of bars.
    journal : SqliteJournal
        Of the home.
    inbox : OperatorInbox
        Where commands of people arrive.
    pace : Pace
        How fast to run.
    resume_after : int
        Slices known up to this time were already handled, nanoseconds UTC.
    """

    def __init__(
        self,
        driver: Driver,
        feed: MarketFeed,
        journal: SqliteJournal,
        inbox: OperatorInbox,
        pace: Pace,
        resume_after: int,
    ) -> None:
        self._driver = driver
        self._feed = feed
        self._journal = journal
        self._inbox = inbox
        self._pace = pace
        self._resume_after = resume_after
        self._stopping = threading.Event()
        self._live = True
        self._clock_offset = time.time_ns() - time.monotonic_ns()
        self._next_poll = 0.0
        self._next_look = time.monotonic() + pace.loop_seconds
        self._last_snapshot = (driver.engine.state.sequence, time.monotonic())
        self.on_wait: Callable[[Slice, float], None] | None = None
        self.on_attend: Callable[[], None] | None = None
        self.finished = False

    def stop(self) -> None:
        """Ask the loop to end after the slice in hand."""
        self._stopping.set()

    def run(self) -> None:
        """Handle slices until the feed ends or `stop` is called; then save everything."""
        try:
            # What a person ordered before the start holds before the first bar is decided.
            self._attend()
            if self._pace.speed > 0:
                self._run_paced()
            else:
                self._run_fast()
            self.finished = not self._stopping.is_set()
        finally:
            self._stopping.set()
            self._driver.flush(durable=True)
        save_snapshot(self._driver.engine, self._journal)

    def _slices(self) -> Iterator[Slice]:
        end = self._driver.engine.state.window.end
        return until(self._feed.slices(self._resume_after), end)

    def _run_fast(self) -> None:
        driver = self._driver
        countdown = 0
        for slice_ in self._slices():
            driver.market(slice_)
            countdown -= 1
            if countdown < 0:
                countdown = 256
                self._attend()
                if self._stopping.is_set():
                    return

    def _run_paced(self) -> None:
        start_wall = time.monotonic()
        start_ts: int | None = None
        warm_up_ends = getattr(self._feed, "trading_start", 0)
        for slice_ in self._arriving():
            if slice_.ts_known > warm_up_ends:
                if start_ts is None:
                    start_ts, start_wall = slice_.ts_known, time.monotonic()
                due = start_wall + (slice_.ts_known - start_ts) / 1e9 / self._pace.speed
                if not self._wait_until(due, slice_):
                    return
            self._driver.market(slice_)
            self._attend()
            if self._stopping.is_set():
                return

    def _wait_until(self, due: float, slice_: Slice) -> bool:
        while (left := due - time.monotonic()) > 0:
            if self.on_wait is not None:
                self.on_wait(slice_, left * self._pace.speed)
            if self._stopping.wait(min(left, self._pace.poll_seconds)):
                return False
            self._attend()
            now = time.monotonic()
            if now >= self._next_look:
                self._next_look = now + self._pace.loop_seconds
                self._look_at_timers(slice_.ts_known - int((due - now) * 1e9 * self._pace.speed))
        return True

    def _look_at_timers(self, market_now: int) -> None:
        """Let timers fire that are due before the next bar comes."""
        state = self._driver.engine.state
        due = state.orders.next_due
        if 0 < due <= market_now:
            self._driver.control(max(due, state.ts_known), [ClockTick()])
            self._driver.flush(durable=False)

    def _arriving(self) -> Iterator[Slice]:
        arrivals: queue.Queue[Slice | BaseException | None] = queue.Queue(maxsize=256)
        threading.Thread(target=self._read_feed, args=(arrivals,), name="feed", daemon=True).start()
        heard = time.monotonic()
        while not self._stopping.is_set():
            try:
                arrival = arrivals.get(timeout=self._pace.poll_seconds)
            except queue.Empty:
                self._attend()
                if self._live and time.monotonic() - heard > self._pace.stale_after_seconds:
                    self._report_feed(False, "No bar has come for too long.")
                continue
            if arrival is None:
                return
            if isinstance(arrival, BaseException):
                raise arrival
            if not self._live:
                self._report_feed(True, "Bars are coming again.")
            yield arrival
            heard = time.monotonic()

    def _read_feed(self, arrivals: queue.Queue[Slice | BaseException | None]) -> None:
        try:
            for slice_ in self._slices():
                while not self._stopping.is_set():
                    try:
                        arrivals.put(slice_, timeout=0.5)
                        break
                    except queue.Full:
                        continue
                if self._stopping.is_set():
                    return
            arrivals.put(None)
        except Exception as error:  # noqa: BLE001 - raised again in the loop that reads the queue
            arrivals.put(error)

    def _report_feed(self, live: bool, detail: str) -> None:
        self._live = live
        self._control(FeedStatus(live, detail))

    def _attend(self) -> None:
        now = time.monotonic()
        if now < self._next_poll:
            return
        self._next_poll = now + self._pace.poll_seconds
        if self.on_attend is not None:
            self.on_attend()
        for entry in self._inbox.poll():
            # The cursor is stored in the commit that holds the command: neither lost nor repeated.
            # Nothing may fail between the two, so what is buffered is written before.
            self._driver.flush(durable=False)
            self._journal.set_meta(INBOX_NOTE, str(entry.id))
            self._control(entry.command)
            self._inbox.acknowledge(entry.id)
        offset = time.time_ns() - time.monotonic_ns()
        if abs(offset - self._clock_offset) > CLOCK_TOLERANCE:
            self._control(ClockJumped(offset - self._clock_offset))
            self._clock_offset = offset
        sequence, taken = self._last_snapshot
        done = self._driver.engine.state.sequence
        if (
            done - sequence >= self._pace.snapshot_inputs
            or now - taken >= self._pace.snapshot_seconds
        ):
            self._driver.flush(durable=False)
            save_snapshot(self._driver.engine, self._journal)
            self._last_snapshot = (done, now)

    def _control(self, event: OperatorCommand | FeedStatus | ClockJumped) -> None:
        self._driver.control(self._driver.engine.state.ts_known, [event])
        self._driver.flush(durable=True)

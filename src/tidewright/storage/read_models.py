"""The sink that fills the read models behind the engine's back.

`ReadModelSink.publish` runs on the engine's thread and only takes notes: quiet slices are merged
into equity points, the rest goes into a bounded queue. One thread of its own turns notes into rows
and writes them in batches. Every note names the inputs that it stands for, so a note that was
written before is skipped, and a hole (after a crash, or when the queue was full) is filled from
the journal. The journal is the truth; the tables can be emptied and filled again at any time.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from tidewright.domain.errors import ConfigError, DataIntegrityError, Transient
from tidewright.domain.events import Slice
from tidewright.domain.facts import Outcome
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.time import DAY, MINUTE
from tidewright.engine.encoding import decode_outcome, decode_slice
from tidewright.storage.chain import JournalEntry
from tidewright.storage.projection import Batch, EquityPoint, Projection
from tidewright.storage.read_writer import ReadModelWriter

EntrySource = Callable[[int], Iterable[JournalEntry]]
"""Gives the journal's entries above a sequence, on any thread; as far as they are stored."""

_BATCH = 1_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0


@dataclass(frozen=True, slots=True)
class ReadModelSettings:
    """How the read models are filled.

    Parameters
    ----------
    equity_interval : int
        Nanoseconds between stored equity points; a whole part of a day.
    bars : bool
        Whether bars are stored as rows of ``market_data``.
    queue_size : int
        Notes that may wait.
    """

    equity_interval: int = 5 * MINUTE
    bars: bool = False
    queue_size: int = 20_000

    def __post_init__(self) -> None:
        if self.equity_interval <= 0 or DAY % self.equity_interval:
            raise ConfigError(
                f"equity interval was {self.equity_interval} ns; expected a whole part of a day"
            )
        if self.queue_size < 1:
            raise ConfigError(f"queue size was {self.queue_size}; expected at least 1")


@dataclass(frozen=True, slots=True)
class SinkHealth:
    """How far the read models are.

    Parameters
    ----------
    published : int
        Sequence last published.
    written : int
        Sequence up to which the tables are complete.
    waiting : int
        Notes in the queue.
    failure : str
        Why writing is held up or has ended; empty when all is well.
    """

    published: int
    written: int
    waiting: int
    failure: str


@dataclass(frozen=True, slots=True)
class _Note:
    first: int
    last: int
    points: tuple[EquityPoint, ...]
    slice_: Slice | None = None
    outcome: Outcome | None = None


class EquityMeter:
    """Merges the equity of successive slices into one point per bucket."""

    __slots__ = (
        "_bucket",
        "_equity",
        "_first_equity",
        "_high",
        "_interval",
        "_ts",
        "first",
        "last",
    )

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._bucket = -1
        self._ts = self._equity = self._first_equity = self._high = 0
        self.first = 0
        self.last = 0

    def add(self, ts: int, equity: int, sequence: int) -> EquityPoint | None:
        """Take note of a slice; return the finished point when it begins another bucket."""
        bucket = ts // self._interval
        self.last = sequence
        if bucket == self._bucket:
            self._ts = ts
            self._equity = equity
            if equity > self._high:
                self._high = equity
            return None
        finished = self._point()
        self.first = self.first or sequence
        self._bucket, self._ts = bucket, ts
        self._equity = self._first_equity = self._high = equity
        return finished

    def take(self) -> EquityPoint | None:
        """Return the point of the bucket that is still open, and forget it."""
        taken = self._point()
        self._bucket = -1
        self.first = 0
        return taken

    def _point(self) -> EquityPoint | None:
        if self._bucket < 0:
            return None
        return EquityPoint(self._bucket, self._ts, self._first_equity, self._equity, self._high)


class ReadModelSink:
    """Keeps the read models of one home up to date.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of the database.
    home : str
        Id of the home.
    source : callable or None
        Reads the journal, to fill holes. With it `publish` never waits; without it `publish`
        waits while the queue is full, and holes stay.
    settings : ReadModelSettings
        How to fill them.

    Raises
    ------
    ConfigError
        If the database belongs to another home or was written by a newer build.
    Transient
        If it cannot be reached.
    """

    def __init__(
        self,
        engine: sa.Engine,
        home: str,
        *,
        source: EntrySource | None = None,
        instruments: Sequence[Instrument] = (),
        settings: ReadModelSettings | None = None,
    ) -> None:
        self._settings = settings or ReadModelSettings()
        self._writer = ReadModelWriter(engine, home)
        known = [*instruments, *self._writer.instruments()]
        self._projection = Projection(known, bars=self._settings.bars)
        self._source = source
        self._meter = EquityMeter(self._settings.equity_interval)
        self._queue: deque[_Note] = deque()
        self._state = threading.Condition()
        self._stop = threading.Event()
        self._closing = False
        self._busy = False
        self._published = 0
        self._failure = ""
        self._dead = False
        self._thread = threading.Thread(target=self._run, name="read-models", daemon=True)
        self._thread.start()

    @property
    def health(self) -> SinkHealth:
        """How far the tables are, and why not further."""
        with self._state:
            return SinkHealth(
                self._published, self._writer.last_sequence, len(self._queue), self._failure
            )

    def publish(self, slice_: Slice, outcome: Outcome) -> None:
        """Take note of one step; never raises, and waits only without a source."""
        sequence = outcome.sequence
        self._published = sequence
        loud = bool(outcome.facts) or not self._is_quiet(slice_)
        finished = self._meter.add(outcome.ts_known, outcome.equity, sequence)
        if finished is None and not loud:
            return
        points = [finished] if finished else []
        if loud:
            first = self._meter.first
            current = self._meter.take()
            points += [current] if current else []
            self._put(_Note(first, sequence, tuple(points), slice_, outcome))
            return
        first, self._meter.first = self._meter.first, sequence
        self._put(_Note(first, sequence - 1, tuple(points)))

    def _is_quiet(self, slice_: Slice) -> bool:
        if self._settings.bars:
            return False
        return all(type(event) is Bar for event in slice_.events)

    def _put(self, note: _Note) -> None:
        with self._state:
            if self._source is None:
                self._state.wait_for(lambda: self._has_room() or self._dead)
            if self._has_room() and not self._dead:
                self._queue.append(note)
                self._state.notify_all()

    def _has_room(self) -> bool:
        return len(self._queue) < self._settings.queue_size

    def drain(self, timeout: float) -> bool:
        """Wait until everything published is written; called by the publishing thread.

        Parameters
        ----------
        timeout : float
            Seconds to wait at most.

        Returns
        -------
        bool
            Whether the tables are complete.
        """
        first = self._meter.first
        point = self._meter.take()
        if point is not None:
            self._put(_Note(first, self._meter.last, (point,)))
        self._wait_idle(timeout)
        if self._source is not None and self._writer.last_sequence < self._published:
            # Notes were dropped and none came after them: ask for the hole to be filled.
            self._put(_Note(self._published + 1, self._published, ()))
            self._wait_idle(timeout)
        return not self._dead and self._writer.last_sequence >= self._published

    def _wait_idle(self, timeout: float) -> None:
        with self._state:
            self._state.wait_for(
                lambda: self._dead or not (self._queue or self._busy), timeout=timeout
            )

    def close(self, timeout: float = 10.0) -> None:
        """Write what waits, then end the thread; what is left is written on the next start."""
        self.drain(timeout)
        with self._state:
            self._closing = True
            self._state.notify_all()
        self._stop.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._state:
                self._state.wait_for(lambda: self._queue or self._closing)
                if self._closing:
                    return
                notes = [self._queue.popleft() for _ in range(min(_BATCH, len(self._queue)))]
                self._busy = True
                self._state.notify_all()
            try:
                self._write(notes)
            except Exception as error:  # noqa: BLE001 nobody awaits this thread: health tells
                self._die(error)
                return
            finally:
                with self._state:
                    self._busy = False
                    self._state.notify_all()

    def _die(self, error: Exception) -> None:
        with self._state:
            self._failure = f"{type(error).__name__}: {error}"
            self._dead = True
            self._queue.clear()
            self._state.notify_all()

    def _write(self, notes: Sequence[_Note]) -> None:
        batch = Batch(last_sequence=self._writer.last_sequence)
        for note in notes:
            if note.first > batch.last_sequence + 1 and self._source is not None:
                self._store(batch)
                self._catch_up(self._source, note.first - 1)
                batch = Batch(last_sequence=self._writer.last_sequence)
            if note.last <= batch.last_sequence:
                continue
            batch.equity.extend(note.points)
            if note.slice_ is not None and note.outcome is not None:
                self._projection.add(batch, note.slice_, note.outcome)
            batch.last_sequence = note.last
        self._store(batch)

    def _catch_up(self, source: EntrySource, up_to: int) -> None:
        """Fill a hole from the journal; what is not stored there yet is waited for."""
        pause = _FIRST_PAUSE
        while self._writer.last_sequence < up_to:
            before = self._writer.last_sequence
            try:
                self._apply(source(before), up_to)
            except Transient as error:
                self._failure = str(error)
            if self._writer.last_sequence == before:
                if self._stop.wait(pause):
                    raise Transient("closed before the journal was read")
                pause = min(2 * pause, _LONGEST_PAUSE)
        self._failure = ""

    def _apply(self, entries: Iterable[JournalEntry], up_to: int) -> None:
        batch = Batch(last_sequence=self._writer.last_sequence)
        meter = EquityMeter(self._settings.equity_interval)
        for entry in entries:
            if entry.sequence > up_to or entry.outcome is None:
                break
            slice_ = decode_slice(entry.payload)
            outcome = decode_outcome(entry.sequence, entry.outcome)
            finished = meter.add(outcome.ts_known, outcome.equity, entry.sequence)
            batch.equity.extend([finished] if finished else [])
            self._projection.add(batch, slice_, outcome)
            batch.last_sequence = entry.sequence
            if batch.last_sequence - self._writer.last_sequence >= _BATCH:
                self._store_with(batch, meter)
                batch = Batch(last_sequence=self._writer.last_sequence)
        self._store_with(batch, meter)

    def _store_with(self, batch: Batch, meter: EquityMeter) -> None:
        point = meter.take()
        batch.equity.extend([point] if point else [])
        self._store(batch)

    def _store(self, batch: Batch) -> None:
        if batch.last_sequence == self._writer.last_sequence:
            return
        pause = _FIRST_PAUSE
        while True:
            try:
                self._writer.write(batch)
            except Transient as error:
                self._failure = str(error)
                if self._stop.wait(pause):
                    raise
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._failure = ""
                return


def rebuild(
    engine: sa.Engine,
    home: str,
    entries: Iterable[JournalEntry],
    *,
    instruments: Sequence[Instrument] = (),
    settings: ReadModelSettings | None = None,
) -> int:
    """Empty the read models and fill them from the journal; return the last input read.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of the database; no sink may be writing to it.
    home : str
        Id of the home.
    entries : iterable of JournalEntry
        The whole journal, in order.
    instruments : sequence of Instrument
        Those that the journal does not define.
    settings : ReadModelSettings or None
        How to fill them; what the sink uses, for equal tables.

    Raises
    ------
    TidewrightError
        If the journal or the database cannot be read or written.
    """
    ReadModelWriter(engine, home).clear()
    sink = ReadModelSink(engine, home, instruments=instruments, settings=settings)
    last = 0
    for entry in entries:
        if entry.outcome is None:
            break
        outcome = decode_outcome(entry.sequence, entry.outcome)
        sink.publish(decode_slice(entry.payload), outcome)
        last = entry.sequence
    done = sink.drain(timeout=600.0)
    failure = sink.health.failure
    sink.close()
    if not done:
        raise DataIntegrityError(f"read models could not be rebuilt: {failure or 'time ran out'}")
    return last

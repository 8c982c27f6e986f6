"""The one way to start: load, rebuild, ask the venue, reconcile, then trade.

A first start, a restart after a crash and an upgrade all come through `take_over`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tidewright.app.driver import Driver
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import Event, InstrumentDefined, Started, TradingWindow
from tidewright.domain.instrument import Instrument
from tidewright.engine.adopt import adopt
from tidewright.engine.core import Engine
from tidewright.engine.encoding import decode_outcome, decode_slice, encode_outcome
from tidewright.engine.snapshot import restore_snapshot, take_snapshot
from tidewright.market.arrays import BarArrays, bar_arrays
from tidewright.storage.chain import JournalEntry
from tidewright.storage.chained import HistorySegment
from tidewright.storage.history import decode_bars, encode_bars, join_bars
from tidewright.storage.journal import SqliteJournal

OPEN_SEGMENT = 4_096
"""Bars of an instrument that are gathered before its history goes on in another segment."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a start found.

    Parameters
    ----------
    snapshot_sequence : int
        Sequence of the snapshot that was loaded; 0 without one.
    stepped, adopted : int
        Inputs after the snapshot that were decided again, or followed as recorded.
    same_build : bool
        Whether the journal was last written under the same fingerprint.
    """

    snapshot_sequence: int
    stepped: int
    adopted: int
    same_build: bool


def rebuild(engine: Engine, journal: SqliteJournal) -> Recovery:
    """Bring a new engine to the end of the journal.

    Each stretch is followed as its writer, which every start records, says: what this build wrote
    is decided again and must be equal, what another one wrote is adopted.

    Raises
    ------
    DataIntegrityError
        If the journal is damaged, or a decision of this very build is not what it recorded.
    """
    snapshot = journal.latest_snapshot()
    base, writer = 0, ""
    if snapshot is not None:
        base, writer = snapshot.sequence, snapshot.fingerprint
        restore_snapshot(engine.state, snapshot.state, partial(_history, journal))
    own = engine.config.fingerprint
    stepped = adopted = 0
    for entry in journal.entries(base):
        writer = _writer(entry) or writer
        if writer == own or entry.outcome is None:
            _step_again(engine, journal, entry)
            stepped += 1
        else:
            recorded = decode_outcome(entry.sequence, entry.outcome)
            adopt(engine, entry.sequence, decode_slice(entry.payload), recorded)
            adopted += 1
    return Recovery(base, stepped, adopted, writer in ("", own))


def _writer(entry: JournalEntry) -> str:
    """Return the fingerprint that took over with an input; empty for any other input."""
    if b'"Started"' not in entry.payload:
        return ""
    events = decode_slice(entry.payload).events
    return next((event.fingerprint for event in events if isinstance(event, Started)), "")


def _history(journal: SqliteJournal, instrument: str) -> BarArrays | None:
    segments = journal.load_history(instrument)
    return join_bars([decode_bars(part.data) for part in segments]) if segments else None


def _step_again(engine: Engine, journal: SqliteJournal, entry: JournalEntry) -> None:
    outcome = engine.step(entry.sequence, decode_slice(entry.payload))
    if entry.outcome is None:
        # The process died between input and outcome, so no command of this input ever left; its
        # orders are asked for like any other without an answer, and the venue knows none of them.
        journal.record(outcome)
    elif encode_outcome(outcome) != entry.outcome:
        raise DataIntegrityError(
            f"input {entry.sequence} was decided differently when it was recorded, by this same "
            "build; run `tidewright replay HOME --verify` and do not trade on this home"
        )


def take_over(
    driver: Driver, journal: SqliteJournal, instruments: Sequence[Instrument], first: int, now: int
) -> Recovery:
    """Rebuild the engine, ask the venue what happened, and journal the start.

    Parameters
    ----------
    driver : Driver
        Holds the new engine and the venue.
    journal : SqliteJournal
        Of the home.
    instruments : sequence of Instrument
        As the feed or the venue defines them now.
    first : int
        Time of the start on an empty journal, nanoseconds UTC; before the first bar.
    now : int
        Wall clock, nanoseconds UTC.
    """
    engine = driver.engine
    recovery = rebuild(engine, journal)
    state = engine.state
    events: list[Event] = [Started(now, engine.config.fingerprint)]
    for instrument in sorted(instruments, key=lambda item: item.id):
        known = state.tracks.get(instrument.id)
        if known is None or known.instrument != instrument:
            events.append(InstrumentDefined(instrument))
    if state.account_open:
        # What a venue did before this home began belongs to someone else's ledger.
        events += driver.broker.events_since(state.venue_sequence)
    events.append(driver.broker.account())
    driver.control(max(state.ts_known, first), events)
    if recovery.adopted:
        save_snapshot(engine, journal)
    return recovery


def set_window(driver: Driver, window: TradingWindow) -> None:
    """Journal the trading window when it is not the one in force."""
    if driver.engine.state.window != window:
        driver.control(driver.engine.state.ts_known, [window])


def save_snapshot(engine: Engine, journal: SqliteJournal) -> None:
    """Store the engine's state and the bars it took since the last snapshot, in one transaction.

    The bars of the last segment are stored again until it is full, so that a slow trader's history
    does not end up in as many pieces as it had snapshots.
    """
    state = engine.state
    segments = []
    for name, track in state.tracks.items():
        if track.history:
            bars = bar_arrays(name, engine.config.feed_timeframe, track.history)
            first, last = int(bars.ts_event[0]), int(bars.ts_event[-1])
            segments.append(HistorySegment(name, first, last, encode_bars(bars)))
    journal.save_snapshot(state.sequence, engine.config.fingerprint, take_snapshot(state), segments)
    for track in state.tracks.values():
        if track.history is not None and len(track.history) >= OPEN_SEGMENT:
            track.history = []

"""What every journal has in common: numbering, encoding, linking, buffering."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import Slice
from tidewright.domain.facts import Outcome
from tidewright.engine.encoding import encode_outcome, encode_slice
from tidewright.storage.chain import GENESIS, JournalEntry, JournalReport, Row, link

FLUSH_ROWS = 512
"""Rows that are gathered before they are written without being asked."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State of the engine after one input.

    Parameters
    ----------
    sequence : int
        The last input that it includes.
    fingerprint : str
        Of the build and configuration that wrote it.
    state : bytes
        As the engine wrote it.
    """

    sequence: int
    fingerprint: str
    state: bytes


@dataclass(frozen=True, slots=True)
class HistorySegment:
    """A stretch of one series, kept so that columns can be reopened from their anchor.

    Parameters
    ----------
    series : str
        What it is of, such as ``"BTCUSDT 1m"``.
    first_ts, last_ts : int
        Open times of its first and last bar, nanoseconds UTC.
    data : bytes
        As `storage.history.encode_bars` gives it.
    """

    series: str
    first_ts: int
    last_ts: int
    data: bytes


class ChainedJournal(ABC):
    """The append-only record of inputs and outcomes, apart from where it is kept.

    One thread writes. Every input has its outcome before the next one is appended; only the last
    row may lack it, because the process ended in between, and `pending` returns it on restart.
    """

    def __init__(self, flush_rows: int = FLUSH_ROWS) -> None:
        self._flush_rows = flush_rows
        self._head = GENESIS
        self._sequence = 0
        self._rows: list[Row] = []
        self._pending: tuple[int, int, bytes] | None = None
        self._pending_stored = False
        self._completion: tuple[bytes, bytes, int] | None = None

    @property
    def last_sequence(self) -> int:
        """Sequence of the input last appended, 0 for an empty journal."""
        return self._sequence

    @property
    def chain_hash(self) -> bytes:
        """Hash of the last row that has its outcome; it stands for everything before it."""
        return self._head

    @property
    def pending(self) -> JournalEntry | None:
        """The last input, when its outcome has not been recorded."""
        return None if self._pending is None else JournalEntry(*self._pending, None)

    def append(self, slice_: Slice) -> int:
        """Write an input and return its sequence; not durable before `commit`.

        Raises
        ------
        DataIntegrityError
            If the outcome of the last input was not recorded.
        Transient
            If the buffer is full and cannot be written; the input was not taken.
        """
        if self._pending is not None:
            raise DataIntegrityError(
                f"input {self._sequence} has no outcome; expected it before the next input"
            )
        if len(self._rows) >= self._flush_rows:
            self._spill()
        payload = encode_slice(slice_)
        self._sequence += 1
        self._pending = (self._sequence, slice_.ts_known, payload)
        return self._sequence

    def record(self, outcome: Outcome) -> None:
        """Write the outcome of the input last appended.

        Raises
        ------
        DataIntegrityError
            If it is the outcome of another input, or that input has its outcome.
        """
        pending = self._pending
        if pending is None or outcome.sequence != pending[0]:
            expected = "no input waits" if pending is None else f"expected input {pending[0]}"
            raise DataIntegrityError(f"outcome was of input {outcome.sequence}; {expected}")
        sequence, ts_known, payload = pending
        written = encode_outcome(outcome)
        head = self._link(sequence, ts_known, payload, written)
        if self._pending_stored:
            self._completion = (written, head, sequence)
            self._pending_stored = False
        else:
            self._rows.append((sequence, ts_known, payload, written, head))
        self._pending = None

    def _link(self, sequence: int, ts_known: int, payload: bytes, written: bytes) -> bytes:
        """Link a finished row to the chain and return its hash."""
        self._head = link(self._head, sequence, ts_known, payload, written)
        return self._head

    def commit(self, *, durable: bool) -> None:
        """Write what is buffered in one transaction; with ``durable`` it is on disk on return.

        Raises
        ------
        Transient
            If the disk is full or the file is locked; nothing was written, what is buffered stays
            buffered and is written by the next commit that succeeds.
        DataIntegrityError
            If it is uncertain what is on disk; the journal takes nothing more.
        """
        self._write(durable=durable)

    def _pending_row(self) -> Row | None:
        """Return the row of an input without outcome that is not stored yet."""
        if self._pending is None or self._pending_stored:
            return None
        sequence, ts_known, payload = self._pending
        digest = link(self._head, sequence, ts_known, payload, None)
        return sequence, ts_known, payload, None, digest

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def _write(self, *, durable: bool) -> None:
        """Store what is buffered and empty the buffer, or raise and keep it."""

    @abstractmethod
    def _spill(self) -> None:
        """Store the buffered rows alone; header values wait for the commit of their own rows."""

    @abstractmethod
    def close(self) -> None:
        """Commit durably and release the store."""

    @abstractmethod
    def entries(self, after: int = 0) -> Iterator[JournalEntry]:
        """Yield rows with a sequence above ``after``, in order."""

    @abstractmethod
    def verify(self) -> JournalReport:
        """Read everything and name each damage."""

    @abstractmethod
    def meta(self, key: str) -> str | None:
        """Return a value of the header, None when it was never set."""

    @abstractmethod
    def set_meta(self, key: str, value: str) -> None:
        """Set a value of the header; stored by the next `commit`, together with its rows."""

    @abstractmethod
    def save_snapshot(
        self,
        sequence: int,
        fingerprint: str,
        state: bytes,
        history: Sequence[HistorySegment] = (),
    ) -> None:
        """Store the engine's state after the input last recorded, with history segments.

        All of it is stored in one transaction, durable with the next durable commit.

        Raises
        ------
        ValueError
            If ``sequence`` is not that of the input last recorded.
        """

    @abstractmethod
    def latest_snapshot(self) -> Snapshot | None:
        """Return the newest snapshot, None when there is none.

        Raises
        ------
        DataIntegrityError
            If it was altered.
        """

    @abstractmethod
    def save_history(self, series: str, first_ts: int, last_ts: int, data: bytes) -> None:
        """Store a stretch of a series; one that begins at the same time replaces it."""

    @abstractmethod
    def load_history(self, series: str) -> tuple[HistorySegment, ...]:
        """Return the stretches of a series, by time.

        Raises
        ------
        DataIntegrityError
            If one was altered.
        """

    def _check_snapshot_place(self, sequence: int) -> None:
        if self._pending is not None or sequence != self._sequence:
            raise ValueError(
                f"snapshot was of input {sequence}; expected the input last recorded, "
                f"the last appended is {self._sequence}"
            )

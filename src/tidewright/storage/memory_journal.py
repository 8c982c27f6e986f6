"""A journal in memory: the same bytes and the same chain as on disk, gone with the process.

Nothing can damage rows in memory unseen, so kept rows are linked when the chain is asked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain

from tidewright.storage.chain import GENESIS, ChainCheck, JournalEntry, JournalReport, Row, link
from tidewright.storage.chained import FLUSH_ROWS, ChainedJournal, HistorySegment, Snapshot


class MemoryJournal(ChainedJournal):
    """A journal for runs that need no restart, such as backtests.

    Parameters
    ----------
    retain : bool
        Whether to keep the rows. Without them `chain_hash` still stands for the whole run, but
        `entries` yields nothing.
    flush_rows : int
        Rows that are gathered before they are packed.
    """

    def __init__(self, *, retain: bool = True, flush_rows: int = FLUSH_ROWS) -> None:
        super().__init__(flush_rows)
        self._retain = retain
        self._blocks: list[_Block] = []
        self._meta: dict[str, str] = {}
        self._linked = 0
        self._snapshot: Snapshot | None = None
        self._history: dict[tuple[str, int], HistorySegment] = {}

    def _write(self, *, durable: bool) -> None:
        self._spill()

    def _spill(self) -> None:
        if self._retain and self._rows:
            self._blocks.append(_Block(self._rows))
        self._rows = []

    def _link(self, sequence: int, ts_known: int, payload: bytes, written: bytes) -> bytes:
        if not self._retain:
            return super()._link(sequence, ts_known, payload, written)
        return b""

    @property
    def chain_hash(self) -> bytes:
        """Hash of the last row that has its outcome; it stands for everything before it."""
        for row in self._kept(self._linked):
            self._linked, self._head = row[0], link(self._head, *row)
        return self._head

    def close(self) -> None:
        """Release nothing; the rows stay readable as long as the object lives."""
        self._spill()

    def entries(self, after: int = 0) -> Iterator[JournalEntry]:
        """Yield rows with a sequence above ``after``, in order."""
        for row in self._kept(after):
            yield JournalEntry(*row)
        if self._pending is not None and self._pending[0] > after:
            yield JournalEntry(*self._pending, None)

    def _kept(self, after: int = 0) -> Iterator[tuple[int, int, bytes, bytes]]:
        self._spill()
        for block in self._blocks:
            if block.last > after:
                yield from (row for row in block.rows() if row[0] > after)

    def _stored(self) -> Iterator[Row]:
        head = GENESIS
        for row in self._kept():
            head = link(head, *row)
            yield *row, head

    def verify(self) -> JournalReport:
        """Read everything and name each damage."""
        check = ChainCheck()
        if self._retain:
            check.read(self._stored())
            last = self._sequence if self._pending is None else self._sequence - 1
            check.expect_last(last, "the counter")
        return check.report()

    def meta(self, key: str) -> str | None:
        """Return a value of the header, None when it was never set."""
        return self._meta.get(key)

    def set_meta(self, key: str, value: str) -> None:
        """Set a value of the header."""
        self._meta[key] = value

    def save_snapshot(
        self,
        sequence: int,
        fingerprint: str,
        state: bytes,
        history: Sequence[HistorySegment] = (),
    ) -> None:
        """Keep the engine's state after the input last recorded, with history segments."""
        self._check_snapshot_place(sequence)
        self._snapshot = Snapshot(sequence, fingerprint, state)
        for segment in history:
            self._history[segment.series, segment.first_ts] = segment

    def latest_snapshot(self) -> Snapshot | None:
        """Return the newest snapshot, None when there is none."""
        return self._snapshot

    def save_history(self, series: str, first_ts: int, last_ts: int, data: bytes) -> None:
        """Keep a stretch of a series; one that begins at the same time replaces it."""
        self._history[series, first_ts] = HistorySegment(series, first_ts, last_ts, data)

    def load_history(self, series: str) -> tuple[HistorySegment, ...]:
        """Return the stretches of a series, by time."""
        return tuple(self._history[key] for key in sorted(self._history) if key[0] == series)


class _Block:
    """Rows packed end to end: a tenth of the objects that a list of tuples would need."""

    __slots__ = ("_data", "_outcome_sizes", "_payload_sizes", "_times", "first", "last")

    def __init__(self, rows: Sequence[Row]) -> None:
        sequences, times, payloads, outcomes, _ = zip(*rows, strict=True)
        self.first, self.last = sequences[0], sequences[-1]
        self._times = array("q", times)
        self._payload_sizes = array("Q", map(len, payloads))
        self._outcome_sizes = array("Q", map(len, outcomes))
        self._data = b"".join(chain.from_iterable(zip(payloads, outcomes, strict=True)))

    def rows(self) -> Iterator[tuple[int, int, bytes, bytes]]:
        at = 0
        for place, ts_known in enumerate(self._times):
            middle = at + self._payload_sizes[place]
            end = middle + self._outcome_sizes[place]
            yield self.first + place, ts_known, self._data[at:middle], self._data[middle:end]
            at = end

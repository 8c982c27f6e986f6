"""The journal in an SQLite file: append-only, linked, written in groups.

Rows are gathered in memory and written in one transaction: by `commit`, or unasked when
``flush_rows`` have come together. A durable commit is one fsync of the write-ahead log; whatever
was written before it, durable or not, is on disk with it. After a crash SQLite keeps whole
transactions only, so the file always holds a prefix of what was written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import chain
from pathlib import Path

from tidewright.domain.errors import DataIntegrityError, TidewrightError
from tidewright.storage import journal_schema
from tidewright.storage.chain import (
    GENESIS,
    HASH_SIZE,
    ChainCheck,
    Damage,
    JournalEntry,
    JournalFault,
    JournalReport,
    Row,
    link,
)
from tidewright.storage.chained import FLUSH_ROWS, ChainedJournal, HistorySegment, Snapshot
from tidewright.storage.sqlite import (
    BUSY_TIMEOUT_MS,
    open_database,
    transaction,
    translate,
    translated,
)

_INSERT = "INSERT INTO journal VALUES (?, ?, ?, ?, ?)"
# One statement for many rows costs a third less per row than many statements.
_GROUP = 128
_INSERT_GROUP = _INSERT + ", (?, ?, ?, ?, ?)" * (_GROUP - 1)
_READ_ROWS = 2_000
_KEPT_SNAPSHOTS = 3
_DURABLE = "durable_sequence"
_NORMAL, _FULL = 1, 2


class SqliteJournal(ChainedJournal):
    """The journal of one home.

    Parameters
    ----------
    path : Path
        The file; created when it does not exist, in a folder that does.
    read_only : bool
        Opens an existing file for reading beside its writer; a damaged one too, for `verify`.
    busy_timeout_ms : int
        Milliseconds to wait for another process's lock.
    flush_rows : int
        Rows that are gathered before they are written without being asked.

    Raises
    ------
    ConfigError
        If the file is no journal, was written by a newer build or cannot be opened.
    DataIntegrityError
        If its end is damaged; `verify` of a journal opened with ``read_only`` names the rows.
    Transient
        If the disk is full or another process keeps the file locked.
    """

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
        flush_rows: int = FLUSH_ROWS,
    ) -> None:
        super().__init__(flush_rows)
        self.path = path
        self.read_only = read_only
        self._broken = ""
        self._meta_changes: dict[str, str] = {}
        self._synchronous = _FULL
        self._connection = open_database(
            path,
            application_id=journal_schema.APPLICATION_ID,
            read_only=read_only,
            busy_timeout_ms=busy_timeout_ms,
        )
        try:
            journal_schema.migrate(self._connection, path, read_only=read_only)
            with translated(path):
                self._resume()
        except BaseException:
            self._connection.close()
            raise

    def _resume(self) -> None:
        self._durable = int(self._read_meta(_DURABLE) or 0)
        found: list[Row] = self._connection.execute(
            "SELECT sequence, ts_known, payload, outcome, hash FROM journal"
            " ORDER BY sequence DESC LIMIT 2"
        ).fetchall()
        before = found[1][4] if len(found) > 1 else GENESIS
        if found:
            self._take_last(found[0], before)
        if not self.read_only:
            self._check_end(found, before)

    def _take_last(self, row: Row, before: bytes) -> None:
        self._sequence = row[0]
        if row[3] is None:
            self._head = before
            self._pending = row[:3]
            self._pending_stored = True
        else:
            self._head = row[4]

    def _check_end(self, found: Sequence[Row], before: bytes) -> None:
        last = self._sequence
        fits = not found or (
            len(found) == min(last, 2) and link(before, *found[0][:4]) == found[0][4]
        )
        if not fits or last < self._durable:
            raise DataIntegrityError(
                f"{self.path}: the end of the journal is damaged at row {last} "
                f"of {max(last, self._durable)}; expected an unbroken chain: verify it, "
                "then restore it from a backup"
            )

    def _write(self, *, durable: bool) -> None:
        self._store(durable=durable)

    def _spill(self) -> None:
        kept, self._meta_changes = self._meta_changes, {}
        try:
            self._store(durable=False)
        finally:
            self._meta_changes = kept

    def _store(
        self,
        *,
        durable: bool,
        snapshot: Snapshot | None = None,
        history: Sequence[HistorySegment] = (),
    ) -> None:
        if self._broken:
            raise DataIntegrityError(self._broken)
        waiting = self._pending_row()
        rows = [*self._rows, waiting] if waiting else self._rows
        changed = bool(rows or self._completion or self._meta_changes or snapshot or history)
        if not changed and not (durable and self._durable < self._sequence):
            return
        try:
            self._set_synchronous(_FULL if durable else _NORMAL)
            with transaction(self._connection, self.path):
                self._insert(rows, durable=durable)
                self._insert_history(history)
                if snapshot:
                    self._insert_snapshot(snapshot)
        except DataIntegrityError as error:
            self._broken = str(error)
            raise
        self._pending_stored = self._pending_stored or waiting is not None
        self._completion = None
        self._meta_changes.clear()
        self._rows.clear()
        if durable:
            self._durable = self._sequence

    def _set_synchronous(self, level: int) -> None:
        if level != self._synchronous:
            with translated(self.path):
                self._connection.execute(f"PRAGMA synchronous={level}")
            self._synchronous = level

    def _insert(self, rows: Sequence[Row], *, durable: bool) -> None:
        execute = self._connection.execute
        if self._completion:
            done = execute(
                "UPDATE journal SET outcome = ?, hash = ? WHERE sequence = ? AND outcome IS NULL",
                self._completion,
            )
            if done.rowcount != 1:
                raise DataIntegrityError(
                    f"{self.path}: input {self._completion[2]} has an outcome already; "
                    "expected this process to be the only writer"
                )
        whole = len(rows) - len(rows) % _GROUP
        for first in range(0, whole, _GROUP):
            execute(_INSERT_GROUP, list(chain.from_iterable(rows[first : first + _GROUP])))
        self._connection.executemany(_INSERT, rows[whole:])
        changes = self._meta_changes
        if durable:
            changes = {**changes, _DURABLE: str(self._sequence)}
        if changes:
            self._connection.executemany(
                "INSERT INTO meta VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                changes.items(),
            )

    def _insert_snapshot(self, snapshot: Snapshot) -> None:
        seal = _seal_snapshot(snapshot, self._head)
        self._connection.execute(
            "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?, ?)",
            (snapshot.sequence, snapshot.fingerprint, self._head, snapshot.state, seal),
        )
        self._connection.execute(
            "DELETE FROM snapshot WHERE sequence NOT IN"
            " (SELECT sequence FROM snapshot ORDER BY sequence DESC LIMIT ?)",
            (_KEPT_SNAPSHOTS,),
        )

    def _insert_history(self, history: Sequence[HistorySegment]) -> None:
        self._connection.executemany(
            "INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?, ?)",
            (
                (part.series, part.first_ts, part.last_ts, part.data, _seal_history(part))
                for part in history
            ),
        )

    def close(self) -> None:
        """Commit durably and release the file; closing again does nothing."""
        try:
            if not self.read_only and not self._broken and self._connection_open():
                self._write(durable=True)
        finally:
            self._connection.close()

    def _connection_open(self) -> bool:
        try:
            return self._connection.total_changes >= 0
        except sqlite3.ProgrammingError:
            return False

    def entries(self, after: int = 0) -> Iterator[JournalEntry]:
        """Yield rows with a sequence above ``after``, in order, buffered ones included."""
        for row in self._stored(after):
            yield JournalEntry(*row[:4])

    def _stored(self, after: int) -> Iterator[Row]:
        if not self.read_only and not self._broken:
            self._spill()
        while True:
            with translated(self.path):
                rows: list[Row] = self._connection.execute(
                    "SELECT sequence, ts_known, payload, outcome, hash FROM journal"
                    " WHERE sequence > ? ORDER BY sequence LIMIT ?",
                    (after, _READ_ROWS),
                ).fetchall()
            yield from rows
            if len(rows) < _READ_ROWS:
                return
            after = rows[-1][0]

    def verify(self) -> JournalReport:
        """Read everything and name each damage: rows, the end, snapshots, history, the file."""
        check = ChainCheck()
        try:
            check.read(self._stored(-(2**63)))
        except TidewrightError as error:
            check.unreadable(str(error.__cause__ or error))
        else:
            check.expect_last(self._durable, "the record of the last durable commit")
        try:
            self._verify_snapshots(check)
            self._verify_history(check)
            self._verify_structure(check)
        except sqlite3.Error as error:
            detail = f"the file is damaged: {translate(error, self.path)}"
            check.note(JournalFault(0, Damage.UNREADABLE, detail))
        return check.report()

    def _verify_snapshots(self, check: ChainCheck) -> None:
        found = self._connection.execute(
            "SELECT s.sequence, s.fingerprint, s.chain, s.state, s.hash, j.hash"
            " FROM snapshot s LEFT JOIN journal j USING (sequence) ORDER BY s.sequence"
        )
        for sequence, fingerprint, head, state, seal, row_hash in found.fetchall():
            check.expect_last(sequence, "a snapshot")
            snapshot = Snapshot(sequence, fingerprint, state)
            if not _is_snapshot_sealed(snapshot, head, seal):
                fault = JournalFault(sequence, Damage.SNAPSHOT, "its content differs from its hash")
                check.note(fault)
            elif row_hash is not None and row_hash != head:
                detail = "a snapshot was taken on another row of this sequence"
                check.note(JournalFault(sequence, Damage.ALTERED, detail))

    def _verify_history(self, check: ChainCheck) -> None:
        found = self._connection.execute(
            "SELECT series, first_ts, last_ts, data, hash FROM history ORDER BY series, first_ts"
        )
        for *fields, seal in found:
            segment = HistorySegment(*fields)
            if not _is_history_sealed(segment, seal):
                detail = f"segment of {segment.series} from {segment.first_ts} differs"
                check.note(JournalFault(0, Damage.HISTORY, detail))

    def _verify_structure(self, check: ChainCheck) -> None:
        (found,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            check.note(JournalFault(0, Damage.UNREADABLE, f"the file is damaged: {found}"))

    def meta(self, key: str) -> str | None:
        """Return a value of the header, None when it was never set."""
        if key in self._meta_changes:
            return self._meta_changes[key]
        with translated(self.path):
            return self._read_meta(key)

    def _read_meta(self, key: str) -> str | None:
        found = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def set_meta(self, key: str, value: str) -> None:
        """Set a value of the header; stored by the next `commit`, together with its rows."""
        if key == _DURABLE:
            raise ValueError(f"key was {key!r}; expected one that the journal does not keep itself")
        self._meta_changes[key] = value

    def save_snapshot(
        self,
        sequence: int,
        fingerprint: str,
        state: bytes,
        history: Sequence[HistorySegment] = (),
    ) -> None:
        """Store the engine's state after the input last recorded, with history segments.

        All of it is stored in one transaction, durable with the next durable commit. The newest
        three snapshots are kept.

        Raises
        ------
        ValueError
            If ``sequence`` is not that of the input last recorded.
        Transient
            If it cannot be written now.
        """
        self._check_snapshot_place(sequence)
        snapshot = Snapshot(sequence, fingerprint, state)
        self._store(durable=False, snapshot=snapshot, history=history)

    def latest_snapshot(self) -> Snapshot | None:
        """Return the newest snapshot, None when there is none.

        Raises
        ------
        DataIntegrityError
            If it was altered.
        """
        with translated(self.path):
            found = self._connection.execute(
                "SELECT sequence, fingerprint, state, chain, hash FROM snapshot"
                " ORDER BY sequence DESC LIMIT 1"
            ).fetchone()
        if found is None:
            return None
        *fields, head, seal = found
        snapshot = Snapshot(*fields)
        if not _is_snapshot_sealed(snapshot, head, seal):
            raise DataIntegrityError(
                f"{self.path}: the snapshot after row {snapshot.sequence} was altered"
            )
        return snapshot

    def save_history(self, series: str, first_ts: int, last_ts: int, data: bytes) -> None:
        """Store a stretch of a series; one that begins at the same time replaces it."""
        self._store(durable=False, history=(HistorySegment(series, first_ts, last_ts, data),))

    def load_history(self, series: str) -> tuple[HistorySegment, ...]:
        """Return the stretches of a series, by time.

        Raises
        ------
        DataIntegrityError
            If one was altered.
        """
        with translated(self.path):
            found = self._connection.execute(
                "SELECT series, first_ts, last_ts, data, hash FROM history"
                " WHERE series = ? ORDER BY first_ts",
                (series,),
            ).fetchall()
        segments = []
        for *fields, seal in found:
            segment = HistorySegment(*fields)
            if not _is_history_sealed(segment, seal):
                raise DataIntegrityError(
                    f"{self.path}: history of {series} from {segment.first_ts} was altered"
                )
            segments.append(segment)
        return tuple(segments)


def _digest(*parts: bytes) -> bytes:
    digest = blake2b(digest_size=HASH_SIZE)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.digest()


def _seal_snapshot(snapshot: Snapshot, head: bytes) -> bytes:
    place = str(snapshot.sequence).encode()
    return _digest(place, snapshot.fingerprint.encode(), head, snapshot.state)


def _seal_history(segment: HistorySegment) -> bytes:
    place = f"{segment.first_ts} {segment.last_ts}".encode()
    return _digest(segment.series.encode(), place, segment.data)


# A damaged file may hold other types than were written, so the seals are compared with care.


def _is_snapshot_sealed(snapshot: Snapshot, head: bytes, seal: bytes) -> bool:
    typed = isinstance(snapshot.fingerprint, str) and isinstance(snapshot.state, bytes)
    return typed and isinstance(head, bytes) and _seal_snapshot(snapshot, head) == seal


def _is_history_sealed(segment: HistorySegment, seal: bytes) -> bool:
    typed = isinstance(segment.series, str) and isinstance(segment.data, bytes)
    return typed and _seal_history(segment) == seal

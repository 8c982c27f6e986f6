"""The paper venue's durable log: one SQLite table, one fsync per append."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from tidewright.domain.codec import plain
from tidewright.domain.errors import DataIntegrityError, Transient

_BUSY_SECONDS = 5.0


class SqliteVenueLog:
    """Keeps the records of one paper venue in the table ``venue_log`` (sequence, record as JSON).

    Parameters
    ----------
    path : Path
        Database file; made with its folder when missing.

    Raises
    ------
    DataIntegrityError
        If the file is not such a database.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._database = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS venue_log "
                "(sequence INTEGER PRIMARY KEY, record TEXT NOT NULL) STRICT"
            )
            (self._last,) = self._database.execute(
                "SELECT coalesce(max(sequence), 0) FROM venue_log"
            ).fetchone()
        except sqlite3.DatabaseError as error:
            self._database.close()
            raise _translated(error, path) from error

    def load(self) -> Sequence[Mapping[str, object]]:
        """Return every record in the order in which they were written.

        Raises
        ------
        DataIntegrityError
            If a record is missing or cannot be read.
        """
        records: list[Mapping[str, object]] = []
        rows = self._database.execute("SELECT sequence, record FROM venue_log ORDER BY sequence")
        for expected, (sequence, text) in enumerate(rows, start=1):
            if sequence != expected:
                raise DataIntegrityError(
                    f"{self._path}: record {expected} is missing; the next one was {sequence}"
                )
            try:
                records.append(orjson.loads(text))
            except orjson.JSONDecodeError as error:
                raise DataIntegrityError(
                    f"{self._path}: record {sequence} was {text[:80]!r}; expected JSON"
                ) from error
        return records

    def append(self, records: Sequence[Mapping[str, object]]) -> None:
        """Write records in one transaction; they are on disk when the call returns.

        Raises
        ------
        DataIntegrityError
            If another process wrote to the log.
        Transient
            If the disk is full or the database stays locked; nothing was written.
        """
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            try:
                database.executemany(
                    "INSERT INTO venue_log (sequence, record) VALUES (?, ?)",
                    [
                        (sequence, orjson.dumps(record, default=plain).decode())
                        for sequence, record in enumerate(records, start=self._last + 1)
                    ],
                )
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
        except sqlite3.DatabaseError as error:
            raise _translated(error, self._path) from error
        self._last += len(records)

    def close(self) -> None:
        """Release the database."""
        self._database.close()


def _translated(error: sqlite3.DatabaseError, path: Path) -> DataIntegrityError | Transient:
    if isinstance(error, sqlite3.IntegrityError):
        return DataIntegrityError(f"{path}: another process wrote to this venue's log: {error}")
    if isinstance(error, sqlite3.OperationalError):
        return Transient(f"{path}: the venue's log could not be written: {error}")
    return DataIntegrityError(f"{path}: expected a venue log: {error}")

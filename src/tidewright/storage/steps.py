"""Some of a journal's steps, for who wants to show the past and not to decide it again."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from tidewright.storage import journal_schema
from tidewright.storage.chain import JournalEntry
from tidewright.storage.sqlite import BUSY_TIMEOUT_MS, open_database, translated

_COLUMNS = "sequence, ts_known, payload, outcome"
_QUIET_BYTES = 72
"""The written form of an outcome without facts is never longer."""


class StoredSteps:
    """Reads a journal beside its writer, in pieces of bounded size; a context manager.

    Parameters
    ----------
    path : Path
        The journal file, which must exist.

    Raises
    ------
    ConfigError
        If it is no journal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = open_database(
            path,
            application_id=journal_schema.APPLICATION_ID,
            read_only=True,
            busy_timeout_ms=BUSY_TIMEOUT_MS,
        )

    def last(self) -> int:
        """Return the newest sequence; 0 when nothing is stored."""
        return self._number("SELECT max(sequence) FROM journal")

    def first_at(self, ts_known: int) -> int:
        """Return the sequence of the first step at or after a time; 0 without one."""
        return self._number(
            "SELECT sequence FROM journal WHERE ts_known >= ? ORDER BY sequence LIMIT 1", ts_known
        )

    def between(self, first: int, last: int, stride: int = 1) -> list[JournalEntry]:
        """Return every ``stride``-th step from ``first`` to ``last``, both included."""
        return self._rows(
            f"WITH RECURSIVE wanted(n) AS (SELECT ? UNION ALL SELECT n + ? FROM wanted"  # noqa: S608
            f" WHERE n + ? <= ?) SELECT {_COLUMNS} FROM wanted JOIN journal ON sequence = n"
            " WHERE n <= ? AND outcome IS NOT NULL ORDER BY sequence",
            first,
            stride,
            stride,
            last,
            last,
        )

    def with_facts(self, count: int, after: int) -> list[JournalEntry]:
        """Return the latest ``count`` steps that decided something, of those above ``after``."""
        found = self._rows(
            f"SELECT {_COLUMNS} FROM journal WHERE sequence > ? AND length(outcome) > ?"  # noqa: S608
            " ORDER BY sequence DESC LIMIT ?",
            after,
            _QUIET_BYTES,
            count,
        )
        return found[::-1]

    def _number(self, statement: str, *values: int) -> int:
        with translated(self.path):
            row: tuple[int | None] | None = self._connection.execute(statement, values).fetchone()
        return (row[0] or 0) if row else 0

    def _rows(self, statement: str, *values: int) -> list[JournalEntry]:
        with translated(self.path):
            rows = self._connection.execute(statement, values).fetchall()
        return [JournalEntry(*row) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

"""The trial registry's file: append-only, hash-chained, written by any number of processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.research.judging.trials import FACTS, Record
from tidewright.storage.chain import GENESIS, ChainCheck, JournalReport, link
from tidewright.storage.sqlite import open_database, schema_version, transaction, translated

APPLICATION_ID = 0x54575452
SCHEMA_VERSION = 1

_SCHEMA = (
    "CREATE TABLE entries (sequence INTEGER PRIMARY KEY, ts INTEGER NOT NULL, kind TEXT NOT NULL, "
    "key TEXT NOT NULL, payload BLOB NOT NULL, hash BLOB NOT NULL)",
    "CREATE INDEX entries_by_key ON entries (kind, key, sequence)",
    "CREATE TRIGGER entries_stay BEFORE UPDATE ON entries "
    "BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END",
    "CREATE TRIGGER entries_are_kept BEFORE DELETE ON entries "
    "BEGIN SELECT RAISE(ABORT, 'entries are never removed'); END",
    f"PRAGMA user_version={SCHEMA_VERSION}",
)
_INSERT = "INSERT INTO entries (sequence, ts, kind, key, payload, hash) VALUES (?, ?, ?, ?, ?, ?)"
_LAST = "SELECT sequence, hash FROM entries ORDER BY sequence DESC LIMIT 1"
_KNOWN = "SELECT 1 FROM entries WHERE kind = ? AND key = ? LIMIT 1"
_SELECT = "SELECT sequence, ts, kind, key, payload FROM entries"
_SORTED = orjson.OPT_SORT_KEYS

_Entry = tuple[int, str, str, bytes]
"""Time, kind, key and payload."""


class TrialFile:
    """A trial registry in one SQLite file.

    Parameters
    ----------
    path : Path
        The file; its folder is made where it is missing.
    read_only : bool
        Whether to refuse writing; the file must exist then.

    Raises
    ------
    ConfigError
        If it cannot be opened.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        if not read_only:
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(f"{path.parent}: cannot be created: {error}") from error
        self._connection = open_database(path, application_id=APPLICATION_ID, read_only=read_only)
        if not read_only:
            # What is lost with the machine's power is at most the last entries, never the file.
            self._connection.execute("PRAGMA synchronous=NORMAL")
            if schema_version(self._connection, path, SCHEMA_VERSION) == 0:
                self._create()

    def _create(self) -> None:
        with transaction(self._connection, self.path):
            if schema_version(self._connection, self.path, SCHEMA_VERSION) == 0:
                for statement in _SCHEMA:
                    self._connection.execute(statement)

    def append(self, kind: str, key: str, body: Mapping[str, object], ts: int) -> bool:
        """Write an entry; one of `FACTS` is written once.

        Parameters
        ----------
        kind, key : str
            What it is of.
        body : mapping of str to object
            Its content, of JSON's types.
        ts : int
            Nanoseconds UTC.

        Returns
        -------
        bool
            Whether it was written; False for a fact that is known.

        Raises
        ------
        ConfigError
            If the file cannot be written to.
        Transient
            If it stays locked, or the disk is full.
        """
        return self._append([(ts, kind, key, orjson.dumps(body, option=_SORTED))]) == 1

    def _append(self, entries: Sequence[_Entry]) -> int:
        """Write entries in one transaction and return how many were new."""
        count = 0
        with transaction(self._connection, self.path):
            last = self._connection.execute(_LAST).fetchone()
            sequence, head = (int(last[0]), bytes(last[1])) if last else (0, GENESIS)
            for ts, kind, key, payload in entries:
                if kind in FACTS and self._connection.execute(_KNOWN, (kind, key)).fetchone():
                    continue
                sequence, count = sequence + 1, count + 1
                head = link(head, sequence, ts, payload, _mark(kind, key))
                self._connection.execute(_INSERT, (sequence, ts, kind, key, payload, head))
        return count

    def records(self, kind: str, key: str | None = None, *, prefix: str = "") -> Sequence[Record]:
        """Return entries of a kind in the order they were written in.

        Parameters
        ----------
        kind : str
            Which kind.
        key : str or None
            Only those of this key.
        prefix : str
            Only those whose keys begin with this.
        """
        if key is not None:
            return self._select(" WHERE kind = ? AND key = ?", kind, key)
        if prefix:
            end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
            return self._select(" WHERE kind = ? AND key >= ? AND key < ?", kind, prefix, end)
        return self._select(" WHERE kind = ?", kind)

    def everything(self) -> Sequence[Record]:
        """Return all entries, in the order in which they were written."""
        return self._select("")

    def _select(self, where: str, *values: str) -> Sequence[Record]:
        with translated(self.path):
            query = f"{_SELECT}{where} ORDER BY sequence"
            rows = self._connection.execute(query, values).fetchall()
        return [_record(self.path, row) for row in rows]

    def verify(self) -> JournalReport:
        """Hold every entry against the chain and name each damage."""
        check = ChainCheck()
        query = "SELECT sequence, ts, kind, key, payload, hash FROM entries ORDER BY sequence"
        try:
            check.read(
                (sequence, ts, payload, _mark(kind, key), stored)
                for sequence, ts, kind, key, payload, stored in self._connection.execute(query)
            )
        except sqlite3.DatabaseError as error:
            check.unreadable(str(error))
        return check.report()

    def export(self, path: Path) -> int:
        """Write all entries as lines of JSON and return their number.

        Raises
        ------
        ConfigError
            If the file cannot be written.
        """
        lines = [
            orjson.dumps({"ts": one.ts, "kind": one.kind, "key": one.key, "body": one.body})
            for one in self.everything()
        ]
        try:
            path.write_bytes(b"".join(line + b"\n" for line in lines))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written: {error}") from error
        return len(lines)

    def take_in(self, path: Path) -> int:
        """Add the entries of an exported file that are not there yet; return their number.

        Raises
        ------
        ConfigError
            If the file cannot be read or is no export.
        """
        known = {
            (one.ts, one.kind, one.key, orjson.dumps(one.body, option=_SORTED))
            for one in self.everything()
        }
        new = [entry for entry in dict.fromkeys(_exported(path)) if entry not in known]
        return self._append(new) if new else 0

    def close(self) -> None:
        """Release the file."""
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


def _mark(kind: str, key: str) -> bytes:
    return f"{kind}\0{key}".encode()


def _record(path: Path, row: tuple[int, int, str, str, bytes]) -> Record:
    sequence, ts, kind, key, payload = row
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise DataIntegrityError(f"{path}: entry {sequence} is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise DataIntegrityError(
            f"{path}: entry {sequence} was {payload[:80]!r}; expected a JSON object"
        )
    return Record(sequence, ts, kind, key, body)


def _exported(path: Path) -> Iterator[_Entry]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            value = orjson.loads(line)
            ts, kind, key, body = (value[name] for name in ("ts", "kind", "key", "body"))
            if not (type(ts) is int and isinstance(kind, str) and isinstance(key, str)):
                raise TypeError("types differ")
            payload = orjson.dumps(dict(body), option=_SORTED)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"{path}:{number}: it was {line[:80]!r}; expected an entry of a trial registry, as "
                "`tidewright trials export` writes it"
            ) from error
        yield ts, kind, key, payload

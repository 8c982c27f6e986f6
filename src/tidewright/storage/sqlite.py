"""Opening SQLite files the careful way, and naming its errors by what the caller must do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidewright.domain.errors import ConfigError, DataIntegrityError, TidewrightError, Transient

BUSY_TIMEOUT_MS = 5_000
"""Default time to wait for another process's lock."""

_MAGIC = b"SQLite format 3\x00"
# A failed fsync may have dropped the pages it could not write; asking again would report success.
_FSYNC_FAILED = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})


def primary_code(error: sqlite3.Error) -> int:
    """Return the primary result code of an error, 0 when it carries none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def fsync_failed(error: sqlite3.Error) -> bool:
    """Whether the error leaves it open what is on disk."""
    return getattr(error, "sqlite_errorcode", 0) in _FSYNC_FAILED


def translate(error: sqlite3.Error, path: Path) -> TidewrightError:
    """Return the error of the domain's tree that says what to do about an SQLite error.

    Parameters
    ----------
    error : sqlite3.Error
        What SQLite raised.
    path : Path
        The file concerned.
    """
    if fsync_failed(error):
        return DataIntegrityError(
            f"{path}: the disk did not confirm a write ({error}); what is stored is uncertain: "
            "check the disk, then start again"
        )
    code = primary_code(error)
    if code == sqlite3.SQLITE_FULL:
        return Transient(f"{path}: the disk is full; nothing was written: free some space")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Transient(f"{path}: locked by another process ({error}); nothing was written")
    if code == sqlite3.SQLITE_IOERR:
        return Transient(f"{path}: the disk refused a read or write ({error}); nothing was written")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return DataIntegrityError(
            f"{path}: the file is damaged ({error}); restore it from a backup"
        )
    if code in (
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
    ):
        return ConfigError(f"{path}: cannot be opened for this ({error}); check path and rights")
    if code == sqlite3.SQLITE_CONSTRAINT:
        return DataIntegrityError(
            f"{path}: a row to be written is there already ({error}); "
            "expected this process to be the only writer"
        )
    return DataIntegrityError(f"{path}: {error}")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite errors raised inside into those of the domain's tree."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from error


def open_database(
    path: Path,
    *,
    application_id: int,
    read_only: bool = False,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> sqlite3.Connection:
    """Open or create a database file in WAL mode, in autocommit, usable from any thread.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.
    application_id : int
        Marks whose file it is; a file with another mark is refused.
    read_only : bool
        Whether to refuse writing; the file must exist then.
    busy_timeout_ms : int
        Milliseconds to wait for another process's lock.

    Raises
    ------
    ConfigError
        If the file is something else, cannot be opened, or lies where WAL does not work.
    DataIntegrityError
        If the file is damaged.
    Transient
        If it stays locked, or the disk is full.
    """
    _refuse_foreign(path, read_only)
    mode = "ro" if read_only else "rwc"
    with translated(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=busy_timeout_ms / 1_000,
            check_same_thread=False,
            cached_statements=64,
        )
    try:
        with translated(path):
            _prepare(connection, path, application_id, read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_foreign(path: Path, read_only: bool) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except FileNotFoundError as error:
        if read_only or not path.parent.is_dir():
            raise ConfigError(f"{path}: no such file; expected a database to read") from error
        return
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if head and head != _MAGIC:
        raise ConfigError(f"{path}: the file begins with {head!r}; expected an SQLite database")


def _prepare(
    connection: sqlite3.Connection, path: Path, application_id: int, read_only: bool
) -> None:
    connection.execute("PRAGMA trusted_schema=OFF")
    # One look at both: another process may be making the file at this moment.
    connection.execute("BEGIN")
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    connection.execute("COMMIT")
    if found != application_id and (found or objects or read_only):
        raise ConfigError(
            f"{path}: the database is marked {found:#x}; expected {application_id:#x}: "
            "it belongs to another program or purpose"
        )
    if read_only:
        connection.execute("PRAGMA query_only=ON")
        return
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise ConfigError(
            f"{path}: journal mode was {mode!r}; expected 'wal': use a local disk, no network share"
        )
    if found != application_id:
        connection.execute(f"PRAGMA application_id={application_id:d}")
    connection.execute("PRAGMA synchronous=FULL")


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Run a block as one write transaction: all of it is stored, or nothing.

    Raises
    ------
    TidewrightError
        What the SQLite error means to the caller; the transaction was rolled back.
    """
    with translated(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def schema_version(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    """Return the schema version of a file, 0 for a new one.

    Raises
    ------
    ConfigError
        If a newer build wrote it.
    """
    with translated(path):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > newest:
        raise ConfigError(
            f"{path}: written by schema version {version}; expected at most {newest}: "
            "use a newer build"
        )
    return int(version)

"""Connections to the read models' database: SQLite or PostgreSQL, by one URL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event, exc

from tidewright.domain.errors import ConfigError, DataIntegrityError, Transient
from tidewright.storage.sqlite import BUSY_TIMEOUT_MS, translate


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite file."""
    return sa.URL.create("sqlite", database=str(path.absolute())).render_as_string()


def open_engine(url: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> sa.Engine:
    """Return an engine for a database URL; nothing is connected yet.

    Parameters
    ----------
    url : str
        ``sqlite:///path`` or ``postgresql://user@host/name``.
    busy_timeout_ms : int
        Milliseconds that SQLite waits for another process's lock.

    Raises
    ------
    ConfigError
        If the URL cannot be used, or the driver of PostgreSQL is not installed.
    """
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError as error:
        raise ConfigError(
            "database URL could not be read; expected sqlite:///path or postgresql://user@host/name"
        ) from error
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite":
        return _sqlite_engine(parsed, busy_timeout_ms)
    if parsed.drivername != "postgresql+psycopg":
        raise ConfigError(
            f"database was of kind {parsed.drivername!r}; expected 'sqlite' or 'postgresql'"
        )
    try:
        return sa.create_engine(parsed, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    except ModuleNotFoundError as error:
        raise ConfigError(
            "PostgreSQL needs the package psycopg; install it with: pip install 'tidewright[scale]'"
        ) from error


def _sqlite_engine(url: sa.URL, busy_timeout_ms: int) -> sa.Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": busy_timeout_ms / 1_000})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        # The driver's own transaction handling begins too late to make schema changes atomic.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


@contextmanager
def naming_errors(engine: sa.Engine) -> Iterator[None]:
    """Turn the database's errors into those of the domain's tree."""
    where = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except exc.IntegrityError as error:
        raise DataIntegrityError(f"{where}: a row contradicts the schema: {error.orig}") from error
    except exc.DBAPIError as error:
        cause = error.orig
        if isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 1) > 1:
            raise translate(cause, Path(engine.url.database or "")) from error
        if isinstance(error, (exc.OperationalError, exc.InterfaceError)):
            raise Transient(f"{where}: cannot be reached or used now: {cause}") from error
        raise DataIntegrityError(f"{where}: {cause}") from error

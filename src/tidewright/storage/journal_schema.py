"""Tables of the journal file, and the steps that lift an older file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from tidewright.domain.errors import ConfigError
from tidewright.storage.sqlite import schema_version, transaction

APPLICATION_ID = 0x54574A31
"""Marks a journal file ("TWJ1")."""


def _create(connection: sqlite3.Connection) -> None:
    statements = (
        """
        CREATE TABLE journal (
            sequence INTEGER PRIMARY KEY,
            ts_known INTEGER NOT NULL,
            payload BLOB NOT NULL,
            outcome BLOB,
            hash BLOB NOT NULL
        )
        """,
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        """
        CREATE TABLE snapshot (
            sequence INTEGER PRIMARY KEY,
            fingerprint TEXT NOT NULL,
            chain BLOB NOT NULL,
            state BLOB NOT NULL,
            hash BLOB NOT NULL
        )
        """,
        """
        CREATE TABLE history (
            series TEXT NOT NULL,
            first_ts INTEGER NOT NULL,
            last_ts INTEGER NOT NULL,
            data BLOB NOT NULL,
            hash BLOB NOT NULL,
            PRIMARY KEY (series, first_ts)
        )
        """,
    )
    for statement in statements:
        connection.execute(statement)


MIGRATIONS: Sequence[Callable[[sqlite3.Connection], None]] = (_create,)
"""Step ``n`` lifts a file from version ``n`` to ``n + 1``."""


def migrate(
    connection: sqlite3.Connection,
    path: Path,
    *,
    read_only: bool,
    steps: Sequence[Callable[[sqlite3.Connection], None]] = MIGRATIONS,
) -> None:
    """Bring a journal file to the newest schema, all steps in one transaction.

    Raises
    ------
    ConfigError
        If a newer build wrote the file, or it is old and may not be written.
    """
    version = schema_version(connection, path, len(steps))
    if version == len(steps):
        return
    if read_only:
        raise ConfigError(
            f"{path}: schema version {version} cannot be read as it is; "
            f"expected {len(steps)}: open it for writing once"
        )
    with transaction(connection, path):
        for step in steps[version:]:
            step(connection)
        connection.execute(f"PRAGMA user_version={len(steps)}")

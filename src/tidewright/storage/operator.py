"""The operator's inbox: how another process tells the trader to halt or resume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tidewright.domain.errors import ConfigError
from tidewright.domain.events import OperatorCommand, TradingState
from tidewright.storage.sqlite import (
    BUSY_TIMEOUT_MS,
    open_database,
    schema_version,
    transaction,
    translated,
)

_APPLICATION_ID = 0x54574F31
_VERSION = 1
_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class InboxCommand:
    """A command in the inbox.

    Parameters
    ----------
    id : int
        Its place in the inbox, from 1.
    ts : int
        When it was posted, nanoseconds UTC by the poster's clock.
    command : OperatorCommand
        What is wanted.
    """

    id: int
    ts: int
    command: OperatorCommand


class OperatorInbox:
    """Commands from people to the running trader, kept until they are acknowledged.

    Each command is handed over once: `poll` returns those above a cursor, and the trader keeps
    the cursor where it keeps the commands. With the cursor written to the journal in the commit
    that holds the command (`SqliteJournal.set_meta`), a crash at any moment repeats and loses
    none. `acknowledge` only tells the poster that its command was taken.

    Parameters
    ----------
    path : Path
        The file; created when it does not exist.
    after : int
        Id of the last command that was taken in an earlier run.
    busy_timeout_ms : int
        Milliseconds to wait for another process's lock.
    """

    def __init__(
        self, path: Path, *, after: int = 0, busy_timeout_ms: int = BUSY_TIMEOUT_MS
    ) -> None:
        self.path = path
        self._cursor = after
        self._connection = open_database(
            path, application_id=_APPLICATION_ID, busy_timeout_ms=busy_timeout_ms
        )
        try:
            if schema_version(self._connection, path, _VERSION) < _VERSION:
                self._create()
        except BaseException:
            self._connection.close()
            raise

    def _create(self) -> None:
        with transaction(self._connection, self.path):
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS command ("
                " id INTEGER PRIMARY KEY AUTOINCREMENT, ts INTEGER NOT NULL,"
                " state TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL,"
                " acknowledged INTEGER NOT NULL DEFAULT 0)"
            )
            self._connection.execute(f"PRAGMA user_version={_VERSION}")

    @property
    def cursor(self) -> int:
        """Id of the last command handed over, to be kept with it."""
        return self._cursor

    def post(self, state: TradingState, actor: str, reason: str, ts: int) -> int:
        """Leave a command and return its id; it is on disk when the call returns.

        Parameters
        ----------
        state : TradingState
            The state wanted.
        actor, reason : str
            Who asks and why.
        ts : int
            Now, nanoseconds UTC.

        Raises
        ------
        ConfigError
            If actor is empty or a text is too long.
        Transient
            If it cannot be written now.
        """
        for name, text in (("actor", actor), ("reason", reason)):
            if len(text) > _LONGEST:
                raise ConfigError(f"{name} was {len(text)} characters; expected {_LONGEST} at most")
        if not actor:
            raise ConfigError("actor was empty; expected who asks")
        with transaction(self._connection, self.path):
            done = self._connection.execute(
                "INSERT INTO command (ts, state, actor, reason) VALUES (?, ?, ?, ?)",
                (ts, state.value, actor, reason),
            )
        return done.lastrowid or 0

    def poll(self) -> Sequence[InboxCommand]:
        """Return the commands that were not handed over yet, in the order of their posting."""
        with translated(self.path):
            rows = self._connection.execute(
                "SELECT id, ts, state, actor, reason FROM command WHERE id > ? ORDER BY id",
                (self._cursor,),
            ).fetchall()
        if rows:
            self._cursor = rows[-1][0]
        return [
            InboxCommand(id_, ts, OperatorCommand(TradingState(state), actor, reason))
            for id_, ts, state, actor, reason in rows
        ]

    def acknowledge(self, up_to: int) -> None:
        """Mark commands as taken, up to and including an id.

        Raises
        ------
        Transient
            If it cannot be written now; acknowledging later is as good.
        """
        with transaction(self._connection, self.path):
            self._connection.execute(
                "UPDATE command SET acknowledged = 1 WHERE id <= ? AND acknowledged = 0", (up_to,)
            )

    def is_acknowledged(self, command_id: int) -> bool:
        """Return whether the trader has taken a command."""
        with translated(self.path):
            found = self._connection.execute(
                "SELECT acknowledged FROM command WHERE id = ?", (command_id,)
            ).fetchone()
        return bool(found and found[0])

    def close(self) -> None:
        """Release the file."""
        self._connection.close()


def post_command(path: Path, state: TradingState, actor: str, reason: str, ts: int) -> None:
    """Store one command durably in the inbox at a path, and let go of the file.

    Raises
    ------
    Transient
        If it cannot be stored now.
    """
    inbox = OperatorInbox(path)
    try:
        inbox.post(state, actor, reason, ts)
    finally:
        inbox.close()

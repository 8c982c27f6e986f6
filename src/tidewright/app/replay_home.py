"""Check a home: whether its record is whole, and whether this build decides as it was decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tidewright.app.recorded import recorded_config
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import Started
from tidewright.engine.config import EngineConfig
from tidewright.engine.core import Engine
from tidewright.engine.encoding import decode_slice
from tidewright.engine.replay import ReplayReport, verify_decisions
from tidewright.storage.chain import JournalEntry, JournalReport
from tidewright.storage.home import Home
from tidewright.storage.journal import SqliteJournal


@dataclass(frozen=True, slots=True)
class HomeReport:
    """What a check of a home found.

    Parameters
    ----------
    journal : JournalReport
        Rows, and every damage by name.
    decisions : ReplayReport or None
        Inputs decided again; None when the record is damaged or of other builds only.
    other_builds : int
        Inputs recorded under other fingerprints: their chain was checked, not their decisions.
    """

    journal: JournalReport
    decisions: ReplayReport | None
    other_builds: int

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged and nothing was decided differently."""
        return self.journal.ok and (self.decisions is None or not self.decisions.differences)


def verify_home(home: Path, *, decisions: bool = True) -> HomeReport:
    """Verify the chain of a home's journal and decide its inputs again.

    Decided again is everything from the first input until another build took over; what other
    builds decided is checked by its chain alone.

    Parameters
    ----------
    home : Path
        Folder of a trader, running or not.
    decisions : bool
        Whether to decide again, beside checking the record.

    Raises
    ------
    ConfigError
        If there is no journal.
    """
    path = Home.existing(home).journal
    if not path.is_file():
        raise ConfigError(f"{home} holds no journal; expected the home of a trader")
    with SqliteJournal(path, read_only=True) as journal:
        report = journal.verify()
        if not report.ok:
            return HomeReport(report, None, 0)
        entries = journal.entries(0)
        first = next(entries, None)
        config = None if first is None or not decisions else _config(home, first)
        if first is None or config is None:
            return HomeReport(report, None, report.rows if decisions else 0)
        own = _OwnBuild(chain((first,), entries), config.fingerprint)
        found = verify_decisions(Engine(config), own.rows())
        return HomeReport(report, found, report.rows - found.inputs)


def _config(home: Path, first: JournalEntry) -> EngineConfig | None:
    """Return the configuration of the first run if this build would decide under it."""
    fingerprint = _fingerprint(first)
    config = recorded_config(home, fingerprint) if fingerprint else None
    return config if config is not None and config.fingerprint == fingerprint else None


class _OwnBuild:
    """Passes entries on until another build takes over."""

    def __init__(self, entries: Iterator[JournalEntry], fingerprint: str) -> None:
        self._entries = entries
        self._fingerprint = fingerprint

    def rows(self) -> Iterator[tuple[int, bytes, bytes | None]]:
        for entry in self._entries:
            found = _fingerprint(entry) if b'"Started"' in entry.payload else None
            if found not in (None, self._fingerprint):
                return
            yield entry.sequence, entry.payload, entry.outcome


def _fingerprint(entry: JournalEntry) -> str | None:
    for event in decode_slice(entry.payload).events:
        if isinstance(event, Started):
            return event.fingerprint
    return None

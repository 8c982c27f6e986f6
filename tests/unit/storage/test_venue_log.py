from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tidewright.domain.errors import DataIntegrityError, Transient
from tidewright.storage import venue_log
from tidewright.storage.venue_log import SqliteVenueLog

ONE, TWO = {"kind": "a", "value": 1}, {"kind": "b", "value": [1, 2]}


def test_records_come_back_in_order_after_a_restart(tmp_path: Path):
    path = tmp_path / "deep" / "venue.sqlite3"
    log = SqliteVenueLog(path)
    assert log.load() == []
    log.append([ONE, TWO])
    log.append([ONE])
    log.close()
    again = SqliteVenueLog(path)
    assert again.load() == [ONE, TWO, ONE]
    again.append([TWO])
    assert again.load() == [ONE, TWO, ONE, TWO]
    again.close()


def test_commits_are_synchronous(tmp_path: Path):
    log = SqliteVenueLog(tmp_path / "venue.sqlite3")
    assert log._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert log._database.execute("PRAGMA synchronous").fetchone() == (2,)
    log.close()


def test_records_survive_a_process_that_was_killed(tmp_path: Path):
    path = tmp_path / "venue.sqlite3"
    program = (
        "import os, sys, signal; from pathlib import Path\n"
        "from tidewright.storage.venue_log import SqliteVenueLog\n"
        f"log = SqliteVenueLog(Path({str(path)!r}))\n"
        "log.append([{'n': 1}, {'n': 2}])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert done.returncode == -9
    log = SqliteVenueLog(path)
    assert log.load() == [{"n": 1}, {"n": 2}]
    log.close()


def test_batch_that_fails_leaves_nothing(tmp_path: Path):
    log = SqliteVenueLog(tmp_path / "venue.sqlite3")
    log.append([ONE])
    with pytest.raises(TypeError):
        log.append([TWO, {"kind": object()}])
    log.append([TWO])
    assert log.load() == [ONE, TWO]
    log.close()


def test_second_writer_is_found(tmp_path: Path):
    first = SqliteVenueLog(tmp_path / "venue.sqlite3")
    second = SqliteVenueLog(tmp_path / "venue.sqlite3")
    first.append([ONE])
    with pytest.raises(DataIntegrityError, match="another process wrote"):
        second.append([TWO])
    assert first.load() == [ONE]
    first.close()
    second.close()


def test_locked_database_is_a_passing_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(venue_log, "_BUSY_SECONDS", 0.01)
    path = tmp_path / "venue.sqlite3"
    log = SqliteVenueLog(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Transient, match="locked"):
        log.append([ONE])
    other.execute("ROLLBACK")
    log.append([ONE])
    assert log.load() == [ONE]
    other.close()
    log.close()


def test_missing_record_is_found(tmp_path: Path):
    log = SqliteVenueLog(tmp_path / "venue.sqlite3")
    log.append([ONE, TWO, ONE])
    log._database.execute("DELETE FROM venue_log WHERE sequence = 2")
    with pytest.raises(DataIntegrityError, match="record 2 is missing"):
        log.load()
    log.close()


def test_record_that_is_no_json_is_found(tmp_path: Path):
    log = SqliteVenueLog(tmp_path / "venue.sqlite3")
    log.append([ONE])
    log._database.execute("UPDATE venue_log SET record = '{' WHERE sequence = 1")
    with pytest.raises(DataIntegrityError, match="record 1 was"):
        log.load()
    log.close()


def test_file_that_is_no_database_is_refused(tmp_path: Path):
    path = tmp_path / "venue.sqlite3"
    path.write_text("something else entirely, and long enough to be looked at" * 20)
    with pytest.raises(DataIntegrityError, match="expected a venue log"):
        SqliteVenueLog(path)

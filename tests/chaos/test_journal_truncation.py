"""A journal cut or damaged at any byte opens with a prefix, or says what is wrong."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.journal_rows import quiet_outcome, quiet_slice
from tidewright.domain.errors import DataIntegrityError, TidewrightError, Transient
from tidewright.storage.chain import JournalEntry
from tidewright.storage.journal import SqliteJournal


def write(journal: SqliteJournal, rows: int) -> None:
    for _ in range(rows):
        sequence = journal.append(quiet_slice(journal.last_sequence + 1))
        journal.record(quiet_outcome(sequence))


def files_of_running(path: Path, target: Path) -> Path:
    """Copy the file and its log as a crash would leave them."""
    target.mkdir(exist_ok=True)
    shutil.copy(path, target / "j")
    shutil.copy(f"{path}-wal", target / "j-wal")
    return target / "j"


def test_log_cut_at_every_byte_of_the_last_transaction_opens_with_a_prefix(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "j") as journal:
        write(journal, 40)
        journal.commit(durable=True)
        journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        write(journal, 2)
        journal.commit(durable=True)
        before = os.path.getsize(tmp_path / "j-wal")
        write(journal, 3)
        journal.commit(durable=True)
        cut = files_of_running(tmp_path / "j", tmp_path / "cut")
    log = Path(f"{cut}-wal").read_bytes()
    whole = cut.read_bytes()
    assert before < len(log)
    for length in range(before, len(log) + 1):
        cut.write_bytes(whole)
        Path(f"{cut}-wal").write_bytes(log[:length])
        with SqliteJournal(cut) as opened:
            assert opened.last_sequence == (45 if length == len(log) else 42), length
            report = opened.verify()
            assert report.ok, (length, report)
            assert report.rows == opened.last_sequence


def test_log_cut_anywhere_opens_with_whole_transactions(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "j") as journal:
        ends = []
        for count in (1, 5, 30, 2):
            write(journal, count)
            journal.commit(durable=False)
            ends.append(journal.last_sequence)
        cut = files_of_running(tmp_path / "j", tmp_path / "cut")
    log, whole = Path(f"{cut}-wal").read_bytes(), cut.read_bytes()
    source = random.Random(7)
    seen = set()
    for _ in range(150):
        cut.write_bytes(whole)
        Path(f"{cut}-wal").write_bytes(log[: source.randrange(len(log) + 1)])
        with SqliteJournal(cut) as opened:
            seen.add(opened.last_sequence)
            assert opened.last_sequence in {0, *ends}
            assert opened.verify().ok
            write(opened, 1)
            assert opened.verify().ok
    assert len(seen) > 2


def read_all(path: Path) -> list[JournalEntry] | None:
    """Return the entries when the journal calls itself undamaged, None when it does not."""
    try:
        with SqliteJournal(path, read_only=True) as journal:
            return list(journal.entries()) if journal.verify().ok else None
    except TidewrightError:
        return None


def test_byte_flipped_anywhere_in_the_file_never_passes_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with SqliteJournal(path) as journal:
        write(journal, 120)
    expected = read_all(path)
    assert expected is not None
    whole = bytearray(path.read_bytes())
    source = random.Random(11)
    noticed = 0
    for _ in range(400):
        place, bit = source.randrange(len(whole)), 1 << source.randrange(8)
        whole[place] ^= bit
        path.write_bytes(whole)
        whole[place] ^= bit
        found = read_all(path)
        noticed += found is None
        assert found is None or found == expected, place
    assert noticed > 200


def test_byte_flipped_in_a_row_names_that_row_or_one_before(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with SqliteJournal(path) as journal:
        write(journal, 60)
        entries = list(journal.entries())
    whole = bytearray(path.read_bytes())
    source = random.Random(13)
    for _ in range(150):
        entry = source.choice(entries)
        assert entry.outcome is not None
        start = whole.index(entry.payload + entry.outcome)
        place = start + source.randrange(len(entry.payload) + len(entry.outcome))
        whole[place] ^= 0x10
        path.write_bytes(whole)
        whole[place] ^= 0x10
        with SqliteJournal(path, read_only=True) as journal:
            report = journal.verify()
        assert report.first_bad == entry.sequence


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 600 kB; skipped where that is not allowed."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill_up(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_journal_survives_a_disk_that_is_really_full(small_disk: Path) -> None:
    filler = small_disk / "filler"
    with SqliteJournal(small_disk / "j") as journal:
        write(journal, 10)
        journal.commit(durable=True)
        fill_up(filler)
        write(journal, 400)
        for _ in range(3):
            with pytest.raises(Transient, match="the disk is full"):
                journal.commit(durable=True)
        filler.unlink()
        journal.commit(durable=True)
        report = journal.verify()
        assert (report.ok, report.rows) == (True, 410)


def test_unconfirmed_write_stops_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FailedSync(sqlite3.OperationalError):
        sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        sqlite_errorname = "SQLITE_IOERR_FSYNC"

    with SqliteJournal(tmp_path / "j") as journal:
        write(journal, 1)

        def fail(*_: object, **__: object) -> None:
            raise FailedSync("disk I/O error")

        monkeypatch.setattr(journal, "_insert", fail)
        with pytest.raises(DataIntegrityError, match="did not confirm a write"):
            journal.commit(durable=True)
        monkeypatch.undo()
        with pytest.raises(DataIntegrityError, match="did not confirm a write"):
            journal.commit(durable=True)

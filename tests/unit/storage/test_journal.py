from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fakes.journal_rows import quiet_outcome, quiet_slice
from tidewright.domain.errors import ConfigError, DataIntegrityError, Transient
from tidewright.engine.encoding import decode_outcome, decode_slice
from tidewright.storage import journal_schema
from tidewright.storage.chain import Damage
from tidewright.storage.chained import ChainedJournal, HistorySegment, Snapshot
from tidewright.storage.journal import SqliteJournal
from tidewright.storage.memory_journal import MemoryJournal
from tidewright.storage.sqlite import transaction


def write(journal: ChainedJournal, rows: int) -> None:
    for _ in range(rows):
        sequence = journal.append(quiet_slice(journal.last_sequence + 1))
        journal.record(quiet_outcome(sequence))


@pytest.fixture(params=["sqlite", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ChainedJournal]:
    made = SqliteJournal(tmp_path / "j") if request.param == "sqlite" else MemoryJournal()
    with made:
        yield made


def stored(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        count = connection.execute("SELECT count(*) FROM journal").fetchone()[0]
    connection.close()
    return int(count)


def test_rows_written_read_back_as_slices_and_outcomes(journal: ChainedJournal) -> None:
    write(journal, 1_300)
    journal.commit(durable=True)
    entries = list(journal.entries())
    assert [entry.sequence for entry in entries] == list(range(1, 1_301))
    assert decode_slice(entries[41].payload) == quiet_slice(42)
    outcome = entries[41].outcome
    assert outcome is not None
    assert decode_outcome(42, outcome) == quiet_outcome(42)
    assert entries[41].ts_known == quiet_slice(42).ts_known
    assert [entry.sequence for entry in journal.entries(after=1_298)] == [1_299, 1_300]
    assert journal.verify().ok


def test_equal_inputs_give_equal_chains_wherever_they_are_kept(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "j") as disk, MemoryJournal(retain=False) as memory:
        write(disk, 700)
        disk.commit(durable=False)
        write(disk, 3)
        write(memory, 703)
        assert disk.chain_hash == memory.chain_hash
        assert not list(memory.entries())


def test_second_input_before_outcome_is_refused(journal: ChainedJournal) -> None:
    journal.append(quiet_slice(1))
    with pytest.raises(DataIntegrityError, match="input 1 has no outcome"):
        journal.append(quiet_slice(2))


def test_outcome_of_another_input_is_refused(journal: ChainedJournal) -> None:
    with pytest.raises(DataIntegrityError, match="no input waits"):
        journal.record(quiet_outcome(1))
    journal.append(quiet_slice(1))
    with pytest.raises(DataIntegrityError, match="outcome was of input 2; expected input 1"):
        journal.record(quiet_outcome(2))


def test_buffer_fills_and_is_written_without_being_asked(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "j", flush_rows=10) as journal:
        write(journal, 10)
        assert stored(tmp_path / "j") == 0
        write(journal, 1)
        assert stored(tmp_path / "j") == 10


def test_reopened_journal_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "j") as journal:
        write(journal, 5)
        head = journal.chain_hash
    with SqliteJournal(tmp_path / "j") as journal:
        assert (journal.last_sequence, journal.chain_hash, journal.pending) == (5, head, None)
        write(journal, 5)
        assert journal.verify().ok
        assert journal.verify().rows == 10


def test_input_without_outcome_waits_and_is_completed_after_restart(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "j") as journal:
        write(journal, 2)
        journal.append(quiet_slice(3))
    with SqliteJournal(tmp_path / "j") as journal:
        assert journal.verify().ok
        pending = journal.pending
        assert pending is not None
        assert (pending.sequence, decode_slice(pending.payload)) == (3, quiet_slice(3))
        journal.record(quiet_outcome(3))
        write(journal, 1)
    with SqliteJournal(tmp_path / "j") as journal, MemoryJournal() as straight:
        write(straight, 4)
        assert journal.chain_hash == straight.chain_hash
        assert journal.verify().ok


def test_outcome_recorded_after_its_input_was_committed_is_stored(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "j") as journal:
        journal.append(quiet_slice(1))
        journal.commit(durable=True)
        journal.commit(durable=False)
        journal.record(quiet_outcome(1))
        journal.commit(durable=True)
        assert [entry.outcome is None for entry in journal.entries()] == [False]
        assert journal.verify().ok


def test_meta_is_stored_with_the_rows_of_the_commit(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "j") as journal:
        assert journal.meta("cursor") is None
        write(journal, 1)
        journal.set_meta("cursor", "7")
        assert journal.meta("cursor") == "7"
        with SqliteJournal(tmp_path / "j", read_only=True) as reader:
            assert reader.meta("cursor") is None
        journal.commit(durable=False)
        with SqliteJournal(tmp_path / "j", read_only=True) as reader:
            assert reader.meta("cursor") == "7"
            assert reader.last_sequence == 1
        with pytest.raises(ValueError, match="does not keep itself"):
            journal.set_meta("durable_sequence", "1")


def test_meta_never_reaches_the_file_before_its_rows(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "j", flush_rows=2) as journal:
        write(journal, 2)
        journal.set_meta("cursor", "7")
        write(journal, 1)
        assert stored(tmp_path / "j") == 2
        assert list(journal.entries())[-1].sequence == 3
        with SqliteJournal(tmp_path / "j", read_only=True) as reader:
            assert reader.meta("cursor") is None
        journal.commit(durable=False)
        with SqliteJournal(tmp_path / "j", read_only=True) as reader:
            assert reader.meta("cursor") == "7"


def test_snapshot_and_history_are_kept_together(journal: ChainedJournal) -> None:
    assert journal.latest_snapshot() is None
    segments = [
        HistorySegment("BTCUSDT 1m", 10, 20, b"b"),
        HistorySegment("BTCUSDT 1m", 1, 9, b"a"),
    ]
    for count in range(1, 6):
        write(journal, 1)
        journal.save_snapshot(count, "build", b"state%d" % count, segments)
    assert journal.latest_snapshot() == Snapshot(5, "build", b"state5")
    assert journal.load_history("BTCUSDT 1m") == (segments[1], segments[0])
    journal.save_history("BTCUSDT 1m", 1, 9, b"anew")
    assert journal.load_history("BTCUSDT 1m")[0].data == b"anew"
    assert journal.load_history("ETHUSDT 1m") == ()
    assert journal.verify().ok


def test_snapshot_of_another_input_is_refused(journal: ChainedJournal) -> None:
    write(journal, 2)
    with pytest.raises(ValueError, match="snapshot was of input 1"):
        journal.save_snapshot(1, "build", b"state")


def test_closing_twice_does_nothing_more(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j")
    write(journal, 1)
    journal.close()
    journal.close()
    assert stored(tmp_path / "j") == 1


# Damage


@pytest.fixture
def damaged(tmp_path: Path) -> Callable[..., list[tuple[int, Damage]]]:
    """Write twenty rows, damage the file by SQL, return what verify names."""
    path = tmp_path / "j"
    with SqliteJournal(path) as journal:
        write(journal, 15)
        journal.save_snapshot(15, "build", b"state", [HistorySegment("s", 1, 2, b"data")])
        write(journal, 5)

    def damage(*statements: str) -> list[tuple[int, Damage]]:
        connection = sqlite3.connect(path, isolation_level=None)
        for statement in statements:
            connection.execute(statement)
        connection.close()
        with SqliteJournal(path, read_only=True) as journal:
            report = journal.verify()
        assert not report.ok
        assert report.first_bad == report.faults[0].sequence
        return [(fault.sequence, fault.damage) for fault in report.faults]

    return damage


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("payload = CAST(replace(payload, '4625000', '4625001') AS BLOB)", Damage.ALTERED),
        (
            "outcome = CAST(replace(outcome, '1000000000000', '1000000000001') AS BLOB)",
            Damage.ALTERED,
        ),
        ("outcome = NULL", Damage.ALTERED),
        ("ts_known = ts_known + 1", Damage.ALTERED),
        ("payload = CAST(payload AS TEXT)", Damage.ALTERED),
        ("hash = zeroblob(16)", Damage.HASH_ALTERED),
    ],
)
def test_changed_column_is_named(
    damaged: Callable[..., list[tuple[int, Damage]]], change: str, expected: Damage
) -> None:
    found = damaged(f"UPDATE journal SET {change} WHERE sequence = 7")
    assert found[0] == (7, expected)
    assert {sequence for sequence, _ in found} == {7}


def test_dropped_rows_are_named(damaged: Callable[..., list[tuple[int, Damage]]]) -> None:
    assert damaged("DELETE FROM journal WHERE sequence IN (1, 7, 8)") == [
        (1, Damage.DROPPED),
        (7, Damage.DROPPED),
    ]


def test_dropped_end_is_named(damaged: Callable[..., list[tuple[int, Damage]]]) -> None:
    assert damaged("DELETE FROM journal WHERE sequence > 18") == [(19, Damage.TRUNCATED)]


def test_end_dropped_before_a_snapshot_is_named_once(
    damaged: Callable[..., list[tuple[int, Damage]]],
) -> None:
    found = damaged("DELETE FROM journal WHERE sequence > 12", "DELETE FROM meta")
    assert found == [(13, Damage.TRUNCATED)]


@pytest.mark.parametrize(("first", "second"), [(7, 8), (7, 12), (1, 20)])
def test_swapped_rows_are_named(
    damaged: Callable[..., list[tuple[int, Damage]]], first: int, second: int
) -> None:
    found = damaged(
        f"UPDATE journal SET sequence = 99 WHERE sequence = {first}",
        f"UPDATE journal SET sequence = {first} WHERE sequence = {second}",
        f"UPDATE journal SET sequence = {second} WHERE sequence = 99",
    )
    assert found == [(first, Damage.REORDERED), (second, Damage.REORDERED)]


def test_swapped_contents_are_named(damaged: Callable[..., list[tuple[int, Damage]]]) -> None:
    found = damaged(
        "CREATE TEMP TABLE o AS SELECT * FROM journal",
        "UPDATE journal SET (ts_known, payload, outcome) = (SELECT o.ts_known, o.payload, o.outcome"
        " FROM o WHERE o.sequence = 17 - journal.sequence) WHERE sequence IN (7, 10)",
    )
    assert found == [(7, Damage.REORDERED), (10, Damage.REORDERED)]


def test_altered_snapshot_and_history_are_named(
    damaged: Callable[..., list[tuple[int, Damage]]],
) -> None:
    found = damaged("UPDATE snapshot SET state = x'00'", "UPDATE history SET last_ts = 3")
    assert found == [(0, Damage.HISTORY), (15, Damage.SNAPSHOT)]


def test_altered_snapshot_and_history_are_not_used(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "j") as journal:
        write(journal, 1)
        journal.save_snapshot(1, "build", b"state", [HistorySegment("s", 1, 2, b"data")])
        with sqlite3.connect(tmp_path / "j") as other:
            other.execute("UPDATE snapshot SET fingerprint = 'other'")
            other.execute("UPDATE history SET data = x'00'")
        other.close()
        with pytest.raises(DataIntegrityError, match="snapshot after row 1 was altered"):
            journal.latest_snapshot()
        with pytest.raises(DataIntegrityError, match="history of s from 1 was altered"):
            journal.load_history("s")


def test_damaged_end_is_not_written_on(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with SqliteJournal(path) as journal:
        write(journal, 5)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM journal WHERE sequence = 5")
    connection.close()
    with pytest.raises(DataIntegrityError, match="damaged at row 4 of 5"):
        SqliteJournal(path)


# What the disk and other processes do


def test_file_of_another_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all")
    with pytest.raises(ConfigError, match="expected an SQLite database"):
        SqliteJournal(tmp_path / "text")
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("CREATE TABLE x (a)")
    connection.close()
    with pytest.raises(ConfigError, match="belongs to another program"):
        SqliteJournal(tmp_path / "db")
    with pytest.raises(ConfigError, match="no such file"):
        SqliteJournal(tmp_path / "none", read_only=True)
    with pytest.raises(ConfigError, match="no such file"):
        SqliteJournal(tmp_path / "no" / "folder")


def test_newer_schema_is_refused_and_older_is_lifted(tmp_path: Path) -> None:
    path = tmp_path / "j"
    SqliteJournal(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(ConfigError, match="schema version 99; expected at most"):
        SqliteJournal(path)


def test_migration_steps_run_once_and_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j"
    SqliteJournal(path).close()
    connection = sqlite3.connect(path, isolation_level=None)

    def widen(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE journal ADD COLUMN extra TEXT")

    def fail(connection: sqlite3.Connection) -> None:
        raise DataIntegrityError("step failed")

    newest = [*journal_schema.MIGRATIONS, widen]
    with pytest.raises(ConfigError, match="open it for writing once"):
        journal_schema.migrate(connection, path, read_only=True, steps=newest)
    with pytest.raises(DataIntegrityError, match="step failed"):
        journal_schema.migrate(connection, path, read_only=False, steps=[*newest, fail])
    for _ in range(2):
        journal_schema.migrate(connection, path, read_only=False, steps=newest)
    names = [row[1] for row in connection.execute("PRAGMA table_info(journal)")]
    assert names.count("extra") == 1
    connection.close()


def test_full_disk_is_reported_and_writing_goes_on_when_space_returns(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "j", flush_rows=50) as journal:
        write(journal, 20)
        journal.commit(durable=True)
        (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
        journal._connection.execute(f"PRAGMA max_page_count={pages}")
        write(journal, 50)
        with pytest.raises(Transient, match="disk is full; nothing was written"):
            journal.commit(durable=True)
        with pytest.raises(Transient, match="disk is full"):
            journal.append(quiet_slice(71))
        assert journal.last_sequence == 70
        assert stored(tmp_path / "j") == 20
        journal._connection.execute("PRAGMA max_page_count=100000")
        write(journal, 1)
        journal.commit(durable=True)
        assert [entry.sequence for entry in journal.entries()] == list(range(1, 72))
        assert journal.verify().ok


def test_lock_of_another_process_is_reported_and_waited_out(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with SqliteJournal(path, busy_timeout_ms=50) as journal:
        write(journal, 3)
        journal.commit(durable=True)
        holder = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sqlite3, sys\n"
                "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
                "c.execute('BEGIN IMMEDIATE')\n"
                "print('locked', flush=True)\n"
                "sys.stdin.read()",
                str(path),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"locked\n"
            write(journal, 2)
            with pytest.raises(Transient, match="locked by another process"):
                journal.commit(durable=True)
            with pytest.raises(Transient, match="locked by another process"):
                journal.save_snapshot(5, "build", b"state")
            holder.kill()
        journal.commit(durable=True)
        assert stored(path) == 5
        assert journal.verify().ok


def test_other_writer_is_noticed_and_nothing_is_mixed(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with SqliteJournal(path) as journal, SqliteJournal(path) as other:
        write(other, 1)
        other.commit(durable=True)
        write(journal, 2)
        with pytest.raises(DataIntegrityError, match="only writer"):
            journal.commit(durable=True)
        with pytest.raises(DataIntegrityError, match="only writer"):
            journal.commit(durable=True)
        assert stored(path) == 1


def test_outcome_recorded_by_another_writer_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with SqliteJournal(path) as journal:
        journal.append(quiet_slice(1))
    with SqliteJournal(path) as journal, SqliteJournal(path) as other:
        other.record(quiet_outcome(1))
        other.commit(durable=True)
        journal.record(quiet_outcome(1, equity=1))
        with pytest.raises(DataIntegrityError, match="has an outcome already"):
            journal.commit(durable=True)
        assert other.verify().ok


def test_only_durable_commits_wait_for_the_disk(tmp_path: Path) -> None:
    with SqliteJournal(tmp_path / "j") as journal:
        for durable, level in ((True, 2), (False, 1), (True, 2)):
            write(journal, 1)
            journal.commit(durable=durable)
            assert journal._connection.execute("PRAGMA synchronous").fetchone() == (level,)


def test_failed_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x", isolation_level=None)
    connection.execute("CREATE TABLE t (a)")

    def fail() -> None:
        with transaction(connection, tmp_path / "x"):
            connection.execute("INSERT INTO t VALUES (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    connection.close()

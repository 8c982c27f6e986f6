import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.storage.trials import TrialFile


def filled(path: Path, count: int = 3) -> Path:
    with TrialFile(path) as file:
        for n in range(count):
            assert file.append("trials", f"k{n}", {"n": n, "x": 0.5}, 10 + n)
    return path


def test_entries_come_back_in_order_and_by_key(tmp_path: Path):
    path = filled(tmp_path / "deep" / "trials.sqlite3")
    with TrialFile(path, read_only=True) as file:
        assert [(one.sequence, one.ts, one.key) for one in file.records("trials")] == [
            (1, 10, "k0"),
            (2, 11, "k1"),
            (3, 12, "k2"),
        ]
        assert [one.body for one in file.records("trials", "k1")] == [{"n": 1, "x": 0.5}]
        assert [one.key for one in file.records("trials", prefix="k")] == ["k0", "k1", "k2"]
        assert [one.key for one in file.records("trials", prefix="k1")] == ["k1"]
        assert file.records("trials", prefix="l") == []
        assert file.records("freeze") == []
        assert file.verify().ok


def test_fact_is_written_once_and_an_action_every_time(tmp_path: Path):
    with TrialFile(filled(tmp_path / "t.sqlite3")) as file:
        assert not file.append("trials", "k0", {"n": 0}, 99)
        assert file.append("freeze", "a", {}, 99)
        assert file.append("freeze", "a", {}, 99)
        assert len(file.everything()) == 5


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET ts = 0",
        "DELETE FROM entries WHERE sequence = 2",
        "INSERT OR REPLACE INTO entries VALUES (2, 0, 'trials', 'k1', x'7b7d', x'00')",
    ],
)
def test_entries_cannot_be_changed_through_sql_unnoticed(tmp_path: Path, statement):
    path = filled(tmp_path / "t.sqlite3")
    database = sqlite3.connect(path)
    try:
        with database:
            database.execute(statement)
    except sqlite3.IntegrityError:
        pass
    else:
        assert "REPLACE" in statement
    database.close()
    with TrialFile(path, read_only=True) as file:
        report = file.verify()
    assert report.ok or report.first_bad == 2


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("UPDATE entries SET key = 'other' WHERE sequence = 2", 2),
        ("UPDATE entries SET kind = 'other' WHERE sequence = 1", 1),
        ("UPDATE entries SET payload = x'7b7d' WHERE sequence = 3", 3),
        ("DELETE FROM entries WHERE sequence = 2", 2),
    ],
)
def test_chain_names_what_was_changed_behind_the_triggers(tmp_path: Path, statement, first_bad):
    path = filled(tmp_path / "t.sqlite3")
    with sqlite3.connect(path) as database:
        database.execute("DROP TRIGGER entries_stay")
        database.execute("DROP TRIGGER entries_are_kept")
        database.execute(statement)
    database.close()
    with TrialFile(path, read_only=True) as file:
        assert file.verify().first_bad == first_bad


def test_processes_write_at_once_and_the_chain_holds(tmp_path: Path):
    path = tmp_path / "t.sqlite3"
    program = (
        "import sys; from pathlib import Path\n"
        "from tidewright.storage.trials import TrialFile\n"
        "for n in range(20):\n"
        f"    with TrialFile(Path({str(path)!r})) as file:\n"
        "        file.append('trials', f'{sys.argv[1]} {n}', {'n': n}, n)\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, name]) for name in "abc"]
    assert [one.wait(timeout=60) for one in running] == [0, 0, 0]
    with TrialFile(path, read_only=True) as file:
        assert file.verify().ok
        assert len({one.key for one in file.records("trials")}) == 60


def test_export_carries_everything_and_import_adds_only_what_is_new(tmp_path: Path):
    path, other = filled(tmp_path / "a.sqlite3"), filled(tmp_path / "b.sqlite3", 1)
    with TrialFile(path) as file, TrialFile(other) as target:
        file.append("freeze", "s", {"digest": "d"}, 50)
        assert file.export(tmp_path / "out.jsonl") == 4
        assert target.take_in(tmp_path / "out.jsonl") == 3
        assert target.take_in(tmp_path / "out.jsonl") == 0
        assert [one.body for one in target.everything()] == [one.body for one in file.everything()]
        assert target.verify().ok


@pytest.mark.parametrize(
    "line", ["nonsense", "[]", '{"ts": "1", "kind": "a", "key": "", "body": {}}']
)
def test_file_that_is_no_export_is_refused_and_adds_nothing(tmp_path: Path, line):
    good = '{"ts": 1, "kind": "a", "key": "", "body": {}}'
    (tmp_path / "in.jsonl").write_text(f"{good}\n{line}\n")
    with TrialFile(tmp_path / "t.sqlite3") as file:
        with pytest.raises(ConfigError, match=":2: "):
            file.take_in(tmp_path / "in.jsonl")
        assert file.everything() == []


def test_foreign_missing_and_unreadable_files_are_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="no such file"):
        TrialFile(tmp_path / "none.sqlite3", read_only=True)
    (tmp_path / "text").write_text("hello, this is no database")
    with pytest.raises(ConfigError, match="expected an SQLite database"):
        TrialFile(tmp_path / "text")
    with pytest.raises(ConfigError, match="cannot be created"):
        TrialFile(tmp_path / "text" / "t.sqlite3")
    path = filled(tmp_path / "t.sqlite3")
    with sqlite3.connect(path) as database:
        database.execute("DROP TRIGGER entries_stay")
        database.execute("UPDATE entries SET payload = x'5b5d'")
    database.close()
    with TrialFile(path) as file, pytest.raises(DataIntegrityError, match="entry 1"):
        file.everything()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_read_only_folder_is_told(tmp_path: Path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    with pytest.raises(ConfigError):
        TrialFile(folder / "t.sqlite3")

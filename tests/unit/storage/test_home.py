from __future__ import annotations

import multiprocessing
import os
import stat
import subprocess
import sys
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from tidewright.domain.errors import ConfigError, DataIntegrityError, Transient
from tidewright.domain.events import OperatorCommand, TradingState
from tidewright.storage.files import replace_atomically, write_atomically
from tidewright.storage.home import Home
from tidewright.storage.journal import SqliteJournal
from tidewright.storage.operator import OperatorInbox

HOLD = (
    "import sys\n"
    "from pathlib import Path\n"
    "from tidewright.storage.home import Home\n"
    "lock = Home.existing(Path(sys.argv[1])).lock()\n"
    "print('held', flush=True)\n"
    "sys.stdin.read()\n"
)


def never() -> str:
    raise AssertionError("asked for a second identity")


def made(path: Path) -> Home:
    return Home.open(path, lambda: "0123456789abcdef")


def holder(path: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def announce_and_wait(running: Event, stop: Event) -> None:
    running.set()
    stop.wait()


def test_new_home_gets_one_identity_and_belongs_to_its_owner(tmp_path: Path) -> None:
    home = made(tmp_path / "a" / "home")
    assert home.id == "0123456789abcdef"
    assert Home.open(tmp_path / "a" / "home", never) == home
    assert Home.existing(home.path) == home
    if os.name == "posix":
        assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
        assert stat.S_IMODE((home.path / "home.json").stat().st_mode) == 0o600
    assert sorted(path.name for path in home.path.iterdir()) == ["data", "home.json"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b'{"id": "0123456789abcdef", "layout": 9}', ConfigError),
        (b'{"id": "x", "layout": 1}', DataIntegrityError),
        (b"[]", DataIntegrityError),
        (b"{", DataIntegrityError),
    ],
)
def test_unusable_identity_is_refused(
    tmp_path: Path, content: bytes, error: type[Exception]
) -> None:
    (tmp_path / "home.json").write_bytes(content)
    with pytest.raises(error):
        Home.open(tmp_path, never)


def test_bad_id_and_missing_home_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="home id was 'x'"):
        Home.open(tmp_path, lambda: "x")
    with pytest.raises(ConfigError, match="expected a folder"):
        Home.existing(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be created"):
        made(tmp_path / "file")


def test_second_process_on_one_home_is_refused_by_name(tmp_path: Path) -> None:
    home = made(tmp_path)
    with holder(tmp_path) as process:
        with pytest.raises(ConfigError, match=f"in use by process {process.pid}"):
            home.lock()
        process.kill()


def test_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    home = made(tmp_path)
    with holder(tmp_path) as process:
        process.kill()
    lock = home.lock()
    with pytest.raises(ConfigError, match=f"process {os.getpid()}"):
        home.lock()
    lock.release()
    lock.release()
    home.lock().release()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    home = made(tmp_path)
    lock = home.lock()
    context = multiprocessing.get_context("fork")
    running, stop = context.Event(), context.Event()
    child = context.Process(target=announce_and_wait, args=(running, stop))
    child.start()
    try:
        assert running.wait(30)
        lock.release()
        home.lock().release()
    finally:
        stop.set()
        child.join()


def test_status_is_replaced_as_a_whole(tmp_path: Path) -> None:
    home = made(tmp_path)
    assert home.read_status() is None
    home.write_status({"state": "active", "pid": 1})
    home.write_status({"state": "halted"})
    assert home.read_status() == {"state": "halted"}
    home.status.write_bytes(b"half")
    with pytest.raises(DataIntegrityError, match="expected JSON"):
        home.read_status()


def test_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_atomically(path, b"old")

    def fail(temporary: Path) -> None:
        temporary.write_bytes(b"ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(Transient, match="the old file stays"):
        replace_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


# Operator inbox


def test_posted_command_is_handed_over_once(tmp_path: Path) -> None:
    poster, trader = OperatorInbox(tmp_path / "o"), OperatorInbox(tmp_path / "o")
    first = poster.post(TradingState.HALTED, "cli", "lunch", 5)
    (taken,) = trader.poll()
    assert (taken.id, taken.ts) == (first, 5)
    assert taken.command == OperatorCommand(TradingState.HALTED, "cli", "lunch")
    assert trader.poll() == []
    second = poster.post(TradingState.ACTIVE, "cli", "back", 6)
    assert [command.id for command in trader.poll()] == [second]
    assert not poster.is_acknowledged(first)
    trader.acknowledge(first)
    assert poster.is_acknowledged(first)
    assert not poster.is_acknowledged(second)
    poster.close()
    trader.close()


def test_cursor_in_the_journal_hands_over_exactly_once_across_crashes(tmp_path: Path) -> None:
    inbox = OperatorInbox(tmp_path / "o")
    for reason in ("a", "b", "c"):
        inbox.post(TradingState.HALTED, "cli", reason, 1)
    inbox.close()
    taken = []
    for kept in (False, True, False, True):
        with SqliteJournal(tmp_path / "j") as journal:
            inbox = OperatorInbox(tmp_path / "o", after=int(journal.meta("operator_cursor") or 0))
            commands = inbox.poll()
            if kept:
                taken += [command.command.reason for command in commands]
                journal.set_meta("operator_cursor", str(inbox.cursor))
                journal.commit(durable=True)
            inbox.close()
    assert taken == ["a", "b", "c"]


def test_unusable_command_is_refused(tmp_path: Path) -> None:
    inbox = OperatorInbox(tmp_path / "o")
    with pytest.raises(ConfigError, match="actor was empty"):
        inbox.post(TradingState.HALTED, "", "why", 1)
    with pytest.raises(ConfigError, match="reason was 2000 characters"):
        inbox.post(TradingState.HALTED, "cli", "x" * 2_000, 1)
    inbox.close()


def test_journal_is_no_inbox(tmp_path: Path) -> None:
    SqliteJournal(tmp_path / "j").close()
    with pytest.raises(ConfigError, match="belongs to another program or purpose"):
        OperatorInbox(tmp_path / "j")

from __future__ import annotations

from pathlib import Path

import pytest

from tidewright.app.operate import find_home, is_running, read_status, request_state
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import TradingState
from tidewright.storage.home import Home
from tidewright.storage.operator import OperatorInbox


def made(path: Path) -> Home:
    return Home.open(path, lambda: "0" * 32)


def test_named_home_is_found(tmp_path: Path) -> None:
    made(tmp_path / "h")
    assert find_home(tmp_path / "h").path == tmp_path / "h"


def test_folder_without_a_trader_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no trader in .* expected the folder of a trader"):
        find_home(tmp_path)


def test_only_home_in_its_usual_place_needs_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="no trader in .* name one with --home"):
        find_home(None)
    made(Path("home/replay"))
    assert find_home(None).path == tmp_path / "home" / "replay"
    made(Path("home/agents"))
    with pytest.raises(ConfigError, match="more than one trader in .* name one with --home"):
        find_home(None)


def test_home_is_running_while_a_process_holds_it(tmp_path: Path) -> None:
    home = made(tmp_path / "h")
    assert not is_running(home)
    lock = home.lock()
    assert is_running(home)
    lock.release()
    assert not is_running(home)


@pytest.mark.parametrize("state", list(TradingState))
def test_command_is_stored_though_no_trader_runs(tmp_path: Path, state: TradingState) -> None:
    home = made(tmp_path / "h")
    answer = request_state(tmp_path / "h", state, "cli", "a reason")
    assert answer.data == {"home": str(home.path), "state": state.value, "running": False}
    assert "it holds from the next start on" in answer.text
    inbox = OperatorInbox(home.operator)
    (entry,) = inbox.poll()
    inbox.close()
    assert (entry.command.state, entry.command.actor) == (state, "cli")
    assert entry.command.reason == "a reason"
    assert entry.ts > 0


def test_running_trader_is_told_apart(tmp_path: Path) -> None:
    home = made(tmp_path / "h")
    lock = home.lock()
    try:
        answer = request_state(tmp_path / "h", TradingState.HALTED, "cli", "now")
    finally:
        lock.release()
    assert answer.data["running"] is True
    assert "the running trader takes it now" in answer.text


def test_status_tells_what_was_written_last(tmp_path: Path) -> None:
    home = made(tmp_path / "h")
    assert read_status(home.path).data == {"home": str(home.path), "running": False}
    home.write_status({"trading_state": "halted", "equity": "5.5"})
    answer = read_status(home.path)
    assert answer.data["trading_state"] == "halted"
    assert answer.text.splitlines() == [
        f"{home.path}: not running",
        "  trading state: halted",
        "  equity: 5.5",
    ]

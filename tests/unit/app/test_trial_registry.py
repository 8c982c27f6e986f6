import json
from pathlib import Path

import pytest

from fakes.trial_store import walk
from tidewright.app.settings import Settings
from tidewright.app.strategies import load_strategies
from tidewright.app.trials import Scored, numbers_varied, open_trials, record_trials, trials_path
from tidewright.cli.main import main


@pytest.fixture(autouse=True)
def own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "registry" / "trials.sqlite3"
    monkeypatch.setenv("TIDEWRIGHT_TRIALS", str(path))
    return path


def a_backtest(name: str = "sma_cross", **changes) -> Scored:
    return Scored("backtest", load_strategies([name]), Settings(), **changes)


def test_registry_lies_in_the_users_data_folder_unless_moved(monkeypatch, own_registry):
    assert trials_path() == own_registry
    monkeypatch.delenv("TIDEWRIGHT_TRIALS")
    assert trials_path().name == "trials.sqlite3"
    assert "tidewright" in str(trials_path().parent).lower()


def test_each_command_counts_what_it_scored():
    series = [walk()]
    one = record_trials(a_backtest(), series)
    again = record_trials(a_backtest(), series)
    assert one == again
    assert (one.in_family, one.on_data) == (1, 1)
    other = record_trials(a_backtest("momentum"), series)
    assert (other.in_family, other.on_data) == (1, 2)
    swept = record_trials(
        a_backtest(variants=[f"fast={n}" for n in range(40)], parameters={"fast": (0, 39, 40)}),
        series,
    )
    assert (swept.in_family, swept.on_data) == (41, 42)
    windowed = record_trials(a_backtest(), series, span=(0, int(series[0].ts_known[500])))
    assert windowed.in_family == 42


@pytest.mark.parametrize("damage", ["no folder", "text", "damaged"])
def test_registry_that_cannot_be_used_fails_nothing_and_is_told(own_registry, damage):
    if damage == "no folder":
        own_registry.parent.write_text("a file where the folder should be")
    elif damage == "text":
        own_registry.parent.mkdir()
        own_registry.write_text("this is no database")
    else:
        record_trials(a_backtest(), [walk()])
        content = own_registry.read_bytes()
        own_registry.write_bytes(content[:100] + b"\x5a" * (len(content) - 100))
    told: list[str] = []
    assert record_trials(a_backtest(), [walk()], tell=told.append) is None
    assert len(told) == 1
    assert "not counted" in told[0]


def test_ranges_of_varied_numbers():
    found = numbers_varied([{"a": 1, "b": 2.5}, {"a": 3, "b": 2.5}])
    assert found == {"a": (1.0, 3.0, 2), "b": (2.5, 2.5, 1)}


def test_commands_list_check_and_carry_the_registry(tmp_path, capsys, monkeypatch):
    assert main(["trials", "list"]) == 0
    assert "nothing was tried yet" in capsys.readouterr().out
    record_trials(a_backtest(), [walk()])
    assert main(["trials", "list"]) == 0
    assert "sma_cross" in (said := capsys.readouterr().out)
    assert "1 configurations" in said
    assert main(["trials", "list", "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert run["command"] == "backtest"
    assert main(["trials", "verify"]) == 0
    assert "chain unbroken" in capsys.readouterr().out
    assert main(["trials", "export", str(tmp_path / "out.jsonl")]) == 0
    monkeypatch.setenv("TIDEWRIGHT_TRIALS", str(tmp_path / "other.sqlite3"))
    assert main(["trials", "import", str(tmp_path / "out.jsonl")]) == 0
    assert "2 entries added" in capsys.readouterr().out
    assert main(["trials", "verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "entries": 2, "faults": []}


def test_broken_chain_has_its_exit_code(capsys):
    record_trials(a_backtest(), [walk()])
    with open_trials() as store:
        store._connection.execute("DROP TRIGGER entries_stay")
        store._connection.execute("UPDATE entries SET ts = 1 WHERE sequence = 2")
    assert main(["trials", "verify"]) == 4
    assert "entry 2" in capsys.readouterr().out

"""`backtest`, `replay`, `halt`, `resume`, `status` and `up` as a person types them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from fakes.homes import request
from tidewright.app.session import Session
from tidewright.cli.main import main
from tidewright.domain.time import MINUTE, iso, parse_iso

START = parse_iso("2023-03-01T00:00:00Z")
BARS = 1_500


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prices that wander, so that averages cross."""
    close = np.round(20_000 + np.cumsum(np.random.default_rng(7).normal(0, 12, BARS)), 2)
    rows = ["timestamp,open,high,low,close,volume"]
    before = close[0]
    for minute, price in enumerate(close.tolist()):
        high, low = max(before, price) + 5, min(before, price) - 5
        stamp = iso(START + minute * MINUTE)
        rows.append(f"{stamp},{before:.2f},{high:.2f},{low:.2f},{price:.2f},25.5")
        before = price
    path = tmp_path_factory.mktemp("data") / "BTCUSDT.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def backtest(csv: Path, tmp_path: Path, *words: str) -> dict[str, object]:
    path = tmp_path / "result.json"
    assert main(["backtest", "sma_cross", "--data", str(csv), "--json", str(path), *words]) == 0
    return json.loads(path.read_text(), parse_float=Decimal)


def test_backtest_writes_what_programs_read(csv: Path, tmp_path: Path, capsys) -> None:
    found = backtest(csv, tmp_path)
    assert (found["engine"], found["bars"], found["strategy"]) == ("bulk", BARS, "sma_cross")
    assert found["seconds"] > 0
    assert len(found["trades"]) > 3
    keys = ["entry_time", "exit_time", "symbol", "side", "quantity", "entry_price"]
    keys += ["exit_price", "fees", "pnl"]
    for trade in found["trades"]:
        assert set(keys) <= set(trade)
        assert trade["symbol"] == "BTCUSDT"
        assert trade["entry_time"] < trade["exit_time"]
        gross = trade["quantity"] * (trade["exit_price"] - trade["entry_price"])
        assert trade["pnl"] == pytest.approx(gross - trade["fees"], abs=Decimal("0.0001"))
    assert found["tries"]["in_family"] >= 1
    assert found["tries"]["on_data"] >= found["tries"]["independent"] >= 1
    metrics = found["metrics"]
    for name in ("total_return", "sharpe", "sortino", "max_drawdown", "profit_factor", "exposure"):
        assert name in metrics
    said = capsys.readouterr()
    for line in ("Return", "Maximum drawdown", "Final equity", f"{BARS:,} bars in"):
        assert line in said.out
    assert "BTCUSDT.csv" in said.err


def test_backtest_says_the_same_twice(csv: Path, tmp_path: Path) -> None:
    first, second = backtest(csv, tmp_path), backtest(csv, tmp_path)
    for name in ("trades", "fills_digest", "equity", "metrics", "fingerprint", "refusals"):
        assert first[name] == second[name]


def test_both_engines_write_the_same_result(csv: Path, tmp_path: Path, capsys) -> None:
    bulk = backtest(csv, tmp_path)
    assert "bars a second, in one compiled loop" in " ".join(capsys.readouterr().out.split())
    event = backtest(csv, tmp_path, "--engine", "event")
    assert "bars a second, one engine step per slice" in " ".join(capsys.readouterr().out.split())
    assert (bulk.pop("engine"), event.pop("engine")) == ("bulk", "event")
    for name in ("seconds", "bars_per_second"):
        bulk.pop(name), event.pop(name)
    assert bulk == event


def test_what_the_compiled_loop_cannot_do_runs_on_the_event_path(csv: Path, tmp_path: Path) -> None:
    example = Path(__file__).parents[3] / "examples" / "python_strategy.py"
    path = tmp_path / "r.json"
    words = [f"{example}:PullbackInCalmTrend", "--data", str(csv), "--json", str(path)]
    assert main(["backtest", *words, "--repeat", "2"]) == 0
    found = json.loads(path.read_text())
    assert found["engine"] == "event"
    assert any("written in Python" in note for note in found["notes"])


def test_window_limits_trades_and_not_warm_up(csv: Path, tmp_path: Path) -> None:
    start, end = START + 700 * MINUTE, START + 1_200 * MINUTE
    found = backtest(csv, tmp_path, "--from", iso(start), "--to", iso(end))
    whole = backtest(csv, tmp_path)
    entries = [parse_iso(trade["entry_time"]) for trade in found["trades"]]
    assert entries
    assert start <= min(entries)
    assert max(entries) <= end
    inside = [parse_iso(trade["entry_time"]) for trade in whole["trades"]]
    # Warm columns see the first cross after the start as the whole run saw it.
    assert entries[0] == next(entry for entry in inside if entry >= start)


def test_settings_given_on_the_command_line_decide(csv: Path, tmp_path: Path) -> None:
    one = backtest(csv, tmp_path)
    other = backtest(csv, tmp_path, "--set", "risk.max_position_size_percent=2")
    assert one["fingerprint"] != other["fingerprint"]
    assert other["trades"][0]["quantity"] < one["trades"][0]["quantity"]


def test_strategy_that_never_trades_is_reported(csv: Path, tmp_path: Path, capsys) -> None:
    spec = tmp_path / "never.yaml"
    spec.write_text(
        "schema: 1\nname: never\nversion: 1\nentry:\n  long: close < 0\ntime_stop_bars: 5\n"
        "sizing:\n  method: percent_of_equity\n  value: 5\n"
    )
    path = tmp_path / "r.json"
    assert main(["backtest", str(spec), "--data", str(csv), "--json", str(path)]) == 0
    found = json.loads(path.read_text())
    assert (found["trades"], found["fills"], found["equity"]) == ([], 0, 10_000)
    assert "Trades" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sma_cros", "--data", "CSV"], "did you mean 'sma_cross'"),
        (["sma_cross", "--data", "absent.csv"], "absent.csv"),
        (["sma_cross", "--data", "CSV", "--from", "tomorrow"], "expected ISO 8601"),
        (["sma_cross", "--data", "CSV", "--to", "1999-01-01", "--from", "2000-01-01"], "--to"),
        (["sma_cross", "--data", "CSV", "--to", "1999-01-01"], "no bar"),
        (["sma_cross", "--data", "CSV", "--set", "risk.max_drawdwn_percent=1"], "did you mean"),
        (["sma_cross", "--data", "CSV", "--set", "risk.max_drawdown_percent=0"], "above 0"),
        (["sma_cross", "--data", "CSV", "--config", "absent.yaml"], "absent.yaml"),
        (["sma_cross", "--data", "CSV", "--json", "no/such/folder.json"], "cannot be written"),
        (["absent.py:Mine", "--data", "CSV"], "absent.py was not found"),
    ],
)
def test_wrong_words_are_told_with_their_exit_code(
    csv: Path, tmp_path: Path, words: list[str], said: str, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["backtest", *[str(csv) if word == "CSV" else word for word in words]]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_unusable_rows_are_no_bars(csv: Path, tmp_path: Path, capsys) -> None:
    lines = csv.read_text().splitlines()
    lines[700] = lines[700].rpartition(",")[0] + ",-5"
    broken = tmp_path / "BTCUSDT.csv"
    broken.write_text("\n".join(lines) + "\n")
    found = backtest(broken, tmp_path)
    assert found["bars"] == BARS - 1
    assert found["alerts"]["DATUM_QUARANTINED"] == 1


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "home"
    with Session(request(folder, 30)) as session:
        session.run()
    return folder


def test_replay_tells_that_every_decision_is_identical(home: Path, capsys) -> None:
    assert main(["replay", str(home)]) == 0
    said = capsys.readouterr().out
    assert "unbroken" in said
    assert "every one identical" in said
    assert main(["replay", str(home), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert found["rows"] == found["decided_again"] > 300
    assert (found["damage"], found["differences"], found["other_builds"]) == ([], [], 0)


def test_replay_of_the_chain_alone_decides_nothing(home: Path, capsys) -> None:
    assert main(["replay", str(home), "--chain-only", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["decided_again"], found["other_builds"]) == (0, 0)
    assert main(["replay", str(home), "--chain-only"]) == 0
    assert "Decisions" not in capsys.readouterr().out


def test_replay_of_a_folder_without_a_trader_is_wrong_usage(tmp_path: Path, capsys) -> None:
    assert main(["replay", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_halt_status_and_resume_are_told(home: Path, capsys) -> None:
    assert main(["halt", "--home", str(home), "--reason", "test"]) == 0
    assert "HALTED stored" in capsys.readouterr().out
    assert main(["halt", "--reduce", "--home", str(home), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "reducing"
    assert main(["status", "--home", str(home), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["running"] is False
    assert main(["resume", "--home", str(home)]) == 0
    assert "ACTIVE stored" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["halt", "resume", "status"])
def test_operating_nothing_is_wrong_usage(command: str, tmp_path: Path, capsys) -> None:
    assert main([command, "--home", str(tmp_path)]) == 2
    assert "expected the folder of a trader" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--speed", "0"], "--speed was"),
        (["--feed", "replay"], "--feed replay needs --data"),
        (["--data", "x.csv"], "--data needs --feed replay"),
        (["--strategy", "sma_cros"], "did you mean"),
        (["--seed", "-1"], "seed"),
        (["--venue", "example.org:80"], "expected 127.0.0.1:PORT"),
        (["--set", "nonsense=1"], "nonsense"),
    ],
)
def test_up_with_wrong_words_starts_nothing(
    words: list[str], said: str, tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["up", "--port", "0", "--headless", "--for", "30", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error

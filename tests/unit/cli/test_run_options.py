"""What a person types after `up` and `backtest`, down to what runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tidewright.cli.main import main

DAYS = [f"2024-01-{day:02d}" for day in range(1, 29)]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _file(path: Path, symbols: list[str]) -> Path:
    rows = ["date,open,high,low,close,volume,symbol"]
    for symbol in symbols:
        rows += [f"{day},10,11,9,{10 + n % 2},100,{symbol}" for n, day in enumerate(DAYS)]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize(
    "words",
    [
        ("--symbol", "AAA", "--symbol", "BBB"),
        ("--symbols", "AAA,BBB"),
        ("--asset", "AAA", "--asset", "BBB"),
        ("--assets", "AAA, BBB"),
    ],
)
def test_symbols_are_taken_under_every_name(tmp_path: Path, words: tuple[str, ...]) -> None:
    data = _file(tmp_path / "all.csv", ["AAA", "BBB", "CCC"])
    out = tmp_path / "out.json"
    code = main(["backtest", "sma_cross", "--data", str(data), "--json", str(out), *words])
    assert code == 0
    assert sorted(json.loads(out.read_text())["instruments"]) == ["AAA", "BBB"]


def test_folder_of_files_gives_the_symbols_that_were_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "bars"
    folder.mkdir()
    for name in ("AAA", "BBB"):
        text = _file(tmp_path / "one.csv", [name]).read_text()
        lines = [line.rpartition(",")[0] for line in text.splitlines()]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    out = tmp_path / "out.json"
    words = ["backtest", "sma_cross", "--data", str(folder), "--json", str(out)]
    assert main([*words, "--symbol", "BBB"]) == 0
    assert list(json.loads(out.read_text())["instruments"]) == ["BBB"]
    assert main([*words, "--symbol", "BB"]) == 2


def test_configured_symbols_narrow_a_backtest(tmp_path: Path) -> None:
    data = _file(tmp_path / "all.csv", ["AAA", "BBB"])
    words = ["backtest", "sma_cross", "--data", str(data), "--set"]
    assert main([*words, "symbols=BBB"]) == 0
    assert main([*words, "symbols=ZZZ"]) == 2


def test_live_mode_is_refused_in_words(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["up", "--set", "mode=live", "--set", "live_confirmed=true", "--port", "0"]
    assert main([*words, "--home", str(tmp_path / "h"), "--for", "1"]) == 2
    assert "no venue that trades real money" in capsys.readouterr().err
    assert not (tmp_path / "h").exists()


def test_a_symbol_unknown_to_the_simulation_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["up", "--symbol", "AAPL", "--port", "0", "--home", str(tmp_path / "h")]
    assert main([*words, "--for", "1"]) == 2
    assert "symbol was 'AAPL'; expected one that the feed carries: " in capsys.readouterr().err


def test_default_stops_protect_a_strategy_without_any_only_when_told_to() -> None:
    from fakes.homes import plain_settings
    from tidewright.app.launch import choose_strategies

    names = ["sma_cross_plain", "momentum"]
    plain, momentum = choose_strategies(names, plain_settings())
    assert "stop_loss" not in plain.document
    protected, same = choose_strategies(names, plain_settings("signals.default_stops=true"))
    assert "stop_loss" in protected.document
    assert "take_profit" in protected.document
    assert same.document == momentum.document


def test_a_backtest_ends_with_its_window(tmp_path: Path) -> None:
    data = _file(tmp_path / "all.csv", ["AAA"])
    out = tmp_path / "out.json"
    words = ["backtest", "sma_cross", "--data", str(data), "--json", str(out)]
    assert main([*words, "--to", "2024-01-11"]) == 0
    assert json.loads(out.read_text())["bars"] == 10

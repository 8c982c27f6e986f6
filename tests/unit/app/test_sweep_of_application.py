"""Sweeps as a person meets them: shared out, interrupted and gone on with, shown and counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fakes.homes import plain_settings
from fakes.market_rows import an_instrument
from fakes.trial_store import walk
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.processes import ProcessExecutor
from tidewright.app.sweep import (
    Sweep,
    joined,
    load_results,
    prepare_sweep,
    run_parts,
    save_results,
)
from tidewright.app.trials import open_trials
from tidewright.cli.main import main
from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.domain.events import TradingWindow
from tidewright.research.benchmark import universe_returns
from tidewright.research.bulk.sweep import run_sweep
from tidewright.research.chance.noise import statistic
from tidewright.research.judging.trials import TRIALS, run_of
from tidewright.research.report.sweep_table import check_measure

BARS = walk("AAA", days=120)
SPEC = """\
schema: 1
name: steps
parameters: {fast: 3, slow: 12, stop: 5}
entry:
  long: sma(fast) > sma(slow)
exit:
  long: sma(fast) < sma(slow)
confidence: 0.9
sizing: {method: percent_of_equity, value: 10}
stops:
  stop_loss: {percent: stop}
"""


@pytest.fixture
def strategy(tmp_path: Path) -> str:
    path = tmp_path / "steps.yaml"
    path.write_text(SPEC)
    return str(path)


def a_sweep(strategy: str, grid: str = "fast=2:5 slow=4,8,30", where: str = "fast < slow") -> Sweep:
    feed = BarFeed([BARS], [an_instrument("AAA")], "a walk")
    return prepare_sweep(strategy, grid, where, feed, plain_settings(), TradingWindow(0))


def test_parts_are_the_whole_and_go_on_where_they_stopped(strategy: str, tmp_path: Path) -> None:
    asked = a_sweep(strategy)
    assert len(asked.points) == 10
    whole = run_sweep(asked.request)
    told: list[tuple[int, int]] = []
    parts = run_parts(asked.request, processes=2, progress=lambda *one: told.append(one))
    first = [next(parts), next(parts)]
    assert told == [(2, 10), (4, 10)]
    save_results(tmp_path / "kept.npz", asked.digest, joined(first))
    done = load_results(tmp_path / "kept.npz", asked.digest)
    again = joined([done, *run_parts(asked.request, done=done)])
    for name in ("days", "equity", "exposure", "trades", "trade_days", "turnover", "fees"):
        assert getattr(again, name).tolist() == getattr(whole, name).tolist(), name
    assert again.initial == whole.initial


def test_results_of_another_sweep_are_not_gone_on_with(strategy: str, tmp_path: Path) -> None:
    asked, path = a_sweep(strategy), tmp_path / "kept.npz"
    save_results(path, asked.digest, run_sweep(asked.request))
    other = a_sweep(strategy, "fast=2:5 slow=4,8,31")
    assert other.digest != asked.digest == a_sweep(strategy).digest
    with pytest.raises(ConfigError, match="of another sweep"):
        load_results(path, other.digest)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataIntegrityError, match="cannot be read"):
        load_results(path, asked.digest)


def test_table_is_in_order_and_its_first_set_is_the_one_that_a_search_would_pick(
    strategy: str,
) -> None:
    asked = a_sweep(strategy)
    results = run_sweep(asked.request)
    table = asked.table(results)
    base = asked.request.base
    universe = universe_returns(base.series, base.instruments, results.days)
    assert table.order()[0] == statistic(results, universe).place
    fallen = table.measures["drawdown"][table.order("drawdown")]
    assert (np.diff(fallen) >= 0).all()
    final = results.equity[:, -1] / results.initial - 1
    assert table.measures["return"] == pytest.approx(final)
    shown = table.map("return")
    assert shown is not None
    assert (shown.x_name, shown.y_name, shown.x) == ("fast", "slow", (2, 3, 4, 5))
    assert shown.score[0][2:] == (None, None)
    assert (
        shown.score[2][1] == table.measures["return"][asked.points.index({"fast": 3, "slow": 30})]
    )
    with pytest.raises(ConfigError, match="did you mean 'sharpe'"):
        check_measure("sharp")


def test_map_over_more_numbers_shows_the_best_of_the_others(strategy: str) -> None:
    asked = a_sweep(strategy, "fast=2,3 slow=30 stop=1,2,4", "")
    table = asked.table(run_sweep(asked.request))
    shown = table.map("return")
    assert shown is not None
    assert (shown.x_name, shown.y_name) == ("fast", "stop")
    wide = replace(table, points=np.column_stack([table.points[:, 0], np.zeros((6, 2))]))
    best = wide.map("return")
    assert best is not None
    assert best.score[0][0] == max(table.measures["return"][:3])
    assert replace(table, points=np.zeros((6, 3))).map() is None


@pytest.mark.parametrize(
    ("grid", "where", "said"),
    [
        ("fasst=2:5", "", "did you mean 'fast'"),
        ("fast=2:5", "fast < quick", "'quick' is no column"),
        ("fast=2.5", "", "whole number"),
    ],
)
def test_sweeps_that_cannot_be_are_refused(strategy: str, grid: str, where: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        a_sweep(strategy, grid, where)


@pytest.mark.full
def test_processes_give_what_one_gives(strategy: str) -> None:
    asked = a_sweep(strategy)
    with ProcessExecutor(2) as executor:
        shared = joined(list(run_parts(asked.request, executor, processes=2)))
    assert shared.equity.tolist() == run_sweep(asked.request).equity.tolist()


@pytest.fixture
def words(strategy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    data = tmp_path / "AAA_1h.csv"
    rows = ["timestamp,open,high,low,close,volume"]
    for row in range(len(BARS)):
        prices = (one[row] / 100 for one in (BARS.open, BARS.high, BARS.low, BARS.close))
        rows.append(",".join(map(str, (BARS.ts_event[row] // 10**9, *prices, BARS.volume[row]))))
    data.write_text("\n".join(rows))
    monkeypatch.setenv("TIDEWRIGHT_TRIALS", str(tmp_path / "trials.sqlite3"))
    monkeypatch.chdir(tmp_path)
    grid = ["--grid", "fast=2:5", "--grid", "slow=4,8,30"]
    return ["sweep", strategy, "--data", str(data), *grid, "--where", "fast < slow"]


def test_command_shows_writes_and_counts_every_set(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.json"
    assert main([*words, "--sort", "return", "--top", "3", "--json", str(file)]) == 0
    told = capsys.readouterr()
    assert "3 of 10 sets, by return" in told.out
    assert "return by fast (across) and slow (down)" in told.out
    assert "everything from" in told.err
    found = json.loads(file.read_text())
    returns = [one["return"] for one in found["sets"]]
    assert len(returns) == 10
    assert returns == sorted(returns, reverse=True)
    with open_trials() as store:
        (run,) = map(run_of, store.records(TRIALS))
    assert (run.command, run.configurations) == ("sweep", 10)
    assert run.parameters == {"fast": (2, 5, 4), "slow": (4, 30, 3)}
    assert run.seen_until < BARS.ts_known[-1]


def test_interrupted_command_keeps_what_is_done_and_goes_on(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    calls: list[int] = []
    strikes = [3]

    def interrupted(request, **given):
        calls.append(len(request.setups))
        if len(calls) in strikes:
            raise KeyboardInterrupt
        return run_sweep(request, **given)

    monkeypatch.setattr("tidewright.app.sweep.run_sweep", interrupted)
    assert main(words) == 130
    (kept,) = tmp_path.glob("sweep-steps-*.npz")
    assert f"6 of 10 sets are kept; go on with --resume {kept.name}" in " ".join(
        capsys.readouterr().err.split()
    )
    calls.clear()
    strikes.clear()
    assert main([*words, "--resume", kept.name]) == 0
    assert sum(calls) == 4
    with open_trials() as store:
        assert [run_of(one).configurations for one in store.records(TRIALS)] == [6, 10]

"""`tidewright lookahead`: what it prints and how it ends."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fakes.bar_store import MemoryBarStore
from fakes.market_rows import an_instrument
from fakes.walks import walk
from tidewright.app.data import export_series
from tidewright.cli.main import main
from tidewright.domain.time import HOUR
from tidewright.market.aggregation import aggregate


class OneSeries:
    def read(self, instrument, timeframe):
        return walk(count=400), an_instrument("AAA")


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "bars.csv"
    export_series(OneSeries(), "AAA", "1m", path)
    return path


def test_clean_strategy_ends_with_0_and_says_what_was_compared(data, capsys):
    assert main(["lookahead", "momentum", "--data", str(data), "--times", "6"]) == 0
    out = capsys.readouterr().out
    assert "nothing knew its future" in out
    assert "leave every decision as it is" in out


def test_strategy_with_a_memory_ends_with_1_and_is_named(data, tmp_path, capsys):
    file = tmp_path / "remembers.py"
    file.write_text(
        "from tidewright.strategy.python_strategy import PythonStrategy, Output, columns\n"
        "class Remembers(PythonStrategy):\n"
        "    name = 'remembers'\n"
        "    references = columns('close')\n"
        "    seen = 0\n"
        "    def evaluate(self, current, previous):\n"
        "        self.seen += 1\n"
        "        return {Output.ENTRY_LONG: float(self.seen % 3 == 0)}\n"
    )
    words = ["lookahead", f"{file}:Remembers", "--data", str(data), "--times", "4", "--json"]
    assert main(words) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["clean"] is False
    assert "output entry_long" in {one["column"] for one in told["findings"]}


def test_price_level_is_refused_on_data_that_is_declared_adjusted(data, tmp_path, capsys):
    level = tmp_path / "level.yaml"
    level.write_text(
        "{schema: 1, name: level, entry: {long: close > 100}, exit: {long: close < 100.5},"
        " sizing: {method: percent_of_equity, value: 5}}"
    )
    words = ["lookahead", str(level), "--data", str(data), "--times", "3"]
    assert main(words) == 0
    assert "`tidewright data declare`" in capsys.readouterr().out
    data.with_suffix(".yaml").write_text("adjustment: split")
    assert main(words) == 1
    assert "expected rules without price levels" in capsys.readouterr().out
    assert main(["lookahead", "momentum", *words[2:]]) == 0


def test_hours_of_their_own_file_are_held_against_the_minutes(data, tmp_path, capsys):
    hours = aggregate(walk(count=400), "1h").bars
    early = replace(hours, ts_event=hours.ts_event - HOUR, ts_known=hours.ts_known - HOUR)
    store = MemoryBarStore()
    found = {}
    for name, bars in (("right", hours), ("early", early)):
        store.write(bars, an_instrument("AAA"))
        found[name] = tmp_path / f"{name}.csv"
        export_series(store, "AAA", "1h", found[name])
    words = ["lookahead", "hour_trend", "--data", str(data), "--times", "12", "--longer"]
    assert main([*words, str(found["right"])]) == 0
    assert main([*words, str(found["early"])]) == 1
    assert "stamp: AAA 1h: close at" in capsys.readouterr().out
    assert main([*words, str(data)]) == 2
    assert "expected one longer than" in capsys.readouterr().err

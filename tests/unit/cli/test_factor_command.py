"""`tidewright factor`: a table for people, every value for a chart as JSON."""

from __future__ import annotations

import json

import pytest

from fakes.bar_store import MemoryBarStore
from fakes.market_rows import an_instrument
from fakes.walks import walk
from tidewright.app.data import export_series
from tidewright.cli.main import main

NAMES = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")


@pytest.fixture
def data(tmp_path):
    store = MemoryBarStore()
    folder = tmp_path / "universe"
    for seed, name in enumerate(NAMES):
        store.write(walk(name, count=120, timeframe="1d", seed=seed), an_instrument(name))
        export_series(store, name, "1d", folder / f"{name}.csv")
    (folder / "data.yaml").write_text("universe_as_of: 2030-01-01\n")
    return folder


def test_table_says_what_was_measured(data, capsys):
    words = ["factor", "change(5)", "--data", str(data), "--horizon", "1", "--quantiles", "3"]
    assert main(words) == 0
    told = capsys.readouterr()
    assert "change(5): 6 symbols, 120 rows, value known for 95.8%" in told.out
    assert "highest minus lowest" in told.out
    # slippage of 0.15 %, half a spread of 0.05 %, a fee of 0.005 %
    assert "net of 0.180% a trade" in told.out
    assert "universe of survivors" in told.err


def test_json_holds_the_series_of_a_chart(data, capsys):
    words = ["factor", "rank(change(5)@1w)", "--data", str(data), "--cost", "0", "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["horizon"] for one in found["coefficients"]] == [1, 2, 5, 10, 20]
    assert len(found["times"]) == len(found["coefficients"][0]["series"]) == 120
    assert found["spread"]["gross"] == pytest.approx(found["spread"]["net"])
    assert any("survivors" in note for note in found["notes"])


def test_what_is_no_column_is_refused(data, capsys):
    assert main(["factor", "change(5) + 1", "--data", str(data)]) == 2
    assert "expected one column" in capsys.readouterr().err

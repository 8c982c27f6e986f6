import json

import numpy as np
import polars as pl
import pytest

from tidewright.app.feeds.files import load_bars
from tidewright.cli.main import main
from tidewright.features.bulk import bulk_columns
from tidewright.features.declarations import declarations, resolve


@pytest.fixture
def bars(tmp_path):
    rng = np.random.default_rng(5)
    lines = ["timestamp,open,high,low,close,volume,symbol"]
    for symbol in ("ABC", "XYZ"):
        price = 1_000
        for minute in range(60):
            price += int(rng.integers(-5, 6))
            moment = f"2024-01-01T00:{minute:02}:00Z"
            row = [price, price + 5, price - 5, price + int(rng.integers(-5, 6))]
            lines.append(f"{moment},{','.join(f'{v / 100:.2f}' for v in row)},{minute},{symbol}")
    path = tmp_path / "bars.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def run(capsys, *words):
    code = main(["columns", *map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_list_as_json_declares_every_column(capsys):
    code, out, _ = run(capsys, "list", "--json")
    assert code == 0
    listed = {item["name"]: item for item in json.loads(out)}
    assert set(listed) == set(declarations())
    assert listed["macd"]["lookback"] == 33
    assert [one["name"] for one in listed["macd"]["parameters"]] == ["fast", "slow", "signal"]


def test_list_of_a_family_and_of_a_set(capsys):
    assert "obv" in run(capsys, "list", "--family", "volume")[1]
    assert "rsi(14)" not in run(capsys, "list", "--family", "volume")[1]
    out = run(capsys, "list", "--set", "22")[1]
    assert "base_confidence     supplied by the caller" in out
    (shown,) = json.loads(run(capsys, "list", "--set", "10", "--json")[1])
    assert shown["columns"]["BB_position"] == "bollinger_position(20, 2)"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["list", "--family", "volum"], "did you mean 'volume'"),
        (["list", "--set", "21"], "expected one of 10, 22, all"),
        (["export", "none.csv", "out.csv"], "no column was chosen"),
        (["export", "none.csv", "out.csv", "--column", "sma(3) + 1"], "expected one name"),
        (["export", "none.csv", "out.csv", "--column", "smma(3)"], "did you mean 'sma'"),
        (["export", "none.csv", "out.txt", "--set", "10"], "ending in .parquet or .csv"),
    ],
)
def test_wrong_use_says_what_was_expected(capsys, words, text):
    code, _, err = run(capsys, *words)
    assert code == 2
    assert text in err


def test_exported_columns_are_those_of_the_runner(bars, tmp_path, capsys):
    target = tmp_path / "out" / "columns.parquet"
    words = ["--set", "22", "--column", "sma(7)", "--bars-per-day", "2"]
    code, out, _ = run(capsys, "export", bars, target, *words, "--json")
    assert code == 0
    report = json.loads(out)
    assert (report["rows"], report["supplied"]) == (120, ["base_confidence"])
    frame = pl.read_parquet(target)
    assert frame.columns[:3] == ["symbol", "timestamp", "ts_known"]
    assert frame.columns[3:] == report["columns"]
    series, instruments, _ = load_bars(bars)
    references = [resolve("change", (10,)), resolve("sma", (7,)), resolve("rsi", ())]
    for one, item in zip(series, instruments, strict=True):
        rows = frame.filter(pl.col("symbol") == one.instrument)
        found = rows.select("price_change_5d", "sma(7)", "rsi").fill_null(np.nan).to_numpy()
        assert np.array_equal(found, bulk_columns(references, one, item), equal_nan=True)


def test_export_of_one_symbol_to_csv_says_what_is_missing(bars, tmp_path, capsys):
    target = tmp_path / "columns.csv"
    code, out, _ = run(capsys, "export", bars, target, "--set", "22", "--symbol", "XYZ")
    assert code == 0
    assert f"60 rows of 21 columns written to {target}" in out
    assert "not in the file: base_confidence" in out
    frame = pl.read_csv(target)
    assert frame["symbol"].unique().to_list() == ["XYZ"]
    assert frame["rsi"].null_count() == 14


def test_export_of_longer_bars_and_across_the_symbols(bars, tmp_path, capsys):
    target = tmp_path / "columns.parquet"
    words = ["--column", "close@10m", "--column", "rank(close)", "--column", "close"]
    assert run(capsys, "export", bars, target, *words)[0] == 0
    frame = pl.read_parquet(target)
    one, other = (frame.filter(pl.col("symbol") == name) for name in ("ABC", "XYZ"))
    assert one["close@10m"].to_list()[:19] == [None] * 9 + [one["close"][9]] * 10
    ahead = (one["close"] > other["close"]).to_list()
    assert any(ahead)
    assert not all(ahead)
    assert one["rank(close)"].to_list() == [
        1.0 if first >= second else 2.0
        for first, second in zip(one["close"], other["close"], strict=True)
    ]

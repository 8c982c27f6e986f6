import json

import pytest

from tidewright.cli.main import main

ROWS = [
    "timestamp,open,high,low,close,volume,symbol",
    "2024-01-01T00:00:00Z,10.0,10.2,9.9,10.1,10,ABC",
    "2024-01-01T00:01:00Z,10.1,10.2,10.0,10.2,11,ABC",
    "2024-01-01T00:03:00Z,10.2,10.3,10.1,10.3,12,ABC",
]


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text("\n".join(ROWS) + "\n")
    return path


def run(capsys, *words):
    code = main([*words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_imported_bars_are_listed_verified_and_exported(csv, tmp_path, capsys):
    home = ["--home", str(tmp_path / "home")]
    code, out, _ = run(capsys, "data", "import", str(csv), *home)
    assert code == 0
    assert "inferred" in out
    code, out, _ = run(capsys, "data", "import", str(csv), *home, "--json")
    assert json.loads(out)["stored"][0]["repeated"] == 3
    code, out, _ = run(capsys, "data", "list", *home, "--json")
    (series,) = json.loads(out)
    assert (series["instrument"], series["bars"], series["missing"]) == ("ABC", 3, 1)
    code, out, _ = run(capsys, "data", "verify", *home)
    assert (code, "3 bars, sound" in out) == (0, True)
    target = tmp_path / "out.csv"
    code, out, _ = run(capsys, "data", "export", "ABC", "1m", str(target), *home)
    assert (code, out.startswith("3 bars written")) == (0, True)
    code, out, _ = run(capsys, "data", "import", str(target), *home, "--json")
    assert json.loads(out)["stored"][0]["added"] == 0


def test_empty_store_says_how_to_fill_it(tmp_path, capsys):
    home = ["--home", str(tmp_path)]
    assert "tidewright data import" in run(capsys, "data", "list", *home)[1]
    assert run(capsys, "data", "verify", *home)[0] == 0
    assert json.loads(run(capsys, "data", "list", *home, "--json")[1]) == []


def test_missing_file_is_wrong_usage(tmp_path, capsys):
    code, _, err = run(
        capsys, "data", "import", str(tmp_path / "none.csv"), "--home", str(tmp_path)
    )
    assert code == 2
    assert err.startswith("error: ")


def test_fetch_from_a_host_that_does_not_answer_is_a_passing_fault(tmp_path, capsys):
    code, _, err = run(
        capsys,
        "data",
        "fetch",
        "BTCUSDT",
        "--from=2024-01-01",
        "--to=2024-01-02",
        "--home",
        str(tmp_path),
        "--set=binance.history_url=http://127.0.0.1:9",
        "--set=binance.max_retry_attempts=0",
    )
    assert code == 3
    assert "try again" in err


@pytest.mark.parametrize("words", [["--from=yesterday"], ["--set=binance.history_url=ftp://x"]])
def test_unfit_options_of_fetch_are_wrong_usage(tmp_path, capsys, words):
    code, _, err = run(capsys, "data", "fetch", "BTCUSDT", "--home", str(tmp_path), *words)
    assert code == 2
    assert "expected" in err

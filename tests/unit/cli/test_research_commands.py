import json

import numpy as np
import pytest

from fakes.hourly_market import CHEAP, hourly_file, rule_file
from fakes.reports import full_report
from tidewright.app.report_files import write_report
from tidewright.cli.main import main


@pytest.fixture
def market(tmp_path, monkeypatch):
    monkeypatch.setenv("TIDEWRIGHT_TRIALS", str(tmp_path / "trials.sqlite3"))
    data = ["--data", str(hourly_file(tmp_path, reverts=0.5))]
    for one in CHEAP:
        data += ["--set", one]
    return str(rule_file(tmp_path)), data


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "one.json"
    write_report(full_report(), json=path)
    return path


def test_validate_writes_the_page_and_the_report(market, tmp_path, capsys):
    rule, data = market
    page, written = tmp_path / "r.html", tmp_path / "r.json"
    words = ["validate", rule, *data, "--surrogates", "20", "--processes", "1"]
    assert main([*words, "--html", str(page), "--json", str(written)]) == 0
    out = capsys.readouterr().out
    assert "patternless copies of this" in " ".join(out.split())
    for question in ("Is it luck?", "Did it beat holding?", "What can I lose?"):
        assert question in out
    assert json.loads(written.read_text())["subject"]["name"] == "dip"
    assert page.read_text(encoding="utf-8").endswith("</html>\n")


def test_validate_judges_returns_of_any_tool(tmp_path, capsys):
    drawn = np.random.default_rng(0).normal(0.0, 0.01, 200)
    days = np.datetime64("2024-01-01") + np.arange(200)
    rows = "\n".join(f"{day},{value:.6f}" for day, value in zip(days, drawn, strict=True))
    path = tmp_path / "mine.csv"
    path.write_text(f"date,return\n{rows}\n")
    assert main(["validate", "--returns", str(path), "--tries", "40"]) == 0
    assert "the best of 40 tries" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["validate"], "expected one of STRATEGY with --data"),
        (["validate", "sma_cross"], "--data was not given"),
        (["validate", "sma_cross", "--returns", "x.csv"], "2 things to validate"),
        (["validate", "--returns", "none.csv"], "no such file"),
        (["compare", "sma_cross", "momentum"], "--data was not given"),
        (["report", "none.json"], "cannot be read"),
    ],
)
def test_wrong_words_are_told(words, told, capsys):
    assert main(words) == 2
    assert told in capsys.readouterr().err


def test_saved_report_is_shown_and_written_again(saved, tmp_path, capsys):
    assert main(["report", str(saved), "--html", str(tmp_path / "again.html")]) == 0
    out = capsys.readouterr().out
    assert "PROMISING" in out
    assert "What can I do now?" in out
    assert (tmp_path / "again.html").is_file()


def test_compare_of_saved_reports(saved, capsys):
    assert main(["compare", str(saved), str(saved), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in found["rows"]] == ["sma_cross", "sma_cross (2)"]
    assert found["differences"][0]["a_year"] == 0
    assert main(["compare", str(saved), str(saved)]) == 0
    assert "chance alone" in capsys.readouterr().out


def test_walkforward_and_montecarlo(market, capsys):
    rule, data = market
    assert main(["walkforward", rule, *data, "--grid", "drop=0.005,0.02", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["folds"]) == 5
    assert main(["montecarlo", rule, *data, "--all", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert 0 <= found["typical_drawdown"] <= found["worst_drawdown_95"] < 1
    assert {"random_entries", "skipped", "shuffled", "costs", "starts"} <= found.keys()
    assert main(["montecarlo", rule, *data]) == 0
    assert "Largest fall within a year" in capsys.readouterr().out

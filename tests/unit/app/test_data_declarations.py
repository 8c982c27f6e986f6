"""Declarations beside files and inside folders reach feeds, reports and instruments."""

from __future__ import annotations

import json

import pytest

from fakes.bar_store import MemoryBarStore
from fakes.market_rows import an_instrument
from fakes.walks import walk
from tidewright.app.bar_store import open_bar_store
from tidewright.app.data import export_series
from tidewright.app.feeds.files import FileFeed
from tidewright.app.launch import open_data
from tidewright.cli.main import main
from tidewright.domain.errors import ConfigError

TEXT = "adjustment: split\nuniverse_as_of: 2024-01-01\nsectors: {AAA: energy}\n"


@pytest.fixture
def data(tmp_path):
    store = MemoryBarStore()
    store.write(walk(count=30), an_instrument("AAA"))
    export_series(store, "AAA", "1m", tmp_path / "bars.csv")
    return tmp_path / "bars.csv"


def test_declaration_beside_a_file_reaches_feed_report_and_instrument(data):
    assert FileFeed(data).declaration.lines()[0] == "prices: adjustment undeclared"
    data.with_suffix(".yaml").write_text(TEXT)
    feed = FileFeed(data)
    assert feed.declaration.back_adjusted
    assert feed.instruments[0].sector == "energy"
    assert feed.report.as_dict()["declaration"]["adjustment"] == "split"
    assert any("survivors" in line for line in feed.report.lines())
    assert json.dumps(feed.report.as_dict()["declaration"])


def test_declaration_inside_a_folder_holds_for_its_files(data):
    (data.parent / "data.yaml").write_text(TEXT)
    feed, notes = open_data(data.parent, ())
    assert feed.declaration.back_adjusted
    assert "prices: adjustment split" in notes


def test_declaration_of_stored_bars(tmp_path):
    store = open_bar_store(tmp_path)
    store.write(walk(count=30), an_instrument("AAA"))
    (tmp_path / "bars" / "data.yaml").write_text(TEXT)
    feed, notes = open_data(tmp_path / "bars", ())
    assert feed.instruments[0].sector == "energy"
    assert any("survivors" in note for note in notes)


def test_command_writes_keeps_and_shows(data, capsys):
    data.with_suffix(".yaml").write_text(TEXT)
    words = ["data", "declare", str(data), "--adjustment", "split_dividend"]
    assert main([*words, "--adjusted-as-of", "2024-02-01"]) == 0
    assert "adjustment split_dividend as of 2024-02-01" in capsys.readouterr().out
    assert main(["data", "declare", str(data), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["sectors"] == {"AAA": "energy"}
    assert shown["universe_as_of"] == "2024-01-01"
    before = data.with_suffix(".yaml").read_text()
    assert main(["data", "declare", str(data), "--adjustment", "splits"]) == 2
    assert data.with_suffix(".yaml").read_text() == before
    assert main(["data", "declare", str(data.with_name("none.csv")), "--adjustment", "none"]) == 2


def test_broken_declaration_stops_the_load(data):
    data.with_suffix(".yaml").write_text("adjustmnt: split")
    with pytest.raises(ConfigError, match="did you mean 'adjustment'"):
        FileFeed(data)


def test_import_carries_a_declaration_into_the_home_once(data, tmp_path, capsys):
    home = tmp_path / "home"
    words = ["data", "import", str(data), "--home", str(home)]
    assert main(words) == 0
    assert not (home / "bars" / "data.yaml").exists()
    data.with_suffix(".yaml").write_text(TEXT)
    assert main(words) == 0
    assert "kept in" in capsys.readouterr().out
    feed, _ = open_data(home / "bars", ())
    assert feed.declaration.back_adjusted
    assert feed.declaration.universe_text == "2024-01-01"
    assert feed.instruments[0].sector == "energy"
    assert main(words) == 0
    assert "declares otherwise" not in capsys.readouterr().out
    data.with_suffix(".yaml").write_text("adjustment: none")
    assert main(words) == 0
    assert "declares otherwise" in capsys.readouterr().out
    assert open_data(home / "bars", ())[0].declaration.back_adjusted

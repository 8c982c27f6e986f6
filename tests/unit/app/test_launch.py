from pathlib import Path

import pytest

from tidewright.app.bar_store import is_bar_store, open_bar_store
from tidewright.app.data import import_files
from tidewright.app.launch import choose_feed, open_data
from tidewright.domain.errors import ConfigError

ROWS = (
    "2024-01-01T00:00:00Z,100,110,90,105,2",
    "2024-01-01T00:01:00Z,105,115,95,100,3",
    "2024-01-01T00:02:00Z,100,101,99,100,1",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "BTCUSDT.csv"
    path.write_text("\n".join(("timestamp,open,high,low,close,volume", *ROWS)) + "\n")
    return path


def test_imported_bars_are_replayed_as_the_file_they_came_from(file, tmp_path):
    import_files(open_bar_store(tmp_path), file, (), timeframe="1m", now=0)
    stored, notes = open_data(tmp_path / "bars", ())
    read, _ = open_data(file, (), "1m")
    assert list(stored.slices(0)) == list(read.slices(0))
    assert len(stored) == len(ROWS)
    assert all(note.endswith("undeclared") for note in notes), "nothing was changed on the way"


def test_feed_over_the_store_is_remembered_by_folder_symbols_and_timeframe(file, tmp_path):
    import_files(open_bar_store(tmp_path), file, (), timeframe="1m", now=0)
    choice = choose_feed("replay", tmp_path / "bars", ("BTCUSDT",), 1)
    assert choice.identity.startswith("replay bars BTCUSDT 1m ")


def test_symbol_that_is_not_stored_is_named_with_the_nearest(file, tmp_path):
    import_files(open_bar_store(tmp_path), file, (), timeframe="1m", now=0)
    with pytest.raises(ConfigError, match="'BTCUSD' \\(did you mean 'BTCUSDT'"):
        open_data(tmp_path / "bars", ("BTCUSD",))


def test_folder_of_files_is_no_bar_store(file, tmp_path):
    assert not is_bar_store(tmp_path)
    assert not is_bar_store(tmp_path / "absent")
    assert len(open_data(tmp_path, (), "1m")[0]) == len(ROWS)

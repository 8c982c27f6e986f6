import json
from pathlib import Path

import polars as pl
import pytest

from tidewright.app.feeds.files import FileFeed
from tidewright.app.feeds.tables import read_table, series_name
from tidewright.domain.errors import ConfigError

START = 1_704_067_200_000


def rows(minutes, count=30):
    return [
        [START + minutes * 60_000 * place, 100.0 + place, 101.5 + place, 99.5, 100.5 + place, 7.0]
        for place in range(count)
    ]


def feather(path: Path, minutes: int) -> None:
    columns = ["date", "open", "high", "low", "close", "volume"]
    frame = pl.DataFrame(rows(minutes), schema=columns, orient="row")
    frame.with_columns(pl.col("date").cast(pl.Int64).cast(pl.Datetime("ms", "UTC"))).write_ipc(
        path, compression="lz4"
    )


@pytest.fixture
def folder(tmp_path):
    feather(tmp_path / "BTC_USDT-5m.feather", 5)
    feather(tmp_path / "BTC_USDT-1h.feather", 60)
    (tmp_path / "ETH_USDT-5m.json").write_text(json.dumps(rows(5)))
    (tmp_path / "pairs.json").write_text("[]")
    feather(tmp_path / "BTC_USDT_USDT-1h-mark.feather", 60)
    return tmp_path


def test_folder_of_freqtrade_is_data(folder):
    feed = FileFeed(folder, timeframe="5m")
    assert [one.id for one in feed.instruments] == ["BTC/USDT", "ETH/USDT"]
    assert feed.timeframe == "5m"
    assert [len(one) for one in feed.series] == [30, 30]
    assert feed.series[0].ts_event[0] == START * 10**6


def test_one_pair_of_several_timeframes(folder):
    hours = FileFeed(folder, ["BTC/USDT"], timeframe="1h")
    assert [one.id for one in hours.instruments] == ["BTC/USDT"]
    with pytest.raises(ConfigError, match=r"symbol BTC/USDT was in"):
        FileFeed(folder)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTC_USDT-5m.feather", "BTC/USDT"),
        ("XRP_USDT_USDT-1h-futures.feather", "XRP/USDT:USDT"),
        ("ETH_BTC-1d.json", "ETH/BTC"),
        ("BTC_USDT-5m.csv", "BTC_USDT-5m"),
        ("mine.feather", "mine"),
    ],
)
def test_pair_is_in_the_name_of_the_file(name, symbol):
    assert series_name(Path(name)) == symbol


def test_other_json_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": 1}')
    with pytest.raises(ConfigError, match=r"list of rows of date, open, high"):
        read_table(path)

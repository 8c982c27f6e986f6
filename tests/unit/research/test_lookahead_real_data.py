"""Look-ahead over real sessions: clocks that moved, early closes, gaps, hours of their own file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fakes.homes import plain_settings
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.launch import open_data
from tidewright.app.lookahead import Sample, check_longer, check_strategy
from tidewright.app.strategies import load_strategies
from tidewright.domain.time import parse_iso
from tidewright.strategy.library import library

pytestmark = pytest.mark.realdata
DATA = Path(os.environ.get("TW_REALDATA", "."))


def feed_of(name: str, first: str, last: str, symbols: tuple[str, ...] = ()) -> BarFeed:
    feed, _ = open_data(DATA / name, symbols)
    begin, end = parse_iso(first), parse_iso(last)
    series = [
        one.slice(int((one.ts_known <= begin).sum()), int((one.ts_known <= end).sum()))
        for one in feed.series
    ]
    return BarFeed(series, feed.instruments, feed.description)


@pytest.mark.parametrize("name", ["hour_trend", "strongest_few"])
def test_sessions_around_moved_clocks_and_an_early_close(name: str) -> None:
    # New York moved its clocks on 2022-11-06 and closed at 13:00 on 2022-11-25
    file = "stocks_intraday/us_9sym_5m_2022-02_2023-06.parquet"
    feed = feed_of(file, "2022-10-27", "2022-12-02")
    (strategy,) = load_strategies([name])
    report = check_strategy(strategy, feed, plain_settings(), Sample(times=60))
    assert report.clean, report.lines()
    assert report.scale_free


@pytest.mark.parametrize("name", sorted(library()))
def test_library_around_an_outage_of_the_exchange(name: str) -> None:
    file = "crypto/binance_spot_BTCUSDT_1m_2022-01_2023-06.parquet"
    feed = feed_of(file, "2023-03-22", "2023-03-25T12:00")
    (strategy,) = load_strategies([name])
    report = check_strategy(strategy, feed, plain_settings(), Sample(times=40))
    assert report.clean, report.lines()
    assert report.scale_free


def test_hours_of_their_own_file_are_known_when_the_minutes_say() -> None:
    minutes = "crypto/binance_spot_BTCUSDT_1m_2022-01_2023-06.parquet"
    hours, _ = open_data(DATA / "crypto/binance_spot_3sym_1h_2022-01_2023-06.parquet", ["BTCUSDT"])
    feed = feed_of(minutes, "2023-03-20", "2023-03-27")
    (strategy,) = load_strategies(["hour_trend"])
    report = check_longer(strategy, feed, hours, Sample(times=60))
    assert report.clean, report.lines()

"""Longer bars: when they are finished, and what is in them."""

from __future__ import annotations

import numpy as np
import pytest

from fakes.market_rows import START, an_instrument
from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.domain.market import Bar
from tidewright.domain.time import DAY, HOUR, MINUTE, parse_iso
from tidewright.market.aggregation import BarAggregator, aggregate
from tidewright.market.arrays import bar_arrays


def minute_bar(minute: int, price: int = 100, volume: int = 1) -> Bar:
    start = START + minute * MINUTE
    return Bar("AAA", "1m", start, start + MINUTE, price, price + 2, price - 2, price + 1, volume)


def run(minutes: list[int], timeframe: str = "5m") -> list[tuple[int, Bar]]:
    builder = BarAggregator(an_instrument(), timeframe)
    return [
        (minute, bar)
        for minute in minutes
        for bar in builder.update(minute_bar(minute, 100 + minute))
    ]


def test_bar_is_finished_by_its_own_last_sub_bar():
    assert run([0, 1, 2, 3, 4]) == [
        (4, Bar("AAA", "5m", START, START + 5 * MINUTE, 100, 106, 98, 105, 5))
    ]


def test_bar_without_its_last_sub_bar_is_finished_by_the_next_bucket():
    found = run([0, 1, 6])
    assert [(minute, bar.ts_event, bar.volume) for minute, bar in found] == [(6, START, 2)]


def test_one_bar_may_finish_two_when_it_is_the_last_of_its_own_bucket():
    found = run([0, 1, 9])
    assert [(minute, bar.ts_event - START, bar.volume) for minute, bar in found] == [
        (9, 0, 2),
        (9, 5 * MINUTE, 1),
    ]


def test_bucket_without_any_sub_bar_gives_no_bar():
    found = run([4, 14])
    assert [bar.ts_event - START for _, bar in found] == [0, 10 * MINUTE]


def test_unfinished_bar_at_the_end_is_shown_but_not_given_out():
    builder = BarAggregator(an_instrument(), "5m")
    assert builder.forming is None
    builder.update(minute_bar(0))
    assert builder.forming == Bar("AAA", "5m", START, START + 5 * MINUTE, 100, 102, 98, 101, 1)
    for minute in range(1, 5):
        builder.update(minute_bar(minute))
    assert builder.forming is None


def test_week_begins_on_monday():
    monday = parse_iso("2023-03-06")
    builder = BarAggregator(an_instrument(), "1w")
    for day in range(7):
        start = monday + day * DAY
        found = builder.update(Bar("AAA", "1d", start, start + DAY, 1, 1, 1, 1, 1))
    assert [bar.ts_event for bar in found] == [monday]


def test_bulk_says_which_row_finished_each_bar():
    bars = [minute_bar(minute) for minute in (0, 1, 9, 10, 14)]
    found = aggregate(bar_arrays("AAA", "1m", bars), "5m")
    assert found.source_row.tolist() == [2, 2, 4]
    assert (found.bars.ts_event - START).tolist() == [0, 5 * MINUTE, 10 * MINUTE]


def test_restored_builder_goes_on_as_before():
    first = BarAggregator(an_instrument(), "5m")
    for minute in (0, 1, 2):
        first.update(minute_bar(minute))
    second = BarAggregator(an_instrument(), "5m")
    second.restore(first.snapshot())
    for minute in (3, 4, 7):
        assert list(second.update(minute_bar(minute))) == list(first.update(minute_bar(minute)))
    assert second.snapshot() == first.snapshot()


def test_timeframe_that_the_bars_do_not_fill_is_refused():
    builder = BarAggregator(an_instrument(), "5m")
    with pytest.raises(ConfigError, match="multiple of the data's 2m"):
        builder.update(Bar("AAA", "2m", START, START + 2 * MINUTE, 1, 1, 1, 1, 1))
    with pytest.raises(ConfigError, match="timeframe was '5x'"):
        BarAggregator(an_instrument(), "5x")


def test_bar_that_is_not_after_the_one_before_is_refused():
    builder = BarAggregator(an_instrument(), "5m")
    builder.update(minute_bar(3))
    with pytest.raises(DataIntegrityError, match="not after the bar before"):
        builder.update(minute_bar(3))
    bars = [minute_bar(minute) for minute in (0, 2, 1)]
    with pytest.raises(DataIntegrityError, match="2023-03-01T00:01:00Z"):
        aggregate(bar_arrays("AAA", "1m", bars), "5m")


@pytest.mark.realdata
@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "SOLUSDT"])
def test_hours_of_real_minutes_equal_the_exchange_hours(realdata, symbol: str):
    from tidewright.app.feeds.files import load_bars

    crypto = realdata / "crypto"
    minutes = load_bars(crypto / f"binance_spot_{symbol}_1m_2022-01_2023-06.parquet")[0][0]
    wanted = load_bars(crypto / "binance_spot_3sym_1h_2022-01_2023-06.parquet", [symbol])[0][0]
    found = aggregate(minutes, "1h").bars
    assert len(found) == len(wanted) == 13_103
    for name in ("ts_event", "ts_known", "open", "high", "low", "close"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name
    assert np.all(np.diff(found.ts_known) >= HOUR)

"""The simulated market: determined by its seed, resumable, and shaped as it says."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewright.app.feeds import simulated
from tidewright.app.feeds.simulated import (
    HISTORY_START,
    REGIME_NAMES,
    TRADING_START,
    SimulatedFeed,
)
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import Slice
from tidewright.domain.time import DAY, MINUTE
from tidewright.kernels.synthetic import BLOCK_MINUTES, PATH_POINTS
from tidewright.market.instruments import load_table
from tidewright.market.validation import BarRules, RawBars, check_bars

DAYS = 20


def take(feed: SimulatedFeed, after: int, count: int) -> list[Slice]:
    return list(islice(feed.slices(after), count))


@pytest.fixture(scope="module")
def closes() -> np.ndarray:
    slices = take(SimulatedFeed(11), 0, DAYS * 1440)
    return np.array([[bar.close for bar in one.events] for one in slices], np.float64)


@pytest.fixture(scope="module")
def returns(closes: np.ndarray) -> np.ndarray:
    return np.diff(np.log(closes), axis=0)


def test_warm_up_of_more_than_300_minutes_comes_before_trading_starts():
    feed = SimulatedFeed(1)
    first = next(feed.slices(0))
    assert first.ts_known == feed.history_start + MINUTE
    assert (feed.trading_start - feed.history_start) // MINUTE >= 300
    assert (feed.history_start, feed.trading_start) == (HISTORY_START, TRADING_START)
    assert [bar.instrument for bar in first.events] == [one.id for one in feed.instruments]
    assert len(first.events) == 8


def test_seed_determines_the_series_and_another_seed_gives_another():
    assert take(SimulatedFeed(5), 0, 800) == take(SimulatedFeed(5), 0, 800)
    assert take(SimulatedFeed(5), 0, 800) != take(SimulatedFeed(6), 0, 800)


def test_first_bars_of_seed_zero_are_as_ever():
    bars = {bar.instrument: bar for bar in take(SimulatedFeed(0), 0, 500)[-1].events}
    assert (bars["BTCUSDT"].close, bars["BTCUSDT"].volume) == (4_253_861, 3_108_388)


@settings(max_examples=25)
@given(st.integers(0, 2**63 - 1), st.integers(0, 4 * BLOCK_MINUTES), st.integers(-1, MINUTE - 1))
def test_resumed_series_equals_the_continuous_one(seed: int, minutes: int, offset: int):
    after = HISTORY_START + minutes * MINUTE + offset
    continuous = [one for one in take(SimulatedFeed(seed), 0, minutes + 40) if one.ts_known > after]
    assert take(SimulatedFeed(seed), after, len(continuous)) == continuous


def test_feed_that_went_far_ahead_goes_back_to_the_same_bars():
    feed = SimulatedFeed(3)
    early = take(feed, 0, 10)
    late = take(feed, HISTORY_START + 400 * DAY, 10)
    assert take(feed, 0, 10) == early
    assert take(SimulatedFeed(3), HISTORY_START + 400 * DAY, 10) == late


def test_bars_hang_together_and_pass_every_check():
    feed = SimulatedFeed(2)
    slices = take(feed, 0, 2 * 1440)
    for before, after in pairwise(slices):
        assert after.ts_known == before.ts_known + MINUTE
        for left, right in zip(before.events, after.events, strict=True):
            assert right.open == left.close
    for index, instrument in enumerate(feed.instruments):
        bars = [one.events[index] for one in slices]
        tick = float(instrument.tick_size)
        prices = np.array([(bar.open, bar.high, bar.low, bar.close) for bar in bars]) * tick
        raw = RawBars(
            np.array([bar.ts_event for bar in bars]),
            np.round(prices, 8),
            np.array([bar.volume for bar in bars]) * float(instrument.lot_size),
        )
        checked = check_bars(raw, instrument, "1m", BarRules(max_data_age_minutes=0))
        assert checked.defects == ()
        assert all(bar.volume > 0 for bar in bars)


def test_path_of_a_bar_leads_from_its_open_to_its_close_through_high_and_low():
    feed = SimulatedFeed(4)
    for one in take(feed, TRADING_START, 50):
        for bar in one.events:
            path = feed.path(bar.instrument, bar.ts_event)
            assert len(path) == PATH_POINTS
            assert (path[0], max(path), min(path), path[-1]) == (
                *(bar.open, bar.high, bar.low, bar.close),
            )


def test_forming_bar_grows_into_the_finished_one():
    feed = SimulatedFeed(4)
    bar = take(feed, TRADING_START, 7)[-1].events[3]
    shapes = [feed.forming("BTCUSDT", bar.ts_event, share / 20) for share in range(21)]
    assert shapes[0].open == shapes[0].close == bar.open
    assert shapes[-1] == bar
    assert all(left.high <= right.high for left, right in pairwise(shapes))
    assert all(left.low >= right.low for left, right in pairwise(shapes))
    assert len({one.close for one in shapes}) > 5


def test_end_stops_the_feed():
    feed = SimulatedFeed(4, end=HISTORY_START + 10 * MINUTE)
    assert len(list(feed.slices(0))) == 10


def test_market_explains_the_share_of_moves_that_it_should(returns: np.ndarray):
    shares = np.array([one.market_share for one in simulated.SIMULATED])
    wanted = np.sqrt(np.outer(shares, shares))
    found = np.corrcoef(returns.T)
    pairs = ~np.eye(8, dtype=bool)
    assert np.abs(found - wanted)[pairs].max() < 0.06


def test_volatility_comes_in_bursts_and_returns_do_not_foretell_themselves(returns: np.ndarray):
    def correlation(values: np.ndarray, lag: int) -> float:
        return float(np.corrcoef(values[lag:], values[:-lag])[0, 1])

    # With 28,799 returns a chance correlation stays within 0.03 of 0.
    for column in returns.T:
        assert correlation(np.abs(column), 1) > 0.2
        assert correlation(np.abs(column), 60) > 0.05
        assert abs(correlation(column, 1)) < 0.04
        assert ((column / column.std()) ** 4).mean() > 4


def test_volatility_is_of_the_size_that_it_should_be(returns: np.ndarray):
    wanted = np.array([one.minute_volatility for one in simulated.SIMULATED])
    assert np.all(returns.std(axis=0) / wanted > 0.6)
    assert np.all(returns.std(axis=0) / wanted < 1.9)


def test_regimes_last_and_all_of_them_come():
    feed = SimulatedFeed(9)
    names = [feed.regime(HISTORY_START + block * 6 * 60 * MINUTE) for block in range(400)]
    kept = sum(left == right for left, right in pairwise(names)) / 399
    assert set(names) == set(REGIME_NAMES)
    assert 0.65 < kept < 0.9


def test_levels_stay_near_their_start_for_years():
    feed = SimulatedFeed(8)
    first = {bar.instrument: bar.close for bar in next(feed.slices(0)).events}
    for year in range(1, 11):
        for bar in next(feed.slices(HISTORY_START + year * 365 * DAY)).events:
            assert 0.2 < bar.close / first[bar.instrument] < 5


def test_request_outside_the_market_is_refused():
    with pytest.raises(ConfigError, match="seed was -1"):
        SimulatedFeed(-1)
    with pytest.raises(ConfigError, match="BTCUSD "):
        SimulatedFeed(1).path("BTCUSD", HISTORY_START)
    with pytest.raises(ConfigError, match="expected one of"):
        SimulatedFeed(1).path("BTCUSDT", HISTORY_START - MINUTE)


def test_feed_fits_in_one_short_file():
    assert len(Path(simulated.__file__).read_text("utf-8").splitlines()) <= 300


def test_instruments_say_that_they_are_simulated_and_keep_their_stated_steps() -> None:
    stated = load_table().get("BTCUSDT")
    found = next(one for one in SimulatedFeed(1).instruments if one.id == "BTCUSDT")
    assert found.venue == "simulated"
    assert found.source.startswith("simulated market; steps and fees as of binance")
    assert (found.tick_size, found.lot_size, found.taker_fee_rate) == (
        stated.tick_size,
        stated.lot_size,
        stated.taker_fee_rate,
    )

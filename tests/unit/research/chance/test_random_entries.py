"""Random entries: the same trades at other times, and who is better than that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.homes import plain_settings
from fakes.market_rows import an_instrument
from tidewright.app.bulk import bulk_request
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.strategies import load_strategies
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import TradingWindow
from tidewright.domain.orders import Side
from tidewright.domain.portfolio import Trade
from tidewright.domain.time import DAY
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.result import BulkResult
from tidewright.research.bulk.run import run_bulk
from tidewright.research.chance.null_markets import FIRST_DAY, NullMarket, null_market
from tidewright.research.chance.random_entries import (
    HeldTrades,
    _times,
    held_trades,
    random_entries,
)

INSTRUMENTS = (an_instrument("A"), an_instrument("B"))


def market(bars: int = 500, seed: int = 0) -> tuple[BarArrays, ...]:
    return null_market(NullMarket.GARCH_T, seed, "AB", bars)


def trades_at(bars: BarArrays, rows: np.ndarray, held: int, direction: float = 1.0) -> HeldTrades:
    """Trades of one instrument entered and left at the opens of given rows."""
    count = len(rows)
    move = bars.open[rows + held] / bars.open[rows] - 1.0
    return HeldTrades(
        instrument=np.zeros(count, np.int64),
        direction=np.full(count, direction),
        held=np.full(count, held),
        value=np.full(count, 0.5),
        cost=np.full(count, 0.001),
        profit=0.5 * direction * move - 0.001,
    )


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=20).map(np.array),
    st.integers(0, 200),
)
def test_drawn_trades_never_overlap_and_stay_inside(held: np.ndarray, free: int) -> None:
    order, start = _times(held, free, 20, np.random.Generator(np.random.PCG64(0)))
    assert (np.sort(order, axis=1) == np.arange(len(held))).all()
    end = start + held[order]
    assert (start[:, 1:] >= end[:, :-1]).all()
    assert start.min() >= 0
    assert end.max() <= free + held.sum()


def test_entries_that_know_the_future_beat_all_and_those_that_know_it_wrongly_none() -> None:
    bars = market()[0]
    gains = bars.open[5:].astype(float) / bars.open[:-5]
    rows = np.arange(0, 490, 10)
    best = rows + np.array([np.argmax(gains[row : row + 5]) for row in rows])
    worst = rows + np.array([np.argmin(gains[row : row + 5]) for row in rows])
    found = random_entries(trades_at(bars, best, 5), [bars])
    assert found.percentile == 1.0
    assert found.p_value == 1 / 1_001
    assert random_entries(trades_at(bars, worst, 5), [bars]).percentile < 0.05
    short = random_entries(trades_at(bars, worst, 5, direction=-1.0), [bars])
    assert short.percentile > 0.95


def test_entries_that_know_nothing_stand_anywhere() -> None:
    places = []
    for seed in range(40):
        bars = market(seed=seed)[0]
        draw = np.random.Generator(np.random.PCG64(seed))
        rows = np.arange(0, 480, 16) + draw.integers(0, 8, 30)
        places.append(random_entries(trades_at(bars, rows, 7), [bars], draws=200).percentile)
    # Uniform: the mean of 40 has a standard error of 0.046.
    assert np.mean(places) == pytest.approx(0.5, abs=0.14)
    assert np.std(places) > 0.2


def test_without_moves_only_costs_are_left() -> None:
    bars = market()[0]
    flat = replace(bars, open=np.full(500, 1_000))
    found = random_entries(trades_at(flat, np.arange(0, 400, 20), 9), [flat], draws=30)
    assert found.profits == pytest.approx(-0.02)
    assert found.median == pytest.approx(found.seen)


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_draws_are_made_in_the_direction_of_the_trades(direction: float) -> None:
    rising = replace(market()[0], open=1_000 + 100 * np.arange(500))
    found = random_entries(trades_at(rising, np.arange(0, 400, 20), 9, direction), [rising])
    assert (np.sign(found.profits + 0.02) == direction).all()


def test_a_window_keeps_draws_inside() -> None:
    bars = market()[0]
    steep = replace(bars, open=np.where(np.arange(500) < 250, 1_000, np.arange(500) * 10))
    window = TradingWindow(FIRST_DAY * DAY, (FIRST_DAY + 250) * DAY)
    trades = trades_at(steep, np.arange(0, 200, 20), 9)
    inside = random_entries(trades, [steep], window=window, draws=50)
    assert inside.profits == pytest.approx(-0.01)
    assert random_entries(trades, [steep], draws=50).profits.max() > 0


def test_what_cannot_be_drawn_is_refused() -> None:
    bars = market(50)[0]
    trades = trades_at(bars, np.arange(0, 40, 4), 5)
    with pytest.raises(ConfigError, match="lasted 50 bars"):
        random_entries(trades, [bars])
    with pytest.raises(ConfigError, match="0 trades"):
        random_entries(trades_at(bars, np.arange(0), 5), [bars])


def test_draws_depend_on_the_seed_alone() -> None:
    bars = market()[0]
    trades = trades_at(bars, np.arange(0, 400, 20), 9)
    one, same, other = (random_entries(trades, [bars], draws=9, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.profits, same.profits)
    assert not np.array_equal(one.profits, other.profits)


def test_trades_of_a_backtest_are_taken_as_they_were() -> None:
    series = market()
    settings = plain_settings("risk.max_drawdown_percent=100")
    feed = BarFeed(series, INSTRUMENTS, "test")
    request = bulk_request(feed, load_strategies(["sma_cross"]), settings, TradingWindow(0))
    result = run_bulk(request)
    assert isinstance(result, BulkResult)
    trades = result.trades()
    assert len(trades) > 5
    found = held_trades(trades, series, INSTRUMENTS, result.initial, 0.001)
    assert found.profit.sum() * result.initial == pytest.approx(sum(one.pnl for one in trades))
    fees = sum(one.fees for one in trades) / result.initial
    assert found.cost.sum() == pytest.approx(fees + 0.001 * (found.value.sum() * 2), rel=0.02)
    assert found.held.sum() < 500 * 2
    drawn = random_entries(found, series, draws=100)
    assert drawn.seen == pytest.approx(found.profit.sum())
    # What random entries lose on average is about what trading cost.
    assert drawn.median == pytest.approx(-found.cost.sum(), abs=0.1)


def test_a_short_trade_within_one_bar_lasts_one() -> None:
    series = market(20)
    ts = int(series[1].ts_event[5]) + 7
    trade = Trade("s", "B", Side.SELL, 3, ts, ts + 9, 100, 90, 3, 3, 5, 2, "id", "stop")
    found = held_trades([trade], series, INSTRUMENTS, 10**8, 0.0)
    assert (found.instrument[0], found.direction[0], found.held[0]) == (1, -1.0, 1)
    # Ticks of 0.01 and lots of 0.001: one of each is 1,000 money units.
    assert found.value[0] == pytest.approx(100 * 1_000 / 10**8)
    with pytest.raises(ConfigError, match=r"\['C'\]"):
        held_trades([replace(trade, instrument="C")], series, INSTRUMENTS, 10**8, 0.0)

"""Walk-forward: learns before it trades, begins each run anew, and can be searched on noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.homes import plain_settings
from fakes.market_rows import an_instrument
from fakes.toy_family import ToyFamily
from tidewright.app.bulk import bulk_request
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.strategies import load_strategies
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import TradingWindow
from tidewright.domain.time import DAY
from tidewright.market.arrays import BarArrays
from tidewright.research.benchmark import universe_returns
from tidewright.research.bulk.grid import grid_points, grid_setups, parse_grid
from tidewright.research.bulk.result import BulkResult
from tidewright.research.bulk.run import run_bulk
from tidewright.research.bulk.sweep import SweepRequest
from tidewright.research.chance.noise import search_on_noise, statistic
from tidewright.research.chance.null_markets import FIRST_DAY, NullMarket, null_market
from tidewright.research.walkforward import (
    WalkForwardFamily,
    WalkForwardPlan,
    WindowedSweep,
    plan_folds,
    plateau,
    run_walk_forward,
)
from tidewright.strategy.library import template_named

INSTRUMENTS = (an_instrument("A"), an_instrument("B"))


def market(bars: int = 600, seed: int = 0) -> tuple[BarArrays, ...]:
    return null_market(NullMarket.GARCH_T, seed, "AB", bars)


@given(
    days=st.lists(st.integers(0, 5_000), min_size=60, max_size=300, unique=True).map(sorted),
    folds=st.integers(1, 5),
    share=st.floats(0.2, 0.7),
    anchored=st.booleans(),
)
def test_each_fold_learns_from_the_past_and_each_later_day_is_traded_once(
    days: list[int], folds: int, share: float, anchored: bool
) -> None:
    found = plan_folds(np.array(days), WalkForwardPlan(folds, share, anchored))
    first = int(len(days) * share)
    traded = [day for _, one in found for day in days if one.first <= day <= one.last]
    assert traded == days[first:]
    for learned, one in found:
        before = [day for day in days if learned.first <= day <= learned.last]
        assert before[-1] == max(day for day in days if day < one.first)
        assert before[0] == days[0] if anchored else len(before) == first


def test_too_few_days_and_senseless_plans_are_refused() -> None:
    with pytest.raises(ConfigError, match="stretch of 4 days"):
        plan_folds(np.arange(28), WalkForwardPlan(folds=3))
    for wrong in ({"folds": 0}, {"first_share": 0.0}, {"first_share": 1.0}):
        with pytest.raises(ConfigError, match="at least 1 and a share"):
            WalkForwardPlan(**wrong)


@pytest.mark.parametrize("anchored", [True, False])
def test_the_best_of_the_past_is_what_is_traded(anchored: bool) -> None:
    family, series = ToyFamily(), market()
    told: list[tuple[int, int]] = []
    found = run_walk_forward(
        family,
        series,
        INSTRUMENTS,
        WalkForwardPlan(4, 0.4, anchored),
        progress=lambda *counts: told.append(counts),
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    profit = []
    for fold in found.folds:
        learned = family.within(fold.learned.window).evaluate(series)
        best = statistic(learned, universe_returns(series, INSTRUMENTS, learned.days))
        assert fold.place == best.place
        assert fold.learned_t == best.t > 0
        alone = family.within(fold.traded.window, (best.place,)).evaluate(series)
        assert alone.days[0] == fold.traded.first
        assert alone.days[-1] == fold.traded.last
        profit.append(alone.daily_profit()[0])
        assert fold.traded_profit == pytest.approx(profit[-1].mean())
    assert found.results.daily_profit()[0] == pytest.approx(np.concatenate(profit))
    assert found.results.days.tolist() == list(range(FIRST_DAY + 240, FIRST_DAY + 600))
    learned_profit = sum(fold.learned_profit for fold in found.folds)
    assert found.efficiency == pytest.approx(
        sum(fold.traded_profit for fold in found.folds) / learned_profit
    )


def test_later_bars_change_no_earlier_fold() -> None:
    series = market()
    plan = WalkForwardPlan(4, 0.4)
    before = run_walk_forward(ToyFamily(), series, INSTRUMENTS, plan)
    last = int(np.searchsorted(series[0].ts_known, before.folds[1].traded.window.end, "right"))
    other = tuple(
        replace(one, close=np.concatenate((one.close[:last], one.close[last:][::-1])))
        for one in series
    )
    after = run_walk_forward(ToyFamily(), other, INSTRUMENTS, plan)
    assert after.folds[:2] == before.folds[:2]
    assert after.folds[3] != before.folds[3]


def test_it_stays_out_where_even_the_best_lost() -> None:
    found = run_walk_forward(ToyFamily(cost=0.05), market(), INSTRUMENTS)
    assert {fold.place for fold in found.folds} == {-1}
    assert found.efficiency is None
    assert found.folds_with_profit == 0
    assert (found.results.equity == found.results.initial).all()
    assert found.results.turnover.tolist() == [0.0]


def test_a_window_keeps_the_folds_inside() -> None:
    window = TradingWindow((FIRST_DAY + 100) * DAY + 1, (FIRST_DAY + 500) * DAY)
    found = run_walk_forward(ToyFamily(), market(), INSTRUMENTS, window=window)
    assert found.folds[0].learned.first == FIRST_DAY + 100
    assert found.folds[-1].traded.last == FIRST_DAY + 499


def test_the_procedure_is_a_family_that_can_be_searched_on_noise() -> None:
    family = WalkForwardFamily(ToyFamily(), INSTRUMENTS, WalkForwardPlan(3, 0.5))
    found = search_on_noise(family, market(400), INSTRUMENTS, surrogates=10, enough=99)
    assert len(found.days) == 200
    assert found.surrogates == 10
    assert family.name == "walk-forward over toy rules"


def test_a_sweep_is_run_over_each_stretch_as_a_backtest_of_its_own() -> None:
    series = market(400)
    settings = plain_settings("risk.max_drawdown_percent=100")
    base = bulk_request(
        BarFeed(series, INSTRUMENTS, "test"),
        load_strategies(["sma_cross"]),
        settings,
        TradingWindow(0),
    )
    setups = grid_setups(
        template_named("sma_cross"), grid_points(parse_grid("fast=2,4,8 slow=12,20"))
    )
    sweep = WindowedSweep("averages", SweepRequest(base, setups))
    found = run_walk_forward(sweep, series, INSTRUMENTS, WalkForwardPlan(2, 0.5))
    fold = next(fold for fold in found.folds if fold.place >= 0)
    config = replace(base.config, strategies=(setups[fold.place],))
    alone = run_bulk(replace(base, config=config, window=fold.traded.window))
    assert isinstance(alone, BulkResult)
    assert len(alone.trade_rows) > 0
    earned = (alone.equity[-1] - alone.initial) / alone.initial
    days = fold.traded.last - fold.traded.first + 1
    assert fold.traded_profit * days == pytest.approx(earned)
    assert alone.fill_rows[0, 8] > fold.traded.window.start


def test_neighbours_are_one_step_away_among_the_values_that_occur() -> None:
    values = np.array([[fast, slow] for fast in (5, 10, 50) for slow in (20, 100, 200)])
    scores = np.array([1.0, 2.0, -1.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    middle = plateau(values, scores, 4)
    assert (middle.neighbours, middle.median, middle.lowest) == (8, 4.0, -1.0)
    assert middle.share_above_zero == 7 / 8
    assert middle.kept == 1.0
    corner = plateau(values, scores, 0)
    assert (corner.neighbours, corner.median) == (3, 3.0)
    assert plateau(values, scores, 2).kept is None
    alone = plateau(values[:1], scores[:1], 0)
    assert (alone.neighbours, alone.median, alone.kept) == (0, None, None)


@pytest.mark.parametrize("chosen", [-1, 9])
def test_a_choice_that_is_none_of_the_sets_is_refused(chosen: int) -> None:
    with pytest.raises(ConfigError, match="one of them"):
        plateau(np.zeros((9, 2)), np.zeros(9), chosen)

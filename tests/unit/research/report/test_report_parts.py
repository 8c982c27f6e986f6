import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.research.report.parts import (
    baseline_of,
    curve_of,
    months_of,
    noise_of,
    outcome_of,
    sweep_map,
)

START = 18_993


def test_curve_is_the_running_sum_beside_both_ways_of_holding():
    days = np.arange(START, START + 3)
    found = curve_of(days, np.array([0.01, -0.02, 0.03]), np.array([0.1, 0.0, -0.5]), 0.2)
    assert found.equity == pytest.approx((1.01, 0.99, 1.02))
    assert found.matched == pytest.approx((1.02, 1.02, 0.92))
    assert found.held == pytest.approx((1.1, 1.1, 0.55))
    assert curve_of(days, np.zeros(3)).held == ()


@given(st.lists(st.floats(-0.1, 0.1), min_size=1, max_size=900))
def test_months_add_up_to_everything(values):
    profit = np.array(values)
    found = months_of(np.arange(START, START + len(profit)), profit)
    assert sum(one.profit for one in found) == pytest.approx(profit.sum(), abs=1e-12)
    assert (found[0].year, found[0].month) == (2022, 1)
    keys = [(one.year, one.month) for one in found]
    assert keys == sorted(set(keys))


def test_outcome_is_against_holding_to_the_same_extent():
    drawn = np.random.default_rng(0)
    universe = drawn.normal(0.001, 0.02, 730)
    profit = 0.3 * universe + drawn.normal(0.0005, 0.001, 730)
    found = outcome_of(profit, universe, 0.3, 365)
    assert found.years == 2.0
    assert found.net == pytest.approx(profit.sum())
    assert found.matched == pytest.approx(0.3 * universe.sum())
    assert found.excess_year == pytest.approx((profit - 0.3 * universe).mean() * 365)
    assert found.low < 0.0005 * 365 < found.high
    alone = outcome_of(profit, None, None, 365)
    assert alone.matched is None
    assert alone.excess_year == pytest.approx(profit.mean() * 365)


def test_holding_compounds_and_strategies_do_not():
    profit = np.array([0.5, -0.5])
    assert baseline_of("x", profit, 365).net == pytest.approx(0.0)
    assert baseline_of("x", profit, 365, compounded=True).net == pytest.approx(-0.25)
    assert baseline_of("x", profit, 365).drawdown == pytest.approx(1 / 3)


def test_search_that_never_traded_scores_nothing():
    found = noise_of(np.array([0.0, 1.0, 2.0]), -np.inf, 1.0, 200)
    assert (found.observed, found.as_good, found.stopped_early) == (0.0, 3, True)


def test_sweep_map_keeps_the_best_over_other_numbers():
    points = [
        {"fast": fast, "slow": slow, "stop": stop}
        for fast in (5.0, 6.0)
        for slow in (20.0, 30.0)
        for stop in (1.0, 2.0)
    ]
    scores = np.arange(8.0)
    scores[0] = -np.inf
    found = sweep_map(points, scores, 0.5)
    assert (found.x_name, found.y_name) == ("fast", "slow")
    assert found.score == ((1.0, 5.0), (3.0, 7.0))
    assert sweep_map([{"fast": 5.0}], np.zeros(1), None) is None
    single = sweep_map([{"fast": 5.0}, {"fast": 6.0}], np.array([-np.inf, 1.0]), None)
    assert (single.y_name, single.score) == ("", ((None, 1.0),))

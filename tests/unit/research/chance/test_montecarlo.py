"""Other ways it could have gone: closed forms, certain cases, and draws that can be repeated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.domain.errors import ConfigError
from tidewright.research.chance.montecarlo import (
    FAN,
    TradeSample,
    drawdown_forecast,
    monte_carlo,
    noisy_costs,
    shifted_starts,
    shuffled_trades,
    skipped_trades,
)


def normal(n: int, seed: int = 0) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(n)


def test_drawdown_of_a_walk_is_that_of_a_walk() -> None:
    # E[range below the peak] of a driftless Brownian motion over time T: sqrt(pi T / 2) x sd
    # (M. Magdon-Ismail, A. Atiya, A. Pratap and Y. Abu-Mostafa, 2004).
    shocks = normal(4_000)
    returns = 0.002 * (shocks - shocks.mean())
    found = drawdown_forecast(returns, 365, paths=2_000, block=1.0)
    expected = np.sqrt(np.pi * 365 / 2) * returns.std()
    # Sums over days instead of a path without gaps, and growth instead of sums: 5 % less.
    assert found.drawdowns.mean() == pytest.approx(expected, rel=0.07)
    assert found.typical < found.drawdowns.mean() < found.worst
    assert found.worst == np.quantile(found.drawdowns, 0.95)
    assert found.share_losing == pytest.approx(0.5, abs=0.05)


def test_days_that_come_together_stay_together() -> None:
    # Two bad weeks in a row: as single days they would rarely meet.
    returns = np.full(400, 0.001)
    returns[100:114] = -0.02
    joined = drawdown_forecast(returns, 365, paths=500)
    single = drawdown_forecast(returns, 365, paths=500, block=1.0)
    assert joined.block >= 5.0
    assert joined.worst > single.worst + 0.05
    assert joined.seen == pytest.approx(1 - 0.98**14)


def test_paths_are_as_long_as_asked_whatever_the_history() -> None:
    found = drawdown_forecast(0.01 * normal(30), 252, paths=50)
    assert found.fan.shape == (len(FAN), 252)
    assert (np.diff(found.fan, axis=0) >= 0).all()
    with pytest.raises(ConfigError, match="19 days"):
        drawdown_forecast(normal(19), 252)


def test_ruin_is_a_drawdown_of_everything() -> None:
    returns = np.zeros(40)
    returns[7] = -1.5
    found = drawdown_forecast(returns, 365, paths=200)
    assert found.worst == found.seen == 1.0
    assert found.fan.min() == 0.0


def test_draws_depend_on_the_seed_alone() -> None:
    returns = 0.01 * normal(200)
    one, same, other = (drawdown_forecast(returns, 100, paths=60, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.drawdowns, same.drawdowns)
    assert not np.array_equal(one.drawdowns, other.drawdowns)


@given(
    st.lists(st.floats(-0.1, 0.1), min_size=1, max_size=60).map(np.array),
    st.floats(0.01, 0.99),
)
def test_skipping_leaves_between_the_worst_and_the_best(profit: np.ndarray, share: float) -> None:
    found = skipped_trades(profit, share=share, draws=50)
    count = int(np.ceil(share * len(profit)))
    ranked = np.sort(profit)
    lowest = profit.sum() - ranked[len(profit) - count :].sum()
    highest = profit.sum() - ranked[:count].sum()
    assert lowest - 1e-9 <= found.low <= found.median <= found.high <= highest + 1e-9
    assert found.seen == pytest.approx(profit.sum())


def test_one_lucky_trade_is_seen_when_it_is_skipped() -> None:
    profit = np.full(100, -0.001)
    profit[40] = 0.15
    found = skipped_trades(profit, draws=2_000)
    # Kept in nine of ten draws; the standard error is 0.007.
    assert found.share_with_profit == pytest.approx(0.9, abs=0.025)
    even = skipped_trades(np.full(100, 0.001))
    assert even.low == even.high == pytest.approx(0.09)
    assert even.share_with_profit == 1.0


def test_order_changes_the_drawdown_and_not_the_sum() -> None:
    profit = np.concatenate((np.full(50, 0.01), np.full(50, -0.005)))
    found = shuffled_trades(profit, draws=500)
    assert found.seen == pytest.approx(0.25)
    assert found.high < 0.25
    assert found.low >= 0.005
    assert found.share_with_profit == 1.0


def test_costs_that_differ_cost_more_on_average() -> None:
    trades = TradeSample(np.full(400, 0.001), np.full(400, 0.002))
    found = noisy_costs(trades, spread=0.5, draws=4_000)
    expected = 400 * (0.003 - 0.002 * np.exp(0.125))
    assert found.median == pytest.approx(expected, abs=0.01)
    assert found.seen == pytest.approx(0.4)
    assert noisy_costs(trades, spread=0.0).low == pytest.approx(0.4)


def test_every_start_that_leaves_a_year_counts() -> None:
    returns = np.array([0.1, 0.0, -0.5, 1.0])
    found = shifted_starts(returns, 3)
    # Half of four days: stretches of two.
    assert found.draws == 3
    assert found.median == pytest.approx(0.0)
    assert found.seen == pytest.approx(0.1)
    assert found.share_with_profit == pytest.approx(1 / 3)


def test_three_questions_are_asked_and_the_others_on_demand() -> None:
    returns = 0.01 * normal(100)
    trades = TradeSample(0.01 * normal(50), np.full(50, 0.001))
    few = monte_carlo(returns, 365, trades, paths=50)
    assert few.skipped is not None
    assert few.shuffled is few.costs is few.starts is None
    some = monte_carlo(returns, 365, trades, paths=50, everything=True)
    assert None not in (some.shuffled, some.costs, some.starts)
    none = monte_carlo(returns, 365, TradeSample(np.empty(0), np.empty(0)), paths=50)
    assert none.skipped is None

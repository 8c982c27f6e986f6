"""The order book behind gymnasium's interfaces, and a baseline that knows what it does."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from tidewright.domain.errors import ConfigError
from tidewright.exchange.environment.rules import MarketRules
from tidewright.learning.rl.avellaneda_stoikov import (
    AvellanedaStoikov,
    optimal_spread,
    reservation_price,
)
from tidewright.learning.rl.order_book import OrderBookEnv, OrderBookVectorEnv

SHORT = MarketRules(steps=30)


def test_gymnasium_finds_nothing_wrong_with_one_market() -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(infinity|render).*")
        check_env(OrderBookEnv(SHORT), skip_render_check=True)


def test_many_markets_are_as_many_single_ones() -> None:
    single = SyncVectorEnv([lambda: OrderBookEnv(SHORT) for _ in range(3)])
    many = OrderBookVectorEnv(3, SHORT)
    assert single.metadata["autoreset_mode"] == many.metadata["autoreset_mode"]
    assert many.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    assert many.observation_space == single.observation_space
    assert many.action_space == single.action_space
    many.action_space.seed(4)
    seen, told = many.reset(seed=5)
    others, other_told = single.reset(seed=5)
    assert np.array_equal(seen, others)
    for _ in range(70):
        actions = many.action_space.sample()
        one, other = many.step(actions), single.step(actions)
        for left, right in zip(one[:4], other[:4], strict=True):
            assert np.array_equal(left, right)
        assert one[0].dtype == other[0].dtype == np.float32
        told, other_told = one[4], other[4]
        assert all(np.array_equal(told[name], other_told[name]) for name in told)
    assert set(told) == {"profit", "held", "bought", "sold", "answer"}


def test_what_was_returned_does_not_change_with_the_next_step() -> None:
    many = OrderBookVectorEnv(2, SHORT, seed=3)
    seen, _ = many.reset()
    kept = seen.copy()
    first = many.step(np.array([[1, 0, 0], [2, 0, 0]]))
    answers = first[4]["answer"].copy()
    many.step(np.array([[3, 0, 0], [4, 0, 0]]))
    assert np.array_equal(seen, kept)
    assert np.array_equal(first[4]["answer"], answers)


def test_time_that_is_over_truncates_and_does_not_terminate() -> None:
    one = OrderBookEnv(SHORT)
    one.reset(seed=1)
    for number in range(1, 31):
        *_, terminated, truncated, _ = one.step(np.array([0, 0, 0]))
        assert not terminated
        assert truncated == (number == 30)


def test_without_gymnasium_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['gymnasium'] = None\n"
        "from tidewright.domain.errors import ConfigError\n"
        "try:\n    import tidewright.learning.rl.order_book\n"
        "except ConfigError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'tidewright[learn]'" in done.stdout


def test_quotes_lean_against_holdings_and_widen_with_risk() -> None:
    held = np.linspace(-20.0, 20.0, 81)
    assert (np.diff(reservation_price(100.0, held, 0.3)) < 0.0).all()
    assert reservation_price(100.0, 0.0, 0.3) == 100.0
    assert reservation_price(100.0, 5.0, 0.0) == 100.0
    risk = np.linspace(0.0, 4.0, 41)
    assert (np.diff(optimal_spread(0.1, risk, 1.5)) > 0.0).all()
    # The example of the paper: aversion 0.1, deviation 2, decay 1.5, at the start.
    assert optimal_spread(0.1, 0.1 * 4.0, 1.5) == pytest.approx(0.4 + 20.0 * np.log(1 + 1 / 15))
    # Aversion to nothing: what a maker without fear asks, 2 / decay.
    assert optimal_spread(1e-9, 0.0, 1.5) == pytest.approx(2.0 / 1.5, rel=1e-6)
    with pytest.raises(ConfigError, match="above 0"):
        optimal_spread(0.0, 0.1, 1.5)


def test_targets_of_the_policy_are_monotone_in_holdings_and_time() -> None:
    policy = AvellanedaStoikov(MarketRules())
    seen = np.zeros((41, 19), np.float32)
    seen[:, 18], seen[:, 11] = 1.0, np.linspace(-100, 100, 41)
    targets = policy.targets(seen)
    assert (np.diff(targets[:, 0]) >= 0).all()
    assert (np.diff(targets[:, 1]) <= 0).all()
    assert targets[0].tolist() == targets[-1].tolist()[::-1]
    assert targets.min() == 0
    late = seen.copy()
    late[:, 18] = 0.0
    assert (policy.targets(late) == policy.targets(late)[0]).all()


def profits(act: object, count: int = 30) -> np.ndarray:
    many = OrderBookVectorEnv(count, MarketRules())
    seen, told = many.reset(seed=400)
    for _ in range(many.rules.steps):
        seen, _, _, _, told = many.step(act(seen))
    return told["profit"]


def test_a_maker_that_knows_what_it_does_earns_more_than_one_that_draws_lots() -> None:
    draw = np.random.default_rng(1)
    policy = AvellanedaStoikov(MarketRules())
    blind = AvellanedaStoikov(MarketRules(), aversion=1e-6)
    earned = profits(policy.actions)
    by_lot = profits(lambda seen: draw.integers(0, [7, 8, 4], (len(seen), 3)))
    error = np.hypot(earned.std(ddof=1), by_lot.std(ddof=1)) / np.sqrt(len(earned))
    assert earned.mean() - by_lot.mean() > 10.0 * error
    assert earned.mean() > 3.0 * earned.std(ddof=1) / np.sqrt(len(earned))
    # Without aversion the same quotes carry the risk of what is held.
    assert profits(blind.actions).std() > 2.0 * earned.std()

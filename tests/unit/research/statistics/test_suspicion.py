import numpy as np
import pytest

from fakes.round_trips import round_trip
from tidewright.domain.errors import ConfigError
from tidewright.domain.time import HOUR, MINUTE
from tidewright.research.statistics.suspicion import regime_profit, suspicions

STEADY = np.tile([0.012, -0.008, 0.010, -0.007, 0.009], 60)


def codes(profits: np.ndarray, trades: list | None = None, **more: object) -> set[str]:
    return {each.code for each in suspicions(profits, trades or [], days_per_year=50.0, **more)}


def test_a_steady_gain_is_not_suspicious():
    assert codes(STEADY, [round_trip(pnl=2.0, fees=0.1), round_trip(pnl=-1.0)] * 30) == set()


def test_a_loss_needs_no_suspicion():
    assert suspicions(-STEADY) == ()


def test_profit_of_a_few_days_is_named():
    profits = np.full(300, -0.001)
    profits[[20, 90, 150, 280]] = 0.1
    found = suspicions(profits)
    assert {"few_days"} <= {each.code for each in found}
    assert "Without the 2 best days of 300" in found[0].text
    profits[[90, 150]], profits[20] = -0.001, 0.3
    assert "Without the best day of 300" in suspicions(profits)[0].text


def test_profit_of_one_part_of_the_time_is_named():
    profits = STEADY.copy() - 0.004
    profits[75:150] += 0.02
    assert "one_period" in codes(profits)


def test_a_ratio_that_is_too_good_is_named():
    assert "too_good" in {each.code for each in suspicions(STEADY + 0.004)}


def test_rare_large_losses_are_named():
    profits = np.full(300, 0.002)
    profits[::60] = -0.08
    assert "rare_losses" in codes(profits)


@pytest.mark.parametrize(
    ("trades", "code"),
    [
        ([round_trip(pnl=1.0)] * 19 + [round_trip(pnl=-8.0)], "wins_small"),
        ([round_trip(pnl=1.0, fees=3.0)] * 9, "costs"),
        ([round_trip(pnl=9.0)] + [round_trip(pnl=1.0), round_trip(pnl=-1.0)] * 9, "one_trade"),
        ([round_trip(pnl=1.0, reason="stop", closed=MINUTE)] * 9, "inside_one_bar"),
    ],
)
def test_what_trades_give_away_is_named(trades, code):
    assert codes(STEADY, trades, bar_length=MINUTE) == {code}
    fair = [round_trip(pnl=2.0), round_trip(pnl=-1.0)] * 9
    assert code not in codes(STEADY, fair, bar_length=HOUR)


def test_profit_of_one_regime_is_named():
    market = np.repeat([0.01, -0.01, 0.0], 100) + STEADY / 100.0
    riding = np.maximum(market, 0.0) * 0.5 - 0.001
    assert "one_regime" in codes(riding, market=market)
    assert "one_regime" not in codes(STEADY, market=market)


def test_regimes_hold_all_profit_in_thirds():
    generator = np.random.default_rng(0)
    profits, market = generator.standard_normal((2, 300))
    found = regime_profit(profits, market)
    assert found.falling + found.sideways + found.rising == pytest.approx(profits.sum())
    counted = regime_profit(np.ones(300), market)
    assert (counted.falling, counted.sideways, counted.rising) == (100.0, 100.0, 100.0)
    with pytest.raises(ConfigError, match="300 profits and 299 market returns"):
        regime_profit(profits, market[1:])

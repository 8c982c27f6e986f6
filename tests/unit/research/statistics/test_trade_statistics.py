import math

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from fakes.orders import instrument
from fakes.round_trips import hourly, round_trip
from tidewright.domain.errors import ConfigError
from tidewright.domain.orders import Side
from tidewright.domain.time import DAY, HOUR
from tidewright.research.statistics import trade_statistics as statistics

#                 open high  low close
BARS = hourly([(100, 104, 97, 102), (102, 120, 99, 101), (101, 103, 90, 95), (95, 99, 94, 98)])


def test_excursions_run_from_the_entry_to_the_exit():
    trade = round_trip(100, 95, opened=0, closed=3 * HOUR)
    found = statistics.excursions([trade], {"X": BARS})
    assert found.adverse[0] == pytest.approx(0.10)
    assert found.favourable[0] == pytest.approx(0.20)
    assert found.realised[0] == pytest.approx(-0.05)


def test_excursions_of_a_short_trade_are_mirrored():
    trade = round_trip(100, 95, opened=0, closed=3 * HOUR, side=Side.SELL)
    found = statistics.excursions([trade], {"X": BARS})
    assert found.adverse[0] == pytest.approx(0.20)
    assert found.favourable[0] == pytest.approx(0.10)
    assert found.realised[0] == pytest.approx(0.05)


def test_what_came_after_a_stop_or_a_target_does_not_count():
    stopped = round_trip(100, 96, opened=0, closed=3 * HOUR, reason="stop")
    reached = round_trip(100, 110, opened=0, closed=2 * HOUR, reason="target")
    short = round_trip(100, 110, opened=0, closed=2 * HOUR, reason="stop", side=Side.SELL)
    found = statistics.excursions([stopped, reached, short], {"X": BARS})
    assert found.adverse == pytest.approx([0.04, 0.03, 0.10])
    assert found.favourable == pytest.approx([0.20, 0.10, 0.03])


def test_a_bar_entered_inside_does_not_count_and_a_gap_through_the_stop_does():
    inside = round_trip(100, 98, opened=HOUR, closed=2 * HOUR)
    same_bar = round_trip(100, 98, opened=HOUR, closed=HOUR, reason="stop")
    gap = round_trip(102, 80, opened=HOUR, closed=2 * HOUR, reason="stop")
    found = statistics.excursions([inside, same_bar, gap], {"X": BARS})
    assert found.adverse == pytest.approx([0.02, 0.02, 22 / 102])
    assert found.favourable == pytest.approx([0.20, 0.0, 18 / 102])


def test_trades_outside_the_bars_are_unknown():
    late = round_trip(opened=3 * HOUR, closed=5 * HOUR)
    found = statistics.excursions([late, round_trip()], {"X": BARS})
    assert math.isnan(found.adverse[0])
    assert found.realised[0] == pytest.approx(0.1)
    assert not math.isnan(found.adverse[1])
    assert math.isnan(statistics.excursions([round_trip()], {}).favourable[0])


def test_excursions_of_many_trades_equal_plain_loops():
    generator = np.random.default_rng(0)
    closes = 1_000 + generator.integers(-5, 6, 400).cumsum()
    bars = hourly([(c, c + 7, c - 7, c + 1) for c in closes.tolist()])
    trades = []
    for _ in range(200):
        begin, end = sorted(generator.integers(0, 401, 2).tolist())
        side = Side.BUY if generator.random() < 0.5 else Side.SELL
        trades.append(round_trip(1_000, 1_003, opened=begin * HOUR, closed=end * HOUR, side=side))
    found = statistics.excursions(trades, {"X": bars})
    for row, trade in enumerate(trades):
        held = slice(trade.ts_entry // HOUR, trade.ts_exit // HOUR)
        lows = [1_000, 1_003, *bars.low[held].tolist()]
        highs = [1_000, 1_003, *bars.high[held].tolist()]
        down, up = (1_000 - min(lows)) / 1_000, (max(highs) - 1_000) / 1_000
        wanted = (down, up) if trade.side is Side.BUY else (up, down)
        assert (found.adverse[row], found.favourable[row]) == pytest.approx(wanted)


@pytest.mark.parametrize(("wins", "trades"), [(36, 47), (18, 29), (0, 10), (10, 10), (500, 1_000)])
def test_interval_of_a_share_equals_that_of_statsmodels(wins, trades):
    wanted = proportion_confint(wins, trades, 0.05, method="wilson")
    assert statistics.wilson_interval(wins, trades) == pytest.approx(wanted, abs=1e-12)


def test_interval_of_the_worked_example():
    # 36 winners of 47: 62.8 % to 86.4 %
    low, high = statistics.wilson_interval(36, 47)
    assert (low, high) == pytest.approx((0.628, 0.864), abs=5e-4)
    with pytest.raises(ConfigError, match="wins were 3 of 2"):
        statistics.wilson_interval(3, 2)


def test_win_rate_stands_beside_what_it_takes_to_break_even():
    # 76 of 100 win one, the others lose five: an impressive share that loses
    found = statistics.win_rate([1] * 76 + [-5] * 24)
    assert found is not None
    assert found.share == 0.76
    assert found.payoff == pytest.approx(0.2)
    assert found.break_even == pytest.approx(5 / 6)
    assert found.expectancy == pytest.approx((0.76 - 1.20) / 5)
    assert found.high < found.break_even + 0.02


def test_win_rate_without_losses_or_trades_says_what_it_can():
    assert statistics.win_rate([]) is None
    found = statistics.win_rate([3, 4])
    assert found is not None
    assert found.share == 1.0
    assert found.payoff is found.break_even is found.expectancy is None


def test_costs_are_a_share_of_the_profit_before_them():
    found = statistics.costs([round_trip(pnl=6.0, fees=2.0), round_trip(pnl=-3.0, fees=1.0)])
    assert (found.fees, found.gross) == (300_000_000, 600_000_000)
    assert found.share == 0.5
    assert statistics.costs([round_trip(pnl=-5.0, fees=1.0)]).share is None


def test_turnover_counts_both_ways():
    trade = round_trip(100, 110, lots=3)
    traded = instrument()
    numerator, denominator = traded.value_ratio
    value = (300 + 330) * numerator / denominator
    found = statistics.turnover([trade] * 2, {"X": traded}, 1_000_000_000)
    assert found == pytest.approx(2 * value / 1_000_000_000)
    with pytest.raises(ConfigError, match="trades were in 'X', which is not known"):
        statistics.turnover([trade], {}, 1)


def test_trades_of_a_day_count_together():
    trades = [round_trip(pnl=1.0, closed=DAY), round_trip(pnl=2.0, closed=DAY - HOUR)]
    found = statistics.clustered([*trades, round_trip(pnl=-1.0, closed=DAY + HOUR)])
    assert (found.trades, found.days) == (3, 2)


def test_longest_rows_follow_the_time_of_exit():
    outcomes = [1, -1, -1, -1, 1, 1, -1]
    trades = [round_trip(pnl=won, closed=hour * HOUR) for hour, won in enumerate(outcomes, 1)]
    found = statistics.streaks(trades[::-1])
    assert (found.wins, found.losses) == (2, 3)
    assert statistics.streaks([]).losses == 0
    assert statistics.streaks([round_trip(pnl=-1.0)] * 4).expected_losses == 4.0


@pytest.mark.parametrize("losers", [0.3, 0.6])
def test_expected_row_of_losses_is_that_of_simulation(losers):
    generator = np.random.default_rng(1)
    longest = [statistics._longest(generator.random(500) < losers) for _ in range(400)]
    trades = [round_trip(pnl=-1.0 if row < losers * 500 else 1.0) for row in range(500)]
    expected = statistics.streaks(trades).expected_losses
    # The longest run lies about g / ln(1 / q) - 1/2 above the formula on average: under one trade
    assert expected == pytest.approx(np.mean(longest), abs=1.0)


def test_concentration_counts_the_days_that_carry_the_profit():
    profits = np.array([5.0, -1.0, -1.0, 1.0, -1.0, 2.0])
    found = statistics.concentration(profits, [round_trip(pnl=3.0), round_trip(pnl=1.0)])
    assert found.best_day == pytest.approx(1.0)
    assert found.best_five_days == pytest.approx(6.0 / 5.0)
    assert found.days_to_nothing == 1
    assert found.best_trade == 0.75
    assert statistics.concentration(np.array([-1.0, 0.5])).best_day is None


def test_trades_within_one_bar_are_those_that_met_a_stop_or_target_there():
    trades = [
        round_trip(closed=HOUR, reason="stop"),
        round_trip(closed=HOUR, reason="signal"),
        round_trip(closed=2 * HOUR, reason="target"),
        round_trip(closed=HOUR, reason="target"),
    ]
    assert statistics.within_one_bar(trades, HOUR) == 0.5
    assert statistics.within_one_bar([], HOUR) is None

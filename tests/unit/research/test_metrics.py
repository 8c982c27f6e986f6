import json
import math

import numpy as np
import pytest

from tidewright.domain.errors import ConfigError
from tidewright.domain.money import UNITS_PER_CURRENCY
from tidewright.domain.orders import Side
from tidewright.domain.portfolio import Trade
from tidewright.domain.time import DAY, HOUR
from tidewright.research import metrics


def trade(pnl: float, opened: int = 0, closed: int = HOUR) -> Trade:
    return Trade(
        strategy="s",
        instrument="X",
        side=Side.BUY,
        lots=1,
        ts_entry=opened,
        ts_exit=closed,
        entry_value=1,
        exit_value=1,
        entry_lots=1,
        exit_lots=1,
        fees=UNITS_PER_CURRENCY,
        pnl=round(pnl * UNITS_PER_CURRENCY),
        entry_client_id="c",
        exit_reason="signal",
    )


def series(equity: list[float], step: int = DAY, initial: float = 100.0) -> metrics.EquitySeries:
    ts = (np.arange(len(equity), dtype=np.int64) + 1) * step
    units = np.rint(np.array(equity) * UNITS_PER_CURRENCY).astype(np.int64)
    return metrics.EquitySeries(ts, units, round(initial * UNITS_PER_CURRENCY))


def test_sharpe_of_known_returns_is_the_closed_form():
    returns = np.array([0.01, -0.01, 0.03])
    # mean 0.01, sample deviation 0.02
    assert metrics.sharpe(returns, 365) == pytest.approx(0.5 * math.sqrt(365), rel=1e-12)


def test_sortino_of_known_returns_is_the_closed_form():
    returns = np.array([0.03, -0.01, 0.01])
    downside = math.sqrt(0.0001 / 3)
    assert metrics.sortino(returns, 252) == pytest.approx(0.01 / downside * math.sqrt(252))


@pytest.mark.parametrize("returns", [[], [0.01], [0.01, 0.01, 0.01], [0.0, 0.0]])
def test_sharpe_of_too_few_or_equal_returns_is_unknown(returns):
    assert metrics.sharpe(np.array(returns), 365) is None


def test_sortino_without_a_loss_is_unknown():
    assert metrics.sortino(np.array([0.01, 0.02]), 365) is None


def test_cagr_of_doubling_in_a_year_is_one():
    assert metrics.cagr(1.0, 2.0, round(365.25 * DAY)) == pytest.approx(1.0)


def test_cagr_of_a_short_span_is_unknown():
    assert metrics.cagr(1.0, 2.0, 29 * DAY) is None


def test_daily_equity_fills_days_without_observation_only_where_every_day_counts():
    ts = np.array([HOUR, DAY, 2 * HOUR + 3 * DAY], dtype=np.int64)
    equity = np.array([1.0, 2.0, 3.0])
    assert metrics.daily_equity(ts, equity, every_day=True).tolist() == [2.0, 2.0, 2.0, 3.0]
    assert metrics.daily_equity(ts, equity, every_day=False).tolist() == [2.0, 3.0]


def test_daily_equity_at_midnight_belongs_to_the_day_it_ends():
    ts = np.array([DAY, DAY + 1], dtype=np.int64)
    assert metrics.daily_equity(ts, np.array([1.0, 2.0]), every_day=True).tolist() == [1.0, 2.0]


def test_daily_returns_end_with_ruin():
    returns = metrics.daily_returns(np.array([50.0, -10.0, 20.0]), 100.0)
    assert returns.tolist() == [-0.5, -1.2]


def test_drawdown_counts_the_initial_equity_as_a_peak():
    assert metrics.drawdown(np.array([80.0, 120.0, 60.0]), 100.0).tolist() == pytest.approx(
        [0.2, 0.0, 0.5]
    )


def test_longest_drawdown_lasts_until_the_peak_is_reached_again():
    ts = np.arange(6, dtype=np.int64) * DAY
    equity = np.array([100.0, 90.0, 95.0, 100.0, 99.0, 98.0])
    assert metrics.longest_drawdown(ts, equity, 100.0) == 3 * DAY


def test_longest_drawdown_without_recovery_lasts_until_the_end():
    ts = np.arange(4, dtype=np.int64) * DAY
    assert metrics.longest_drawdown(ts, np.array([100.0, 90.0, 80.0, 70.0]), 100.0) == 3 * DAY


def test_value_at_risk_is_the_interpolated_tail_quantile():
    returns = np.arange(-50, 51) / 1000.0
    assert metrics.value_at_risk(returns) == pytest.approx(0.045)
    assert metrics.value_at_risk(returns[:19]) is None


def test_exposure_counts_overlapping_positions_once():
    assert metrics.exposure([(0, 4), (2, 5), (8, 20)], 0, 10) == pytest.approx(0.7)
    assert metrics.exposure([(0, 1)], 5, 5) == 0.0


def test_profit_factor_and_win_rate_of_known_trades():
    profits = [300, -100, 0, -50]
    assert metrics.profit_factor(profits) == 2.0
    assert metrics.win_rate(profits) == 0.25
    assert metrics.profit_factor([5]) is None
    assert metrics.win_rate([]) is None


def test_buy_and_hold_of_two_instruments_is_their_mean_growth():
    prices = np.array([[10.0, np.nan], [20.0, 5.0], [np.nan, 10.0]])
    assert metrics.buy_and_hold(prices, 100.0).tolist() == [100.0, 150.0, 200.0]


def test_buy_and_hold_of_an_instrument_without_prices_stays_cash():
    assert metrics.buy_and_hold(np.array([[np.nan], [np.nan]]), 7.0).tolist() == [7.0, 7.0]


def test_report_of_a_run_holds_every_figure():
    prices = np.array([10.0, 11.0, 12.0])
    report = metrics.performance_report(
        series([101.0, 99.0, 110.0]),
        [trade(12.0, DAY, DAY + 12 * HOUR), trade(-2.0, 2 * DAY, 2 * DAY + 12 * HOUR)],
        prices=prices,
    )
    assert report.total_return == pytest.approx(0.1)
    assert report.max_drawdown == pytest.approx(2 / 101)
    assert report.max_drawdown_days == 2.0
    assert report.exposure == pytest.approx(0.5)
    assert report.trades == 2
    assert report.profit_factor == pytest.approx(6.0)
    assert report.average_trade == pytest.approx(5.0)
    assert (report.best_trade, report.worst_trade) == (12.0, -2.0)
    assert report.average_trade_minutes == 720.0
    assert report.fees == 2.0
    assert report.benchmark_return == pytest.approx(0.2)
    assert report.cagr is None


def test_report_without_trades_leaves_what_is_unknown_empty():
    report = metrics.performance_report(series([100.0, 100.0]), [])
    assert (report.sharpe, report.profit_factor, report.win_rate) == (None, None, None)
    assert report.benchmark_return is None
    assert report.max_drawdown == 0.0


def test_report_counts_open_positions_as_exposure():
    report = metrics.performance_report(series([1.0, 1.0, 1.0]), [], open_since=[2 * DAY])
    assert report.exposure == 0.5


def test_report_as_json_needs_no_special_number():
    report = metrics.performance_report(series([101.0]), [])
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["trades"] == 0


def test_every_formula_names_a_figure_of_the_report():
    assert set(metrics.FORMULAS) <= set(metrics.PerformanceReport.__dataclass_fields__)


def test_empty_series_is_an_error():
    with pytest.raises(ConfigError, match="empty"):
        metrics.performance_report(series([]), [])


def test_initial_equity_of_zero_is_an_error():
    with pytest.raises(ConfigError, match="above 0"):
        metrics.performance_report(series([1.0], initial=0.0), [])


def test_expected_shortfall_is_the_mean_of_the_worst_days():
    returns = -np.arange(1.0, 101.0) / 1_000.0
    # The 5 % quantile lies at 95.05: five days are worse, and 5 % of 100 days are five
    assert metrics.value_at_risk(returns) == pytest.approx(0.09505)
    assert metrics.expected_shortfall(returns) == pytest.approx(0.09800, abs=1e-12)
    assert metrics.expected_shortfall(returns[:19]) is None


def test_moments_of_known_returns_are_the_closed_form():
    # Two values with shares p and 1 - p: skewness (1 - 2p) / sqrt(p (1 - p))
    returns = np.array([1.0] * 20 + [0.0] * 80)
    skewness, kurtosis = metrics.skewness_and_kurtosis(returns)
    assert skewness == pytest.approx(0.6 / 0.4)
    assert kurtosis == pytest.approx(1.0 + 1.5**2)
    assert metrics.skewness_and_kurtosis(np.zeros(9)) is None
    assert metrics.skewness_and_kurtosis(np.array([0.1, 0.2])) is None


def test_monthly_returns_compound_to_the_total_and_stop_at_ruin():
    days = np.arange(18_990, 19_100, dtype=np.int64)
    equity = 100.0 * 1.01 ** np.arange(1, 111)
    table = metrics.monthly_returns(days, equity, 100.0)
    assert list(table) == [2021, 2022]
    assert list(table[2022]) == [1, 2, 3, 4]
    assert table[2022][2] == pytest.approx(1.01**28 - 1.0)
    total = np.prod([1.0 + each for year in table.values() for each in year.values()])
    assert total == pytest.approx(equity[-1] / 100.0)
    equity[50:] = -5.0
    ruined = metrics.monthly_returns(days, equity, 100.0)
    assert list(ruined[2022]) == [1, 2]
    assert metrics.monthly_returns(days[:0], equity[:0], 100.0) == {}

"""A planted rank information coefficient is recovered; nothing planted, nothing is found."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from tidewright.domain.errors import ConfigError
from tidewright.research.factor import (
    FactorPanel,
    later_returns,
    measure_factor,
    rank_correlations,
)

SYMBOLS, DAYS = 400, 1_000
DAY = 86_400 * 10**9


def panel(values, returns):
    """A panel whose close to close returns after each moment are given."""
    closes = 100 * np.cumprod(1 + np.column_stack([np.zeros(len(values)), returns[:, :-1]]), axis=1)
    names = tuple(f"S{n:03}" for n in range(len(values)))
    return FactorPanel(names, np.arange(1, values.shape[1] + 1) * DAY, values, closes)


def planted(rank_correlation, seed, *, slow=False, symbols=SYMBOLS, days=DAYS):
    """Values and the returns that follow: a market, volatility of each, and a little foresight.

    Spearman's correlation of two normals is 6 / pi * arcsin(r / 2) (Pearson 1907).
    """
    rng = np.random.default_rng(seed)
    plain = 2 * np.sin(np.pi * rank_correlation / 6)
    values = rng.standard_normal((symbols, days))
    if slow:
        for day in range(1, days):
            values[:, day] = 0.98 * values[:, day - 1] + np.sqrt(1 - 0.98**2) * values[:, day]
    noise = rng.standard_normal((symbols, days))
    market = 0.01 * rng.standard_t(4, days)
    returns = market + 0.02 * (plain * values + np.sqrt(1 - plain**2) * noise)
    return panel(values, np.maximum(returns, -0.5))


def test_planted_coefficient_is_recovered_within_three_standard_errors():
    report = measure_factor(planted(0.03, 0), horizons=(1, 5))
    first, fifth = report.coefficients
    assert first.standard_error == pytest.approx(1 / np.sqrt(SYMBOLS * DAYS), rel=0.15)
    assert abs(first.mean - 0.03) < 3 * first.standard_error
    assert first.low < first.mean < first.high
    assert first.t > 10
    # fresh values every day tell of one day in five: the square root of a fifth
    assert abs(fifth.mean - 0.03 / np.sqrt(5)) < 3 * fifth.standard_error
    # each part's mean value times the correlation: the normal's mean above its 80 % quantile
    expected = 2 * 1.3998 * 0.02 * 2 * np.sin(np.pi * 0.03 / 6)
    assert report.spread.gross == pytest.approx(expected, rel=0.12)
    assert (np.diff(report.spread.quantiles) > 0).all()
    assert report.coverage == 1
    assert (report.symbols, report.moments) == (SYMBOLS, DAYS)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("slow", [False, True])
def test_nothing_planted_every_interval_covers_nothing(seed, slow):
    report = measure_factor(planted(0.0, seed, slow=slow, days=600), horizons=(1, 20))
    for one in report.coefficients:
        assert abs(one.mean) < 3 * one.standard_error
    # overlapping returns of slow values: the naive error would be several times too small
    twentieth = report.coefficients[1]
    naive = np.nanstd(twentieth.series) / np.sqrt(twentieth.moments)
    if slow:
        assert twentieth.standard_error > 2 * naive
    assert report.spread.net < 0.001


def test_turnover_and_costs_of_a_spread_are_those_of_its_trades():
    frozen = np.repeat(np.arange(10.0)[:, None], 50, axis=1)
    returns = np.where(np.arange(10) >= 8, 0.01, 0.0)[:, None] * np.ones((10, 50))
    held = measure_factor(panel(frozen, returns), horizons=(1,), cost_rate=0.002).spread
    assert held.gross == pytest.approx(0.01)
    # bought and sold short once: two legs of 1 in 49 rows
    assert held.turnover == pytest.approx(2 / 49)
    assert held.net == pytest.approx(0.01 - 0.002 * 2 / 49)
    turned = np.where(np.arange(50) % 2, frozen, -frozen)
    assert measure_factor(panel(turned, returns), horizons=(1,)).spread.turnover > 3.9
    slower = measure_factor(panel(turned, returns), horizons=(1,), hold=2).spread
    assert slower.turnover < 0.1
    assert held.series[-1] == 0


def test_delay_leaves_out_the_first_return():
    rng = np.random.default_rng(5)
    values = rng.standard_normal((60, 200))
    found = measure_factor(panel(values, 0.01 * values), horizons=(1,))
    late = measure_factor(panel(values, 0.01 * values), horizons=(1,), delay=1)
    assert found.coefficients[0].mean == pytest.approx(1.0)
    assert abs(late.coefficients[0].mean) < 0.05


def test_rank_correlations_equal_scipys_with_ties_and_unknowns():
    rng = np.random.default_rng(2)
    values = rng.integers(0, 4, (12, 40)).astype(float)
    returns = rng.standard_normal((12, 40)).round(1)
    values[rng.random(values.shape) < 0.3] = np.nan
    returns[rng.random(values.shape) < 0.1] = np.nan
    found = rank_correlations(values, returns)
    for day in range(40):
        both = np.isfinite(values[:, day]) & np.isfinite(returns[:, day])
        if both.sum() < 5:
            assert np.isnan(found[day])
        else:
            expected = spearmanr(values[both, day], returns[both, day]).statistic
            assert found[day] == pytest.approx(expected, abs=1e-12)


def test_absent_bars_are_left_out_and_counted():
    values = np.random.default_rng(1).standard_normal((20, 30))
    one = panel(values, 0.01 * values)
    values = values.copy()
    values[:10, :15] = np.nan
    closes = one.closes.copy()
    closes[3, 20:] = np.nan
    report = measure_factor(FactorPanel(one.symbols, one.moments, values, closes), horizons=(1,))
    assert report.coverage == pytest.approx(1 - 150 / (600 - 10))
    assert report.coefficients[0].mean == pytest.approx(1)
    assert np.isnan(later_returns(closes, 1)[3, 19:]).all()


def test_what_cannot_be_measured_is_refused():
    small = panel(np.ones((4, 30)), np.zeros((4, 30)))
    with pytest.raises(ConfigError, match="4 instruments; expected at least 5"):
        measure_factor(small)
    flat = panel(np.ones((8, 30)), np.zeros((8, 30)))
    with pytest.raises(ConfigError, match="0 moments"):
        measure_factor(flat)
    with pytest.raises(ConfigError, match="hold 0"):
        measure_factor(flat, hold=0)
    with pytest.raises(ConfigError, match="symbols by moments"):
        FactorPanel(("A",), np.arange(3), np.ones((1, 2)), np.ones((1, 3)))

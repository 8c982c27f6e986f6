import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from fakes.series import heavy_tailed
from tidewright.domain.errors import ConfigError
from tidewright.research.statistics import tail
from tidewright.research.statistics.tail import TailMethod


def test_historical_tail_of_known_days():
    returns = np.arange(-50, 51) / 1_000.0
    found = tail.tail_risk(returns, 0.90)
    assert found.value_at_risk == pytest.approx(0.040)
    # Ten worse days, and the tenth of the quantile's own day that makes 10 % of 101 days
    assert found.expected_shortfall == pytest.approx((0.455 + 0.1 * 0.040) / 10.1)


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_gaussian_tail_is_the_closed_form(level):
    returns = np.random.default_rng(0).standard_normal(500) * 0.02 + 0.001
    mean, deviation = returns.mean(), returns.std(ddof=1)
    found = tail.tail_risk(returns, level, TailMethod.GAUSSIAN)
    assert found.value_at_risk == pytest.approx(-stats.norm.ppf(1 - level, mean, deviation))
    below = stats.norm.expect(lambda x: -x, loc=mean, scale=deviation, ub=-found.value_at_risk) / (
        1 - level
    )
    assert found.expected_shortfall == pytest.approx(below, rel=1e-6)


def test_all_methods_agree_on_calm_normal_days():
    returns = np.random.default_rng(1).standard_normal(20_000) * 0.01
    for method in TailMethod:
        found = tail.tail_risk(returns, 0.95, method)
        assert found.value_at_risk == pytest.approx(0.01645, rel=0.12)
        assert found.expected_shortfall == pytest.approx(0.02063, rel=0.12)
        assert found.expected_shortfall > found.value_at_risk


def test_filtered_tail_follows_the_present_restlessness():
    generator = np.random.default_rng(2)
    calm, wild = generator.standard_normal(400) * 0.01, generator.standard_normal(60) * 0.04
    then_wild = tail.tail_risk(np.concatenate((calm, wild)), 0.95, TailMethod.FILTERED)
    then_calm = tail.tail_risk(np.concatenate((wild, calm)), 0.95, TailMethod.FILTERED)
    assert then_wild.value_at_risk > 2.0 * then_calm.value_at_risk
    plain = tail.tail_risk(np.concatenate((calm, wild)))
    assert plain == pytest.approx(tail.tail_risk(np.concatenate((wild, calm))))


def test_volatility_forecasts_follow_the_true_ones():
    noise = np.random.default_rng(3).standard_normal(3_000)
    variance, true, returns = 1.0, [], []
    for shock in noise:
        true.append(math.sqrt(variance))
        returns.append(math.sqrt(variance) * shock)
        variance = 0.02 + 0.1 * returns[-1] ** 2 + 0.88 * variance
    found = tail.conditional_volatility(returns)
    assert len(found) == 3_001
    assert np.corrcoef(found[100:-1], true[100:])[0, 1] > 0.95
    assert tail.conditional_volatility(np.zeros(30)).tolist() == [0.0] * 31


@pytest.mark.parametrize("method", TailMethod)
def test_rolling_forecasts_know_only_days_before(method):
    returns = heavy_tailed(4, 1, 400)[0] * 0.01
    forecast = tail.rolling_value_at_risk(returns, 100, 0.95, method)
    assert len(forecast) == 300
    changed = returns.copy()
    changed[250:] = 9.0
    assert np.array_equal(
        tail.rolling_value_at_risk(changed, 100, 0.95, method)[:151], forecast[:151]
    )
    short = tail.rolling_value_at_risk(returns[:180], 100, 0.95, method)
    assert short == pytest.approx(forecast[:80], rel=1e-12)


def test_rolling_forecast_of_a_day_is_the_tail_of_the_days_before():
    returns = heavy_tailed(5, 1, 300)[0] * 0.01
    for method in (TailMethod.HISTORICAL, TailMethod.GAUSSIAN):
        rolling = tail.rolling_value_at_risk(returns, 100, 0.95, method)
        assert rolling[37] == pytest.approx(
            tail.tail_risk(returns[37:137], 0.95, method).value_at_risk
        )


def test_filtered_forecasts_hold_and_gaussian_ones_fail_where_restless_days_cluster():
    passed = {method: 0 for method in (TailMethod.FILTERED, TailMethod.GAUSSIAN)}
    worlds = 60
    for seed in range(worlds):
        returns = heavy_tailed(seed, 1, 1_500, 0.12, 0.86)[0] * 0.01
        for method in passed:
            hits = -returns[500:] > tail.rolling_value_at_risk(returns, 500, 0.95, method)
            test = tail.coverage_test(hits, 0.95)
            passed[method] += test.coverage_p > 0.05 and test.independence_p > 0.05
    # A right forecast passes both in about 90 % of worlds
    assert passed[TailMethod.FILTERED] >= 0.85 * worlds
    assert passed[TailMethod.GAUSSIAN] <= 0.50 * worlds


@pytest.mark.parametrize(
    ("days", "rate", "low", "high", "size", "doubled", "power"),
    [
        (250, 0.01, 1, 6, 0.095, 0.02, 0.24),
        (250, 0.05, 7, 19, None, 0.10, 0.88),
        (1000, 0.01, 5, 16, None, 0.02, 0.78),
    ],
)
def test_exact_size_and_power_of_the_coverage_test(days, rate, low, high, size, doubled, power):
    found = tail.kupiec_size(days, rate)
    assert (found.low, found.high) == (low, high)
    accepted = stats.binom.cdf(high, days, rate) - stats.binom.cdf(low - 1, days, rate)
    assert found.size == pytest.approx(1.0 - accepted, rel=1e-12)
    if size is not None:
        assert found.size == pytest.approx(size, abs=5e-4)
    assert tail.kupiec_power(days, rate, doubled) == pytest.approx(power, abs=0.005)


def test_coverage_p_value_is_that_of_the_likelihood_ratio():
    hits = np.zeros(250, dtype=bool)
    hits[[10, 60, 110, 160, 210, 240, 249]] = True
    found = tail.coverage_test(hits, 0.99)
    ratio = 2 * (stats.binom.logpmf(7, 250, 7 / 250) - stats.binom.logpmf(7, 250, 0.01))
    assert found.coverage_p == pytest.approx(stats.chi2.sf(ratio, 1))
    assert (found.days, found.exceptions) == (250, 7)
    assert found.expected == pytest.approx(2.5)


def test_exceptions_in_runs_fail_independence_and_not_coverage():
    spread, runs = np.zeros(1_000, dtype=bool), np.zeros(1_000, dtype=bool)
    spread[::20] = True
    runs[:50] = True
    assert tail.coverage_test(spread, 0.95).coverage_p == tail.coverage_test(runs, 0.95).coverage_p
    assert tail.coverage_test(runs, 0.95).coverage_p > 0.9
    assert tail.coverage_test(runs, 0.95).independence_p < 1e-6
    assert tail.coverage_test(runs, 0.95).conditional_p < 1e-6
    assert tail.coverage_test(spread, 0.95).independence_p > 0.01


def test_independence_ratio_is_that_of_the_transition_table():
    hits = np.random.default_rng(6).random(400) < 0.1
    table = np.zeros((2, 2))
    for before, after in pairwise(hits):
        table[int(before), int(after)] += 1
    wanted = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").pvalue
    assert tail.coverage_test(hits, 0.9).independence_p == pytest.approx(wanted, rel=1e-9)


def test_independence_keeps_its_level():
    generator = np.random.default_rng(7)
    rejected = [
        tail.coverage_test(generator.random(1_000) < 0.05, 0.95).independence_p < 0.05
        for _ in range(1_000)
    ]
    assert 0.02 < np.mean(rejected) < 0.09


def test_a_gap_ignores_stops():
    found = tail.gap_check([0.6, -0.3], limit=0.15, stops=[0.02, math.nan])
    assert found.loss == pytest.approx(0.18)
    assert found.stopped_loss == pytest.approx(0.6 * 0.02 + 0.3 * 0.20)
    assert not found.passed
    assert tail.gap_check([1.0], limit=0.25).passed
    assert tail.gap_check([1.0], limit=0.25).stopped_loss == pytest.approx(0.20)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: tail.tail_risk(np.zeros(10)), "had 10 days; expected at least 20"),
        (lambda: tail.tail_risk(np.zeros(30), 0.05), "level was 0.05"),
        (lambda: tail.rolling_value_at_risk(np.zeros(30), 10), "window was 10"),
        (lambda: tail.coverage_test([True], 0.95), "had 1 days"),
        (lambda: tail.gap_check([math.nan], limit=0.1), "expected finite and above 0"),
        (lambda: tail.kupiec_size(10, 0.0), "rate was 0"),
    ],
)
def test_unusable_arguments_are_refused_with_the_reason(call, expected):
    with pytest.raises(ConfigError, match=expected):
        call()


@pytest.mark.full
@pytest.mark.parametrize(("shock", "keep"), [(0.08, 0.90), (0.12, 0.86)])
def test_coverage_of_filtered_forecasts_over_two_hundred_worlds(shock, keep):
    passed = 0
    for seed in range(200):
        returns = heavy_tailed(seed, 1, 1_500, shock, keep)[0] * 0.01
        forecast = tail.rolling_value_at_risk(returns, 500, 0.95, TailMethod.FILTERED)
        test = tail.coverage_test(-returns[500:] > forecast, 0.95)
        passed += test.coverage_p > 0.05 and test.independence_p > 0.05
    assert 0.90 * 200 <= passed <= 0.97 * 200

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from fakes.series import autoregressive
from tidewright.domain.errors import ConfigError
from tidewright.research.statistics import inference


@pytest.mark.parametrize("lags", [0, 1, 4, 9])
def test_standard_error_equals_that_of_statsmodels(lags):
    values = autoregressive(0, 3, 250, 0.3) + 0.1
    estimate = inference.estimate_mean(values, lags)
    for row in range(3):
        fitted = sm.OLS(values[row], np.ones(250)).fit(
            cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}
        )
        assert estimate.mean[row] == pytest.approx(fitted.params[0], rel=1e-12)
        assert estimate.standard_error[row] == pytest.approx(fitted.bse[0], rel=1e-10)


def test_without_lags_it_is_the_classical_t_test():
    values = np.random.default_rng(1).standard_normal((4, 60)) + 0.2
    estimate = inference.estimate_mean(values, 0)
    classical = stats.ttest_1samp(values, 0.0, axis=1, alternative="greater")
    assert estimate.t == pytest.approx(classical.statistic, rel=1e-12)
    assert estimate.p_value() == pytest.approx(classical.pvalue, rel=1e-10)
    low, high = estimate.interval(0.9)
    wanted = stats.ttest_1samp(values, 0.0, axis=1).confidence_interval(0.9)
    assert low == pytest.approx(wanted.low, rel=1e-10)
    assert high == pytest.approx(wanted.high, rel=1e-10)


def test_automatic_lags_of_known_autocovariances_are_the_published_rule():
    # 500 days: 4 x 5^(2/9) = 5.7, so five autocovariances speak: sums 1 + 2 x 0.75 and 2 x 1.0
    covariances = np.array([1.0, 0.5, 0.25, 0.0, 0.0, 0.0, 9.0])
    wanted = math.floor(1.1447 * ((2.0 / 2.5) ** 2) ** (1 / 3) * 500 ** (1 / 3))
    assert inference.automatic_lags(covariances, 500) == wanted == 7


def test_more_dependence_takes_more_lags_up_to_the_limit():
    chosen = [
        float(np.median(inference.estimate_mean(autoregressive(2, 50, 1000, carry)).lags))
        for carry in (0.0, 0.3, 0.6, 0.9)
    ]
    assert chosen == sorted(chosen)
    assert chosen[0] < chosen[1] < chosen[3] <= inference.most_lags(1000) == 21


@pytest.mark.parametrize(("carry", "most"), [(0.0, 0.075), (0.2, 0.085), (0.5, 0.10)])
def test_rejections_of_a_true_mean_of_zero_stay_near_the_nominal_share(carry, most):
    # 4,000 series at 5 %: the standard error of the share is 0.0034
    estimate = inference.estimate_mean(autoregressive(3, 4000, 500, carry))
    robust = float((estimate.p_value() < 0.05).mean())
    assert 0.04 < robust < most
    if carry == 0.5:
        naive = inference.estimate_mean(autoregressive(3, 4000, 500, carry), 0)
        assert float((naive.p_value() < 0.05).mean()) > 0.15


def test_interval_covers_the_true_mean_as_often_as_it_says():
    low, high = inference.confidence_interval(autoregressive(4, 4000, 500, 0.2) + 1.0, 0.9)
    covered = float(((low < 1.0) & (high > 1.0)).mean())
    assert 0.86 < covered < 0.92


def test_series_that_do_not_vary_say_nothing():
    values = np.array([[0.0] * 30, [0.1] * 30])
    assert inference.t_statistic(values).tolist() == [0.0, 0.0]
    assert inference.estimate_mean(values).p_value().tolist() == [0.5, 0.5]


def test_one_trading_day_among_flat_ones_has_a_t_of_one():
    values = np.zeros(400)
    values[17] = 5.0
    assert inference.t_statistic(values) == pytest.approx(1.0, abs=1e-2)


def test_many_series_at_once_equal_each_alone():
    values = autoregressive(5, 6, 300, 0.4).reshape(2, 3, 300)
    together = inference.t_statistic(values)
    assert together.shape == (2, 3)
    for place in np.ndindex(2, 3):
        assert together[place] == pytest.approx(float(inference.t_statistic(values[place])))


@pytest.mark.parametrize(
    ("values", "lags", "expected"),
    [
        ([1.0, 2.0], None, "had 2 days; expected at least 3"),
        ([1.0, math.nan, 2.0], None, "day 1 was not finite"),
        ([1.0, 2.0, 4.0, 3.0], 3, "lags were 3; expected 0 to 2"),
    ],
)
def test_unusable_series_are_refused_with_the_reason(values, lags, expected):
    with pytest.raises(ConfigError, match=expected):
        inference.estimate_mean(values, lags)


@pytest.mark.parametrize(("sharpe", "years"), [(1.0, 6.18), (2.0, 1.546)])
def test_years_to_know_from_the_start_are_those_of_the_power_formula(sharpe, years):
    # After one day nothing is known yet: ((1.645 + 0.842) / Sharpe) ^ 2 years
    more = inference.days_to_know(sharpe / math.sqrt(365), 1)
    assert more / 365 == pytest.approx(years, rel=0.04)


def test_days_to_know_reach_the_stated_power():
    generator = np.random.default_rng(6)
    t, days = 0.9, 200
    more = round(inference.days_to_know(t, days))
    rate = t / math.sqrt(days)
    future = rate * more + math.sqrt(more) * generator.standard_normal(200_000)
    known = (rate * days + future) / math.sqrt(days + more) > inference.ONE_SIDED_5_PERCENT
    assert float(known.mean()) == pytest.approx(0.8, abs=0.01)


def test_days_to_know_at_the_ends():
    assert inference.days_to_know(1.7, 100) == 0.0
    assert inference.days_to_know(-1.7, 100) == 0.0
    assert inference.days_to_know(0.0, 100) == math.inf
    assert inference.days_to_know(-1.0, 100) == inference.days_to_know(1.0, 100)
    assert inference.days_to_know(1.7, 100, critical=2.8) > inference.days_to_know(1.7, 100)


def test_months_follow_the_calendar():
    values = np.random.default_rng(7).standard_normal(365) + 0.02
    crypto, stocks = (inference.months_to_know(values, year) for year in (365, 252))
    assert stocks / crypto == pytest.approx(365 / 252)
    with pytest.raises(ConfigError, match="power was 1"):
        inference.months_to_know(values, 365, power=1.0)

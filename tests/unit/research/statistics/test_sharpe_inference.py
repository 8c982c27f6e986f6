import math

import numpy as np
import pytest
from scipy import stats

from fakes.series import autoregressive, heavy_tailed, losing_seldom, trading_seldom
from tidewright.domain.errors import ConfigError
from tidewright.research.statistics import sharpe_inference as sharpe
from tidewright.research.statistics.sharpe_inference import SharpeMoments


def moments(ratio: float, days: int, skewness: float = 0.0, kurtosis: float = 3.0) -> SharpeMoments:
    return SharpeMoments(days, np.array(ratio), np.array(skewness), np.array(kurtosis))


def test_moments_equal_those_of_scipy():
    values = np.random.default_rng(0).standard_t(5, (3, 400)) + 0.1
    found = sharpe.sharpe_moments(values)
    assert found.sharpe == pytest.approx(values.mean(axis=1) / values.std(axis=1, ddof=1))
    assert found.skewness == pytest.approx(stats.skew(values, axis=1), rel=1e-10)
    assert found.kurtosis == pytest.approx(stats.kurtosis(values, axis=1, fisher=False), rel=1e-10)


def test_probabilistic_sharpe_of_the_published_example():
    # Bailey and Lopez de Prado 2012: two years of months, annual ratio 1.59
    monthly = 1.59 / math.sqrt(12)
    assert float(sharpe.probabilistic_sharpe(moments(monthly, 24))) == pytest.approx(
        0.982, abs=1e-3
    )
    heavy = moments(monthly, 24, -2.448, 10.164)
    assert float(sharpe.probabilistic_sharpe(heavy)) == pytest.approx(0.913, abs=1e-3)


@pytest.mark.parametrize(("per_year", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_shortest_track_record_of_the_published_table(per_year, years):
    # Bailey and Lopez de Prado 2012: annual ratio 2 against 1 at 95 %, normal returns
    found = sharpe.shortest_track_record(
        moments(2.0 / math.sqrt(per_year), 100), 1.0 / math.sqrt(per_year)
    )
    assert float(found) / per_year == pytest.approx(years, abs=0.006)


def test_shortest_track_record_is_where_the_probability_reaches_the_level():
    heavy = moments(0.1, 500, -1.0, 8.0)
    days = float(sharpe.shortest_track_record(heavy, 0.02, 0.9))
    reached = moments(0.1, round(days), -1.0, 8.0)
    assert float(sharpe.probabilistic_sharpe(reached, 0.02)) == pytest.approx(0.9, abs=1e-3)
    assert sharpe.shortest_track_record(moments(0.02, 500), 0.02) == math.inf


@pytest.mark.parametrize(("trials", "published"), [(100, 0.9004), (46, 0.9505)])
def test_deflated_sharpe_of_the_published_example(trials, published):
    # Bailey and Lopez de Prado 2014: annual ratio 2.5 over 1,250 days, variance of trials 1/2
    best = moments(2.5 / math.sqrt(250), 1250, -3.0, 10.0)
    threshold = math.sqrt(0.5 / 250) * sharpe.expected_maximum(trials)
    assert float(sharpe.probabilistic_sharpe(best, threshold)) == pytest.approx(published, abs=2e-4)


@pytest.mark.parametrize("trials", [3, 10, 100, 1000])
def test_expected_maximum_is_within_four_percent_of_simulation(trials):
    generator = np.random.default_rng(trials)
    highest = np.concatenate(
        [generator.standard_normal((1_000, trials)).max(axis=1) for _ in range(5)]
    )
    assert sharpe.expected_maximum(trials) == pytest.approx(float(highest.mean()), rel=0.04)


def test_expected_maximum_grows_from_zero_at_one_trial():
    found = [sharpe.expected_maximum(trials) for trials in (1.0, 1.3, 1.9, 2.0, 2.1, 5.0, 21.0)]
    assert found[0] == 0.0
    assert found == sorted(found)
    with pytest.raises(ConfigError, match="trials were 0.5"):
        sharpe.expected_maximum(0.5)


def test_best_of_many_is_as_likely_as_in_simulation():
    highest = np.random.default_rng(1).standard_normal((20_000, 50)).max(axis=1)
    for score in (1.5, 2.5, 3.0):
        assert sharpe.best_of_p_value(score, 50) == pytest.approx(
            float((highest >= score).mean()), abs=0.012
        )
    assert sharpe.best_of_p_value(1.0, 1) == pytest.approx(stats.norm.sf(1.0), rel=1e-12)
    assert sharpe.best_of_p_value(20.0, 1000) < 1e-60


def test_trials_that_are_all_alike_do_not_make_the_search_free():
    generator = np.random.default_rng(2)
    common = generator.standard_normal(1000) + 0.08
    alike = common + 1e-6 * generator.standard_normal((1000, 1000))
    ratios = sharpe.sharpe_moments(alike).sharpe
    found = sharpe.deflated_sharpe(alike[0], 20.0, float(ratios.var()))
    assert found.floored
    assert found.variance == pytest.approx(1 / 999)
    assert found.threshold == pytest.approx(sharpe.expected_maximum(20.0) / math.sqrt(999))
    assert (
        found.probability < 0.9 < float(sharpe.probabilistic_sharpe(sharpe.sharpe_moments(common)))
    )


def test_deflated_sharpe_and_its_p_value_rise_and_fall_with_the_trials():
    values = np.random.default_rng(3).standard_normal(1000) + 0.1
    found = [sharpe.deflated_sharpe(values, trials) for trials in (1, 10, 100)]
    assert [each.probability for each in found] == sorted(
        (each.probability for each in found), reverse=True
    )
    assert [each.p_value for each in found] == sorted(each.p_value for each in found)
    assert found[0].probability == pytest.approx(1.0 - found[0].p_value, abs=0.01)
    spread = sharpe.deflated_sharpe(values, 10, 0.01)
    assert not spread.floored
    assert spread.threshold > found[1].threshold


def test_standard_error_of_normal_days_is_that_of_lo():
    values = np.random.default_rng(4).standard_normal((2_000, 500)) + 0.5
    ratios = sharpe.sharpe_moments(values).sharpe
    errors = sharpe.sharpe_standard_error(values, 0)
    closed = math.sqrt(float(sharpe.sharpe_variance(0.5)) / 500)
    assert closed == pytest.approx(math.sqrt((1 + 0.5**2 / 2) / 500))
    assert float(errors.mean()) == pytest.approx(closed, rel=0.01)
    assert float(ratios.std()) == pytest.approx(closed, rel=0.05)


def test_standard_error_of_dependent_days_is_what_ratios_really_scatter():
    values = autoregressive(5, 1_500, 1_000, 0.4) + 0.05
    scatter = float(sharpe.sharpe_moments(values).sharpe.std())
    assert float(sharpe.sharpe_standard_error(values).mean()) == pytest.approx(scatter, rel=0.08)
    assert float(sharpe.sharpe_standard_error(values, 0).mean()) < 0.75 * scatter


def test_standard_error_of_skewed_days_is_that_of_the_moments():
    # Lognormal days: the general formula and the four moments must agree
    values = np.exp(0.5 * np.random.default_rng(6).standard_normal((200, 4_000))) - 1.0
    found = sharpe.sharpe_moments(values)
    closed = np.sqrt(
        sharpe.sharpe_variance(found.sharpe, found.skewness, found.kurtosis) / found.n_days
    )
    assert sharpe.sharpe_standard_error(values, 0) == pytest.approx(closed, rel=2e-3)


def test_flat_series_have_no_ratio_and_no_error():
    flat = np.zeros((2, 50))
    assert sharpe.sharpe_moments(flat).sharpe.tolist() == [0.0, 0.0]
    assert sharpe.sharpe_standard_error(flat).tolist() == [0.0, 0.0]


def test_annual_and_daily_ratios_convert_into_each_other():
    assert float(sharpe.annual(0.1, 365)) == pytest.approx(0.1 * math.sqrt(365))
    assert float(sharpe.daily(sharpe.annual(0.07, 252), 252)) == pytest.approx(0.07)


WORLDS = {
    "dependent": lambda seed: autoregressive(seed, 100, 1_000, 0.2),
    "heavy_tailed": lambda seed: heavy_tailed(seed, 100, 1_000),
    "losing_seldom": lambda seed: losing_seldom(seed, 100, 1_000),
    "trading_seldom": lambda seed: trading_seldom(seed, 100, 1_000),
}


@pytest.mark.parametrize("kind", WORLDS)
def test_best_of_a_hundred_without_skill_is_rarely_found_whatever_the_days_look_like(kind):
    found = 0
    for seed in range(60):
        profits = WORLDS[kind](seed)
        best = int(sharpe.sharpe_moments(profits).sharpe.argmax())
        found += sharpe.deflated_sharpe(profits[best], 100.0).p_value <= 0.05
    # 60 worlds at 5 %: 9 or more has probability 0.5 %
    assert found <= 8

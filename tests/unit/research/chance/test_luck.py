import numpy as np
import pytest

from tidewright.domain.errors import ConfigError
from tidewright.research.chance.luck import luck_of_candidate
from tidewright.research.judging.evidence import PSource
from tidewright.research.statistics.inference import estimate_mean

DAYS = 1_000


def candidate(mean: float = 0.1) -> np.ndarray:
    values = np.random.default_rng(0).standard_normal(DAYS)
    return (values - values.mean()) / values.std() + mean


def draws() -> np.random.Generator:
    return np.random.default_rng(1)


def test_one_try_has_the_p_value_of_its_mean():
    found = luck_of_candidate(candidate(0.05), 1, draws(), paths=2_000)
    assert (found.source, found.tries, found.trials) == (PSource.MAX_STATISTIC, 1, 1.0)
    classical = float(estimate_mean(candidate(0.05), 0).p_value())
    assert found.p_value == pytest.approx(classical, abs=0.025)


def test_known_others_are_compared_day_by_day():
    others = np.random.default_rng(2).standard_normal((99, DAYS)) - 0.1
    found = luck_of_candidate(candidate(), 100, draws(), tried=others)
    assert found.source is PSource.MAX_STATISTIC
    assert found.trials == pytest.approx(100, rel=0.2)
    assert 0.01 < found.p_value < 0.15


def test_others_that_are_copies_cost_nothing():
    copies = np.repeat(candidate()[None, :] - 0.01, 99, axis=0)
    alone = luck_of_candidate(candidate(), 1, draws())
    found = luck_of_candidate(candidate(), 100, draws(), tried=copies)
    assert found.trials == pytest.approx(1.0, abs=0.1)
    assert found.p_value <= alone.p_value + 0.01
    assert found.deflated.floored


def test_tries_of_which_only_the_number_is_known_count_in_full():
    found = luck_of_candidate(candidate(), 100, draws())
    assert (found.source, found.trials) == (PSource.DEFLATED_SHARPE, 100.0)
    assert found.p_value == found.deflated.p_value
    copies = np.repeat(candidate()[None, :] - 0.01, 49, axis=0)
    half = luck_of_candidate(candidate(), 100, draws(), tried=copies)
    assert half.source is PSource.DEFLATED_SHARPE
    assert half.trials == pytest.approx(51.0, abs=0.2)
    assert half.p_value < found.p_value


def test_independent_tries_that_were_written_down_count_instead_of_all():
    full = luck_of_candidate(candidate(), 100, draws())
    found = luck_of_candidate(candidate(), 100, draws(), independent=12.5)
    assert (found.source, found.tries, found.trials) == (PSource.DEFLATED_SHARPE, 100, 12.5)
    assert found.p_value < full.p_value
    most = luck_of_candidate(candidate(), 100, draws(), independent=400.0)
    assert (most.trials, most.p_value) == (full.trials, full.p_value)


def test_more_known_others_than_declared_tries_raise_the_tries():
    others = np.random.default_rng(3).standard_normal((9, DAYS))
    assert luck_of_candidate(candidate(), 2, draws(), tried=others).tries == 10


def test_unusable_arguments_are_refused():
    with pytest.raises(ConfigError, match="tries were 0"):
        luck_of_candidate(candidate(), 0, draws())
    with pytest.raises(ConfigError, match="others had 500 days and the candidate 1000"):
        luck_of_candidate(candidate(), 2, draws(), tried=np.ones((1, 500)))

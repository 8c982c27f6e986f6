import numpy as np
import pytest

from fakes.series import autoregressive
from tidewright.domain.errors import ConfigError
from tidewright.research.statistics import bootstrap
from tidewright.research.statistics.bootstrap import Blocks
from tidewright.research.statistics.inference import estimate_mean


@pytest.mark.parametrize("blocks", Blocks)
def test_blocks_have_the_stated_mean_length_and_every_day_is_drawn_equally_often(blocks):
    drawn = bootstrap.resampled_days(500, 10.0, 400, np.random.default_rng(0), blocks)
    follows = np.diff(drawn, axis=1) % 500 == 1
    assert float((~follows).mean()) == pytest.approx(1 / 10, abs=0.005)
    counts = np.bincount(drawn.reshape(-1), minlength=500)
    # 400 draws of each day in clusters: variance about 400 x (2 x 10 - 1)
    assert np.abs(counts - 400).max() < 4.5 * np.sqrt(400 * 19)


def test_counts_are_those_of_the_drawn_days():
    drawn = bootstrap.resampled_days(40, 4.0, 7, np.random.default_rng(1))
    counts = bootstrap.day_counts(40, 4.0, 7, np.random.default_rng(1))
    for path in range(7):
        assert counts[path].tolist() == np.bincount(drawn[path], minlength=40).tolist()


@pytest.mark.parametrize(("blocks", "factor"), [(Blocks.STATIONARY, 2.0), (Blocks.CIRCULAR, 4 / 3)])
@pytest.mark.parametrize("carry", [0.3, 0.6])
def test_block_length_of_an_autoregression_is_near_its_closed_form(carry, blocks, factor):
    # AR(1): sum |k| R(k) / sum R(k) = 2 p / (1 - p^2), so b = (2 (2p/(1-p^2))^2 n / factor)^(1/3)
    days = 5_000
    ideal = (2.0 * (2.0 * carry / (1.0 - carry**2)) ** 2 / factor * days) ** (1 / 3)
    found = bootstrap.block_length(autoregressive(2, 60, days, carry), blocks)
    assert float(np.median(found)) == pytest.approx(ideal, rel=0.12)


def test_blocks_of_one_length_are_longer_by_their_better_factor():
    values = autoregressive(2, 5, 2_000, 0.4)
    random, equal = (bootstrap.block_length(values, blocks) for blocks in Blocks)
    assert equal == pytest.approx(random * 1.5 ** (1 / 3))


def test_block_length_of_noise_is_short_and_of_nothing_is_one():
    noise = np.random.default_rng(3).standard_normal((50, 1000))
    assert float(np.median(bootstrap.block_length(noise))) < 6.0
    assert bootstrap.block_length(np.zeros(100)) == 1.0


@pytest.mark.parametrize("blocks", Blocks)
def test_spread_of_means_agrees_with_the_robust_standard_error(blocks):
    values = autoregressive(4, 30, 2_000, 0.4)
    spread = bootstrap.bootstrap_means(
        values, np.random.default_rng(5), paths=1_000, blocks=blocks
    ).std(axis=1)
    robust = estimate_mean(values).standard_error
    assert float(np.median(spread / robust)) == pytest.approx(1.0, abs=0.07)
    single = bootstrap.bootstrap_means(values, np.random.default_rng(5), paths=1_000, block=1.0)
    assert float(np.median(single.std(axis=1) / robust)) < 0.8


def test_interval_covers_the_true_mean_as_often_as_it_says():
    values = autoregressive(6, 2_000, 300, 0.2)
    low, high = bootstrap.bootstrap_interval(values, np.random.default_rng(7), paths=400)
    assert 0.84 < float(((low < 0.0) & (high > 0.0)).mean()) < 0.92


def test_the_same_seed_draws_the_same_paths():
    values = autoregressive(8, 2, 100, 0.0)
    first, second = (
        bootstrap.bootstrap_means(values, np.random.default_rng(9), paths=20) for _ in range(2)
    )
    assert np.array_equal(first, second)


def test_impossible_paths_are_refused():
    with pytest.raises(ConfigError, match="expected at least 1 each"):
        bootstrap.resampled_days(10, 0.5, 1, np.random.default_rng(0))

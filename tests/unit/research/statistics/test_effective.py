import numpy as np
import pytest

from fakes.series import averages_on_noise
from tidewright.domain.errors import ConfigError
from tidewright.research.statistics import effective


@pytest.mark.parametrize("trials", [2, 30, 300])
def test_independent_trials_count_as_many(trials):
    profits = np.random.default_rng(0).standard_normal((trials, 2_000))
    found = effective.effective_trials(profits, np.random.default_rng(1))
    assert found == pytest.approx(trials, rel=0.2)
    assert found <= trials


def test_copies_with_their_own_scale_are_one_trial():
    one = np.random.default_rng(2).standard_normal(500)
    profits = np.outer(np.linspace(0.1, 9.0, 40), one)
    found = effective.effective_trials(profits, np.random.default_rng(3))
    assert found == pytest.approx(1.0, abs=0.1)


def test_ten_groups_of_copies_are_ten_trials():
    groups = np.random.default_rng(4).standard_normal((10, 2_000))
    profits = np.repeat(groups, 50, axis=0)
    found = effective.effective_trials(profits, np.random.default_rng(5))
    assert found == pytest.approx(10.0, rel=0.15)


def test_a_thousand_pairs_of_averages_on_noise_act_like_a_few_dozen_trials():
    found = [
        effective.effective_trials(profits, np.random.default_rng(0), draws=1_000)
        for profits in map(averages_on_noise, range(3))
    ]
    assert 12 < np.mean(found) < 60


def test_configurations_that_never_trade_are_no_trials():
    profits = np.zeros((20, 300))
    assert effective.effective_trials(profits, np.random.default_rng(0)) == 1.0
    profits[:2] = np.random.default_rng(6).standard_normal((2, 300))
    assert effective.effective_trials(profits, np.random.default_rng(0)) <= 2.0
    with pytest.raises(ConfigError, match="draws were 10"):
        effective.effective_trials(profits, np.random.default_rng(0), draws=10)


def test_participation_ratio_of_equal_correlations_is_the_closed_form():
    for count, shared in ((3, 0.82), (5, 0.0), (4, 1.0)):
        matrix = np.full((count, count), shared)
        np.fill_diagonal(matrix, 1.0)
        closed = count / (1.0 + (count - 1) * shared**2)
        assert effective.participation_ratio(matrix) == pytest.approx(closed)
        eigenvalues = np.linalg.eigvalsh(matrix)
        direct = eigenvalues.sum() ** 2 / np.square(eigenvalues).sum()
        assert effective.participation_ratio(matrix) == pytest.approx(direct)


def test_three_coins_that_move_together_are_little_more_than_one_market():
    matrix = np.array([[1.0, 0.88, 0.80], [0.88, 1.0, 0.76], [0.80, 0.76, 1.0]])
    assert effective.participation_ratio(matrix) == pytest.approx(1.3, abs=0.05)


@pytest.mark.parametrize("wrong", [[[1.0, 0.2]], [[1.0, 0.2], [0.3, 1.0]], [[2.0]], []])
def test_what_is_no_correlation_matrix_is_refused(wrong):
    with pytest.raises(ConfigError, match="expected a symmetric square matrix"):
        effective.participation_ratio(np.array(wrong))


def test_markets_follow_the_returns():
    generator = np.random.default_rng(7)
    common = generator.standard_normal(4_000)
    returns = 0.9 * common + np.sqrt(1 - 0.81) * generator.standard_normal((3, 4_000))
    closed = 3.0 / (1.0 + 2.0 * 0.81**2)
    assert effective.effective_markets(returns) == pytest.approx(closed, rel=0.02)
    assert effective.effective_markets(np.vstack((returns, np.zeros(4_000)))) == pytest.approx(
        effective.effective_markets(returns)
    )


def test_trades_of_one_day_that_move_together_count_once():
    generator = np.random.default_rng(8)
    days = np.repeat(np.arange(200), 10)
    together = effective.effective_trades(days, np.repeat(generator.standard_normal(200), 10))
    assert (together.trades, together.days) == (2_000, 200)
    assert together.effective == pytest.approx(200.0)
    apart = effective.effective_trades(days, generator.standard_normal(2_000))
    assert apart.effective == pytest.approx(2_000.0, rel=0.15)


def test_few_trades_are_what_they_are():
    assert effective.effective_trades([], []).effective == 0.0
    assert effective.effective_trades([3, 3, 3], [1.0, 2.0, 3.0]).effective == 1.0
    assert effective.effective_trades([1, 2], [1.0, 1.0]).effective == 2.0
    with pytest.raises(ConfigError, match="2 days and 1 profits"):
        effective.effective_trades([1, 2], [1.0])


@pytest.mark.realdata
def test_bitcoin_ether_and_solana_are_one_market_and_a_third(realdata):
    import polars as pl

    hours = pl.read_parquet(realdata / "crypto/binance_spot_3sym_1h_2022-01_2023-06.parquet")
    daily = (
        hours.sort("timestamp")
        .group_by_dynamic("timestamp", every="1d", group_by="symbol")
        .agg(pl.col("close").last())
        .pivot("symbol", index="timestamp", values="close")
        .sort("timestamp")
        .drop("timestamp")
        .to_numpy()
    )
    returns = (daily[1:] / daily[:-1] - 1.0).T
    correlations = np.corrcoef(returns)[np.triu_indices(3, 1)]
    assert 0.75 < correlations.min() < correlations.max() < 0.89
    assert effective.effective_markets(returns) == pytest.approx(1.3, abs=0.05)

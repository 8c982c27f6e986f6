import numpy as np
import pytest
from scipy import stats

from fakes.series import autoregressive, heavy_tailed, losing_seldom, trading_seldom
from tidewright.domain.errors import ConfigError
from tidewright.research.statistics.selection import max_statistic_test, superior_ability_test


def test_one_candidate_has_the_p_value_of_its_t_statistic():
    values = np.random.default_rng(0).standard_normal((1, 1_000)) + 0.05
    found = max_statistic_test(values, np.random.default_rng(1), paths=4_000, block=1.0)
    classical = stats.ttest_1samp(values[0], 0.0, alternative="greater")
    assert found.t[0] == pytest.approx(classical.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(classical.pvalue, abs=0.015)


def test_best_of_independent_candidates_has_the_p_value_of_so_many_draws():
    values = np.random.default_rng(2).standard_normal((50, 1_000))
    found = max_statistic_test(values, np.random.default_rng(3), block=1.0)
    exact = 1.0 - stats.norm.cdf(found.t.max()) ** 50
    assert found.p_value == pytest.approx(exact, abs=0.05)
    assert float(np.quantile(found.null, 0.95)) == pytest.approx(
        stats.norm.ppf(0.95 ** (1 / 50)), abs=0.12
    )


def test_copies_of_one_candidate_cost_nothing():
    one = np.random.default_rng(4).standard_normal((1, 800)) + 0.06
    alone = max_statistic_test(one, np.random.default_rng(5), block=1.0)
    many = max_statistic_test(np.repeat(one, 300, axis=0), np.random.default_rng(5), block=1.0)
    assert many.p_value == alone.p_value
    apart = np.vstack((one, np.random.default_rng(6).standard_normal((299, 800)) - 0.2))
    assert max_statistic_test(apart, np.random.default_rng(5)).p_value > 5 * alone.p_value


def test_steps_find_more_than_the_first_comparison():
    values = np.random.default_rng(7).standard_normal((40, 1_000))
    values[:5] += 0.11
    found = max_statistic_test(values, np.random.default_rng(8))
    order = np.argsort(-found.t)
    assert (np.diff(found.adjusted[order]) >= 0).all()
    single = np.array([(1 + (found.null >= t).sum()) / 1_001 for t in found.t])
    assert found.p_value == found.adjusted[found.best] == single[found.best]
    assert (found.adjusted <= single + 1e-12).all()
    assert (found.adjusted[order][1:5] < single[order][1:5]).any()


def test_candidates_that_never_trade_change_nothing():
    values = np.random.default_rng(9).standard_normal((10, 400)) - 0.02
    rest = np.vstack((np.zeros((5, 400)), values))
    some = max_statistic_test(values, np.random.default_rng(10), block=2.0)
    with_flat = max_statistic_test(rest, np.random.default_rng(10), block=2.0)
    assert with_flat.p_value == some.p_value
    assert with_flat.best == some.best + 5
    assert with_flat.adjusted[:5].tolist() == [1.0] * 5
    nothing = max_statistic_test(np.zeros((3, 100)), np.random.default_rng(0))
    assert (nothing.best, nothing.p_value) == (0, 1.0)
    assert superior_ability_test(np.zeros((3, 100)), np.random.default_rng(0)).p_value == 1.0


NULLS = {
    "dependent": lambda seed: autoregressive(seed, 40, 500, 0.2),
    "heavy_tailed": lambda seed: heavy_tailed(seed, 40, 500),
    "losing_seldom": lambda seed: losing_seldom(seed, 40, 500),
    "trading_seldom": lambda seed: trading_seldom(seed, 40, 500),
}


@pytest.mark.parametrize("kind", NULLS)
def test_no_skill_is_rarely_found_whatever_the_days_look_like(kind):
    # 40 worlds at 5 %: 7 or more has probability 0.3 % if the test keeps its level
    found = sum(
        max_statistic_test(profits, np.random.default_rng(seed), paths=199).p_value <= 0.05
        for seed, profits in enumerate(map(NULLS[kind], range(40)))
    )
    assert found <= 6


def test_histories_of_rare_large_losses_have_the_best_that_such_worlds_have():
    # A deviation that each history does not measure anew would give a 95 % point of 2.9
    scores = []
    for seed in range(100, 700):
        world = losing_seldom(seed, 40, 500)
        scores.append((world.mean(axis=1) / world.std(axis=1, ddof=1)).max() * np.sqrt(500))
    found = [
        np.quantile(max_statistic_test(world, np.random.default_rng(0)).null, 0.95)
        for world in (losing_seldom(seed, 40, 500) for seed in range(3))
    ]
    assert float(np.mean(found)) == pytest.approx(float(np.quantile(scores, 0.95)), abs=0.25)


def test_candidates_a_little_below_zero_count_in_the_consistent_test():
    values = np.random.default_rng(17).standard_normal((200, 1_000))
    values += (-0.02 - values.mean(axis=1))[:, None]
    values[0] += 0.11
    found = superior_ability_test(values, np.random.default_rng(18))
    # None of them is far enough below zero to be left out
    assert found.lower < found.p_value == found.upper


def test_poor_candidates_are_not_held_against_the_good_by_the_consistent_test():
    values = np.random.default_rng(11).standard_normal((200, 1_000))
    values[1:] -= 0.3
    values[0] += 0.075
    found = superior_ability_test(values, np.random.default_rng(12))
    assert found.best == 0
    assert found.lower <= found.p_value <= found.upper
    assert found.p_value < 0.05 < found.upper
    assert found.reality_check > 0.05


def test_statistic_of_the_best_is_its_mean_over_the_resampled_error():
    values = autoregressive(13, 3, 2_000, 0.3)
    found = superior_ability_test(values, np.random.default_rng(14), block=10.0)
    from tidewright.research.statistics.bootstrap import bootstrap_means

    spread = bootstrap_means(values, np.random.default_rng(15), paths=4_000, block=10.0).std(axis=1)
    direct = float((values.mean(axis=1) / spread).max())
    assert found.statistic == pytest.approx(max(0.0, direct), rel=0.04)


def test_consistent_test_keeps_its_level_without_skill():
    found = sum(
        superior_ability_test(
            np.random.default_rng(seed).standard_normal((40, 500)),
            np.random.default_rng(seed + 1_000),
            paths=199,
        ).p_value
        <= 0.05
        for seed in range(60)
    )
    # 60 worlds at 5 %: 9 or more has probability 0.5 %
    assert found <= 8


def test_the_same_seed_gives_the_same_answer_and_too_few_paths_are_refused():
    values = np.random.default_rng(16).standard_normal((4, 60))
    first, second = (max_statistic_test(values, np.random.default_rng(0)) for _ in range(2))
    assert first.p_value == second.p_value
    with pytest.raises(ConfigError, match="paths were 10; expected at least 99"):
        max_statistic_test(values, np.random.default_rng(0), paths=10)

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from tidewright.domain.errors import ConfigError
from tidewright.research.statistics import overfitting
from tidewright.research.statistics.overfitting import (
    ONE_RULE,
    SelectionOverfitting,
    SelectionPaths,
    overfitting_probability,
    selection_paths,
)


def by_hand(profits: np.ndarray, blocks: int) -> list[float]:
    """Logits by plain loops over the splits."""
    parts = np.array_split(np.arange(profits.shape[1]), blocks)
    logits = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[part] for part in chosen])
        outside = np.setdiff1d(np.arange(profits.shape[1]), inside)

        def ratios(days: np.ndarray) -> np.ndarray:
            return profits[:, days].mean(axis=1) / profits[:, days].std(axis=1)

        best = int(np.argmax(ratios(inside)))
        rank = stats.rankdata(ratios(outside))[best] / (len(profits) + 1)
        logits.append(math.log(rank / (1 - rank)))
    return logits


def test_splits_equal_those_of_plain_loops():
    profits = np.random.default_rng(0).standard_normal((7, 120)) + 0.1
    found = overfitting_probability(profits, blocks=6)
    assert isinstance(found, SelectionOverfitting)
    wanted = np.array(by_hand(profits, 6))
    assert found.logits == pytest.approx(wanted)
    near = np.isclose(wanted, 0.0)
    assert found.probability == pytest.approx((wanted[~near] < 0).sum() / 20 + near.sum() / 40)


def test_choosing_among_noise_is_choosing_blindly():
    found = [
        overfitting_probability(np.random.default_rng(seed).standard_normal((50, 1_000)), blocks=10)
        for seed in range(40)
    ]
    # One study scatters by 0.18, so the mean of 40 by 0.03
    assert np.mean([each.probability for each in found]) == pytest.approx(0.5, abs=0.09)


def test_choosing_what_is_truly_better_is_not_overfitting():
    profits = np.random.default_rng(1).standard_normal((50, 1_000))
    profits[7] += 0.3
    found = overfitting_probability(profits)
    assert isinstance(found, SelectionOverfitting)
    assert found.probability < 0.02
    assert found.loss_probability < 0.02
    assert len(found.logits) == math.comb(16, 8)


def test_choosing_what_only_fits_a_stretch_is_overfitting():
    # Each configuration gains in one stretch and loses the same in the others
    profits = np.random.default_rng(2).standard_normal((16, 1_600)) * 0.1
    for number in range(16):
        profits[number] -= 1.0 / 15
        profits[number, number * 100 : (number + 1) * 100] += 1.0 + 1.0 / 15
    found = overfitting_probability(profits)
    assert isinstance(found, SelectionOverfitting)
    assert found.probability > 0.8
    assert found.slope < 0.0


def test_configurations_that_are_all_alike_are_exactly_at_the_median():
    one = np.random.default_rng(3).standard_normal(200)
    found = overfitting_probability(np.tile(one, (5, 1)), blocks=4)
    assert isinstance(found, SelectionOverfitting)
    assert found.probability == 0.5


def test_one_rule_is_not_applicable_and_has_parts_instead():
    profits = np.random.default_rng(4).standard_normal((1, 400)) + 0.05
    assert overfitting_probability(profits) is ONE_RULE
    assert selection_paths(np.vstack((profits, np.zeros(400)))) is ONE_RULE
    parts = overfitting.sub_periods(profits[0], 4)
    assert parts.profit == pytest.approx(profits.reshape(4, 100).sum(axis=1))
    assert parts.edges.tolist() == [0, 100, 200, 300, 400]
    assert parts.positive == int((parts.profit > 0).sum())


@pytest.mark.parametrize("blocks", [3, 0, 22])
def test_uneven_or_too_many_blocks_are_refused(blocks):
    with pytest.raises(ConfigError, match=f"blocks were {blocks}"):
        overfitting_probability(np.ones((2, 100)), blocks=blocks)


def test_paths_hold_each_day_as_traded_by_a_choice_that_did_not_see_it():
    days = 600
    profits = np.random.default_rng(5).standard_normal((8, days)) * 0.01
    # Configuration g is best wherever stretch g may be seen
    for group in range(6):
        profits[group, group * 100 : (group + 1) * 100] += 5.0
    found = selection_paths(profits)
    assert isinstance(found, SelectionPaths)
    assert found.profits.shape == (5, days)
    assert len(found.chosen) == 15
    for fold, (one, other) in enumerate(combinations(range(6), 2)):
        assert found.chosen[fold] not in (one, other)
    assert float(found.profits.max()) < 1.0


def test_paths_of_noise_are_worse_than_the_best_of_the_past():
    profits = np.random.default_rng(6).standard_normal((40, 900))
    found = selection_paths(profits, holding=3, embargo=5)
    assert isinstance(found, SelectionPaths)
    best = float((profits.mean(axis=1) / profits.std(axis=1)).max())
    assert float(found.sharpe.max()) < best
    with pytest.raises(ConfigError, match="expected at least 3"):
        selection_paths(profits[:, :12], embargo=40)

"""Folds that leak, and folds that do not, seen by a model that learns from noise."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from tidewright.research.statistics.folds import purged_folds

ROWS, WARM_UP, HORIZON, BARRIER = 4_000, 60, 20, 0.03
WALKS = 12


def walk(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Six price features of a random walk, which barrier is met first, and what labels span."""
    returns = 0.01 * np.random.default_rng(seed).standard_normal(ROWS + WARM_UP + HORIZON)
    prices = np.concatenate(([0.0], np.cumsum(returns)))
    rows = np.arange(WARM_UP, WARM_UP + ROWS)
    features = [prices[rows] - prices[rows - back] for back in (5, 10, 20, 60)]
    for back in (10, 40):
        features.append(sliding_window_view(returns, back)[rows - back].std(axis=1))
    ahead = sliding_window_view(prices, HORIZON + 1)[rows] - prices[rows][:, None]
    met = np.abs(ahead) >= BARRIER
    bars = np.where(met.any(axis=1), met.argmax(axis=1), HORIZON)
    label = ahead[np.arange(ROWS), bars] > 0
    return np.column_stack(features), label, np.arange(ROWS), np.arange(ROWS) + bars


def skill(features: np.ndarray, label: np.ndarray, folds: list) -> float:
    """Mean area under the curve over the folds."""
    found = []
    for train, test in folds:
        model = HistGradientBoostingClassifier(
            max_iter=30, max_leaf_nodes=31, max_bins=63, early_stopping=False, random_state=0
        ).fit(features[train], label[train])
        found.append(roc_auc_score(label[test], model.predict_proba(features[test])[:, 1]))
    return float(np.mean(found))


@pytest.mark.parametrize("seed", [0, 1])
def test_shuffled_folds_find_skill_in_a_random_walk(seed):
    features, label, _, _ = walk(seed)
    shuffled = np.random.default_rng(seed).permutation(ROWS)
    tests = np.array_split(shuffled, 5)
    folds = [(np.setdiff1d(shuffled, test), test) for test in tests]
    assert skill(features, label, folds) > 0.65


def test_purged_and_embargoed_folds_find_none():
    found = []
    for seed in range(WALKS):
        features, label, begins, ends = walk(seed)
        folds = purged_folds(begins, ends, 5, embargo=ROWS // 100)
        found.append(skill(features, label, [(fold.train, fold.test) for fold in folds]))
    # One walk scatters by 0.025, so the mean of 12 by 0.007
    assert np.mean(found) == pytest.approx(0.50, abs=0.03)

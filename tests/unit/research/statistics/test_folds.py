import math

import numpy as np
import pytest

from tidewright.domain.errors import ConfigError
from tidewright.research.statistics import folds


def test_fixed_horizon_folds_drop_exactly_the_rows_that_reach_across_an_edge():
    begins = np.arange(100)
    found = folds.purged_folds(begins, begins + 5, 5, embargo=3)
    middle = found[2]
    assert middle.test.tolist() == list(range(40, 60))
    # 35..39 reach into 40; labels of 59 reach to 64, and 3 more are embargoed
    assert middle.train.tolist() == [*range(35), *range(68, 100)]
    assert found[0].train.tolist() == list(range(28, 100))
    assert found[4].train.tolist() == list(range(75))


def test_without_reach_nothing_is_purged():
    begins = np.arange(30)
    for fold in folds.purged_folds(begins, begins, 3):
        assert sorted([*fold.train, *fold.test]) == begins.tolist()


@pytest.mark.parametrize(("groups", "tested"), [(6, 2), (5, 1), (7, 3)])
def test_paths_are_complete_and_use_each_test_once(groups, tested):
    paths = folds.path_folds(groups, tested)
    assert len(paths) == math.comb(groups, tested) * tested // groups
    begins = np.arange(10 * groups)
    made = folds.combinatorial_folds(begins, begins, groups, tested)
    assert len(made) == math.comb(groups, tested)
    used = {(int(fold), group) for path in paths for group, fold in enumerate(path)}
    assert used == {(fold, group) for fold, each in enumerate(made) for group in each.groups}
    assert len(used) == paths.size


def test_uniqueness_of_six_labels_worked_by_hand():
    # bars:      0  1  2  3  4  5  6  7
    # in use by: 1  2  2  3  2  1  1  1
    begins, ends = [0, 1, 2, 3, 5, 6], [1, 3, 4, 4, 5, 7]
    wanted = [
        (1 + 1 / 2) / 2,
        (1 / 2 + 1 / 2 + 1 / 3) / 3,
        (1 / 2 + 1 / 3 + 1 / 2) / 3,
        (1 / 3 + 1 / 2) / 2,
        1.0,
        1.0,
    ]
    assert folds.uniqueness(begins, ends) == pytest.approx(wanted)
    assert folds.uniqueness([], []).tolist() == []


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        ([0, 1], [1], "2 begins and 1 ends"),
        ([0, 2, 1], [3, 3, 3], "out of order"),
        ([0, 1], [1, 0], "end before they begin"),
        ([0], [1], "groups were 2; expected 2 to 1"),
    ],
)
def test_unusable_labels_are_refused(begins, ends, expected):
    with pytest.raises(ConfigError, match=expected):
        folds.purged_folds(begins, ends, 2)


def test_numbers_out_of_range_are_refused():
    begins = np.arange(10)
    with pytest.raises(ConfigError, match="tested groups and embargo were 1 and -1"):
        folds.purged_folds(begins, begins, 2, embargo=-1)
    with pytest.raises(ConfigError, match="tested groups were 5"):
        folds.path_folds(5, 5)
    with pytest.raises(ConfigError, match="began at bar -1"):
        folds.uniqueness([-1], [2])

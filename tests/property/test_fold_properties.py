import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tidewright.research.statistics import folds

labels = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 25)), min_size=8, max_size=50).map(
    sorted
)


@given(labels, st.integers(3, 6), st.integers(1, 2), st.integers(0, 12))
def test_no_training_label_meets_a_tested_one_or_its_embargo(rows, groups, tested, embargo):
    begins = np.array([begin for begin, _ in rows])
    ends = begins + np.array([reach for _, reach in rows])
    seen = np.zeros(len(rows), dtype=int)
    for fold in folds.combinatorial_folds(begins, ends, groups, tested, embargo=embargo):
        assert not set(fold.train) & set(fold.test)
        overlap = (begins[fold.train][:, None] <= ends[fold.test] + embargo) & (
            ends[fold.train][:, None] >= begins[fold.test]
        )
        assert not overlap.any()
        seen[fold.test] += 1
    assert (seen == seen[0]).all()
    assert seen[0] > 0


@given(labels)
def test_uniqueness_equals_counting_each_bar(rows):
    begins = np.array([begin for begin, _ in rows])
    ends = begins + np.array([reach for _, reach in rows])
    bars = np.arange(ends.max() + 1)
    using = (begins[:, None] <= bars) & (bars <= ends[:, None])
    wanted = [float((1.0 / using.sum(axis=0)[row]).mean()) for row in using]
    assert np.allclose(folds.uniqueness(begins, ends), wanted)

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tidewright.domain.time import DAY
from tidewright.research import metrics

returns = st.lists(st.floats(-0.5, 0.5, allow_nan=False), min_size=2, max_size=60).map(np.array)
equities = st.lists(st.floats(1.0, 1e6), min_size=1, max_size=60).map(np.array)


@given(returns, st.sampled_from([252, 365]))
def test_ratios_change_sign_with_the_returns_and_not_with_their_scale(values, per_year):
    ratio = metrics.sharpe(values, per_year)
    mirrored = metrics.sharpe(-values, per_year)
    if ratio is None or mirrored is None:
        return
    assert np.isclose(ratio, -mirrored)
    scaled = metrics.sharpe(values * 2.0, per_year)
    assert scaled is None or np.isclose(scaled, ratio)


@given(equities)
def test_drawdown_lies_in_range_and_is_zero_at_new_peaks(equity):
    falls = metrics.drawdown(equity, float(equity[0]))
    assert ((falls >= 0.0) & (falls < 1.0)).all()
    assert (falls[equity == np.maximum.accumulate(equity)] == 0.0).all()


@given(equities)
def test_daily_returns_compound_to_the_total_return(equity):
    initial = 100.0
    compounded = float(np.prod(1.0 + metrics.daily_returns(equity, initial)) - 1.0)
    assert np.isclose(compounded, metrics.total_return(initial, float(equity[-1])), rtol=1e-9)


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=40, unique=True).map(sorted),
    st.booleans(),
)
def test_daily_equity_has_one_value_for_each_counted_day(days, every_day):
    ts = np.array(days, dtype=np.int64) * DAY
    daily = metrics.daily_equity(ts, np.arange(len(ts), dtype=np.float64), every_day=every_day)
    assert len(daily) == (days[-1] - days[0] + 1 if every_day else len(days))
    assert daily[-1] == len(ts) - 1


@given(st.lists(st.tuples(st.integers(-5, 30), st.integers(-5, 30)), max_size=20))
def test_exposure_equals_counting_each_moment(pairs):
    intervals = [(low, high) for low, high in pairs if low <= high]
    covered = sum(any(low <= t < high for low, high in intervals) for t in range(0, 20))
    assert np.isclose(metrics.exposure(intervals, 0, 20), covered / 20)

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tidewright.research.statistics import effective, inference, sharpe_inference, tail
from tidewright.research.statistics.selection import max_statistic_test
from tidewright.research.statistics.tail import TailMethod
from tidewright.research.statistics.trade_statistics import wilson_interval


def drawn(seed: int, sets: int, days: int, active: float) -> np.ndarray:
    """Whole thousandths; on the other days, and in some rows on all of them, nothing."""
    generator = np.random.default_rng(seed)
    values = generator.integers(-1_000, 1_001, (sets, days)) / 1_000.0
    values[generator.random((sets, days)) > active] = 0.0
    values[generator.random(sets) < 0.1] = generator.integers(0, 2)
    return values


seeds, shares = st.integers(0, 10**6), st.sampled_from([0.0, 0.02, 0.1, 0.5, 1.0])
profits = st.builds(drawn, seeds, st.integers(1, 5), st.integers(20, 80), shares)
series = st.builds(
    lambda seed, days, share: drawn(seed, 1, days, share)[0] / 20.0,
    seeds,
    st.integers(20, 80),
    shares,
)


@given(profits, st.floats(0.001, 1_000.0))
def test_t_statistics_ignore_the_scale_and_turn_with_the_sign(values, scale):
    t = inference.t_statistic(values)
    assert np.isfinite(t).all()
    assert np.allclose(inference.t_statistic(values * scale), t, rtol=1e-6, atol=1e-9)
    assert np.allclose(inference.t_statistic(-values), -t, rtol=1e-9, atol=1e-12)


@given(profits)
def test_intervals_hold_the_mean_and_widen_with_the_level(values):
    estimate = inference.estimate_mean(values)
    low, high = estimate.interval(0.5)
    lower, higher = estimate.interval(0.95)
    assert (low <= estimate.mean).all()
    assert (estimate.mean <= high).all()
    assert (lower <= low).all()
    assert (high <= higher).all()
    beyond = ((lower > 0.0) | (higher < 0.0)) & (estimate.standard_error > 0)
    p = estimate.p_value()
    assert (np.minimum(p, 1.0 - p)[beyond] <= 0.025 + 1e-9).all()


@given(st.floats(-4.0, 4.0), st.integers(1, 5_000), st.floats(0.5, 5.0))
def test_a_stricter_or_surer_answer_never_takes_less_time(t, days, critical):
    first = inference.days_to_know(t, days, critical=critical)
    assert first >= 0.0
    assert inference.days_to_know(t, days, critical=critical + 0.5) >= first
    assert inference.days_to_know(t, days, critical=critical, power=0.9) >= first


@given(series, st.floats(1.0, 1_000.0), st.floats(1.0, 50.0))
def test_more_trials_never_prove_more(values, trials, more):
    first = sharpe_inference.deflated_sharpe(values, trials)
    second = sharpe_inference.deflated_sharpe(values, trials * more)
    assert 0.0 <= second.probability <= first.probability <= 1.0
    assert 0.0 <= first.p_value <= second.p_value + 1e-12 <= 1.0 + 1e-12


@given(profits)
def test_effective_numbers_lie_between_one_and_what_there_is(values):
    generator = np.random.default_rng(0)
    trials = effective.effective_trials(values, generator, draws=200)
    assert 1.0 <= trials <= max(1, len(values))
    moving = max(1, int((np.ptp(values, axis=1) > 0).sum()))
    assert 1.0 - 1e-9 <= effective.effective_markets(values) <= moving + 1e-9


@given(profits, st.integers(0, 4))
def test_p_values_of_candidates_are_ordered_as_their_statistics(values, seed):
    found = max_statistic_test(values, np.random.default_rng(seed), paths=99)
    assert ((found.adjusted > 0.0) & (found.adjusted <= 1.0)).all()
    moving = np.ptp(values, axis=1) > 0
    if moving.any():
        assert moving[found.best]
        assert found.p_value == found.adjusted.min()
        order = np.argsort(-found.t[moving], kind="stable")
        assert (np.diff(found.adjusted[moving][order]) >= 0.0).all()


@given(series, st.sampled_from(TailMethod))
def test_tails_grow_with_the_level_and_hold_their_mean(values, method):
    some, most = (tail.tail_risk(values, level, method) for level in (0.9, 0.99))
    tiny = 1e-12
    assert some.value_at_risk <= most.value_at_risk + tiny
    for each in (some, most):
        assert each.expected_shortfall >= each.value_at_risk - tiny


@given(st.integers(1, 400), st.data())
def test_intervals_of_a_share_stay_within_it_and_hold_it(trades, data):
    wins = data.draw(st.integers(0, trades))
    low, high = wilson_interval(wins, trades)
    tiny = 1e-12
    assert 0.0 <= low <= wins / trades + tiny
    assert wins / trades - tiny <= high <= 1.0

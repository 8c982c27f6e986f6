"""A small sample of the studies that `benchmarks/bench_power.py` makes in full."""

import pytest

from fakes.studies import WORLDS, count_found, portfolio_study

WORLDS_HERE = 15
GATE, STRICT, DEFLATED = "maximum statistic 5%", "maximum statistic 1%", "deflated Sharpe > 0.95"


@pytest.mark.parametrize("kind", WORLDS)
def test_worlds_without_skill_pass_the_strict_gate_at_most_once(kind):
    # 15 worlds at 1 %: 2 or more has probability 1 %
    found = count_found(kind, WORLDS_HERE, paths=199)
    assert found[STRICT] <= 1
    assert found[DEFLATED] <= 1


def test_one_good_candidate_of_a_hundred_is_found():
    some = count_found("normal", WORLDS_HERE, sharpe=2.4, paths=199)
    # Power is 95 %: fewer than 11 of 15 has probability 0.05 %
    assert some[GATE] >= 11
    assert some[DEFLATED] < some[GATE]
    assert count_found("normal", WORLDS_HERE, sharpe=3.2, paths=199)[GATE] == WORLDS_HERE


@pytest.mark.full
@pytest.mark.parametrize(("sharpe", "least"), [(2.4, 150), (3.2, 190)])
def test_power_over_two_hundred_worlds(sharpe, least):
    assert count_found("normal", 200, sharpe=sharpe)[GATE] >= least


@pytest.mark.full
@pytest.mark.parametrize("kind", WORLDS)
def test_size_over_two_hundred_worlds(kind):
    assert count_found(kind, 200)[STRICT] <= 6


@pytest.mark.realdata
@pytest.mark.parametrize("cost", [0.0015, 0.0])
def test_random_portfolios_beat_zero_and_not_the_market(realdata, cost):
    found = portfolio_study(realdata, cost=cost)
    assert found.zero >= 0.95 * found.portfolios
    assert found.zero_family >= 0.95 * found.portfolios
    assert found.matched_family <= 2
    assert found.matched <= 0.12 * found.portfolios
    assert found.market_sharpe == pytest.approx(0.98, abs=0.03)

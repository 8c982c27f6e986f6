"""What closed trades say of an edge, against closed forms and plain arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.kernels.edge import (
    KELLY_DEVIATIONS,
    KELLY_TRADES,
    NO_TRADES,
    UNKNOWN,
    TradeSums,
    kelly_ppm,
    trade_return,
    with_trade,
)

MILLION = 1_000_000


def sums_of(*returns: int) -> TradeSums:
    sums = NO_TRADES
    for one in returns:
        sums = with_trade(sums, one)
    return sums


@pytest.mark.parametrize(
    ("pnl", "value", "expected"),
    [
        (5, 100, 50_000),
        (-5, 100, -50_000),
        (1, 3, 333_333),
        (-1, 3, -333_333),
        (0, 7, 0),
        (2_500, 1_000, 2_500_000),
        (10**18, 1, 10 * MILLION),
        (-(10**18), 1, -10 * MILLION),
        (10**17, 4 * 10**18, 25_000),
    ],
)
def test_return_is_a_share_of_the_entry(pnl: int, value: int, expected: int) -> None:
    assert trade_return(pnl, value) == expected


@given(st.lists(st.integers(-10 * MILLION, 10 * MILLION), max_size=40))
def test_sums_are_those_of_the_trades(returns: list[int]) -> None:
    found = sums_of(*returns)
    gains, losses = [r for r in returns if r > 0], [-r for r in returns if r < 0]
    assert found == (
        len(gains),
        len(losses),
        returns.count(0),
        sum(gains),
        sum(losses),
        sum(r * r for r in returns),
    )


@pytest.mark.parametrize("count", [0, 1, KELLY_TRADES - 1])
def test_nothing_is_known_below_a_hundred_trades(count: int) -> None:
    assert kelly_ppm(sums_of(*[10_000] * count), MILLION) == UNKNOWN


def test_often_right_with_small_gains_is_no_bet() -> None:
    # 76.6 % of a fifth of what a loss costs: f = p - q / b = 0.766 - 0.234 / 0.2 = -0.404.
    returns = [2_000] * 766 + [-10_000] * 234
    assert kelly_ppm(sums_of(*returns), MILLION) == 0


def test_edge_that_is_not_sure_is_no_bet() -> None:
    # The mean is above 0, its lower bound is not: 52 wins of 100 at even odds.
    returns = [10_000] * 52 + [-10_000] * 48
    assert mean(returns) > 0
    assert kelly_ppm(sums_of(*returns), MILLION) == 0


@pytest.mark.parametrize("fraction", [MILLION, MILLION // 2, MILLION // 4])
@pytest.mark.parametrize(("wins", "losses"), [(640, 360), (70, 30), (6_000, 4_000)])
def test_even_odds_give_the_closed_form_of_the_lower_bound(
    wins: int, losses: int, fraction: int
) -> None:
    size = 500_000
    count = wins + losses
    p = wins / count
    # With gains and losses of one size r the edge is r (2 p - 1) and f = (2 p - 1) / r.
    error = 2 * math.sqrt(p * (1 - p) / (count - 1))
    expected = (2 * p - 1 - KELLY_DEVIATIONS * error) / (size / MILLION)
    found = kelly_ppm(sums_of(*[size] * wins, *[-size] * losses), fraction)
    assert found == pytest.approx(min(expected, 1) * fraction, abs=2)
    assert 0 < found < fraction


@given(st.lists(st.integers(-300_000, 400_000), min_size=KELLY_TRADES, max_size=160))
def test_bet_is_the_bound_over_mean_win_times_mean_loss(returns: list[int]) -> None:
    found = kelly_ppm(sums_of(*returns), MILLION)
    gains, losses = [r for r in returns if r > 0], [-r for r in returns if r < 0]
    bound = mean(returns) - KELLY_DEVIATIONS * stdev(returns) / math.sqrt(len(returns))
    if bound <= 0:
        assert found <= 1
        return
    if not losses:
        assert found == MILLION
        return
    exact = bound * MILLION / (float(mean(gains)) * float(mean(losses)))
    assert found == pytest.approx(min(exact, 1) * MILLION, rel=1e-6, abs=2)


def test_without_a_loss_the_bet_is_the_fraction_of_all() -> None:
    assert kelly_ppm(sums_of(*[10_000] * 100), 250_000) == 250_000


@given(st.integers(KELLY_TRADES, 400), st.integers(1, 9))
def test_more_of_the_same_trades_never_bet_less(count: int, tenths: int) -> None:
    wins = count * (5 + tenths // 2) // 10
    returns = [100_000] * wins + [-100_000] * (count - wins)
    once, twice = kelly_ppm(sums_of(*returns), MILLION), kelly_ppm(sums_of(*returns * 2), MILLION)
    assert twice >= once
    assert Fraction(twice, MILLION) <= 1

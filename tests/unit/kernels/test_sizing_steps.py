from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.kernels import sizing as steps
from tidewright.kernels.limits import order_cost, value_ceiling

TERMS = steps.Terms(numerator=1_000, denominator=1, fee_ppm=1_000, max_lots=0)
PLENTY = steps.Rooms(10**18, 10**18, 10**18, 10**18)

money = st.integers(0, 10**15)
prices = st.integers(1, 10**9)
terms = st.builds(
    steps.Terms,
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    st.integers(0, 10_000),
    st.just(0),
)


@given(money, prices, terms)
def test_lots_for_value_are_the_most_that_fit(budget: int, ticks: int, own: steps.Terms) -> None:
    lots = steps.lots_for_value(budget, ticks, own.numerator, own.denominator)
    price = Fraction(ticks * own.numerator, own.denominator)
    assert lots * price <= budget < (lots + 1) * price


@given(money, prices, terms)
def test_affordable_lots_never_cost_more_than_the_cash(
    cash: int, ticks: int, own: steps.Terms
) -> None:
    lots = steps.affordable_lots(cash, ticks, own)
    value = value_ceiling(ticks, lots, own.numerator, own.denominator)
    assert lots == 0 or order_cost(value, own.fee_ppm) <= cash


@pytest.mark.parametrize(
    ("method", "amount", "lots"),
    [
        # 1 % of 1000.00 is 10.00; a stop of 100 ticks loses 0.001 per lot.
        (steps.RISK_PERCENT, 10_000, 10_000),
        # 10 % of 1000.00 is 100.00; a lot at 10000 ticks is worth 0.10.
        (steps.PERCENT_OF_EQUITY, 100_000, 1_000),
        (steps.FIXED_NOTIONAL, 55 * 10**8, 550),
        (steps.FIXED_QUANTITY, 77, 77),
        # A year's deviation of 100 ticks is 0.001 per lot; 20 % of 1000.00 is 200.00.
        (steps.VOLATILITY_TARGET, 200_000, 200_000),
        (steps.KELLY, 100_000, 1_000),
    ],
)
def test_methods_give_hand_computed_lots(method: int, amount: int, lots: int) -> None:
    assert steps.wanted_lots(method, amount, 1_000 * 10**8, 10_000, 100, TERMS) == lots


@pytest.mark.parametrize(
    ("rooms", "cap"),
    [
        (PLENTY, steps.UNCAPPED),
        (PLENTY._replace(position=10**8), steps.BY_POSITION),
        (PLENTY._replace(exposure=10**8), steps.BY_EXPOSURE),
        (PLENTY._replace(cash=10**8), steps.BY_CASH),
        (PLENTY._replace(risk=10**6), steps.BY_RISK),
    ],
)
def test_the_smallest_room_caps(rooms: steps.Rooms, cap: int) -> None:
    lots, binding = steps.capped_lots(100, 10_000, 100, rooms, TERMS)
    assert binding == cap
    assert lots == (100 if cap == steps.UNCAPPED else 9 if cap == steps.BY_CASH else 10)


def test_largest_order_of_the_venue_caps() -> None:
    own = TERMS._replace(max_lots=7)
    assert steps.capped_lots(100, 10_000, 0, PLENTY, own) == (7, steps.BY_MAXIMUM)


@pytest.mark.parametrize(
    ("deviation", "root_ppm", "ticks"),
    [
        # 0.02 a bar over 100 bars a year is 0.2, in ticks of 0.01.
        (0.02, 10_000_000, 20),
        (0.0201, 10_000_000, 20),
        (1e-9, 10_000_000, 1),
        (0.0, 10_000_000, 0),
        (float("nan"), 10_000_000, 0),
        (float("inf"), 10_000_000, 0),
    ],
)
def test_deviation_of_a_year_grows_with_the_root_of_its_bars(
    deviation: float, root_ppm: int, ticks: int
) -> None:
    assert steps.yearly_ticks(deviation, root_ppm, 1, 100) == ticks

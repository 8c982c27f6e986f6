"""The matched benchmark: what holding the same things as much on average would have earned."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.time import DAY, HOUR
from tidewright.market.arrays import BarArrays
from tidewright.research.benchmark import excess, universe_returns
from tidewright.research.results import DailyResults

UNIT = 100_000_000


def instrument(name: str) -> Instrument:
    return Instrument(name, "test", name, "USD", AssetClass.CRYPTO, Decimal(1), Decimal(1))


def series(name: str, known: list[int], closes: list[int]) -> BarArrays:
    ts, close = np.array(known, np.int64), np.array(closes, np.int64)
    return BarArrays(name, "1h", ts - HOUR, ts, close, close, close, close, close)


def held(closes: list[int], days: list[int], lots: int, initial: int) -> DailyResults:
    """Holding a fixed number of lots of one instrument since the first close."""
    value = np.array(closes, np.int64) * lots * UNIT
    equity = initial + value - value[0]
    return DailyResults(
        days=np.array(days, np.int64),
        equity=equity[None, :],
        initial=initial,
        exposure=np.array([value[:-1].mean() / initial]),
        trades=np.array([1]),
        trade_days=np.array([1]),
        turnover=np.array([1.0]),
        fees=np.array([0]),
    )


def test_days_end_with_the_bar_known_at_midnight_and_gaps_are_days_without_change() -> None:
    known = [6 * HOUR, DAY, DAY + HOUR, 2 * DAY, 3 * DAY + HOUR]
    bars = series("A", known, [100, 110, 90, 121, 242])
    found = universe_returns([bars], [instrument("A")], np.arange(4))
    assert found == pytest.approx([0.1, 0.1, 0.0, 1.0])


def test_bars_before_the_first_day_give_the_price_that_it_is_counted_from() -> None:
    bars = series("A", [DAY, 2 * DAY, 3 * DAY], [100, 110, 132])
    assert universe_returns([bars], [instrument("A")], np.array([1, 2])) == pytest.approx(
        [0.1, 0.2]
    )


def test_an_instrument_counts_from_its_first_price_to_its_last() -> None:
    early = series("A", [DAY, 2 * DAY, 3 * DAY, 4 * DAY], [100, 110, 121, 133])
    late = series("B", [2 * DAY, 3 * DAY], [50, 100])
    found = universe_returns([early, late], [instrument("A"), instrument("B")], np.arange(4))
    # On its first day the late one has a first price, hence a return of nothing.
    assert found == pytest.approx([0.0, 0.05, 0.55, 133 / 121 - 1])


def test_only_the_universe_counts_and_each_of_it_must_be_there() -> None:
    one, other = series("A", [DAY, 2 * DAY], [1, 2]), series("B", [DAY, 2 * DAY], [1, 9])
    assert universe_returns([one, other], [instrument("A")], np.arange(2)) == pytest.approx([0, 1])
    with pytest.raises(ConfigError, match=r"\['C'\]"):
        universe_returns([one], [instrument("A"), instrument("C")], np.arange(2))


def test_no_day_and_no_bar_give_nothing() -> None:
    empty = series("A", [], [])
    assert universe_returns([empty], [instrument("A")], np.arange(2)).tolist() == [0, 0]
    assert len(universe_returns([empty], [instrument("A")], np.arange(0))) == 0


@given(
    st.lists(st.integers(50, 200), min_size=2, max_size=30),
    st.integers(-3, 3),
)
def test_what_holds_as_much_on_average_earns_only_what_holding_pays(
    closes: list[int], lots: int
) -> None:
    days = list(range(len(closes)))
    bars = series("A", [(day + 1) * DAY for day in days], closes)
    universe = universe_returns([bars], [instrument("A")], np.array(days))
    results = held(closes, days, lots, 1_000 * UNIT)
    found = excess(results, universe)
    # Holding lots instead of a constant value differs by how far the value strays from its mean.
    value = np.array(closes[:-1]) * lots / 1_000
    assert found[0, 1:] == pytest.approx((value - value.mean()) * universe[1:], abs=1e-12)
    assert found[0, 0] == 0
